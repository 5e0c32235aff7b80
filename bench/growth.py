"""How a gateway's CPU grows with the body and with requests at once, and how long its event loop ever stands still."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

import httpx2
import numpy as np

from bench.measure import Row
from bench.shop import FIELDS, PATH, Bench, opened
from tollbrush.imaging.png import encode_png

MEGABYTES = (0.37, 1, 2, 4, 8, 16, 24, 42)
AT_ONCE = (1, 16, 64)
REPEATED = 3
_EACH = 10.6  # megabytes of a picture at most: a model takes four
_LOOK_SECONDS = 0.005


def run() -> list[Row]:
    with opened() as bench, httpx2.Client(timeout=300) as http:
        for headers in bench.headers(http, 8):
            bench.request(http, headers).raise_for_status()
        with _watched(bench) as idle:
            time.sleep(2)
        unpaid = _by_size(bench, http, "unpaid 402", idle.longest, [None] * len(MEGABYTES) * REPEATED)
        paid = bench.headers(http, len(MEGABYTES) * REPEATED)
        return unpaid + _by_size(bench, http, "paid edit", idle.longest, paid) + _by_number(bench, idle.longest)


def _by_size(
    bench: Bench, http: httpx2.Client, name: str, idle: float, headers: Sequence[dict[str, str] | None]
) -> list[Row]:
    """A line through CPU against megabytes: its slope, and how straight it is."""
    given, spent, stall = iter(headers), [], 0.0
    for size in MEGABYTES:
        files = _pictures(size)
        before = bench.cpu_seconds()
        with _watched(bench) as watch:
            for each in islice(given, REPEATED):
                answer = http.post(bench.shop.url + PATH, data=FIELDS, files=files, headers=each)
                assert answer.status_code == (402 if each is None else 200), answer.text
        spent.append((bench.cpu_seconds() - before) * 1000 / REPEATED)
        stall = max(stall, watch.longest)
    slope, start = np.polyfit(MEGABYTES, spent, 1)
    straight = np.corrcoef(MEGABYTES, spent)[0, 1] ** 2
    return [
        Row(f"{name}: CPU a megabyte, {MEGABYTES[0]} to {MEGABYTES[-1]} MB; R² {straight:.3f}", float(slope)),
        Row(f"{name}: CPU of a body without bytes", float(start)),
        Row(f"{name}: longest wait for /healthz meanwhile", stall, idle, "at rest", idle / stall),
    ]


def _pictures(megabytes: float) -> list[tuple[str, tuple[str, bytes, str]]]:
    """As many PNGs of noise, of equal size, as make up these bytes."""
    count = math.ceil(megabytes / _EACH)
    side = round(math.sqrt(megabytes * 1e6 / count / 3))
    noise = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return [("image[]", (f"{i}.png", encode_png(noise), "image/png")) for i in range(count)]


def _by_number(bench: Bench, idle: float) -> list[Row]:
    """CPU of an unpaid request, alone and among others."""
    rows: list[Row] = []
    for at_once in AT_ONCE:
        calls = max(64, at_once)
        limits = httpx2.Limits(max_connections=at_once)
        with ThreadPoolExecutor(at_once) as pool, httpx2.Client(timeout=300, limits=limits) as http:
            list(pool.map(lambda _: bench.request(http), range(at_once)))
            before = bench.cpu_seconds()
            with _watched(bench) as watch:
                list(pool.map(lambda _: bench.request(http), range(calls)))
            spent = (bench.cpu_seconds() - before) * 1000 / calls
        first = rows[0].ours if rows else None
        rows.append(Row(f"unpaid 402, {at_once} at once", spent, first, "1 at once", first and first / spent))
    name = f"longest wait for /healthz, {AT_ONCE[-1]} at once"
    return [*rows, Row(name, watch.longest, idle, "at rest", idle / watch.longest)]


@dataclass
class _Watch:
    """`longest`: milliseconds."""

    longest: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def _watched(bench: Bench) -> Iterator[_Watch]:
    """Asks for the gateway's health all the time."""
    watch = _Watch()

    def look() -> None:
        with httpx2.Client() as http:
            http.get(bench.shop.url + "/healthz")
            while not watch.ended.wait(_LOOK_SECONDS):
                begun = time.perf_counter()
                http.get(bench.shop.url + "/healthz")
                watch.longest = max(watch.longest, (time.perf_counter() - begun) * 1000)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        watch.ended.set()
        thread.join()
