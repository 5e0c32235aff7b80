"""A local chain: the same JSON-RPC that the real one speaks, with USDC at Circle's address and a faucet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Transfer:
    """A USDC transfer that landed. `amount` in atomic units."""

    network: str
    tx_hash: str
    sender: str
    recipient: str
    amount: int


OnTransfer = Callable[[Transfer], None]


class LocalChain(Protocol):
    """Started when constructed; `rpc_url` is on loopback. Methods are synchronous and thread-safe."""

    @property
    def network(self) -> str:
        """CAIP-2 id."""
        ...

    @property
    def kind(self) -> str:
        """What runs it: `anvil`, `py-evm`, `litesvm`."""
        ...

    @property
    def rpc_url(self) -> str: ...

    def fund(self, address: str, usdc: int) -> None:
        """The faucet: add this many atomic units of USDC (creating the Solana token account), and native coin for
        fees."""
        ...

    def balance(self, address: str) -> int:
        """USDC in atomic units; 0 for an unknown address."""
        ...

    def on_transfer(self, listener: OnTransfer) -> None:
        """Call `listener` for every USDC transfer that lands from now on, from a thread of the chain's."""
        ...

    def stop(self) -> None: ...
