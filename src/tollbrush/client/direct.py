"""HTTP/1.1 straight to a server, for bodies of megabytes: a third of the CPU that httpx2's own transport takes.

One asyncio protocol a connection, parsed by httptools. Proxies are not its business: see `transport.open_http`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Final, cast

import httptools
import httpx2

_CONNECTIONS: Final = 100
_IDLE_SECONDS: Final = 5.0
"""How long a connection that is not in use is kept."""
_BUFFERED: Final = 2**20
"""Bytes of a body that wait for their reader, about, before the server is made to wait."""
_BARREN: Final = 256 * 2**10
"""Bytes that a server may send without a byte of a body: headers, trailers, the sizes of chunks."""
_Origin = tuple[str, str, int]


class Direct(httpx2.AsyncBaseTransport):
    """For one event loop, and bodies that are bytes. Raises httpx2's own errors."""

    def __init__(self) -> None:
        self._idle: dict[_Origin, list[_Connection]] = defaultdict(list)
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

    def done(self, origin: _Origin, connection: _Connection) -> None:
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

    def _kept(self, origin: _Origin) -> _Connection | None:
        now = asyncio.get_running_loop().time()
        kept = self._idle[origin]
        while kept:
            connection = kept.pop()
            if connection.is_reusable and now - connection.idle_since < _IDLE_SECONDS:
                return connection
            connection.close()
        return None

    async def _connect(self, origin: _Origin, seconds: float | None) -> _Connection:
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


async def _opened(host: str, port: int, tls: ssl.SSLContext | None, seconds: float | None) -> _Connection:
    """By the first of the host's addresses that answers, each given its share of the time. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    failure: OSError = OSError(f"{host} has no address.")
    for address in addresses:
        try:
            async with asyncio.timeout(None if seconds is None else seconds / len(addresses)):
                opening = loop.create_connection(
                    _Connection, address, port, ssl=tls, server_hostname=host if tls else None
                )
                return (await opening)[1]
        except OSError as silent:  # a time-out is one too
            failure = silent
    raise failure


class _Body(httpx2.AsyncByteStream):
    def __init__(self, pool: Direct, origin: _Origin, connection: _Connection, seconds: float | None) -> None:
        self._pool, self._origin, self._connection, self._seconds = pool, origin, connection, seconds
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._connection.read(self._seconds):
            yield piece

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._pool.done(self._origin, self._connection)


class _Connection(asyncio.Protocol):
    """One request after another. The `on_…` methods are httptools' callbacks."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._failure: httpx2.TransportError | None = None
        self._pieces: list[bytes] = []
        self._paused = False
        self._begin("GET")
        self._complete = True

    async def ask(self, method: str, head: bytes, body: bytes, seconds: float | None) -> None:
        """Until the answer's headers are here."""
        self._begin(method)
        assert self._transport is not None, "connected"
        self._transport.writelines((head, body) if body else (head,))
        while not self._headed:
            await self._move(seconds)

    async def read(self, seconds: float | None) -> bytes:
        """What has come of the body since; b"" at its end."""
        while not self._pieces:
            if self._complete:
                return b""
            await self._move(seconds)
        pieces, self._pieces, self._held = self._pieces, [], 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    @property
    def is_reusable(self) -> bool:
        return (
            self._complete
            and self._keep
            and self._failure is None
            and self._transport is not None
            and not self._transport.is_closing()
            and not self._transport.get_write_buffer_size()
        )

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _begin(self, method: str) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._bodiless = method == "HEAD"
        self._headed = self._complete = self._keep = self._framed = False
        self._held = self._barren = 0
        self.headers = []

    async def _move(self, seconds: float | None) -> None:
        """Until something comes. A body that is still on its way up is progress too."""
        if self._failure is not None:
            raise self._failure
        assert self._transport is not None, "connected"
        while True:
            left = self._transport.get_write_buffer_size()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    return await self._waiter
            except TimeoutError as late:
                if self._transport.get_write_buffer_size() >= left:
                    raise httpx2.ReadTimeout(f"nothing came within {seconds} s.") from late
            finally:
                self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, failure: httpx2.TransportError) -> None:
        self._failure = self._failure or failure
        self.close()
        self._wake()

    # ── asyncio ──

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._barren += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as broken:
            self._fail(httpx2.RemoteProtocolError(f"the answer is no HTTP: {broken}"))
        if self._barren > _BARREN:
            self._fail(httpx2.RemoteProtocolError("the answer's headers have no end."))
        if self._held > _BUFFERED and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._complete:
            if self._headed and not self._framed and exc is None:
                self._complete = True  # its end is the connection's
            else:
                self._fail(httpx2.ReadError("the connection broke before the answer was whole."))
        self._failure = self._failure or httpx2.ReadError("the connection is closed.")
        self._wake()

    # ── httptools ──

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._headed:
            self.headers.append((name, value))
            self._framed = self._framed or name.lower() in (b"content-length", b"transfer-encoding")

    def on_message_begin(self) -> None:
        if self._complete:
            self._failure = httpx2.RemoteProtocolError("the server answers twice.")

    def on_headers_complete(self) -> None:
        if self._headed:
            return
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self._headed = True
            self._complete = self._bodiless

    def on_body(self, data: bytes) -> None:
        self._barren = 0
        if not self._complete:
            self._pieces.append(data)
            self._held += len(data)

    def on_message_complete(self) -> None:
        if self.status < 200:  # an interim answer (RFC 9110, 15.2)
            self.headers, self._framed = [], False
            return
        self._complete, self._keep = True, self._framed and not self._bodiless and self._parser.should_keep_alive()


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
