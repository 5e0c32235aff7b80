"""One edit, from request to receipt.

    plan → price → (no payment: 402) → verify → claim → edit → host → settle → delivery

Nothing is charged before the pictures exist, and none leaves before the charge is settled. What does not finish
inside the caller's wait becomes a job to be polled; the poll ends in the same last steps. Everything here goes
through interfaces; what a chain, an engine or a disk does is their own business.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tollbrush.domain.charges import Charge, ChargeState, ClaimKey
from tollbrush.domain.jobs import Job
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import Price
from tollbrush.editing.cashier import Cashier
from tollbrush.editing.making import Maker
from tollbrush.editing.orders import Order, OrderDesk
from tollbrush.editing.progress import Preview, Watch
from tollbrush.editing.runner import Runner
from tollbrush.editing.works import Made, Work, Works
from tollbrush.errors import (
    PaymentBusy,
    PaymentRefused,
    PaymentRequired,
    TollbrushError,
    Unavailable,
)
from tollbrush.storage.interface import InputStore, Ledger


@dataclass(frozen=True)
class Delivery:
    """A settled job. `replayed`: this payment had been settled before."""

    job: Job
    charge: Charge
    replayed: bool


@dataclass(frozen=True)
class Pending:
    """A job that is not ready, or never will be. `position` in the line, 0 at work. `progress` 0..1 and the newest
    `preview`, None where nobody in this process knows."""

    job: Job
    position: int
    progress: float | None = None
    preview: Preview | None = None


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
        self._ledger, self._runner, self._clock, self._hard_seconds = ledger, runner, clock, hard_seconds
        self.maker = Maker(ledger, runner, inputs, clock=clock, lease_seconds=lease_seconds, owner=owner)
        self.works = Works()
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
        work = self.works.of(key) or self.works.begin(key, digest, order, lambda w: self._make(w, key, payment, offers))
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
            raise work.error
        job, charge = work.task.result()
        return await self._deliver(job, charge, keep=work.stored or not work.own)

    async def _make(self, work: Work, key: ClaimKey, payment: Payment, offers: Sequence[Requirement]) -> Made:
        """The finished job and its charge: made now, or found as an earlier request with this payment left them."""
        held, order = await self._ledger.charge_of(key), work.order
        if held is None:
            if self._stopping:
                raise Unavailable("The gateway is stopping.", retry_after=5)
            self._check_room(work)
            deadline = int(self._clock() + self._hard_seconds)
            paid = await self.cashier.verify(payment, offers, deadline=deadline)
            job = self.maker.new_job(order, paid.payer, deadline)
            charge = await self.cashier.claim(paid, job, work.digest)
            work.claimed.set_result(job)
            return await self.maker.make(work, job, charge)
        if held.request_hash != work.digest:
            if held.state is not ChargeState.SETTLED:
                raise PaymentBusy("This payment is already bound to another request.")
            raise PaymentRefused("This payment was already used for another edit.", reason="payment_already_used")
        return await self.maker.await_elsewhere(work, held)

    def _check_room(self, new: Work) -> None:
        """Whether there is room behind those that came before. Raises Unavailable."""
        plan = new.order.plan
        width = plan.engine.capabilities(plan.model.upstream).width
        at_hand = [work.order.plan.engine.name for work in self.works.up_to(new)]
        self._runner.turnstile.check_room(plan.engine, width, at_hand)

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
            await self.maker.tidy(failed)

    # ── work across processes ───────────────────────────────────────────────────────────────────────────

    async def _announce(self, work: Work) -> Pending:
        """The caller's wait is over: what another process needs to go on is stored first. Where the disk does not take
        it the work goes on all the same, and only a crash would end it, uncharged."""
        job = work.claimed.result()
        if work.own:
            with contextlib.suppress(Unavailable):
                await self.maker.store(work, job)
        current = await self._ledger.job(job.id) or job
        return self.pending(current)

    def pending(self, job: Job) -> Pending:
        """How it stands: its place in the line, 0 at work or at its end, how far it is and how it looks."""
        position, work = self._runner.turnstile.position(job.id), self.works.of_job(job)
        return Pending(job, position, work.track.fraction, work.track.newest) if work else Pending(job, position)

    async def adopt(self, orphan: Job) -> None:
        """Go on with the job of a dead process, or fail it uncharged."""
        if self._stopping or self._at_work(orphan):
            return  # our own after all: a process that was held up renews its lease late
        job = await self._lease(orphan)
        if job is None or self._at_work(job):
            return
        charges = [c for c in await self._ledger.charges_of_job(job.id) if c.state is ChargeState.CLAIMED]
        order = await self._stored_order(job) if charges and job.deadline > self._now() else None
        if order is None:
            failed = job.fail("interrupted", "the gateway stopped while it worked", self._now())
            for charge in charges:
                await self.maker.give_up(failed, charge)
            if not charges:
                await self._ledger.retire(failed)  # its files are litter now
            return
        await self._runner.discard(job.images)  # half done by the dead process
        charge = charges[0]
        work = self.works.begin(charge.key, charge.request_hash, order, lambda w: self.maker.make(w, job, charge))
        work.stored = True
        work.claimed.set_result(job)

    def _at_work(self, job: Job) -> bool:
        return any(work.own and work.holds(job) for work in self.works)

    async def _stored_order(self, job: Job) -> Order | None:
        """What this job was, if it can still be done: by the model that was promised, and by no other."""
        stored = await self.maker.stored(job)
        if stored is None:
            return None
        request = stored.request
        asked = replace(request, model=job.requested_model)
        try:
            plan = self.desk.plan(asked, masked=request.mask is not None, sources=len(request.sources))
        except TollbrushError:
            return None
        return Order(plan, request, stored.priced_size, Price(job.amount)) if plan.model.id == job.model else None

    async def heartbeat(self) -> None:
        """Renew the leases on the work under way."""
        for work in self.works:
            if work.own and work.claimed.done():
                await self._lease(work.claimed.result())

    async def drain(self, seconds: float) -> None:
        """No new work from now on. Running edits may finish; those that do not in time are handed on to the next
        process."""
        self._stopping = True
        await self.works.drain(seconds)

    async def _lease(self, job: Job) -> Job | None:
        return await self._ledger.lease(job.id, self.maker.owner, now=self._now(), until=self.maker.lease_until())

    def _now(self) -> int:
        return int(self._clock())
