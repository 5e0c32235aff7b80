"""The Python client straight at a real gateway process: paid on both local chains, balances read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.pictures import half_mask, photo
from support.shop import FUNDS, Shop
from tollbrush import Client
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, ModelUnavailable, NoFunds, SpendingPolicy
from tollbrush.payments.payer import Payer
from tollbrush.payments.spending import SpendState
from tollbrush.payments.wallet import Wallet
from tollbrush.settings import NetworkSettings, RouterSettings, Settings

pytestmark = pytest.mark.e2e

PRICE = Price(21_000)


def payer(shop: Shop, wallet: Wallet, folder: Path, **router: Any) -> Payer:
    networks = {
        "base-sepolia": NetworkSettings(rpc_url=shop.base.rpc_url),
        "solana-devnet": NetworkSettings(rpc_url=shop.solana.rpc_url),
    }
    return Payer(wallet, Settings(data_dir=folder, networks=networks, router=RouterSettings(**router)))


@pytest.mark.parametrize("network", ["base-sepolia", "solana-devnet"])
def test_an_edit_is_paid_and_brought_home(shop: Shop, tmp_path: Path, network: str) -> None:
    wallet = Wallet.create()
    chain = shop.base if network == "base-sepolia" else shop.solana
    address = wallet.evm_address if network == "base-sepolia" else wallet.solana_address
    chain.fund(address, FUNDS)
    paying = payer(shop, wallet, tmp_path, network=network)
    with Client(gateway=shop.url, wallet=paying) as client:
        assert client.quote(photo(), "invert the colours") == PRICE
        edit = client.edit(photo(), "invert the colours", mask=half_mask(), max_price="0.021")
    assert (edit.price, edit.image.width, edit.image.height) == (PRICE, 1024, 1024)
    assert edit.image.preserved is True
    assert edit.receipt is not None
    assert chain.balance(address) == FUNDS - PRICE.atomic
    (booked,) = paying.book.recent()
    assert (booked.state, booked.tx_hash) == (SpendState.SPENT, edit.receipt.tx_hash)


def test_the_solana_door_offers_solana_alone(shop: Shop, tmp_path: Path) -> None:
    wallet = Wallet.create()
    shop.base.fund(wallet.evm_address, FUNDS)
    with Client(gateway=shop.url + "/sol", wallet=payer(shop, wallet, tmp_path)) as client:
        with pytest.raises(NoFunds, match="on Solana devnet"):
            client.edit(photo(), "invert the colours")
        shop.solana.fund(wallet.solana_address, FUNDS)
        assert client.edit(photo(), "invert the colours").price == PRICE


def test_refusals_cost_nothing(shop: Shop, tmp_path: Path) -> None:
    wallet = Wallet.create()
    shop.base.fund(wallet.evm_address, FUNDS)
    paying = payer(shop, wallet, tmp_path)
    with Client(gateway=shop.url, wallet=paying) as client:
        with pytest.raises(BadRequest, match="1x1"):
            client.edit(photo(), "invert the colours", size="1x1")
        with pytest.raises(ModelUnavailable):
            client.edit(photo(), "invert the colours", model="nano-banana", mask=half_mask())
        with pytest.raises(SpendingPolicy, match="more than the"):
            client.edit(photo(), "invert the colours", max_price="0.02")
        assert [m for m in client.models() if m["available"]]
    assert paying.book.recent() == []
    assert shop.base.balance(wallet.evm_address) == FUNDS
