"""The straight path through a real Base whose node may lose answers: charged once for a result, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from support.base_chain import BadNode, EvmAccount, TillOn, evm_payment
from support.engines import Inverter
from support.pictures import photo
from tollbrush.devnet.interface import LocalChain
from tollbrush.domain.catalog import STUDIO, Catalog
from tollbrush.domain.charges import ChargeState
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.domain.payments import Payment
from tollbrush.editing.runner import Runner
from tollbrush.editing.service import Delivery, EditingService
from tollbrush.errors import (
    BadImage,
    EditTimeout,
    InternalError,
    PaymentBusy,
    PaymentRefused,
    PaymentRequired,
    SettlementUnknown,
)
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.gate import Gate
from tollbrush.payments.rpc import JsonRpc
from tollbrush.settings import LimitSettings
from tollbrush.storage.files import FileImages
from tollbrush.storage.sqlite import SqliteLedger

REQUEST = EditRequest(STUDIO, "invert", (photo(64, 64),), size=Size(64, 64))
PRICE = 2_100
LIMITS = LimitSettings(open_per_payer=3)


@dataclass
class House:
    """One gateway's inside on a real chain."""

    service: EditingService
    engine: Inverter
    ledger: SqliteLedger
    images: FileImages
    till: EvmTill
    node: BadNode
    chain: LocalChain
    payer: EvmAccount
    folder: Path

    def payment(self, payer: EvmAccount | None = None) -> Payment:
        return evm_payment(payer or self.payer, self.till.requirement(PRICE))

    async def edit(self, payment: Payment | None, request: EditRequest = REQUEST) -> Delivery:
        plan = self.service.plan(request, masked=False, sources=1)
        order = self.service.price(plan, request, Size(64, 64))
        return await self.service.edit(order, payment, self.service.gate.offers(order.price))

    def earned(self) -> int:
        return self.chain.balance(self.till.requirement(1).pay_to)

    def files(self) -> int:
        return sum(1 for p in (self.folder / "images").rglob("*") if p.is_file())

    async def state(self, payment: Payment) -> ChargeState | None:
        charge = await self.ledger.charge_of(self.till.identify(payment))
        return charge.state if charge else None


def furnish(folder: Path, till: EvmTill, engine: Inverter, ledger: SqliteLedger, hard: float = 20.0) -> EditingService:
    images = FileImages(folder / "images")
    catalog = Catalog.build(frozenset({STUDIO}))
    runner = Runner(images, limits=LIMITS, hard_seconds=hard)
    return EditingService(catalog, [engine], Gate([till]), ledger, runner, limits=LIMITS, hard_seconds=hard)


@pytest.fixture
async def house(
    base_chain: LocalChain, bad_base_node: BadNode, base_payer: EvmAccount, base_till_on: TillOn, tmp_path: Path
) -> AsyncIterator[House]:
    till = base_till_on(base_chain, rpc=JsonRpc(bad_base_node.url, timeout=5), receipt_timeout=1.0)
    engine, ledger = Inverter(), SqliteLedger(tmp_path / "ledger.db")
    service = furnish(tmp_path, till, engine, ledger)
    images = FileImages(tmp_path / "images")
    yield House(service, engine, ledger, images, till, bad_base_node, base_chain, base_payer, tmp_path)
    await ledger.close()


async def test_a_life(house: House) -> None:
    with pytest.raises(PaymentRequired, match=r"\$0\.0021"):
        await house.edit(None)
    payment = house.payment()
    first = await house.edit(payment)
    assert (first.replayed, house.earned(), house.files()) == (False, PRICE, 1)
    assert await house.images.get(first.job.images[0].key) is not None
    again = await house.edit(payment)
    assert (again.replayed, again.job, house.engine.edits, house.earned()) == (True, first.job, 1, PRICE)


@pytest.mark.parametrize("lost", ["mute", "deaf"])
async def test_an_unknown_outcome_is_resolved_from_the_chain(house: House, lost: str) -> None:
    payment = house.payment()
    getattr(house.node, lost).update({"eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getLogs"})
    with pytest.raises(SettlementUnknown) as unknown:
        await house.edit(payment)
    assert unknown.value.retry_after > 0
    assert await house.state(payment) is ChargeState.UNKNOWN
    with pytest.raises(SettlementUnknown):  # still unknown: no pixels, and no fresh 402 either
        await house.edit(payment)
    house.node.mute.clear()
    house.node.deaf.clear()
    delivery = await house.edit(payment)
    assert (delivery.replayed, house.engine.edits, house.earned()) == (False, 1, PRICE)
    assert delivery.charge.tx_hash is not None
    assert (await house.edit(payment)).replayed


