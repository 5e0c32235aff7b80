"""The same call twice is one purchase: a second one joins the first while it runs, and for ten minutes after it
gets the same answer again. A purchase whose pictures did not come home is fetched again, not paid again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tollbrush.router.results import History, Pictures, Row

WINDOW_SECONDS: Final = 600.0

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """An answer, and whether it was bought before this call."""

    answer: Answer
    replayed: bool


class Replays:
    """`bring_home` turns a gateway's answer into ours, its pictures saved; `clock` gives Unix seconds."""

    def __init__(
        self,
        history: History,
        pictures: Pictures,
        bring_home: Callable[[Answer], Awaitable[Answer]],
        *,
        clock: Callable[[], float],
    ) -> None:
        self._history, self._pictures, self._bring_home, self._clock = history, pictures, bring_home, clock
        self._running: dict[str, asyncio.Task[Answer]] = {}
        self._tasks: set[asyncio.Task[Answer]] = set()

    async def once(
        self,
        digest: str,
        prompt: str,
        buy: Callable[[], Awaitable[Answer]],
        *,
        again: bool = False,
        since: float | None = None,
    ) -> Result:
        """The answer for `digest`, bought at most once at a time. `again`: buy anew whatever was bought before.
        `since`: what was bought at or after this moment is not bought again; by default the window.
        A caller that goes away leaves the purchase running: it is found in the history."""
        task = None if again else self._running.get(digest)
        joined = task is not None
        if task is None:
            # No await between the look and the entry: two calls at once cannot both find nothing.
            start = self._clock() - WINDOW_SECONDS
            start = start if since is None else min(start, since)
            before = None if again else self._history.latest(digest, since=start)
            if before and before.answer and all(self._pictures.has(d["key"]) for d in before.answer["data"]):
                return Result(before.answer, True)
            joined = before is not None
            task = asyncio.create_task(self._fetch(before) if before else self._buy(digest, prompt, buy))
            self._enter(digest, task)
        return Result(await asyncio.shield(task), joined)

    async def drain(self) -> None:
        """Wait for what is being bought."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _buy(self, digest: str, prompt: str, buy: Callable[[], Awaitable[Answer]]) -> Answer:
        bought = await buy()
        row = self._history.paid(digest, prompt, bought, at=self._clock())
        return await self._home(row, bought)

    async def _fetch(self, before: Row) -> Answer:
        return await self._home(before.id, before.bought)

    async def _home(self, row: int, bought: Answer) -> Answer:
        answer = await self._bring_home(bought)
        self._history.home(row, answer)
        return answer

    def _enter(self, digest: str, task: asyncio.Task[Answer]) -> None:
        self._tasks.add(task)
        self._running[digest] = task
        task.add_done_callback(lambda done: self._forget(digest, done))

    def _forget(self, digest: str, done: asyncio.Task[Answer]) -> None:
        self._tasks.discard(done)
        if self._running.get(digest) is done:
            del self._running[digest]
        if not done.cancelled():
            done.exception()  # seen: whoever waited has it, and nobody waiting is no reason to warn
