"""SIGTERM: no new work; what runs is finished, answered and paid, or handed on to the next start with its payment."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from support.pictures import data_uri, photo
from support.shop import FUNDS, Shop, offer, open_shop, payment_header
from tollbrush.devnet.server import RpcServer

pytestmark = pytest.mark.e2e

BASE = "eip155:84532"
SOLANA = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
PRICE = 21_000
PICTURE = data_uri(photo(64, 64))
GRACE = 6
SEND = "eth_sendRawTransaction"
DOOR = "/v1/images/edits"


class Wire(RpcServer):
    """The way to the local Base. What the gateway sends to be mined waits here while `open` is not set."""

    def __init__(self) -> None:
        self.target = ""
        self.laid, self.open, self.sending = threading.Event(), threading.Event(), threading.Event()
        self.open.set()
        self._behind = httpx2.Client(timeout=30)
        super().__init__(lambda method, params: None)

    def answer(self, body: bytes) -> bytes:
        self.laid.wait(60)
        if json.loads(body)["method"] == SEND:
            self.sending.set()
            self.open.wait(60)
        return self._behind.post(self.target, content=body, headers={"content-type": "application/json"}).content

    def stop(self) -> None:
        self.open.set()
        super().stop()
        self._behind.close()


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def brief(wire: Wire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A gateway with little patience when it is told to stop."""
    env = {
        "TOLLBRUSH_NETWORKS__BASE-SEPOLIA__RPC_URL": wire.url,
        "TOLLBRUSH_ENGINES__STUDIO__ENABLED": "false",
        "TOLLBRUSH_GATEWAY__GRACE_SECONDS": str(GRACE),
        "TOLLBRUSH_GATEWAY__LEASE_SECONDS": "1",
        "TOLLBRUSH_GATEWAY__SWEEP_SECONDS": "0.3",
    }
    with open_shop(tmp_path_factory.mktemp("stop"), **env) as shop:
        wire.target = shop.base.rpc_url
        wire.laid.set()
        yield shop


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


class Edit:
    """A paid edit under way, in a thread of its own; it stays at the simulated OpenAI if its name says so."""

    def __init__(self, shop: Shop, pool: ThreadPoolExecutor, network: str, prompt: str) -> None:
        self.shop, self.network, self.buyer = shop, network, shop.buyer()
        self.body = {"prompt": prompt, "image": PICTURE}
        self.header = {"X-Payment": payment_header(shop, self.buyer, offer(shop.post(self.body), network))}
        self.answer: Future[httpx2.Response] = pool.submit(self.send)

    def send(self) -> httpx2.Response:
        return self.shop.post(self.body, self.header)

    def spent(self) -> int:
        return FUNDS - self.shop.chain(self.network).balance(self.buyer.address(self.network))

    def delivers(self, status: str) -> None:
        """The same payment, sent again until it is known what became of it."""
        while (answer := self.send()).status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
        self.is_paid(answer, status)

    def is_paid(self, answer: httpx2.Response, status: str) -> None:
        assert answer.status_code == 200, answer.text
        assert answer.json()["payment"]["status"] == status
        assert self.spent() == PRICE
        assert httpx2.get(answer.json()["data"][0]["url"]).status_code == 200


def stopping(shop: Shop, by: signal.Signals = signal.SIGTERM) -> None:
    """Signalled, and no longer listening."""
    where = urlsplit(shop.url)
    shop.processes[0].send_signal(by)
    while True:
        try:
            socket.create_connection((where.hostname or "", where.port or 0), timeout=5).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it was in the line when that was closed
            continue


def start_again(shop: Shop) -> None:
    shop.restart(signal.SIGTERM)


