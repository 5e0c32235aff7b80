"""Edits as jobs: submitted, watched, cancelled, and found again by another process."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from support.paid_server import PRICE, Heard, PaidServer, Reply, on_base, on_solana, png, reply
from support.purse import Purse
from tollbrush.client import AsyncClient, Client, Progress
from tollbrush.client.orders import preview_of
from tollbrush.domain.pricing import Price
from tollbrush.errors import EngineFailed, JobCancelled, NoFunds, NotFound, PaymentBusy, SpendingPolicy
from tollbrush.payments.spending import SpendState
from tollbrush.router.app import create_router
from tollbrush.settings import NetworkSettings, RouterSettings, Settings
from tollbrush.wire import multipart

SOURCE = png((20, 10))
PREVIEW = "data:image/png;base64," + base64.b64encode(png((4, 2))).decode()


@pytest.fixture
def server() -> Iterator[PaidServer]:
    gateway = PaidServer(on_base(), on_solana())
    yield gateway
    gateway.stop()


def direct(server: PaidServer, purse: Purse) -> AsyncClient:
    return AsyncClient(gateway=server.url, wallet=purse.payer(), clock=purse.clock, sleep=purse.sleep)


class Gate:
    """Polls are answered 202 until it opens."""

    def __init__(self, server: PaidServer) -> None:
        self.server, self.open = server, threading.Event()
        server.script["edit"] = [server.accept()]
        server.script["poll"] = [self.poll] * 10_000

    def poll(self, heard: Heard) -> Reply:
        if heard.method == "DELETE":
            self.cancelled = True
            return reply(200, {"id": "job1", "status": "cancelled", "code": "cancelled", "error": "it was cancelled"})
        if getattr(self, "cancelled", False):
            return reply(200, {"id": "job1", "status": "cancelled", "code": "cancelled", "error": "it was cancelled"})
        if self.open.is_set():
            return self.server.edit(heard)
        return self.server.accept(status="in_progress", progress=0.25, queue_position=3, preview=PREVIEW)


# Straight from a gateway.


async def test_a_job_is_submitted_watched_and_waited_for(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)
    gate, told = Gate(server), list[Progress]()
    async with direct(server, purse) as client:
        job = await client.submit(SOURCE, "add a hat", max_price="0.021")
        assert server.of("edit")[0].headers["prefer"] == "respond-async, wait=0"
        while (now := await job.status()).fraction is None:  # noqa: ASYNC110 - another thread answers
            await asyncio.sleep(0)
        assert (now.stage, now.job, now.fraction, now.queue_position) == ("waiting", "job1", 0.25, 3)
        assert now.preview == PREVIEW
        gate.open.set()
        edit = await job.wait(told.append)
        assert edit.image.bytes == server.picture
        assert edit.price == Price(PRICE)
        assert (await job.wait()).image.bytes == server.picture, "waiting again is allowed"
        (past,) = await client.history()
    assert told[-1].stage == "delivered"
    assert (past.id, past.state, past.price, past.prompt) == (job.id, "completed", Price(PRICE), "add a hat")
    assert past.urls == (f"{server.url}/images/result.png",)


@pytest.mark.parametrize("by", ["its own id", "the gateway's id"])
async def test_another_process_goes_on_with_a_job(server: PaidServer, purse: Purse, by: str) -> None:
    purse.fund(base=PRICE)
    gate = Gate(server)
    async with direct(server, purse) as client:
        job = await client.submit(SOURCE, "add a hat")
        name = job.id if by == "its own id" else "job1"
    gate.open.set()
    async with direct(server, purse) as client:
        found = await client.job(name)
        assert (await found.wait()).image.bytes == server.picture
        assert (await (await client.job(name)).wait()).image.bytes == server.picture, "also when it is over"
        with pytest.raises(NotFound, match="no job 'other'"):
            await client.job("other")
    assert len(server.charged) == 1 == len({h.payment for h in server.heard if h.payment})
    assert [s.state for s in purse.payer().book.recent()] == [SpendState.SPENT]


async def test_a_job_is_cancelled(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)
    Gate(server)
    async with direct(server, purse) as client:
        job = await client.submit(SOURCE, "add a hat")
        await job.cancel()
        with pytest.raises(JobCancelled):
            await job.wait()
        await job.cancel()  # it is over: nothing to do
        (past,) = await client.history()
    assert past.state == "cancelled"
    assert server.charged == []


async def test_a_paid_job_is_not_cancelled(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)
    gate = Gate(server)
    async with direct(server, purse) as client:
        job = await client.submit(SOURCE, "add a hat")
        server.script["poll"] = [reply(409, {"error": "This job is paid for.", "code": "payment_busy"})] * 50
        with pytest.raises(PaymentBusy, match="paid for"):
            await job.cancel()
        gate.open.set()


async def test_what_fails_before_it_is_accepted_is_said_at_once(server: PaidServer, purse: Purse) -> None:
    async with direct(server, purse) as client:
        with pytest.raises(NoFunds):
            await client.submit(SOURCE, "add a hat")
        with pytest.raises(SpendingPolicy):
            await client.submit(SOURCE, "add a hat", max_price="0.01")
        assert [p.state for p in await client.history()] == ["failed", "failed"]


async def test_a_failed_job_is_told_with_its_code(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)
    Gate(server)
    async with direct(server, purse) as client:
        job = await client.submit(SOURCE, "add a hat")
        failed = {"id": "job1", "status": "failed", "error": "no clear subject", "code": "engine_failed"}
        server.script["poll"] = [reply(200, failed)]
        with pytest.raises(EngineFailed, match="no clear subject"):
            await job.wait()
    async with direct(server, purse) as client:
        with pytest.raises(EngineFailed, match="no clear subject"):
            await client.job(job.id)


async def test_files_go_up_as_they_are_where_forms_are_read(server: PaidServer, purse: Purse) -> None:
    """Asked in the quote; a gateway that speaks the published JSON alone gets that. One upload either way."""
    purse.fund(base=PRICE)
    big = png((20, 10)) + b"\0" * 300_000

    def with_forms(heard: Heard) -> Reply:
        said = server.quote(heard)
        return Reply(200, said.body[:-1] + b', "uploads": ["application/json", "multipart/form-data"]}', said.headers)

    server.script["quote"] = [with_forms]
    async with direct(server, purse) as client:
        await client.edit([big, SOURCE], "add a hat", mask=SOURCE, n=2, seed=7)
    (upload,) = server.of("edit")
    form = multipart.parse(upload.body, upload.headers["content-type"])
    assert form.fields == {"prompt": "add a hat", "n": "2", "seed": "7"}
    assert [(f.name, f.data) for f in form.files] == [("image", big), ("image", SOURCE), ("mask", SOURCE)]
    assert len(upload.body) <= 1.02 * len(big)


# Through a router.


@pytest.fixture
def router(server: PaidServer, purse: Purse, tmp_path: Path) -> Settings:
    purse.fund(base=10 * PRICE)
    return Settings(
        data_dir=tmp_path / "router",
        networks={"base-sepolia": NetworkSettings(rpc_url=purse.evm.rpc_url)},
        router=RouterSettings(gateway_url=server.url),
        wallet={"evm_key": "0x" + purse.wallet.evm_key.hex()},
    )


class Running:
    """A router in this process, reached without a network."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_router(settings)
        self.life = self.app.router.lifespan_context(self.app)

    async def __aenter__(self) -> AsyncClient:
        await self.life.__aenter__()
        transport = httpx2.ASGITransport(app=self.app, client=("127.0.0.1", 5000))
        self.client = AsyncClient(router="http://localhost:8402", http=httpx2.AsyncClient(transport=transport))
        return self.client

    async def __aexit__(self, *error: object) -> None:
        await self.client.close()
        await self.life.__aexit__(None, None, None)


