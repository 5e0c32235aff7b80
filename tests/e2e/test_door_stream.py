"""Streams at the door in OpenAI's shape: what is seen on the way, what is paid, and what a lost caller gets."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai.types import ImageEditCompletedEvent, ImageEditPartialImageEvent
from PIL import Image

from support.base_chain import BASE
from support.engines import Sketcher
from support.market import Market, open_market
from support.own_gateway import BODY, PRICE, OwnGateway, open_gateway
from support.pictures import half_mask, photo
from support.shop import FUNDS
from tollbrush import openai_client
from tollbrush.errors import ContentRefused
from tollbrush.gateway import door
from tollbrush.payments.payer import Payer
from tollbrush.payments.spending import SpendState
from tollbrush.payments.wallet import Wallet
from tollbrush.settings import NetworkSettings, Settings

pytestmark = pytest.mark.e2e

EDITS = "/v1/images/edits"


class Customer:
    """A funded wallet and OpenAI's client."""

    def __init__(self, market: Market, gateway: OwnGateway, folder: Path) -> None:
        self.market, self.gateway, self.wallet = market, gateway, Wallet.create()
        market.base.fund(self.wallet.evm_address, FUNDS)
        networks = {"base-sepolia": NetworkSettings(rpc_url=market.base.rpc_url)}
        self.payer = Payer(self.wallet, Settings(data_dir=folder, networks=networks))
        self.client = openai.OpenAI(
            base_url=gateway.url + "/v1",
            api_key="unused",
            http_client=openai_client(gateway.url, wallet=self.payer),
            max_retries=0,
        )

    def stream(self, **changes: Any) -> openai.Stream[Any]:
        asked: dict[str, Any] = {"image": photo(640, 480), "prompt": "invert", "size": "auto", "partial_images": 2}
        events: openai.Stream[Any] = self.client.images.edit(**(asked | changes), stream=True)
        return events

    def spent(self) -> int:
        return FUNDS - self.market.base.balance(self.wallet.evm_address)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with open_market() as opened:
        yield opened


@pytest.fixture
def gateway(market: Market, tmp_path: Path) -> Iterator[OwnGateway]:
    with open_gateway(tmp_path / "gateway", market.tills, engine=Sketcher(), inline_seconds=0.0) as opened:
        yield opened


@pytest.fixture
def customer(market: Market, gateway: OwnGateway, tmp_path: Path) -> Iterator[Customer]:
    made = Customer(market, gateway, tmp_path / "customer")
    yield made
    made.client.close()


def sketcher(gateway: OwnGateway) -> Sketcher:
    assert isinstance(gateway.engine, Sketcher)
    return gateway.engine


def picture(event: Any) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(event.b64_json)))


def test_previews_are_small_and_free_and_the_picture_is_paid_for(gateway: OwnGateway, customer: Customer) -> None:
    sketcher(gateway).usage = {
        "input_tokens": 3,
        "input_tokens_details.text_tokens": 1,
        "output_tokens": 4,
        "total_tokens": 7,
    }
    gateway.hold()
    events = customer.stream(output_format="webp", mask=half_mask(640, 480))
    first, second = next(events), next(events)
    for number, event in enumerate((first, second)):
        assert isinstance(event, ImageEditPartialImageEvent)
        assert (event.partial_image_index, event.output_format, event.size) == (number, "webp", "256x192")
        assert (picture(event).size, picture(event).format) == ((256, 192), "WEBP")
    assert customer.spent() == 0
    assert gateway.pictures() == 0
    gateway.release()
    (done,) = list(events)
    assert isinstance(done, ImageEditCompletedEvent)
    assert (picture(done).size, done.size, done.quality, done.background) == ((640, 480), "640x480", "auto", "auto")
    assert (done.usage.total_tokens, done.usage.input_tokens_details.text_tokens) == (7, 1)
    assert done.to_dict()["preserved"] is True
    assert customer.spent() == PRICE
    (booked,) = customer.payer.book.recent()
    assert booked.state is SpendState.SPENT


