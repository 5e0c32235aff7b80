"""The Model Context Protocol's wire over stdio: JSON-RPC 2.0, one message a line (MCP specification, 2025-11-25).

Written by hand: importing the official server costs 0.8 s, and twice that without bytecode, before the first line is
read, and an agent starts its servers each time it starts. The official client is the judge in the tests.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

import msgspec

from tollbrush.wire.nesting import is_too_deep

Params = Mapping[str, Any]

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
_MAX_LINE: Final = 96 * 2**20
"""Bytes: the largest request body, in base64."""
_LAST_SECONDS: Final = 1.0


class RpcError(Exception):
    """Refuses a request; what the client sees."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Handler(Protocol):
    """What answers the client's requests and hears its notifications."""

    async def request(self, call: Call, method: str, params: Params) -> Mapping[str, Any]:
        """Raises RpcError."""

    def surprise(self, error: Exception) -> None:
        """An error that nobody foresaw; the client is told that something broke."""


class Call:
    """One request of the client's under way: how its handler reports progress and asks back."""

    def __init__(self, wire: Wire, params: Params) -> None:
        self._wire = wire
        meta = params.get("_meta")
        self._token: Any = meta.get("progressToken") if isinstance(meta, Mapping) else None
        self._steps = itertools.count(1)

    def progress(self, message: str) -> None:
        """Tell the client how far it is, if it wants to know."""
        if isinstance(self._token, str | int):
            said = {"progressToken": self._token, "progress": next(self._steps), "message": message}
            self._wire.notify("notifications/progress", said)

    async def ask(self, method: str, params: Params) -> Params:
        """A request to the client. Raises RpcError with its refusal."""
        return await self._wire.ask(method, params)


class Wire:
    """One connection. Requests run side by side; `notifications/cancelled` cancels one."""

    def __init__(self, handler: Handler, write: Callable[[bytes], None]) -> None:
        self._handler, self._write = handler, write
        self._running: dict[str | int, asyncio.Task[None]] = {}
        self._asked: dict[int, asyncio.Future[Params]] = {}
        self._ids = itertools.count(1)

    def notify(self, method: str, params: Params) -> None:
        self._send({"method": method, "params": params})

    async def ask(self, method: str, params: Params) -> Params:
        number = next(self._ids)
        answer: asyncio.Future[Params] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._send({"id": number, "method": method, "params": params})
        try:
            return await answer
        finally:
            del self._asked[number]

    def receive(self, line: bytes) -> None:
        """One line of the client's. Never raises."""
        try:
            message: Any = None if is_too_deep(line) else msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._refuse(None, PARSE_ERROR, "This line is not JSON.")
            return
        match message:
            case {"method": str(method), "id": str() | int() as number} if not isinstance(number, bool):
                self._start(number, method, message.get("params"))
            case {"method": "notifications/cancelled", "params": {"requestId": str() | int() as number}}:
                if task := self._running.get(number):
                    task.cancel()
            case {"method": str()}:
                pass  # other notifications need no answer
            case {"id": int(number)} if not isinstance(number, bool) and number in self._asked:
                self._answered(self._asked[number], message)
            case {"id": _} if "result" in message or "error" in message:
                pass  # the answer to a question that was withdrawn
            case _:
                self._refuse(None, INVALID_REQUEST, "This is no JSON-RPC 2.0 request.")

    async def close(self) -> None:
        """Answer what is almost answered, and stop the rest."""
        tasks = list(self._running.values())
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, number: str | int, method: str, params: Any) -> None:
        if number in self._running:
            self._refuse(number, INVALID_REQUEST, "This id is already at work.")
        elif not isinstance(params, dict | None):
            self._refuse(number, INVALID_PARAMS, "params must be an object.")
        else:
            task = asyncio.create_task(self._run(number, method, params or {}))
            self._running[number] = task
            # Not in the task itself: one that is cancelled before it begins never runs.
            task.add_done_callback(lambda _: self._running.pop(number))

    async def _run(self, number: str | int, method: str, params: Params) -> None:
        try:
            result = await self._handler.request(Call(self, params), method, params)
        except RpcError as refused:
            self._refuse(number, refused.code, refused.message)
        except asyncio.CancelledError:
            pass  # who cancels awaits no answer
        except Exception as error:  # noqa: BLE001 - the edge: one broken request must not end the others
            self._handler.surprise(error)
            self._refuse(number, INTERNAL_ERROR, "Something broke in tollbrush; its log on stderr says what.")
        else:
            self._send({"id": number, "result": result})

    def _answered(self, question: asyncio.Future[Params], message: Params) -> None:
        if question.done():
            return
        match message:
            case {"result": dict(result)}:
                question.set_result(result)
            case {"error": {"message": str(text)}}:
                question.set_exception(RpcError(INTERNAL_ERROR, text))
            case _:
                question.set_exception(RpcError(INVALID_REQUEST, "the client's answer makes no sense"))

    def _refuse(self, number: str | int | None, code: int, message: str) -> None:
        self._send({"id": number, "error": {"code": code, "message": message}})

    def _send(self, message: Params) -> None:
        self._write(msgspec.json.encode({"jsonrpc": "2.0", **message}) + b"\n")


async def serve(handler: Handler, goodbye: Callable[[], Awaitable[None]]) -> None:
    """Answer on stdout what comes on stdin until that ends, or SIGTERM or SIGINT comes. Meanwhile, whatever else this
    process prints goes to stderr: a stray line on stdout would break the protocol."""
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop, lines.put_nowait, None)
    sys.stdout.flush()
    out = os.dup(1)
    os.dup2(2, 1)
    wire = Wire(handler, lambda data: _write_all(out, data))
    # A thread, as stdin may be a file or a terminal; a daemon, as nothing interrupts its read.
    threading.Thread(target=_read, args=(loop, lines), name="stdin", daemon=True).start()
    try:
        while (line := await lines.get()) is not None:
            if line.strip():
                wire.receive(line)
    except BrokenPipeError:
        pass  # the client is gone
    finally:
        await wire.close()
        await goodbye()
        os.dup2(out, 1)
        os.close(out)


def _read(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[bytes | None]) -> None:
    # Not sys.stdin, whose lock the interpreter wants at its end.
    with open(0, "rb", closefd=False) as stdin, suppress(RuntimeError):  # the loop has ended
        while True:
            line = stdin.readline(_MAX_LINE)
            loop.call_soon_threadsafe(lines.put_nowait, line or None)
            if not line:
                return


def _write_all(out: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(out, rest) :]
