"""One edit, from request to receipt.

    plan → price → (no payment: 402) → verify → claim → edit → host → settle → delivery

Nothing is charged before the pictures exist, and none leaves before the charge is settled. What does not finish
inside the caller's wait becomes a job to be polled; the poll ends in the same last steps. Everything here goes
through interfaces; what a chain, an engine or a disk does is their own business.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from tollbrush.domain.charges import Charge, ChargeState, ClaimKey
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.domain.jobs import HostedImage, Job, JobState
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import Price
from tollbrush.editing.cashier import Cashier
from tollbrush.editing.orders import Order, OrderDesk
from tollbrush.editing.progress import Track, Watch
from tollbrush.editing.runner import Runner
from tollbrush.errors import (
    JobCancelled,
    PaymentBusy,
    PaymentRefused,
    PaymentRequired,
    SettlementUnknown,
    TollbrushError,
    Unavailable,
)
from tollbrush.storage.interface import InputStore, Ledger

Made = tuple[Job, Charge]


@dataclass(frozen=True)
class Delivery:
    """A settled job. `replayed`: this payment had been settled before."""

    job: Job
    charge: Charge
    replayed: bool


@dataclass(frozen=True)
class Pending:
    """A job that is not ready, or never will be. `position` in the line, 0 at work. `progress` 0..1, None where nobody
    in this process knows."""

    job: Job
    position: int
    progress: float | None = None


@dataclass(frozen=True)
class Stored:
    """What another process needs to go on with a job."""

    request: EditRequest
    priced_size: Size


@dataclass(eq=False)
class _Work:
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

    def watched_by(self, watch: Watch) -> None:
        self.claimed.add_done_callback(lambda claimed: watch.begun.set_result(claimed.result()))
        unwatch = self.track.watch(watch)
        self.task.add_done_callback(lambda _: unwatch())


class EditingService:
    """`clock` gives Unix seconds; `hard_seconds` is the limit of an edit; `owner` names this process in leases of
    `lease_seconds`."""

    def __init__(
        self,
        desk: OrderDesk,
        cashier: Cashier,
        ledger: Ledger,
        runner: Runner,
        inputs: InputStore,
        *,
        clock: Callable[[], float],
        hard_seconds: float,
        lease_seconds: float,
        owner: str,
    ) -> None:
        self.desk, self.cashier = desk, cashier
        self._ledger, self._runner, self._inputs = ledger, runner, inputs
        self._clock, self._hard_seconds, self._lease_seconds, self.owner = clock, hard_seconds, lease_seconds, owner
        self._works: dict[ClaimKey, _Work] = {}
        self._stopping = False

    # ── the edit ────────────────────────────────────────────────────────────────────────────────────────

    async def edit(
        self,
        order: Order,
        payment: Payment | None,
        offers: Sequence[Requirement],
        *,
        wait: float,
        watch: Watch | None = None,
    ) -> Delivery | Pending:
        """The straight path; after `wait` seconds what is unfinished becomes a job to be polled. The same payment for
        the same request joins the work under way; a caller that goes away does not stop it. `watch` sees how it goes.
        Raises PaymentRequired, PaymentRefused (402), PaymentBusy (409), SettlementUnknown, Unavailable (503) and what
        the engine refuses."""
        if payment is None:
            raise PaymentRequired(f"This edit costs {order.price}.")
        key, digest = self.cashier.gate.identify(payment, offers), order.request.digest()
        work = self._works.get(key) or self._begin(key, digest, order, lambda w: self._make(w, key, payment, offers))
        if work.digest != digest:
            raise PaymentBusy("This payment is already at work on another request.")
        if watch is not None:
            work.watched_by(watch)
        await asyncio.wait({work.task}, timeout=wait)
        if not work.task.done():  # a job exists once the payment is claimed
            either: set[asyncio.Future[Any]] = {work.task, work.claimed}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not work.task.done():
            return await self._announce(work)
        if work.task.cancelled():
            raise _ended(work)
        job, charge = work.task.result()
        return await self._deliver(job, charge, keep=work.stored or not work.own)

    async def _make(self, work: _Work, key: ClaimKey, payment: Payment, offers: Sequence[Requirement]) -> Made:
        """The finished job and its charge: made now, or found as an earlier request with this payment left them."""
        held, order = await self._ledger.charge_of(key), work.order
        if held is None:
            if self._stopping:
                raise Unavailable("The gateway is stopping.", retry_after=5)
            self._check_room(work)
            deadline = int(self._clock() + self._hard_seconds)
            paid = await self.cashier.verify(payment, offers, deadline=deadline)
            job = self._new_job(order, paid.payer, deadline)
            charge = await self.cashier.claim(paid, job, work.digest)
            work.claimed.set_result(job)
            return await self._work(work, job, charge)
        if held.request_hash != work.digest:
            if held.state is not ChargeState.SETTLED:
                raise PaymentBusy("This payment is already bound to another request.")
            raise PaymentRefused("This payment was already used for another edit.", reason="payment_already_used")
        return await self._await_elsewhere(work, held)

    def _check_room(self, new: _Work) -> None:
        """Whether there is room behind those that came before. Raises Unavailable."""
        plan = new.order.plan
        width = plan.engine.capabilities(plan.model.upstream).width
        before = itertools.takewhile(lambda work: work is not new, self._works.values())
        at_hand = [work.order.plan.engine.name for work in (*before, new)]
        self._runner.turnstile.check_room(plan.engine, width, at_hand)

    def _new_job(self, order: Order, payer: str, deadline: int) -> Job:
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
            lease_until=self._lease_until(),
        )

    async def _work(self, work: _Work, job: Job, charge: Charge) -> Made:
        """The pictures made and hosted, the charge ready to settle; or the claim released."""
        work.own = True
        started, order, plan = replace(job.start(self._now()), images=()), work.order, work.order.plan
        listed = started
        if not await self._ledger.save(job=started, was=charge):
            return await self._await_elsewhere(work, charge)
        seconds = job.deadline - self._clock()

        async def record(images: tuple[HostedImage, ...]) -> None:
            nonlocal listed
            listed = replace(started, images=images, lease_until=self._lease_until())
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
            if await self._give_up(listed.fail(failure.code, failure.message, self._now()), charge):
                raise
            return await self._await_elsewhere(work, charge)
        except asyncio.CancelledError:
            await self._interrupted(work, listed, charge)
            raise
        finished = started.complete(result.images, self._now(), result.usage)
        ready = charge.to(ChargeState.READY, now=self._now())
        if not await self._ledger.save(job=finished, charge=ready, was=charge):
            await self._runner.discard(result.images)
            return await self._await_elsewhere(work, charge)
        await self._inputs.delete(job.id)
        return finished, ready

    async def _interrupted(self, work: _Work, job: Job, charge: Charge) -> None:
        """Cancelled by its payer, or handed on by a process that stops."""
        if work.ending is JobState.CANCELLED:
            await self._give_up(job.cancel(self._now()), charge)
        else:
            await self._store(work, job)
            await self._ledger.lease(job.id, self.owner, now=self._now(), until=0)

    async def _give_up(self, job: Job, charge: Charge) -> bool:
        """The job ended and its claim released; False when another process has gone further with it."""
        released = charge.to(ChargeState.RELEASED, now=self._now(), reason=job.error_code or job.state.value)
        if not await self._ledger.save(job=job, charge=released, was=charge):
            return False
        await self._inputs.delete(job.id)
        await self.tidy(job)
        return True

    async def tidy(self, ended: Job) -> None:
        """Remove the files of a job without a result; they stay on record until they are gone."""
        if ended.images:
            await self._runner.discard(ended.images)
            await self._ledger.save(job=replace(ended, images=()))

    async def sweep_litter(self) -> None:
        """What a crash left between the end of a job and the removal of its files."""
        for job in await self._ledger.litter():
            await self.tidy(job)
        for job_id in await self._inputs.held():
            owner = await self._ledger.job(job_id)
            if owner is None or owner.finished:
                await self._inputs.delete(job_id)

    async def _await_elsewhere(self, work: _Work, held: Charge) -> Made:
        """A payment that is bound already: the job as another process, or an earlier one, brings it to its end."""
        work.own = False
        while True:
            job = await self._ledger.job(held.job_id)
            assert job is not None  # a charge never exists without its job
            if job.state is JobState.COMPLETED:
                return job, await self._ledger.charge(held.id) or held
            if job.finished:
                raise JobCancelled("This job has ended without a result.")
            if not work.claimed.done():
                work.claimed.set_result(job)
            await asyncio.sleep(0.2)

    # ── the money ───────────────────────────────────────────────────────────────────────────────────────

    async def _deliver(self, job: Job, charge: Charge, *, keep: bool) -> Delivery:
        """Settle, or find it settled. With `keep` a refused payment leaves the result to be paid for by a poll: a job
        that was announced, or that an earlier request made."""
        if charge.state is ChargeState.SETTLED:
            return Delivery(job, charge, replayed=True)
        try:
            return Delivery(job, await self.cashier.settle(charge), replayed=False)
        except PaymentRefused as refused:
            if not keep:
                await self.discard(job, refused.reason, "the payment could not be settled")
            raise

    async def discard(self, job: Job, code: str, error: str) -> None:
        """An unpaid result goes, its job ends as failed; unless a payment has come meanwhile."""
        if failed := await self._ledger.retire(job.fail(code, error, self._now())):
            await self.tidy(failed)

    # ── work across processes ───────────────────────────────────────────────────────────────────────────

    def _begin(
        self, key: ClaimKey, digest: str, order: Order, make: Callable[[_Work], Coroutine[Any, Any, Made]]
    ) -> _Work:
        """One task per payment; registered before it runs, so that no second one can begin."""
        claimed: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        work = self._works[key] = _Work(digest, order, claimed, Track(order.request.previews))
        work.task = asyncio.create_task(make(work))

        def ended(task: asyncio.Task[Made]) -> None:
            if self._works.get(key) is work:
                del self._works[key]
            if not task.cancelled():
                task.exception()  # its callers may have gone; the job says what happened

        work.task.add_done_callback(ended)
        return work

    async def _announce(self, work: _Work) -> Pending:
        """The caller's wait is over: what another process needs to go on is stored first. Where the disk does not take
        it the work goes on all the same, and only a crash would end it, uncharged."""
        job = work.claimed.result()
        if work.own:
            with contextlib.suppress(Unavailable):
                await self._store(work, job)
        current = await self._ledger.job(job.id) or job
        return self.pending(current)

    async def _store(self, work: _Work, job: Job) -> None:
        async with work.storing:
            if not work.stored:
                stored = Stored(work.order.request, work.order.priced_size)
                await self._inputs.put(job.id, await asyncio.to_thread(msgspec.msgpack.encode, stored))
                work.stored = True

    async def cancel(self, job: Job) -> bool:
        """Stop this job's work, if it is under way in this process."""
        for work in list(self._works.values()):
            if work.holds(job) and not work.task.done():
                if work.ending is None:
                    work.ending = JobState.CANCELLED
                    work.task.cancel()
                await asyncio.wait({work.task})
                return True
        return False

    def pending(self, job: Job) -> Pending:
        """How it stands: its place in the line, 0 at work or at its end, and how far it is."""
        track = next((work.track for work in self._works.values() if work.holds(job)), None)
        return Pending(job, self._runner.turnstile.position(job.id), track.fraction if track else None)

    async def adopt(self, orphan: Job) -> None:
        """Go on with the job of a dead process, or fail it uncharged."""
        if self._stopping:
            return
        job = await self._ledger.lease(orphan.id, self.owner, now=self._now(), until=self._lease_until())
        if job is None or any(w.own and w.holds(job) for w in self._works.values()):
            return  # another's, or our own after all: a process that was held up renews its lease late
        charges = [c for c in await self._ledger.charges_of_job(job.id) if c.state is ChargeState.CLAIMED]
        order = await self._stored_order(job) if charges and job.deadline > self._now() else None
        if order is None:
            failed = job.fail("interrupted", "the gateway stopped while it worked", self._now())
            for charge in charges:
                await self._give_up(failed, charge)
            if not charges:
                await self._ledger.retire(failed)  # its files are litter now
            return
        await self._runner.discard(job.images)  # half done by the dead process
        charge = charges[0]
        work = self._begin(charge.key, charge.request_hash, order, lambda w: self._work(w, job, charge))
        work.stored = True
        work.claimed.set_result(job)

    async def _stored_order(self, job: Job) -> Order | None:
        """What this job was, if it can still be done: by the model that was promised, and by no other."""
        data = await self._inputs.get(job.id)
        if data is None:
            return None
        stored = await asyncio.to_thread(msgspec.msgpack.decode, data, type=Stored)
        request = stored.request
        asked = replace(request, model=job.requested_model)
        try:
            plan = self.desk.plan(asked, masked=request.mask is not None, sources=len(request.sources))
        except TollbrushError:
            return None
        return Order(plan, request, stored.priced_size, Price(job.amount)) if plan.model.id == job.model else None

    async def heartbeat(self) -> None:
        """Renew the leases on the work under way."""
        for work in list(self._works.values()):
            if work.own and work.claimed.done():
                await self._ledger.lease(
                    work.claimed.result().id, self.owner, now=self._now(), until=self._lease_until()
                )

    async def drain(self, seconds: float) -> None:
        """No new work from now on. Running edits may finish; those that do not in time are handed on to the next
        process."""
        self._stopping = True
        tasks = {work.task for work in self._works.values()}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _lease_until(self) -> int:
        return int(self._clock() + self._lease_seconds)

    def _now(self) -> int:
        return int(self._clock())


def _ended(work: _Work) -> TollbrushError:
    """What a caller hears whose edit was stopped under it."""
    if work.ending is JobState.CANCELLED:
        return JobCancelled("This job was cancelled while it was at work.")
    # Never "not charged": a settlement may have begun. The same payment delivers once, whatever came of it.
    return SettlementUnknown("The gateway is stopping; the next one goes on with this edit.", retry_after=5)
