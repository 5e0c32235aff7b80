"""Where a command buys and asks: the router that runs on this machine, else one in this process.

Both are the same program over the same files, so whatever a command bought, replays and `history` find it; nothing
identical is paid for twice, and a payment that was signed before an interruption is sent again instead of a second
one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import httpx2
import msgspec

from tollbrush.cli.context import find_router
from tollbrush.cli.terminal import Terminal
from tollbrush.client import AsyncClient, open_http
from tollbrush.client.problems import from_answer
from tollbrush.client.transport import Answer, NoAnswer, NotSent, send, unreachable
from tollbrush.errors import TollbrushError, Unavailable
from tollbrush.settings import Settings

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

        app = create_router(settings.model_copy(update={"log_level": "error"}))
        through = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=through, timeout=None) as http:
            try:
                yield Counter(_HERE, http)
            except asyncio.CancelledError:
                terminal.note("Interrupted: waiting for what is being bought. Ctrl-C again leaves it.")
                raise


class Counter:
    """An open router: `client` edits and quotes there, `get` reads its other routes."""

    def __init__(self, base: str, http: httpx2.AsyncClient) -> None:
        self.client = AsyncClient(router=base, http=http)
        self._base, self._http = base, http

    async def get(self, path: str) -> dict[str, Any]:
        """The JSON object at this path. Raises the client's errors."""
        answer = await self._call(path, "application/json")
        said = answer.json()
        if answer.status != 200 or said is None:
            raise from_answer(answer, self._base)
        return said

    async def picture(self, url: str) -> bytes:
        """A saved result by its URL of this router's. Raises NotFound."""
        answer = await self._call("/images/" + url.rpartition("/")[2], "image/*")
        if answer.status != 200:
            raise from_answer(answer, self._base)
        return answer.body

    async def _call(self, path: str, accept: str) -> Answer:
        try:
            return await send(self._http, "GET", self._base + path, headers={"accept": accept})
        except (NotSent, NoAnswer) as failure:
            raise nobody(self._base) from failure


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
