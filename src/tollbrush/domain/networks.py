"""The networks: one row each. Addresses are Circle's own USDC deployments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Network:
    """`id` is CAIP-2 (x402 v2), `v1` the x402 v1 name and our setting's key; `usdc_name` the EIP-712 domain name.
    `test`: no real money; demos and stand-ins may run only there."""

    id: str
    v1: str
    family: Literal["evm", "svm"]
    title: str
    usdc: str
    rpc: str
    explorer_tx: str
    usdc_name: str = ""
    chain_id: int = 0
    test: bool = False


NETWORKS: Final[tuple[Network, ...]] = (
    Network("eip155:8453", "base", "evm", "Base", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
            "https://mainnet.base.org", "https://basescan.org/tx/{}", "USD Coin", 8453),
    Network("eip155:84532", "base-sepolia", "evm", "Base Sepolia", "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "https://sepolia.base.org", "https://sepolia.basescan.org/tx/{}", "USDC", 84532, test=True),
    Network("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "solana", "svm", "Solana",
            "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
            "https://api.mainnet-beta.solana.com", "https://explorer.solana.com/tx/{}"),
    Network("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "solana-devnet", "svm", "Solana devnet",
            "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU",
            "https://api.devnet.solana.com", "https://explorer.solana.com/tx/{}?cluster=devnet", test=True),
)  # fmt: skip

BY_ID: Final = {n.id: n for n in NETWORKS}
BY_V1: Final = {n.v1: n for n in NETWORKS}


def find(name: str) -> Network | None:
    """By CAIP-2 id or v1 name."""
    return BY_ID.get(name) or BY_V1.get(name)
