"""The composition root and the skin around it: settings, hosts, limits, errors as answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from support.pictures import data_uri, photo
from tollbrush.errors import (
    BadSettings,
    InternalError,
    RateLimited,
    SettlementUnknown,
    TollbrushError,
    TooLarge,
    Unavailable,
)
from tollbrush.gateway import config
from tollbrush.gateway.app import create_app
from tollbrush.gateway.problems import problem
from tollbrush.settings import Settings

EVM = "0x" + "11" * 20
KEY = "0x" + "22" * 32
LOCAL = {"base-sepolia": {"pay_to": EVM, "settle_key": KEY, "rpc_url": "http://127.0.0.1:9"}}
EDIT = "/api/v1/images/image2image"
BODY = {"prompt": "add a hat", "image": data_uri(photo())}

Open = Callable[..., httpx2.AsyncClient]


@pytest.fixture
async def open_gateway(tmp_path: Path) -> AsyncIterator[Open]:
    """Gateways in this process; nothing here needs a chain or a worker."""
    async with AsyncExitStack() as stack:

        def make(**settings: Any) -> httpx2.AsyncClient:
            app = create_app(Settings(data_dir=tmp_path, **{"networks": LOCAL, **settings}))
            client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost:8401")
            stack.push_async_callback(app.state.close)
            stack.push_async_callback(client.aclose)
            return client

        yield make


async def test_prices_margin_and_availability_are_settings(open_gateway: Open) -> None:
    gateway = open_gateway(
        margin="0.5", prices={"tollbrush/studio": {"1024x1024": "0.01"}}, disabled_models=("tollbrush/studio",)
    )
    rows = {r["id"]: r for r in (await gateway.get("/v1/models")).json()["data"]}
    assert rows["tollbrush/studio"]["pricing"]["1024x1024"] == 0.015
    assert rows["openai/gpt-image-1"]["pricing"]["1024x1024"] == 0.03
    assert not any(r["available"] for r in rows.values())
    refused = await gateway.post(EDIT, json=BODY)
    assert (refused.status_code, refused.json()["code"]) == (400, "model_unavailable")


async def test_the_studio_is_the_default_where_it_is_alone(open_gateway: Open) -> None:
    asked = await open_gateway().post(EDIT, json=BODY)
    assert asked.json()["accepts"][0]["maxAmountRequired"] == "2100"
    refused = await open_gateway().post(EDIT, json=BODY | {"model": "gpt-image"})
    assert "available: tollbrush/studio" in refused.json()["message"]


async def test_a_stand_in_answers_at_the_models_price(open_gateway: Open) -> None:
    gateway = open_gateway(stand_in=True)
    asked = await gateway.post(EDIT, json=BODY)
    assert asked.json()["accepts"][0]["maxAmountRequired"] == "21000"
    assert (await gateway.post(EDIT, json=BODY | {"size": "512x512"})).status_code == 400
    quote = (await gateway.post("/v1/images/quote", json={"model": "gpt-image-1"})).json()
    assert (quote["model"], quote["requested_model"]) == ("tollbrush/studio", "openai/gpt-image-1")


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"stand_in": True, "networks": {"base": LOCAL["base-sepolia"]}}, "real money"),
     ({"prices": {"gpt-image": {"1024x1024": "1"}}}, "gpt-image"),
     ({"prices": {"openai/gpt-image-1": {"1024X1024": "1"}}}, "1024X1024"),
     ({"disabled_models": ("gpt-image-1",)}, "gpt-image-1"),
     ({"gateway": {"public_url": "edits.example"}}, "public_url"),
     ({"gateway": {"hosts": ("https://edits.example/x",)}}, "Write 'edits.example'"),
     ({"gateway": {"hosts": ("edits.example:443",)}}, "Write 'edits.example'"),
     ({"gateway": {"hosts": ("edits example",)}}, "host names alone"),
     ({"gateway": {"hosts": ("",)}}, "host names alone"),
     ({"gateway": {"trusted_proxies": ("https://10.0.0.1",)}}, "trusted_proxies holds"),
     ({"gateway": {"metrics_from": ("localhost",)}}, "metrics_from holds"),
     ({"gateway": {"limits": {"bodies_bytes": 10, "body_bytes": 11}}}, "bodies_bytes is 10, and one body may have 11"),
     ({"networks": {"dogecoin": {"pay_to": "x"}}}, "dogecoin"),
     ({"networks": {"base": {"pay_to": EVM}}}, "settle_key"),
     ({"networks": {"base": {"pay_to": "nobody", "settle_key": KEY}}}, "pay_to")],
)  # fmt: skip
def test_wrong_settings_stop_the_start(tmp_path: Path, settings: dict[str, Any], word: str) -> None:
    with pytest.raises(BadSettings) as refused:
        create_app(Settings(data_dir=tmp_path, **settings))
    assert word in refused.value.sentence()


def test_right_ones_do_not(tmp_path: Path) -> None:
    gateway = {
        "hosts": ("Edits.example", "sol.edits.example", "192.0.2.1"),
        "trusted_proxies": ("10.0.0.1", "10.1.0.0/16", "::1", "*"),
        "metrics_from": ("2001:db8::1",),
        "limits": {"bodies_bytes": 64 * 2**20},
    }
    config.check(Settings(data_dir=tmp_path, gateway=gateway))


@pytest.mark.parametrize("settings", [{"prices": {"tollbrush/studio": {"1024x1024": price}}} for price in ("0", "-1")]
                         + [{"log_level": "verbose"}, {"margin": "-1"}]
                         + [{"gateway": {"limits": {name: 0}}} for name in
                            ("edits_per_minute", "queued", "open_per_payer", "body_bytes", "bodies_bytes",
                             "image_pixels", "request_pixels", "body_seconds")]
                         + [{"gateway": wrong} for wrong in
                            ({"sweep_seconds": 0}, {"uncollected_seconds": -1}, {"images_seconds": -1},
                             {"inline_seconds": "nan"}, {"grace_seconds": "inf"}, {"port": 99999},
                             {"hard_seconds": 590})]
                         + [{"engines": {name: {"timeout_seconds": 0}}} for name in ("google", "studio")],
                         )  # fmt: skip
def test_impossible_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**settings)


@pytest.mark.parametrize("name", ["images", "inputs", "gateway.db"])
def test_a_data_folder_that_cannot_be_used_stops_the_start(tmp_path: Path, name: str) -> None:
    blocked = tmp_path / name
    blocked.mkdir() if name == "gateway.db" else blocked.touch()
    with pytest.raises(BadSettings, match="cannot be") as refused:
        create_app(Settings(data_dir=tmp_path, networks=LOCAL))
    assert str(blocked) in refused.value.message


async def test_the_studio_refuses_words_before_any_price(open_gateway: Open) -> None:
    refused = await open_gateway().post(EDIT, json=BODY | {"prompt": "turn the cat into a dragon made of glass"})
    assert (refused.status_code, refused.json()["code"]) == (400, "cannot_honour")
    assert "PAYMENT-REQUIRED" not in refused.headers


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("127.0.0.1:8401", 200), ("[::1]:8401", 200), ("edits.example", 200),
     ("EDITS.example:443", 200),
     ("sol.edits.example", 200), ("other.example", 200), ("evil.example", 421), ("edits.example.evil", 421),
     ("127.0.0.1.evil.example", 421), ("", 421), ("[::1", 421), ("10.0.0.1", 421),
     ("user@localhost", 421), ("localhost/x?", 421), ("localhost#", 421), ("localhost:8401x", 421)],
)  # fmt: skip
async def test_hosts(open_gateway: Open, host: str, status: int) -> None:
    gateway = open_gateway(gateway={"public_url": "https://edits.example", "hosts": ("other.example",)})
    answer = await gateway.get("/healthz", headers={"host": host})
    assert answer.status_code == status


async def test_two_hosts_are_none(open_gateway: Open) -> None:
    answer = await open_gateway().get("/healthz", headers=[("host", "evil.example"), ("host", "localhost")])
    assert answer.status_code == 421


async def test_too_many_requests_say_when(open_gateway: Open) -> None:
    gateway = open_gateway(gateway={"limits": {"edits_per_minute": 3}})
    answers = [await gateway.post(EDIT, json=BODY) for _ in range(4)]
    assert [a.status_code for a in answers] == [402, 402, 402, 429]
    late = answers[-1]
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert late.headers["x-ratelimit-source"] == late.json()["source"] == "gateway"


async def test_bodies_have_a_limit_and_a_deadline(open_gateway: Open) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100

    async def stuck() -> AsyncIterator[bytes]:
        import asyncio

        yield b"{"
        await asyncio.Event().wait()

    gateway = open_gateway(gateway={"limits": {"body_bytes": 1000, "body_seconds": 0.05}})
    headers = {"content-type": "application/json"}
    assert (await gateway.post(EDIT, content=endless(), headers=headers)).status_code == 413
    slow = await gateway.post(EDIT, content=stuck(), headers=headers)
    assert (slow.status_code, "in time" in slow.text or "arrive" in slow.text) == (400, True)


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"mask_mode": "luma"}, "mask_mode"), ({"fit": "pad", "size": "auto"}, "fit"),
     ({"seed": 2**31 - 1, "n": 2}, "seed"), ({"mask": ""}, "mask")],
)  # fmt: skip
async def test_nothing_is_silently_ignored(open_gateway: Open, changes: dict[str, Any], path: str) -> None:
    answer = await open_gateway().post(EDIT, json=BODY | changes)
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, path), answer.text


async def test_a_trailing_slash_is_not_redirected_out_of_its_twin(open_gateway: Open) -> None:
    answer = await open_gateway().post("/sol" + EDIT + "/", json=BODY)
    assert answer.status_code == 404


async def test_a_quote_takes_the_prompts_that_the_edit_takes(open_gateway: Open) -> None:
    gateway = open_gateway(stand_in=True)
    long = await gateway.post("/v1/images/quote", json={"prompt": "\u0436" * 32_000, "model": "studio"})
    assert long.status_code == 400  # the studio's no, and not the body's size
    huge = await gateway.post("/v1/images/quote", json={"width": 99_999, "height": 99_999, "size": "auto"})
    assert (huge.status_code, huge.json()["details"][0]["path"]) == (400, "width")


async def test_readiness_names_what_is_wrong(open_gateway: Open) -> None:
    answer = await open_gateway().get("/readyz")
    assert answer.status_code == 503
    assert list(answer.json()["problems"]) == ["eip155:84532"]
    unconfigured = await open_gateway(networks={}).get("/readyz")
    assert "pay_to" in unconfigured.json()["problems"]["payments"]


async def test_a_gateway_without_networks_sells_nothing(open_gateway: Open) -> None:
    answer = await open_gateway(networks={}).post(EDIT, json=BODY)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize("error", [
    RateLimited("slow down.", retry_after=9, source="gateway"), Unavailable("busy.", retry_after=9),
    SettlementUnknown("not yet.", retry_after=9), TooLarge("too big."), InternalError("oops.", extra={"id": "abc"}),
])  # fmt: skip
def test_errors_as_answers(error: TollbrushError) -> None:
    answer = problem(error)
    body = json.loads(bytes(answer.body))
    assert answer.status_code == error.status
    assert (body["error"], body["code"], body["message"]) == (error.message, error.code, error.sentence())
    assert (answer.headers.get("retry-after") == "9") == hasattr(error, "retry_after")
    assert body.get("id") == error.extra.get("id")


async def test_the_document_describes_the_application(tmp_path: Path) -> None:
    from tollbrush.wire.schemas import EDIT_FIELDS, QUOTE_FIELDS

    app = create_app(Settings(data_dir=tmp_path, networks=LOCAL))
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost:8401")
    document = (await client.get("/openapi.json")).json()
    routes = [(r.path.replace(":path", ""), getattr(r, "methods", ())) for r in app.routes]  # type: ignore[attr-defined]
    served = {(method.lower(), path) for path, methods in routes for method in methods if method != "HEAD"}
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert described <= served
    edit = document["components"]["schemas"]["EditRequest"]["properties"]
    assert set(edit) == set(EDIT_FIELDS)
    quote = document["paths"]["/api/v1/images/quote"]["post"]["requestBody"]["content"]["application/json"]
    assert set(quote["schema"]["properties"]) == set(QUOTE_FIELDS)
    await client.aclose()
    await app.state.close()
