"""A pool of worker processes that edit. An edit that hangs or kills its worker costs that worker and nobody else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import structlog

from tollbrush.engines.pipes import Child
from tollbrush.errors import EditTimeout, EngineFailed, WorkerDied

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.plans.plan import Plan

_log: Final = structlog.get_logger(__name__)
_MODULE: Final = "tollbrush.engines.studio.worker_process"
START_LIMIT: Final = 180.0  # seconds; on a fresh machine a worker first compiles its kernels


async def _start(threads: int) -> Child:
    """A worker that is ready to edit. Raises EngineFailed."""
    worker = await Child.spawn(_MODULE, str(threads), what="studio worker")
    await worker.ready(START_LIMIT)
    return worker


class Workers:
    """`count` workers; edits beyond that wait for a free one. `time_limit` in seconds, for one picture at work."""

    def __init__(self, count: int, time_limit: float) -> None:
        self._count, self._time_limit = count, time_limit
        self._threads = max(1, (os.cpu_count() or 1) // count)
        self._closed = False
        self._seats: list[asyncio.Task[Child]] = []
        """Each holds a worker, or its start. Edits take them by their number."""
        self._free: asyncio.Queue[int] = asyncio.Queue()
        self._watches: set[asyncio.Task[None]] = set()

    @property
    def warm(self) -> bool:
        """Whether every worker is ready, or has failed to be."""
        return all(seat.done() for seat in self._seats)

    async def ready(self) -> None:
        """Returns when all are. Raises EngineFailed."""
        await asyncio.gather(*map(asyncio.shield, self._seats))

    def start(self) -> None:
        """Begin to start them. The first compiles for the others; edits wait for theirs."""
        for number in range(self._count):
            self._seats.append(self._seat(number, after=self._seats[0] if number else None))
            self._free.put_nowait(number)

    async def close(self) -> None:
        self._closed = True
        for seat in self._seats:
            seat.cancel()
        for worker in await asyncio.gather(*self._seats, return_exceptions=True):
            if isinstance(worker, Child):
                await worker.stop()
        await asyncio.gather(*self._watches)
        self._seats.clear()

    async def edit(
        self, plan: Plan, pixels: Pixels, mask: Mask | None, seeds: Sequence[int], done: Callable[[int], None]
    ) -> list[Pixels]:
        """One picture for each seed; `done` hears how many there are so far. Raises what the plan raises, EditTimeout,
        EngineFailed."""
        if not self._seats:
            raise EngineFailed("The studio has not been started.")
        number = await self._free.get()
        worker: Child | None = None
        try:
            worker = await asyncio.shield(self._seats[number])
            async with asyncio.timeout(self._time_limit * len(seeds)):
                await worker.say((plan, pixels, mask, tuple(seeds)))
                pictures: list[Pixels] = []
                for _ in seeds:
                    pictures.append(await worker.hear())
                    done(len(pictures))
        except TimeoutError as error:
            self._replace(number, worker)
            raise EditTimeout(f"The edit took longer than {self._time_limit * len(seeds):g} seconds.") from error
        except (WorkerDied, asyncio.CancelledError):
            self._replace(number, worker)
            raise
        finally:
            self._free.put_nowait(number)
        return pictures

    def _seat(
        self, number: int, *, before: Child | None = None, after: asyncio.Task[Child] | None = None
    ) -> asyncio.Task[Child]:
        async def fill() -> Child:
            if before is not None:
                await before.stop()
            if after is not None:
                await asyncio.wait({after})
            worker = await _start(self._threads)
            watch = asyncio.create_task(self._watch(number, worker))
            self._watches.add(watch)
            watch.add_done_callback(self._watches.discard)
            return worker

        seat = asyncio.create_task(fill())
        seat.add_done_callback(_tell)
        return seat

    async def _watch(self, number: int, worker: Child) -> None:
        """One that dies while nobody uses it costs no edit."""
        await worker.ended()
        self._replace(number, worker)

    def _replace(self, number: int, worker: Child | None) -> None:
        """A new one instead of `worker`, which was lost or is in the middle of an edit that nobody waits for; or, when
        that is None, instead of one that did not start."""
        seat = self._seats[number]
        if self._closed or not seat.done():
            return  # nobody will ask, or it has been replaced
        if (None if seat.exception() else seat.result()) is worker:
            self._seats[number] = self._seat(number, before=worker)


def _tell(seat: asyncio.Task[Child]) -> None:
    if not seat.cancelled() and (failure := seat.exception()) is not None:
        _log.error("a studio worker did not start", error=str(failure))
