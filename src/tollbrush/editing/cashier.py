"""The money's part of an edit: claim before work, settle once, and let the chain decide what nobody knows.

verify → claim … ready → settling → settled | released | unknown → (asked of the chain) → settled | released
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Final
from weakref import WeakValueDictionary

import msgspec

from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.jobs import Job
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import Price
from tollbrush.errors import PaymentBusy, PaymentRefused, SettlementUnknown, Unavailable
from tollbrush.payments.gate import Gate
from tollbrush.payments.interface import Outcome, Settlement, Verified
from tollbrush.storage.interface import JobTaken, Ledger, OverBalance, TooManyOpen

PROBATION: Final = 24 * 3600
"""Seconds for which a payer whose settlement was refused may have one open edit."""

_NO_LIMIT: Final = 2**62
_STATES: Final = {
    Outcome.SETTLED: ChargeState.SETTLED,
    Outcome.REFUSED: ChargeState.RELEASED,
    Outcome.UNKNOWN: ChargeState.UNKNOWN,
}


class Cashier:
    """`clock` gives Unix seconds; `max_open` unfinished edits are allowed to one payer."""

    def __init__(self, gate: Gate, ledger: Ledger, *, clock: Callable[[], float], max_open: int) -> None:
        self.gate, self._ledger = gate, ledger
        self._clock, self._max_open = clock, max_open
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def verify(self, payment: Payment, offers: Sequence[Requirement], *, deadline: int) -> Verified:
        """Raises PaymentRefused, Unavailable; PaymentBusy where that would be said of a payment bound meanwhile."""
        try:
            return await self.gate.verify(payment, offers, now=self._now(), deadline=deadline)
        except (PaymentRefused, Unavailable) as failure:
            if await self._ledger.charge_of(self.gate.identify(payment, offers)) is None:
                raise
            raise PaymentBusy("This payment came to work elsewhere meanwhile.", advice="Send it again.") from failure

    async def claim(self, paid: Verified, job: Job, request_hash: str) -> Charge:
        """Bind a verified payment to new work, durably. Raises PaymentRefused, PaymentBusy."""
        now = self._now()
        charge = _charge(paid, job, request_hash, now)
        try:
            claimed = await self._ledger.claim(
                charge, job, balance=paid.balance, max_open=self._max_open, refused_since=now - PROBATION
            )
        except OverBalance as failure:
            held = Price(paid.balance)
            raise PaymentRefused(
                f"The payer's open edits and this one exceed its balance of {held}.", reason="insufficient_funds"
            ) from failure
        except TooManyOpen as failure:
            raise PaymentRefused(
                "The payer has as many unfinished edits as it may.",
                reason="too_many_open_edits",
                advice="Collect them, or wait until they end.",
            ) from failure
        if not claimed.fresh:
            raise PaymentBusy("This payment is already at work on another request.")
        return charge

    async def claim_finished(self, paid: Verified, job: Job, request_hash: str) -> Charge:
        """Bind a fresh payment to work that is done and unpaid, ready to settle. No claim is left open by it: it is
        settled or released before the caller hears of it. Raises PaymentBusy, SettlementUnknown."""
        charge = _charge(paid, job, request_hash, self._now())
        try:
            claimed = await self._ledger.claim(charge, job, balance=_NO_LIMIT, max_open=_NO_LIMIT)
        except JobTaken as failure:
            raise SettlementUnknown("Another payment for this job is being settled.", retry_after=2) from failure
        if not claimed.fresh:
            raise PaymentBusy("This payment is already bound to another request.")
        ready = charge.to(ChargeState.READY, now=self._now())
        await self._ledger.save(charge=ready, was=charge)
        return ready

    async def settle(self, charge: Charge) -> Charge:
        """Settled, once, however many callers race: others of this process wait, those of another are found out by
        compare and set. Raises PaymentRefused (released), SettlementUnknown."""
        lock = self._locks.setdefault(charge.job_id, asyncio.Lock())
        async with lock:
            current = await self._ledger.charge(charge.id) or charge
            if current.state is ChargeState.READY:
                current = await self._send(current)
            elif current.state in (ChargeState.SETTLING, ChargeState.UNKNOWN):
                current = await self.resolve(current, send_again=True)
        if current.state is ChargeState.SETTLED:
            return current
        if current.state is ChargeState.RELEASED:
            if await self._ledger.charge_of(current.key):  # presented anew, by a poll: never "not charged"
                raise SettlementUnknown("This payment is being settled by another request.", retry_after=2)
            reason = current.reason or "settlement_failed"
            raise PaymentRefused(f"The payment could not be settled ({reason}); nothing was charged.", reason=reason)
        raise SettlementUnknown("The settlement's outcome is not known yet.", retry_after=5)

    async def _send(self, ready: Charge) -> Charge:
        settling = ready.to(ChargeState.SETTLING, now=self._now())
        try:
            first = await self._ledger.save(charge=settling, was=ready)
        except Unavailable as failure:  # another caller of this payment may get through yet: never "not charged"
            raise SettlementUnknown("The settlement could not be begun yet.", retry_after=10) from failure
        if not first:
            raise SettlementUnknown("This payment is being settled by another process.", retry_after=2)
        return await self._close(settling, await self.gate.settle(settling))

    async def resolve(self, charge: Charge, *, send_again: bool = False) -> Charge:
        """Ask the chain what became of a settlement. With `send_again`, a payment that it has not seen is sent once
        more: the very same one, which the token contract honours once at most. A refusal of this second sending says
        nothing of the first, which may land yet: a payer whose wallet is empty by now hears "unknown" until the
        payment's time is up on chain (ADR 7). Raises SettlementUnknown."""
        found = await self.gate.find(charge)
        if found.outcome is Outcome.UNKNOWN and send_again:
            again = await self.gate.settle(charge)
            found = found if again.outcome is Outcome.REFUSED else again
        return await self._close(charge, found)

    async def release(self, charge: Charge, reason: str) -> Charge:
        """Give a payment back that was never sent. One that another writer moved on stays where it is."""
        released = charge.to(ChargeState.RELEASED, now=self._now(), reason=reason)
        if await self._ledger.save(charge=released, was=charge):
            return released
        return await self._ledger.charge(charge.id) or charge

    async def _close(self, charge: Charge, result: Settlement) -> Charge:
        """Write the outcome. If another writer was first its word stands, unless ours is that the money came."""
        try:
            while True:
                state = _STATES[result.outcome]
                closed = charge.to(
                    state, now=self._now(), tx_hash=result.tx_hash, reason=result.reason, lapsed=result.lapsed
                )
                if await self._ledger.save(charge=closed, was=charge):
                    return closed
                charge = await self._ledger.charge(charge.id) or charge
                if not charge.open or result.outcome is not Outcome.SETTLED:
                    return charge
        except Unavailable as failure:  # the money may have moved, and we could not write it down: never "not charged"
            raise SettlementUnknown("The settlement could not be recorded yet.", retry_after=10) from failure

    def _now(self) -> int:
        return int(self._clock())


def _charge(paid: Verified, job: Job, request_hash: str, now: int) -> Charge:
    return Charge(
        id=secrets.token_urlsafe(12),
        key=paid.key,
        amount=paid.requirement.amount,
        pay_to=paid.requirement.pay_to,
        valid_until=paid.valid_until,
        request_hash=request_hash,
        job_id=job.id,
        payload=msgspec.json.encode(paid.payload).decode(),
        created=now,
        updated=now,
    )
