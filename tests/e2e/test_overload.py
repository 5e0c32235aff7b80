"""More than a gateway can take: it says no, with the time to come back, and stays alive."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from support.pictures import data_uri, photo
from support.servers import free_port, running
from support.shop import EDIT, FUNDS, Shop, offer, open_shop, payment_header

pytestmark = pytest.mark.e2e

BASE = "eip155:84532"
PRICE = 21_000
LONG = os.environ.get("TOLLBRUSH_E2E") == "long"
CONNECTIONS = 220
BODIES = 32 * 2**20
BODY = 8 * 2**20
QUEUE = 2
WIDTH = 64
TIMES = 64 if LONG else 8
_LOAD_BYTES = 256 * 2**20
TURNS = 400
"""So many bytes, at most, a slow caller gets to send."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A gateway that can take little, and waits for nobody."""
    limits = {
        "CONNECTIONS": CONNECTIONS,
        "HEADER_SECONDS": 4,
        "BODY_SECONDS": 4,
        "BODIES_BYTES": BODIES,
        "BODY_BYTES": BODY,
        "IDLE_SECONDS": 2,
        "QUEUED_PER_ENGINE": QUEUE,
        "EDITS_PER_MINUTE": 100_000,
        "OPEN_PER_PAYER": 100,
    }
    with open_shop(
        tmp_path_factory.mktemp("small"),
        TOLLBRUSH_ENGINES__STUDIO__ENABLED="false",
        **{f"TOLLBRUSH_GATEWAY__LIMITS__{name}": str(value) for name, value in limits.items()},
    ) as opened:
        yield opened


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def dribble(self, data: bytes) -> bytes:
        """All answers to these bytes, sent one by one until the other side has enough."""
        answer = b""
        for i in range(TURNS):
            try:
                async with asyncio.timeout(0.1):
                    if not (more := await self.reader.read(65536)):
                        return answer
                    answer += more
            except TimeoutError:
                if not answer:
                    self.writer.write(data[i % len(data) :][:1])
            except ConnectionError:
                return answer
        raise AssertionError("never cut")

    async def ask(self, path: str) -> bytes:
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return await self.reader.read()


@asynccontextmanager
async def calling(shop: Shop, count: int) -> AsyncIterator[list[Caller]]:
    where = urlsplit(shop.url)
    opened = [await asyncio.open_connection(where.hostname, where.port) for _ in range(count)]
    callers = [Caller(*pair) for pair in opened]
    try:
        yield callers
    finally:
        for caller in callers:
            caller.writer.close()
        await asyncio.gather(*(c.writer.wait_closed() for c in callers), return_exceptions=True)


async def health(shop: Shop, while_: asyncio.Future[Any]) -> int:
    """How often it was green until then; it is never anything else."""
    green = 0
    async with httpx2.AsyncClient(timeout=10) as client:
        while not while_.done():
            assert (await client.get(shop.url + "/healthz")).status_code == 200
            green += 1
            await asyncio.wait({while_}, timeout=0.2)
    return green


async def test_two_hundred_heads_at_a_byte_a_time_are_cut(small: Shop) -> None:
    head = f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Filler: {'x' * 1000}\r\n\r\n".encode()
    async with calling(small, 200) as callers:
        slow = asyncio.gather(*(caller.dribble(head) for caller in callers))
        assert await health(small, slow) > 3
        answers = await slow
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)


async def test_two_hundred_bodies_at_a_byte_a_time_are_cut(small: Shop) -> None:
    head = f"POST {EDIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n"
    async with calling(small, 200) as callers:
        for caller in callers:
            caller.writer.write(head.encode())
        slow = asyncio.gather(*(caller.dribble(b" ") for caller in callers))
        assert await health(small, slow) > 3
        answers = await slow
    assert all(answer.startswith(b"HTTP/1.1 400 ") and b"did not arrive" in answer for answer in answers)


