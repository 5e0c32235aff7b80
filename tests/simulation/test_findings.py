"""What seeded histories have found, each as the few steps that make it; seeds mean other histories once code moves."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from simulation.chain import EPOCH, NETWORKS, SELLER, Chain, SimTill
from simulation.house import PRICE, House
from simulation.world import World
from tollbrush.domain.charges import Charge, ChargeState
from tollbrush.domain.jobs import HostedImage, Job, JobState
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.editing.cashier import Cashier
from tollbrush.errors import PaymentBusy, PaymentRefused, SettlementUnknown
from tollbrush.payments.gate import Gate

Scene = Callable[[World, Cashier, "Deed"], Coroutine[Any, Any, None]]
_IMAGE = HostedImage("k.png", "image/png", 64, 64, "", None, "")


class Deed:
    """A payer on the Solana-like chain, one payment of theirs, and what is made of it."""

    def __init__(self, chain: Chain, cashier: Cashier) -> None:
        chain.fund("payer", 9 * PRICE)
        pay = {"payer": "payer", "nonce": "n1", "value": PRICE, "after": 0, "until": EPOCH + 60}
        self.payment = Payment(2, "exact", NETWORKS["svm"], pay)
        self.offers = [Requirement(NETWORKS["svm"], "usdc", PRICE, SELLER)]
        self._cashier = cashier

    async def finished(self, world: World, name: str) -> tuple[Job, Charge]:
        """A job that is done, and its claim ready to settle."""
        job = Job(name, "payer", "m", "m", "64x64", 1, PRICE, EPOCH, deadline=EPOCH + 60, owner="gateway")
        paid = await self._cashier.verify(self.payment, self.offers, deadline=EPOCH + 60)
        claim = await self._cashier.claim(paid, job, "hash")
        done, ready = job.start(EPOCH).complete((_IMAGE,), EPOCH), claim.to(ChargeState.READY, now=EPOCH)
        await world.disk.ledger.save(job=done, charge=ready, was=claim)
        return done, ready


def play(scene: Scene) -> None:
    world = World(0)
    chain = world.chains[1]
    cashier = Cashier(Gate([SimTill(chain)]), world.disk.ledger, clock=lambda: chain.now, max_open=3)
    world.loop.run(scene(world, cashier, Deed(chain, cashier)))


def test_a_payment_released_and_presented_anew_is_not_said_to_be_uncharged() -> None:
    """An edit waits while one poll gives its payment back as expired, and another poll presents it again."""

    async def scene(world: World, cashier: Cashier, deed: Deed) -> None:
        job, ready = await deed.finished(world, "job")
        await cashier.release(ready, "expired")
        paid = await cashier.verify(deed.payment, deed.offers, deadline=EPOCH)
        again = await cashier.claim_finished(paid, job, "hash")
        with pytest.raises(SettlementUnknown):
            await cashier.settle(ready)
        assert (await cashier.settle(again)).state is ChargeState.SETTLED

    play(scene)


def test_a_payment_at_work_is_not_refused_because_the_chain_cannot_be_read() -> None:
    async def scene(world: World, cashier: Cashier, deed: Deed) -> None:
        await deed.finished(world, "job")
        world.chains[1].faults = 1.0
        with pytest.raises(PaymentBusy):
            await cashier.verify(deed.payment, deed.offers, deadline=EPOCH)

    play(scene)


def test_a_poll_with_a_payment_that_bought_another_edit() -> None:
    """It hears just that, and not that the chain cannot be read and nothing was charged."""

    async def scene(world: World, cashier: Cashier, deed: Deed) -> None:
        job, ready = await deed.finished(world, "job")
        await cashier.release(ready, "expired")
        _, other = await deed.finished(world, "another")
        await cashier.settle(other)
        world.chains[1].faults = 1.0
        house = House("gateway", world.loop, world.disk, world.chains, world.engine, skew=0.0)
        with pytest.raises(PaymentRefused, match="already used for another edit"):
            await house.poll(job.id, deed.payment, None)

    play(scene)


def test_a_picture_that_lands_after_its_job_was_cancelled_elsewhere_and_its_writer_died() -> None:
    """It stays on record while its writer may be at it, and goes with the first sweep after that."""

    async def scene(world: World, cashier: Cashier, deed: Deed) -> None:
        done, _ = await deed.finished(world, "job")
        cancelled = replace(done, state=JobState.CANCELLED, owner="the other", lease_until=EPOCH + 40)
        await world.disk.ledger.save(job=cancelled)
        house = House("gateway", world.loop, world.disk, world.chains, world.engine, skew=0.0)
        house.background.cancel()
        await house.sweeper.sweep()
        await world.disk.images.put(_IMAGE.key, b"late")
        await world.loop.sleep(41)
        await house.sweeper.sweep()
        assert not world.disk.images._images
        assert not (await world.disk.ledger.job("job") or done).images

    play(scene)
