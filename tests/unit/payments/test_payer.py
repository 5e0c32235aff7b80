"""The payer signs what its owner meant, on the network that has the money, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from support.purse import Purse
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.payments import Requirement
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadSettings, NoFunds, SpendingPolicy, TollbrushError, Unavailable, UpstreamFailed
from tollbrush.payments import eip3009, spl
from tollbrush.payments.accounts import Fate
from tollbrush.payments.payer import Payer
from tollbrush.payments.spending import SpendState
from tollbrush.payments.wallet import Wallet
from tollbrush.settings import NetworkSettings, RouterSettings, Settings, SpendingSettings
from tollbrush.wire import x402
from tollbrush.wire.offers import Offer, Receipt

WORDS = "abandon " * 23 + "art"
GATEWAY = "https://gateway.example/sol"
BASE, SOLANA = BY_V1["base-sepolia"], BY_V1["solana-devnet"]
PAYEE, SOL_PAYEE, SOL_FEES = "0x" + "22" * 20, str(Keypair().pubkey()), str(Keypair().pubkey())
PRICE = Price(21_000)


def offer(requirement: Requirement, version: int = 2) -> Offer:
    entry = x402.accepts_v2([requirement])[0] if version == 2 else {"network": BASE.v1}
    return Offer(requirement, version, entry)


def on_base(amount: int = 21_000, pay_to: str = PAYEE) -> Offer:
    return offer(Requirement(BASE.id, BASE.usdc, amount, pay_to, extra={"name": "USDC", "version": "2"}))


def on_solana(amount: int = 21_000) -> Offer:
    return offer(Requirement(SOLANA.id, SOLANA.usdc, amount, SOL_PAYEE, extra={"feePayer": SOL_FEES}))


async def pay(payer: Payer, *offers: Offer, quoted: Price | None = PRICE) -> Any:
    try:
        return await payer.pay(offers, quoted=quoted, gateway=GATEWAY)
    finally:
        await payer.close()


async def test_pays_on_base_first_whatever_the_order(purse: Purse) -> None:
    purse.fund(base=21_000, solana=21_000)
    signed = await pay(purse.payer(), on_solana(), on_base())
    assert (signed.network, signed.price, signed.expires) == (BASE, PRICE, purse.now + 600)
    payment = x402.read_payment({signed.header[0].lower(): signed.header[1]}.items(), limit=16_384)
    assert payment is not None
    authorization, signature = eip3009.parse(payment.payload)
    domain = eip3009.Domain("USDC", "2", BASE.chain_id, BASE.usdc)
    assert eip3009.recover(authorization.digest(domain), signature) == purse.wallet.evm_address
    assert (authorization.to.lower(), authorization.value) == (PAYEE, 21_000)
    assert "0x" + authorization.nonce.hex() == signed.life


async def test_pays_on_solana_when_only_that_is_funded_or_wanted(purse: Purse) -> None:
    purse.fund(base=20_999, solana=21_000)
    signed = await pay(purse.payer(), on_base(), on_solana())
    assert signed.network == SOLANA
    payment = x402.read_payment({signed.header[0].lower(): signed.header[1]}.items(), limit=16_384)
    assert payment is not None
    transfer = spl.decode(payment.payload)
    assert (str(transfer.payer), transfer.amount) == (purse.wallet.solana_address, 21_000)
    purse.fund(base=21_000, solana=21_000)
    chosen = await pay(purse.payer(network="solana-devnet"), on_base(), on_solana())
    assert chosen.network == SOLANA


async def test_version_1_is_answered_in_version_1(purse: Purse) -> None:
    purse.fund(base=21_000)
    signed = await pay(purse.payer(), offer(on_base().requirement, version=1))
    assert signed.header[0] == "X-PAYMENT"


async def test_an_empty_wallet_names_its_addresses_and_balances(purse: Purse) -> None:
    purse.fund(base=500, solana=0)
    with pytest.raises(NoFunds) as empty:
        await pay(purse.payer(), on_base(), on_solana())
    said = empty.value.sentence()
    for part in ("$0.021", purse.wallet.evm_address, "$0.0005", purse.wallet.solana_address, "wallet fund"):
        assert part in said
    assert purse.payer().book.recent() == []


async def test_a_silent_node_is_not_an_empty_wallet(purse: Purse) -> None:
    purse.fund(base=21_000, solana=0)
    purse.evm.down = True
    with pytest.raises(Unavailable, match="Base Sepolia cannot be read"):
        await pay(purse.payer(), on_base(), on_solana())
    purse.fund(solana=21_000)
    assert (await pay(purse.payer(), on_base(), on_solana())).network == SOLANA
    payer = purse.payer()
    balances = {b.network: b for b in await payer.balances()}
    await payer.close()
    assert balances[BASE].held is None
    assert "cannot be read" in balances[BASE].problem
    assert balances[SOLANA].held == Price(21_000)


@pytest.mark.parametrize(
    ("change", "quoted", "error"),
    [
        ({"amount": 21_001}, PRICE, SpendingPolicy),
        ({"amount": 600_000}, None, SpendingPolicy),
        ({"asset": "0x" + "99" * 20}, PRICE, SpendingPolicy),
        ({"network": "eip155:8453"}, PRICE, SpendingPolicy),
        ({"network": "eip155:1"}, PRICE, SpendingPolicy),
        ({"pay_to": "nobody"}, PRICE, UpstreamFailed),
    ],
)
async def test_what_the_owner_did_not_mean_is_not_signed(
    purse: Purse, change: dict[str, Any], quoted: Price | None, error: type[TollbrushError]
) -> None:
    purse.fund(base=10_000_000)
    with pytest.raises(error):
        await pay(purse.payer(), offer(replace(on_base().requirement, **change)), quoted=quoted)
    assert purse.payer().book.recent() == []


async def test_another_payee_on_one_network_spoils_the_other(purse: Purse) -> None:
    """A gateway taken over cannot lead us to a network without a pin."""
    purse.fund(base=10_000_000, solana=10_000_000)
    payer = purse.payer(pay_to=(PAYEE, SOL_PAYEE))
    with pytest.raises(SpendingPolicy, match="none of the configured"):
        await pay(payer, on_base(pay_to="0x" + "33" * 20), on_solana())


async def test_the_first_payee_is_pinned_for_the_gateways_origin(purse: Purse) -> None:
    purse.fund(base=10_000_000)
    await pay(purse.payer(), on_base())
    with pytest.raises(SpendingPolicy, match="until now it was"):
        await pay(purse.payer(), on_base(pay_to="0x" + "33" * 20))
    assert purse.payer().book.pins() == {("https://gateway.example:443", BASE.id): PAYEE}


async def test_the_domain_is_ours_whatever_the_gateway_calls_it(purse: Purse) -> None:
    purse.fund(base=21_000)
    odd = offer(replace(on_base().requirement, extra={"name": "EvilCoin", "version": "9"}))
    signed = await pay(purse.payer(), odd)
    payment = x402.read_payment({signed.header[0].lower(): signed.header[1]}.items(), limit=16_384)
    assert payment is not None
    authorization, signature = eip3009.parse(payment.payload)
    domain = eip3009.Domain("USDC", "2", BASE.chain_id, BASE.usdc)
    assert eip3009.recover(authorization.digest(domain), signature) == purse.wallet.evm_address
    assert payment.accepted == odd.entry


async def test_a_signature_lives_an_hour_at_most(purse: Purse) -> None:
    purse.fund(base=21_000)
    signed = await pay(purse.payer(), offer(replace(on_base().requirement, max_timeout=10**9)))
    assert signed.expires == purse.now + 3600


async def test_fifty_calls_at_once_stay_within_the_hours_cap(purse: Purse) -> None:
    purse.fund(base=10_000_000)
    payer = purse.payer(spending=SpendingSettings(per_hour=Decimal("0.21")))
    calls = [payer.pay([on_base()], quoted=PRICE, gateway=GATEWAY) for _ in range(50)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    await payer.close()
    signed = [o for o in outcomes if not isinstance(o, BaseException)]
    assert len(signed) == 10
    assert len({s.life for s in signed}) == 10
    assert all(isinstance(o, SpendingPolicy) for o in outcomes if isinstance(o, BaseException))


async def test_a_payment_that_cannot_be_signed_gives_its_reservation_back(purse: Purse) -> None:
    purse.fund(solana=21_000)
    long_memo = replace(on_solana().requirement, extra={"feePayer": SOL_FEES, "memo": "x" * 300})
    with pytest.raises(TollbrushError, match="memo"):
        await pay(purse.payer(), offer(long_memo))
    assert [s.state for s in purse.payer().book.recent()] == [SpendState.UNSPENT]


async def test_outcomes_are_booked(purse: Purse) -> None:
    purse.fund(base=10_000_000)
    payer = purse.payer()
    settled, doubtful, unsent = [await payer.pay([on_base()], quoted=PRICE, gateway=GATEWAY) for _ in range(3)]
    await payer.settled(settled, Receipt("0x" + "ab" * 32, BASE.id))
    await payer.doubtful(doubtful)
    await payer.unsent(unsent)
    await payer.close()
    states = [SpendState.UNSPENT, SpendState.DOUBTFUL, SpendState.SPENT]
    assert [s.state for s in payer.book.recent()] == states
    assert payer.book.recent()[-1].tx_hash == "0x" + "ab" * 32


async def test_doubts_are_cleared_by_the_chain_once_they_expired(purse: Purse) -> None:
    purse.fund(base=10_000_000)
    payer = purse.payer()
    used, unused = [await payer.pay([on_base()], quoted=PRICE, gateway=GATEWAY) for _ in range(2)]
    for payment in (used, unused):
        await payer.doubtful(payment)
    purse.evm.used.add(used.life)
    assert (await payer.fate(used), await payer.fate(unused)) == (Fate.SPENT, Fate.ALIVE)
    purse.now = purse.evm.now = purse.now + 600
    assert await payer.fate(unused) is Fate.UNSPENT
    await payer.pay([on_base()], quoted=PRICE, gateway=GATEWAY)
    await payer.close()
    assert [s.state for s in payer.book.recent()] == [SpendState.RESERVED, SpendState.UNSPENT, SpendState.SPENT]


async def test_a_clock_ahead_of_the_chain_clears_nothing_early(purse: Purse) -> None:
    purse.fund(base=10_000_000)
    payer = purse.payer()
    await payer.doubtful(await payer.pay([on_base()], quoted=PRICE, gateway=GATEWAY))
    purse.now += 10_000
    await payer.pay([on_base()], quoted=PRICE, gateway=GATEWAY)
    await payer.close()
    assert payer.book.recent()[-1].state is SpendState.DOUBTFUL


async def test_a_solana_payment_lapses_with_its_blockhash(purse: Purse) -> None:
    purse.fund(solana=10_000_000)
    payer = purse.payer()
    signed = await payer.pay([on_solana()], quoted=PRICE, gateway=GATEWAY)
    assert await payer.fate(signed) is Fate.ALIVE
    purse.solana.advance(200)
    assert await payer.fate(signed) is Fate.LAPSED
    await payer.close()


async def test_nothing_printed_is_worth_money(purse: Purse) -> None:
    purse.fund(base=21_000)
    payer = purse.payer()
    signed = await payer.pay([on_base()], quoted=PRICE, gateway=GATEWAY)
    await payer.close()
    assert signed.header[1] not in repr(signed)
    assert purse.wallet.evm_key.hex() not in repr(vars(payer))


def test_unknown_networks_are_bad_settings(purse: Purse) -> None:
    for wrong in (
        Settings(data_dir=purse.folder, router=RouterSettings(network="eip155:1")),
        Settings(data_dir=purse.folder, networks={"moon": NetworkSettings()}),
    ):
        with pytest.raises(BadSettings, match="is unknown; known: base"):
            Payer(purse.wallet, wrong)


def test_all_networks_without_settings_and_only_those_of_the_wallets_keys(tmp_path: Path) -> None:
    assert len(Payer(Wallet.from_words(WORDS), Settings(data_dir=tmp_path)).networks) == 4
    evm_only = Wallet.from_keys(evm_key="46" * 32)
    assert {n.family for n in Payer(evm_only, Settings(data_dir=tmp_path)).networks} == {"evm"}
