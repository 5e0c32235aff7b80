"""What a gateway holds in memory while 64 edits wait for a slow upstream, against the bytes that came in."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2

from bench.measure import Row
from bench.shop import Bench, opened

PARKED = 64


def run() -> list[Row]:
    with opened() as bench, httpx2.Client() as http:
        for headers in bench.headers(http, 8):  # what a first edit loads stays loaded
            bench.request(http, headers).raise_for_status()
        rest = bench.memory()
        parked = _parked(bench, http)
    body = PARKED * len(bench.picture)
    print(f"{PARKED} bodies of {len(bench.picture):,} bytes: {parked / 2**20:.0f} MiB more than at rest.")
    return [
        Row("MiB at rest", rest / 2**20),
        Row("bytes parked a body byte", max(0.0, parked) / body),
    ]


def _parked(bench: Bench, http: httpx2.Client) -> int:
    """Bytes more than at rest, once all have been sent on."""
    headers = bench.headers(http, PARKED)
    rest = bench.memory()
    httpx2.post(f"{bench.upstream}/hold").raise_for_status()
    with ThreadPoolExecutor(PARKED) as pool, httpx2.Client(limits=httpx2.Limits(max_connections=PARKED)) as many:
        answers = [pool.submit(bench.request, many, h) for h in headers]
        while httpx2.get(f"{bench.upstream}/held").json() < PARKED:
            failed = [a.result() for a in answers if a.done()]
            assert not failed, failed[0].text
            time.sleep(0.2)
        more = bench.memory() - rest
        httpx2.post(f"{bench.upstream}/release").raise_for_status()
        for answer in answers:
            answer.result().raise_for_status()
    return more