async def test_nothing_holds_a_connection_after_its_answer(small: Shop) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with calling(small, 3) as (blank, rest, idle):
        for caller in (blank, rest, idle):
            caller.writer.write(ask)
            assert (await caller.reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
        cut = await asyncio.gather(blank.dribble(b"\r\n"), rest.dribble(b"GET /" + b"x" * TURNS), idle.reader.read())
    assert cut[2] == b""
    assert b"200" not in cut[0] + cut[1]


async def test_beyond_its_connections_all_but_health_is_refused(small: Shop) -> None:
    async with calling(small, CONNECTIONS + 2) as callers:
        refused, green = await callers[-1].ask("/v1/models"), await callers[-2].ask("/healthz")
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 5" in refused
    assert green.startswith(b"HTTP/1.1 200 ")
    async with calling(small, 1) as (caller,):
        assert (await caller.ask("/v1/models")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"nonsense\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nX: " + b"x" * 2_000_000 + b"\r\n\r\n", 431),
     (b"GET /" + b"x" * 2_000_000, 431)],
)  # fmt: skip
async def test_heads_that_are_none(small: Shop, sent: bytes, status: int) -> None:
    async with calling(small, 1) as (caller,):
        caller.writer.write(sent)
        answer = await caller.reader.readuntil(b"}")
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b'"code"' in answer


async def test_big_bodies_share_a_budget(small: Shop) -> None:
    """Uploads that would take eight times the budget, all at once and never ended."""
    count = (200 if LONG else 32) * 2**20 * 8 // BODY
    head = (
        f"POST {EDIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {BODY}\r\n\r\n"
    )
    before = _rss(small)
    async with calling(small, count) as callers:
        whole = asyncio.gather(*(_push(caller, head.encode() + b" " * (BODY - 1)) for caller in callers))
        peak = before
        while not whole.done():
            peak = max(peak, _rss(small))
            await asyncio.wait({whole}, timeout=0.05)
        answers = await whole
    refused = [a for a in answers if a.startswith(b"HTTP/1.1 503 ")]
    assert len(refused) >= count - BODIES // BODY - 1
    assert all(b"retry-after: " in a and b"other uploads" in a for a in refused)
    assert peak - before < 4 * BODIES, f"{(peak - before) / 2**20:.0f} MiB"
    assert httpx2.post(small.url + EDIT, json={"prompt": "x", "image": data_uri(photo())}).status_code == 402


async def _push(caller: Caller, data: bytes) -> bytes:
    try:
        caller.writer.write(data)
        await caller.writer.drain()
    except ConnectionError:
        pass
    try:
        return await caller.reader.read()
    except ConnectionError:
        return b""


