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
    from tollbrush.engines.studio.plan import Plan

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
        self._seats: set[asyncio.Task[Child]] = set()
        self._free: asyncio.Queue[asyncio.Task[Child]] = asyncio.Queue()

    @property
    def warm(self) -> bool:
        """Whether every worker is ready, or has failed to be."""
        return all(seat.done() for seat in self._seats)

    async def ready(self) -> None:
        """Returns when all are. Raises EngineFailed."""
        await asyncio.gather(*map(asyncio.shield, self._seats))

    def start(self) -> None:
        """Begin to start them. The first compiles for the others; edits wait for theirs."""
        first = None
        for _ in range(self._count):
            seat = self._seat(None, after=first)
            first = first or seat
            self._free.put_nowait(seat)

    async def close(self) -> None:
        self._closed = True
        for seat in self._seats:
            seat.cancel()
        for worker in await asyncio.gather(*self._seats, return_exceptions=True):
            if isinstance(worker, Child):
                await worker.stop()
        self._seats.clear()

    async def edit(
        self, plan: Plan, pixels: Pixels, mask: Mask | None, seeds: Sequence[int], done: Callable[[int], None]
    ) -> list[Pixels]:
        """One picture for each seed; `done` hears how many there are so far. Raises what the plan raises, EditTimeout,
        EngineFailed."""
        if not self._seats:
            raise EngineFailed("The studio has not been started.")
        seat = await self._free.get()
        worker: Child | None = None
        try:
            worker = await asyncio.shield(seat)
            async with asyncio.timeout(self._time_limit * len(seeds)):
                await worker.say((plan, pixels, mask, tuple(seeds)))
                pictures: list[Pixels] = []
                for _ in seeds:
                    pictures.append(await worker.hear())
                    done(len(pictures))
        except TimeoutError as error:
            seat = self._replaced(seat, worker)
            raise EditTimeout(f"The edit took longer than {self._time_limit * len(seeds):g} seconds.") from error
        except (WorkerDied, asyncio.CancelledError):
            seat = self._replaced(seat, worker)
            raise
        finally:
            self._free.put_nowait(seat)
        return pictures

    def _seat(self, before: Child | None, *, after: asyncio.Task[Child] | None = None) -> asyncio.Task[Child]:
        async def fill() -> Child:
            if before is not None:
                await before.stop()
            if after is not None:
                await asyncio.wait({after})
            return await _start(self._threads)

        seat = asyncio.create_task(fill())
        seat.add_done_callback(_tell)
        self._seats.add(seat)
        return seat

    def _replaced(self, seat: asyncio.Task[Child], worker: Child | None) -> asyncio.Task[Child]:
        """A new worker instead of one that was lost, or that is in the middle of an edit nobody waits for."""
        if self._closed or (worker is None and not seat.done()):
            return seat  # nobody will ask, or nothing was asked of it yet
        self._seats.discard(seat)
        return self._seat(worker)


def _tell(seat: asyncio.Task[Child]) -> None:
    if not seat.cancelled() and (failure := seat.exception()) is not None:
        _log.error("a studio worker did not start", error=str(failure))
