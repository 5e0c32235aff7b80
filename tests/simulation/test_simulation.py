"""Seeded histories of money and jobs, and proof that they would tell. A failing seed is told whole by

cd tests && PYTHONPATH=../src python -m simulation SEED
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from simulation.many import histories, some, surprises
from simulation.world import World
from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.jobs import Job
from tollbrush.editing.cashier import Cashier
from tollbrush.payments.interface import Outcome, Settlement, Verified

LONG = os.environ.get("TOLLBRUSH_E2E") == "long"


@pytest.mark.e2e
@pytest.mark.timeout(1200)
def test_no_history_goes_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    if not LONG:
        assert some(0, 2_500) == []
        return
    tally = histories(0, 100_000)
    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.found == []


def test_a_seed_is_one_history() -> None:
    for seed in range(20):
        first, second = World(seed), World(seed)
        assert (first.run(), first.loop.steps, first.loop.time()) == (
            second.run(),
            second.loop.steps,
            second.loop.time(),
        )


def test_processes_held_up_past_their_lease() -> None:
    """What awakes late neither ends its own job under its hands, nor overwrites what its heir has done."""
    assert some(0, 300, faults=("freeze", "freeze")) == []


def test_disks_that_fill_up_in_the_middle() -> None:
    """A job whose start could not be written is nobody's, and must not be kept alive by its caller's next attempt."""
    assert some(0, 300, full=0.15, faults=("kill",)) == []


def test_money_that_moves_between_claim_and_settlement() -> None:
    assert some(0, 300, faults=("drain", "front-run", "cancel", "top up")) == []


# ── broken cashiers, each of which the checks must catch ────────────────────────────────────────────────


class SettlesBeforeSaving(Cashier):
    async def _send(self, ready: Charge) -> Charge:
        result = await self.gate.settle(ready)
        settling = ready.to(ChargeState.SETTLING, now=self._now())
        await self._ledger.save(charge=settling, was=ready)
        return await self._close(settling, result)


class TakesSilenceForNo(Cashier):
    async def _close(self, charge: Charge, result: Settlement) -> Charge:
        if result.outcome is Outcome.UNKNOWN:
            result = replace(result, outcome=Outcome.REFUSED)
        return await super()._close(charge, result)


class TakesSilenceForYes(Cashier):
    async def _close(self, charge: Charge, result: Settlement) -> Charge:
        if result.outcome is Outcome.UNKNOWN:
            result = replace(result, outcome=Outcome.SETTLED)
        return await super()._close(charge, result)


class GivesCredit(Cashier):
    async def claim(self, paid: Verified, job: Job, request_hash: str) -> Charge:
        return await super().claim(replace(paid, balance=2**62), job, request_hash)


class SkipsCompareAndSet(Cashier):
    async def settle(self, charge: Charge) -> Charge:
        settling = charge.to(ChargeState.SETTLING, now=self._now())
        await self._ledger.save(charge=settling)
        return await self._close(settling, await self.gate.settle(settling))


@pytest.mark.parametrize(
    "broken", [SettlesBeforeSaving, TakesSilenceForNo, TakesSilenceForYes, GivesCredit, SkipsCompareAndSet]
)
def test_a_broken_cashier_is_caught(broken: type[Cashier]) -> None:
    assert some(0, 1_500, enough=1, cashier=broken)


def test_a_surprise_in_the_product_is_told() -> None:
    class Stumbles(Cashier):
        async def resolve(self, charge: Charge, *, send_again: bool = False) -> Charge:
            raise KeyError("nobody")

    with surprises() as seen:
        wrong = [World(seed, cashier=Stumbles).run() for seed in range(50)]
    assert seen or any("KeyError" in sentence for sentences in wrong for sentence in sentences)
