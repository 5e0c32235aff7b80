"""The gateway's composition root: settings in, an ASGI application out. Everything is put together here."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from tollbrush import logs
from tollbrush.editing.cashier import Cashier
from tollbrush.editing.collecting import Collector
from tollbrush.editing.orders import OrderDesk
from tollbrush.editing.reconcile import Sweeper
from tollbrush.editing.runner import Runner
from tollbrush.editing.service import EditingService
from tollbrush.engines import registry
from tollbrush.engines.interface import Alarming, Engine
from tollbrush.errors import BadSettings, TollbrushError
from tollbrush.gateway import blockhashes, config, door, edits, jobs, problems
from tollbrush.gateway import catalog as shop
from tollbrush.gateway.edge import Edge, is_loopback
from tollbrush.gateway.images import Images
from tollbrush.gateway.intake import Intake
from tollbrush.gateway.metrics import CountRequests, Metrics, Scrape
from tollbrush.gateway.ops import Ops
from tollbrush.gateway.throttle import Throttle
from tollbrush.gateway.vitals import Watch
from tollbrush.page import Page, facts
from tollbrush.payments import tills
from tollbrush.payments.gate import Gate
from tollbrush.payments.interface import Till
from tollbrush.settings import Settings
from tollbrush.storage.files import FileImages, FileInputs
from tollbrush.storage.interface import ImageStore, InputStore, Ledger
from tollbrush.storage.sqlite import SqliteLedger
from tollbrush.wire.x402 import EXPOSED_HEADERS

_log: Final = structlog.get_logger(__name__)

_ASK_AGAIN: Final = 15.0
"""Seconds between looks at a network that is not ready."""

_BLOCKS_PER_MINUTE: Final = 120
"""From one address; each payment from a browser needs one."""

Handler = Callable[[Request], Awaitable[Response]]

_ALLOWED_HEADERS = (
    "Content-Type", "Authorization", "Prefer", "PAYMENT-SIGNATURE", "X-PAYMENT", "X-Poll-Wallet", "X-Poll-Timestamp",
    "X-Poll-Signature", "Access-Control-Expose-Headers",
)  # fmt: skip


@dataclass(frozen=True)
class Seams:
    """Where the outside world enters: clock, disk, chains and engines. Tests bring their own."""

    clock: Callable[[], float] = time.time
    ledger: Callable[[Path], Ledger] = SqliteLedger
    images: Callable[[Path], ImageStore] = FileImages
    inputs: Callable[[Path], InputStore] = FileInputs
    tills: Callable[[Settings], Sequence[Till]] = tills.build
    engines: Callable[[Settings], list[Engine]] = registry.build


def create_app(settings: Settings, seams: Seams | None = None) -> Starlette:
    """Raises BadSettings. Engines start and stop with the application's lifespan."""
    config.check(settings)
    logs.configure(settings.log_level)
    seams = seams or Seams()
    gateway, clock, data = settings.gateway, seams.clock, settings.data_dir
    engines = seams.engines(settings)
    gate = Gate(seams.tills(settings))
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        images, inputs = seams.images(data / "images"), seams.inputs(data / "inputs")
    except OSError as failure:
        where = failure.filename or data
        raise BadSettings(f"data_dir {data} cannot be used: {where}: {failure.strerror}.") from failure
    metrics = Metrics()
    ledger = metrics.watch(seams.ledger(data / "gateway.db"))
    runner = Runner(images, limits=gateway.limits)
    models = registry.catalog(engines, settings)
    service = EditingService(
        OrderDesk(models, engines),
        Cashier(gate, ledger, clock=clock, max_open=gateway.limits.open_per_payer),
        ledger,
        runner,
        inputs,
        clock=clock,
        hard_seconds=gateway.hard_seconds,
        lease_seconds=gateway.lease_seconds,
        owner=secrets.token_hex(8),
    )
    sweeper = Sweeper(service, ledger, runner, gateway, clock=clock)
    collector = Collector(service, ledger, runner, clock=clock)

    async def close() -> None:
        for engine in engines:
            await engine.close()
        await gate.close()
        await ledger.close()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        for engine in engines:
            await engine.start()
        background = [asyncio.create_task(_introduce(gate)), asyncio.create_task(sweeper.run())]
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await service.drain(gateway.grace_seconds)
            await close()

    app = Starlette(lifespan=lifespan)
    app.router.redirect_slashes = False
    app.add_exception_handler(TollbrushError, problems.on_tollbrush_error)
    app.add_exception_handler(HTTPException, problems.on_http_error)
    app.add_exception_handler(Exception, problems.on_surprise)
    app.state.close, app.state.drain = close, service.drain

    def alarms() -> list[str]:
        """What the engines' own servers need; the log names them, this is for all to read."""
        return sorted({words for e in engines if isinstance(e, Alarming) for words in e.alarms().values()})

    watch = Watch(
        gate,
        ledger,
        data,
        clock=clock,
        low_settlements=gateway.low_settlements,
        caught_up=lambda: sweeper.caught_up,
        alarms=alarms,
    )
    hosts = {*gateway.hosts, urlsplit(gateway.public_url).hostname or "localhost"}
    direct = bool(gateway.trusted_proxies) or all(map(is_loopback, hosts))
    scrape = Scrape(metrics, watch, runner.turnstile, gateway.metrics_from, direct=direct)
    _routes(app, settings, service, collector, images, Ops(watch, gate.networks), scrape, clock)
    app.add_middleware(CountRequests, metrics=metrics)
    app.add_middleware(Edge, hosts=hosts)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=list(_ALLOWED_HEADERS),
        expose_headers=list(EXPOSED_HEADERS),
    )
    return app


