"""The digest, the signature and the strict reading of an EIP-3009 authorization, against eth-account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from tollbrush.domain.networks import NETWORKS
from tollbrush.domain.payments import Requirement
from tollbrush.errors import PaymentRefused
from tollbrush.payments.eip3009 import (
    ZERO,
    Authorization,
    Domain,
    address_of,
    authorize,
    checksum,
    is_address,
    parse,
    recover,
    sign,
)

KEY = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
ADDRESS = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
PAYEE = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # EIP-55's own example
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DOMAIN = Domain("USDC", "2", 84532, "0x036CbD53842c5426634e7929541eC2318f3dCF7e")
DUE = Requirement("eip155:84532", DOMAIN.contract, 21_000, PAYEE, extra={"name": "USDC", "version": "2"})
FIELDS = (
    ("from", "address"),
    ("to", "address"),
    ("value", "uint256"),
    ("validAfter", "uint256"),
    ("validBefore", "uint256"),
    ("nonce", "bytes32"),
)


def _payload(**changes: Any) -> dict[str, Any]:
    """A right payload with fields of its authorization changed; a change of `signature` is the payload's."""
    made = authorize(KEY, DUE, 84532, now=2_000_000_000, nonce=b"\x07" * 32)
    signature = changes.pop("signature", made["signature"])
    return {"signature": signature, "authorization": made["authorization"] | changes}


def _reason(payload: dict[str, Any]) -> str:
    with pytest.raises(PaymentRefused) as refused:
        parse(payload)
    return refused.value.reason


uints = st.integers(0, 2**256 - 1)


@given(
    key=st.integers(1, N - 1).map(lambda k: k.to_bytes(32, "big")),
    to=st.binary(min_size=20, max_size=20),
    value=uints,
    after=uints,
    before=uints,
    nonce=st.binary(min_size=32, max_size=32),
    network=st.sampled_from([n for n in NETWORKS if n.family == "evm"]),
)
def test_signs_as_eth_account_does_and_recovers_the_signer(
    key: bytes, to: bytes, value: int, after: int, before: int, nonce: bytes, network: Any
) -> None:
    domain = Domain(network.usdc_name, "2", network.chain_id, network.usdc)
    authorization = Authorization(address_of(key), checksum(to), value, after, before, nonce)
    signature = sign(key, authorization, domain)

    message = authorization.payload() | {"value": value, "validAfter": after, "validBefore": before, "nonce": nonce}
    theirs = Account.sign_typed_data(
        key,
        {"name": domain.name, "version": "2", "chainId": domain.chain_id, "verifyingContract": domain.contract},
        {"TransferWithAuthorization": [{"name": name, "type": kind} for name, kind in FIELDS]},
        message,
    )
    assert signature == "0x" + bytes(theirs.signature).hex()
    parsed, raw = parse({"signature": signature, "authorization": authorization.payload()})
    assert parsed == authorization
    assert recover(parsed.digest(domain), raw) == authorization.payer == Account.from_key(key).address


def test_authorize_is_good_from_a_little_ago_until_the_requirement_ends() -> None:
    authorization, _ = parse(authorize(KEY, DUE, 84532, now=1_000_000, nonce=b"\x01" * 32))
    assert (authorization.payer, authorization.to, authorization.value) == (ADDRESS, PAYEE, 21_000)
    assert (authorization.valid_after, authorization.valid_before) == (1_000_000 - 600, 1_000_000 + 600)


def test_one_payment_has_one_reading_however_it_is_spelled() -> None:
    plain = parse(_payload())[0]
    nonce = "0x" + "07" * 32
    assert parse(_payload(**{"from": ADDRESS.lower(), "to": "0x" + PAYEE[2:].upper()}))[0] == plain
    assert parse(_payload(value=21_000, validAfter=2_000_000_000 - 600, nonce=nonce))[0] == plain
    assert parse(_payload(value="00021000"))[0] == plain


NOT_UINTS = ["", "-1", "+1", " 1", "1_000", "0x10", "1e3", "1.0", "٣", "9" * 79, str(2**256)]


