"""The router's composition root: a local door to a gateway, which pays by itself within its owner's limits."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tollbrush import logs
from tollbrush.errors import BadSettings, InternalError, NotFound, TollbrushError
from tollbrush.router.buying import Buyer
from tollbrush.router.guard import Guard, load_token
from tollbrush.router.problems import problem
from tollbrush.router.replay import Replays
from tollbrush.router.results import History, Pictures
from tollbrush.router.routes import Routes
from tollbrush.router.sources import Sources
from tollbrush.settings import Settings

FOLDER: Final = "router"
"""Where results and history are kept below the data folder."""
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_log: Final = structlog.get_logger(__name__)


def create_router(settings: Settings, *, clock: Callable[[], float] = time.time) -> Starlette:
    """`clock` gives Unix seconds. Raises BadSettings, Unavailable when the data folder cannot be used."""
    logs.configure(settings.log_level)
    if settings.router.host not in LOOPBACK:
        raise BadSettings(
            f"router.host is {settings.router.host!r}: the router spends money and serves this machine only.",
            advice=f"Set one of {', '.join(LOOPBACK)}.",
        )
    folder = settings.data_dir / FOLDER
    pictures = Pictures(folder / "images", quota=settings.router.quota_bytes)
    history = History(folder / "history.db")
    buyer = Buyer(settings, pictures, history, clock=clock)
    replays = Replays(history, pictures, buyer.bring_home, clock=clock)
    limits = settings.gateway.limits
    routes = Routes(buyer, replays, pictures, history, Sources(settings.router, limits), limits)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await replays.drain()
        await buyer.close()
        history.close()

    app = Starlette(
        routes=routes.table(),
        lifespan=lifespan,
        exception_handlers={TollbrushError: _on_error, HTTPException: _on_http_error, Exception: _on_surprise},
    )
    app.add_middleware(Guard, token=load_token(settings.data_dir), max_body=limits.body_bytes)
    return app


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TollbrushError)
    return problem(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """What the web framework refuses by itself: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem(NotFound(f"nothing is at {request.url.path[:200]!r}.", advice="GET / lists the routes."))
    body = {"error": error.detail, "code": "http_error", "message": error.detail}
    return JSONResponse(body, error.status_code, error.headers)


async def _on_surprise(request: Request, error: Exception) -> Response:
    opaque = secrets.token_hex(8)
    _log.error("unforeseen error", id=opaque, path=request.url.path, exc_info=error)
    return problem(InternalError(f"something broke in the router (id {opaque}).", advice="Its log says what."))
