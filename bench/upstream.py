"""What a paid edit through the gateway costs beyond asking its upstream directly: its CPU, and the time that passes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2

from bench.measure import Row
from bench.shop import Bench, opened

AT_ONCE = (1, 16)
CALLS = 48


def run() -> list[Row]:
    rows = []
    with opened() as bench, httpx2.Client() as http:
        for headers in bench.headers(http, 8):
            bench.request(http, headers).raise_for_status()
        for at_once in AT_ONCE:
            rows += _measure(bench, http, at_once)
    return rows


def _measure(bench: Bench, http: httpx2.Client, at_once: int) -> list[Row]:
    headers = bench.headers(http, CALLS)
    with httpx2.Client() as many:
        direct = _times(lambda _: bench.direct(many), at_once)
        before = bench.cpu_seconds()
        ours = _times(lambda i: bench.request(many, headers[i]), at_once)
        spent = (bench.cpu_seconds() - before) * 1000 / CALLS
    return [
        Row(f"gateway's CPU an edit, {at_once} at once", spent),
        Row(
            f"median time an edit, {at_once} at once", statistics.median(ours), statistics.median(direct), "direct",
            statistics.median(direct) / statistics.median(ours),
        ),
    ]  # fmt: skip


def _times(call: Callable[[int], httpx2.Response], at_once: int) -> list[float]:
    """Milliseconds of each of `CALLS` calls."""

    def timed(index: int) -> float:
        start = time.perf_counter()
        call(index).raise_for_status()
        return (time.perf_counter() - start) * 1000

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(timed, range(CALLS)))
