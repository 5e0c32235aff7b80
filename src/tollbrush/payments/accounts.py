"""One account of the wallet on one chain: what it holds, how it signs, and what became of a signature.

Signing has two steps, so that a payment can be booked between them: `life` is what makes it unique and mortal (EVM: a
random nonce; Solana: a recent blockhash), `sign` is pure.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, Protocol

from tollbrush.domain.networks import Network
from tollbrush.domain.payments import Requirement
from tollbrush.errors import Unavailable
from tollbrush.payments.rpc import JsonRpc, RpcError, RpcUnreachable
from tollbrush.payments.wallet import Wallet

_USDC_VERSION: Final = "2"


class Fate(StrEnum):
    """What became of a signature that was sent."""

    ALIVE = "alive"
    """It may still be used."""
    SPENT = "spent"
    UNSPENT = "unspent"
    """It was not used, and never can be any more."""
    LAPSED = "lapsed"
    """It can be used no more; whether it was, the chain does not tell by itself."""


class Account(Protocol):
    """Methods raise Unavailable when the chain's node does not answer."""

    network: Network
    address: str

    async def balance(self) -> int:
        """USDC in atomic units."""
        ...

    async def life(self) -> str: ...

    def sign(self, requirement: Requirement, life: str, *, now: int) -> Mapping[str, Any]:
        """The scheme's payload, good for `max_timeout` from `now` at most. Raises BadRequest on a requirement that
        cannot be signed."""
        ...

    async def fate(self, life: str, expires: int) -> Fate: ...


def account(wallet: Wallet, network: Network, rpc: JsonRpc) -> Account:
    return EvmAccount(wallet, network, rpc) if network.family == "evm" else SolanaAccount(wallet, network, rpc)


class EvmAccount:
    """EIP-3009 on an EVM chain."""

    def __init__(self, wallet: Wallet, network: Network, rpc: JsonRpc) -> None:
        self.network, self.address = network, wallet.evm_address
        self._wallet, self._rpc = wallet, rpc

    async def balance(self) -> int:
        from tollbrush.payments.evm_ledger import Ledger

        with _node(self.network):
            return await Ledger(self._rpc, self.network).balance(self.address)

    async def life(self) -> str:
        return "0x" + secrets.token_hex(32)

    def sign(self, requirement: Requirement, life: str, *, now: int) -> Mapping[str, Any]:
        from tollbrush.payments import eip3009

        # The domain is the contract's, which we know, whatever the gateway says it is.
        ours = replace(requirement, extra={"name": self.network.usdc_name, "version": _USDC_VERSION})
        nonce = bytes.fromhex(life[2:])
        return eip3009.authorize(self._wallet.evm_key, ours, self.network.chain_id, now=now, nonce=nonce)

    async def fate(self, life: str, expires: int) -> Fate:
        from tollbrush.payments.eip3009 import ZERO, Authorization
        from tollbrush.payments.evm_ledger import Ledger, as_int

        nonce_only = Authorization(self.address, ZERO, 0, 0, expires, bytes.fromhex(life[2:]))
        with _node(self.network):
            # State and time of one block: unused when the time was up means unused for ever.
            block = await self._rpc.call("eth_getBlockByNumber", "latest", False)
            if not isinstance(block, dict):
                raise RpcUnreachable("eth_getBlockByNumber: no block")
            if await Ledger(self._rpc, self.network).is_used(nonce_only, hex(as_int(block.get("number")))):
                return Fate.SPENT
            return Fate.UNSPENT if as_int(block.get("timestamp")) >= expires else Fate.ALIVE


class SolanaAccount:
    """SPL TransferChecked on Solana."""

    def __init__(self, wallet: Wallet, network: Network, rpc: JsonRpc) -> None:
        from tollbrush.payments.solana_node import SolanaNode

        self.network, self.address = network, wallet.solana_address
        self._wallet, self._rpc, self._chain = wallet, rpc, SolanaNode(rpc)

    async def balance(self) -> int:
        from tollbrush.payments.solana_node import balance

        with _node(self.network):
            return await balance(self._rpc, self.network, self.address)

    async def life(self) -> str:
        with _node(self.network):
            return await self._chain.latest_blockhash()

    def sign(self, requirement: Requirement, life: str, *, now: int) -> Mapping[str, Any]:
        from tollbrush.payments import spl

        return spl.pay(self._wallet.solana_keypair, requirement, life)

    async def fate(self, life: str, expires: int) -> Fate:
        # The fee payer's signature names the transaction, and only the gateway has it.
        with _node(self.network):
            return Fate.ALIVE if await self._chain.died(life) is None else Fate.LAPSED


@contextmanager
def _node(network: Network) -> Iterator[None]:
    try:
        yield
    except (RpcError, RpcUnreachable) as failure:
        raise Unavailable(
            f"{network.title} cannot be read: {failure}.",
            advice=f"Nothing was paid. Try again, or set another node: TOLLBRUSH_NETWORKS__"
            f"{network.v1.upper().replace('-', '_')}__RPC_URL.",
        ) from failure
