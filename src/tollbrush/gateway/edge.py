"""The outer skin of the gateway: which hosts it answers to, the `/sol` twin, bodies with a limit and a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tollbrush.errors import BadRequest, TooLarge, WrongHost
from tollbrush.gateway.problems import problem

SOL: Final = "/sol"


class Edge:
    """Refuses foreign Host headers with 421, and turns `/sol/…` or a host whose first label is `sol` into the same
    route with `state.svm_only` set."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(h.lower() for h in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = hostname(dict(scope["headers"]).get(b"host", b"").decode("latin-1"))
        plain = host.removeprefix("sol.")
        if not (is_loopback(plain) or plain in self._hosts or host in self._hosts):
            error = WrongHost(f"host {host[:80]!r} is not served here.", advice="Use the gateway's own address.")
            await problem(error)(scope, receive, send)
            return
        path: str = scope["path"]
        under = path == SOL or path.startswith(SOL + "/")
        scope.setdefault("state", {})
        scope["state"] |= {"svm_only": under or host != plain, "prefix": SOL if under else ""}
        if under:
            scope = {
                **scope,
                "path": path.removeprefix(SOL) or "/",
                "raw_path": scope["raw_path"].removeprefix(b"/sol"),
            }
        await self._app(scope, receive, send)


def hostname(header: str) -> str:
    """The host of a Host header, lower-case, without port and brackets; empty when there is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def called_base(request: Request) -> str:
    """`scheme://host[:port]` as the caller addressed us; the Edge has checked the host."""
    return f"{request.url.scheme}://{request.headers['host']}"


async def read_body(request: Request, *, limit: int, seconds: float) -> bytes:
    """The whole body. Raises TooLarge (before reading, when the length is declared), BadRequest when it does not
    arrive in time or breaks off."""
    too_large = TooLarge(f"the body is over {limit:,} bytes.", advice="Send smaller pictures.")
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_large
                chunks.append(chunk)
    except TimeoutError as failure:
        raise BadRequest(f"the body did not arrive within {seconds:g} s.", advice="Send it again.") from failure
    except ClientDisconnect as failure:
        raise BadRequest("the connection broke before the body was whole.", advice="Send it again.") from failure
    return b"".join(chunks)
