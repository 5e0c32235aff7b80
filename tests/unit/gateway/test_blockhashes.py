"""The block that a browser's wallet signs over: asked of the chain seldom, and only where payments need one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from tollbrush.errors import BadRequest, TollbrushError, Unavailable
from tollbrush.gateway import problems
from tollbrush.gateway.blockhashes import PATHS, Blockhashes
from tollbrush.payments.gate import Gate
from tollbrush.payments.interface import Till

PAYER = "11111111111111111111111111111111"


@dataclass
class Chain:
    """A Solana till as far as this goes: its answers are used up in order."""

    answers: list[str]
    network: str = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"

    async def blockhash(self) -> str:
        if not self.answers:
            raise Unavailable("Solana devnet cannot be read: nobody answers.")
        return self.answers.pop(0)

    async def balance(self, address: str) -> int:
        if address != PAYER:
            raise BadRequest(f"{address} is no address.")
        return 2_100


@dataclass
class Base:
    network: str = "eip155:84532"


@dataclass
class Clock:
    now: float = field(default=1000.0)

    def __call__(self) -> float:
        return self.now


def client(clock: Clock, *tills: object) -> TestClient:
    handler = Blockhashes(Gate(cast("Sequence[Till]", tills)), clock=clock)
    app = Starlette(
        routes=[Route(path, handler.get) for path in PATHS],
        exception_handlers={TollbrushError: problems.on_tollbrush_error},
    )
    return TestClient(app)


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_one_answer_serves_for_some_seconds(prefix: str) -> None:
    clock = Clock()
    asked = client(clock, Base(), Chain(["first", "second"]))
    url = f"{prefix}/v1/networks/solana-devnet/blockhash"
    assert asked.get(url).json() == {"network": "solana-devnet", "blockhash": "first"}
    clock.now += 2.9
    assert asked.get(url).json()["blockhash"] == "first"
    clock.now += 0.2
    answer = asked.get(url)
    assert answer.json()["blockhash"] == "second"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["base-sepolia", "solana", "nowhere", "eip155:84532"])
def test_where_no_payment_needs_a_block(name: str) -> None:
    answer = client(Clock(), Base(), Chain(["x"])).get(f"/v1/networks/{name}/blockhash")
    assert answer.status_code == 404
    assert name in answer.json()["message"]


def test_what_a_payer_holds_is_told_when_asked_for() -> None:
    asked = client(Clock(), Chain(["x"]))
    url = "/v1/networks/solana-devnet/blockhash"
    assert asked.get(url, params={"payer": PAYER}).json()["balance"] == "2100"
    assert asked.get(url, params={"payer": "nobody"}).status_code == 400


def test_a_silent_node_is_said_and_not_remembered() -> None:
    chain = Chain([])
    asked = client(Clock(), chain)
    assert asked.get("/v1/networks/solana-devnet/blockhash").status_code == 503
    chain.answers.append("back")
    assert asked.get("/v1/networks/solana-devnet/blockhash").json()["blockhash"] == "back"
