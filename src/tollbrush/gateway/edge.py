"""The outer skin of the gateway: which hosts it answers to, the `/sol` twin, bodies with a limit and a deadline."""

from __future__ import annotations

import asyncio
import io
import re
import weakref
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tollbrush.errors import BadRequest, TooLarge, Unavailable, WrongHost
from tollbrush.gateway.problems import problem

SOL: Final = "/sol"
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?", re.ASCII)


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
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        host = hostname(named[0]) if len(named) == 1 else ""
        plain = host.removeprefix("sol.")
        if not (is_loopback(plain) or plain in self._hosts or host in self._hosts):
            error = WrongHost(f"host {host[:80]!r} is not served here.", advice="Use the gateway's own address.")
            await problem(error, scope["path"])(scope, receive, send)
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
    """The host of a Host header, lower-case, without port and brackets; empty when it is none: our answers repeat
    the header in URLs, so nothing else may ride along."""
    match = _HOST.fullmatch(header)
    return (match[1] or match[2]).lower().rstrip(".") if match else ""


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


class Bodies:
    """The memory that request bodies share. A body counts for what has come of it, so that slow callers cannot book
    room that they do not use."""

    def __init__(self, budget: int) -> None:
        self._budget, self._held = budget, 0

    def check_room(self, size: int) -> None:
        """Raises Unavailable."""
        if self._held + size > self._budget:
            raise Unavailable("The gateway is busy with other uploads.", retry_after=5)

    def take(self, size: int) -> None:
        self.check_room(size)
        self._held += size

    def give_back(self, size: int) -> None:
        self._held -= size


class Share:
    """What one request holds of that memory, until `release`."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies, self._size, self._lives_on = bodies, 0, False

    def grow(self, size: int) -> None:
        self.bodies.take(size)
        self._size += size

    def shrink(self, size: int) -> None:
        """To this much, where it is more: the rest is no longer in memory."""
        self.bodies.give_back(max(0, self._size - size))
        self._size = min(self._size, size)

    def release(self) -> None:
        """At the request's end; what lives on is released with its owner."""
        if not self._lives_on:
            self.shrink(0)

    def live_with(self, owner: object) -> None:
        """Released when this object is: the pictures of a job outlive the request that brought them."""
        self._lives_on = True
        weakref.finalize(owner, self.shrink, 0).atexit = False


async def read_body(request: Request, *, limit: int, seconds: float, share: Share | None = None) -> bytes:
    """The whole body, counted in `share`. Raises TooLarge and Unavailable (before reading, when the length is
    declared), BadRequest when it does not arrive in time or breaks off."""
    too_large = TooLarge(f"the body is over {limit:,} bytes.", advice="Send smaller pictures.")
    length = request.headers.get("content-length", "")
    declared = int(length[:20]) if length.isascii() and length.isdigit() else 0
    if declared > limit:
        raise too_large
    if share is not None:
        share.bodies.check_room(declared)
    body, size = io.BytesIO(), 0  # grows in place: joining pieces would need the room twice, and stop the loop
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_large
                if share is not None:
                    share.grow(len(chunk))
                body.write(chunk)
    except TimeoutError as failure:
        raise BadRequest(f"the body did not arrive within {seconds:g} s.", advice="Send it again.") from failure
    except ClientDisconnect as failure:
        raise BadRequest("the connection broke before the body was whole.", advice="Send it again.") from failure
    return body.getvalue()
