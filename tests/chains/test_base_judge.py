"""Ours against x402's own facilitator, on a real chain: we accept nothing that it refuses, and refuse nothing that the
specification allows, but for what we refuse on purpose."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.base_chain import BASE, PRICE, EvmAccount, change, evm_payment
from support.payments import wrap
from support.x402_judge import Judge
from tollbrush.devnet.interface import LocalChain
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.errors import PaymentRefused
from tollbrush.payments.eip3009 import ZERO, Authorization, Domain, checksum, sign
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.rpc import JsonRpc

pytestmark = pytest.mark.chain
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
OTHER = EvmAccount(b"\x11" * 32)


@pytest.fixture(scope="module")
def judge(base_chain: LocalChain) -> Judge:
    return Judge(base_chain)


@pytest.fixture(scope="module")
def rich(base_chain: LocalChain) -> EvmAccount:
    """A payer with a dollar who never spends it."""
    account = EvmAccount.fresh()
    base_chain.fund(account.address, 1_000_000)
    return account


async def _refusal(till: EvmTill, payment: Payment, due: Requirement) -> str | None:
    # The judge wants six seconds of life; with this deadline, so do we.
    now = int(time.time())
    try:
        await till.verify(payment, due, now=now, deadline=now - 24)
    except PaymentRefused as refusal:
        return refusal.reason
    return None


async def _both(till: EvmTill, judge: Judge, payment: Payment, due: Requirement) -> tuple[str | None, str | None]:
    return await _refusal(till, payment, due), await asyncio.to_thread(judge.refusal, payment, due)


def _field(payer: EvmAccount, due: Requirement, name: str, value: Any) -> Payment:
    """A right payment, but for one field of its authorization: `value`, or what it makes of the right one."""
    payload = evm_payment(payer, due).payload
    fields = payload["authorization"]
    changed = fields | {name: value(fields[name]) if callable(value) else value}
    return wrap(dict(payload) | {"authorization": changed}, due)


def _accepted(payer: EvmAccount, due: Requirement, **changes: Any) -> Payment:
    payment = evm_payment(payer, due)
    return replace(payment, accepted=dict(payment.accepted or {}) | changes)


def _signature(payer: EvmAccount, due: Requirement, edit: Callable[[bytes], bytes]) -> Payment:
    payload = dict(evm_payment(payer, due).payload)
    return wrap(payload | {"signature": "0x" + edit(bytes.fromhex(payload["signature"][2:])).hex()}, due)


GOOD: dict[str, Callable[[EvmAccount, Requirement], Payment]] = {
    "as our payer signs": lambda p, due: evm_payment(p, due),
    "in version 1": lambda p, due: evm_payment(p, due, version=1),
    "accepted in lower case": lambda p, due: _accepted(p, due, payTo=due.pay_to.lower(), asset=due.asset.lower()),
    "other extra and timeout": lambda p, due: _accepted(p, due, extra={"name": "x"}, maxTimeoutSeconds=1),
    "numbers as JSON integers": lambda p, due: _field(p, due, "value", int),
    "v spelled 0 or 1": lambda p, due: _signature(p, due, lambda s: s[:64] + bytes([s[64] - 27])),
    "a nonce in upper case": lambda p, due: _field(p, due, "nonce", lambda n: "0x" + n[2:].upper()),
}
# EVM addresses are the same in any case, but the judge's web3 wants the checksum.
CASELESS: dict[str, Callable[[EvmAccount, Requirement], Payment]] = {
    "payer in lower case": lambda p, due: _field(p, due, "from", str.lower),
    "recipient in lower case": lambda p, due: _field(p, due, "to", str.lower),
}
STRICTER: dict[str, Callable[[EvmAccount, Requirement], Payment]] = {
    "a number with a fraction": lambda p, due: _field(p, due, "value", PRICE + 0.5),
    "a number with a sign": lambda p, due: _field(p, due, "value", f"+{due.amount}"),
    "a number with white space": lambda p, due: _field(p, due, "value", f" {due.amount} "),
}
BAD: dict[str, Callable[[EvmAccount, Requirement], Payment]] = {
    "empty payload": lambda p, due: wrap({}, due),
    "no signature": lambda p, due: wrap({"authorization": evm_payment(p, due).payload["authorization"]}, due),
    "authorization is a list": lambda p, due: wrap({"authorization": [], "signature": "0x"}, due),
    "value is null": lambda p, due: _field(p, due, "value", None),
    "value is a list": lambda p, due: _field(p, due, "value", [1]),
    "an address without 0x": lambda p, due: _field(p, due, "from", p.address[2:]),
    "nonce of 31 bytes": lambda p, due: _field(p, due, "nonce", "0x" + "ab" * 31),
    "nonce is a number": lambda p, due: _field(p, due, "nonce", 5),
    "from is a number": lambda p, due: _field(p, due, "from", 5),
    "another's address": lambda p, due: _field(p, due, "from", OTHER.address),
    "time changed after signing": lambda p, due: _field(p, due, "validBefore", str(2**40)),
    "truncated signature": lambda p, due: _signature(p, due, lambda s: s[:-1]),
    "compact signature": lambda p, due: _signature(p, due, lambda s: s[:64]),
    "longer signature": lambda p, due: _signature(p, due, lambda s: s + b"\0"),
    "undeployed smart wallet": lambda p, due: _signature(p, due, lambda s: s + bytes(31) + bytes.fromhex("6492" * 16)),
    "flipped bit": lambda p, due: _signature(p, due, lambda s: bytes([s[0] ^ 1]) + s[1:]),
    "v of 29": lambda p, due: _signature(p, due, lambda s: s[:64] + b"\x1d"),
    "no funds": lambda p, due: evm_payment(OTHER, due),
    "other scheme": lambda p, due: replace(_accepted(p, due, scheme="upto"), scheme="upto"),
    "other network": lambda p, due: replace(_accepted(p, due, network="eip155:8453"), network="eip155:8453"),
}


async def test_what_the_specification_allows_is_taken(base_till: EvmTill, judge: Judge, rich: EvmAccount) -> None:
    due = base_till.requirement(PRICE)
    for what, make in GOOD.items():
        assert await _both(base_till, judge, make(rich, due), due) == (None, None), what
    for what, make in CASELESS.items():
        assert await _refusal(base_till, make(rich, due), due) is None, what


async def test_what_the_judge_refuses_is_refused(base_till: EvmTill, judge: Judge, rich: EvmAccount) -> None:
    due = base_till.requirement(PRICE)
    for what, make in BAD.items():
        ours, theirs = await _both(base_till, judge, make(rich, due), due)
        assert ours is not None, what
        assert theirs is not None, what


async def test_spellings_outside_the_specification_are_refused_by_us_alone(
    base_till: EvmTill, judge: Judge, rich: EvmAccount
) -> None:
    due = base_till.requirement(PRICE)
    for what, make in STRICTER.items():
        ours, theirs = await _both(base_till, judge, make(rich, due), due)
        assert (ours, theirs) == ("invalid_payload", None), what


async def test_paying_oneself_is_refused_by_us_alone(base_till: EvmTill, judge: Judge, rich: EvmAccount) -> None:
    due = change(base_till.requirement(PRICE), pay_to=rich.address)
    assert await _both(base_till, judge, evm_payment(rich, due), due) == ("self_payment", None)


choices = st.fixed_dictionaries(
    {
        "signer": st.sampled_from(["payer"] * 4 + ["other"]),
        "to": st.sampled_from(["payee"] * 4 + ["other", "zero"]),
        "value": st.sampled_from([PRICE] * 4 + [PRICE - 1, PRICE + 1, 0]),
        "after": st.sampled_from([-600, -600, -5, 1000]),
        "before": st.sampled_from([600, 600, 60, 2, -5]),
        "chain": st.sampled_from([BASE.chain_id] * 4 + [8453]),
        "name": st.sampled_from(["USDC"] * 4 + ["USD Coin"]),
        "high_s": st.sampled_from([False] * 4 + [True]),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(choice=choices)
def test_any_mixture_of_faults_is_judged_alike(
    base_chain: LocalChain, judge: Judge, rich: EvmAccount, choice: dict[str, Any]
) -> None:
    asyncio.run(_judged_alike(base_chain, judge, rich, choice))


async def _judged_alike(chain: LocalChain, judge: Judge, payer: EvmAccount, choice: dict[str, Any]) -> None:
    till = EvmTill(BASE, OTHER.address, JsonRpc(chain.rpc_url), EvmAccount.fresh().key.hex())
    due, now = till.requirement(PRICE), int(time.time())
    to = {"payee": due.pay_to, "other": checksum(b"\x22" * 20), "zero": ZERO}[choice["to"]]
    offer = Authorization(
        payer.address, to, choice["value"], now + choice["after"], now + choice["before"], os.urandom(32)
    )
    signer = payer if choice["signer"] == "payer" else OTHER
    signature = sign(signer.key, offer, Domain(choice["name"], "2", choice["chain"], BASE.usdc))
    if choice["high_s"]:
        raw = bytes.fromhex(signature[2:])
        s = N - int.from_bytes(raw[32:64], "big")
        signature = "0x" + (raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])).hex()
    payload = {"signature": signature, "authorization": offer.payload()}
    ours, theirs = await _both(till, judge, wrap(payload, due), due)
    await till.close()
    assert (ours is None) == (theirs is None), (choice, ours, theirs)
