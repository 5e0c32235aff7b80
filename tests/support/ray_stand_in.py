"""Serve's HTTP proxy without Ray, for what needs no cluster: a replica behind it, or one that misbehaves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.diffusion.ray.address import APPLICATION, ROUTE
from tollbrush.engines.diffusion.ray.replica import Replica
from tollbrush.engines.diffusion.ray.residents import Resident

Answer = Callable[[Request], Awaitable[Response]]


@dataclass
class Proxy:
    """`edit` and `models` answer the application's two routes; `routes` is what Serve would list."""

    edit: Answer
    models: Answer
    routes: dict[str, str] = field(default_factory=lambda: {ROUTE: APPLICATION})
    port: int = 0
    asked: int = 0

    @property
    def url(self) -> str:
        return f"ray://127.0.0.1:{self.port}"

    def app(self) -> Starlette:
        async def edit(request: Request) -> Response:
            self.asked += 1
            return await self.edit(request)

        async def models(request: Request) -> Response:
            return await self.models(request)

        async def routes(_: Request) -> Response:
            return JSONResponse(self.routes)

        return Starlette(
            routes=[
                Route(f"{ROUTE}/edit", edit, methods=["POST"]),
                Route(f"{ROUTE}/models", models),
                Route("/-/routes", routes),
            ]
        )


@asynccontextmanager
async def listening(proxy: Proxy) -> AsyncIterator[Proxy]:
    """It answers at `proxy.url` until the block ends."""
    config = uvicorn.Config(proxy.app(), log_level="critical", ws="none", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", proxy.port)) as bound:
        proxy.port = bound.getsockname()[1]
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            yield proxy
        finally:
            server.should_exit = True
            await serving


def replica_of(
    models: Models, *names: str, secret: str = "", width: int = 4, check: Callable[[], None] = lambda: None
) -> Replica:
    """One that keeps every model it has loaded."""
    kept: dict[str, Resident] = {}

    async def resident(name: str) -> Resident:
        await asyncio.to_thread(models.load, name, lambda _doing, _part: None)
        return kept.setdefault(name, Resident(models, name))

    return Replica("a replica", models, names, resident, secret=secret, width=width, check=check)
