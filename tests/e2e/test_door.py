"""OpenAI's own SDK at the gateway's door, paying through our transport on both local chains."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import openai
import pytest
from PIL import Image

from support.pictures import data_uri, half_mask, photo
from support.shop import FUNDS, Shop
from tollbrush import async_openai_client, openai_client
from tollbrush.payments.payer import Payer
from tollbrush.payments.spending import SpendState
from tollbrush.payments.wallet import Wallet
from tollbrush.settings import NetworkSettings, RouterSettings, Settings

pytestmark = pytest.mark.e2e

PRICE = 21_000
EDITS = "/v1/images/edits"


@dataclass
class Customer:
    """A funded wallet, its payer's settings, and OpenAI's client at the gateway."""

    shop: Shop
    wallet: Wallet
    settings: Settings
    client: openai.OpenAI
    payer: Payer

    def spent(self) -> int:
        return FUNDS - self.shop.base.balance(self.wallet.evm_address)

    def another_payer(self) -> Payer:
        return Payer(self.wallet, self.settings)


@pytest.fixture
def customer(shop: Shop, tmp_path: Path) -> Iterator[Customer]:
    with a_customer(shop, tmp_path) as made:
        yield made


class a_customer:  # noqa: N801 - used as a function
    def __init__(self, shop: Shop, folder: Path, network: str = "base-sepolia", max_price: str | None = None) -> None:
        wallet = Wallet.create()
        shop.base.fund(wallet.evm_address, FUNDS)
        shop.solana.fund(wallet.solana_address, FUNDS)
        networks = {
            "base-sepolia": NetworkSettings(rpc_url=shop.base.rpc_url),
            "solana-devnet": NetworkSettings(rpc_url=shop.solana.rpc_url),
        }
        settings = Settings(data_dir=folder, networks=networks, router=RouterSettings(network=network))
        payer = Payer(wallet, settings)
        http = openai_client(shop.url, wallet=payer, max_price=max_price)
        client = openai.OpenAI(base_url=shop.url + "/v1", api_key="unused", http_client=http)
        self._made = Customer(shop, wallet, settings, client, payer)

    def __enter__(self) -> Customer:
        return self._made

    def __exit__(self, *failure: object) -> None:
        self._made.client.close()


def picture(image: Any) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(image.b64_json)))


def pixels(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_an_edit_is_paid_and_answered_with_the_picture(customer: Customer) -> None:
    edited = customer.client.images.edit(model="gpt-image-1", image=photo(), prompt="invert the colours")
    assert edited.data
    (image,) = edited.data
    assert picture(image).size == (1024, 1024)
    assert hashlib.sha256(base64.b64decode(image.b64_json or "")).hexdigest() == image.to_dict()["sha256"]
    assert image.url is None
    assert (edited.output_format, edited.size) == ("png", "1024x1024")
    assert edited.usage is not None
    assert (edited.usage.input_tokens, edited.usage.output_tokens, edited.usage.total_tokens) == (120, 272, 392)
    assert edited.to_dict()["payment"]["status"] == "settled"  # type: ignore[index]
    assert customer.spent() == PRICE
    (booked,) = customer.payer.book.recent()
    assert (booked.state, booked.tx_hash) == (SpendState.SPENT, edited.to_dict()["payment"]["tx_hash"])  # type: ignore[index]


async def test_async_and_on_solana(shop: Shop, tmp_path: Path) -> None:
    with a_customer(shop, tmp_path, "solana-devnet") as customer:
        http = async_openai_client(shop.url + "/sol", wallet=customer.another_payer())
        async with openai.AsyncOpenAI(base_url=shop.url + "/sol/v1", api_key="unused", http_client=http) as client:
            edited = await client.images.edit(image=photo(), prompt="invert the colours", output_format="webp")
        assert edited.data
        assert picture(edited.data[0]).format == "WEBP"
        assert shop.solana.balance(customer.wallet.solana_address) == FUNDS - PRICE


def test_several_pictures_and_several_results(customer: Customer) -> None:
    edited = customer.client.images.edit(image=[photo(), photo(100, 80)], prompt="invert", n=2, size="1536x1024")
    assert [picture(image).size for image in edited.data or ()] == [(1536, 1024)] * 2
    assert customer.spent() == 2 * 42_000


def test_a_mask_bounds_the_edit(customer: Customer) -> None:
    source = photo(1024, 1024)
    edited = customer.client.images.edit(image=source, mask=half_mask(1024, 1024), prompt="invert the colours")
    assert edited.data
    assert edited.data[0].to_dict()["preserved"] is True
    result = pixels(base64.b64decode(edited.data[0].b64_json or ""))
    assert np.array_equal(result[:, 512:], pixels(source)[:, 512:])


def test_urls_on_request(customer: Customer) -> None:
    edited = customer.client.images.edit(image=photo(), prompt="invert", response_format="url", user="u-17")
    assert edited.data
    (image,) = edited.data
    assert image.b64_json is None
    assert image.url
    assert httpx2.get(image.url).headers["content-type"] == "image/png"
    assert edited.safety_identifier == "u-17"


def test_the_models(customer: Customer) -> None:
    listed = {model.id: model for model in customer.client.models.list()}
    assert listed["openai/gpt-image-1"].owned_by == "openai"
    assert listed["tollbrush/studio"].object == "model"
    one = customer.client.models.retrieve("openai/gpt-image-1")
    assert one == listed["openai/gpt-image-1"]
    assert customer.client.models.retrieve("studio").id == "tollbrush/studio"
    with pytest.raises(openai.NotFoundError, match="unknown") as missing:
        customer.client.models.retrieve("dall-e-2")
    assert missing.value.code == "not_found"


Call = Callable[[openai.OpenAI], object]


@pytest.mark.parametrize(
    ("wrong", "param", "words"),
    [
        ({"model": "dall-e-2"}, "model", "unknown"),
        ({"size": "512x512"}, "size", "not offered"),
        ({"n": 11}, "n", "1 to 10"),
        ({"input_fidelity": "high"}, "input_fidelity", "input_fidelity is"),
        ({"output_compression": 50}, "output_compression", "no choice"),
        ({"output_format": "gif"}, "output_format", "must be one of"),
        ({"complexity": "low"}, "complexity", "no choice"),
        ({"svg": {"model": "m"}}, "svg[model]", "SVG"),
        ({"background": "transparent", "output_format": "jpeg"}, "background", "JPEG"),
        ({"quality": "max"}, "quality", "not sold"),
        ({"quality": "standard"}, "quality", "must be one of"),
        ({"response_format": "png"}, "response_format", "must be one of"),
        ({"extra_body": {"moderation": "low"}}, "moderation", "model's own"),
        ({"extra_body": {"hat": "1"}}, "hat", "not supported"),
        ({"partial_images": 2}, "partial_images", "goes with stream"),
        ({"image": b"not a picture"}, "image", "PNG"),
        ({"prompt": " "}, "prompt", "empty"),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(
    customer: Customer, wrong: dict[str, Any], param: str, words: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=words) as refused:
        customer.client.images.edit(**({"image": photo(), "prompt": "invert"} | wrong))
    assert (refused.value.param, refused.value.type) == (param, "invalid_request_error")
    assert customer.payer.book.recent() == []


def test_json_with_references(shop: Shop, customer: Customer) -> None:
    uri = data_uri(photo())
    body = {"prompt": "invert", "images": [{"image_url": uri}], "mask": {"image_url": data_uri(half_mask())}}
    asked = httpx2.post(shop.url + EDITS, json=body)
    assert asked.status_code == 402
    assert asked.json()["accepts"][0]["resource"] == shop.url + EDITS
    assert asked.json()["error"]["code"] == "payment_required"
    edited = customer.client.post("/images/edits", body=body, cast_to=openai.types.ImagesResponse)
    assert edited.data
    assert edited.data[0].to_dict()["preserved"] is True
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"images": [{"image_url": "https://example.com/a.png"}]}, "fetches nothing"),
        ({"images": [{"file_id": "file-1"}]}, "file of OpenAI's"),
        ({"images": [{"url": uri}]}, "image_url"),
        ({"images": uri, "image": uri}, "same field"),
        ({"image": "http://example.com/a.png"}, "fetches nothing"),
        ({"images": []}, "at least one"),
    ]
    for wrong, words in wrongs:
        refused = httpx2.post(shop.url + EDITS, json={"prompt": "invert", **wrong})
        assert refused.status_code == 400
        assert words in refused.json()["error"]["message"]


def test_every_error_has_openais_shape(shop: Shop) -> None:
    answers = [
        httpx2.get(shop.url + EDITS),
        httpx2.post(shop.url + "/sol" + EDITS, content=b"{", headers={"content-type": "application/json"}),
        httpx2.post(shop.url + "/api" + EDITS, content=b"x", headers={"content-type": "text/plain"}),
        httpx2.post(shop.url + EDITS, json={"prompt": "invert", "image": data_uri(photo())}),
        httpx2.get(shop.url + "/v1/models/nothing"),
    ]
    assert [a.status_code for a in answers] == [405, 400, 400, 402, 404]
    assert answers[3].headers["PAYMENT-REQUIRED"]
    large = HTTPConnection(shop.url.removeprefix("http://"))
    large.putrequest("POST", EDITS)
    large.putheader("content-length", str(2**27))
    large.endheaders()
    refused = large.getresponse()
    assert refused.status == 413
    for body in [*(a.json() for a in answers), json.loads(refused.read())]:
        assert {"message", "type", "param", "code"} <= set(body["error"])
        assert isinstance(body["error"]["message"], str)
    large.close()


@pytest.mark.parametrize(
    ("failure", "kind", "code"),
    [
        ("moderation", openai.PermissionDeniedError, "content_policy"),
        ("rate limit", openai.RateLimitError, "rate_limited"),
        ("server error", openai.InternalServerError, "upstream_failed"),
    ],
)
def test_failures_are_openais_classes_and_cost_nothing(
    customer: Customer, failure: str, kind: type[openai.APIStatusError], code: str
) -> None:
    with pytest.raises(kind) as failed:
        customer.client.with_options(max_retries=0).images.edit(image=photo(), prompt=f"simulate: {failure}")
    assert failed.value.code == code
    assert customer.spent() == 0


def test_the_sdks_retries_pay_once(customer: Customer) -> None:
    with pytest.raises(openai.InternalServerError):
        customer.client.with_options(max_retries=1).images.edit(image=photo(), prompt="simulate: server error")
    assert len(customer.payer.book.recent()) == 1
    assert customer.spent() == 0


def test_the_owners_limit_is_permission_denied(shop: Shop, tmp_path: Path) -> None:
    with a_customer(shop, tmp_path, max_price="0.02") as customer:
        with pytest.raises(openai.PermissionDeniedError, match=r"costs \$0.021, more than the \$0.02") as refused:
            customer.client.images.edit(image=photo(), prompt="invert")
        assert refused.value.code == "spending_policy"
        assert customer.payer.book.recent() == []


def test_a_stream_of_the_upstream_model_is_passed_on(customer: Customer) -> None:
    """With as many previews as the price covers: `partial_images` is a most."""
    events = list(
        customer.client.images.edit(
            model="gpt-image-1", image=photo(), prompt="invert the colours", stream=True, partial_images=2
        )
    )
    assert [e.type for e in events] == ["image_edit.partial_image", "image_edit.completed"]
    assert [picture(e).size for e in events] == [(256, 256), (1024, 1024)]
    done = events[-1]
    assert isinstance(done, openai.types.ImageEditCompletedEvent)
    assert (done.usage.total_tokens, done.usage.input_tokens_details.image_tokens) == (392, 100)
    assert customer.spent() == PRICE