async def test_a_job_at_a_router(server: PaidServer, router: Settings) -> None:
    gate, told = Gate(server), list[Progress]()
    async with Running(router) as client:
        job = await client.submit(SOURCE, "add a hat")
        again = await client.job(job.id)
        gate.open.set()
        edit = await again.wait(told.append)
        assert edit.image.bytes == server.picture
        assert (edit.price, edit.receipt is not None) == (Price(PRICE), True)
        assert (await job.status()).stage == "delivered"
        (past,) = await client.history()
        assert (past.id, past.state, past.price) == (job.id, "completed", Price(PRICE))
        with pytest.raises(NotFound):
            await client.job("../../wallet")
    assert told[-1].stage == "delivered"
    assert len(server.charged) == 1


async def test_a_job_at_a_router_is_cancelled(server: PaidServer, router: Settings) -> None:
    Gate(server)
    async with Running(router) as client:
        job = await client.submit(SOURCE, "add a hat")
        await job.cancel()
        with pytest.raises(JobCancelled):
            await job.wait()
        (past,) = await client.history()
    assert past.state == "cancelled"
    assert "was cancelled" in past.error
    assert server.charged == []


async def test_a_slow_edit_at_a_router_tells_how_far_it_is(server: PaidServer, router: Settings) -> None:
    gate = Gate(server)
    told: list[Progress] = []

    def tell(step: Progress) -> None:
        told.append(step)
        if step.fraction is not None:
            gate.open.set()

    async with Running(router) as client:
        edit = await client.edit(SOURCE, "add a hat", previews=2, progress=tell)
    assert edit.image.bytes == server.picture
    assert (told[0].stage, told[-1].stage) == ("uploading", "delivered")
    assert (0.25, 3, PREVIEW) in [(step.fraction, step.queue_position, step.preview) for step in told]
    (asked,) = server.of("edit")
    assert (b"previews" in asked.body, asked.headers["prefer"]) == (True, "respond-async, wait=0")


@pytest.mark.parametrize(
    "shown",
    [
        None,
        7,
        "https://example.com/a.png",
        "data:text/html;base64,PGI+",
        "data:image/svg+xml;base64,PHN2Zz4=",
        PREVIEW + "\n",
        "data:image/png;base64," + "A" * 2**20,
    ],
)
def test_a_preview_is_a_small_picture_or_none(shown: object) -> None:
    assert preview_of({"preview": shown}) == ""
    assert preview_of({"preview": PREVIEW}) == PREVIEW


# The blocking client.


def test_blocking_jobs_are_the_same(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)
    server.script["edit"] = [server.accept()]
    with Client(gateway=server.url, wallet=purse.payer()) as client:
        job = client.submit(SOURCE, "add a hat")
        assert job.status().stage in ("waiting", "delivered")
        stages: list[tuple[str, threading.Thread]] = []
        edit = job.wait(lambda step: stages.append((step.stage, threading.current_thread())))
        assert edit.image.bytes == server.picture
        assert client.job(job.id).wait().image.bytes == server.picture
        assert [p.id for p in client.history()] == [job.id]
        assert repr(job) == f"<Job {job.id}>"
    assert {thread for _, thread in stages} == {threading.current_thread()}


def test_history_is_dated(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)
    with Client(gateway=server.url, wallet=purse.payer()) as client:
        client.edit(SOURCE, "add a hat")
        (past,) = client.history()
    assert abs(past.at.timestamp() - time.time()) < 600
    assert base64.b64encode(SOURCE).decode() not in repr(past)
