"""A gateway's inside as one process of the simulated world: everything real except pixels, chains and disks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from simulation.chain import EPOCH, NETWORKS, SELLER, Chain, SimTill
from simulation.disk import Disk
from simulation.engine import SimEngine, finish, prepare
from simulation.loop import Process, VirtualLoop
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.editing.cashier import Cashier
from tollbrush.editing.collecting import Collector
from tollbrush.editing.reconcile import Sweeper
from tollbrush.editing.runner import Runner
from tollbrush.editing.service import Delivery, EditingService, Pending
from tollbrush.payments.gate import Gate
from tollbrush.settings import GatewaySettings, LimitSettings

T = TypeVar("T")

PRICE: Final = 2_100
SETTINGS: Final = GatewaySettings(
    hard_seconds=60,
    lease_seconds=30,
    sweep_seconds=30,
    uncollected_seconds=3600,
    images_seconds=0,
    limits=LimitSettings(open_per_payer=3),
)
_OFFERS: Final = tuple(Requirement(network, "usdc", PRICE, SELLER) for network in NETWORKS.values())


class Gone(Exception):
    """The process died before it answered."""


class House:
    """One gateway process, from start to its death. `skew`: by how many seconds its clock is wrong."""

    def __init__(
        self,
        name: str,
        loop: VirtualLoop,
        disk: Disk,
        chains: list[Chain],
        engine: SimEngine,
        *,
        skew: float,
        cashier: type[Cashier] = Cashier,
    ) -> None:
        self.process, self._loop = Process(name), loop
        self._context = self.process.context()
        self._answers: dict[asyncio.Future[Any], None] = {}  # in order
        ledger, images, inputs = disk.slowly

        def clock() -> float:
            return EPOCH + loop.time() + skew

        runner = Runner(images, limits=SETTINGS.limits, prepare=prepare, finish=finish)
        gate = Gate([SimTill(chain) for chain in chains])
        self.service = EditingService(
            engine.desk,
            cashier(gate, ledger, clock=clock, max_open=SETTINGS.limits.open_per_payer),
            ledger,
            runner,
            inputs,
            clock=clock,
            hard_seconds=SETTINGS.hard_seconds,
            lease_seconds=SETTINGS.lease_seconds,
            owner=name,
        )
        self.collector = Collector(self.service, ledger, runner, clock=clock)
        self.sweeper = Sweeper(self.service, ledger, runner, SETTINGS, clock=clock)
        self._orders = engine.orders
        self.background = self._task(self._live())

    @property
    def answers(self) -> bool:
        return self.process.alive and not self.process.stopped

    async def _live(self) -> None:
        with suppress(asyncio.CancelledError):
            await self.sweeper.run()

    async def edit(self, body: int, payment: Payment, wait: float) -> Delivery | Pending:
        return await self.service.edit(self._orders[body], payment, _OFFERS, wait=wait)

    async def poll(self, job_id: str, payment: Payment | None, wallet: str | None) -> Delivery | Pending:
        return await self.collector.poll(await self.collector.find(job_id), payment, wallet, _OFFERS)

    async def cancel(self, job_id: str, payment: Payment) -> Pending:
        return await self.collector.cancel(await self.collector.find(job_id), payment, None, _OFFERS)

    async def ask(self, request: Coroutine[Any, Any, T]) -> T:
        """A request over the network: answered by this process, or not at all. Raises Gone."""
        if not self.process.alive:
            request.close()
            raise Gone
        answer: asyncio.Future[T] = self._loop.create_future()
        self._answers[answer] = None
        self._task(_answer(request, answer))
        try:
            return await answer
        finally:
            del self._answers[answer]

    def kill(self) -> None:
        """As kill -9 does it: whoever waits for an answer gets none."""
        self._loop.kill(self.process)
        for answer in list(self._answers):
            if not answer.done():
                answer.set_exception(Gone())

    async def stop(self, grace: float) -> None:
        """As SIGTERM does it."""
        self.background.cancel()
        with suppress(Gone):
            await self.ask(self.service.drain(grace))
        self.kill()

    def _task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        return self._loop.create_task(work, context=self._context)


async def _answer(request: Coroutine[Any, Any, T], answer: asyncio.Future[T]) -> None:
    """What a request came to, for who may still wait for it."""
    try:
        result = await request
    except asyncio.CancelledError:
        if not answer.done():
            answer.set_exception(Gone())
    except Exception as failure:  # noqa: BLE001 - handed to who asked
        if not answer.done():
            answer.set_exception(failure)
    else:
        if not answer.done():
            answer.set_result(result)
