"""`tollbrush doctor`: what works here and what does not. Local and free: it reads, and neither pays nor reports."""

from __future__ import annotations

import platform
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import TYPE_CHECKING, Final, Literal

import typer

from tollbrush.cli.context import DataDir, Json, client_settings
from tollbrush.cli.terminal import Terminal
from tollbrush.domain.networks import BY_ID
from tollbrush.errors import TollbrushError

if TYPE_CHECKING:
    import httpx2

    from tollbrush.settings import Settings

_LOW_DISK: Final = 256 * 2**20
_CLOCK_SECONDS: Final = 30
_PARTS: Final = (
    "httpx2",
    "coincurve",
    "solders",
    "x402",
    "numpy",
    "opencv-contrib-python-headless",
    "torch",
    "diffusers",
    "ray",
    "web3",
)


@dataclass(frozen=True)
class Finding:
    """`state` is ok, note (works without it) or bad; `advice` what to do."""

    name: str
    state: Literal["ok", "note", "bad"]
    says: str
    advice: str = ""


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(data_dir: DataDir = None, as_json: Json = False) -> int:
    """Check wallet, chains, gateway, clock and versions."""
    import asyncio  # 40 ms that --help need not wait for

    settings = client_settings(data_dir)
    terminal = Terminal(as_json=as_json)
    with terminal.working("Looking around"):
        findings = asyncio.run(examine(settings))
    healthy = all(f.state != "bad" for f in findings)
    marks = {"ok": "✓", "note": "–", "bad": "✗"}
    rows = [(marks[f.state], f.name, f"{f.says} {f.advice}".strip()) for f in findings]
    terminal.table({"ok": healthy, "findings": [asdict(f) for f in findings]}, ("", "What", "Finding"), rows)
    return 0 if healthy else 1


async def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order people need them."""
    import asyncio

    import httpx2

    async with httpx2.AsyncClient(timeout=5.0, trust_env=False) as http:
        findings = [_versions(), _data_dir(settings)]
        findings += await asyncio.gather(_wallet(settings), _router(settings, http))
        findings += await _gateway(settings, http)
        return findings


def _versions() -> Finding:
    found = [f"tollbrush {metadata.version('tollbrush')}", f"Python {platform.python_version()}"]
    for part in _PARTS:
        try:
            found.append(f"{part} {metadata.version(part)}")
        except metadata.PackageNotFoundError:
            continue
    return Finding("versions", "ok", ", ".join(found) + f" on {sys.platform}")


def _data_dir(settings: Settings) -> Finding:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(folder).free
    except OSError as failure:
        return Finding("data", "bad", f"{folder}: {failure.strerror}.", "Set TOLLBRUSH_DATA_DIR to a folder of yours.")
    if free < _LOW_DISK:
        return Finding("data", "bad", f"{folder}: only {free // 2**20} MB are free.", "Make room.")
    return Finding("data", "ok", f"{folder}, {free // 2**30} GB free")


async def _wallet(settings: Settings) -> Finding:
    from tollbrush.payments.payer import Payer
    from tollbrush.payments.wallet import load

    try:
        wallet = load(settings)
        if wallet is None:
            return Finding("wallet", "note", "none yet.", "It is made on first use, or by: tollbrush wallet new")
        payer = Payer(wallet, settings)
        try:
            balances = await payer.balances()
        finally:
            await payer.close()
    except TollbrushError as error:
        return Finding("wallet", "bad", error.message, error.hint)
    held = "; ".join(f"{b.network.title} {b.held or 'unknown'}" for b in balances)
    if silent := [b.problem for b in balances if b.held is None]:
        return Finding("wallet", "bad", f"{held}. {silent[0]}", "Set another node: TOLLBRUSH_NETWORKS__BASE__RPC_URL")
    if not any(b.held and b.held.atomic for b in balances):
        return Finding("wallet", "note", f"it is empty ({held}).", "Fund it: tollbrush wallet fund")
    return Finding("wallet", "ok", held)


async def _router(settings: Settings, http: httpx2.AsyncClient) -> Finding:
    url = f"http://{settings.router.host}:{settings.router.port}"
    said = await _get(http, f"{url}/health")
    if said is None:
        return Finding("router", "note", f"none runs at {url}.", "Start it: tollbrush route")
    if said.json().get("service") != "tollbrush-router":
        return Finding(
            "router", "bad", f"something else answers at {url}.", "Choose another port: tollbrush route --port"
        )
    return Finding("router", "ok", url)


async def _gateway(settings: Settings, http: httpx2.AsyncClient) -> list[Finding]:
    url = settings.router.gateway_url
    ready = await _get(http, f"{url}/readyz")
    if ready is None:
        return [Finding("gateway", "bad", f"{url} does not answer.", "Start one: tollbrush up, or set another.")]
    said = ready.json()
    problems, warnings = _parts(said.get("problems")), _parts(said.get("warnings"))
    if ready.status_code == 200:
        findings = [Finding("gateway", "ok", f"{url}, takes {', '.join(map(str, said.get('networks', [])))}")]
    else:
        told = "; ".join(problems) or f"HTTP {ready.status_code}"
        findings = [Finding("gateway", "bad", f"{url} is not ready: {told}.")]
    findings += [Finding("gateway", "note", f"{warning}.") for warning in warnings]
    if date := ready.headers.get("date"):
        off = abs(time.time() - parsedate_to_datetime(date).timestamp())
        state: Literal["ok", "bad"] = "ok" if off < _CLOCK_SECONDS else "bad"
        advice = "" if state == "ok" else "Payments carry times: set this machine's clock."
        findings.append(Finding("clock", state, f"{off:.0f} s from the gateway's.", advice))
    return findings


def _parts(told: object) -> list[str]:
    """What `/readyz` says of each part, networks by their names."""
    if not isinstance(told, dict):
        return []
    return [
        f"{BY_ID[part].v1 if part in BY_ID else part}: {str(text).removesuffix('.')}" for part, text in told.items()
    ]


async def _get(http: httpx2.AsyncClient, url: str) -> httpx2.Response | None:
    """A JSON object's response, or None when nothing usable answers."""
    import httpx2

    try:
        response = await http.get(url)
        return response if isinstance(response.json(), dict) else None
    except (httpx2.HTTPError, ValueError):
        return None
