"""Everything wrong gets its status and a sentence; none is charged, none is a 500, none leaves a file behind."""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from solders.keypair import Keypair

from support.pictures import data_uri, flat, half_mask, photo, png_header
from support.shop import EDIT, FUNDS, Buyer, Shop, offer, payment_header

pytestmark = pytest.mark.e2e

BASE = "eip155:84532"
SOLANA = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
GOOD = {"prompt": "invert the colours", "image": data_uri(photo())}
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"
TRUNCATED = photo()[:900]

BEFORE_ANY_PRICE: dict[str, tuple[dict[str, Any], str, str]] = {
    "bad base64": ({"image": "data:image/png;base64,@@@@"}, "image", "base64"),
    "no data URI": ({"image": "hello"}, "image", "data"),
    "a web address": ({"image": "https://example.com/cat.png"}, "image", "data"),
    "a text file called png": ({"image": data_uri(b"just some words, no picture at all")}, "image", ""),
    "PostScript called png": ({"image": data_uri(POSTSCRIPT)}, "image", "PostScript"),
    "an empty image": ({"image": "data:image/png;base64,"}, "image", ""),
    "a bomb": ({"image": data_uri(png_header(30_000, 30_000))}, "image", "30000"),
    "a mask of another size": ({"mask": data_uri(half_mask(128, 256))}, "mask", "128x256"),
    "a mask that is text": ({"mask": data_uri(b"hello hello hello")}, "mask", ""),
    "an unknown model": ({"model": "dall-e-9"}, "model", "dall-e-9"),
    "an unavailable model": ({"model": "nano-banana"}, "model", "available"),
    "no image": ({"image": None}, "image", "required"),
    "an image list of numbers": ({"image": [1]}, "image", ""),
    "no images": ({"image": []}, "image", ""),
    "five images": ({"image": [GOOD["image"]] * 5}, "image", "4"),
    "a mask with two images": ({"image": [GOOD["image"]] * 2, "mask": data_uri(half_mask())}, "mask", ""),
    "size with a capital X": ({"size": "1024X1024"}, "size", "1024X1024"),
    "a size not offered": ({"size": "512x512"}, "size", "512x512"),
    "size as a number": ({"size": 1024}, "size", ""),
    "n 0": ({"n": 0}, "n", "0"),
    "n 11": ({"n": 11}, "n", "11"),
    "n two": ({"n": "two"}, "n", "two"),
    "n 1.0": ({"n": 1.0}, "n", ""),
    "n true": ({"n": True}, "n", ""),
    "no prompt": ({"prompt": None}, "prompt", "required"),
    "an empty prompt": ({"prompt": " \n "}, "prompt", "empty"),
    "a prompt of 32,001 characters": ({"prompt": "x" * 32_001}, "prompt", "32,001"),
    "an unknown field": ({"response_format": "url"}, "response_format", "response_format"),
    "an unknown fit": ({"fit": "squash"}, "fit", "crop"),
    "a negative seed": ({"seed": -1}, "seed", ""),
}


@pytest.mark.parametrize("case", BEFORE_ANY_PRICE)
def test_refused_before_any_price(shop: Shop, case: str) -> None:
    changes, path, word = BEFORE_ANY_PRICE[case]
    files = shop.images_on_disk()
    answer = shop.post(GOOD | changes)
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["details"][0]["path"] == path
    assert word.lower() in body["message"].lower()
    assert len(body["message"]) < 600
    assert body["message"].endswith(".")
    assert "PAYMENT-REQUIRED" not in answer.headers
    assert shop.images_on_disk() == files