def test_several_pictures_are_several_events_and_their_usage_is_told_once(
    gateway: OwnGateway, customer: Customer
) -> None:
    sketcher(gateway).usage = {"total_tokens": 7}
    events = list(customer.stream(n=2, partial_images=1))
    assert [e.type for e in events] == ["image_edit.partial_image"] * 2 + ["image_edit.completed"] * 2
    assert [e.usage.total_tokens for e in events[2:]] == [0, 7]
    assert customer.spent() == 2 * PRICE


def test_a_caller_who_lost_the_stream_gets_the_picture_for_the_same_payment(
    gateway: OwnGateway, customer: Customer
) -> None:
    gateway.hold()
    events = customer.stream()
    next(events)
    events.close()
    assert customer.payer.book.recent()[0].state is SpendState.DOUBTFUL
    again = customer.stream()
    seen = [next(again), next(again)]  # what was shown before is shown again
    gateway.release()
    assert [e.type for e in (*seen, *again)] == ["image_edit.partial_image"] * 2 + ["image_edit.completed"]
    edited = customer.client.images.edit(image=photo(640, 480), prompt="invert", size="auto")
    assert edited.data
    assert gateway.engine.edits == 2
    assert customer.spent() == 2 * PRICE
    assert {row.state for row in customer.payer.book.recent()} == {SpendState.SPENT}


def test_what_fails_on_the_way_is_an_error_event_and_free(gateway: OwnGateway, customer: Customer) -> None:
    gateway.hold()
    events = customer.stream(partial_images=1)
    assert next(events).type == "image_edit.partial_image"
    gateway.engine.failure = ContentRefused("not this picture.")
    gateway.release()
    with pytest.raises(openai.APIError, match="not this picture") as failed:
        next(events)
    assert failed.value.code == "content_policy"
    assert customer.spent() == 0


def test_what_is_refused_before_the_work_has_its_own_status(customer: Customer) -> None:
    with pytest.raises(openai.BadRequestError, match="unicorns"):
        customer.stream(prompt="a unicorn")
    with pytest.raises(openai.BadRequestError, match="not URLs"):
        customer.stream(response_format="url")
    with pytest.raises(openai.BadRequestError, match="0 to 3"):
        customer.stream(partial_images=4)
    unpaid = httpx2.post(
        customer.gateway.url + EDITS,
        data={"prompt": "invert", "stream": "true"},
        files={"image": photo(64, 64)},
    )
    assert (unpaid.status_code, unpaid.json()["error"]["code"]) == (402, "payment_required")
    assert customer.payer.book.recent() == []


def test_a_silent_stream_says_that_it_lives(
    market: Market, gateway: OwnGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HEARTBEAT", 0.01)
    payment = market.buyer(BASE.id).pay(gateway.post(path=EDITS, stream=True))
    gateway.hold()
    body = BODY | {"stream": True}
    with httpx2.stream("POST", gateway.url + EDITS, json=body, headers=payment, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        chunks = answer.iter_bytes()
        assert next(chunks).startswith(b": ")
        gateway.release()
        assert b"event: image_edit.completed" in b"".join(chunks)


def test_progress_reaches_the_job(market: Market, gateway: OwnGateway) -> None:
    """At the other door, where a slow edit is a job; previews are not asked for there, fractions are told all the
    same."""
    gateway.hold()
    payment = market.buyer(BASE.id).pay(gateway.post())
    accepted = gateway.post(payment)
    assert accepted.status_code == 202
    url = accepted.json()["poll_url"]
    assert poll_until(gateway, url, payment, lambda body: body["progress"] is not None)["progress"] == 0.1
    gateway.release()
    done = poll_until(gateway, url, payment, lambda body: body["status"] == "completed")
    assert "progress" not in done


def poll_until(
    gateway: OwnGateway, url: str, payment: dict[str, str], wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    while True:
        body: dict[str, Any] = gateway.get(url, payment).json()
        if wanted(body):
            return body
