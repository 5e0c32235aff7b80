"""HTTP/1.1 straight to a server, for bodies of megabytes: a third of the CPU that httpx2's own transport takes.

A pool of connections. Proxies are not its business: see `transport.open_http`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Final

import httpx2

from tollbrush.client.connection import Connection

_CONNECTIONS: Final = 100
_IDLE_SECONDS: Final = 5.0
"""How long a connection that is not in use is kept."""
_Origin = tuple[str, str, int]


class Direct(httpx2.AsyncBaseTransport):
    """For one event loop, and bodies that are bytes. Raises httpx2's own errors."""

    def __init__(self) -> None:
        self._idle: dict[_Origin, list[Connection]] = defaultdict(list)
        self._free = asyncio.Semaphore(_CONNECTIONS)
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        timeouts = request.extensions.get("timeout", {})
        head, body = _head(request), await request.aread()
        origin = _origin(request.url)
        await self._free.acquire()
        connection = None
        try:
            connection = self._kept(origin) or await self._connect(origin, timeouts.get("connect"))
            await connection.ask(request.method, head, body, timeouts.get("read"))
        except BaseException:
            self._free.release()
            if connection is not None:
                connection.close()
            raise
        stream = _Body(self, origin, connection, timeouts.get("read"))
        return httpx2.Response(connection.status, headers=connection.headers, stream=stream, request=request)

    def done(self, origin: _Origin, connection: Connection) -> None:
        """The response is closed: keep the connection if it is whole."""
        self._free.release()
        if connection.is_reusable and len(self._idle[origin]) < _CONNECTIONS // 5:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle[origin].append(connection)
        else:
            connection.close()

    async def aclose(self) -> None:
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()

    def _kept(self, origin: _Origin) -> Connection | None:
        now = asyncio.get_running_loop().time()
        kept = self._idle[origin]
        while kept:
            connection = kept.pop()
            if connection.is_reusable and now - connection.idle_since < _IDLE_SECONDS:
                return connection
            connection.close()
        return None

    async def _connect(self, origin: _Origin, seconds: float | None) -> Connection:
        scheme, host, port = origin
        if scheme == "https" and self._tls is None:
            self._tls = httpx2.create_ssl_context()
        tls = self._tls if scheme == "https" else None
        try:
            async with asyncio.timeout(seconds):
                return await _opened(host, port, tls, seconds)
        except TimeoutError as late:
            raise httpx2.ConnectTimeout(f"{host}:{port} does not answer.") from late
        except OSError as failure:  # TLS errors are of its kind
            raise httpx2.ConnectError(str(failure)) from failure


async def _opened(host: str, port: int, tls: ssl.SSLContext | None, seconds: float | None) -> Connection:
    """By the first of the host's addresses that answers, each given its share of the time. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    failure: OSError = OSError(f"{host} has no address.")
    for address in addresses:
        try:
            async with asyncio.timeout(None if seconds is None else seconds / len(addresses)):
                opening = loop.create_connection(
                    Connection, address, port, ssl=tls, server_hostname=host if tls else None
                )
                return (await opening)[1]
        except OSError as silent:  # a time-out is one too
            failure = silent
    raise failure


class _Body(httpx2.AsyncByteStream):
    def __init__(self, pool: Direct, origin: _Origin, connection: Connection, seconds: float | None) -> None:
        self._pool, self._origin, self._connection, self._seconds = pool, origin, connection, seconds
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._connection.read(self._seconds):
            yield piece

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._pool.done(self._origin, self._connection)


def _origin(url: httpx2.URL) -> _Origin:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _head(request: httpx2.Request) -> bytes:
    if request.url.scheme not in ("http", "https") or not request.url.host:
        raise httpx2.UnsupportedProtocol(f"{request.url} is not an http or https URL.")
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [name + b": " + value for name, value in request.headers.raw]
    if any(b"\n" in line or b"\r" in line or b"\0" in line for line in lines):
        raise httpx2.LocalProtocolError("a header has a line break.")
    return b"\r\n".join(lines) + b"\r\n\r\n"
