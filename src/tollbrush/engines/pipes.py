"""Worker processes of our own, spoken to over pipes. A message is eight bytes of length and a pickle.

What a worker's libraries print is no message: it goes to standard error. A worker ends with its standard input, and so
with the process that started it, however that died.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Final

from tollbrush.errors import TollbrushError, WorkerDied

_LENGTH: Final = 8
_BUFFER: Final = 2**22  # bytes read ahead


class Child:
    """One running worker, as its parent sees it. `what` names it in errors: `studio worker`."""

    def __init__(self, process: Process, what: str) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process, self._to, self._from = process, process.stdin, process.stdout
        self.what = what

    @classmethod
    async def spawn(cls, module: str, *arguments: str, what: str) -> Child:
        """Raises WorkerDied where the system has no process, memory or file for it."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module, *arguments),
                stdin=PIPE,
                stdout=PIPE,
                limit=_BUFFER,
                start_new_session=True,  # Ctrl-C is for the gateway, which lets running edits finish
            )
        except OSError as error:
            raise WorkerDied(f"A {what} could not be started: {error.strerror}.") from error
        return cls(process, what)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self, limit: float) -> None:
        """Returns with its first message. Raises it when it is an error, WorkerDied when none comes in `limit` seconds;
        then the worker is stopped."""
        ready = False
        try:
            async with asyncio.timeout(limit):
                await self.hear()
            ready = True
        except TimeoutError as error:
            raise WorkerDied(f"A {self.what} did not get ready in time.") from error
        finally:
            if not ready:
                await self.stop()

    async def say(self, message: object) -> None:
        self.post(message)
        with suppress(ConnectionError):  # a dead worker shows when it is listened to
            await self._to.drain()

    def post(self, message: object) -> None:
        """Says it without waiting until it has gone."""
        with suppress(ConnectionError):
            for part in _pack(message):
                self._to.write(part)

    async def hear(self) -> Any:
        """The next message; raises it when it is an error of the tree, and WorkerDied when there will be none."""
        try:
            length = int.from_bytes(await self._from.readexactly(_LENGTH), "big")
            message = _unpack(await self._from.readexactly(length))
        except asyncio.IncompleteReadError as error:
            raise WorkerDied(f"A {self.what} died.") from error
        if isinstance(message, TollbrushError):
            raise message
        return message

    async def ended(self) -> None:
        """Returns when the process is no more."""
        await self._process.wait()

    async def stop(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def mouth() -> BinaryIO:
    """In the worker: where its messages go."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def say(out: BinaryIO, message: object) -> None:
    out.writelines(_pack(message))
    out.flush()


def heard() -> Iterator[Any]:
    """In the worker: the parent's messages. The process ends with them."""
    source = sys.stdin.buffer
    while (length := source.read(_LENGTH)) and (body := source.read(int.from_bytes(length, "big"))):
        message = _unpack(body)
        del body  # as large as the message, which is at work until the next one
        yield message
    os._exit(0)


def _pack(message: object) -> tuple[bytes, bytes]:
    body = pickle.dumps(message, protocol=5)
    return len(body).to_bytes(_LENGTH, "big"), body


def _unpack(body: bytes) -> Any:
    return pickle.loads(body)  # noqa: S301 - only ever between a process and its own children
