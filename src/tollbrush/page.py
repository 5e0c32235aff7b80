"""The built page, as gateway and router serve it: one document that is told who serves it, and its hashed assets.

The content security policy forbids whatever does not come from here; nothing inline, nothing from elsewhere.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from tollbrush import __version__
from tollbrush.domain.networks import NETWORKS
from tollbrush.errors import NotFound
from tollbrush.settings import Settings

BUILT: Final = Path(__file__).parent / "playground"
_ASSET: Final = re.compile(r"[\w-]+(\.[\w-]+)*\.(js|css|svg|jpg|png|webp)", re.ASCII)
_TYPES: Final = {
    ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".jpg": "image/jpeg", ".png": "image/png",
    ".webp": "image/webp",
}  # fmt: skip
_PLACE: Final = '<meta name="tollbrush" content="" />'
_UNBUILT: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>tollbrush</title>
<p>This is tollbrush. Its page has not been built on this machine: run <code>make</code> with Node.js 20 or newer
installed. Everything else works; <code>tollbrush edit --help</code> shows how from a terminal.</p></html>"""


def facts(role: Literal["router", "gateway"], settings: Settings, *, token: str = "") -> dict[str, Any]:
    """What the document may know: who serves it, what bears its writes, and the networks with their explorers (none
    for a chain on this machine)."""
    rows = []
    for network in NETWORKS:
        part = settings.networks.get(network.v1)
        local = part is not None and urlsplit(part.rpc_url).hostname in ("127.0.0.1", "localhost", "::1")
        rows.append({
            "id": network.id,
            "v1": network.v1,
            "title": network.title,
            "explorer": "" if local else network.explorer_tx,
            "test": network.test,
        })  # fmt: skip
    return {"role": role, "version": __version__, "token": token, "networks": rows}


class Page:
    """`facts` is what the document may know of its server (never a wallet's key); `origins` may serve pictures too."""

    def __init__(self, facts: Mapping[str, Any], *, origins: Sequence[str] = (), folder: Path = BUILT) -> None:
        self._folder, self._facts = folder, facts
        elsewhere = " ".join(["'self'", *origins])
        policy = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": f"{elsewhere} blob: data:",
            "connect-src": elsewhere,
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        self._headers = {
            "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "cross-origin-opener-policy": "same-origin",
        }

    def routes(self) -> list[Route]:
        return [Route("/", self.document), Route("/assets/{name}", self.asset), Route("/icon.svg", self.icon)]

    async def document(self, request: Request) -> Response:
        try:
            text = (self._folder / "index.html").read_text()
        except FileNotFoundError:
            return HTMLResponse(_UNBUILT, headers=self._headers)
        facts = html.escape(json.dumps(self._facts), quote=True)
        return HTMLResponse(text.replace(_PLACE, _PLACE.replace('""', f'"{facts}"')), headers=self._headers)

    async def asset(self, request: Request) -> Response:
        return self._file(f"assets/{request.path_params['name']}", "public, max-age=31536000, immutable")

    async def icon(self, request: Request) -> Response:
        return self._file("icon.svg", "public, max-age=86400")

    def _file(self, name: str, cache: str) -> Response:
        """Raises NotFound."""
        path = self._folder / name
        if not _ASSET.fullmatch(path.name) or not path.is_file():
            raise NotFound(f"nothing is at {name[:80]!r}.", advice="Load the page again.")
        headers = {"cache-control": cache, "x-content-type-options": "nosniff"}
        return FileResponse(path, media_type=_TYPES[path.suffix], headers=headers)
