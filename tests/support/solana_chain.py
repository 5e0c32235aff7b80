"""A local Solana for tests: one chain a session, fresh wallets a test, and a node that loses answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from solders.keypair import Keypair

from support.payments import wrap
from tollbrush.devnet.server import RpcServer
from tollbrush.devnet.solana import SolanaChain
from tollbrush.domain.networks import BY_ID, Network
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.payments import spl
from tollbrush.payments.rpc import JsonRpc
from tollbrush.payments.solana import SolanaTill

DEVNET: Network = BY_ID[SolanaChain.network]
FUNDS = 1_000_000
"""What `solana_payer` holds: one USDC."""


@pytest.fixture(scope="session")
def solana_chain() -> Iterator[SolanaChain]:
    chain = SolanaChain()
    yield chain
    chain.stop()


@pytest.fixture
def solana_payer(solana_chain: SolanaChain) -> Keypair:
    """A fresh wallet with `FUNDS`."""
    payer = Keypair()
    solana_chain.fund(str(payer.pubkey()), FUNDS)
    return payer


@pytest.fixture
def solana_pay_to(solana_chain: SolanaChain) -> str:
    """A fresh recipient whose token account exists."""
    recipient = str(Keypair().pubkey())
    solana_chain.fund(recipient, 0)
    return recipient


@pytest.fixture
def solana_fee_payer(solana_chain: SolanaChain) -> Keypair:
    """A fresh wallet with SOL that pays the fees."""
    keypair = Keypair()
    solana_chain.fund(str(keypair.pubkey()), 0)
    return keypair


@pytest_asyncio.fixture
async def solana_till(
    solana_chain: SolanaChain, solana_pay_to: str, solana_fee_payer: Keypair
) -> AsyncIterator[SolanaTill]:
    till = make_till(solana_chain.rpc_url, solana_pay_to, solana_fee_payer)
    yield till
    await till.close()


def make_till(rpc_url: str, pay_to: str, fee_payer: Keypair, **options: Any) -> SolanaTill:
    return SolanaTill(DEVNET, pay_to=pay_to, rpc=JsonRpc(rpc_url), settle_key=str(fee_payer), **options)


def recent_blockhash(chain: SolanaChain) -> str:
    blockhash: str = chain.handle("getLatestBlockhash", [])["value"]["blockhash"]
    return blockhash


def paid(chain: SolanaChain, payer: Keypair, requirement: Requirement, *, version: int = 2) -> Payment:
    """What an honest client presents for this requirement."""
    return wrap(spl.pay(payer, requirement, recent_blockhash(chain)), requirement, version=version)


class LossyNode(RpcServer):
    """The chain behind a bad wire. Calls of `mute` methods are done but their answers are lost; calls of `deaf` ones
    never arrive, and so the next ones that `lose_next` counts."""

    def __init__(self, chain: SolanaChain) -> None:
        self.mute: set[str] = set()
        self.deaf: set[str] = set()
        self.lose_next: Counter[str] = Counter()
        super().__init__(chain.handle)

    def answer(self, body: bytes) -> bytes:
        method = json.loads(body)["method"]
        if method in self.deaf or self.lose_next[method] > 0:
            self.lose_next[method] -= 1
            return b""
        answer = super().answer(body)
        return b"" if method in self.mute else answer


@pytest.fixture
def lossy_solana_node(solana_chain: SolanaChain) -> Iterator[LossyNode]:
    node = LossyNode(solana_chain)
    yield node
    node.stop()
