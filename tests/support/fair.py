"""A gateway on both local chains whose page a test visits, and the photographs it takes along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.browser_wallets import FoxWallet, GhostWallet
from support.market import Market, open_market
from support.own_gateway import OwnGateway, open_gateway
from support.pictures import photo as picture

FUNDS = 1_000_000


@dataclass(frozen=True)
class Fair:
    market: Market
    gateway: OwnGateway
    folder: Path
    photo: Path

    def fox(self, held: int = FUNDS) -> FoxWallet:
        """A wallet on Base."""
        wallet = FoxWallet(self.market.base.rpc_url)
        self.market.base.fund(wallet.address, held)
        return wallet

    def ghost(self, held: int = FUNDS) -> GhostWallet:
        """A wallet on Solana."""
        wallet = GhostWallet()
        self.market.solana.fund(wallet.address, held)
        return wallet


@contextmanager
def open_fair(folder: Path, **gateway: Any) -> Iterator[Fair]:
    photo = folder / "cat.png"
    photo.write_bytes(picture(320, 240))
    with open_market() as market, open_gateway(folder / "data", market.tills, **gateway) as opened:
        yield Fair(market, opened, folder, photo)
