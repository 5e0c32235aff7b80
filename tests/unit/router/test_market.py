"""Several gateways: prices compared, the named or the cheapest used; and routers that share one wallet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.evm_node import EvmNode
from support.paid_server import PaidServer, Reply, on_base, on_solana, png, reply
from support.routed import Machine
from tollbrush.errors import BadSettings
from tollbrush.payments.spending import SpendingBook
from tollbrush.payments.wallet import load_or_create
from tollbrush.router.app import create_router
from tollbrush.settings import Settings

EDIT = "/v1/images/image2image"


@pytest.fixture
def shops() -> Iterator[dict[str, PaidServer]]:
    """`cheap` asks 1 cent, `dear` 5, `foreign` speaks the published API alone and asks 2."""
    servers = {
        "dear": PaidServer(price=50_000),
        "cheap": PaidServer(price=10_000),
        "foreign": PaidServer(price=20_000, quotes=False, versions=(1,)),
    }
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture
def machine(tmp_path: Path, evm_node: EvmNode, shops: dict[str, PaidServer]) -> Machine:
    return Machine(tmp_path, evm_node, gateways={name: server.url for name, server in shops.items()})


def charged(shops: dict[str, PaidServer]) -> dict[str, int]:
    return {name: len(server.charged) for name, server in shops.items()}


async def test_the_cheapest_is_used(machine: Machine, shops: dict[str, PaidServer]) -> None:
    async with machine.caller() as http:
        answer = await http.post(EDIT, json=machine.wish())
        (row,) = (await http.get("/v1/history")).json()["data"]
    assert answer.status_code == 200, answer.text
    assert charged(shops) == {"dear": 0, "cheap": 1, "foreign": 0}
    assert row["gateway"] == shops["cheap"].url
    assert [len(server.of("quote")) for server in shops.values()] == [1, 1, 1], "each is asked for its price once"


@pytest.mark.parametrize("name", ["dear", "foreign", "cheapest"])
async def test_the_named_is_used(machine: Machine, shops: dict[str, PaidServer], name: str) -> None:
    async with machine.caller(gateway="foreign" if name != "foreign" else "") as http:
        assert (await http.post(EDIT, json=machine.wish(gateway=name))).status_code == 200
        unknown = await http.post(EDIT, json=machine.wish(gateway="nobody"))
    assert charged(shops) == dict.fromkeys(shops, 0) | {"cheap" if name == "cheapest" else name: 1}
    assert unknown.status_code == 400
    assert "'nobody' is unknown. Known: dear, cheap, foreign" in unknown.json()["message"]


async def test_one_that_is_silent_or_sells_nothing_here_is_passed_over(
    machine: Machine, shops: dict[str, PaidServer]
) -> None:
    shops["cheap"].stop()
    shops["foreign"].offers = [on_solana(1)]  # nothing that this wallet pays
    async with machine.caller() as http:
        quoted = (await http.post("/v1/images/quote", json={})).json()
        assert (await http.post(EDIT, json=machine.wish())).status_code == 200
    assert (quoted["gateway"], quoted["price"]["amount"]) == ("dear", "0.050000")
    assert {bid["gateway"]: bid.get("code") for bid in quoted["quotes"]} == {
        "dear": None,
        "cheap": "unavailable",
        "foreign": "spending_policy",
    }
    assert charged(shops)["dear"] == 1


async def test_when_none_sells_it_the_telling_refusal_is_told(machine: Machine, shops: dict[str, PaidServer]) -> None:
    shops["cheap"].stop()
    said = {"error": "size 7x7 is not offered.", "code": "bad_request"}
    for name in ("dear", "foreign"):
        shops[name].script["quote"] = [reply(400, said)]
    async with machine.caller() as http:
        answer = await http.post(EDIT, json=machine.wish())
    assert (answer.status_code, answer.json()["error"]) == (400, "size 7x7 is not offered.")


async def test_the_catalogs_are_joined(machine: Machine, shops: dict[str, PaidServer]) -> None:
    shops["dear"].script["models"] = [Reply(500)]
    async with machine.caller() as http:
        rows = (await http.get("/v1/models")).json()["data"]
    assert [(row["id"], row["gateway"]) for row in rows] == [
        ("openai/gpt-image-1", "cheap"),
        ("openai/gpt-image-1", "foreign"),
    ]


def test_a_default_that_is_none_of_them(machine: Machine) -> None:
    with pytest.raises(BadSettings, match="'nobody'; it must be one of dear, cheap, foreign, cheapest"):
        create_router(machine.settings(gateway="nobody"))


async def test_an_empty_wallet_is_told_both_balances_and_what_to_do(
    tmp_path: Path, evm_node: EvmNode, solana_chain: Any
) -> None:
    server = PaidServer(on_base(), on_solana())
    networks = {"base-sepolia": {"rpc_url": evm_node.rpc_url}, "solana-devnet": {"rpc_url": solana_chain.rpc_url}}
    settings = Settings(
        data_dir=tmp_path / "data",
        networks=networks,
        router={"gateway_url": server.url, "allowed_roots": (tmp_path,)},
    )
    wallet = load_or_create(settings)
    evm_node.balances[wallet.evm_address.lower()] = 20_000
    solana_chain.fund(wallet.solana_address, 1_000)
    (tmp_path / "photo.png").write_bytes(png())
    app = create_router(settings)
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 5000))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost:8402", timeout=60) as http,
    ):
        answer = await http.post(EDIT, json={"prompt": "add a hat", "image": str(tmp_path / "photo.png")})
    server.stop()
    said = answer.json()
    assert (answer.status_code, said["code"]) == (403, "no_funds")
    assert f"{wallet.evm_address} holds $0.02 on Base Sepolia" in said["message"]
    assert f"{wallet.solana_address} holds $0.001 on Solana devnet" in said["message"]
    assert "tollbrush wallet fund" in said["message"]


async def test_two_routers_on_one_wallet_stay_within_its_caps_together(
    machine: Machine, shops: dict[str, PaidServer]
) -> None:
    """Fifty calls at once at two routers of the same data folder; the hour's cap pays for seven."""
    spending = {"per_hour": "0.07"}
    async with AsyncExitStack() as stack:
        routers = [await stack.enter_async_context(machine.caller(spending=spending, gateway="cheap")) for _ in "ab"]
        calls = (routers[i % 2].post(EDIT, json=machine.wish(seed=i)) for i in range(50))
        answers = await asyncio.gather(*calls)
    statuses = [a.status_code for a in answers]
    assert statuses.count(200) == 7 == len(shops["cheap"].charged)
    assert statuses.count(403) == 43
    book = SpendingBook(machine.folder / "data/spending.db")
    assert sum(s.amount for s in book.recent(500) if s.state.value != "unspent") == 70_000
