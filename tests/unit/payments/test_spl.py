"""The Solana payment as bytes: built as the specification says, decoded without trust, checked without a chain."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from support.payments import wrap
from support.solana_chain import DEVNET
from support.solana_corpus import FAIR, HOSTILE
from support.solana_forge import Forge, encode, lighthouse, memo
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.errors import BadRequest, PaymentRefused
from tollbrush.payments import spl
from tollbrush.payments.solana import identify, inspect

PAYER, FEE_PAYER, SHOP = (Keypair.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
BLOCKHASH = str(Hash.hash(b"recent"))
REQUIREMENT = Requirement(
    DEVNET.id, DEVNET.usdc, 21_000, str(SHOP.pubkey()), extra={"feePayer": str(FEE_PAYER.pubkey())}
)
HONEST = Forge.honest(PAYER, REQUIREMENT, BLOCKHASH)


def _inspect(paid: Payment, requirement: Requirement = REQUIREMENT) -> Any:
    return inspect(paid, requirement, now=1_000, deadline=1_240)


def _refused(paid: Payment, requirement: Requirement = REQUIREMENT) -> str:
    with pytest.raises(PaymentRefused) as refusal:
        _inspect(paid, requirement)
    return refusal.value.reason


def test_associated_account_is_the_one_wallets_derive() -> None:
    owner, mint = Pubkey.from_string(DEVNET.usdc), Pubkey.from_string(DEVNET.usdc)
    seeds = [bytes(owner), bytes(spl.TOKEN_PROGRAM), bytes(mint)]
    program = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
    expected, _ = Pubkey.find_program_address(seeds, program)
    assert spl.associated_token_account(str(owner), str(mint)) == str(expected)


def test_what_we_pay_is_what_we_read() -> None:
    transfer = spl.decode(spl.pay(PAYER, REQUIREMENT, BLOCKHASH, memo=b"order 7"))
    assert (transfer.amount, transfer.decimals, transfer.memos) == (21_000, 6, (b"order 7",))
    assert (transfer.unit_limit, transfer.unit_price, transfer.priority_fee) == (20_000, 1, 1)
    assert (str(transfer.mint), transfer.payer) == (DEVNET.usdc, PAYER.pubkey())
    assert str(transfer.destination) == spl.associated_token_account(REQUIREMENT.pay_to, DEVNET.usdc)
    assert transfer.fee_payer == FEE_PAYER.pubkey()
    assert str(transfer.tx.message.recent_blockhash) == BLOCKHASH
    assert transfer.tx.signatures[0] == Signature.default()
    assert transfer.tx.signatures[1].verify(PAYER.pubkey(), transfer.message)


def test_two_payments_for_the_same_thing_differ() -> None:
    one, two = (spl.decode(spl.pay(PAYER, REQUIREMENT, BLOCKHASH)) for _ in range(2))
    assert one.digest != two.digest
    assert len(one.memos[0]) == 32


def test_the_sellers_memo_is_used() -> None:
    wanted = Requirement(**{**vars(REQUIREMENT), "extra": {**REQUIREMENT.extra, "memo": "invoice 9"}})
    paid = spl.pay(PAYER, wanted, BLOCKHASH)
    assert spl.decode(paid).memos == (b"invoice 9",)
    assert _inspect(wrap(paid, wanted), wanted).payer == str(PAYER.pubkey())
    other = wrap(spl.pay(PAYER, wanted, BLOCKHASH, memo=b"invoice 8"), wanted)
    assert _refused(other, wanted) == "invalid_exact_svm_payload_memo_mismatch"
    without = wrap(HONEST.payload(), wanted)
    assert _refused(without, wanted) == "invalid_exact_svm_payload_memo_count"


@pytest.mark.parametrize(
    ("change", "blockhash", "said"),
    [
        ({"extra": {}}, BLOCKHASH, "feePayer"),
        ({"extra": {"feePayer": str(PAYER.pubkey())}}, BLOCKHASH, "nobody but the payer"),
        ({"extra": {"feePayer": "zz"}}, BLOCKHASH, "'zz' is not a Solana address"),
        ({"extra": {**REQUIREMENT.extra, "memo": "m" * 257}}, BLOCKHASH, "257 bytes"),
        ({"pay_to": "0xabc"}, BLOCKHASH, "'0xabc' is not a Solana address"),
        ({"asset": ""}, BLOCKHASH, "'' is not a Solana address"),
        ({"amount": 2**64}, BLOCKHASH, "18446744073709551616"),
        ({}, "soon", "'soon' is not a blockhash"),
    ],
)
def test_an_offer_that_cannot_be_paid_says_why(change: dict[str, Any], blockhash: str, said: str) -> None:
    offer = Requirement(**{**vars(REQUIREMENT), **change})
    with pytest.raises(BadRequest, match=said):
        spl.pay(PAYER, offer, blockhash)


def test_the_digest_is_the_messages_not_the_envelopes() -> None:
    payload = spl.pay(PAYER, REQUIREMENT, BLOCKHASH, memo=b"once")
    transfer = spl.decode(payload)
    transfer.tx.signatures = [Signature.from_bytes(b"\x07" * 64), transfer.tx.signatures[1]]
    respelt = spl.decode(encode(transfer.tx))
    assert respelt.digest == transfer.digest == hashlib.sha256(transfer.message).hexdigest()
    assert respelt.cosigned(FEE_PAYER) == transfer.cosigned(FEE_PAYER)
    assert all(transfer.cosigned(FEE_PAYER).verify_with_results())


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_payment_is_refused_by_name(name: str) -> None:
    reason, make = HOSTILE[name]
    assert _refused(wrap(make(HONEST), REQUIREMENT)) == reason


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("name", FAIR)
def test_fair_payment_passes(name: str, version: int) -> None:
    verified = _inspect(wrap(FAIR[name](HONEST), REQUIREMENT, version=version))
    assert verified.key.payer == str(PAYER.pubkey())
    assert (verified.balance, verified.valid_until) == (21_000, 1_090)


def test_wallets_that_add_lighthouse_may_pay() -> None:
    both = HONEST.with_(after=(lighthouse(), lighthouse(), memo(b"n"))).payload()
    assert _inspect(wrap(both, REQUIREMENT)).payer == str(PAYER.pubkey())


def test_paying_oneself_is_refused() -> None:
    own = Requirement(**{**vars(REQUIREMENT), "pay_to": str(PAYER.pubkey())})
    assert _refused(wrap(spl.pay(PAYER, own, BLOCKHASH), own), own) == "self_payment"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("scheme", "upto", "invalid_scheme"),
        ("network", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "invalid_network"),
        ("asset", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "asset_mismatch"),
        ("payTo", str(PAYER.pubkey()), "invalid_exact_svm_payload_recipient_mismatch"),
        ("amount", "20999", "invalid_exact_svm_payload_amount_mismatch"),
    ],
)
def test_what_the_payer_accepted_must_be_ours(field: str, value: str, reason: str) -> None:
    honest = wrap(HONEST.payload(), REQUIREMENT)
    assert honest.accepted is not None
    accepted = {**honest.accepted, field: value}
    changed = Payment(2, accepted["scheme"], accepted["network"], honest.payload, accepted)
    assert _refused(changed) == reason


def test_identity_needs_a_signature_and_nothing_else() -> None:
    dear = wrap(HONEST.with_(amount=1).payload(), REQUIREMENT)
    key = identify(dear)
    assert (key.network, key.asset, key.payer) == (DEVNET.id, DEVNET.usdc, str(PAYER.pubkey()))
    assert key.nonce == spl.decode(dear.payload).digest
    with pytest.raises(PaymentRefused) as refusal:
        identify(wrap(HOSTILE["unsigned"][1](HONEST), REQUIREMENT))
    assert refusal.value.reason == "invalid_exact_svm_payload_signature"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.just("transaction") | st.text(max_size=4), JSON, max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_json_is_refused_never_a_crash(payload: dict[str, Any]) -> None:
    with pytest.raises(PaymentRefused):
        spl.decode(payload)


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_refused_never_a_crash(raw: bytes) -> None:
    with pytest.raises(PaymentRefused):
        spl.decode({"transaction": base64.b64encode(raw).decode()})


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_payment_with_any_bytes_changed_is_refused_or_the_same(data: st.DataObject) -> None:
    """Only the fee payer's slot is nobody's: whatever else changes, the payer has not signed it."""
    raw = bytearray(base64.b64decode(HONEST.with_(after=(memo(b"n", PAYER.pubkey()),)).payload()["transaction"]))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(65, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    changed = wrap({"transaction": base64.b64encode(bytes(raw)).decode()}, REQUIREMENT)
    honest = spl.decode(HONEST.with_(after=(memo(b"n", PAYER.pubkey()),)).payload())
    try:
        verified = _inspect(changed)
    except PaymentRefused:
        return
    assert verified.key.nonce == honest.digest


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_no_accepted_payment_costs_more_than_the_cap(units: int, price: int) -> None:
    paid = wrap(HONEST.with_(units=units, price=price).payload(), REQUIREMENT)
    try:
        _inspect(paid)
    except PaymentRefused as refused:
        assert refused.reason.endswith("compute_price_instruction_too_high")
        assert units * price > 20_000 * 10**6 or price > 5_000_000
    else:
        assert units * price <= 20_000 * 10**6
