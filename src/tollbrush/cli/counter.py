"""Where a command buys and asks: the router that runs on this machine, else one in this process.

Both are the same program over the same files, so whatever a command bought, replays and `history` find it; nothing
identical is paid for twice, and a payment that was signed before an interruption is sent again instead of a second
one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx2
import msgspec

from tollbrush.cli.context import find_router, unlocked
from tollbrush.cli.terminal import Terminal
from tollbrush.client import AsyncClient, open_http
from tollbrush.client.problems import from_answer
from tollbrush.client.transport import NoAnswer, NotSent, send, unreachable
from tollbrush.errors import TollbrushError, Unavailable
from tollbrush.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette

_HERE: Final = "http://127.0.0.1"
"""The address that a router in this process is called by; nothing listens there."""


@asynccontextmanager
async def open_counter(settings: Settings, terminal: Terminal, *, direct: bool) -> AsyncIterator[Counter]:
    """The counter until the block ends. Interrupted, it first brings home what is being bought in this process; a
    second interruption leaves it. Raises the client's errors, with the next command to type."""
    router = None if direct else find_router(settings)
    with advised(settings):
        if router:
            async with open_http(router) as http:
                try:
                    yield Counter(router, http)
                except asyncio.CancelledError:
                    terminal.note("Interrupted. The router finishes what is being bought: tollbrush history")
                    raise
            return
        from tollbrush.router.app import create_router

        app = create_router(unlocked(settings).model_copy(update={"log_level": "error"}))
        through = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with _alive(app), httpx2.AsyncClient(transport=through, timeout=None) as http:
            try:
                yield Counter(_HERE, http)
            except asyncio.CancelledError:
                terminal.note("Interrupted: waiting for what is being bought. Ctrl-C again leaves it.")
                raise


@asynccontextmanager
async def _alive(app: Starlette) -> AsyncIterator[None]:
    """The app's lifespan; it ends in the same way whatever happens meanwhile."""
    lifespan = app.router.lifespan_context(app)
    await lifespan.__aenter__()
    try:
        yield
    finally:
        await lifespan.__aexit__(None, None, None)


class Counter:
    """An open router: `client` edits there, and asks."""

    def __init__(self, base: str, http: httpx2.AsyncClient) -> None:
        self.client = AsyncClient(router=base, http=http)
        self._base, self._http = base, http

    async def picture(self, url: str) -> bytes:
        """A saved result by its URL of this router's. Raises NotFound."""
        path = "/images/" + url.rpartition("/")[2]
        try:
            answer = await send(self._http, "GET", self._base + path, headers={"accept": "image/*"})
        except (NotSent, NoAnswer) as failure:
            raise nobody(self._base) from failure
        if answer.status != 200:
            raise from_answer(answer, self._base)
        return answer.body


def ask(settings: Settings, method: str, path: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A free question to the running router, else to the gateway: both know these routes, and no wallet is needed.
    Raises the client's errors."""
    base = find_router(settings) or settings.router.gateway_url.rstrip("/")
    content = None if fields is None else msgspec.json.encode(fields)
    headers = {"content-type": "application/json", "accept": "application/json"}

    async def call() -> dict[str, Any]:
        async with open_http(base) as http:
            try:
                answer = await send(http, method, base + path, content=content, headers=headers)
            except (NotSent, NoAnswer) as failure:
                raise nobody(base) from failure
        said = answer.json()
        if answer.status != 200 or said is None:
            raise from_answer(answer, base)
        return said

    with advised(settings):
        return asyncio.run(call())


def nobody(base: str) -> Unavailable:
    error = unreachable(base)
    error.hint = _START
    return error


@contextmanager
def advised(settings: Settings) -> Iterator[None]:
    """An error that a command of ours can mend names that command."""
    try:
        yield
    except Unavailable as error:
        if settings.router.gateway_url.rstrip("/") in error.message and "does not answer" in error.message:
            error.hint = _START
        raise
    except TollbrushError as error:
        error.hint = error.hint.replace(" with max_price", " with --max-price")
        raise


_START: Final = (
    "Nothing was paid. Start everything here: `tollbrush up`. Or name a gateway: TOLLBRUSH_ROUTER__GATEWAY_URL."
)
