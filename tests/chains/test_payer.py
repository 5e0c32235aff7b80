"""What the payer's side reads from a real chain: its balances, and what became of its signatures."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support.base_chain import BASE
from tollbrush.devnet.interface import LocalChain
from tollbrush.domain.pricing import Price
from tollbrush.payments.accounts import Fate
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.interface import Outcome
from tollbrush.payments.payer import Payer
from tollbrush.payments.spending import SpendState
from tollbrush.payments.wallet import Wallet
from tollbrush.settings import NetworkSettings, Settings
from tollbrush.wire import x402
from tollbrush.wire.offers import Offer

pytestmark = pytest.mark.chain


async def test_a_signature_is_alive_then_spent_and_its_doubt_is_cleared(
    base_chain: LocalChain, base_till: EvmTill, tmp_path: Path
) -> None:
    wallet, skew = Wallet.create(), 0
    base_chain.fund(wallet.evm_address, 100_000)
    settings = Settings(data_dir=tmp_path, networks={BASE.v1: NetworkSettings(rpc_url=base_chain.rpc_url)})
    payer = Payer(wallet, settings, clock=lambda: time.time() + skew)
    requirement = base_till.requirement(21_000)
    offer = Offer(requirement, 2, x402.accepts_v2([requirement])[0])
    signed = await payer.pay([offer], quoted=Price(21_000), gateway="http://g.example")
    await payer.doubtful(signed)
    assert await payer.fate(signed) is Fate.ALIVE

    payment = x402.read_payment({signed.header[0].lower(): signed.header[1]}.items(), limit=16_384)
    assert payment is not None
    now = int(time.time())
    taken = await base_till.settle(await base_till.verify(payment, requirement, now=now, deadline=now + 60))
    assert taken.outcome is Outcome.SETTLED
    assert await payer.fate(signed) is Fate.SPENT
    assert [b.held for b in await payer.balances()] == [Price(79_000)]

    skew = 601
    await payer.pay([offer], quoted=Price(21_000), gateway="http://g.example")
    await payer.close()
    assert [s.state for s in payer.book.recent()] == [SpendState.RESERVED, SpendState.SPENT]