@pytest.mark.parametrize("value", [*NOT_UINTS, -1, 2**256, 1.0, True, None, []])
def test_a_number_is_a_plain_uint256(value: Any) -> None:
    assert _reason(_payload(value=value)) == "invalid_payload"


@pytest.mark.parametrize(
    "value", ["", "0x", ADDRESS[2:], ADDRESS + "0", ADDRESS[:-1] + "g", "0X" + ADDRESS[2:], ADDRESS + "\n", 5, None, {}]
)
def test_an_address_is_0x_and_40_hex_digits(value: Any) -> None:
    assert _reason(_payload(**{"from": value})) == "invalid_payload"
    assert _reason(_payload(to=value)) == "invalid_payload"


@pytest.mark.parametrize("value", ["0x", "07" * 32, "0x" + "07" * 31, "0x" + "07" * 33, "0x" + "zz" * 32, 7, None])
def test_a_nonce_is_32_bytes(value: Any) -> None:
    assert _reason(_payload(nonce=value)) == "invalid_payload"


def test_kinds_of_payment_that_are_not_taken_are_named() -> None:
    assert _reason(_payload() | {"permit2Authorization": {}}) == "permit2_unsupported"
    assert _reason(_payload(signature="0x" + "6492" * 16)) == "invalid_exact_evm_payload_undeployed_smart_wallet"
    assert _reason(_payload(signature="0x" + "ab" * 96)) == "smart_wallet_unsupported"
    assert _reason(_payload(signature="0xabc")) == "invalid_payload"
    assert _reason({"signature": "0x"}) == "invalid_payload"


def _signature(change: Any) -> bytes:
    raw = bytearray(parse(_payload())[1])
    change(raw)
    return bytes(raw)


def _high_s(raw: bytearray) -> None:
    raw[32:64] = (N - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big")
    raw[64] = 55 - raw[64]


BAD_SIGNATURES = {
    "high s": _high_s,
    "v 29": lambda raw: raw.__setitem__(64, 29),
    "v 2": lambda raw: raw.__setitem__(64, 2),
    "64 bytes": lambda raw: raw.pop(),
    "empty": lambda raw: raw.clear(),
    "r zero": lambda raw: raw.__setitem__(slice(0, 32), bytes(32)),
    "s zero": lambda raw: raw.__setitem__(slice(32, 64), bytes(32)),
    "r above the order": lambda raw: raw.__setitem__(slice(0, 32), b"\xff" * 32),
}


@pytest.mark.parametrize("what", BAD_SIGNATURES)
def test_a_bad_signature_is_refused_by_name(what: str) -> None:
    digest = parse(_payload())[0].digest(DOMAIN)
    with pytest.raises(PaymentRefused) as refused:
        recover(digest, _signature(BAD_SIGNATURES[what]))
    assert refused.value.reason == "invalid_exact_evm_payload_signature"


def test_v_may_be_spelled_0_or_27_and_the_contract_gets_27() -> None:
    authorization, raw = parse(_payload())
    short = raw[:64] + bytes([raw[64] - 27])
    assert recover(authorization.digest(DOMAIN), short) == ADDRESS
    assert authorization.call(short) == authorization.call(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["from", "to", "value", "validAfter", "validBefore", "nonce"])


@given(changes=st.dictionaries(keys, json_values, min_size=1, max_size=3), signature=json_values)
def test_odd_payloads_are_refused_and_never_crash(changes: dict[str, Any], signature: Any) -> None:
    payload = json.loads(json.dumps(_payload(signature=signature, **changes)))
    try:
        parse(payload)
    except PaymentRefused as refusal:
        assert refusal.reason and len(refusal.message) < 200
    for odd in (changes, {"authorization": signature}, {"authorization": changes}):
        assert _reason(odd) == "invalid_payload"


def test_addresses_are_spelled_by_eip_55() -> None:
    assert checksum(PAYEE.lower()) == PAYEE == checksum(bytes.fromhex(PAYEE[2:]))
    assert is_address(PAYEE) and is_address(PAYEE.lower()) and is_address(ZERO)
    assert not is_address(PAYEE.swapcase()) and not is_address(PAYEE[:-1]) and not is_address("vitalik.eth")
