"""The straight path through a real Base whose node may lose answers: charged once for a result, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from support.base_chain import BadNode, EvmAccount, TillOn, evm_payment
from support.engines import Inverter
from support.pictures import photo
from tollbrush.devnet.interface import LocalChain
from tollbrush.domain.catalog import STUDIO, Catalog
from tollbrush.domain.charges import ChargeState
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.domain.jobs import Job, JobState
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import Price
from tollbrush.editing.cashier import Cashier
from tollbrush.editing.collecting import Collector
from tollbrush.editing.orders import OrderDesk
from tollbrush.editing.reconcile import Sweeper
from tollbrush.editing.runner import Runner
from tollbrush.editing.service import Delivery, EditingService, Pending
from tollbrush.errors import (
    BadImage,
    EditTimeout,
    InternalError,
    JobCancelled,
    NotFound,
    PaymentBusy,
    PaymentRefused,
    PaymentRequired,
    SettlementUnknown,
    Unavailable,
)
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.gate import Gate
from tollbrush.payments.rpc import JsonRpc
from tollbrush.settings import GatewaySettings, LimitSettings
from tollbrush.storage.files import FileImages, FileInputs
from tollbrush.storage.sqlite import SqliteLedger

REQUEST = EditRequest(STUDIO, "invert", (photo(64, 64),), size=Size(64, 64))
PRICE = 2_100
SETTINGS = GatewaySettings(hard_seconds=20, lease_seconds=1, limits=LimitSettings(open_per_payer=3))


@dataclass
class House:
    """One gateway's inside on a real chain."""

    service: EditingService
    collector: Collector
    sweeper: Sweeper
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

    async def submit(
        self, payment: Payment | None, request: EditRequest = REQUEST, *, wait: float = 60
    ) -> Delivery | Pending:
        plan = self.service.desk.plan(request, masked=False, sources=1)
        order = self.service.desk.price(plan, request, Size(64, 64))
        return await self.service.edit(order, payment, self.offers(), wait=wait)

    async def edit(self, payment: Payment | None, request: EditRequest = REQUEST) -> Delivery:
        result = await self.submit(payment, request)
        assert isinstance(result, Delivery)
        return result

    async def job(self, payment: Payment) -> Job:
        """A slow edit's job, as the caller of a 202 has it."""
        pending = await self.submit(payment, wait=0)
        assert isinstance(pending, Pending)
        return pending.job

    async def poll(self, job_id: str, payment: Payment | None, wallet: str | None = None) -> Delivery | Pending:
        return await self.collector.poll(await self.collector.find(job_id), payment, wallet, self.offers())

    async def ready(self, job_id: str) -> None:
        """Until the work is done, whoever does it."""
        tasks = [work.task for work in self.service.works]
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (await self.collector.find(job_id)).finished

    def offers(self) -> tuple[Requirement, ...]:
        return self.service.cashier.gate.offers(Price(PRICE))

    def restarted(self, engine: Inverter) -> House:
        """Another process on the same state: the first one is dead."""
        return House(*furnish(self.folder, self.till, engine, self.ledger), engine, self.ledger, self.images, self.till,
                     self.node, self.chain, self.payer, self.folder)  # fmt: skip

    def earned(self) -> int:
        return self.chain.balance(self.till.requirement(1).pay_to)

    def files(self) -> int:
        return sum(1 for p in (self.folder / "images").rglob("*") if p.is_file())

    async def state(self, payment: Payment) -> ChargeState | None:
        charge = await self.ledger.charge_of(self.till.identify(payment))
        return charge.state if charge else None


def furnish(
    folder: Path, till: EvmTill, engine: Inverter, ledger: SqliteLedger
) -> tuple[EditingService, Collector, Sweeper]:
    images = FileImages(folder / "images")
    desk = OrderDesk(Catalog.build(frozenset({STUDIO})), [engine])
    runner = Runner(images, limits=SETTINGS.limits)
    cashier = Cashier(Gate([till]), ledger, clock=time.time, max_open=SETTINGS.limits.open_per_payer)
    service = EditingService(
        desk,
        cashier,
        ledger,
        runner,
        FileInputs(folder / "inputs"),
        clock=time.time,
        hard_seconds=SETTINGS.hard_seconds,
        lease_seconds=SETTINGS.lease_seconds,
        owner=os.urandom(4).hex(),
    )
    collector = Collector(service, ledger, runner, clock=time.time)
    return service, collector, Sweeper(service, ledger, runner, SETTINGS, clock=time.time)


