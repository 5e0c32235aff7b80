"""Paying for OpenAI's SDK, against a strict published gateway and hostile ones: what is paid, refused and booked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest

from support.paid_server import DROP, PRICE, PaidServer, Reply, on_base, png, reply
from support.purse import Purse
from tollbrush.client.openai_transport import async_openai_client, openai_client
from tollbrush.errors import BadRequest
from tollbrush.payments.payer import Payer
from tollbrush.payments.spending import SpendState

FAILED = reply(500, {"error": {"message": "broken", "type": "server_error", "param": None, "code": "engine_failed"}})
COMPLETED = b'event: image_edit.completed\ndata: {"type":"image_edit.completed","b64_json":""}\n\n'


class Shop:
    """OpenAI's client at one server, paid from the purse."""

    def __init__(self, server: PaidServer, purse: Purse, **terms: Any) -> None:
        self.server, self.purse, self.payer = server, purse, purse.payer()
        http = openai_client(server.url, wallet=self.payer, **terms)
        self.client = openai.OpenAI(base_url=server.url + "/v1", api_key="unused", http_client=http, max_retries=0)

    def edit(self, prompt: str = "add a hat", *, retries: int = 0, **more: Any) -> Any:
        return self.client.with_options(max_retries=retries).images.edit(image=png(), prompt=prompt, **more)

    @property
    def payments(self) -> list[str]:
        """What was sent along, in order."""
        return [h.payment for h in self.server.heard if h.payment]

    @property
    def books(self) -> list[SpendState]:
        return [spend.state for spend in reversed(self.payer.book.recent())]


ShopAt = Callable[..., Shop]


@pytest.fixture
def server() -> Iterator[PaidServer]:
    made = PaidServer()
    yield made
    made.stop()


@pytest.fixture
def shop_at(purse: Purse) -> Iterator[ShopAt]:
    purse.fund(base=10_000_000)
    shops: list[Shop] = []

    def open_shop(server: PaidServer, **terms: Any) -> Shop:
        shops.append(Shop(server, purse, **terms))
        return shops[-1]

    yield open_shop
    for shop in shops:
        shop.client.close()


def test_each_call_is_paid_once(server: PaidServer, shop_at: ShopAt) -> None:
    shop = shop_at(server, max_price="0.021")
    for _ in range(2):
        assert shop.edit().data
    assert len(set(shop.payments)) == len(shop.payments) == len(server.charged) == 2
    assert shop.books == [SpendState.SPENT] * 2
    assert shop.payer.book.recent()[0].tx_hash == f"0x{2:064x}"


@pytest.mark.parametrize("trouble", [FAILED, DROP, reply(503, {"error": "busy"}, {"retry-after": "0"})])
def test_the_sdks_own_retry_sends_the_same_payment(server: PaidServer, shop_at: ShopAt, trouble: Reply) -> None:
    server.script["edit"] = [server.ask(), trouble]
    shop = shop_at(server)
    assert shop.edit(retries=2).data
    assert len(shop.payments) == 2
    assert len(set(shop.payments)) == 1
    assert shop.books == [SpendState.SPENT]


def test_the_same_call_made_again_pays_nothing_more_until_it_is_delivered(server: PaidServer, shop_at: ShopAt) -> None:
    server.script["edit"] = [server.ask(), FAILED]
    shop = shop_at(server)
    with pytest.raises(openai.InternalServerError, match="broken"):
        shop.edit()
    assert shop.books == [SpendState.DOUBTFUL]
    assert shop.edit("another wish").data  # with a payment of its own
    assert shop.edit().data
    assert [shop.payments.count(p) for p in dict.fromkeys(shop.payments)] == [2, 1]
    assert shop.books == [SpendState.SPENT] * 2


def test_an_answer_that_breaks_off_is_no_delivery(server: PaidServer, shop_at: ShopAt) -> None:
    whole = server.deliver("0x1")
    server.script["edit"] = [server.ask(), Reply(200, whole.body, {**whole.headers, "content-length": "99999"})]
    shop = shop_at(server)
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
        shop.edit()
    assert shop.edit().data
    assert len(set(shop.payments)) == 1
    assert shop.books == [SpendState.SPENT]


