"""One HTTP connection with deadlines and bounds of its own: uvicorn has none for heads, readers and numbers.

A head (request line and headers) must be whole within `header_seconds`; a response must move while it is read; beyond
`connections` everything but health is answered 503. What is refused here is refused before a task exists for it.
"""

from __future__ import annotations

import json
from asyncio import TimerHandle, Transport
from dataclasses import dataclass
from typing import Any, Final, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEALTH: Final = (b"/healthz", b"/readyz")
_ALL_HEADS: Final = 64 * 2**20
"""Bytes of unfinished heads, all connections together."""
_HARD: Final = 2
"""Connections are dropped unheard beyond so many times `connections`."""


class Limits(Protocol):
    """The part of the limit settings that connections obey."""

    @property
    def connections(self) -> int: ...
    @property
    def header_seconds(self) -> float: ...
    @property
    def head_bytes(self) -> int: ...
    @property
    def idle_seconds(self) -> float: ...
    @property
    def stalled_seconds(self) -> float: ...


@dataclass(frozen=True)
class _Refusal:
    status: int
    code: str
    message: str
    retry_after: int | None = None


class _Refused(Exception):
    """Stops the parser; `_refusal` says why."""


_INVALID: Final = _Refusal(400, "bad_request", "This is not HTTP/1.1.")
_LATE: Final = _Refusal(408, "timeout", "The headers did not arrive in time.")
_FULL: Final = _Refusal(503, "unavailable", "Too many connections. Try again later.", retry_after=5)


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, bounded."""

    _heads = 0  # bytes of unfinished heads, of all connections

    def __init__(self, limits: Limits, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._limits = limits
        self._deadline: TimerHandle | None = None  # runs while a head is awaited
        self._head = 0  # bytes of it so far
        self._in_body = False
        self._refusal = _INVALID
        self._stalled: TimerHandle | None = None

    # ── heads ───────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > _HARD * self._limits.connections:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_over()
        self._unset_keepalive_if_required()
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._deadline is None and self.cycle is not None and self.cycle.response_complete:
            self._await_head()  # the next one, or the rest of a body that nobody reads
        if self._deadline is not None and not self._in_body:
            self._head += len(data)
            Connection._heads += len(data)
        super().data_received(data)
        if self._head > self._limits.head_bytes:
            self._refuse(self._too_long())
        elif self._head and Connection._heads > _ALL_HEADS:
            self._refuse(_FULL)

    def on_headers_complete(self) -> None:
        self._head_over()
        self._in_body = True
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self._limits.head_bytes:
            self._refusal = self._too_long()
        elif len(self.connections) > self._limits.connections and self.url.partition(b"?")[0] not in HEALTH:
            self._refusal = _FULL
        if self._refusal is not _INVALID:
            raise _Refused  # uvicorn has it answered by send_400_response
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._refusal)

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(self._limits.header_seconds, self._late)

    def _head_over(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        Connection._heads -= self._head
        self._head = 0

    def _late(self) -> None:
        if self._head:
            self._refuse(_LATE)
        else:
            self.transport.close()

    def _too_long(self) -> _Refusal:
        most = self._limits.head_bytes
        return _Refusal(431, "too_large", f"The request line and headers are over {most:,} bytes.")

    def _refuse(self, refusal: _Refusal) -> None:
        self._head_over()
        content = {"error": refusal.message, "code": refusal.code, "message": refusal.message}
        body = json.dumps(content).encode()
        retry = b"" if refusal.retry_after is None else b"retry-after: %d\r\n" % refusal.retry_after
        self.transport.write(
            STATUS_LINE[refusal.status] + b"content-type: application/json\r\ncache-control: no-store\r\n"
            b"connection: close\r\n%scontent-length: %d\r\n\r\n%s" % (retry, len(body), body)
        )
        self.transport.close()

    # ── readers of responses ────────────────────────────────────────────────────────────────────────────

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _watch(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._stalled = self.loop.call_later(self._limits.stalled_seconds, self._look, waiting)

    def _look(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._watch()
        else:
            self.transport.abort()
