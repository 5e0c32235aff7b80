"""The disk that outlives its processes: memory stores behind delays; it fills up, and a kill may lose a write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from random import Random
from typing import Any, TypeVar

from simulation.loop import VirtualLoop
from tollbrush.errors import Unavailable
from tollbrush.storage.memory import MemoryImages, MemoryInputs, MemoryLedger

T = TypeVar("T")
_AT_ONCE = 0.8
"""The share of reads that take no time at all."""
_SLOW = 0.0085
"""The share of the others, and of writes, that take up to twenty seconds."""
_WRITES = frozenset({"claim", "save", "retire", "lease", "put"})


class Disk:
    """`faults` is the share of writes that find it full."""

    def __init__(self, loop: VirtualLoop, rng: Random) -> None:
        self.loop, self.rng, self.faults = loop, rng, 0.0
        self.ledger, self.images, self.inputs = MemoryLedger(), MemoryImages(), MemoryInputs()
        self.slowly = self._slow(self.ledger), self._slow(self.images), self._slow(self.inputs)
        """The same stores as processes reach them."""

    @property
    def at_rest(self) -> bool:
        """Nothing is left but time to pass: no open claim, no unfinished job, no inputs kept."""
        ledger = self.ledger
        return not (
            self.inputs._inputs
            or any(charge.open for charge in ledger._charges.values())
            or any(not job.finished for job in ledger._jobs.values())
        )

    def _slow(self, store: T) -> T:
        return _Slow(store, self)  # type: ignore[return-value]


class _Slow:
    """Every method of a store, with the time that it takes. A call happens whether or not its caller still waits; a
    killed process's call may not have happened yet, or have happened without an answer."""

    def __init__(self, store: object, disk: Disk) -> None:
        self._store, self._disk = store, disk

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        call = _slowly(name)
        setattr(_Slow, name, call)  # once for all
        return partial(call, self)


def _slowly(name: str) -> Callable[..., Awaitable[Any]]:
    writes = name in _WRITES

    def call(self: _Slow, *args: Any, **kw: Any) -> Awaitable[Any]:
        disk = self._disk
        method: Callable[..., Coroutine[Any, Any, Any]] = getattr(self._store, name)
        loop, random = disk.loop, disk.rng.random
        if loop.over:
            return _nothing()
        if writes:
            if disk.faults and random() < disk.faults:
                return _full()
        elif random() < _AT_ONCE:
            return method(*args, **kw)
        answer = loop.create_future()
        delay = random() * (20 if random() < _SLOW else 0.02)
        if random() < 0.5:
            loop.after(delay, _happen, answer, method, args, kw)
        else:
            loop.after(delay, _tell, answer, *_run(method(*args, **kw)))
        return answer

    return call


async def _nothing() -> None:
    """What is put away may still ask."""


async def _full() -> None:
    await asyncio.sleep(0.01)
    raise Unavailable("The disk is full.")


def _happen(answer: asyncio.Future[Any], method: Callable[..., Any], args: Any, kw: Any) -> None:
    _tell(answer, *_run(method(*args, **kw)))


def _run(method: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    """A memory store never waits."""
    try:
        method.send(None)
    except StopIteration as done:
        return done.value, None
    except Exception as failure:  # noqa: BLE001 - handed to the caller
        return None, failure
    raise AssertionError("a memory store awaited")


def _tell(answer: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if answer.done():
        return
    if failure is None:
        answer.set_result(result)
    else:
        answer.set_exception(failure)
