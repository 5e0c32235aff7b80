"""A facilitator that fails is left alone for a while, and whatever it does, the money equals the receipts."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from support.base_chain import BASE, PRICE, EvmAccount, evm_payment
from support.facilitator import HostedFacilitator
from support.spoilt import Spoil, hang_up, late, say, silent
from support.x402_judge import Judge
from tollbrush.devnet.interface import LocalChain
from tollbrush.domain.breaker import Breaker, CircuitOpen
from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.jobs import Job
from tollbrush.domain.pricing import Price
from tollbrush.editing.cashier import Cashier
from tollbrush.errors import PaymentRefused, SettlementUnknown, Unavailable
from tollbrush.payments.facilitator import FacilitatorTill
from tollbrush.payments.gate import Gate
from tollbrush.payments.interface import Outcome, Verified
from tollbrush.payments.rpc import JsonRpc
from tollbrush.storage.memory import MemoryLedger

FAILURES, COOLDOWN = 3, 30.0


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Broken(Exception):
    """The service failed."""


class Tried:
    """A breaker and the calls it let through."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.breaker = Breaker(Broken, failures=FAILURES, seconds=COOLDOWN, clock=self.clock)
        self.through = 0

    def call(self, error: BaseException | None = None) -> None:
        try:
            with self.breaker.call():
                self.through += 1
                if error:
                    raise error
        except Broken:
            pass


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    tried = Tried()
    for error in (Broken(), Broken(), None, Broken(), Broken()):
        tried.call(error)
    assert tried.breaker.wait == 0  # never three in a row
    tried.call(Broken())
    assert tried.breaker.wait == COOLDOWN
    with pytest.raises(CircuitOpen) as refused:
        tried.call()
    assert (refused.value.retry_after, tried.through) == (30, 6)
    tried.clock.now += 29.5
    with pytest.raises(CircuitOpen) as refused:
        tried.call()
    assert refused.value.retry_after == 1


def test_one_probe_decides() -> None:
    tried = Tried()
    for _ in range(FAILURES):
        tried.call(Broken())
    tried.clock.now += COOLDOWN
    with pytest.raises(CircuitOpen), tried.breaker.call():
        tried.call()  # while the probe is under way
    tried.call(Broken())  # the probe was ended by something that is no failure of the service: the next one may try
    assert tried.breaker.wait == COOLDOWN
    tried.clock.now += COOLDOWN
    tried.call()
    tried.call(Broken())
    tried.call()
    assert tried.breaker.wait == 0


def test_what_is_no_failure_of_the_service_opens_nothing() -> None:
    tried = Tried()
    for _ in range(10):
        with pytest.raises(asyncio.CancelledError):
            tried.call(asyncio.CancelledError())
        with pytest.raises(PaymentRefused):
            tried.call(PaymentRefused("no.", reason="insufficient_funds"))
    tried.call()
    assert tried.breaker.wait == 0


