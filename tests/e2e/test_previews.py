"""Unfinished pictures in a job's status: as many as were asked for, small, within the mask, and never after the end."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from support.engines import Inverter, Sketcher
from support.market import Buyer, Market, open_market
from support.own_gateway import BODY, PRICE, OwnGateway, open_gateway
from support.pictures import data_uri, half_mask, photo

pytestmark = pytest.mark.e2e

ENVELOPE = {"id", "object", "status", "model", "payment_status", "queue_position", "progress"}
WIDE: dict[str, Any] = {"image": data_uri(photo(640, 480)), "mask": data_uri(half_mask(640, 480)), "size": "auto"}


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with open_market() as opened:
        yield opened


@pytest.fixture(scope="module", params=[Sketcher, Inverter])
def gateway(
    market: Market, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[OwnGateway]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    with open_gateway(folder, market.tills, engine=request.param(), inline_seconds=0.0) as opened:
        yield opened


def begun(gateway: OwnGateway, buyer: Buyer, **asked: Any) -> tuple[str, dict[str, str]]:
    """Where to ask for a job that is held at the engine, and its payment."""
    gateway.hold()
    payment = buyer.pay(gateway.post(**WIDE, **asked))
    answer = gateway.post(payment, **WIDE, **asked)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["poll_url"]), payment


def until_shown(gateway: OwnGateway, url: str, payment: dict[str, str]) -> dict[str, Any]:
    for _ in range(2_000):
        said: dict[str, Any] = gateway.get(url, payment).json()
        if "preview" in said:
            return said
    raise AssertionError(f"no preview: {said}")


def test_whoever_asks_sees_the_newest(market: Market, gateway: OwnGateway) -> None:
    buyer = market.buyer(market.base.network)
    before, kept = gateway.engine.edits, gateway.pictures()
    url, payment = begun(gateway, buyer, previews=2, output_format="webp")
    if isinstance(gateway.engine, Sketcher):
        said = until_shown(gateway, url, payment)
        assert set(said) == ENVELOPE | {"preview"}
        kind, _, text = said["preview"].partition(",")
        assert kind == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(text))) as shown:
            assert (shown.format, shown.size) == ("WEBP", (256, 192))
    else:  # shows none: it is a most
        while gateway.engine.edits == before:
            assert set(gateway.get(url, payment).json()) == ENVELOPE
    assert (buyer.spent(), gateway.pictures()) == (0, kept)
    gateway.release()
    done = finished(gateway, url, payment)
    assert "preview" not in done
    assert buyer.spent() == PRICE


def finished(gateway: OwnGateway, url: str, payment: dict[str, str]) -> dict[str, Any]:
    for _ in range(2_000):
        answer = gateway.get(url, payment)
        if answer.status_code == 200:
            said: dict[str, Any] = answer.json()
            return said
    raise AssertionError(answer.text)


def test_nobody_else_sees_any(market: Market, gateway: OwnGateway) -> None:
    buyer = market.buyer(market.base.network)
    before = gateway.engine.edits
    url, payment = begun(gateway, buyer)  # asked for none
    while gateway.engine.edits == before:
        assert set(gateway.get(url, payment).json()) == ENVELOPE
    gateway.release()
    finished(gateway, url, payment)


def test_a_number_that_is_none(gateway: OwnGateway) -> None:
    for wrong in (-1, 4, True, "2", 1.5):
        refused: httpx2.Response = gateway.post(previews=wrong)
        assert (refused.status_code, refused.json()["details"][0]["path"]) == (400, "previews")


def test_the_list_of_models_tells_who_shows_some(gateway: OwnGateway) -> None:
    studio = next(row for row in gateway.get("/v1/models").json()["data"] if row["id"] == BODY["model"])
    assert studio.get("previews") == (3 if isinstance(gateway.engine, Sketcher) else None)