@pytest.fixture
async def house(
    base_chain: LocalChain, bad_base_node: BadNode, base_payer: EvmAccount, base_till_on: TillOn, tmp_path: Path
) -> AsyncIterator[House]:
    till = base_till_on(base_chain, rpc=JsonRpc(bad_base_node.url, timeout=5), receipt_timeout=1.0)
    engine, ledger = Inverter(), SqliteLedger(tmp_path / "ledger.db")
    parts = furnish(tmp_path, till, engine, ledger)
    images = FileImages(tmp_path / "images")
    yield House(*parts, engine, ledger, images, till, bad_base_node, base_chain, base_payer, tmp_path)
    await parts[0].drain(0)
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
    await drain(house, base_till_on(house.chain))
    house.engine.gate.set()
    with pytest.raises(PaymentRefused) as refused:
        await work
    assert refused.value.reason == "insufficient_funds"
    assert (house.earned(), house.files(), await house.state(payment)) == (0, 0, None)


async def drain(house: House, thief: EvmTill) -> None:
    """The payer's money goes elsewhere."""
    requirement = thief.requirement(house.chain.balance(house.payer.address))
    payment = evm_payment(house.payer, requirement)
    await thief.settle(await thief.verify(payment, requirement, now=_now(), deadline=_now()))


async def test_asking_again_does_not_throw_away_what_a_poll_may_pay_for(house: House, base_till_on: TillOn) -> None:
    job = await house.job(payment := house.payment())
    await house.ready(job.id)
    await drain(house, base_till_on(house.chain))
    with pytest.raises(PaymentRefused) as refused:  # the request once more, as by who never got the 202
        await house.edit(payment)
    assert (refused.value.reason, house.earned()) == ("insufficient_funds", 0)
    kept = await house.collector.find(job.id)
    assert (kept.state, house.files()) == (JobState.COMPLETED, 1)
    house.chain.fund(house.payer.address, PRICE)
    assert isinstance(await house.poll(job.id, house.payment()), Delivery)
    assert house.earned() == PRICE


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
    slow = Inverter(time_limit=0.05)
    slow.gate.clear()
    payment = house.payment()
    with pytest.raises(EditTimeout):
        await house.restarted(slow).edit(payment)
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