async def test_a_drained_payer_gets_no_pixels(house: House, base_till_on: TillOn) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    work = asyncio.create_task(house.edit(payment))
    await house.engine.started.wait()
    thief = base_till_on(house.chain)
    drain = evm_payment(house.payer, thief.requirement(house.chain.balance(house.payer.address)))
    requirement = thief.requirement(house.chain.balance(house.payer.address))
    await thief.settle(await thief.verify(drain, requirement, now=_now(), deadline=_now()))
    house.engine.gate.set()
    with pytest.raises(PaymentRefused) as refused:
        await work
    assert refused.value.reason == "insufficient_funds"
    assert (house.earned(), house.files(), await house.state(payment)) == (0, 0, None)


@pytest.mark.parametrize("failure", [BadImage("no face."), RuntimeError("boom")])
async def test_a_failed_edit_releases_its_claim(house: House, failure: Exception) -> None:
    payment = house.payment()
    house.engine.failure = failure
    with pytest.raises(BadImage if isinstance(failure, BadImage) else InternalError) as raised:
        await house.edit(payment)
    assert "boom" not in raised.value.sentence()
    assert (house.earned(), house.files(), await house.state(payment)) == (0, 0, None)
    house.engine.failure = None
    assert (await house.edit(payment)).job.images  # the payment still buys


async def test_an_edit_past_its_limit_is_not_charged(house: House) -> None:
    engine = Inverter(time_limit=0.05)
    engine.gate.clear()
    house.service = furnish(house.folder, house.till, engine, house.ledger)
    payment = house.payment()
    with pytest.raises(EditTimeout):
        await house.edit(payment)
    assert (house.earned(), await house.state(payment)) == (0, None)


async def test_a_caller_that_goes_away_does_not_stop_the_work(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    caller = asyncio.create_task(house.edit(payment))
    await house.engine.started.wait()
    caller.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await caller
    house.engine.gate.set()
    delivery = await house.edit(payment)
    assert (house.engine.edits, house.earned()) == (1, PRICE)
    assert await house.images.get(delivery.job.images[0].key) is not None


async def test_fifty_callers_one_payment(house: House) -> None:
    payment = house.payment()
    deliveries = await asyncio.gather(*(house.edit(payment) for _ in range(50)))
    assert len({d.job.id for d in deliveries}) == 1
    assert (house.engine.edits, house.earned()) == (1, PRICE)


async def test_a_payment_at_work_on_another_request(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    work = asyncio.create_task(house.edit(payment))
    await house.engine.started.wait()
    with pytest.raises(PaymentBusy):
        await house.edit(payment, replace(REQUEST, prompt="invert more"))
    house.engine.gate.set()
    await work
    with pytest.raises(PaymentRefused) as refused:
        await house.edit(payment, replace(REQUEST, prompt="invert more"))
    assert refused.value.reason == "payment_already_used"


async def test_many_authorizations_over_one_balance(house: House) -> None:
    poor = EvmAccount.fresh()
    house.chain.fund(poor.address, 2 * PRICE)
    house.engine.gate.clear()
    tasks = [asyncio.create_task(house.edit(house.payment(poor))) for _ in range(5)]
    await _until_done(tasks, 3)
    house.engine.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [r for r in results if isinstance(r, PaymentRefused)]
    assert (len(refused), {r.reason for r in refused}) == (3, {"insufficient_funds"})
    assert house.earned() == 2 * PRICE


async def test_open_edits_of_a_payer_are_capped(house: House) -> None:
    house.engine.gate.clear()
    tasks = [asyncio.create_task(house.edit(house.payment())) for _ in range(5)]
    await _until_done(tasks, 2)
    house.engine.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [r.reason for r in results if isinstance(r, PaymentRefused)] == ["too_many_open_edits"] * 2
    assert house.earned() == 3 * PRICE


async def test_a_restart_releases_what_died_and_keeps_what_may_be_paid(house: House) -> None:
    working, settling = house.payment(), house.payment()
    house.engine.gate.clear()
    dying = asyncio.create_task(house.edit(working))
    await house.engine.started.wait()
    house.node.mute.update({"eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getLogs"})
    other = Inverter()
    house.service = furnish(house.folder, house.till, other, house.ledger)
    with pytest.raises(SettlementUnknown):
        await house.edit(settling)
    house.node.mute.clear()
    restarted = House(**{**vars(house), "service": furnish(house.folder, house.till, other, house.ledger)})
    await restarted.service.recover()
    assert await house.state(working) is None
    assert await house.state(settling) is ChargeState.UNKNOWN
    await restarted.edit(settling)
    await restarted.edit(working)
    assert (other.edits, house.earned()) == (2, 2 * PRICE)
    dying.cancel()
    house.engine.gate.set()
    with contextlib.suppress(asyncio.CancelledError):
        await dying


async def test_draining_cancels_what_does_not_finish(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    work = asyncio.create_task(house.edit(payment))
    await house.engine.started.wait()
    await house.service.drain(0.01)
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (house.earned(), await house.state(payment)) == (0, None)


async def _until_done(tasks: list[asyncio.Task[Delivery]], count: int) -> None:
    pending = set(tasks)
    while len(tasks) - len(pending) < count:
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)


def _now() -> int:
    return int(time.time())
