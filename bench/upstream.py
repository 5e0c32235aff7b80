"""What a paid edit through the gateway costs beyond asking its upstream directly: its CPU, and the time that passes."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2

from bench.measure import Row
from bench.shop import BASE, Bench, opened
from tollbrush.domain.networks import BY_ID
from tollbrush.domain.payments import Payment
from tollbrush.payments.eip3009 import address_of, authorize
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.rpc import JsonRpc

AT_ONCE = (1, 16)
CALLS = 48


def run() -> list[Row]:
    rows = []
    with opened() as bench, httpx2.Client() as http:
        for headers in bench.headers(http, 8):
            bench.request(http, headers).raise_for_status()
        chain = asyncio.run(_on_chain(bench))
        for at_once in AT_ONCE:
            rows += _measure(bench, http, at_once, chain)
    return [*rows, Row("of it, verifying and settling on local Base by RPC", chain)]


async def _on_chain(bench: Bench) -> float:
    """CPU milliseconds of this thread for what a till does for one payment; the chain works elsewhere."""
    network, key = BY_ID[BASE], os.urandom(32)
    bench.shop.base.fund(address_of(key), 0)
    till = EvmTill(network, bench.shop.seller_evm, JsonRpc(bench.shop.base.rpc_url), key.hex())
    due = till.requirement(21_000)

    async def once() -> None:
        now = int(time.time())
        payload = authorize(bench.buyer.evm_key, due, network.chain_id, now=now, nonce=os.urandom(32))
        paid = Payment(1, "exact", BASE, payload)
        await till.settle(await till.verify(paid, due, now=now, deadline=now + 60))

    await once()
    begun = time.thread_time()
    for _ in range(CALLS):
        await once()
    spent = (time.thread_time() - begun) * 1000 / CALLS
    await till.close()
    return spent


def _measure(bench: Bench, http: httpx2.Client, at_once: int, chain: float) -> list[Row]:
    headers = bench.headers(http, CALLS)
    with httpx2.Client() as many:
        direct = _times(lambda _: bench.direct(many), at_once)
        before = bench.cpu_seconds()
        ours = _times(lambda i: bench.request(many, headers[i]), at_once)
        spent = (bench.cpu_seconds() - before) * 1000 / CALLS
    return [
        Row(f"gateway's CPU an edit, {at_once} at once", spent),
        Row(f"the same without the chain, {at_once} at once", spent - chain),
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
