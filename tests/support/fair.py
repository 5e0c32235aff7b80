"""A gateway on both local chains whose page a test visits, the photograph it takes along, and the browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.browser import open_browser
from support.browser_wallets import FoxWallet, GhostWallet
from support.market import Market, open_market
from support.own_gateway import OwnGateway, open_gateway
from support.pictures import photo as picture

FUNDS = 1_000_000


@dataclass
class Clock:
    """The gateway's: ahead of ours by so many seconds."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass(frozen=True)
class Fair:
    market: Market
    clock: Clock
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


@pytest.fixture(scope="session")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fair]:
    folder, clock = tmp_path_factory.mktemp("fair"), Clock()
    photo = folder / "cat.png"
    photo.write_bytes(picture(320, 240))
    with open_market() as market, open_gateway(folder / "data", market.tills, clock=clock) as gateway:
        yield Fair(market, clock, gateway, folder, photo)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """No longer than a module: its event loop is in the way of others."""
    with open_browser() as opened:
        yield opened