async def test_draining_hands_on_what_does_not_finish(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    work = asyncio.create_task(house.edit(payment))
    await house.engine.started.wait()
    await house.service.drain(0.01)
    with pytest.raises(Unavailable, match="stopping"):
        await work
    assert (house.earned(), await house.state(payment)) == (0, ChargeState.CLAIMED)
    heir = house.restarted(Inverter())
    await heir.sweeper.sweep()
    delivery = await heir.edit(payment)
    assert (heir.engine.edits, house.earned(), delivery.job.state) == (1, PRICE, JobState.COMPLETED)


# ── jobs ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_slow_edit_is_charged_when_it_is_collected(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    job = await house.job(payment)
    assert not job.finished
    assert isinstance(await house.poll(job.id, payment), Pending)
    house.engine.gate.set()
    await house.ready(job.id)
    assert (house.earned(), house.files()) == (0, 1)
    deliveries = await asyncio.gather(*(house.poll(job.id, payment) for _ in range(20)))
    assert all(isinstance(d, Delivery) for d in deliveries)
    assert sum(not d.replayed for d in deliveries if isinstance(d, Delivery)) == 1
    assert house.earned() == PRICE
    assert list((house.folder / "inputs").iterdir()) == []


async def test_only_its_payer_sees_a_job(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    job = await house.job(payment)
    stranger = EvmAccount.fresh()
    house.chain.fund(stranger.address, 10 * PRICE)
    for proof, wallet in ((house.payment(stranger), None), (None, stranger.address)):
        with pytest.raises(NotFound) as unknown:
            await house.poll(job.id, proof, wallet)
        assert str(unknown.value) == "Job not found"
    with pytest.raises(NotFound, match="Job not found"):
        await house.poll("nothing", payment)
    with pytest.raises(PaymentRequired):
        await house.poll(job.id, None)
    assert isinstance(await house.poll(job.id, house.payment()), Pending)  # a fresh payment of the same wallet
    assert isinstance(await house.poll(job.id, None, house.payer.address), Pending)
    house.engine.gate.set()
    await house.ready(job.id)
    with pytest.raises(PaymentRequired, match="ready"):
        await house.poll(job.id, None, house.payer.address)
    assert house.earned() == 0


async def test_a_fresh_payment_on_the_poll_uses_the_kept_one(house: House) -> None:
    job = await house.job(kept := house.payment())
    await house.ready(job.id)
    delivery = await house.poll(job.id, house.payment())
    assert isinstance(delivery, Delivery)
    assert delivery.charge.key == house.till.identify(kept)
    assert house.earned() == PRICE


async def test_a_fresh_payment_replaces_an_expired_one(house: House) -> None:
    job = await house.job(kept := house.payment())
    await house.ready(job.id)
    charge = await house.ledger.charge_of(house.till.identify(kept))
    assert charge is not None
    await house.ledger.save(charge=replace(charge, valid_until=int(time.time()) - 1))
    deliveries = await asyncio.gather(*(house.poll(job.id, house.payment()) for _ in range(5)))
    assert all(isinstance(d, Delivery) for d in deliveries)
    assert house.earned() == PRICE


async def test_a_fresh_signature_after_an_unknown_outcome_ends_in_one_charge(house: House) -> None:
    job = await house.job(payment := house.payment())
    await house.ready(job.id)
    house.node.mute.update({"eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getLogs"})
    with pytest.raises(SettlementUnknown):
        await house.poll(job.id, payment)
    house.node.mute.clear()
    delivery = await house.poll(job.id, house.payment())
    assert isinstance(delivery, Delivery)
    assert (delivery.charge.key, house.earned()) == (house.till.identify(payment), PRICE)


async def test_a_refused_settlement_keeps_the_result_for_another_payment(house: House, base_till_on: TillOn) -> None:
    job = await house.job(payment := house.payment())
    await house.ready(job.id)
    thief = base_till_on(house.chain)
    requirement = thief.requirement(house.chain.balance(house.payer.address))
    drain = evm_payment(house.payer, requirement)
    await thief.settle(await thief.verify(drain, requirement, now=_now(), deadline=_now()))
    answers = await asyncio.gather(*(house.poll(job.id, payment) for _ in range(20)), return_exceptions=True)
    assert all(isinstance(a, PaymentRefused) for a in answers)
    house.chain.fund(house.payer.address, PRICE)
    assert isinstance(await house.poll(job.id, house.payment()), Delivery)
    house.chain.fund(house.payer.address, 10 * PRICE)
    house.engine.gate.clear()
    await house.job(house.payment())
    with pytest.raises(PaymentRefused) as refused:  # one open edit for a day after a refused settlement
        await house.submit(house.payment(), wait=0)
    assert refused.value.reason == "too_many_open_edits"
    house.engine.gate.set()


async def test_a_failed_job_says_so_and_costs_nothing(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    job = await house.job(payment)
    house.engine.failure = BadImage("no face.")
    house.engine.gate.set()
    await house.ready(job.id)
    pending = await house.poll(job.id, payment)
    assert isinstance(pending, Pending)
    assert (pending.job.state, pending.job.error_code, pending.job.error) == (JobState.FAILED, "bad_image", "no face.")
    assert (house.earned(), await house.state(payment), house.files()) == (0, None, 0)


@pytest.mark.parametrize("finished", [False, True])
async def test_an_unpaid_job_can_be_cancelled(house: House, finished: bool) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    job = await house.job(payment)
    if finished:
        house.engine.gate.set()
        await house.ready(job.id)
    pending = await house.collector.cancel(await house.collector.find(job.id), payment, None, house.offers())
    assert pending.job.state is JobState.CANCELLED
    assert (house.earned(), await house.state(payment), house.files()) == (0, None, 0)
    house.engine.gate.set()
    assert (await house.edit(payment)).job.id != job.id  # the payment is free again


async def test_a_paid_job_cannot_be_cancelled(house: House) -> None:
    payment = house.payment()
    delivery = await house.edit(payment)
    with pytest.raises(PaymentBusy):
        await house.collector.cancel(delivery.job, payment, None, house.offers())
    assert (await house.edit(payment)).replayed


async def test_another_process_takes_over_a_dead_ones_job(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    job = await house.job(payment)  # and this process works no more: nobody renews its lease
    heir = house.restarted(Inverter())
    await heir.sweeper.sweep()
    assert heir.engine.edits == 0  # the lease still runs
    await _past_the_lease(house, job.id)
    await heir.sweeper.sweep()
    await heir.ready(job.id)
    assert isinstance(await heir.poll(job.id, payment), Delivery)
    (stale,) = house.service.works
    house.engine.gate.set()
    late, _ = await stale.task  # the dead one awakes: its pictures are nobody's, the heir's are everybody's
    assert late == await heir.collector.find(job.id)
    assert (heir.engine.edits, house.earned(), house.files()) == (1, PRICE, 1)


@pytest.mark.parametrize(
    "stored",
    [None, b"", b"\xc1", b"\x80", msgspec.msgpack.encode({"request": {"prompt": "of another version"}}),
     msgspec.msgpack.encode({"request": {"prompt": "x", "model": None, "sources": "text"}, "priced_size": [1, 2]})],
)  # fmt: skip
async def test_a_job_without_stored_inputs_fails_cleanly(house: House, stored: bytes | None) -> None:
    """Or with such as this version does not read."""
    payment = house.payment()
    house.engine.gate.clear()
    work = asyncio.create_task(house.edit(payment))
    await house.engine.started.wait()
    charge = await house.ledger.charge_of(house.till.identify(payment))
    assert charge is not None
    await _past_the_lease(house, charge.job_id)
    if stored is not None:
        (house.folder / "inputs" / charge.job_id).write_bytes(stored)
    heir = house.restarted(Inverter())
    await heir.sweeper.sweep()
    failed = await heir.collector.find(charge.job_id)
    assert (failed.state, failed.error_code) == (JobState.FAILED, "interrupted")
    assert await house.state(payment) is None
    house.engine.gate.set()
    with pytest.raises(JobCancelled):
        await work
    assert (house.files(), house.earned()) == (0, 0)
    assert (await heir.edit(payment)).job.images


async def test_a_takeover_without_the_promised_engine_fails_cleanly(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    job = await house.job(payment)
    await house.ledger.save(job=replace(job, requested_model="openai/gpt-image-1", lease_until=1))
    heir = house.restarted(Inverter())  # whose only engine would understand the words as well
    await heir.sweeper.sweep()
    failed = await heir.collector.find(job.id)
    assert (failed.state, failed.error_code, heir.engine.edits) == (JobState.FAILED, "interrupted", 0)
    assert await house.state(payment) is None
    house.engine.gate.set()


async def test_a_network_that_was_taken_away_keeps_its_unknown_settlements(house: House) -> None:
    payment = house.payment()
    house.node.mute.update({"eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getLogs"})
    with pytest.raises(SettlementUnknown):
        await house.edit(payment)
    house.node.mute.clear()
    charge = await house.ledger.charge_of(house.till.identify(payment))
    assert charge is not None
    await house.ledger.save(charge=replace(charge, updated=charge.updated - 60))
    heir = house.restarted(Inverter())
    heir.service.cashier.gate._tills.clear()
    await heir.sweeper.sweep()
    assert await house.state(payment) is ChargeState.UNKNOWN
    assert (await house.edit(payment)).charge.tx_hash is not None
    assert house.earned() == PRICE


async def test_an_outcome_that_cannot_be_written_is_unknown_and_never_a_refusal(house: House) -> None:
    payment = house.payment()
    path = house.folder / "ledger.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        house.engine.gate.clear()
        work = asyncio.create_task(house.edit(payment))
        await house.engine.started.wait()
        house.node.front_run = lambda: str(other.execute("BEGIN IMMEDIATE"))  # as the money is about to move
        house.engine.gate.set()
        with pytest.raises(SettlementUnknown) as unknown:
            await work
        house.node.front_run = None
        assert "Nothing was charged" not in unknown.value.sentence()
        assert house.earned() == PRICE
        other.execute("ROLLBACK")
    delivery = await house.edit(payment)
    assert (house.engine.edits, house.earned(), delivery.job.state) == (1, PRICE, JobState.COMPLETED)


async def test_work_that_cannot_be_written_is_done_again_for_the_same_payment(house: House) -> None:
    payment = house.payment()
    house.engine.gate.clear()
    work = asyncio.create_task(house.edit(payment))
    await house.engine.started.wait()
    with contextlib.closing(sqlite3.connect(house.folder / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        house.engine.gate.set()
        with pytest.raises(Unavailable):
            await work
        other.execute("ROLLBACK")
    assert house.earned() == 0
    charge = await house.ledger.charge_of(house.till.identify(payment))
    if charge is not None:  # its lease runs out, the sweeper finds it
        await _past_the_lease(house, charge.job_id)
        await house.sweeper.sweep()
    delivery = await house.edit(payment)
    assert await house.images.get(delivery.job.images[0].key) is not None
    assert house.earned() == PRICE


async def test_the_sweeper_asks_the_chain_about_unknown_settlements(house: House) -> None:
    payment = house.payment()
    house.node.mute.update({"eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getLogs"})
    with pytest.raises(SettlementUnknown):
        await house.edit(payment)
    house.node.mute.clear()
    charge = await house.ledger.charge_of(house.till.identify(payment))
    assert charge is not None
    await house.ledger.save(charge=replace(charge, updated=charge.updated - 60))
    await house.restarted(Inverter()).sweeper.sweep()
    assert await house.state(payment) is ChargeState.SETTLED
    assert (await house.edit(payment)).replayed


async def test_uncollected_and_old_results_expire(house: House) -> None:
    unpaid = await house.job(kept := house.payment())
    await house.ready(unpaid.id)
    paid = await house.edit(house.payment())
    assert house.files() == 2
    charge = await house.ledger.charge_of(house.till.identify(kept))
    assert charge is not None
    await house.ledger.save(charge=replace(charge, valid_until=1))
    for job_id in (unpaid.id, paid.job.id):
        job = await house.collector.find(job_id)
        await house.ledger.save(job=replace(job, updated=job.updated - int(SETTINGS.images_seconds) - 1))
    await house.sweeper.sweep()
    assert (house.files(), (await house.collector.find(unpaid.id)).error_code) == (1, "expired")
    settled = paid.charge
    await house.ledger.save(charge=replace(settled, updated=settled.updated - int(SETTINGS.images_seconds) - 1))
    await house.sweeper.sweep()
    assert (house.files(), house.earned()) == (0, PRICE)
    assert await house.state(kept) is None


async def test_short_hosting_takes_nothing_from_who_has_not_collected_yet(house: House) -> None:
    """The files of an unpaid result are what its payment will buy, however short paid ones stay."""
    job = await house.job(payment := house.payment())
    await house.ready(job.id)
    finished = await house.collector.find(job.id)
    await house.ledger.save(job=replace(finished, updated=finished.updated - 60))
    brief = SETTINGS.model_copy(update={"images_seconds": 30})
    sweeper = Sweeper(house.service, house.ledger, Runner(house.images, limits=brief.limits), brief, clock=time.time)
    await sweeper.sweep()
    delivery = await house.poll(job.id, payment)
    await sweeper.sweep()
    assert isinstance(delivery, Delivery)
    assert (len(delivery.job.images), house.files(), house.earned()) == (1, 1, PRICE)


async def test_a_full_line_is_a_503_before_any_claim(house: House) -> None:
    house.engine.gate.clear()
    width = house.engine.capabilities("studio").width
    turnstile = house.service._runner.turnstile
    with pytest.raises(Unavailable) as full:
        turnstile.check_room(house.engine, width, ["studio"] * (width + SETTINGS.limits.queued_per_engine + 1))
    assert full.value.retry_after > 0
    turnstile.check_room(house.engine, width, ["studio"] * (width + SETTINGS.limits.queued_per_engine))
    turnstile._per_engine = -width  # no room for anybody
    payment = house.payment()
    with pytest.raises(Unavailable, match="capacity"):
        await house.edit(payment)
    assert (await house.state(payment), house.earned(), house.engine.edits) == (None, 0, 0)


async def _past_the_lease(house: House, job_id: str) -> None:
    job = await house.collector.find(job_id)
    await house.ledger.save(job=replace(job, lease_until=1))


async def _until_done(tasks: list[asyncio.Task[Delivery]], count: int) -> None:
    pending = set(tasks)
    while len(tasks) - len(pending) < count:
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)


def _now() -> int:
    return int(time.time())
