"""The router's edits: one purchase for each, however often it is asked for, and whatever happens to this process.

A second identical call joins the first while it runs, and for ten minutes after it gets the same answer again. An edit
whose pictures did not come home is fetched again, one that was signed for and brought nothing is sent again with the
same payment, and what was under way when the router stopped goes on when it starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from tollbrush.client.history import EditState, History, Row
from tollbrush.client.jobs import Purchaser
from tollbrush.client.orders import Paid
from tollbrush.domain.edits import EditRequest
from tollbrush.errors import NotFound, TollbrushError, Unavailable
from tollbrush.payments.policy import LONGEST
from tollbrush.router.buying import Buyer, agrees
from tollbrush.router.calls import Terms, digest
from tollbrush.router.catalog import Catalog
from tollbrush.router.market import Market
from tollbrush.router.problems import without_402
from tollbrush.router.results import Pictures

WINDOW_SECONDS: Final = 600.0
_RESUMED_SECONDS: Final = 86_400.0
"""How long after it began an edit is gone on with."""
_log: Final = structlog.get_logger(__name__)

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """An edit that is under way here. `ticket` while it is being bought, None while its pictures are fetched."""

    id: str
    task: asyncio.Task[Answer]
    ticket: Purchaser | None


@dataclass(frozen=True)
class Asked:
    """What came of a call: an answer that was there, or a job to wait for. `replayed`: bought before this call."""

    id: str
    answer: Answer | None
    job: Job | None
    replayed: bool


class Desk:
    """`clock` gives Unix seconds. For one event loop."""

    def __init__(
        self,
        market: Market,
        catalog: Catalog,
        buyer: Buyer,
        pictures: Pictures,
        history: History,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._market, self._catalog, self._buyer = market, catalog, buyer
        self._pictures, self._history, self._clock = pictures, history, clock
        self._same: dict[str, Job] = {}
        self._jobs: dict[str, Job] = {}

    async def ask(self, wanted: EditRequest, terms: Terms) -> Asked:
        """The edit's answer or job, bought at most once at a time; anew, whatever was bought before, with
        `terms.again`. A caller that goes away leaves it running. Raises BadRequest for an unknown gateway."""
        targets = self._market.target(terms.gateway)
        model = wanted.model and await self._catalog.full_name(wanted.model, terms.gateway)
        same = await asyncio.to_thread(digest, replace(wanted, model=model), targets)
        # No await from here to the entry: two calls at once cannot both find nothing.
        if terms.again:
            return self._new(same, wanted, terms)
        if running := self._same.get(same):
            return Asked(running.id, None, running, True)
        since = self._clock() - WINDOW_SECONDS
        since = since if terms.since is None else min(since, terms.since)
        if bought := self._history.latest(same, since=since):
            return self._replayed(bought)
        before = self._history.unfinished(same, since=self._clock() - LONGEST)
        if before and before.payment and agrees(before.payment, terms, before.gateway, targets):
            return self._retried(before, wanted)
        return self._new(same, wanted, terms)

    def find(self, name: str) -> tuple[Row, Job | None]:
        """An edit of this router's, by id. Raises NotFound."""
        row = self._history.get(name)
        if row is None:
            raise NotFound("Job not found")
        return row, self._jobs.get(name)

    async def cancel(self, name: str) -> None:
        """End an edit that is not paid for. Raises NotFound, PaymentBusy."""
        _, job = self.find(name)
        if job is not None and job.ticket is not None:
            await job.ticket.cancel()
            await asyncio.wait([job.task], timeout=30)

    def recover(self) -> None:
        """Go on with what was under way when the last process ended."""
        for row in self._history.under_way():
            if row.state is EditState.PAID:
                self._fetched(row)
            elif row.payment is None or row.at < self._clock() - _RESUMED_SECONDS:
                lost = "The router stopped before it was paid for." if row.payment is None else "It took too long."
                self._history.failed(row.id, Unavailable.code, lost, over=True)
            else:
                _log.info("going on with an edit", id=row.id, gateway=row.gateway)
                ticket = Purchaser(self._history, row.id)
                self._bought(row.digest, ticket, self._buyer.resume(ticket, row))

    async def drain(self, seconds: float) -> None:
        """Wait so long for what is under way, then leave it for the next start."""
        jobs = list(self._jobs.values())
        if not jobs:
            return
        await asyncio.wait([job.task for job in jobs], timeout=seconds)
        for job in jobs:
            if job.ticket is not None:
                await job.ticket.leave()
            job.task.cancel()
        await asyncio.wait([job.task for job in jobs])

    def _new(self, same: str, wanted: EditRequest, terms: Terms) -> Asked:
        name = self._history.begin(same, wanted.prompt, "", at=self._clock())
        ticket = Purchaser(self._history, name)
        return Asked(name, None, self._bought(same, ticket, self._buyer.buy(ticket, wanted, terms)), False)

    def _retried(self, before: Row, wanted: EditRequest) -> Asked:
        self._history.reopen(before.id)
        ticket = Purchaser(self._history, before.id)
        buying = self._buyer.again(ticket, before, wanted)
        return Asked(before.id, None, self._bought(before.digest, ticket, buying), False)

    def _replayed(self, bought: Row) -> Asked:
        if bought.answer and all(self._pictures.has(d["key"]) for d in bought.answer["data"]):
            return Asked(bought.id, bought.answer, None, True)
        return Asked(bought.id, None, self._fetched(bought), True)

    def _bought(self, same: str, ticket: Purchaser, buying: Coroutine[Any, Any, Paid]) -> Job:
        ticket.start(_never_402(buying))
        return self._enter(same, Job(ticket.id, asyncio.create_task(self._delivered(ticket)), ticket))

    def _fetched(self, row: Row) -> Job:
        task = asyncio.create_task(self._home(row.id, row.bought or {}, row.gateway))
        return self._enter(row.digest, Job(row.id, task, None))

    async def _delivered(self, ticket: Purchaser) -> Answer:
        paid = await ticket.wait()
        return await self._home(ticket.id, paid.answer, ticket.gateway)

    async def _home(self, name: str, bought: Answer, gateway: str) -> Answer:
        try:
            answer = await self._buyer.bring_home(bought, gateway)
        except TollbrushError as error:
            self._history.failed(name, error.code, error.sentence(), over=False)
            raise
        self._history.home(name, answer)
        return answer

    def _enter(self, same: str, job: Job) -> Job:
        self._same[same] = self._jobs[job.id] = job
        job.task.add_done_callback(lambda done: self._forget(same, job))
        return job

    def _forget(self, same: str, job: Job) -> None:
        for entries, key in ((self._jobs, job.id), (self._same, same)):
            if entries.get(key) is job:
                del entries[key]
        if not job.task.cancelled():
            job.task.exception()  # seen: whoever waited has it, and nobody waiting is no reason to warn


async def _never_402(buying: Coroutine[Any, Any, Paid]) -> Paid:
    """A refused payment as the router's caller is told of it, in the history too."""
    try:
        return await buying
    except TollbrushError as error:
        if (told := without_402(error)) is error:
            raise
        raise told from error
