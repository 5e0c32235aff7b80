"""The router's composition root: a local door to a gateway, which pays by itself within its owner's limits."""

from __future__ import annotations

import fcntl
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tollbrush import logs
from tollbrush.client.history import History
from tollbrush.errors import BadSettings, InternalError, NotFound, TollbrushError
from tollbrush.page import Page, facts
from tollbrush.router.buying import Buyer
from tollbrush.router.catalog import Catalog
from tollbrush.router.desk import Desk
from tollbrush.router.guard import Guard, load_token
from tollbrush.router.market import Market
from tollbrush.router.problems import problem
from tollbrush.router.results import Pictures
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
    for place in settings.router.extra_hosts:
        name, colon, port = place.rpartition(":")
        if not (name and colon and port.isdigit()) or "/" in name:
            raise BadSettings(
                f"router.extra_hosts holds {place[:80]!r}; it takes HOST:PORT, without a scheme.",
                advice="Write one such as '192.168.1.5:8000'.",
            )
    folder = settings.data_dir / FOLDER
    pictures = Pictures(folder / "images", quota=settings.router.quota_bytes)
    history, market = History(folder / "history.db"), Market(settings, clock=clock)
    buyer = Buyer(settings, market, pictures, history, clock=clock)
    catalog = Catalog(market, clock=clock)
    desk = Desk(market, catalog, buyer, pictures, history, clock=clock)
    limits = settings.gateway.limits
    sources = Sources(settings.router, limits)
    routes = Routes(desk, market, pictures, history, catalog, sources, limits)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with _first(folder) as first:
            try:
                if first:
                    desk.recover()
                yield
                await desk.drain(settings.gateway.grace_seconds)
            finally:
                await market.close()
                history.close()

    token = load_token(settings.data_dir)
    page = Page(facts("router", settings, token=token))
    app = Starlette(
        routes=[*routes.table(), *page.routes()],
        lifespan=lifespan,
        exception_handlers={TollbrushError: _on_error, HTTPException: _on_http_error, Exception: _on_surprise},
    )
    app.add_middleware(Guard, token=token, max_body=limits.body_bytes)
    return app


@contextmanager
def _first(folder: Path) -> Iterator[bool]:
    """Whether this process is the first of those that share the folder: that one goes on with what was left."""
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


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
