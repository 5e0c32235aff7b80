"""The job, polled: its payer sees how it goes, pays when it is ready, or cancels it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.jobs import Job, JobState
from tollbrush.domain.networks import BY_ID
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.editing.runner import Runner
from tollbrush.editing.service import Delivery, EditingService, Pending
from tollbrush.errors import NotFound, PaymentBusy, PaymentRefused, PaymentRequired
from tollbrush.storage.interface import Ledger


class Collector:
    """`clock` gives Unix seconds."""

    def __init__(self, service: EditingService, ledger: Ledger, runner: Runner, *, clock: Callable[[], float]) -> None:
        self._service, self._cashier, self._ledger, self._runner = service, service.cashier, ledger, runner
        self._clock = clock
        self._collecting: dict[str, asyncio.Lock] = {}

    async def find(self, job_id: str) -> Job:
        """Raises NotFound, in the same words for whatever a stranger may not know."""
        job = await self._ledger.job(job_id)
        if job is None:
            raise NotFound("Job not found")
        return job

    async def poll(
        self, job: Job, payment: Payment | None, wallet: str | None, offers: Sequence[Requirement]
    ) -> Delivery | Pending:
        """What its payer gets to see: `wallet` is a proven address. Raises PaymentRequired, PaymentRefused (402),
        NotFound, SettlementUnknown (503)."""
        self._check_payer(job, payment, wallet, offers)
        if job.state is not JobState.COMPLETED:
            return self._service.pending(job)
        lock = self._collecting.setdefault(job.id, asyncio.Lock())
        try:
            async with lock:
                return await self._collect(job, payment, offers)
        finally:
            if not lock.locked():
                self._collecting.pop(job.id, None)

    async def _collect(self, job: Job, payment: Payment | None, offers: Sequence[Requirement]) -> Delivery:
        """Pay for a finished job, once: by the kept payment while it lives, else by the one that came."""
        charges = await self._ledger.charges_of_job(job.id)
        for charge in charges:
            if charge.state is ChargeState.SETTLED:
                return Delivery(job, charge, replayed=True)
        if payment is None:
            raise PaymentRequired("The edit is ready and not paid for yet.")
        key = self._cashier.gate.identify(payment, offers)
        for charge in charges:
            if not charge.open:
                continue
            if charge.state is ChargeState.READY and charge.key != key and not self._lives(charge):
                await self._cashier.release(charge, "expired")
                continue
            with contextlib.suppress(PaymentRefused):
                return Delivery(job, await self._cashier.settle(charge), replayed=False)
        held = await self._ledger.charge_of(key)
        if held is not None and held.state is ChargeState.SETTLED and held.job_id != job.id:
            raise PaymentRefused("This payment was already used for another edit.", reason="payment_already_used")
        paid = await self._cashier.verify(payment, offers, deadline=self._now())
        fresh = await self._cashier.claim_finished(paid, job, charges[0].request_hash)
        return Delivery(job, await self._cashier.settle(fresh), replayed=False)

    async def cancel(
        self, job: Job, payment: Payment | None, wallet: str | None, offers: Sequence[Requirement]
    ) -> Pending:
        """End a job that is not paid for. Raises PaymentRequired, NotFound, PaymentBusy."""
        self._check_payer(job, payment, wallet, offers)
        await self._service.works.cancel(job)
        job = await self.find(job.id)
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            for charge in await self._ledger.charges_of_job(job.id):
                if charge.state in (ChargeState.CLAIMED, ChargeState.READY):
                    charge = await self._cashier.release(charge, "cancelled")
                if charge.state is not ChargeState.RELEASED:
                    raise PaymentBusy("This job is paid for, or its payment is being settled.", advice="Poll it.")
            retired = await self._ledger.retire(job.cancel(self._now()))
            if retired is None:
                raise PaymentBusy("This job's payment is being settled.", advice="Poll it.")
            await self._service.maker.tidy(retired)
            return Pending(retired, 0)
        return Pending(job, 0)

    def _check_payer(
        self, job: Job, payment: Payment | None, wallet: str | None, offers: Sequence[Requirement]
    ) -> None:
        if payment is None and wallet is None:
            raise PaymentRequired("Only its payer may see this job.")
        try:
            payer = wallet if payment is None else self._cashier.gate.identify(payment, offers).payer
        except PaymentRefused as refused:
            raise NotFound("Job not found") from refused
        if payer != job.payer:
            raise NotFound("Job not found")

    def _lives(self, charge: Charge) -> bool:
        """Whether a kept payment can still settle: an EVM authorization within its window. A Solana transaction
        dies with its blockhash, so the payment on the poll settles."""
        return BY_ID[charge.key.network].family == "evm" and charge.valid_until > self._now() + 5

    def _now(self) -> int:
        return int(self._clock())
