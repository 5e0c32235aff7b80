"""One edit, from request to receipt.

    plan → price → (no payment: 402) → verify → claim → edit → host → settle → delivery

Nothing is charged before the pictures exist, and none leaves before the charge is settled. Everything here goes
through interfaces; what a chain, an engine or a disk does is their own business.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from tollbrush.domain.catalog import STUDIO, Catalog, Model
from tollbrush.domain.charges import Charge, ChargeState, ClaimKey
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.domain.jobs import Job
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import Price
from tollbrush.editing.runner import Runner
from tollbrush.engines.interface import Engine
from tollbrush.errors import (
    PaymentBusy,
    PaymentRefused,
    PaymentRequired,
    SettlementUnknown,
    TollbrushError,
    UnsupportedParameter,
)
from tollbrush.payments.gate import Gate
from tollbrush.payments.interface import Outcome, Settlement
from tollbrush.settings import LimitSettings
from tollbrush.storage.interface import Ledger, OverBalance, TooManyOpen


@dataclass(frozen=True)
class Plan:
    """Which model was asked for, which one answers, and through which engine."""

    requested: Model
    model: Model
    engine: Engine


@dataclass(frozen=True)
class Order:
    """A plan with its size (None: the source's own) and its price for all images."""

    plan: Plan
    request: EditRequest
    priced_size: Size
    price: Price


@dataclass(frozen=True)
class Delivery:
    """A settled job. `replayed`: this payment had been settled before."""

    job: Job
    charge: Charge
    replayed: bool


class EditingService:
    """`clock` gives Unix seconds; `hard_seconds` is the limit of an edit. A model that the catalog calls available
    without an engine of its own is answered by the studio (a stand-in, and the delivery says so)."""

    def __init__(
        self,
        catalog: Catalog,
        engines: Sequence[Engine],
        gate: Gate,
        ledger: Ledger,
        runner: Runner,
        *,
        limits: LimitSettings,
        hard_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.catalog, self.gate = catalog, gate
        self._engines = {e.name: e for e in engines}
        self._ledger, self._runner = ledger, runner
        self._clock, self._hard_seconds, self._max_open = clock, hard_seconds, limits.open_per_payer
        self._running: dict[ClaimKey, tuple[str, asyncio.Task[Delivery]]] = {}

    # ── before any money ────────────────────────────────────────────────────────────────────────────────

    def plan(self, fields: EditRequest, *, masked: bool, sources: int) -> Plan:
        """Size, model, prompt, abilities: every 400 that needs no picture. Raises BadRequest and its kin."""
        catalog = self.catalog
        requested = catalog.default if fields.model is None else catalog.find(fields.model)
        if fields.size is not None:
            catalog.price(requested, fields.size)
        catalog.require_available(requested)
        answering = requested if requested.engine in self._engines else catalog.models[STUDIO]
        plan = Plan(requested, answering, self._engines[answering.engine])
        catalog.check_abilities(requested, masked=masked, sources=sources)
        catalog.check_abilities(answering, masked=masked, sources=sources)
        _check_parameters(plan, fields)
        if fields.prompt:
            plan.engine.plan(fields.prompt, masked=masked)
        return plan

    def price(self, plan: Plan, request: EditRequest, source: Size) -> Order:
        """What it costs; `source` (upright) decides for `auto`. Raises BadRequest."""
        size = request.size or plan.requested.sizes.nearest(source)
        return Order(plan, request, size, self.catalog.price(plan.requested, size, request.n))

    # ── with money ──────────────────────────────────────────────────────────────────────────────────────

    async def edit(self, order: Order, payment: Payment | None, offers: Sequence[Requirement]) -> Delivery:
        """The straight path. Raises PaymentRequired, PaymentRefused (402), PaymentBusy (409), SettlementUnknown
        (503) and whatever the engine refuses. The same payment for the same request joins the work under way;
        a caller that goes away does not stop it."""
        if payment is None:
            raise PaymentRequired(f"This edit costs {order.price}.")
        key = self.gate.identify(payment, offers)
        digest = order.request.digest()
        running = self._running.get(key)
        if running is None:
            task = asyncio.create_task(self._deliver(key, digest, order, payment, offers))
            running = self._running[key] = (digest, task)
            task.add_done_callback(lambda _: self._running.pop(key))
        if running[0] != digest:
            raise PaymentBusy("This payment is already at work on another request.")
        return await asyncio.shield(running[1])

    async def _deliver(
        self, key: ClaimKey, digest: str, order: Order, payment: Payment, offers: Sequence[Requirement]
    ) -> Delivery:
        held = await self._ledger.charge_of(key)
        if held is None:
            job, charge = await self._claim(digest, order, payment, offers)
            job, charge = await self._work(job, charge, order)
        elif held.request_hash != digest:
            if held.state is not ChargeState.SETTLED:
                raise PaymentBusy("This payment is already bound to another request.")
            raise PaymentRefused("This payment was already used for another edit.", reason="payment_already_used")
        else:
            found = await self._ledger.job(held.job_id)
            assert found is not None  # a charge never exists without its job
            job, charge = found, held
        if charge.state is ChargeState.SETTLED:
            return Delivery(job, charge, replayed=True)
        return Delivery(job, await self._settle(job, charge), replayed=False)

    async def _claim(
        self, digest: str, order: Order, payment: Payment, offers: Sequence[Requirement]
    ) -> tuple[Job, Charge]:
        """Verify, then bind the payment to this request, durably, before any work."""
        now = self._now()
        paid = await self.gate.verify(payment, offers, now=now, deadline=now + int(self._hard_seconds))
        job = Job(
            id=secrets.token_urlsafe(12),
            payer=paid.payer,
            model=order.plan.model.id,
            requested_model=order.plan.requested.id,
            size=str(order.request.size or "auto"),
            n=order.request.n,
            amount=order.price.atomic,
            created=now,
            updated=now,
        )
        charge = Charge(
            id=secrets.token_urlsafe(12),
            key=paid.key,
            amount=paid.requirement.amount,
            pay_to=paid.requirement.pay_to,
            valid_until=paid.valid_until,
            request_hash=digest,
            job_id=job.id,
            payload=msgspec.json.encode(paid.payload).decode(),
            created=now,
            updated=now,
        )
        try:
            claimed = await self._ledger.claim(charge, job, balance=paid.balance, max_open=self._max_open)
        except OverBalance as failure:
            raise PaymentRefused(
                f"The payer's open edits and this one exceed its balance of {Price(paid.balance)}.",
                reason="insufficient_funds",
            ) from failure
        except TooManyOpen as failure:
            raise PaymentRefused(
                f"The payer already has {self._max_open} unfinished edits.", reason="too_many_open_edits",
                advice="Wait for one of them.",
            ) from failure  # fmt: skip

        if not claimed.fresh:
            raise PaymentBusy("This payment is already at work on another request.")
        return job, charge

    async def _work(self, job: Job, charge: Charge, order: Order) -> tuple[Job, Charge]:
        """The pictures made and hosted, the charge ready to settle; or the claim released."""
        started = job.start(self._now())
        await self._ledger.save(job=started)
        plan = order.plan
        try:
            images = await self._runner.run(plan.engine, plan.model, order.priced_size, order.request)
        except TollbrushError as failure:
            await self._release(started, charge, failure.code, failure.message)
            raise
        except asyncio.CancelledError:
            await self._release(started, charge, "cancelled", "the gateway stopped")
            raise
        job, ready = started.complete(images, self._now()), charge.to(ChargeState.READY, now=self._now())
        await self._ledger.save(job=job, charge=ready, was=charge)
        return job, ready

    async def _release(self, job: Job, charge: Charge, code: str, error: str) -> None:
        released = charge.to(ChargeState.RELEASED, now=self._now(), reason=code)
        await self._ledger.save(job=job.fail(code, error, self._now()), charge=released, was=charge)

    async def _settle(self, job: Job, charge: Charge) -> Charge:
        """Ready → settled, once. After an unknown outcome the chain is asked first; only when it has not seen the
        payment is the very same one sent again, which the token contract honours once at most."""
        if charge.state is ChargeState.READY:
            settling = charge.to(ChargeState.SETTLING, now=self._now())
            if not await self._ledger.save(charge=settling, was=charge):
                raise SettlementUnknown("this payment is being settled by another request.", retry_after=1)
            return await self._close(job, settling, await self.gate.settle(settling))
        found = await self.gate.find(charge)
        if found.outcome is Outcome.UNKNOWN:
            found = await self.gate.settle(charge)
        return await self._close(job, charge, found)

    async def _close(self, job: Job, charge: Charge, result: Settlement) -> Charge:
        states = {
            Outcome.SETTLED: ChargeState.SETTLED,
            Outcome.REFUSED: ChargeState.RELEASED,
            Outcome.UNKNOWN: ChargeState.UNKNOWN,
        }
        closed = charge.to(states[result.outcome], now=self._now(), tx_hash=result.tx_hash, reason=result.reason)
        if not await self._ledger.save(charge=closed, was=charge):
            closed = await self._ledger.charge(charge.id) or closed
        if closed.state is ChargeState.RELEASED:
            await self._runner.discard(job.images)
            reason = result.reason or "settlement_failed"
            raise PaymentRefused(f"The payment could not be settled ({reason}); nothing was charged.", reason=reason)
        if closed.state is not ChargeState.SETTLED:
            raise SettlementUnknown("the settlement's outcome is not known yet.", retry_after=5)
        return closed

    # ── start and stop ──────────────────────────────────────────────────────────────────────────────────

    async def recover(self) -> None:
        """After a start: work that died with an earlier process is released; a settlement that may be under way
        stays claimed until the chain has spoken."""
        for charge in await self._ledger.open_charges():
            job = await self._ledger.job(charge.job_id)
            assert job is not None  # a charge never exists without its job
            if charge.state is ChargeState.CLAIMED and not job.finished:
                await self._release(job, charge, "interrupted", "the gateway stopped while it worked")
            elif charge.state in (ChargeState.CLAIMED, ChargeState.READY):
                await self._ledger.save(charge=charge.to(ChargeState.RELEASED, now=self._now()), was=charge)
                await self._runner.discard(job.images)
            elif charge.state is ChargeState.SETTLING:
                await self._ledger.save(charge=charge.to(ChargeState.UNKNOWN, now=self._now()), was=charge)

    async def drain(self, seconds: float) -> None:
        """Let running edits finish; those that do not in time are cancelled and released."""
        tasks = [task for _, task in self._running.values()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _now(self) -> int:
        return int(self._clock())


def _check_parameters(plan: Plan, fields: EditRequest) -> None:
    """Nothing is silently ignored. Raises UnsupportedParameter."""
    if fields.fit is not None and fields.size is None:
        raise UnsupportedParameter("fit goes with a size; auto keeps the picture's own.", path="fit")
    if fields.seed is not None and not plan.engine.capabilities(plan.model.upstream).seed:
        raise UnsupportedParameter(f"{plan.model.id} takes no seed.", path="seed", advice="Leave it out.")
