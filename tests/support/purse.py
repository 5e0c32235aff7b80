"""A funded wallet with a node of each family, and time that only tests move."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.evm_node import EvmNode
from support.paid_server import PaidServer
from tollbrush.devnet.solana import SolanaChain
from tollbrush.payments.payer import Payer
from tollbrush.payments.wallet import Wallet
from tollbrush.settings import NetworkSettings, RouterSettings, Settings


class Purse:
    """`now` is the payer's clock; `slept` what a flow waited for: sleeping only moves the clock."""

    def __init__(self, folder: Path, evm: EvmNode, solana: SolanaChain) -> None:
        self.folder, self.evm, self.solana = folder, evm, solana
        self.now = evm.now = int(time.time())
        self.slept: list[float] = []
        self.wallet = Wallet.create()

    def payer(self, **router: Any) -> Payer:
        networks = {
            "base-sepolia": NetworkSettings(rpc_url=self.evm.rpc_url),
            "solana-devnet": NetworkSettings(rpc_url=self.solana.rpc_url),
        }
        settings = Settings(data_dir=self.folder, networks=networks, router=RouterSettings(**router))
        return Payer(self.wallet, settings, clock=lambda: self.now)

    def fund(self, *, base: int = 0, solana: int = 0) -> None:
        self.evm.balances[self.wallet.evm_address.lower()] = base
        self.solana.fund(self.wallet.solana_address, solana)

    def clock(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def evm_node() -> Iterator[EvmNode]:
    node = EvmNode(int(time.time()))
    yield node
    node.stop()


@pytest.fixture
def gateway() -> Iterator[PaidServer]:
    """A shop that speaks the published API, and whatever a test scripts it to say."""
    server = PaidServer()
    yield server
    server.stop()


@pytest.fixture
def purse(tmp_path: Path, evm_node: EvmNode, solana_chain: SolanaChain) -> Purse:
    return Purse(tmp_path / "data", evm_node, solana_chain)
