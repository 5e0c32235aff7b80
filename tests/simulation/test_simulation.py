"""Seeded histories of money and jobs, and proof that they would tell. A failing seed is told whole by

cd tests && PYTHONPATH=../src python -m simulation SEED
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from simulation.many import histories, some, surprises
from simulation.world import World
from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.jobs import Job
from tollbrush.editing.cashier import Cashier
from tollbrush.editing.reconcile import Sweeper
from tollbrush.editing.service import Delivery, EditingService
from tollbrush.payments.interface import Outcome, Settlement, Verified
from tollbrush.storage.memory import MemoryImages, MemoryLedger

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


# ── broken houses: what lies around the cashier, spoiled in one place each ──────────────────────────────


async def delivers_before_settling(self: EditingService, job: Job, charge: Charge, *, keep: bool) -> Delivery:
    return Delivery(job, charge, replayed=False)


async def writes_pictures_after_their_record(self: MemoryImages, key: str, data: bytes) -> None:
    asyncio.get_running_loop().call_later(5, self._images.__setitem__, key, (data, "image/png"))


async def releases_what_may_be_on_its_way(self: Sweeper, charge: Charge, now: int) -> None:
    if charge.state in (ChargeState.SETTLING, ChargeState.UNKNOWN):
        await self._ledger.save(charge=charge.to(ChargeState.RELEASED, now=now), was=charge)


async def never_asks_the_chain(self: Sweeper, charge: Charge, now: int) -> None:
    return


async def saves_without_comparing(
    self: MemoryLedger, *, job: Job | None = None, charge: Charge | None = None, was: Charge | None = None
) -> bool:
    return await _save(self, job=job, charge=charge)


async def leaves_orphans(self: MemoryLedger, now: int) -> Sequence[Job]:
    return []


_save = MemoryLedger.save


@pytest.mark.parametrize(
    ("owner", "method", "broken"),
    [
        (EditingService, "_deliver", delivers_before_settling),
        (MemoryImages, "put", writes_pictures_after_their_record),
        (Sweeper, "_decide", releases_what_may_be_on_its_way),
        (Sweeper, "_decide", never_asks_the_chain),
        (MemoryLedger, "save", saves_without_comparing),
        (MemoryLedger, "orphans", leaves_orphans),
    ],
)
def test_a_broken_house_is_caught(
    monkeypatch: pytest.MonkeyPatch, owner: type, method: str, broken: Callable[..., Awaitable[Any]]
) -> None:
    monkeypatch.setattr(owner, method, broken)
    assert some(0, 1_500, enough=1)
