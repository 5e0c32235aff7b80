"""The router from call to saved picture, buying from a strict x402 gateway on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.evm_node import EvmNode
from support.paid_server import DROP, PaidServer, Reply, on_base, png, reply
from tollbrush.errors import Unavailable
from tollbrush.payments.wallet import load_or_create
from tollbrush.router.app import create_router
from tollbrush.settings import Settings

PHOTO = png((12, 8), "navy")


@dataclass
class Home:
    """An owner's machine: pictures, a funded wallet, and a router on it. `now` is the router's clock."""

    folder: Path
    gateway: PaidServer
    node: EvmNode
    now: float = 1_800_000_000.0
    router: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> Settings:
        return Settings(
            data_dir=self.folder / "data",
            networks={"base-sepolia": {"rpc_url": self.node.rpc_url}},
            router={"gateway_url": self.gateway.url, "allowed_roots": (self.folder,), **self.router},
        )

    def fund(self, atomic: int = 10_000_000) -> None:
        self.node.balances[load_or_create(self.settings()).evm_address.lower()] = atomic

    @asynccontextmanager
    async def caller(self) -> AsyncIterator[httpx2.AsyncClient]:
        """Of a router that starts now and stops with the context."""
        app = create_router(self.settings(), clock=lambda: self.now)
        transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 5000))
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://localhost:8402", timeout=30) as http,
        ):
            yield http


@pytest.fixture
def home(tmp_path: Path, gateway: PaidServer, evm_node: EvmNode) -> Home:
    (tmp_path / "photo.png").write_bytes(PHOTO)
    made = Home(tmp_path, gateway, evm_node)
    made.fund()
    return made


@pytest.fixture
async def http(home: Home) -> AsyncIterator[httpx2.AsyncClient]:
    async with home.caller() as http:
        yield http


def wish(home: Home, **fields: Any) -> dict[str, Any]:
    return {"prompt": "add a hat", "image": str(home.folder / "photo.png")} | fields


EDIT = "/v1/images/image2image"
CHAT = "/v1/chat/completions"


async def test_a_path_becomes_a_paid_saved_picture(home: Home, http: httpx2.AsyncClient) -> None:
    answer = await http.post(EDIT, json=wish(home))
    assert answer.status_code == 200, answer.text
    said = answer.json()
    (picture,) = said["data"]
    assert said["price"] == {"amount": "0.021000", "currency": "USD"}
    assert said["payment"]["network"] == "base-sepolia" and said["payment"]["tx_hash"].startswith("0x")
    assert picture["url"].startswith("http://localhost:8402/images/")
    shown = await http.get(picture["url"])
    assert (shown.content, shown.headers["content-type"]) == (home.gateway.picture, "image/png")
    sent = json.loads(home.gateway.of("edit")[0].body)
    assert base64.b64decode(sent["image"].partition(",")[2]) == PHOTO
    assert len(home.gateway.of("edit")) == 1, "the picture goes up once"
    assert len(home.gateway.charged) == 1


@pytest.mark.parametrize("named", ["image", "image[]"])
async def test_multipart_files_and_typed_paths(home: Home, http: httpx2.AsyncClient, named: str) -> None:
    uploaded = await http.post(EDIT, data={"prompt": "add a hat"}, files={named: ("a.png", PHOTO, "image/png")})
    assert uploaded.status_code == 200, uploaded.text
    typed = await http.post(
        EDIT,
        data={"prompt": "add a hat"},
        files={"image": (None, str(home.folder / "photo.png")), "max_price": (None, "0.05")},
    )
    assert typed.json()["replayed"] is True, "the same picture, whichever way it came"


async def test_openai_shape(home: Home, http: httpx2.AsyncClient) -> None:
    answer = await http.post("/v1/images/edits", json=wish(home))
    assert base64.b64decode(answer.json()["data"][0]["b64_json"]) == home.gateway.picture
    by_url = await http.post("/v1/images/edits", json=wish(home, response_format="url"))
    assert "b64_json" not in by_url.json()["data"][0]
    wrong = await http.post("/v1/images/edits", json=wish(home, strength=1))
    assert wrong.status_code == 400 and wrong.json()["error"]["param"] == "strength"


@pytest.mark.parametrize("path", [EDIT, "/api" + EDIT])
async def test_both_paths(home: Home, http: httpx2.AsyncClient, path: str) -> None:
    assert (await http.post(path, json=wish(home))).status_code == 200


# ── never twice ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_identical_calls_at_once_pay_once(home: Home, http: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(http.post(EDIT, json=wish(home)) for _ in range(12)))
    assert {a.status_code for a in answers} == {200} and len(home.gateway.charged) == 1
    assert len({a.json()["payment"]["tx_hash"] for a in answers}) == 1


async def test_the_same_call_is_replayed_for_ten_minutes(home: Home, http: httpx2.AsyncClient) -> None:
    first = (await http.post(EDIT, json=wish(home))).json()
    home.now += 599
    again = (await http.post(EDIT, json=wish(home))).json()
    assert again == first | {"replayed": True} and len(home.gateway.charged) == 1
    home.now += 2
    assert "replayed" not in (await http.post(EDIT, json=wish(home))).json()
    assert len(home.gateway.charged) == 2


async def test_a_quote_serves_the_edits_of_the_next_seconds(home: Home, http: httpx2.AsyncClient) -> None:
    async def quotes(moved: float = 0, **fields: Any) -> int:
        home.now += moved
        assert (await http.post(EDIT, json=wish(home, **fields))).status_code == 200
        return len(home.gateway.of("quote"))

    assert [await quotes(seed=1), await quotes(seed=2), await quotes(seed=3, prompt="a crown")] == [1, 1, 2]
    assert [await quotes(seed=4, n=2), await quotes(seed=5, mask=str(home.folder / "photo.png"))] == [3, 4]
    assert [await quotes(6, seed=6), await quotes(-60, seed=7)] == [5, 6]
    assert len(home.gateway.charged) == 7


async def test_a_quote_is_forgotten_when_its_edit_fails(home: Home, http: httpx2.AsyncClient) -> None:
    await http.post(EDIT, json=wish(home))
    home.gateway.offers = [on_base(30_000)]
    dearer = await http.post(EDIT, json=wish(home, seed=1))
    assert (dearer.status_code, dearer.json()["code"]) == (403, "spending_policy")
    assert (await http.post(EDIT, json=wish(home, seed=2))).status_code == 200
    assert len(home.gateway.of("quote")) == 2 and len(home.gateway.charged) == 2


async def test_an_alias_is_the_same_edit(home: Home, http: httpx2.AsyncClient) -> None:
    rows = [{"id": "tollbrush/studio", "aliases": ["studio", 7]}, {"id": 3}, "x"]
    home.gateway.script["models"] = [reply(200, {"data": rows})]
    first = await http.post(EDIT, json=wish(home, model="studio"))
    again = await http.post(EDIT, json=wish(home, model="tollbrush/studio"))
    assert first.status_code == 200 and again.json()["replayed"] is True
    assert len(home.gateway.charged) == 1 and len(home.gateway.of("models")) == 1
    assert json.loads(home.gateway.of("edit")[0].body)["model"] == "studio", "sent as it was said"


async def test_a_gateway_without_a_list_of_models_still_sells(home: Home, http: httpx2.AsyncClient) -> None:
    home.gateway.script["models"] = [Reply(404), reply(200, {"data": {}}), DROP, DROP]
    for model in ("a", "b", "c"):
        assert (await http.post(EDIT, json=wish(home, model=model))).status_code == 200
    assert len(home.gateway.charged) == 3


async def test_a_replay_outlives_the_router(home: Home) -> None:
    for _ in range(2):
        async with home.caller() as http:
            answer = await http.post(EDIT, json=wish(home))
    assert answer.json()["replayed"] is True and len(home.gateway.charged) == 1


@pytest.mark.parametrize("other", [{"again": True}, {"seed": 7}, {"prompt": "add a crown"}, {"n": 2}, {"size": "auto"}])
async def test_another_call_is_another_purchase(home: Home, http: httpx2.AsyncClient, other: dict[str, Any]) -> None:
    await http.post(EDIT, json=wish(home))
    answer = await http.post(EDIT, json=wish(home, **other))
    assert answer.status_code == 200 and len(home.gateway.charged) == 2


async def test_a_lost_picture_is_fetched_again_and_not_paid_again(home: Home, http: httpx2.AsyncClient) -> None:
    home.gateway.script["image"] = [Reply(404)]
    lost = await http.post(EDIT, json=wish(home))
    assert lost.status_code == 500 and "paid" in lost.json()["message"]
    found = await http.post(EDIT, json=wish(home))
    assert found.status_code == 200 and len(home.gateway.charged) == 1
    shown = await http.get(found.json()["data"][0]["url"])
    assert shown.content == home.gateway.picture


async def test_a_pruned_picture_is_fetched_again(home: Home, http: httpx2.AsyncClient) -> None:
    url = (await http.post(EDIT, json=wish(home))).json()["data"][0]["url"]
    for file in (home.folder / "data/router/images").iterdir():
        file.unlink()
    assert (await http.get(url)).status_code == 404
    assert (await http.post(EDIT, json=wish(home))).status_code == 200
    assert (await http.get(url)).content == home.gateway.picture and len(home.gateway.charged) == 1


async def test_results_that_cannot_be_saved_are_fetched_later(home: Home, http: httpx2.AsyncClient) -> None:
    images = home.folder / "data/router/images"
    images.rmdir()
    images.write_text("in the way, also of those who may write everywhere")
    lost = await http.post(EDIT, json=wish(home))
    assert lost.status_code == 503 and "cannot be saved" in lost.json()["message"]
    images.unlink()
    images.mkdir()
    found = await http.post(EDIT, json=wish(home))
    assert found.json()["replayed"] is True and len(home.gateway.charged) == 1
    assert (await http.get(found.json()["data"][0]["url"])).content == home.gateway.picture


async def test_a_router_without_its_folder_does_not_start(home: Home) -> None:
    (home.folder / "data/router").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be used"):
        create_router(home.settings())


async def test_a_caller_that_goes_away_finds_the_result_in_the_history(home: Home, http: httpx2.AsyncClient) -> None:
    asked = asyncio.ensure_future(http.post(EDIT, json=wish(home)))
    while not home.gateway.of("quote"):  # noqa: ASYNC110 - another thread hears it
        await asyncio.sleep(0)
    asked.cancel()
    rows: list[dict[str, Any]] = []
    while not (rows and rows[0]["answer"]):
        await asyncio.sleep(0)  # a call within the process never waits, and the purchase must
        rows = (await http.get("/v1/history")).json()["data"]
    assert rows[0]["prompt"] == "add a hat" and rows[0]["answer"]["payment"]["tx_hash"]


# ── never more than meant, never a 402 ──────────────────────────────────────────────────────────────────────


async def refused(home: Home, **fields: Any) -> tuple[int, str]:
    """Status and code; nothing was paid for."""
    async with home.caller() as http:
        answer = await http.post(EDIT, json=wish(home, **fields))
    assert not home.gateway.charged
    assert not [h for h in home.gateway.heard if h.payment], "no signature left this machine"
    return answer.status_code, answer.json()["code"]


async def test_over_the_cap_per_call(home: Home) -> None:
    home.router["spending"] = {"per_call": "0.02"}
    assert await refused(home) == (403, "spending_policy")


async def test_over_the_callers_price(home: Home) -> None:
    assert await refused(home, max_price="0.02") == (403, "spending_policy")
    assert await refused(home, max_price=0.0209) == (403, "spending_policy")


async def test_dearer_than_the_quote(home: Home) -> None:
    home.gateway.script["edit"] = [lambda heard: home.gateway.ask(on_base(500_000))]
    async with home.caller() as http:
        answer = await http.post(EDIT, json=wish(home))
    assert (answer.status_code, answer.json()["code"]) == (403, "spending_policy")
    assert not home.gateway.charged


async def test_another_payee_than_before(home: Home) -> None:
    async with home.caller() as http:
        assert (await http.post(EDIT, json=wish(home))).status_code == 200
        home.gateway.offers = [on_base(pay_to="0x" + "9" * 40)]
        home.now += 10  # its quote is old
        answer = await http.post(EDIT, json=wish(home, seed=1))
    assert (answer.status_code, answer.json()["code"]) == (403, "spending_policy")
    assert len(home.gateway.charged) == 1


async def test_another_asset(home: Home) -> None:
    home.gateway.offers = [on_base(asset="0x" + "1" * 40)]
    assert await refused(home) == (403, "spending_policy")


async def test_fifty_calls_at_once_stay_within_the_hour(home: Home) -> None:
    home.router["spending"] = {"per_hour": "0.1"}
    async with home.caller() as http:
        answers = await asyncio.gather(*(http.post(EDIT, json=wish(home, seed=i)) for i in range(50)))
    outcomes = [a.status_code for a in answers]
    assert outcomes.count(200) == 4 == len(home.gateway.charged) and outcomes.count(403) == 46


async def test_an_empty_wallet(home: Home) -> None:
    home.fund(20_999)
    assert await refused(home) == (403, "no_funds")


async def test_no_gateway(home: Home) -> None:
    home.gateway.stop()
    assert await refused(home) == (503, "unavailable")


async def test_a_refused_payment_is_not_the_callers_402(home: Home) -> None:
    home.gateway.script["edit"] = [lambda heard: home.gateway.ask(reason="expired") for _ in range(9)]
    async with home.caller() as http:
        answer = await http.post(EDIT, json=wish(home))
    assert answer.status_code == 500 and "expired" in answer.json()["message"]


async def test_the_gateways_own_words_come_through(home: Home) -> None:
    said = {"error": "size 7x7 is not offered.", "code": "bad_request", "message": "size 7x7 is not offered. Try auto."}
    home.gateway.script["quote"] = [reply(400, said)]
    async with home.caller() as http:
        answer = await http.post(EDIT, json=wish(home, size="7x7"))
    assert answer.status_code == 400 and answer.json()["message"] == "size 7x7 is not offered. Try auto."


# ── bad input ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"image": "/etc/passwd"}, "outside the folders"),
        ({"image": "/nowhere.png"}, "outside the folders"),
        ({"image": []}, "image must be"),
        ({"image": ["http://169.254.169.254/a"]}, "not a public address"),
        ({"mask": "data:image/png;base64,aGVsbG8="}, "not a PNG"),
        ({"prompt": " "}, "prompt is empty"),
        ({"n": 11}, "n is 11"),
        ({"size": "1024X1024"}, "WIDTHxHEIGHT"),
        ({"strength": 1}, "'strength' is not supported"),
        ({"again": "yes"}, "again must be"),
        ({"max_price": "-1"}, "max_price"),
        ({"max_price": True}, "max_price"),
        ({"network": "litecoin"}, "network 'litecoin' is unknown"),
        ({"response_format": "gif"}, "response_format must be"),
        ({"previews": 4}, "previews is 4"),
    ],
)
async def test_bad_fields_are_400(home: Home, http: httpx2.AsyncClient, fields: dict[str, Any], says: str) -> None:
    answer = await http.post(EDIT, json=wish(home, **fields))
    assert answer.status_code == 400 and says in answer.json()["message"], answer.text
    assert not home.gateway.heard


async def test_bodies_that_are_none(home: Home, http: httpx2.AsyncClient) -> None:
    json_type = {"content-type": "application/json"}
    for content in (b"", b"{", b"[]", b'{"prompt":"a","prompt":"b"}'):
        assert (await http.post(EDIT, content=content, headers=json_type)).status_code == 400
    assert (await http.post(EDIT, content=b"x", headers={"content-type": "multipart/form-data"})).status_code == 400
    assert (await http.get(EDIT)).status_code == 405
    assert (await http.get("/v1/nothing")).status_code == 404


async def test_image_keys_do_not_travel(home: Home, http: httpx2.AsyncClient) -> None:
    for key in ("..%2F..%2Frouter-token", "history.db", "0" * 64 + ".png", "%00.png"):
        assert (await http.get(f"/images/{key}")).status_code == 404


# ── the rest ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_wallet_shows_no_secret(home: Home, http: httpx2.AsyncClient) -> None:
    wallet = load_or_create(home.settings())
    answer = await http.get("/v1/wallet")
    assert answer.json()["accounts"] == [
        {
            "network": "base-sepolia",
            "title": "Base Sepolia",
            "address": wallet.evm_address,
            "balance": "10.000000",
            "problem": "",
        }
    ]
    words = wallet.export()["mnemonic"].split()  # one alone may be a key's: "balance", "address"
    secrets = [wallet.evm_key.hex(), str(wallet.solana_keypair), *map(" ".join, pairwise(words))]
    said = f"{answer.text} {re.sub('[^a-z]+', ' ', answer.text)}"
    assert [secret for secret in secrets if secret in said] == []
    home.node.down = True
    assert (await http.get("/v1/wallet")).json()["accounts"][0]["balance"] is None


async def test_quote_and_models_cost_nothing(home: Home, http: httpx2.AsyncClient) -> None:
    quoted = await http.post("/v1/images/quote", json={"model": "gpt-image-1", "size": "1024x1024"})
    assert quoted.json()["price"] == {"amount": "0.021000", "currency": "USD"}
    assert (await http.post("/v1/images/quote", json={"colour": 1})).status_code == 400
    assert (await http.get("/v1/models")).json()["data"][0]["id"] == "openai/gpt-image-1"
    assert not home.gateway.charged and not home.gateway.of("edit")


async def test_health_and_history(home: Home, http: httpx2.AsyncClient) -> None:
    health = (await http.get("/health")).json()
    assert health["service"] == "tollbrush-router" and health["gateway"] == home.gateway.url
    assert "<title>" in (await http.get("/")).text
    for seed in range(3):
        await http.post(EDIT, json=wish(home, seed=seed))
    rows = (await http.get("/v1/history?limit=2")).json()["data"]
    assert len(rows) == 2 and [row["status"] for row in rows] == ["completed"] * 2
    assert (await http.get("/v1/history")).json()["data"][:2] == rows
    assert (await http.get("/v1/history?limit=x")).status_code == 400


async def test_a_first_edit_makes_the_wallet(home: Home) -> None:
    home.folder = home.folder / "fresh"
    home.folder.mkdir()
    (home.folder / "photo.png").write_bytes(PHOTO)
    assert await refused(home) == (403, "no_funds")
    assert (home.folder / "data/wallet/wallet.json").stat().st_mode & 0o077 == 0


# ── chat ────────────────────────────────────────────────────────────────────────────────────────────────────


def said(*content: Any, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "be kind"}, *({"role": "user", "content": c} for c in content)]
    return {"model": "any-model", "messages": messages} | fields


async def test_the_slash_command_in_a_chat(home: Home, http: httpx2.AsyncClient) -> None:
    answer = await http.post(CHAT, json=said("hello", f'/img2img --image "{home.folder}/photo.png" add a hat'))
    assert answer.status_code == 200, answer.text
    chat = answer.json()
    assert chat["object"] == "chat.completion" and chat["choices"][0]["finish_reason"] == "stop"
    text = chat["choices"][0]["message"]["content"]
    url = text.partition("](")[2].partition(")")[0]
    assert (await http.get(url)).content == home.gateway.picture
    assert "$0.021" in text and "base-sepolia" in text and "0x" in text
    assert json.loads(home.gateway.of("edit")[0].body)["prompt"] == "add a hat"


async def test_image_parts_count_as_images(home: Home, http: httpx2.AsyncClient) -> None:
    uri = "data:image/png;base64," + base64.b64encode(PHOTO).decode()
    parts = [{"type": "image_url", "image_url": {"url": uri}}, {"type": "text", "text": "/img2img add a hat"}]
    assert (await http.post(CHAT, json=said(parts))).status_code == 200
    assert base64.b64decode(json.loads(home.gateway.of("edit")[0].body)["image"].partition(",")[2]) == PHOTO


async def test_a_streamed_answer(home: Home, http: httpx2.AsyncClient) -> None:
    body = said(f"/img2img --image {home.folder}/photo.png add a hat", stream=True)
    answer = await http.post(CHAT, json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"} and len({c["id"] for c in chunks}) == 1
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks)
    assert "![edited picture](http://localhost:8402/images/" in text
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("draw me a cat", "must begin with /img2img"),
        ("/img2img --image /nowhere.png add a hat", "outside the folders"),
        ("/img2img --image a.png --sise 1x1 add a hat", "unknown flag '--sise'"),
        ("/img2img add a hat", "no picture was given"),
        ([{"type": "input_audio"}], "'input_audio' is not understood"),
        (7, "must be text or a list"),
    ],
)
async def test_anything_else_is_a_clear_400(
    home: Home, http: httpx2.AsyncClient, stream: bool, content: Any, says: str
) -> None:
    answer = await http.post(CHAT, json=said(content, stream=stream))
    assert answer.status_code == 400 and says in answer.json()["error"]["message"]
    assert answer.json()["error"]["type"] == "invalid_request_error" and not home.gateway.of("edit")


async def test_a_chat_without_a_user_is_400(http: httpx2.AsyncClient) -> None:
    bodies: list[Any] = [{}, {"messages": []}, {"messages": [{"role": "assistant", "content": "/img2img"}]}]
    for body in bodies:
        assert (await http.post(CHAT, json=body)).status_code == 400


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_in_a_chat_has_its_status(home: Home, http: httpx2.AsyncClient, stream: bool) -> None:
    home.fund(0)
    body = said(f"/img2img --image {home.folder}/photo.png add a hat", stream=stream)
    answer = await http.post(CHAT, json=body)
    assert answer.status_code == 403 and answer.json()["error"]["code"] == "no_funds"


async def test_a_chats_model_is_used_when_it_is_for_sale(home: Home, http: httpx2.AsyncClient) -> None:
    body = said(f"/img2img --image {home.folder}/photo.png add a hat", model="openai/gpt-image-1")
    await http.post(CHAT, json=body)
    assert json.loads(home.gateway.of("edit")[0].body)["model"] == "openai/gpt-image-1"


async def test_a_gateway_that_hangs_up_is_tried_again_with_the_same_payment(home: Home) -> None:
    home.gateway.script["edit"] = [DROP]
    async with home.caller() as http:
        answer = await http.post(EDIT, json=wish(home))
    assert answer.status_code == 200 and len(home.gateway.charged) == 1
    assert len({heard.payment for heard in home.gateway.of("edit")}) == 1