@dataclass
class House:
    """The money's part of a gateway behind a facilitator. `hasty` waits briefly for it, `patient` long; they share
    the recipient and the ledger."""

    facilitator: HostedFacilitator
    chain: LocalChain
    hasty: FacilitatorTill
    patient: FacilitatorTill
    clock: Clock
    ledger: MemoryLedger

    def cashier(self, till: FacilitatorTill) -> Cashier:
        return Cashier(Gate([till]), self.ledger, clock=time.time, max_open=99)

    async def verify(self, payer: EvmAccount, till: FacilitatorTill | None = None) -> Verified:
        till, now = till or self.patient, int(time.time())
        due = till.requirement(PRICE)
        return await till.verify(evm_payment(payer, due), due, now=now, deadline=now + 60)

    async def ready(self, payer: EvmAccount) -> Charge:
        """A claimed payment whose edit is done."""
        cashier, paid = self.cashier(self.patient), await self.verify(payer)
        name = secrets.token_hex(4)
        job = Job(name, paid.payer, "m", "m", "1x1", 1, PRICE, int(time.time()))
        charge = await cashier.claim(paid, job, name)
        ready = charge.to(ChargeState.READY, now=charge.created)
        assert await self.ledger.save(charge=ready, was=charge)
        return ready

    async def settle(self, charge: Charge, till: FacilitatorTill) -> Charge:
        try:
            return await self.cashier(till).settle(charge)
        except (PaymentRefused, SettlementUnknown):
            after = await self.ledger.charge(charge.id)
            assert after is not None
            return after

    def earned(self) -> int:
        return self.chain.balance(self.patient.requirement(1).pay_to)

    async def receipts(self) -> int:
        """What the ledger says came in; every receipt is asked of the chain."""
        settled = [c for _, c in await self.ledger.history() if c.state is ChargeState.SETTLED]
        for charge in settled:
            found = await self.cashier(self.patient).gate.find(charge)
            assert (found.outcome, found.tx_hash) == (Outcome.SETTLED, charge.tx_hash)
        assert len({charge.tx_hash for charge in settled}) == len(settled)
        return sum(charge.amount for charge in settled)


@pytest.fixture
def facilitator(base_chain: LocalChain) -> Iterator[HostedFacilitator]:
    hosted = HostedFacilitator(Judge(base_chain).facilitator)
    yield hosted
    hosted.stop()


@pytest.fixture
async def house(base_chain: LocalChain, facilitator: HostedFacilitator) -> AsyncIterator[House]:
    clock, pay_to = Clock(), EvmAccount.fresh().address

    def till(seconds: float) -> FacilitatorTill:
        return FacilitatorTill(
            BASE,
            pay_to,
            facilitator.url,
            rpc=JsonRpc(base_chain.rpc_url),
            seconds=seconds,
            failures=FAILURES,
            cooldown=COOLDOWN,
            clock=clock,
        )

    house = House(facilitator, base_chain, till(0.5), till(20.0), clock, MemoryLedger())
    yield house
    for each in (house.hasty, house.patient):
        await each.close()


def _no(reason: str) -> dict[str, Any]:
    return {"isValid": False, "invalidReason": reason, "success": False, "errorReason": reason, "transaction": ""}


YES = {"isValid": True, "success": True, "transaction": "0x" + "ab" * 32, "network": BASE.id}


def _other_hash(work: Callable[[], dict[str, Any]]) -> tuple[int, bytes]:
    """Does it, and names a transaction of its own invention."""
    return 200, json.dumps(work() | {"transaction": "0x" + secrets.token_hex(32)}).encode()


def _did_and_denies(work: Callable[[], dict[str, Any]]) -> tuple[int, bytes]:
    work()
    return 200, json.dumps(_no("insufficient_funds")).encode()


S = ChargeState
SPOILT: dict[str, tuple[Callable[[threading.Event], Spoil], ChargeState]] = {
    "late": (late, S.SETTLED),
    "silent": (silent, S.UNKNOWN),
    "500": (lambda _: say(500, {}), S.UNKNOWN),
    "500 that says yes": (lambda _: say(500, YES), S.UNKNOWN),
    "wrong hash, done": (lambda _: _other_hash, S.SETTLED),
    "reset": (lambda _: hang_up, S.UNKNOWN),
    "garbage": (lambda _: say(200, b"\x00\xff{{{"), S.UNKNOWN),
    "yes to everything": (lambda _: say(200, YES), S.UNKNOWN),
    "no to everything": (lambda _: say(200, _no("insufficient_funds")), S.RELEASED),
    "no to what it did": (lambda _: _did_and_denies, S.SETTLED),
}


