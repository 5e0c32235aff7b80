"""The same call twice is one purchase: a second one joins the first while it runs, and for ten minutes after it
gets the same answer again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from tollbrush.router.results import Bought, History

WINDOW_SECONDS: Final = 600.0

Answer = Mapping[str, Any]
Buy = Callable[[], Awaitable[Answer]]


class Replays:
    """`clock` gives Unix seconds; `intact` says whether an answer's pictures are still here."""

    def __init__(self, history: History, *, clock: Callable[[], float], intact: Callable[[Answer], bool]) -> None:
        self._history, self._clock, self._intact = history, clock, intact
        self._running: dict[str, asyncio.Task[Answer]] = {}
        self._tasks: set[asyncio.Task[Answer]] = set()

    async def once(self, digest: str, prompt: str, buy: Buy, *, again: bool = False) -> Answer:
        """The answer for `digest`, bought at most once at a time. `again`: buy anew whatever was bought before.
        A caller that goes away leaves the purchase running: its answer is found in the history."""
        task = None if again else self._running.get(digest)
        if task is None:
            bought = None if again else self._history.latest(digest, since=self._clock() - WINDOW_SECONDS)
            if bought and self._intact(bought.answer):
                return {**bought.answer, "replayed": True}
            task = asyncio.create_task(self._buy(digest, prompt, buy))
            self._tasks.add(task)
            self._running[digest] = task
            task.add_done_callback(lambda done: self._forget(digest, done))
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait for what is being bought."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _buy(self, digest: str, prompt: str, buy: Buy) -> Answer:
        answer = await buy()
        self._history.add(digest, Bought(self._clock(), prompt, answer))
        return answer

    def _forget(self, digest: str, done: asyncio.Task[Answer]) -> None:
        self._tasks.discard(done)
        if self._running.get(digest) is done:
            del self._running[digest]
        if not done.cancelled():
            done.exception()  # seen: whoever waited has it, and nobody waiting is no reason to warn
