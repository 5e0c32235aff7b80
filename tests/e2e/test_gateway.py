"""The straight path against a real gateway process, paid on both local chains in both protocol versions."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor

import httpx2
import numpy as np
import pytest
from PIL import Image

from support.pictures import data_uri, half_mask, photo
from support.shop import EDIT, FUNDS, Buyer, Shop, offer, payment_header

pytestmark = pytest.mark.e2e

BASE = "eip155:84532"
SOLANA = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
PRICE = 21_000
BODY = {"prompt": "invert the colours", "image": data_uri(photo())}


def pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("network", [BASE, SOLANA])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("header", ["X-Payment", "PAYMENT-SIGNATURE"])
def test_pay_and_get_the_picture(shop: Shop, buyer: Buyer, network: str, version: int, header: str) -> None:
    before = shop.chain(network).balance(shop.seller(network))
    answer = shop.pay(buyer, BODY, network, version=version, header=header)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["model"] == "openai/gpt-image-1"
    assert "requested_model" not in body
    assert body["price"] == {"amount": "0.021000", "currency": "USD"}
    assert body["payment"]["status"] == "settled"
    assert body["payment"]["network"] == ("base-sepolia" if network == BASE else "solana-devnet")
    assert answer.headers["X-PAYMENT-RECEIPT"] == body["payment"]["tx_hash"]
    assert shop.chain(network).balance(shop.seller(network)) == before + PRICE
    assert shop.chain(network).balance(buyer.address(network)) == FUNDS - PRICE
    (image,) = body["data"]
    assert image["url"].startswith(shop.url + "/images/")
    picture = httpx2.get(image["url"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert hashlib.sha256(picture.content).hexdigest() == image["sha256"]
    assert Image.open(io.BytesIO(picture.content)).size == (1024, 1024) == (image["width"], image["height"])


def test_the_402(shop: Shop) -> None:
    asked = shop.post(BODY)
    assert asked.status_code == 402
    body = asked.json()
    assert [a["network"] for a in body["accepts"]] == ["base-sepolia", "solana-devnet"]
    assert all(a["maxAmountRequired"] == "21000" and a["resource"] == shop.url + EDIT for a in body["accepts"])
    assert body["code"] == "payment_required"
    assert asked.headers["cache-control"] == "no-store"
    assert offer(asked, BASE)["payTo"] == shop.seller_evm


@pytest.mark.parametrize(("size", "amount"), [("1024x1024", 21_000), ("1536x1024", 42_000), ("1024x1536", 42_000)])
def test_prices_per_size(shop: Shop, size: str, amount: int) -> None:
    assert offer(shop.post(BODY | {"size": size}), BASE)["amount"] == str(amount)
    assert offer(shop.post(BODY | {"size": size, "n": 3}), SOLANA)["amount"] == str(3 * amount)


def test_the_solana_twin_offers_solana_alone(shop: Shop, buyer: Buyer) -> None:
    asked = shop.post(BODY, path="/sol" + EDIT)
    assert [a["network"] for a in asked.json()["accepts"]] == ["solana-devnet"]
    assert asked.json()["accepts"][0]["resource"] == shop.url + "/sol" + EDIT
    by_host = httpx2.post(shop.url + EDIT, json=BODY, headers={"host": "sol.localhost"})
    assert [a["network"] for a in by_host.json()["accepts"]] == ["solana-devnet"]
    refused = shop.post(
        BODY, {"X-Payment": payment_header(shop, buyer, offer(shop.post(BODY), BASE))}, path="/sol" + EDIT
    )
    assert (refused.status_code, refused.json()["reason"]) == (402, "invalid_network")


def test_a_mask_bounds_the_edit(shop: Shop, buyer: Buyer) -> None:
    source = photo(1024, 1024)
    body = BODY | {"image": data_uri(source), "mask": data_uri(half_mask(1024, 1024))}
    (image,) = shop.pay(buyer, body, BASE).json()["data"]
    assert image["preserved"] is True
    assert image["edited_fraction"] == pytest.approx(0.5)
    result = pixels(httpx2.get(image["url"]).content)
    assert np.array_equal(result[:, 512:], pixels(source)[:, 512:])
    assert np.abs(result[:, :400].astype(int) - pixels(source)[:, :400]).mean() > 40


def test_multipart_pays_like_json(shop: Shop, buyer: Buyer) -> None:
    files = {"image": ("cat.png", photo(), "image/png"), "mask": ("mask.png", half_mask(), "image/png")}
    fields = {"prompt": "invert", "n": "2", "size": "1024x1024"}
    asked = httpx2.post(shop.url + EDIT, data=fields, files=files)
    assert asked.status_code == 402, asked.text
    paid = httpx2.post(
        shop.url + EDIT, data=fields, files=files, timeout=60,
        headers={"X-Payment": payment_header(shop, buyer, offer(asked, BASE))},
    )  # fmt: skip
    assert paid.status_code == 200, paid.text
    assert len(paid.json()["data"]) == 2
    assert paid.json()["price"]["amount"] == "0.042000"


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_one_payment_on_many_requests_is_one_edit(shop: Shop, buyer: Buyer, network: str) -> None:
    before = shop.chain(network).balance(shop.seller(network))
    header = {"X-Payment": payment_header(shop, buyer, offer(shop.post(BODY), network))}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: shop.post(BODY, header), range(20)))
    assert {a.status_code for a in answers} == {200}
    assert len({a.json()["data"][0]["url"] for a in answers}) == 1
    assert shop.chain(network).balance(shop.seller(network)) == before + PRICE


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_a_settled_payment_replays_its_own_request_only(shop: Shop, buyer: Buyer, network: str) -> None:
    header = {"X-Payment": payment_header(shop, buyer, offer(shop.post(BODY), network))}
    first = shop.post(BODY, header)
    again = shop.post(BODY, header)
    assert again.status_code == 200
    assert again.json()["payment"]["status"] == "already_settled"
    assert again.json()["data"] == first.json()["data"]
    other = shop.post(BODY | {"prompt": "something else"}, header)
    assert (other.status_code, other.json()["reason"]) == (402, "payment_already_used")
    assert other.json()["accepts"]
    assert shop.chain(network).balance(buyer.address(network)) == FUNDS - PRICE


def test_a_payment_at_work_is_bound_to_its_request(shop: Shop, buyer: Buyer) -> None:
    header = {"X-Payment": payment_header(shop, buyer, offer(shop.post(BODY), BASE))}
    bodies = [BODY | {"prompt": f"variant {i}"} for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda b: shop.post(b, header), bodies))
    statuses = sorted(a.status_code for a in answers)
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 402, 409}
    assert shop.base.balance(buyer.address(BASE)) == FUNDS - PRICE


def test_a_cheap_payment_buys_nothing_dear(shop: Shop, buyer: Buyer) -> None:
    header = {"X-Payment": payment_header(shop, buyer, offer(shop.post(BODY), BASE))}
    refused = shop.post(BODY | {"size": "1536x1024"}, header)
    assert refused.status_code == 402
    assert refused.json()["reason"] == "invalid_exact_evm_payload_authorization_value_mismatch"
    assert shop.base.balance(buyer.address(BASE)) == FUNDS
    assert shop.post(BODY, header).status_code == 200  # for what it was signed, it still pays


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [("moderation", 403, "content_policy"), ("rate limit", 429, "rate_limited"),
     ("server error", 500, "upstream_failed"), ("not json", 500, "upstream_failed")],
)  # fmt: skip
def test_upstream_failures_are_never_charged(shop: Shop, buyer: Buyer, failure: str, status: int, code: str) -> None:
    files = shop.images_on_disk()
    answer = shop.pay(buyer, BODY | {"prompt": f"simulate: {failure}"}, BASE)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert shop.base.balance(buyer.address(BASE)) == FUNDS
    assert shop.images_on_disk() == files
    if status == 429:
        assert answer.headers["retry-after"] == "60"
        assert answer.headers["x-ratelimit-source"] == answer.json()["source"] == "upstream"
        assert answer.json()["retry_after_seconds"] == 60


def test_hosted_results_are_inert(shop: Shop, buyer: Buyer) -> None:
    (image,) = shop.pay(buyer, BODY, SOLANA).json()["data"]
    got = httpx2.get(image["url"])
    assert "immutable" in got.headers["cache-control"]
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"].startswith("sandbox")
    assert got.headers["access-control-allow-origin"] == "*"
    assert got.headers["cross-origin-resource-policy"] == "cross-origin"
    unchanged = httpx2.get(image["url"], headers={"if-none-match": got.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    for key in ("nothing", "..%2f..%2fgateway.db", "A" * 32 + ".png"):
        assert httpx2.get(f"{shop.url}/images/{key}").status_code == 404


def test_the_catalog_routes(shop: Shop) -> None:
    listed = httpx2.get(shop.url + "/api/v1/models").json()
    rows = {r["id"]: r for r in listed["data"]}
    assert listed["object"] == "list"
    assert rows["openai/gpt-image-1"]["pricing"] == {"1024x1024": 0.021, "1536x1024": 0.042, "1024x1536": 0.042}
    assert rows["openai/gpt-image-1"]["price_per_image"] == 0.021
    assert rows["openai/gpt-image-1"]["available"] is True
    assert rows["google/nano-banana"]["available"] is False
    assert rows["google/nano-banana"]["mask"] is False
    assert httpx2.get(shop.url + "/api/pricing").json() == {"models": listed["data"]}
    for path in ("/v1/models", "/api/v1/images/models", "/sol/v1/models"):
        assert httpx2.get(shop.url + path).json() == listed


def test_a_quote_is_ready_to_sign(shop: Shop, buyer: Buyer) -> None:
    quote = {"model": "gpt-image", "size": "1024x1024", "n": 1, "prompt": BODY["prompt"]}
    answer = shop.post(quote, path="/api/v1/images/quote")
    assert answer.status_code == 200
    entry = next(a for a in answer.json()["accepts"] if a["network"] == BASE)
    assert answer.json()["price"] == {"amount": "0.021000", "currency": "USD"}
    assert shop.post(BODY, {"X-Payment": payment_header(shop, buyer, entry)}).status_code == 200


@pytest.mark.parametrize(
    ("quote", "path"),
    [({"model": "nope"}, "model"), ({"size": "7x7"}, "size"), ({"n": 0}, "n"), ({"width": 5}, "width"),
     ({"size": "auto"}, "width"), ({"model": "nano-banana"}, "model"), ({"foo": 1}, "foo"), ({"masked": 1}, "masked")],
)  # fmt: skip
def test_a_quote_refuses_what_the_edit_would(shop: Shop, quote: dict[str, object], path: str) -> None:
    answer = shop.post(quote, path="/api/v1/images/quote")
    assert answer.status_code == 400, answer.text
    assert answer.json()["details"][0]["path"] == path


def test_auto_is_priced_by_the_picture(shop: Shop) -> None:
    for (width, height), amount in (((900, 600), 42_000), ((500, 500), 21_000)):
        asked = shop.post(BODY | {"size": "auto", "image": data_uri(photo(width, height))})
        assert offer(asked, BASE)["amount"] == str(amount)
        quoted = shop.post({"size": "auto", "width": width, "height": height}, path="/api/v1/images/quote")
        assert quoted.json()["accepts"][0]["amount"] == str(amount)


def test_discovery_and_operations(shop: Shop) -> None:
    found = httpx2.get(shop.url + "/.well-known/x402").json()
    assert found["resources"] == [shop.url + EDIT]
    assert httpx2.get(shop.url + "/healthz").json()["status"] == "ok"
    ready = httpx2.get(shop.url + "/readyz")
    assert (ready.status_code, ready.json()["problems"]) == (200, {})
    text = httpx2.get(shop.url + "/llms.txt").text
    assert EDIT in text
    assert "$0.021" in text
    document = httpx2.get(shop.url + "/openapi.json").json()
    assert set(document["paths"][EDIT]["post"]["responses"]) >= {"200", "400", "402", "429", "500", "504"}


def test_foreign_hosts_and_browsers(shop: Shop) -> None:
    foreign = httpx2.get(shop.url + "/healthz", headers={"host": "evil.example"})
    assert (foreign.status_code, foreign.json()["code"]) == (421, "wrong_host")
    preflight = httpx2.options(
        shop.url + EDIT,
        headers={"origin": "https://page.example", "access-control-request-method": "POST",
                 "access-control-request-headers": "x-payment,content-type"},
    )  # fmt: skip
    assert preflight.status_code == 200
    asked = httpx2.post(shop.url + EDIT, json=BODY, headers={"origin": "https://page.example"})
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "PAYMENT-REQUIRED" in asked.headers["access-control-expose-headers"]


def test_wrapped_base64_as_published(shop: Shop) -> None:
    uri = data_uri(photo())
    wrapped = "\n".join(uri[i : i + 76] for i in range(0, len(uri), 76))
    body = '{"prompt": "invert", "image": "' + wrapped + '"}'
    answer = httpx2.post(shop.url + EDIT, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 402, answer.text


def test_receipts_decode(shop: Shop, buyer: Buyer) -> None:
    answer = shop.pay(buyer, BODY, BASE)
    receipt = json.loads(base64.b64decode(answer.headers["PAYMENT-RESPONSE"]))
    assert receipt["success"] is True
    assert receipt["payer"] == buyer.address(BASE)
    assert receipt["transaction"] == answer.json()["payment"]["tx_hash"]
