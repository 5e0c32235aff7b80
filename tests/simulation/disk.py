"""The disk that outlives its processes: memory stores behind delays; it fills up, and a kill may lose a write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any, TypeVar

from simulation.loop import VirtualLoop
from tollbrush.errors import Unavailable
from tollbrush.storage.memory import MemoryImages, MemoryInputs, MemoryLedger

T = TypeVar("T")
_WRITES = frozenset({"claim", "save", "retire", "lease", "put"})


class Disk:
    """`faults` is the share of writes that find it full."""

    def __init__(self, loop: VirtualLoop, rng: Random) -> None:
        self.loop, self.rng, self.faults = loop, rng, 0.0
        self.ledger, self.images, self.inputs = MemoryLedger(), MemoryImages(), MemoryInputs()

    def slow(self, store: T) -> T:
        """The same store as a process reaches it."""
        return _Slow(store, self)  # type: ignore[return-value]


class _Slow:
    """Every method of a store, with the time that it takes. A call happens whether or not its caller still waits; a
    killed process's call may not have happened yet, or have happened without an answer."""

    def __init__(self, store: object, disk: Disk) -> None:
        self._store, self._disk = store, disk

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method: Callable[..., Coroutine[Any, Any, Any]] = getattr(self._store, name)
        disk, writes = self._disk, name in _WRITES
        loop, random = disk.loop, disk.rng.random

        def call(*args: Any, **kw: Any) -> Awaitable[Any]:
            if loop.over:
                return _nothing()
            if writes:
                if disk.faults and random() < disk.faults:
                    return _full()
            elif random() < 0.7:
                return method(*args, **kw)
            answer = loop.create_future()
            delay = random() * (20 if random() < 0.007 else 0.02)
            if random() < 0.5:
                loop.call_later(delay, _happen, answer, method, args, kw)
            else:
                loop.call_later(delay, _answer, answer, *_run(method(*args, **kw)))
            return answer

        setattr(self, name, call)
        return call


async def _nothing() -> None:
    """What is put away may still ask."""


async def _full() -> None:
    await asyncio.sleep(0.01)
    raise Unavailable("The disk is full.")


def _happen(answer: asyncio.Future[Any], method: Callable[..., Any], args: Any, kw: Any) -> None:
    _answer(answer, *_run(method(*args, **kw)))


def _run(method: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    """A memory store never waits."""
    try:
        method.send(None)
    except StopIteration as done:
        return done.value, None
    except Exception as failure:  # noqa: BLE001 - handed to the caller
        return None, failure
    raise AssertionError("a memory store awaited")


def _answer(answer: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if answer.done():
        return
    if failure is None:
        answer.set_result(result)
    else:
        answer.set_exception(failure)