@pytest.mark.parametrize("network", [BASE, SOLANA])
@pytest.mark.parametrize(
    ("changes", "path"),
    [({"image": data_uri(TRUNCATED)}, "image"), ({"mask": data_uri(flat(256, 256, 0))}, "mask")],
    ids=["truncated png", "all-black mask"],
)
def test_what_only_pixels_tell_is_refused_uncharged(
    shop: Shop, buyer: Buyer, network: str, changes: dict[str, Any], path: str
) -> None:
    files = shop.images_on_disk()
    body = GOOD | changes
    asked = shop.post(body)
    if asked.status_code == 402:
        header = {"X-Payment": payment_header(shop, buyer, offer(asked, network))}
        asked = shop.post(body, header)
        assert shop.post(GOOD, header).status_code == 200  # the claim was released: the payment still buys
        assert shop.chain(network).balance(buyer.address(network)) == FUNDS - 21_000
        files += 1
    assert asked.status_code == 400, asked.text
    assert asked.json()["details"][0]["path"] == path
    assert shop.images_on_disk() == files


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"{", "application/json"), (b"", "application/json"), (b"[]", "application/json"), (b"null", "application/json"),
     (b'{"n": 1, "n": 2}', "application/json"), (b'{"n": NaN}', "application/json"),
     (b'{"prompt": "\\ud800"}', "application/json"), (b'{"n": ' + b"9" * 5000 + b"}", "application/json"),
     (b'{"a":' * 5000, "application/json"), (b"\xff\xfe{}", "application/json"), (b"x" * 100, "text/plain"),
     (b"--x\r\n", "multipart/form-data; boundary=x"), (b"hello", "multipart/form-data"),
     (b"prompt=x", "application/x-www-form-urlencoded")],
)  # fmt: skip
def test_bodies_that_are_none(shop: Shop, body: bytes, content_type: str) -> None:
    answer = httpx2.post(shop.url + EDIT, content=body, headers={"content-type": content_type})
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) >= {"error", "code", "message"}


def test_a_body_over_the_limit_is_refused_before_it_is_read(shop: Shop) -> None:
    where = urlsplit(shop.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=10) as raw:
        raw.sendall(
            f"POST {EDIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {65 * 2**20}\r\n\r\n".encode()
        )  # and not a byte of it
        assert raw.recv(4096).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("header", "reason"),
    [("!!!", "invalid_payload"), ("A" * 20_000, "invalid_payload"), (base64.b64encode(b"{}").decode(), None),
     (base64.b64encode(b"[" * 9000).decode(), "invalid_payload"),
     (base64.b64encode(json.dumps({"x402Version": 1, "scheme": "upto", "network": "base-sepolia",
      "payload": {}}).encode()).decode(), "invalid_scheme"),
     (base64.b64encode(json.dumps({"x402Version": 1, "scheme": "exact", "network": "dogecoin",
      "payload": {}}).encode()).decode(), "invalid_network"),
     (base64.b64encode(json.dumps({"x402Version": 1, "scheme": "exact", "network": "base-sepolia",
      "payload": {"authorization": [], "signature": 7}}).encode()).decode(), None),
     (base64.b64encode(json.dumps({"x402Version": 1, "scheme": "exact", "network": "solana-devnet",
      "payload": {"transaction": "AAAA"}}).encode()).decode(), None)],
)  # fmt: skip
def test_odd_payments_are_refused_by_name(shop: Shop, header: str, reason: str | None) -> None:
    answer = shop.post(GOOD, {"X-Payment": header})
    assert answer.status_code == 402, answer.text
    body = answer.json()
    assert body["code"] == "payment_refused"
    assert body["reason"] == reason if reason else body["reason"]
    assert isinstance(body["details"], str)
    assert body["accepts"]
    assert offer(answer, BASE)["amount"] == "21000"


def test_two_different_payments_are_a_400(shop: Shop, buyer: Buyer) -> None:
    entry = offer(shop.post(GOOD), BASE)
    headers = {
        "X-Payment": payment_header(shop, buyer, entry),
        "PAYMENT-SIGNATURE": payment_header(shop, buyer, entry),
    }
    assert shop.post(GOOD, headers).status_code == 400
    assert shop.base.balance(buyer.address(BASE)) == FUNDS


def test_an_expired_and_an_early_payment(shop: Shop, buyer: Buyer) -> None:
    entry = offer(shop.post(GOOD), BASE)
    for shift in (-3600, 7200):
        header = payment_header(shop, buyer, entry, now=int(time.time()) + shift)
        answer = shop.post(GOOD, {"X-Payment": header})
        assert answer.status_code == 402
        assert "valid" in answer.json()["reason"]
    assert shop.base.balance(buyer.address(BASE)) == FUNDS


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_no_money_no_edit(shop: Shop, network: str) -> None:
    poor = Buyer(os.urandom(32), Keypair())
    answer = shop.pay(poor, GOOD, network)
    assert answer.status_code == 402
    assert answer.json()["reason"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", EDIT, 405), ("GET", "/nope", 404), ("PUT", "/", 405)])
def test_strange_routes_answer_in_the_same_shape(shop: Shop, method: str, path: str, status: int) -> None:
    answer = httpx2.request(method, shop.url + path)
    assert answer.status_code == status
    assert set(answer.json()) >= {"error", "code", "message"}
