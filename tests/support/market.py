"""Both local chains and buyers on them, for tests that make gateways and tills of their own."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from solders.keypair import Keypair

from support.base_chain import BASE, EvmAccount, evm_payment
from support.shop import FUNDS, offer
from support.solana_chain import DEVNET, paid
from tollbrush.devnet.base import start_base
from tollbrush.devnet.interface import LocalChain
from tollbrush.devnet.solana import SolanaChain
from tollbrush.domain.payments import Requirement
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.interface import Till
from tollbrush.payments.proof import poll_message
from tollbrush.payments.rpc import JsonRpc
from tollbrush.payments.solana import SolanaTill


@dataclass(frozen=True)
class Market:
    """Recipients exist on both chains, and accounts that pay the fees."""

    base: LocalChain
    solana: SolanaChain
    settler: EvmAccount = field(default_factory=EvmAccount.fresh)
    fee_payer: Keypair = field(default_factory=Keypair)
    seller_evm: str = field(default_factory=lambda: EvmAccount.fresh().address)
    seller_solana: str = field(default_factory=lambda: str(Keypair().pubkey()))

    def __post_init__(self) -> None:
        self.base.fund(self.settler.address, 0)
        self.solana.fund(str(self.fee_payer.pubkey()), 0)
        self.solana.fund(self.seller_solana, 0)

    def chain(self, network: str) -> LocalChain:
        return self.base if network == self.base.network else self.solana

    def earned(self, network: str) -> int:
        seller = self.seller_evm if network == self.base.network else self.seller_solana
        return self.chain(network).balance(seller)

    def tills(self) -> list[Till]:
        """Our own keys', straight at the chains."""
        base, solana = JsonRpc(self.base.rpc_url), JsonRpc(self.solana.rpc_url)
        return [
            EvmTill(BASE, self.seller_evm, base, self.settler.key.hex()),
            SolanaTill(DEVNET, self.seller_solana, solana, str(self.fee_payer)),
        ]

    def buyer(self, network: str) -> Buyer:
        made = Buyer(self, network)
        self.chain(network).fund(made.address, FUNDS)
        return made


@contextmanager
def open_market() -> Iterator[Market]:
    base, solana = start_base(), SolanaChain()
    yield Market(base, solana)
    base.stop()
    solana.stop()


@dataclass(frozen=True)
class Buyer:
    """A fresh wallet on one network."""

    market: Market
    network: str
    evm: EvmAccount = field(default_factory=EvmAccount.fresh)
    solana: Keypair = field(default_factory=Keypair)

    @property
    def address(self) -> str:
        return self.evm.address if self.network == self.market.base.network else str(self.solana.pubkey())

    def pay(self, asked: httpx2.Response, **signed: Any) -> dict[str, str]:
        """The header of a payment for what this 402 asks."""
        assert asked.status_code == 402, asked.text
        entry = offer(asked, self.network)
        due = Requirement(entry["network"], entry["asset"], int(entry["amount"]), entry["payTo"], 600, entry["extra"])
        if self.network == self.market.base.network:
            payload = evm_payment(self.evm, due, **signed).payload
        else:
            payload = paid(self.market.solana, self.solana, due).payload
        content = {"x402Version": 2, "accepted": entry, "payload": payload}
        return {"X-Payment": base64.b64encode(json.dumps(content).encode()).decode()}

    def spent(self) -> int:
        return FUNDS - self.market.chain(self.network).balance(self.address)


def poll_proof(wallet: Keypair, job_id: str, timestamp: int) -> dict[str, str]:
    """The headers by which a Solana wallet polls without a payment."""
    return {
        "X-Poll-Wallet": str(wallet.pubkey()),
        "X-Poll-Timestamp": str(timestamp),
        "X-Poll-Signature": str(wallet.sign_message(poll_message(job_id, timestamp))),
    }
