"""The work behind a claim: pictures made and hosted, or the claim released; and what another process needs to go on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from tollbrush.domain.changed import changed
from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.domain.jobs import HostedImage, Job, JobState
from tollbrush.editing.orders import Order
from tollbrush.editing.runner import Runner
from tollbrush.editing.works import Made, Work
from tollbrush.errors import JobCancelled, TollbrushError
from tollbrush.storage.interface import InputStore, Ledger

_log: Final = structlog.get_logger(__name__)


_FIRST_LOOK: Final = 0.2
_LAST_LOOK: Final = 2.0
"""Seconds between two looks at a job that another process does: the longer it takes, the fewer."""


@dataclass(frozen=True)
class Stored:
    """What another process needs to go on with a job."""

    request: EditRequest
    priced_size: Size


class Maker:
    """`clock` gives Unix seconds; `owner` names this process in leases of `lease_seconds`."""

    def __init__(
        self,
        ledger: Ledger,
        runner: Runner,
        inputs: InputStore,
        *,
        clock: Callable[[], float],
        lease_seconds: float,
        owner: str,
    ) -> None:
        self._ledger, self._runner, self._inputs = ledger, runner, inputs
        self._clock, self._lease_seconds, self.owner = clock, lease_seconds, owner

    def new_job(self, order: Order, payer: str, deadline: int) -> Job:
        now = self._now()
        return Job(
            id=secrets.token_urlsafe(12),
            payer=payer,
            model=order.plan.model.id,
            requested_model=order.plan.requested.id,
            size=str(order.request.size or "auto"),
            n=order.request.n,
            amount=order.price.atomic,
            created=now,
            deadline=deadline,
            updated=now,
            owner=self.owner,
            lease_until=self.lease_until(),
        )

    async def make(self, work: Work, job: Job, charge: Charge) -> Made:
        """The pictures made and hosted, the charge ready to settle; or the claim released."""
        work.own = True
        started, order, plan = changed(job.start(self._now()), images=()), work.order, work.order.plan
        listed = started
        if not await self._ledger.save(job=started, was=charge):
            return await self.await_elsewhere(work, charge)
        seconds = job.deadline - self._clock()

        async def record(images: tuple[HostedImage, ...]) -> None:
            nonlocal listed
            listed = changed(started, images=images, lease_until=self.lease_until())
            if not await self._ledger.save(job=listed, was=charge):
                raise JobCancelled("Another writer was first.")

        try:
            result = await self._runner.run(
                job.id,
                plan.engine,
                plan.model,
                order.priced_size,
                order.request,
                record,
                track=work.track,
                seconds=seconds,
            )
        except TollbrushError as failure:
            if await self.give_up(listed.fail(failure.code, failure.message, self._now()), charge):
                raise
            return await self.await_elsewhere(work, charge)
        except asyncio.CancelledError:
            await self._interrupted(work, listed, charge)
            raise
        finished = started.complete(result.images, self._now(), result.usage)
        ready = charge.to(ChargeState.READY, now=self._now())
        if not await self._ledger.save(job=finished, charge=ready, was=charge):
            await self._runner.discard(result.images)
            return await self.await_elsewhere(work, charge)
        await self._inputs.delete(job.id)
        return finished, ready

    async def _interrupted(self, work: Work, job: Job, charge: Charge) -> None:
        """Cancelled by its payer, or handed on by a process that stops."""
        if work.ending is JobState.CANCELLED:
            await self.give_up(job.cancel(self._now()), charge)
        else:
            await self.store(work, job)
            await self._ledger.lease(job.id, self.owner, now=self._now(), until=0)

    async def give_up(self, job: Job, charge: Charge) -> bool:
        """The job ended and its claim released; False when another process has gone further with it."""
        released = charge.to(ChargeState.RELEASED, now=self._now(), reason=job.error_code or job.state.value)
        if not await self._ledger.save(job=job, charge=released, was=charge):
            return False
        await self._inputs.delete(job.id)
        await self.tidy(job)
        return True

    async def tidy(self, ended: Job) -> None:
        """Remove the files of a job without a result; they stay on record until they are gone, and for as long as
        another process may be writing them."""
        if ended.images:
            await self._runner.discard(ended.images)
            if ended.owner == self.owner or ended.lease_until <= self._now():
                await self._ledger.save(job=changed(ended, images=()))

    async def sweep_litter(self) -> None:
        """What a crash left between the end of a job and the removal of its files."""
        for job in await self._ledger.litter():
            await self.tidy(job)
        for job_id in await self._inputs.held():
            owner = await self._ledger.job(job_id)
            if owner is None or owner.finished:
                await self._inputs.delete(job_id)

    async def await_elsewhere(self, work: Work, held: Charge) -> Made:
        """A payment that is bound already: the job as another process, or an earlier one, brings it to its end."""
        work.own, pause = False, _FIRST_LOOK
        while True:
            job = await self._ledger.job(held.job_id)
            assert job is not None  # a charge never exists without its job
            if job.state is JobState.COMPLETED:
                return job, await self._ledger.charge(held.id) or held
            if job.finished:
                raise JobCancelled("This job has ended without a result.")
            if not work.claimed.done():
                work.claimed.set_result(job)
            await asyncio.sleep(pause)
            pause = min(_LAST_LOOK, pause * 1.5)

    async def store(self, work: Work, job: Job) -> None:
        async with work.storing:
            if not work.stored:
                stored = Stored(work.order.request, work.order.priced_size)
                await self._inputs.put(job.id, await asyncio.to_thread(msgspec.msgpack.encode, stored, enc_hook=tuple))
                work.stored = True

    async def stored(self, job: Job) -> Stored | None:
        """None where there is nothing, or what another version stored and this one cannot read."""
        data = await self._inputs.get(job.id)
        try:
            return None if data is None else await asyncio.to_thread(msgspec.msgpack.decode, data, type=Stored)
        except (msgspec.DecodeError, UnicodeDecodeError) as strange:
            _log.warning("what a job needs cannot be read", job=job.id, problem=str(strange)[:200])
            return None

    def lease_until(self) -> int:
        return int(self._clock() + self._lease_seconds)

    def _now(self) -> int:
        return int(self._clock())
