"""What `/metrics` counts, what it shows, and what it keeps to itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from support.engines import Inverter
from support.pictures import data_uri, photo
from tollbrush import __version__
from tollbrush.domain.charges import _NEXT, Charge, ChargeState, ClaimKey
from tollbrush.domain.jobs import Job
from tollbrush.editing.queue import Turnstile
from tollbrush.gateway.app import Seams, create_app
from tollbrush.gateway.metrics import Metrics
from tollbrush.settings import Settings
from tollbrush.storage.memory import MemoryLedger

KEY = "0x" + "22" * 32
LOCAL = {"base-sepolia": {"pay_to": "0x" + "11" * 20, "settle_key": KEY, "rpc_url": "http://127.0.0.1:9"}}
EDIT = "/api/v1/images/image2image"
BODY = {"prompt": "add a hat", "image": data_uri(photo())}
BASE = "eip155:84532"
S = ChargeState


def read(text: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and its labels' values, in the labels' order."""
    return {
        (sample.name.removeprefix("tollbrush_"), *(sample.labels[k] for k in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Starlette]:
    made = create_app(
        Settings(data_dir=tmp_path, networks=LOCAL),
        Seams(ledger=lambda _: MemoryLedger(), engines=lambda _: [Inverter()]),
    )
    yield made
    await made.state.close()


def client(app: Starlette, address: str = "127.0.0.1") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, client=(address, 5000), raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost:8401")


async def test_requests_by_route_and_status(app: Starlette) -> None:
    async with client(app) as http:
        for _ in range(3):
            await http.get("/healthz")
        await http.get("/sol/healthz")
        await http.get("/images/" + "k" * 32 + ".png")
        await http.get("/images/another")
        assert (await http.post(EDIT, json=BODY)).status_code == 402
        await http.post(EDIT, json={})
        await http.get("/no/such/page")
        await http.request("BREW", "/healthz")
        seen = read((await http.get("/metrics")).text)
    counted = {key[1:]: value for key, value in seen.items() if key[0] == "requests_total"}
    assert counted == {
        ("GET", "/healthz", "200"): 4,
        ("GET", "/images/{key}", "404"): 2,
        ("POST", EDIT, "402"): 1,
        ("POST", EDIT, "400"): 1,
        ("GET", "other", "404"): 1,
        ("other", "/healthz", "405"): 1,
    }


async def test_what_broke_is_counted_too(app: Starlette) -> None:
    async def broken(request: Request) -> Response:
        raise RuntimeError("a defect")

    app.add_route("/broken", broken)
    async with client(app) as http:
        assert (await http.get("/broken")).status_code == 500
        seen = read((await http.get("/metrics")).text)
    assert seen["requests_total", "GET", "/broken", "500"] == 1


async def test_state_at_this_moment(app: Starlette) -> None:
    async with client(app) as http:
        seen = read((await http.get("/metrics")).text)
    assert seen["build", __version__] == 1
    assert {key[1]: value for key, value in seen.items() if key[0] == "open_charges"} == dict.fromkeys(
        ("claimed", "ready", "settling", "unknown"), 0
    )
    assert seen["problem", "base-sepolia"] == 1  # no node answers there


async def test_it_is_told_to_its_readers_only(app: Starlette, tmp_path: Path) -> None:
    async with client(app, "203.0.113.9") as http:
        refused = await http.get("/metrics")
    assert (refused.status_code, "tollbrush_" in refused.text) == (404, False)
    open_app = create_app(
        Settings(data_dir=tmp_path, networks=LOCAL, gateway={"metrics_from": ("203.0.113.9",)}),
        Seams(ledger=lambda _: MemoryLedger(), engines=lambda _: []),
    )
    async with client(open_app, "203.0.113.9") as http:
        assert (await http.get("/metrics")).status_code == 200
    await open_app.state.close()


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_a_call_that_was_passed_on_is_not_from_this_machine(app: Starlette, header: str) -> None:
    async with client(app) as http:
        assert (await http.get("/metrics")).status_code == 200
        assert (await http.get("/metrics", headers={header: "127.0.0.1"})).status_code == 404


@pytest.mark.parametrize(
    ("gateway", "status"),
    [({"public_url": "https://edits.example"}, 404), ({"hosts": ("edits.example",)}, 404),
     ({"public_url": "https://edits.example", "trusted_proxies": ("127.0.0.1",)}, 200),
     ({"public_url": "http://localhost:8401"}, 200)],
)  # fmt: skip
async def test_behind_a_proxy_that_is_not_known_nobody_is_from_this_machine(
    tmp_path: Path, gateway: dict[str, Any], status: int
) -> None:
    """A proxy on this machine may say nothing of whom it speaks for."""
    seams = Seams(ledger=lambda _: MemoryLedger(), engines=lambda _: [])
    public = create_app(Settings(data_dir=tmp_path, networks=LOCAL, gateway=gateway), seams)
    async with client(public) as http:
        assert (await http.get("/metrics")).status_code == status
    await public.state.close()


async def test_two_applications_count_apart(app: Starlette, tmp_path: Path) -> None:
    other = create_app(Settings(data_dir=tmp_path), Seams(ledger=lambda _: MemoryLedger(), engines=lambda _: []))
    async with client(other) as http:
        await http.get("/healthz")
    async with client(app) as http:
        assert not any(key[0] == "requests_total" for key in read((await http.get("/metrics")).text))
    await other.state.close()


async def test_no_secret_no_payer_no_header(app: Starlette) -> None:
    marks = {"authorization": "Bearer hush-1", "x-payment": "hush-2", "user-agent": "hush-3", "x-request-id": "hush-4"}
    async with client(app) as http:
        await http.post(EDIT, json=BODY | {"prompt": "hush-5"}, headers=marks)
        await http.get("/hush-6?hush-7=8")
        text = (await http.get("/metrics")).text
    assert "hush" not in text and KEY[2:] not in text


async def _sell(ledger: Any, name: str, path: list[ChargeState], amount: int, reason: str | None = None) -> None:
    job = Job(name, "0xsecretpayer", "tollbrush/studio", "tollbrush/studio", "1x1", 1, amount, 1)
    charge = Charge(name, ClaimKey(BASE, "usdc", "0xsecretpayer", name), amount, "0xs", 9, "h", name, "{}", 1)
    await ledger.claim(charge, job, balance=10**30, max_open=10**6)
    for state in path:
        moved = charge.to(state, now=2, reason=reason)
        assert await ledger.save(job=job if charge.state is S.CLAIMED else None, charge=moved, was=charge)
        assert not await ledger.save(charge=moved, was=charge)  # a writer who comes second is not counted
        charge = moved


def _counted(metrics: Metrics) -> dict[tuple[str, ...], float]:
    from prometheus_client import generate_latest

    text = generate_latest(metrics.registry).decode()
    assert "secretpayer" not in text
    return read(text)


async def test_money_is_counted_once_and_when_it_came() -> None:
    metrics = Metrics()
    ledger = metrics.watch(MemoryLedger())
    paid = [S.READY, S.SETTLING]
    await _sell(ledger, "settled", [*paid, S.SETTLED], 2_100)
    await _sell(ledger, "found later", [*paid, S.UNKNOWN, S.SETTLED], 21_000)
    await _sell(ledger, "refused", [*paid, S.RELEASED], 500)
    await _sell(ledger, "in doubt", [*paid, S.UNKNOWN], 700)
    await _sell(ledger, "late", [S.RELEASED], 900, reason="timeout")
    await _sell(ledger, "never sent", [S.READY, S.RELEASED], 900)
    assert _counted(metrics) == {
        ("edits_total", "tollbrush/studio", "completed"): 5,
        ("edits_total", "tollbrush/studio", "timeout"): 1,
        ("settlements_total", "base-sepolia", "settled"): 2,
        ("settlements_total", "base-sepolia", "refused"): 1,
        ("settlements_total", "base-sepolia", "unknown"): 2,
        ("revenue_atomic_total", "base-sepolia"): 23_100,
    }
    assert len(await ledger.history()) == 6  # in all else the ledger is itself


@st.composite
def _walks(draw: Callable[..., Any]) -> list[ChargeState]:
    walk: list[ChargeState] = []
    for _ in range(draw(st.integers(0, 4))):
        at = walk[-1] if walk else S.CLAIMED
        if following := sorted(_NEXT[at] - {at}):
            walk.append(draw(st.sampled_from(following)))
    return walk


@settings(max_examples=40)
@given(st.lists(st.tuples(_walks(), st.integers(0, 2**40)), max_size=8))
def test_revenue_is_what_the_ledger_has_settled(walks: list[tuple[list[ChargeState], int]]) -> None:
    async def both() -> tuple[float, int]:
        metrics = Metrics()
        ledger = metrics.watch(MemoryLedger())
        for number, (walk, amount) in enumerate(walks):
            await _sell(ledger, str(number), walk, amount)
        settled = sum(c.amount for _, c in await ledger.history() if c.state is S.SETTLED)
        return _counted(metrics).get(("revenue_atomic_total", "base-sepolia"), 0), settled

    counted, settled = asyncio.run(both())
    assert counted == settled


async def test_who_waits_and_who_works() -> None:
    line, engine = Turnstile(per_engine=9, in_all=9), Inverter()
    first = line.turn(engine, "a", 1)
    await first.__aenter__()

    async def second() -> None:
        async with line.turn(engine, "b", 1):
            pass

    waiting = asyncio.create_task(second())
    await asyncio.sleep(0)
    assert (line.waiting(), line.working()) == ({"studio": 1}, {"studio": 1})
    await first.__aexit__(None, None, None)
    await waiting
    assert (line.waiting(), line.working()) == ({"studio": 0}, {"studio": 0})
