"""Interleaved measurement: machines are noisy, ratios within one run are not."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

ROUNDS = 9


@dataclass(frozen=True)
class Row:
    """Milliseconds of CPU per call, medians over the rounds; `ratio` is peer / ours, `spread` its quartiles. Where
    `ours` is wall time, `cpu` may say the CPU's, and `memory` the most megabytes held."""

    name: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    cpu: float | None = None
    memory: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(
    name: str, ours: Callable[[], object], peer: Callable[[], object], *, peer_name: str, calls: int = 1
) -> Row:
    """Runs both in turns, after one warm-up of each."""
    ours(), peer()
    pairs = [(cpu_ms(ours, calls), cpu_ms(peer, calls)) for _ in range(ROUNDS)]
    ratios = [theirs / mine for mine, theirs in pairs]
    low, middle, high = statistics.quantiles(ratios, n=4)
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Row(name, mine, theirs, peer_name, middle, (low, high))


def alone(name: str, ours: Callable[[], object], *, rounds: int = 5, wall: bool = False, calls: int = 1) -> Row:
    """No peer does this: its time only. `wall` for work that is spread over processes."""
    ours()
    clock = wall_ms if wall else cpu_ms
    return Row(name, statistics.median(clock(ours, calls) for _ in range(rounds)))


def cpu_ms(call: Callable[[], object], calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) * 1000 / calls


def wall_ms(call: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) * 1000 / calls