@pytest.mark.chain
@pytest.mark.parametrize("how", SPOILT)
async def test_the_money_equals_the_receipts(house: House, base_payer: EvmAccount, how: str) -> None:
    spoil, end = SPOILT[how]
    gone = threading.Event()
    ready = [await house.ready(base_payer) for _ in range(2)]
    house.facilitator.spoil["/settle"] = spoil(gone)
    after = [await house.settle(charge, house.hasty) for charge in ready]
    gone.set()
    assert {charge.state for charge in after} == {end}
    assert await house.receipts() == house.earned()

    house.facilitator.spoil.clear()
    house.clock.now += COOLDOWN
    for charge in after:
        if charge.open:
            await house.settle(charge, house.patient)
    settled = [c for _, c in await house.ledger.history() if c.state is S.SETTLED]
    assert len(settled) == (0 if end is S.RELEASED else 2)
    assert await house.receipts() == house.earned() == PRICE * len(settled)


@pytest.mark.chain
async def test_a_yes_to_a_payer_without_money_buys_nothing(house: House) -> None:
    house.facilitator.spoil["/verify"] = say(200, YES)
    with pytest.raises(PaymentRefused) as refused:
        await house.ready(EvmAccount.fresh())
    assert refused.value.reason == "insufficient_funds" and house.earned() == 0


@pytest.mark.chain
async def test_a_facilitator_that_fails_is_asked_no_more_until_the_cool_down_is_over(
    house: House, base_payer: EvmAccount
) -> None:
    asked, till = house.facilitator.asked, house.patient
    house.facilitator.spoil["/verify"] = say(502, b"<html>")
    for _ in range(FAILURES):
        with pytest.raises(Unavailable):
            await house.verify(base_payer)
    with pytest.raises(Unavailable) as refused:
        await house.verify(base_payer)
    assert (asked["/verify"], refused.value.retry_after) == (FAILURES, COOLDOWN)
    assert "tried again in 30 s" in str(await till.check()) and asked["/supported"] == 0

    house.clock.now += COOLDOWN
    with pytest.raises(Unavailable):
        await house.verify(base_payer)
    assert (asked["/verify"], await till.check() is None) == (FAILURES + 1, False)
    house.facilitator.spoil.clear()
    house.clock.now += COOLDOWN
    results = await asyncio.gather(*(house.verify(base_payer) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(r, Verified) for r in results) == 1  # the probe; the others were told to come again
    assert all(isinstance(r, Verified | Unavailable) for r in results) and asked["/verify"] == FAILURES + 2
    assert isinstance(await house.verify(base_payer), Verified) and await till.check() is None


@pytest.mark.chain
async def test_one_that_cannot_settle_has_no_edits_made_and_nothing_unsent_is_refused(
    house: House, base_payer: EvmAccount
) -> None:
    asked = house.facilitator.asked
    ready = [await house.ready(base_payer) for _ in range(FAILURES + 1)]
    house.facilitator.spoil["/settle"] = say(500, {})
    after = [await house.settle(charge, house.patient) for charge in ready]
    assert [c.state for c in after] == [S.UNKNOWN] * len(ready)
    assert after[-1].reason == "facilitator_circuit_open" and asked["/settle"] == FAILURES
    verified = asked["/verify"]
    with pytest.raises(Unavailable):
        await house.verify(base_payer)
    assert asked["/verify"] == verified  # although it would say yes

    house.facilitator.spoil.clear()
    house.clock.now += COOLDOWN
    for charge in after:
        assert (await house.settle(charge, house.patient)).state is S.SETTLED
    assert await house.receipts() == house.earned() == PRICE * len(ready)


@pytest.mark.chain
async def test_refusals_open_nothing(house: House, base_payer: EvmAccount) -> None:
    poor = EvmAccount.fresh()
    for _ in range(FAILURES + 2):
        with pytest.raises(PaymentRefused):
            await house.verify(poor)
    house.facilitator.spoil["/verify"] = say(400, _no("invalid_payload"))
    for _ in range(FAILURES + 2):
        with pytest.raises(PaymentRefused):
            await house.verify(base_payer)
    house.facilitator.spoil.clear()
    assert (await house.verify(base_payer)).requirement.amount == Price(PRICE).atomic
