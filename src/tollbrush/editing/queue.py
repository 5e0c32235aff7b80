"""Turns at an engine: so many at work, so many waiting, and for the rest an honest no."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tollbrush.engines.interface import Engine
from tollbrush.errors import Unavailable


class Turnstile:
    """One line per engine. `per_engine` bounds those who wait there, `in_all` all edits at hand."""

    def __init__(self, *, per_engine: int, in_all: int) -> None:
        self._per_engine, self._in_all = per_engine, in_all
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._waiting: dict[str, list[str]] = {}
        self._working: Counter[str] = Counter()

    def check_room(self, engine: Engine, width: int, at_hand: Sequence[str]) -> None:
        """Before any claim. `at_hand` names the engine of every edit of this process from its verification on, up to
        the new one and with it: counted so, a burst cannot pass while the line still looks short, nor can those that
        come too late keep out those that came before. Raises Unavailable."""
        if at_hand.count(engine.name) > width + self._per_engine or len(at_hand) > self._in_all:
            raise Unavailable("The gateway is at capacity.", retry_after=10)

    def waiting(self) -> dict[str, int]:
        """Engine → how many wait for it; engines that never had work are absent."""
        return {name: len(line) for name, line in self._waiting.items()}

    def working(self) -> dict[str, int]:
        """Engine → how many are at work there."""
        return dict(self._working)

    def position(self, job_id: str) -> int:
        """How many of the line are before this job and it itself; 0 when it is at work or nowhere."""
        for line in self._waiting.values():
            if job_id in line:
                return line.index(job_id) + 1
        return 0

    @asynccontextmanager
    async def turn(self, engine: Engine, job_id: str, width: int) -> AsyncIterator[None]:
        line = self._waiting.setdefault(engine.name, [])
        turns = self._turns.setdefault(engine.name, asyncio.Semaphore(width))
        line.append(job_id)
        try:
            await turns.acquire()
        finally:
            line.remove(job_id)
        self._working[engine.name] += 1
        try:
            yield
        finally:
            self._working[engine.name] -= 1
            turns.release()
