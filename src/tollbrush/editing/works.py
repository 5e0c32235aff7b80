"""The edits under way in this process, one per payment."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from tollbrush.domain.charges import Charge, ClaimKey
from tollbrush.domain.jobs import Job, JobState
from tollbrush.editing.orders import Order
from tollbrush.editing.progress import Track, Watch
from tollbrush.errors import JobCancelled, SettlementUnknown, TollbrushError

Made = tuple[Job, Charge]


@dataclass(eq=False)
class Work:
    """Work under way in this process. `claimed` gets the job once its payment is bound; `own`: the work is done here,
    not awaited from elsewhere."""

    digest: str
    order: Order
    claimed: asyncio.Future[Job]
    track: Track
    task: asyncio.Task[Made] = field(init=False)
    own: bool = False
    stored: bool = False
    storing: asyncio.Lock = field(default_factory=asyncio.Lock)
    ending: JobState | None = None

    def holds(self, job: Job) -> bool:
        return self.claimed.done() and self.claimed.result().id == job.id

    @property
    def error(self) -> TollbrushError:
        """What a caller hears whose edit was stopped under it."""
        if self.ending is JobState.CANCELLED:
            return JobCancelled("This job was cancelled while it was at work.")
        # Never "not charged": a settlement may have begun. The same payment delivers once, whatever came of it.
        return SettlementUnknown("The gateway is stopping; the next one goes on with this edit.", retry_after=5)

    def watched_by(self, watch: Watch) -> None:
        self.claimed.add_done_callback(lambda claimed: watch.begun.set_result(claimed.result()))
        unwatch = self.track.watch(watch)
        self.task.add_done_callback(lambda _: unwatch())


class Works:
    """Used by one event loop; in the order in which they began."""

    def __init__(self) -> None:
        self._works: dict[ClaimKey, Work] = {}

    def __iter__(self) -> Iterator[Work]:
        """As of now: works may end meanwhile."""
        return iter(list(self._works.values()))

    def of(self, key: ClaimKey) -> Work | None:
        return self._works.get(key)

    def of_job(self, job: Job) -> Work | None:
        return next((work for work in self if work.holds(job)), None)

    def up_to(self, new: Work) -> list[Work]:
        """Those that came before, and it itself."""
        return [*takewhile(lambda work: work is not new, self), new]

    def begin(
        self, key: ClaimKey, digest: str, order: Order, make: Callable[[Work], Coroutine[Any, Any, Made]]
    ) -> Work:
        """One task per payment; registered before it runs, so that no second one can begin."""
        claimed: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        work = self._works[key] = Work(digest, order, claimed, Track(order.request.previews))
        work.task = asyncio.create_task(make(work))

        def ended(task: asyncio.Task[Made]) -> None:
            if self._works.get(key) is work:
                del self._works[key]
            if not task.cancelled():
                _let_go(task.exception())  # its callers may have gone; the job says what happened

        work.task.add_done_callback(ended)
        return work

    async def cancel(self, job: Job) -> bool:
        """Stop this job's work, if it is under way in this process."""
        work = self.of_job(job)
        if work is None or work.task.done():
            return False
        work.ending = JobState.CANCELLED
        work.task.cancel()
        await asyncio.wait({work.task})
        return True

    async def drain(self, seconds: float) -> None:
        """Those that are not done by then are stopped."""
        tasks = {work.task for work in self}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _let_go(failure: BaseException | None) -> None:
    """The frames that a failure came through hold the task that it ended, and the pictures: a circle, which would stay
    in memory until the garbage collector comes by."""
    while failure is not None:
        traceback.clear_frames(failure.__traceback__)
        failure = failure.__cause__ or failure.__context__
