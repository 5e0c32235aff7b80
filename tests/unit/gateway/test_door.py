"""The door in OpenAI's shape, before any chain is asked: what is refused, and that nobody pays twice for a look."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.engines import Inverter
from support.pictures import data_uri, photo
from tollbrush.gateway.app import Seams, create_app
from tollbrush.gateway.door import PATHS
from tollbrush.settings import Settings

NETWORKS = {
    "base-sepolia": {"pay_to": "0x" + "11" * 20, "settle_key": "0x" + "22" * 32, "rpc_url": "http://127.0.0.1:9"}
}
BODY = {"prompt": "invert", "image": data_uri(photo(64, 64)), "size": "64x64"}
EDIT = "/v1/images/image2image"
Open = Callable[..., httpx2.AsyncClient]


@pytest.fixture
async def open_gateway(tmp_path: Path) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        def make(**limits: Any) -> httpx2.AsyncClient:
            settings = Settings(data_dir=tmp_path, networks=NETWORKS, gateway={"limits": limits})
            app = create_app(settings, Seams(engines=lambda _: [Inverter()]))
            client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost:8401")
            stack.push_async_callback(app.state.close)
            stack.push_async_callback(client.aclose)
            return client

        yield make


def shaped(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert set(error) >= {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize("path", [*PATHS, *(f"/sol{path}" for path in PATHS)])
async def test_the_same_rules_at_every_name(open_gateway: Open, path: str) -> None:
    gateway = open_gateway(body_bytes=8_000_000, edits_per_minute=600)
    assert shaped(await gateway.post(path, json=BODY | {"size": "1x1"}), 400, "bad_request")["param"] == "size"
    shaped(await gateway.post(path, json=BODY | {"prompt": "a unicorn"}), 400, "cannot_honour")
    shaped(await gateway.post(path, content=b"x" * 8_000_001), 413, "too_large")
    shaped(await gateway.put(path), 405, "http_error")
    shaped(await gateway.post(path, headers={"host": "evil.example"}), 421, "wrong_host")
    nonsense = await gateway.post(path, json=BODY, headers={"x-payment": "nonsense"})
    if path.startswith("/sol"):  # nothing is sold there: no network of that family has a pay_to
        shaped(nonsense, 503, "unavailable")
    else:
        assert shaped(nonsense, 402, "payment_refused")["reason"] == "invalid_payload"
        assert nonsense.json()["accepts"][0]["maxAmountRequired"] == "2100"


async def test_both_doors_share_one_rate(open_gateway: Open) -> None:
    gateway = open_gateway(edits_per_minute=2)
    assert (await gateway.post(EDIT, json=BODY)).status_code == 402
    assert (await gateway.post(PATHS[0], json=BODY)).status_code == 402
    limited = await gateway.post(PATHS[1], json=BODY)
    assert shaped(limited, 429, "rate_limited")["source"] == "gateway"
    assert int(limited.headers["retry-after"]) >= 1
    assert (await gateway.post(EDIT, json=BODY)).status_code == 429


async def test_both_doors_share_one_budget_of_memory(open_gateway: Open) -> None:
    body = json.dumps(BODY).encode()
    gateway = open_gateway(body_bytes=len(body), bodies_bytes=len(body))
    arrived, rest = asyncio.Event(), asyncio.Event()

    async def in_two_parts() -> AsyncIterator[bytes]:
        yield body[:-1]
        arrived.set()  # asked for more, so the first part was taken in
        await rest.wait()
        yield body[-1:]

    slow = asyncio.create_task(gateway.post(EDIT, content=in_two_parts()))
    await arrived.wait()
    shaped(await gateway.post(PATHS[0], content=body), 503, "unavailable")
    rest.set()
    assert (await slow).status_code == 402
    assert (await gateway.post(PATHS[0], content=body)).status_code == 402


async def test_a_quote_gives_the_same_400_as_the_edit(open_gateway: Open) -> None:
    gateway = open_gateway()
    for field in ("quality", "background"):
        value = "high" if field == "quality" else "opaque"
        quoted = await gateway.post("/v1/images/quote", json={"size": "64x64", field: value})
        edited = await gateway.post(EDIT, json=BODY | {field: value})
        assert quoted.json() == edited.json()
        assert quoted.json()["code"] == "unsupported_parameter"
        free = await gateway.post("/v1/images/quote", json={"size": "64x64", field: "auto"})
        assert free.status_code == 200