async def _introduce(gate: Gate) -> None:
    """Ask the networks until all are ready, so that a facilitator's fee payer is known before the first 402, or as soon
    as it answers; say what is wrong, once."""
    if not gate.networks:
        _log.warning("nothing can be sold: no network has a pay_to", advice="set TOLLBRUSH_NETWORKS__BASE__PAY_TO")
    said: dict[str, str] = {}
    while problems := await gate.problems():
        for network, problem in problems.items():
            if said.get(network) != problem:
                _log.warning("network is not ready", network=network, problem=problem)
        said = problems
        await asyncio.sleep(_ASK_AGAIN)


def _routes(
    app: Starlette,
    settings: Settings,
    service: EditingService,
    collector: Collector,
    images: ImageStore,
    ops: Ops,
    scrape: Scrape,
    clock: Callable[[], float],
) -> None:
    gate = service.cashier.gate
    intake = Intake(service, settings.gateway, settings.data_dir)
    plain, openai = edits.Edits(intake), door.Door(intake, images)

    async def post(request: Request) -> Response:
        return await (openai if request.url.path in door.PATHS else plain).post(request)

    edit = Throttle(post, per_minute=settings.gateway.limits.edits_per_minute)
    recent = blockhashes.Blockhashes(gate, clock=clock)
    blocks = Throttle(recent.get, per_minute=_BLOCKS_PER_MINUTE, what="questions for a block")
    offered = shop.Shop(service, settings.gateway)
    held = jobs.Jobs(collector, gate, settings.gateway, clock=clock)
    table: list[tuple[str, str, Handler]] = [
        *(("POST", path, edit.post) for path in (*edits.PATHS, *door.PATHS)),
        *(("POST", path, offered.quote) for path in shop.QUOTE_PATHS),
        *(("GET", path, blocks.post) for path in blockhashes.PATHS),
        *(("GET", path, offered.models) for path in shop.MODEL_PATHS),
        *(("GET", path, offered.model) for path in shop.ONE_MODEL_PATHS),
        ("GET", "/api/pricing", offered.pricing),
        ("GET", "/.well-known/x402", offered.discovery),
        ("GET", "/llms.txt", offered.llms),
        ("GET", "/openapi.json", offered.described),
        ("GET", "/images/{key}", Images(images).get),
        ("GET", "/healthz", ops.healthz),
        ("GET", "/readyz", ops.readyz),
        ("GET", "/metrics", scrape.get),
    ]
    for method, path, handler in table:
        app.add_route(path, handler, methods=[method])
    for path in jobs.PATHS:
        app.add_route(path, held.handle, methods=["GET", "DELETE"])
    public = urlsplit(settings.gateway.public_url)
    origins = [f"{public.scheme}://{public.netloc}"] if public.netloc else []
    app.router.routes.extend(Page(facts("gateway", settings), origins=origins).routes())