def test_a_stream_is_delivered_when_it_completed(server: PaidServer, shop_at: ShopAt) -> None:
    events = {"content-type": "text/event-stream"}
    failed = b'event: error\ndata: {"type":"error","error":{"message":"late","code":"timeout"}}\n\n'
    server.script["edit"] = [server.ask(), Reply(200, failed, events), Reply(200, COMPLETED, events)]
    shop = shop_at(server)
    with pytest.raises(openai.APIError, match="late"):
        list(shop.edit(stream=True))
    assert shop.books == [SpendState.DOUBTFUL]
    assert [e.type for e in shop.edit(stream=True)] == ["image_edit.completed"]
    assert len(set(shop.payments)) == 1
    assert shop.books == [SpendState.SPENT]


def test_a_payment_that_lapsed_is_replaced_and_one_that_was_taken_is_not(
    server: PaidServer, shop_at: ShopAt, purse: Purse
) -> None:
    shop = shop_at(server)
    server.script["edit"] = [server.ask(), FAILED, server.ask(reason="expired")]
    with pytest.raises(openai.InternalServerError):
        shop.edit()
    with pytest.raises(openai.APIStatusError) as alive:  # refused, and its chain could still take it
        shop.edit()
    assert alive.value.status_code == 402
    purse.now = purse.evm.now = purse.now + 700
    server.script["edit"] = [server.ask(reason="expired"), FAILED]
    with pytest.raises(openai.InternalServerError):
        shop.edit()
    assert len(set(shop.payments)) == 2
    purse.evm.used.add(shop.payer.book.recent()[0].life)
    purse.now = purse.evm.now = purse.now + 700
    server.script["edit"] = [server.ask(reason="payment_already_used")]
    with pytest.raises(openai.APIStatusError) as taken:
        shop.edit()
    assert taken.value.status_code == 402
    assert len(set(shop.payments)) == 2


def test_what_the_owner_does_not_allow_is_permission_denied(server: PaidServer, shop_at: ShopAt, purse: Purse) -> None:
    with pytest.raises(openai.PermissionDeniedError, match=r"costs \$0.021, more than the \$0.02 allowed"):
        shop_at(server, max_price="0.02").edit(retries=2)
    assert len(server.heard) == 1
    dear = PaidServer(on_base(600_000))
    with pytest.raises(openai.PermissionDeniedError, match="PER_CALL") as capped:
        shop_at(dear).edit()
    dear.stop()
    assert capped.value.code == "spending_policy"
    purse.fund(base=PRICE - 1)
    with pytest.raises(openai.PermissionDeniedError, match="holds") as poor:
        shop_at(server).edit()
    assert poor.value.code == "no_funds"
    assert shop_at(server).books == []


def test_nothing_is_paid_elsewhere_nor_for_anything_else(server: PaidServer, shop_at: ShopAt, purse: Purse) -> None:
    stranger = PaidServer()
    http = openai_client(server.url, wallet=purse.payer())
    client = openai.OpenAI(base_url=stranger.url + "/v1", api_key="x", http_client=http, max_retries=0)
    with client, pytest.raises(openai.APIStatusError) as asked:
        client.images.edit(image=png(), prompt="add a hat")
    assert asked.value.status_code == 402
    assert all(h.payment is None for h in stranger.heard)
    stranger.stop()
    server.script["models"] = [server.ask()]
    shop = shop_at(server)
    with pytest.raises(openai.APIStatusError):
        shop.client.models.list()
    assert shop.payments == []


def test_a_402_that_makes_no_sense_is_an_error_of_the_server(server: PaidServer, shop_at: ShopAt) -> None:
    server.script["edit"] = [reply(402, {"error": "pay me"})]
    with pytest.raises(openai.InternalServerError):
        shop_at(server).edit()


async def test_async_and_two_at_once_are_two_wishes(server: PaidServer, purse: Purse) -> None:

    purse.fund(base=10_000_000)
    payer: Payer = purse.payer()
    http = async_openai_client(server.url, wallet=payer)
    async with openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="unused", http_client=http) as client:
        await asyncio.gather(*(client.images.edit(image=png(), prompt="add a hat") for _ in range(3)))
    assert len(server.charged) == 3
    assert [spend.state for spend in payer.book.recent()] == [SpendState.SPENT] * 3


def test_a_limit_is_written_as_text() -> None:
    with pytest.raises(BadRequest, match="dollars as text"):
        openai_client("http://127.0.0.1:9", max_price=0.5)  # type: ignore[arg-type]
