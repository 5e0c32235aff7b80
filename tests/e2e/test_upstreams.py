"""A gateway that sells what its operator's own servers serve, and what it does when they fail."""

from __future__ import annotations

import io
import json
import sqlite3
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from support.imagery import fingerprint, saved
from support.imagery import photo as noise
from support.openai_oddities import KEY
from support.openai_simulator import simulated, told
from support.pictures import data_uri, half_mask, photo
from support.shop import EDIT, FUNDS, Buyer, Shop, offer, open_shop, payment_header

BASE = "eip155:84532"
OWN = {"model": "acme/qwen-edit", "prompt": "invert it", "size": "128x64", "image": data_uri(photo(128, 64))}
PRICE = 10_500


@dataclass(frozen=True)
class Own:
    shop: Shop
    server: str


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """Two servers, of which one has another key than it is told."""
    folder = tmp_path_factory.mktemp("own")
    with simulated("vllm-omni") as server, simulated() as locked, behind_a_strange_certificate(folder) as stranger:
        common = {
            "sizes": {"128x64": "0.01", "64x128": "0.01"},
            "mask": True,
            "max_sources": 4,
            "licence": "Apache-2.0",
        }
        good = {"url": server, "profile": "vllm-omni"}
        bad = {"url": locked, "profile": "openai", "api_key": "sk-outdated"}
        models = {
            "acme/qwen-edit": common | {"upstreams": [good]},
            "acme/two": common | {"upstreams": [good, bad]},
            "acme/plain": common | {"upstreams": [good | {"url": server.replace("http:", "https:")}]},
            "acme/stranger": common | {"upstreams": [good | {"url": stranger, "api_key": "sk-for-strangers"}]},
            "acme/mixed": common | {"upstreams": [good, {"url": locked, "profile": "openai", "mask": False}]},
        }
        env = {
            "TOLLBRUSH_MODELS": json.dumps(models),
            "TOLLBRUSH_ENGINES__OPENAI__STALLED_SECONDS": "0.5",
            "TOLLBRUSH_ENGINES__OPENAI__TIMEOUT_SECONDS": "30",
        }
        with open_shop(folder, **env) as shop:
            yield Own(shop, server)


