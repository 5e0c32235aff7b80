"""A local Base for tests: a chain of each kind a session, fresh accounts, and payments as payers sign them."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tollbrush.devnet.anvil import find_anvil
from tollbrush.devnet.base import start_base
from tollbrush.devnet.interface import LocalChain
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.payments.eip3009 import address_of, authorize
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.networks import BY_V1
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


def wrap(payload: dict[str, Any], requirement: Requirement, *, version: int = 2) -> Payment:
    accepted = {
        "scheme": "exact",
        "network": requirement.network,
        "asset": requirement.asset,
        "amount": str(requirement.amount),
        "payTo": requirement.pay_to,
        "maxTimeoutSeconds": requirement.max_timeout,
        "extra": dict(requirement.extra),
    }
    return Payment(version, "exact", requirement.network, payload, accepted if version == 2 else None)


def change(requirement: Requirement, **fields: Any) -> Requirement:
    return replace(requirement, **fields)


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
