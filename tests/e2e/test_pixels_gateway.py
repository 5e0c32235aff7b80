"""Pictures through a real gateway: several sources in order, masks where they can be honoured, oddities, proofs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import urllib.request
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from support import google_simulator
from support.imagery import exif, saved
from support.oddities import PICTURE, corpus, refused
from support.pictures import data_uri, flat, half_mask, photo
from support.servers import free_port, running
from support.shop import FUNDS, Shop, open_shop
from tollbrush.imaging.codec import decode

pytestmark = pytest.mark.e2e

BASE = "eip155:84532"
SHADES = ((200, 40, 40), (40, 200, 40), (40, 40, 200))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    """A shop that sells Google's models too, and the simulated Google."""
    folder = tmp_path_factory.mktemp("store")
    port = free_port()
    google = f"http://127.0.0.1:{port}"
    env = {
        "TOLLBRUSH_ENGINES__GOOGLE__API_KEY": google_simulator.KEY,
        "TOLLBRUSH_ENGINES__GOOGLE__BASE_URL": f"{google}/v1beta",
        "TOLLBRUSH_ENGINES__GOOGLE__TIMEOUT_SECONDS": "15",
    }
    simulator = running(["support.google_simulator", str(port)], f"{google}/seen", log=folder / "google.log")
    with simulator, open_shop(folder, **env) as shop:
        yield shop, google


def edit(shop: Shop, **body: Any) -> dict[str, Any]:
    """Paid and delivered: the first image's row, with its pixels."""
    answer = shop.pay(shop.buyer(), body, BASE)
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()["data"][0]
    file = httpx2.get(row["url"]).content
    assert hashlib.sha256(file).hexdigest() == row["sha256"]
    picture = Image.open(io.BytesIO(file))
    assert (picture.size, row["mime_type"]) == ((row["width"], row["height"]), f"image/{str(picture.format).lower()}")
    return row | {"pixels": np.asarray(picture)}


def shades(order: tuple[int, ...]) -> list[str]:
    return [data_uri(flat(64, 64, SHADES[i])) for i in order]


def test_google_sees_the_sources_in_their_order(store: tuple[Shop, str]) -> None:
    shop, google = store
    for order in ((0, 1, 2), (2, 0, 1)):
        made = edit(shop, model="nano-banana", prompt="all of them", image=shades(order))
        strip = [made["pixels"][1000, x].tolist() for x in (100, 500, 900)]
        assert strip == [list(SHADES[i]) for i in order]
    sent = json.loads(urllib.request.urlopen(f"{google}/seen").read())[-1]
    assert (sent["model"], sent["sizes"], sent["aspectRatio"]) == ("gemini-2.5-flash-image", [[64, 64]] * 3, "1:1")


def test_openai_edits_the_first_and_gets_the_others(store: tuple[Shop, str]) -> None:
    shop, _ = store
    for order in ((0, 1, 2, 1), (2, 1, 0, 1)):
        made = edit(shop, model="gpt-image-1", prompt="all of them", image=shades(order))
        wanted = 255 - np.array(SHADES[order[0]])
        assert np.abs(made["pixels"][512, 512].astype(int) - wanted).max() <= 1
    assert httpx2.get(f"{shop.upstream}/seen").json()[-1]["images"] == 4


@pytest.mark.parametrize(
    ("body", "path", "word"),
    [({"model": "nano-banana", "image": shades((0, 1, 2, 0))}, "image", "at most 3"),
     ({"model": "gpt-image-1", "image": shades((0, 1, 2, 0, 1))}, "image", "at most 4"),
     ({"model": "gpt-image-1", "image": shades((0, 1)), "mask": data_uri(half_mask(64, 64))}, "mask", "several"),
     ({"model": "nano-banana", "image": shades((0,)), "mask": data_uri(half_mask(64, 64))}, "mask", "no mask"),
     ({"model": "nano-banana-pro", "image": shades((0,)), "mask": data_uri(half_mask(64, 64))}, "mask", "no mask"),
     ({"model": "nano-banana", "image": shades((0,)), "size": "2048x2048"}, "size", "not offered"),
     ({"model": "nano-banana", "image": shades((0,)), "seed": 4}, "seed", "no seed")],
)  # fmt: skip
def test_what_a_model_cannot_honour_is_refused_before_any_price(
    store: tuple[Shop, str], body: dict[str, Any], path: str, word: str
) -> None:
    answer = store[0].post({"prompt": "x"} | body)
    assert answer.status_code == 400, answer.text
    (detail,) = answer.json()["details"]
    assert detail["path"] == path
    assert word in detail["message"]