@contextmanager
def behind_a_strange_certificate(folder: Path) -> Iterator[str]:
    """A server that whoever looked at no certificate would send its key to."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem",
            "-out", "cert.pem"]  # fmt: skip
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def payer(own: Own) -> Buyer:
    return own.shop.buyer()


def open_charges(shop: Shop) -> list[Any]:
    """What is neither settled nor released."""
    with sqlite3.connect(f"file:{shop.data_dir / 'gateway.db'}?mode=ro", uri=True) as db:
        return db.execute("SELECT * FROM charges WHERE state NOT IN ('settled', 'released')").fetchall()


def pixels(url: str) -> Any:
    return np.array(Image.open(io.BytesIO(httpx2.get(url).content)))


def test_what_an_own_server_serves_is_listed_and_sold(own: Own, payer: Buyer) -> None:
    rows = {row["id"]: row for row in httpx2.get(own.shop.url + "/v1/models").json()["data"]}
    row = rows["acme/qwen-edit"]
    assert (row["available"], row["mask"], row["licence"]) == (True, True, "Apache-2.0")
    assert row["pricing"] == {"128x64": 0.0105, "64x128": 0.0105}
    sold = own.shop.pay(payer, OWN, BASE)
    assert sold.status_code == 200, sold.text
    (image,) = sold.json()["data"]
    assert (image["width"], image["height"]) == (128, 64)
    assert sold.json()["model"] == "acme/qwen-edit"
    assert own.shop.base.balance(payer.address(BASE)) == FUNDS - PRICE


def test_a_mask_bounds_the_edit(own: Own, payer: Buyer) -> None:
    body = OWN | {"mask": data_uri(half_mask(128, 64)), "seed": 5}
    sold = own.shop.pay(payer, body, BASE)
    assert sold.status_code == 200, sold.text
    (image,) = sold.json()["data"]
    assert (image["preserved"], image["seed"]) == (True, 5)
    source = np.array(Image.open(io.BytesIO(photo(128, 64))).convert("RGB"))
    kept = np.array(Image.open(io.BytesIO(half_mask(128, 64))).convert("L")) < 128
    answer = pixels(image["url"])
    assert np.array_equal(answer[kept], source[kept])
    assert not np.array_equal(answer[~kept], source[~kept])


@pytest.mark.parametrize(
    ("failure", "status"),
    [("truncated json", 500), ("html as 200", 500), ("bad base64", 500), ("broken picture", 500), ("too few", 500),
     ("too many", 500), ("empty", 500), ("huge", 500), ("redirect", 500), ("bad key", 500), ("server error", 500),
     ("overloaded", 500), ("quota", 500), ("stall", 504), ("rate limit", 429), ("moderation", 403),
     ("another size", 500), ("a dot", 500), ("no data", 500), ("a url", 500), ("deep json", 500)],
)  # fmt: skip
def test_nothing_is_charged_for_what_is_no_picture(own: Own, payer: Buyer, failure: str, status: int) -> None:
    shop, files = own.shop, own.shop.images_on_disk()
    answer = shop.pay(payer, OWN | {"prompt": f"simulate: {failure}"}, BASE)
    assert answer.status_code == status, answer.text
    assert KEY not in answer.text
    assert shop.base.balance(payer.address(BASE)) == FUNDS
    assert shop.images_on_disk() == files
    assert open_charges(shop) == []
    assert KEY not in shop.log.read_text()
    assert "led elsewhere" not in told(own.server, "asked")
    assert shop.pay(payer, OWN, BASE).status_code == 200  # the server is not done with, and neither is the payer


def test_what_no_server_does_at_once_is_refused_before_a_price(own: Own) -> None:
    body = OWN | {"model": "acme/mixed", "quality": "low", "mask": data_uri(half_mask(128, 64))}
    quoted = {"model": "acme/mixed", "quality": "low", "size": "128x64", "masked": True}
    for refused in (own.shop.post(body), own.shop.post(quoted, path="/v1/images/quote")):
        assert refused.status_code == 400, refused.text
        said = refused.json()
        assert said["message"] == (
            "no server of this model does a mask and quality low at once. Leave out the mask, or leave out the quality."
        )
        assert [detail["path"] for detail in said["details"]] == ["mask"]
    assert own.shop.post({name: value for name, value in body.items() if name != "quality"}).status_code == 402


@pytest.mark.parametrize("model", ["acme/plain", "acme/stranger"])
def test_no_tls_no_edit_no_charge(own: Own, payer: Buyer, model: str) -> None:
    """One speaks none, one shows a certificate that nobody vouches for."""
    answer = own.shop.pay(payer, OWN | {"model": model}, BASE)
    assert answer.status_code == 500, answer.text
    assert "could not be reached" in answer.json()["message"]
    assert own.shop.base.balance(payer.address(BASE)) == FUNDS
    assert open_charges(own.shop) == []
    assert "sk-for-strangers" not in answer.text + own.shop.log.read_text()


def test_a_server_that_refuses_our_key_loses_no_sale(own: Own, payer: Buyer) -> None:
    for _ in range(3):
        sold = own.shop.pay(payer, OWN | {"model": "acme/two"}, BASE)
        assert sold.status_code == 200, sold.text
    limited = own.shop.pay(payer, OWN | {"model": "acme/two", "prompt": "simulate: rate limit"}, BASE)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "60")  # not the other server's excuse


def test_fewer_than_asked_for_is_not_charged(own: Own, payer: Buyer) -> None:
    answer = own.shop.pay(payer, OWN | {"prompt": "simulate once: too few", "n": 2}, BASE)
    assert answer.status_code == 500
    assert own.shop.base.balance(payer.address(BASE)) == FUNDS


def test_a_short_limit_is_waited_for(own: Own, payer: Buyer) -> None:
    prompt = "simulate once: short rate limit"
    sold = own.shop.pay(payer, OWN | {"prompt": prompt, "mask": data_uri(half_mask(128, 64))}, BASE)
    assert sold.status_code == 200, sold.text
    assert sold.json()["data"][0]["preserved"] is True  # out of a picture that was made again
    assert told(own.server, "asked").count(prompt) == 2
    assert own.shop.base.balance(payer.address(BASE)) == FUNDS - PRICE


def test_the_operator_is_told_and_nobody_hears_the_key(own: Own) -> None:
    ready = httpx2.get(own.shop.url + "/readyz").json()
    told = ready["warnings"]["upstreams"].split("; ")
    assert "for acme/two, acme/mixed: it refuses the key (HTTP 401): set another" in told
    assert {warning.partition(":")[0] for warning in told} >= {"for acme/plain", "for acme/stranger"}
    log = own.shop.log.read_text()
    assert "an upstream needs its operator" in log
    assert "sk-outdated" not in log + json.dumps(ready)
    assert KEY not in log


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
@pytest.mark.parametrize("way", ["JSON", "multipart", "image[]"])
def test_several_sources_arrive_in_order(own: Own, payer: Buyer, order: tuple[int, ...], way: str) -> None:
    pictures = [saved(noise(128, 64, seed=seed), "PNG") for seed in order]
    fields = {"model": "acme/qwen-edit", "prompt": f"blend {way} {order}", "size": "128x64"}

    def send(headers: dict[str, str]) -> httpx2.Response:
        if way == "JSON":
            return own.shop.post(fields | {"image": [data_uri(picture) for picture in pictures]}, headers)
        name = "image" if way == "multipart" else way
        files = [(name, (f"{i}.png", picture, "image/png")) for i, picture in enumerate(pictures)]
        return httpx2.post(own.shop.url + EDIT, data=fields, files=files, headers=headers, timeout=120)

    asked = send({})
    assert asked.status_code == 402, asked.text
    sold = send({"X-Payment": payment_header(own.shop, payer, offer(asked, BASE))})
    assert sold.status_code == 200, sold.text
    (seen,) = [row for row in told(own.server) if row["prompt"] == fields["prompt"]]
    assert seen["pictures"] == [fingerprint(noise(128, 64, seed=seed)) for seed in order]
