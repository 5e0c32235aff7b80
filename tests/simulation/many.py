"""Many histories, on as many cores as there are."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog

from simulation.world import World
from tollbrush.errors import TollbrushError

Found = list[tuple[int, list[str]]]
_CHUNK: Final = 500
_YOUNG: Final = 10_000
"""Objects between two collections: so few that they are still in the processor's cache."""


@dataclass(frozen=True)
class Tally:
    """`found`: the seeds whose histories went wrong, each with what did. `seconds` by the clock, `cpu` at work."""

    count: int
    found: Found
    seconds: float
    cpu: float

    def __str__(self) -> str:
        return (
            f"{self.count:,} histories in {self.seconds:.1f} s, {self.count / self.seconds * 60:,.0f} a minute, "
            f"{self.cpu / self.count * 1000:.2f} ms of a processor each: {len(self.found)} wrong"
        )


def histories(first: int, count: int, *, workers: int | None = None) -> Tally:
    """The seeds from `first` on."""
    chunks = [(start, min(_CHUNK, first + count - start)) for start in range(first, first + count, _CHUNK)]
    workers = min(workers or os.cpu_count() or 1, len(chunks))
    began = time.perf_counter()
    # Forked from a server that has no threads: this process may have some.
    with multiprocessing.get_context("forkserver").Pool(workers) as pool:
        parts = pool.starmap(_timed, chunks, chunksize=1)
    seconds = time.perf_counter() - began
    return Tally(count, [found for part, _ in parts for found in part], seconds, sum(cpu for _, cpu in parts))


def _timed(first: int, count: int) -> tuple[Found, float]:
    began = time.process_time()
    return some(first, count), time.process_time() - began


def some(first: int, count: int, *, enough: int | None = None, **world: Any) -> Found:
    """What went wrong, here and now; `world` is what every World gets. Stops when `enough` went wrong."""
    found: Found = []
    often = gc.get_threshold()
    gc.freeze()  # what is there now outlives every history
    gc.set_threshold(_YOUNG, 100)
    with surprises() as seen:
        for seed in range(first, first + count):
            if wrong := World(seed, **world).run() + seen:
                found.append((seed, wrong))
                seen.clear()
            if len(found) == enough:
                break
    gc.set_threshold(*often)
    gc.unfreeze()
    return found


@contextmanager
def surprises() -> Iterator[list[str]]:
    """What the product survives and logs, and should never see: exceptions that are not of the error tree."""
    seen: list[str] = []

    def note(logger: object, method: str, event: MutableMapping[str, Any]) -> Any:
        failure = sys.exc_info()[1]
        if failure is not None and not isinstance(failure, TollbrushError):
            seen.append(f"{event.get('event')}: {failure!r}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[note])
    try:
        yield seen
    finally:
        structlog.configure(**before)
