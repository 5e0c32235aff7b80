"""One connection to a server as an asyncio protocol, its answers parsed by httptools."""

from __future__ import annotations

import asyncio
from typing import Final, cast

import httptools
import httpx2

_BUFFERED: Final = 2**20
"""Bytes of a body that wait for their reader, about, before the server is made to wait."""
_BARREN: Final = 256 * 2**10
"""Bytes that a server may send without a byte of a body: headers, trailers, the sizes of chunks."""


class Connection(asyncio.Protocol):
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
