"""Client and AsyncClient, through a router and straight from a gateway: what goes out, what comes home."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import tollbrush
from support.paid_server import DROP, PRICE, PaidServer, Reply, on_base, png, reply
from support.purse import Purse
from tollbrush.client import AsyncClient, Client, Progress
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadImage, BadRequest, NoFunds, SpendingPolicy, Unavailable, UpstreamFailed
from tollbrush.payments.payer import Balance

SOURCE = png((20, 10))


@pytest.fixture
def server() -> Iterator[PaidServer]:
    gateway = PaidServer()
    yield gateway
    gateway.stop()


def router_answer(server: PaidServer, **changes: Any) -> Reply:
    return server.deliver("0x" + "7" * 64, **changes)


def sent(server: PaidServer) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(server.of("edit")[-1].body)
    return said


# Straight from a gateway.


async def test_edits_and_brings_the_picture_home(server: PaidServer, purse: Purse, tmp_path: Path) -> None:
    purse.fund(base=PRICE)
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        edit = await client.edit(SOURCE, "add a hat", model="openai/gpt-image-1", size="1024x1024", seed=7)
        balances = await client.balance()
    assert edit.image.bytes == server.picture
    assert (edit.image.width, edit.image.height, edit.image.mime_type) == (8, 6, "image/png")
    assert edit.images[0].save(tmp_path / "out.png").read_bytes() == server.picture
    assert (edit.price, edit.model, edit.revised_prompt) == (Price(PRICE), "openai/gpt-image-1", "a hat")
    assert edit.receipt is not None
    assert edit.receipt.tx_hash == f"0x{1:064x}"
    assert sent(server) == {
        "prompt": "add a hat", "model": "openai/gpt-image-1", "size": "1024x1024", "seed": 7,
        "image": "data:image/png;base64," + base64.b64encode(SOURCE).decode(),
    }  # fmt: skip
    quoted = json.loads(server.of("quote")[0].body)
    assert (quoted["width"], quoted["height"], quoted["masked"]) == (20, 10, False)
    assert {b.network.v1: b.held for b in balances} == {"base-sepolia": Price(PRICE), "solana-devnet": Price(0)}


async def test_max_price_is_dollars_as_text(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        assert await client.quote(SOURCE, "add a hat") == Price(PRICE)
        with pytest.raises(SpendingPolicy, match=r"more than the \$0.02 allowed"):
            await client.edit(SOURCE, "add a hat", max_price="0.02")
        for wrong in ("a lot", 0.05, "-1", "NaN"):
            with pytest.raises(BadRequest, match="max_price is"):
                await client.edit(SOURCE, "add a hat", max_price=wrong)  # type: ignore[arg-type]
        for right in ("0.021", Decimal("0.021"), Price(PRICE)):
            purse.fund(base=PRICE)
            assert (await client.edit(SOURCE, "add a hat", max_price=right)).price == Price(PRICE)


async def test_a_url_is_not_for_gateways(server: PaidServer, purse: Purse) -> None:
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        with pytest.raises(BadRequest, match="a gateway does not fetch"):
            await client.edit("https://pictures.example/cat.png", "add a hat")
    assert server.heard == []


async def test_a_broken_picture_is_told_before_anything_is_sent(server: PaidServer, purse: Purse) -> None:
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        with pytest.raises(BadImage):
            await client.edit(b"#!/bin/sh\necho no picture", "add a hat")
    assert server.heard == []


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (Reply(200, b"<html>your picture</html>", {"content-type": "image/png"}), "is no picture"),
        (Reply(404, b""), "HTTP 404"),
        (Reply(302, b"", {"location": "http://evil.example"}), "HTTP 302"),
    ],
)
async def test_a_result_that_is_no_picture(server: PaidServer, purse: Purse, picture: Reply, said: str) -> None:
    purse.fund(base=PRICE)
    server.script["image"] = [picture]
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        with pytest.raises(UpstreamFailed, match=said) as failed:
            await client.edit(SOURCE, "add a hat")
    assert "was paid for" in failed.value.sentence()
    assert failed.value.extra["url"] == f"{server.url}/images/result.png"


async def test_a_result_is_fetched_again_when_the_first_time_fails(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)
    server.script["image"] = [DROP, Reply(500)]
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        assert (await client.edit(SOURCE, "add a hat")).image.bytes == server.picture


HOMES = {
    "base64": {"b64_json": base64.b64encode(png()).decode()},
    "data URI": {"url": "data:image/png;base64," + base64.b64encode(png()).decode()},
}


@pytest.mark.parametrize("entry", HOMES.values(), ids=HOMES)
async def test_results_inside_the_answer(server: PaidServer, purse: Purse, entry: dict[str, str]) -> None:
    purse.fund(base=PRICE)
    server.script["edit"] = [server.deliver("0x" + "8" * 64, data=[entry])]
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        edit = await client.edit(SOURCE, "add a hat")
    assert (edit.image.bytes, edit.image.url) == (png(), "")


@pytest.mark.parametrize(
    "entry",
    [{"url": "file:///etc/passwd"}, {"url": "/etc/passwd"}, {}, {"b64_json": "@@"}, {"url": "data:image/png;base64,@"}],
)
async def test_results_from_nowhere(server: PaidServer, purse: Purse, entry: dict[str, str]) -> None:
    purse.fund(base=PRICE)
    server.script["edit"] = [server.deliver("0x" + "8" * 64, data=[entry])]
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        with pytest.raises(UpstreamFailed, match="is no picture"):
            await client.edit(SOURCE, "add a hat")


async def test_other_bytes_than_announced_are_refused(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=2 * PRICE)
    url = f"{server.url}/images/result.png"
    right = hashlib.sha256(server.picture).hexdigest()
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        server.script["edit"] = [server.deliver("0x" + "8" * 64, data=[{"url": url, "sha256": right, "seed": 3}])]
        assert (await client.edit(SOURCE, "add a hat")).image.seed == 3
        server.script["edit"] = [server.deliver("0x" + "9" * 64, data=[{"url": url, "sha256": "0" * 64}])]
        with pytest.raises(UpstreamFailed, match="not those that were announced"):
            await client.edit(SOURCE, "add a hat")


async def test_the_catalog(server: PaidServer, purse: Purse) -> None:
    async with AsyncClient(gateway=server.url, wallet=purse.payer()) as client:
        assert [m["id"] for m in await client.models()] == ["openai/gpt-image-1"]
        server.script["models"] = [reply(200, {"object": "list"})]
        with pytest.raises(UpstreamFailed, match="no list of models"):
            await client.models()


# Through a router.


async def test_a_router_gets_the_fields_and_no_payment(server: PaidServer) -> None:
    server.script["edit"] = [router_answer(server)]
    told: list[str] = []
    async with AsyncClient(router=server.url) as client:
        edit = await client.edit(
            "https://pictures.example/cat.png", "add a hat", mask=SOURCE, max_price="0.05",
            progress=lambda p: told.append(p.stage),
        )  # fmt: skip
    heard = server.of("edit")[0]
    assert heard.path == "/v1/images/image2image"
    assert heard.payment is None
    said = sent(server)
    assert (said["image"], said["max_price"]) == ("https://pictures.example/cat.png", "0.050000")
    assert said["mask"].startswith("data:image/png;base64,")
    assert (edit.price, told) == (Price(PRICE), ["uploading", "delivered"])
    assert edit.receipt is not None


async def test_a_routers_errors_are_typed(server: PaidServer) -> None:
    server.script["edit"] = [reply(403, {"error": "empty.", "code": "no_funds", "message": "empty. Fund it."})]
    async with AsyncClient(router=server.url) as client:
        with pytest.raises(NoFunds, match="empty") as empty:
            await client.edit(SOURCE, "add a hat")
    assert empty.value.sentence() == "empty. Fund it."


async def test_a_router_is_asked_for_an_edit_once(server: PaidServer) -> None:
    server.script["edit"] = [DROP]
    async with AsyncClient(router=server.url) as client:
        with pytest.raises(Unavailable, match="stopped answering"):
            await client.edit(SOURCE, "add a hat")
    assert len(server.of("edit")) == 1


async def test_no_router_says_what_to_do(server: PaidServer) -> None:
    server.stop()
    async with AsyncClient(router=server.url) as client:
        for call in (client.edit(SOURCE, "add a hat"), client.models()):
            with pytest.raises(Unavailable, match="No router answers") as nobody:
                await call
            assert "tollbrush route" in nobody.value.sentence()


async def test_a_routers_quote_models_and_balance(server: PaidServer) -> None:
    accounts = [
        {"network": "base", "title": "Base", "address": "0x12", "balance": "1.500000", "problem": ""},
        {"network": "solana", "title": "Solana", "address": "9x", "balance": None, "problem": "no answer"},
        {"network": "moon"},
        5,
    ]
    server.script["wallet"] = [reply(200, {"evm": "0x12", "accounts": accounts})]
    server.script["quote"] = [
        reply(200, {"price": {"amount": "0.021", "currency": "USD"}}),
        reply(200, {"price": None}),
    ]
    async with AsyncClient(router=server.url) as client:
        assert await client.balance() == [
            Balance(BY_V1["base"], "0x12", Price(1_500_000)),
            Balance(BY_V1["solana"], "9x", None, "no answer"),
        ]
        assert await client.quote(SOURCE, "add a hat") == Price(PRICE)
        assert await client.quote(SOURCE, "add a hat") is None
        assert await client.models() == [{"id": "openai/gpt-image-1"}]


# The blocking client.


def test_the_blocking_client_is_the_same(server: PaidServer, purse: Purse, tmp_path: Path) -> None:
    purse.fund(base=PRICE)
    (tmp_path / "in.png").write_bytes(SOURCE)
    told: list[tuple[str, threading.Thread]] = []

    def tell(progress: Progress) -> None:
        told.append((progress.stage, threading.current_thread()))

    with Client(gateway=server.url, wallet=purse.payer()) as client:
        assert client.quote(tmp_path / "in.png", "add a hat") == Price(PRICE)
        edit = client.edit(str(tmp_path / "in.png"), "add a hat", progress=tell)
        assert [m["id"] for m in client.models()] == ["openai/gpt-image-1"]
        assert {b.network.v1 for b in client.balance()} == {"base-sepolia", "solana-devnet"}
    assert edit.image.bytes == server.picture
    assert [stage for stage, _ in told] == ["quoted", "signed", "uploading", "delivered"]
    assert {thread for _, thread in told} == {threading.current_thread()}


async def test_the_blocking_client_works_where_a_loop_runs(server: PaidServer, purse: Purse) -> None:
    """As in a notebook."""
    purse.fund(base=PRICE)
    assert asyncio.get_running_loop().is_running()
    with Client(gateway=server.url, wallet=purse.payer()) as client:
        assert client.edit(SOURCE, "add a hat").image.bytes == server.picture


def test_a_callback_that_raises_stops_the_edit(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)

    def fail(progress: Progress) -> None:
        raise RuntimeError(progress.stage)

    with Client(gateway=server.url, wallet=purse.payer()) as client, pytest.raises(RuntimeError, match="quoted"):
        client.edit(SOURCE, "add a hat", progress=fail)


def test_two_clients_share_one_thread(server: PaidServer) -> None:
    for _ in range(2):
        with Client(router=server.url) as client:
            client.models()
    assert [t.name for t in threading.enumerate()].count("tollbrush-client") == 1


def test_notebooks_show_the_picture(server: PaidServer, purse: Purse) -> None:
    purse.fund(base=PRICE)
    server.script["edit"] = [server.deliver("0x" + "8" * 64, model="<b>evil</b>")]
    with Client(gateway=server.url, wallet=purse.payer()) as client:
        edit = client.edit(SOURCE, "add a hat")
    html = edit._repr_html_()
    assert f'<img src="data:image/png;base64,{base64.b64encode(server.picture).decode()}"' in html
    assert "&lt;b&gt;evil" in html
    assert "<b>" not in html
    assert "$0.021" in html
    assert edit._repr_png_() == server.picture
    assert edit.image._repr_jpeg_() is None
    assert edit.image._repr_html_() in html
    assert edit.image.sha256 == hashlib.sha256(server.picture).hexdigest()
    assert len(repr(edit)) < 1000


def test_importing_the_package_is_light_and_the_names_are_there() -> None:
    assert tollbrush.Client is Client
    assert "AsyncClient" in dir(tollbrush)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = tollbrush.Nothing
    code = (
        "import sys, tollbrush; assert len([m for m in sys.modules if m.startswith('tollbrush')]) == 1;"
        "tollbrush.Client; heavy = {'numpy', 'cv2', 'numba', 'scipy', 'web3', 'PIL', 'eth_account', 'x402',"
        " 'pydantic', 'solders'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_wallet_of_this_machine_pays_by_default(
    server: PaidServer, purse: Purse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOLLBRUSH_DATA_DIR", str(tmp_path / "home"))
    monkeypatch.setenv("TOLLBRUSH_NETWORKS__BASE_SEPOLIA__RPC_URL", purse.evm.rpc_url)
    server.offers = [on_base()]
    with Client(gateway=server.url) as client, pytest.raises(NoFunds, match="on Base Sepolia"):
        client.edit(SOURCE, "add a hat")
    assert (tmp_path / "home" / "wallet" / "wallet.json").exists()
