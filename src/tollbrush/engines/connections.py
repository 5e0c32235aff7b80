"""An engine's connections to its servers, and a look at them every so often, from its start to its close."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp

_KEEP_ALIVE: Final = 60.0


class Connections:
    """`check` looks after the servers, every `seconds`; 0: never."""

    def __init__(self, check: Callable[[], Awaitable[object]], seconds: float) -> None:
        self._check, self._seconds = check, seconds
        self._http: aiohttp.ClientSession | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None, "start() comes first"
        return self._http

    def open(self) -> None:
        """As many as are asked for; nothing that a server says is kept for the next request."""
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE), cookie_jar=aiohttp.DummyCookieJar()
        )
        if self._seconds:
            self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        if self._http is not None:
            await self._http.close()

    async def _watch(self) -> None:
        while True:
            await self._check()
            await asyncio.sleep(self._seconds)
