"""A local Base for tests: a chain of each kind a session, fresh accounts, and payments as payers sign them."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from support.payments import wrap
from tollbrush.devnet.anvil import find_anvil
from tollbrush.devnet.base import start_base
from tollbrush.devnet.interface import LocalChain
from tollbrush.devnet.server import RpcServer
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.payments.eip3009 import address_of, authorize
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.interface import Verified
from tollbrush.payments.rpc import JsonRpc

BASE = BY_V1["base-sepolia"]
PRICE = 21_000
KINDS = [
    "py-evm",
    pytest.param("anvil", marks=pytest.mark.skipif(find_anvil() is None, reason="anvil is not installed: npm ci")),
]


@dataclass(frozen=True)
class EvmAccount:
    key: bytes

    @property
    def address(self) -> str:
        return address_of(self.key)

    @classmethod
    def fresh(cls) -> EvmAccount:
        return cls(os.urandom(32))


def evm_payment(
    payer: EvmAccount, requirement: Requirement, *, version: int = 2, now: int | None = None, nonce: bytes | None = None
) -> Payment:
    """A right payment, as our payer makes it and the wire normalises it."""
    now = int(time.time()) if now is None else now
    payload = authorize(payer.key, requirement, BASE.chain_id, now=now, nonce=nonce or os.urandom(32))
    return wrap(payload, requirement, version=version)


async def verified(till: EvmTill, payer: EvmAccount, *, due: Requirement | None = None, **options: Any) -> Verified:
    """A right payment that the till has accepted, for a job that may take a minute."""
    due = due or till.requirement(PRICE)
    now = int(time.time())
    return await till.verify(evm_payment(payer, due, **options), due, now=now, deadline=now + 60)


def change(requirement: Requirement, **fields: Any) -> Requirement:
    return replace(requirement, **fields)


class BadNode(RpcServer):
    """The chain behind a bad wire. Calls of `mute` methods are done but their answers lost; calls of `deaf` ones never
    arrive; `refusals` are answered once each, in order, instead of being passed on. `front_run` is called before a
    transaction is passed on, and what it returns kept in `front_ran_by`. `seen` counts what was passed on."""

    def __init__(self, chain: LocalChain) -> None:
        self.mute: set[str] = set()
        self.deaf: set[str] = set()
        self.refusals: dict[str, list[str]] = {}
        self.front_run: Callable[[], str] | None = None
        self.front_ran_by = ""
        self.seen: Counter[str] = Counter()
        self._behind = httpx2.Client(timeout=10.0)
        self._url = chain.rpc_url
        super().__init__(lambda method, params: None)

    def answer(self, body: bytes) -> bytes:
        call = json.loads(body)
        method = call["method"]
        if method in self.deaf:
            return b""
        if self.refusals.get(method):
            error = {"code": -32000, "message": self.refusals[method].pop(0)}
            return json.dumps({"jsonrpc": "2.0", "id": call["id"], "error": error}).encode()
        if self.front_run and method == "eth_sendRawTransaction":
            self.front_ran_by = self.front_run()
        self.seen[method] += 1
        answer = self._behind.post(self._url, content=body, headers={"content-type": "application/json"}).content
        return b"" if method in self.mute else answer

    def stop(self) -> None:
        super().stop()
        self._behind.close()


@pytest.fixture
def bad_base_node(base_chain: LocalChain) -> Iterator[BadNode]:
    node = BadNode(base_chain)
    yield node
    node.stop()


@pytest.fixture(scope="session", params=KINDS)
def base_chain(request: pytest.FixtureRequest) -> Iterator[LocalChain]:
    """A local Base, once with each kind of node that is installed. Its clock is real time: do not move it."""
    chain = start_base(prefer=request.param)
    yield chain
    chain.stop()


@pytest.fixture
def own_base_chain(base_chain: LocalChain) -> Iterator[LocalChain]:
    """One of the same kind for this test alone, whose clock may be moved."""
    chain = start_base(prefer=base_chain.kind)
    yield chain
    chain.stop()


@pytest.fixture
def base_payer(base_chain: LocalChain) -> EvmAccount:
    """A fresh account with one dollar."""
    account = EvmAccount.fresh()
    base_chain.fund(account.address, 1_000_000)
    return account


TillOn = Callable[..., EvmTill]


@pytest.fixture
async def base_till_on() -> AsyncIterator[TillOn]:
    """Makes tills with fresh settling accounts and recipients: `base_till_on(chain, **options)`."""
    made: list[EvmTill] = []

    def make(chain: LocalChain, *, rpc: JsonRpc | None = None, **options: Any) -> EvmTill:
        settler = EvmAccount.fresh()
        chain.fund(settler.address, 0)
        till = EvmTill(BASE, EvmAccount.fresh().address, rpc or JsonRpc(chain.rpc_url), settler.key.hex(), **options)
        made.append(till)
        return till

    yield make
    for till in made:
        await till.close()


@pytest.fixture
def base_till(base_chain: LocalChain, base_till_on: TillOn) -> EvmTill:
    return base_till_on(base_chain)