@pytest.mark.parametrize("network", [BASE, SOLANA])
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_what_runs_is_finished_and_paid(
    brief: Shop, pool: ThreadPoolExecutor, network: str, by: signal.Signals
) -> None:
    name = f"finish-{network[:3]}-{by}"
    edit = Edit(brief, pool, network, f"hold: {name}")
    brief.await_held(name)
    stopping(brief, by)
    assert not edit.answer.done()
    brief.release(name)
    answer = edit.answer.result()
    assert brief.processes[0].wait(GRACE * 3) == 0
    start_again(brief)
    edit.is_paid(answer, "settled")
    edit.delivers("already_settled")


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_what_does_not_finish_is_handed_on(brief: Shop, pool: ThreadPoolExecutor, network: str) -> None:
    name = f"late-{network[:3]}"
    edit = Edit(brief, pool, network, f"hold: {name}")
    brief.await_held(name)
    stopping(brief)
    answer = edit.answer.result()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "same payment" in answer.json()["message"]
    assert brief.processes[0].wait(GRACE * 3) == 0
    assert edit.spent() == 0
    brief.release(name)
    start_again(brief)
    edit.delivers("settled")


def test_a_stream_says_that_it_is_handed_on(brief: Shop, pool: ThreadPoolExecutor) -> None:
    buyer, body = brief.buyer(), {"prompt": "hold: stream", "image": PICTURE, "stream": True}
    header = {"X-Payment": payment_header(brief, buyer, offer(brief.post(body, path=DOOR), BASE))}
    streaming = pool.submit(brief.post, body, header, DOOR)
    brief.await_held("stream")
    stopping(brief)
    broken = streaming.result()
    assert broken.headers["content-type"].startswith("text/event-stream")
    assert "event: error" in broken.text
    assert "same payment" in broken.text
    assert brief.processes[0].wait(GRACE * 3) == 0
    assert brief.base.balance(buyer.address(BASE)) == FUNDS
    brief.release("stream")
    start_again(brief)
    while (again := brief.post(body, header, DOOR)).status_code == 503:
        assert int(again.headers["Retry-After"]) > 0
    assert "event: image_edit.completed" in again.text
    assert brief.base.balance(buyer.address(BASE)) == FUNDS - PRICE


def test_a_settlement_under_way_is_awaited(brief: Shop, pool: ThreadPoolExecutor, wire: Wire) -> None:
    edit = held_at_the_chain(brief, pool, wire)
    stopping(brief)
    assert not edit.answer.done()
    wire.open.set()
    answer = edit.answer.result()
    assert brief.processes[0].wait(GRACE * 3) == 0
    start_again(brief)
    edit.is_paid(answer, "settled")


def test_a_settlement_that_takes_too_long_is_found_on_the_chain(
    brief: Shop, pool: ThreadPoolExecutor, wire: Wire
) -> None:
    edit = held_at_the_chain(brief, pool, wire)
    stopping(brief)
    assert brief.processes[0].wait(GRACE * 4) == 0
    answer = edit.answer.result()
    assert (answer.status_code, answer.json()["code"]) == (503, "settlement_unknown")
    wire.open.set()  # and only now it arrives
    start_again(brief)
    edit.delivers("already_settled")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(brief: Shop, pool: ThreadPoolExecutor, second: signal.Signals) -> None:
    edit = Edit(brief, pool, BASE, f"hold: forced-{second}")
    brief.await_held(f"forced-{second}")
    stopping(brief)
    brief.processes[0].send_signal(second)
    assert brief.processes[0].wait(GRACE * 3) > 0  # neither clean nor killed
    assert _outcome(edit.answer) != 200
    assert edit.spent() == 0
    brief.release(f"forced-{second}")
    start_again(brief)
    edit.delivers("settled")


def held_at_the_chain(shop: Shop, pool: ThreadPoolExecutor, wire: Wire) -> Edit:
    wire.sending.clear()
    wire.open.clear()
    edit = Edit(shop, pool, BASE, "invert the colours")
    assert wire.sending.wait(60)
    return edit


def _outcome(answer: Future[Any]) -> int | None:
    try:
        status: int = answer.result().status_code
    except httpx2.TransportError:
        return None
    return status
