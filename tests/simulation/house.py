"""A gateway's inside as one process of the simulated world: everything real except pixels, chains and disks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any, Final, TypeVar

import numpy as np

from simulation.chain import EPOCH, Chain, SimTill
from simulation.disk import Disk
from simulation.loop import Process, VirtualLoop
from tollbrush.domain.catalog import STUDIO, Catalog
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.domain.payments import Payment
from tollbrush.domain.pricing import Price
from tollbrush.editing.cashier import Cashier
from tollbrush.editing.collecting import Collector
from tollbrush.editing.orders import Order, OrderDesk
from tollbrush.editing.pixels import Finished, Prepared
from tollbrush.editing.reconcile import Sweeper
from tollbrush.editing.runner import Runner
from tollbrush.editing.service import Delivery, EditingService, Pending
from tollbrush.engines.interface import Capabilities, EditedImage, EditInput, EditOutput
from tollbrush.errors import ContentRefused, EngineFailed
from tollbrush.imaging.geometry import Transform
from tollbrush.payments.gate import Gate
from tollbrush.settings import GatewaySettings, LimitSettings

T = TypeVar("T")

PRICE: Final = 2_100
SIZE: Final = Size(64, 64)
REQUESTS: Final = tuple(EditRequest(STUDIO, prompt, (b"picture",), size=SIZE) for prompt in ("a hat", "two hats"))
SETTINGS: Final = GatewaySettings(
    hard_seconds=60,
    lease_seconds=30,
    sweep_seconds=30,
    uncollected_seconds=3600,
    images_seconds=0,
    limits=LimitSettings(open_per_payer=3),
)
_CATALOG: Final = Catalog.build(frozenset({STUDIO}))
_PIXELS: Final = np.zeros((1, 1, 3), np.uint8)
_FINISHED: Final = Finished(b"png", "image/png", 64, 64, "", None, None, 0, "")


class Gone(Exception):
    """The process died before it answered."""


class SimEngine:
    """Takes its time, and fails now and then."""

    name = "studio"

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def capabilities(self, upstream: str) -> Capabilities:
        return Capabilities(generative=False, seed=True, time_limit=40, width=2)

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        return prompt

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        kind = self._rng.random()
        await asyncio.sleep(self._rng.uniform(0.1, 2) if kind < 0.5 else self._rng.uniform(2, 45))
        if kind > 0.97:
            raise ContentRefused("not this picture.")
        if kind > 0.92:
            raise EngineFailed("the engine failed.")
        return EditOutput((EditedImage(_PIXELS),))

    async def start(self) -> None: ...

    async def close(self) -> None: ...


def _prepare(
    request: EditRequest, caps: Capabilities, works_at: Size | None, limits: LimitSettings, reframed: Size | None
) -> Prepared:
    given = EditInput((_PIXELS,), request.prompt, SIZE)
    return Prepared(given, _PIXELS, None, Transform.plan(SIZE, SIZE, "stretch"), False, False, "png")


def _finish(prepared: Prepared, image: EditedImage) -> Finished:
    return _FINISHED


class House:
    """One gateway process, from start to its death. `skew`: by how many seconds its clock is wrong."""

    def __init__(
        self,
        name: str,
        loop: VirtualLoop,
        rng: Random,
        disk: Disk,
        chains: list[Chain],
        *,
        skew: float,
        cashier: type[Cashier] = Cashier,
    ) -> None:
        self.process, self._loop = Process(name), loop
        self._context = self.process.context()
        self._answers: dict[asyncio.Future[Any], None] = {}  # in order
        ledger, images = disk.slow(disk.ledger), disk.slow(disk.images)

        def clock() -> float:
            return EPOCH + loop.time() + skew

        engine = SimEngine(rng)
        runner = Runner(images, limits=SETTINGS.limits, prepare=_prepare, finish=_finish)
        gate = Gate([SimTill(chain) for chain in chains])
        self.service = EditingService(
            OrderDesk(_CATALOG, [engine]),
            cashier(gate, ledger, clock=clock, max_open=SETTINGS.limits.open_per_payer),
            ledger,
            runner,
            disk.slow(disk.inputs),
            clock=clock,
            hard_seconds=SETTINGS.hard_seconds,
            lease_seconds=SETTINGS.lease_seconds,
            owner=name,
        )
        self.collector = Collector(self.service, ledger, runner, clock=clock)
        self.sweeper = Sweeper(self.service, ledger, runner, SETTINGS, clock=clock)
        self._offers = gate.offers(Price(PRICE))
        self._orders: dict[int, Order] = {}
        self.background = self._task(self._live())

    def _order(self, body: int) -> Order:
        """As the gateway makes it of a request; this world's requests are always the same."""
        if body not in self._orders:
            desk, request = self.service.desk, REQUESTS[body]
            self._orders[body] = desk.price(desk.plan(request, masked=False, sources=1), request, SIZE)
        return self._orders[body]

    @property
    def answers(self) -> bool:
        return self.process.alive and not self.process.stopped

    async def _live(self) -> None:
        with suppress(asyncio.CancelledError):
            await self.sweeper.run()

    async def edit(self, body: int, payment: Payment, wait: float) -> Delivery | Pending:
        return await self.service.edit(self._order(body), payment, self._offers, wait=wait)

    async def poll(self, job_id: str, payment: Payment | None, wallet: str | None) -> Delivery | Pending:
        return await self.collector.poll(await self.collector.find(job_id), payment, wallet, self._offers)

    async def cancel(self, job_id: str, payment: Payment) -> Pending:
        return await self.collector.cancel(await self.collector.find(job_id), payment, None, self._offers)

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
        self.process.alive = False
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