def _rss(shop: Shop) -> int:
    status = Path(f"/proc/{shop.processes[0].pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A gateway that hears everybody, and whose engine takes few."""
    limits = {"CONNECTIONS": 8192, "QUEUED_PER_ENGINE": QUEUE, "EDITS_PER_MINUTE": 100_000, "OPEN_PER_PAYER": 100}
    with open_shop(
        tmp_path_factory.mktemp("crowded"),
        TOLLBRUSH_ENGINES__STUDIO__ENABLED="false",
        **{f"TOLLBRUSH_GATEWAY__LIMITS__{name}": str(value) for name, value in limits.items()},
    ) as opened:
        yield opened


async def test_many_times_its_capacity_is_shed(crowded: Shop) -> None:
    """Paid edits far beyond what the engine takes, all at once while it is busy: some wait, the others hear when to
    come back and pay nothing, and their very payments buy the edit later. Health stays green, memory bounded."""
    capacity = WIDTH + QUEUE
    count = TIMES * capacity
    buyers = [crowded.buyer() for _ in range(16)]
    body = {"prompt": "hold: load", "image": data_uri(photo(64, 64))}
    entry = offer(crowded.post(body), BASE)
    payments = [payment_header(crowded, buyers[i % len(buyers)], entry) for i in range(count)]
    earned, before, peak = crowded.base.balance(crowded.seller_evm), _rss(crowded), 0
    async with calling(crowded, count) as callers:
        asked = [
            asyncio.create_task(_edit(caller, body, payment)) for caller, payment in zip(callers, payments, strict=True)
        ]
        busy = asyncio.create_task(_until_left(asked, capacity))
        well = asyncio.create_task(health(crowded, busy))
        while not busy.done():
            peak = max(peak, _rss(crowded))
            await asyncio.wait({busy}, timeout=0.05)
        assert await well > 0
        crowded.release("load")
        answers = await asyncio.gather(*asked)
    shed = [a for a in answers if a.status_code == 503 and a.json()["code"] == "unavailable"]
    assert all(int(a.headers["Retry-After"]) > 0 and "Nothing was charged" in a.text for a in shed)
    assert peak - before < _LOAD_BYTES, f"{(peak - before) / 2**20:.0f} MiB"
    print(f"{count} edits at once, {len(shed)} shed, {(peak - before) / 2**20:.0f} MiB more at the peak")
    paid = []
    for payment, answer in zip(payments, answers, strict=True):
        if answer not in shed:  # a chain that is slow to say so may leave it open whether the money came
            assert answer.status_code == 200 or answer.json()["code"] == "settlement_unknown", answer.text
            while answer.status_code == 503:
                answer = crowded.post(body, {"X-Payment": payment})
            paid.append(answer.headers["X-PAYMENT-RECEIPT"])
    # In a burst those that will be shed stand in the way of others for a moment: some more are shed, never fewer.
    assert len(set(paid)) == len(paid) == count - len(shed)
    assert capacity // 2 <= len(paid) <= capacity
    assert crowded.base.balance(crowded.seller_evm) == earned + PRICE * len(paid)
    later = next(p for p, a in zip(payments, answers, strict=True) if a in shed)
    assert crowded.post(body, {"X-Payment": later}).status_code == 200
    spent = sum(FUNDS - crowded.base.balance(b.address(BASE)) for b in buyers)
    assert spent == PRICE * (len(paid) + 1)


async def _edit(caller: Caller, body: dict[str, str], payment: str) -> httpx2.Response:
    """One paid edit on a connection of its own."""
    content = json.dumps(body)
    caller.writer.write(
        f"POST {EDIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Payment: {payment}\r\n"
        f"Connection: close\r\nContent-Length: {len(content)}\r\n\r\n{content}".encode()
    )
    head, _, said = (await caller.reader.read()).partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    headers = dict(field.split(": ", 1) for field in fields)
    return httpx2.Response(int(first.split()[1]), headers=headers, content=said)


async def _until_left(asked: list[asyncio.Task[httpx2.Response]], count: int) -> None:
    """Until so many, at most, still wait for their answer."""
    waiting: set[asyncio.Task[httpx2.Response]] = set(asked)
    while len(waiting) > count:
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


@pytest.mark.parametrize("trusted", [False, True])
def test_who_is_limited_behind_a_proxy(tmp_path: Path, trusted: bool) -> None:
    """X-Forwarded-For counts from a trusted proxy alone, and of it only what that proxy added."""
    port = free_port()
    settings = {
        "TOLLBRUSH_DATA_DIR": str(tmp_path / "data"),
        "TOLLBRUSH_ENGINES__STUDIO__ENABLED": "false",
        "TOLLBRUSH_GATEWAY__LIMITS__EDITS_PER_MINUTE": "2",
    } | ({"TOLLBRUSH_GATEWAY__TRUSTED_PROXIES": '["127.0.0.1"]'} if trusted else {})
    url = f"http://127.0.0.1:{port}"

    def post(forwarded: str) -> int:
        return httpx2.post(url + EDIT, content=b"{}", headers={"X-Forwarded-For": forwarded}).status_code

    command = ["tollbrush", "serve", "--port", str(port)]
    with running(command, url + "/healthz", log=tmp_path / "log", env=settings, cwd=tmp_path):
        different = [post(f"192.0.2.{i}") for i in range(4)]
        assert different.count(429) == (0 if trusted else 2)
        forged = [post(f"198.51.100.{i}, 203.0.113.1") for i in range(4)]
        assert forged.count(429) == (2 if trusted else 4)