@pytest.mark.parametrize(("size", "amount"), [("1024x1024", "0.105000"), ("2048x2048", "0.105000")])
def test_the_larger_model_at_its_sizes(store: tuple[Shop, str], size: str, amount: str) -> None:
    shop, _ = store
    body = {"model": "google/nano-banana-pro", "prompt": "invert", "image": data_uri(photo()), "size": size}
    answer = shop.pay(shop.buyer(), body, BASE)
    assert answer.status_code == 200, answer.text
    assert answer.json()["price"]["amount"] == amount
    row = answer.json()["data"][0]
    assert f"{row['width']}x{row['height']}" == size
    assert (row.get("preserved"), row.get("edited_fraction")) == (None, None)


def test_auto_keeps_the_sources_shape(store: tuple[Shop, str]) -> None:
    for model in ("nano-banana", "gpt-image-1"):
        made = edit(store[0], model=model, prompt="invert", image=data_uri(photo(300, 170)), size="auto")
        assert (made["width"], made["height"]) == (300, 170)


@pytest.mark.parametrize(
    ("failure", "status"),
    [("IMAGE_SAFETY", 403), ("blocked PROHIBITED_CONTENT", 403), ("NO_IMAGE", 500), ("words only", 500),
     ("cut short", 500), ("rate limit", 429), ("unauthenticated", 500), ("deadline", 504), ("html", 500),
     ("bad base64", 500), ("no picture", 500), ("no candidates", 500), ("another size", 500), ("huge", 500),
     ("redirect", 500), ("internal", 500), ("stall", 504)],
)  # fmt: skip
def test_no_picture_no_charge(store: tuple[Shop, str], failure: str, status: int) -> None:
    shop, _ = store
    buyer = shop.buyer()
    body = {"model": "nano-banana", "prompt": f"simulate: {failure}", "image": data_uri(photo())}
    answer = shop.pay(buyer, body, BASE)
    assert answer.status_code == status, answer.text
    assert shop.base.balance(buyer.address(BASE)) == FUNDS
    assert google_simulator.KEY not in answer.text + shop.log.read_text()


MASKED = data_uri(half_mask(96, 64))
ODD = ("png palette of 16", "png 16-bit RGB", "png interlaced", "png 1-bit", "jpeg CMYK with a profile",
       "jpeg in Display P3", "webp orientation 6", "png orientation 8", "gif with a hole", "png RGBA")  # fmt: skip


@pytest.mark.parametrize("name", corpus() if os.environ.get("TOLLBRUSH_E2E") == "long" else ODD)
def test_oddities_are_edited_within_their_mask(shop: Shop, name: str) -> None:
    body = {"model": "studio", "prompt": "make it black and white", "size": "auto", "seed": 9, "mask": MASKED}
    made = edit(shop, image=data_uri(corpus()[name].data), **body)
    assert (made["width"], made["height"], made["preserved"], made["seed"]) == (96, 64, True, 9)
    assert made["edited_fraction"] == pytest.approx(0.5)
    wanted = decode(corpus()[name].data, max_pixels=10_000)  # which two strangers see as we do: test_corpus
    kept = made["pixels"][:, 48:]
    if kept.shape[2] > wanted.shape[2]:
        assert (kept[..., 3] == 255).all()
    channels = min(kept.shape[2], wanted.shape[2])
    assert np.array_equal(kept[..., :channels], wanted[:, 48:, :channels])
    if "orientation" in name and not name.startswith("jpeg"):
        assert np.array_equal(kept, PICTURE[:, 48:])


@pytest.mark.parametrize("name", refused())
def test_what_is_no_still_picture_is_refused_before_any_price(shop: Shop, name: str) -> None:
    answer = shop.post({"model": "studio", "prompt": "make it black and white", "image": data_uri(refused()[name])})
    assert answer.status_code == 400
    assert name.split()[0] in answer.json()["message"]


def test_a_turned_photograph_comes_back_upright(shop: Shop) -> None:
    lying = saved(np.ascontiguousarray(np.rot90(PICTURE)), "JPEG", quality=100, subsampling=0, exif=exif(6))
    made = edit(shop, model="studio", prompt="make it black and white", size="auto", image=data_uri(lying), mask=MASKED)
    assert np.abs(made["pixels"][:, 48:].astype(int) - PICTURE[:, 48:]).max() <= 12
    with Image.open(io.BytesIO(httpx2.get(made["url"]).content)) as image:
        assert not image.getexif()
