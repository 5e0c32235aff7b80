"""The router's door: it spends its owner's money, so a web page must not reach it.

Loopback peers only; `Host` must name this machine (against DNS rebinding); no foreign origin, no cross-site fetch,
no CORS; bodies are JSON or multipart; and a browser's writes bear the token that the page served here was given.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tollbrush.errors import BadRequest, ForeignOrigin, TollbrushError, TooLarge, WrongHost
from tollbrush.router.problems import problem

TOKEN_HEADER: Final = "x-tollbrush-token"  # noqa: S105 - a header's name
_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_BODIES: Final = frozenset({"application/json", "multipart/form-data"})
_READS: Final = frozenset({"GET", "HEAD"})
_HARDENED: Final = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


def load_token(data_dir: Path) -> str:
    """The token of this data folder, made on first use with mode 0600."""
    path = data_dir / "router-token"
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(fd, "w") as file:
        file.write(token := secrets.token_urlsafe(32))
    return token


class Guard:
    """ASGI middleware. `max_body` in bytes, from Content-Length; the reader counts what has none."""

    def __init__(self, app: ASGIApp, *, token: str, max_body: int) -> None:
        self._app, self._token, self._max_body = app, token.encode(), max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HARDENED.items():
                    headers[name] = value
            await send(message)

        try:
            self._check(scope)
        except TollbrushError as refused:
            await problem(refused)(scope, receive, hardened)
        else:
            await self._app(scope, receive, hardened)

    def _check(self, scope: Scope) -> None:
        headers, method = Headers(scope=scope), str(scope["method"])
        _check_peer(scope.get("client"))
        host = _check_host(headers.getlist("host"))
        browser = _check_origin(headers, host, method)
        if method in _READS:
            return
        if method == "OPTIONS":
            raise ForeignOrigin("no other origin may call this router.")
        if browser and not hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self._token):
            raise ForeignOrigin(f"a browser's request must bear {TOKEN_HEADER}.")
        if method != "DELETE":
            _check_type(headers.get("content-type", ""))
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 15 or int(length) > self._max_body:
            raise TooLarge(f"the body is larger than {self._max_body:,} bytes.")


def _check_peer(client: tuple[str, int] | None) -> None:
    if client is None or not ipaddress.ip_address(client[0].partition("%")[0]).is_loopback:
        raise ForeignOrigin("this router answers this machine only.")


def _check_host(hosts: list[str]) -> str:
    """The one Host header, which must name loopback; any port (a tunnel has another)."""
    if len(hosts) != 1:
        raise WrongHost("exactly one Host header is needed.")
    name, colon, port = hosts[0].lower().rpartition(":")
    if not colon or hosts[0].endswith("]"):
        name, port = hosts[0].lower(), "80"
    if name not in _NAMES or not (port.isascii() and port.isdecimal()):
        raise WrongHost(f"this router is not {hosts[0][:80]!r}.", advice="Call it as localhost or 127.0.0.1.")
    return hosts[0].lower()


def _check_origin(headers: Headers, host: str, method: str) -> bool:
    """Whether a browser's script asks, from a page of our own. Raises ForeignOrigin for any other page."""
    origins = headers.getlist("origin")
    if any(origin.lower() != f"http://{host}" for origin in origins):
        raise ForeignOrigin(f"a page of {origins[0][:80]!r} may not use this router.")
    site = headers.get("sec-fetch-site", "")
    followed_link = method == "GET" and headers.get("sec-fetch-dest") == "document"
    if site not in ("", "same-origin", "none") and not followed_link:
        raise ForeignOrigin("another site may not use this router.")
    return bool(origins or site)


def _check_type(content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in _BODIES:
        raise BadRequest(
            f"Content-Type {kind[:80]!r} is not accepted.", advice="Send application/json or multipart/form-data."
        )
