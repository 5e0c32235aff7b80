"""One settlement of a payment at a time, whoever asks and however many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tollbrush.domain.charges import ClaimKey
from tollbrush.payments.interface import Settlement


class Once:
    """Callers of the same payment share one run. A caller that goes away does not stop it: a transaction on its way
    must not be left unwatched."""

    def __init__(self) -> None:
        self._running: dict[ClaimKey, asyncio.Task[Settlement]] = {}

    async def run(self, key: ClaimKey, work: Callable[[], Coroutine[Any, Any, Settlement]]) -> Settlement:
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(work())
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)
