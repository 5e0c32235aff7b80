"""Attacks on a real gateway over two real local chains: each gets its named 402 or 409, and nothing moves."""

from __future__ import annotations

import base64
import copy
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from eth_account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from support.market import open_market, poll_proof
from support.own_gateway import PRICE as OWN_PRICE
from support.own_gateway import open_gateway
from support.pictures import data_uri, photo
from support.shop import EDIT, FUNDS, Buyer, Shop, offer, open_shop
from support.solana_corpus import HOSTILE
from support.solana_forge import Forge
from tollbrush.domain.networks import BY_ID
from tollbrush.domain.payments import Requirement
from tollbrush.payments import spl
from tollbrush.payments.eip3009 import Domain, keccak, parse, word

pytestmark = pytest.mark.e2e

BASE = "eip155:84532"
SOLANA = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
PRICE = 21_000
PICTURE = data_uri(photo(64, 64))
BODY = {"prompt": "invert", "image": PICTURE}
REFUSED_BY_THE_MODEL = BODY | {"prompt": "simulate: moderation"}
"""A right payment for this gets 403 and stays unspent."""
STRANGER = "0x" + "12" * 20
_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_EVM, _SVM = "invalid_exact_evm_payload", "invalid_exact_svm_payload"

Content = dict[str, Any]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(
        tmp_path_factory.mktemp("market"),
        TOLLBRUSH_ENGINES__STUDIO__ENABLED="false",
        TOLLBRUSH_GATEWAY__LIMITS__EDITS_PER_MINUTE="1000000",
        TOLLBRUSH_GATEWAY__LIMITS__OPEN_PER_PAYER="64",
    ) as opened:
        yield opened


@dataclass(frozen=True)
class Till:
    """A buyer before one network's till. The chain's balances are read back by `unmoved`."""

    shop: Shop
    buyer: Buyer
    entry: dict[str, Any]
    earned: int

    @property
    def network(self) -> str:
        return str(self.entry["network"])

    def content(
        self, version: int = 2, *, accepted: dict[str, Any] | None = None, now: int | None = None, **signed: Any
    ) -> Content:
        """A payment header's content; `signed` replaces what is signed, `accepted` what is said to be accepted."""
        payload = self.shop.sign(self.buyer, self.entry | signed, now=now)
        if version == 1:
            return {"x402Version": 1, "scheme": "exact", "network": BY_ID[self.network].v1, "payload": payload}
        return {"x402Version": 2, "accepted": self.entry | (accepted or {}), "payload": payload}

    def send(self, content: Any, body: dict[str, str] = BODY) -> httpx2.Response:
        return self.shop.post(body, {"X-Payment": encode(content)})

    def moved(self) -> tuple[int, int]:
        """What the buyer spent and the seller got."""
        chain = self.shop.chain(self.network)
        spent = FUNDS - chain.balance(self.buyer.address(self.network))
        return spent, chain.balance(self.shop.seller(self.network)) - self.earned

    def assert_refused(self, answer: httpx2.Response, *reasons: str) -> None:
        assert answer.status_code == 402, answer.text
        said = answer.json()
        assert said["code"] == "payment_refused"
        assert said["reason"] in reasons, said
        assert len(said["details"]) < 256
        assert {a["network"] for a in said["accepts"]} == {"base-sepolia", "solana-devnet"}
        assert "PAYMENT-RESPONSE" not in answer.headers


def encode(content: Any) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def at(shop: Shop, network: str, buyer: Buyer | None = None) -> Till:
    entry = offer(shop.post(BODY), network)
    return Till(shop, buyer or shop.buyer(), entry, shop.chain(network).balance(shop.seller(network)))


# ── EVM ─────────────────────────────────────────────────────────────────────────────────────────────────


def _high_s(content: Content) -> Content:
    signature = bytes.fromhex(content["payload"]["signature"][2:])
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    content["payload"]["signature"] = "0x" + (r + (_N - s).to_bytes(32, "big") + bytes([27 + 28 - v])).hex()
    return content


def _claimed(content: Content, **fields: str) -> Content:
    content["payload"]["authorization"] |= fields
    return content


def _on(content: Content, chain_id: int, till: Till) -> Content:
    """The same authorization, signed for another chain."""
    authorization = content["payload"]["authorization"]
    message = {"from": authorization["from"], "to": authorization["to"], "nonce": authorization["nonce"]}
    numbers = {name: int(authorization[name]) for name in ("value", "validAfter", "validBefore")}
    types = {
        "TransferWithAuthorization": [
            {"name": "from", "type": "address"}, {"name": "to", "type": "address"},
            {"name": "value", "type": "uint256"}, {"name": "validAfter", "type": "uint256"},
            {"name": "validBefore", "type": "uint256"}, {"name": "nonce", "type": "bytes32"},
        ]
    }  # fmt: skip
    domain = {"name": "USDC", "version": "2", "chainId": chain_id, "verifyingContract": till.entry["asset"]}
    signed = Account.sign_typed_data(till.buyer.evm_key, domain, types, message | numbers)
    content["payload"]["signature"] = "0x" + signed.signature.hex()
    return content


EVM_ATTACKS: dict[str, tuple[str, Callable[[Till, int], Content]]] = {
    "a unit too little": (f"{_EVM}_authorization_value_mismatch", lambda t, v: t.content(v, amount="20999")),
    "a unit too much": (f"{_EVM}_authorization_value_mismatch", lambda t, v: t.content(v, amount="21001")),
    "another recipient": (f"{_EVM}_recipient_mismatch", lambda t, v: t.content(v, payTo=STRANGER)),
    "to the zero address": (f"{_EVM}_recipient_mismatch", lambda t, v: t.content(v, payTo="0x" + "0" * 40)),
    "another token": (f"{_EVM}_signature", lambda t, v: t.content(v, asset=STRANGER)),
    "signed for the real Base": (f"{_EVM}_signature", lambda t, v: _on(t.content(v), 8453, t)),
    "expired": (f"{_EVM}_authorization_valid_before", lambda t, v: t.content(v, now=int(time.time()) - 700)),
    "dies before the edit may end": (
        f"{_EVM}_authorization_valid_before", lambda t, v: t.content(v, now=int(time.time()) - 400)),
    "not yet valid": (f"{_EVM}_authorization_valid_after", lambda t, v: t.content(v, now=int(time.time()) + 900)),
    "high s": (f"{_EVM}_signature", lambda t, v: _high_s(t.content(v))),
    "from the zero address": (f"{_EVM}_signature", lambda t, v: _claimed(t.content(v), **{"from": "0x" + "0" * 40})),
    "from somebody rich": (f"{_EVM}_signature", lambda t, v: _claimed(t.content(v), **{"from": STRANGER})),
    "the seller would pay itself": (
        f"{_EVM}_signature", lambda t, v: _claimed(t.content(v), **{"from": t.shop.seller_evm})),
    "raised after signing": (f"{_EVM}_signature", lambda t, v: _claimed(t.content(v), value="42000")),
    "a smart wallet's signature": (
        "smart_wallet_unsupported", lambda t, v: _signed(t.content(v), "0x" + "11" * 96)),
    "an undeployed smart wallet": (
        f"{_EVM}_undeployed_smart_wallet", lambda t, v: _signed(t.content(v), "0x" + "11" * 64 + "6492" * 16)),
    "Permit2": ("permit2_unsupported", lambda t, v: _with(t.content(v), payload={"permit2Authorization": {}})),
    "another scheme": ("invalid_scheme", lambda t, v: _renamed(t.content(v), "scheme", "upto")),
    "another network": ("invalid_network", lambda t, v: _renamed(t.content(v), "network", "base")),
    "an unknown network": ("invalid_network", lambda t, v: _renamed(t.content(v), "network", "eip155:1")),
}  # fmt: skip

ACCEPTED_ATTACKS: dict[str, tuple[dict[str, Any], str, str]] = {
    "cheaper": ({"amount": "1"}, f"{_EVM}_authorization_value_mismatch", "invalid_exact_svm_payload_amount_mismatch"),
    "elsewhere": ({"payTo": STRANGER}, f"{_EVM}_recipient_mismatch", "invalid_exact_svm_payload_recipient_mismatch"),
    "in another token": ({"asset": STRANGER}, "asset_mismatch", "asset_mismatch"),
}


def _signed(content: Content, signature: str) -> Content:
    content["payload"]["signature"] = signature
    return content


def _with(content: Content, **fields: Any) -> Content:
    return content | fields


def _renamed(content: Content, name: str, value: str) -> Content:
    where = content["accepted"] if content["x402Version"] == 2 else content
    where[name] = value
    return content


@pytest.mark.parametrize("version", [1, 2])
def test_hostile_evm_payments(market: Shop, version: int) -> None:
    till, files = at(market, BASE), market.images_on_disk()
    for name, (reason, make) in EVM_ATTACKS.items():
        answer = till.send(make(till, version))
        assert answer.status_code == 402, (name, answer.text)
        assert answer.json()["reason"] == reason, (name, answer.json()["error"])
        till.assert_refused(answer, reason)
    assert (till.moved(), market.images_on_disk()) == ((0, 0), files)


@pytest.mark.parametrize("version", [1, 2])
def test_hostile_solana_payments(market: Shop, version: int) -> None:
    till, files = at(market, SOLANA), market.images_on_disk()
    fee_payer = till.entry["extra"]["feePayer"]
    lamports = market.solana.lamports(fee_payer)
    requirement = Requirement(SOLANA, till.entry["asset"], PRICE, till.entry["payTo"], 600, till.entry["extra"])
    for name, (reason, make) in HOSTILE.items():
        blockhash = market.solana.handle("getLatestBlockhash", [])["value"]["blockhash"]
        content = till.content(version) | {"payload": make(Forge.honest(till.buyer.solana, requirement, blockhash))}
        reasons = {reason}
        if name == "a megabyte":
            reasons = {"invalid_payload"}
        if name == "the fee payer pays":  # who it is that pays is asked before how: the fee payer has not signed
            reasons = {"invalid_exact_svm_payload_signature", reason}
        answer = till.send(content)
        assert answer.status_code == 402, (name, answer.text)
        assert answer.json()["reason"] in reasons, (name, answer.json())
    market.solana.advance(200)
    assert (till.moved(), market.images_on_disk()) == ((0, 0), files)
    assert market.solana.lamports(fee_payer) == lamports


@pytest.mark.parametrize("network", [BASE, SOLANA])
@pytest.mark.parametrize("name", ACCEPTED_ATTACKS)
def test_what_is_said_to_be_accepted_must_be_ours(market: Shop, network: str, name: str) -> None:
    accepted, evm, svm = ACCEPTED_ATTACKS[name]
    till = at(market, network)
    till.assert_refused(till.send(till.content(accepted=accepted)), evm if network == BASE else svm)
    assert till.moved() == (0, 0)


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_an_empty_wallet_buys_nothing(market: Shop, network: str) -> None:
    till = at(market, network, Buyer(os.urandom(32), Keypair()))
    refused = till.send(till.content())
    till.assert_refused(refused, "insufficient_funds")
    assert market.chain(network).balance(market.seller(network)) == till.earned


# ── one payment, one edit ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_fifty_concurrent_uses_of_one_payment(market: Shop, network: str) -> None:
    till = at(market, network)
    content = till.content()
    with ThreadPoolExecutor(50) as pool:
        same = list(pool.map(lambda _: till.send(content), range(50)))
    assert {a.status_code for a in same} == {200}
    assert sum(a.json()["payment"]["status"] == "settled" for a in same) >= 1
    assert len({(a.json()["payment"]["tx_hash"], a.json()["data"][0]["url"]) for a in same}) == 1
    assert till.moved() == (PRICE, PRICE)


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_fifty_requests_race_for_one_payment(market: Shop, network: str) -> None:
    till = at(market, network)
    content = till.content()
    bodies = [BODY | {"prompt": f"variant {i}"} for i in range(50)]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda body: till.send(content, body), bodies))
    assert [a.status_code for a in answers].count(200) == 1
    for lost in (a for a in answers if a.status_code != 200):
        wanted = (409, "payment_busy") if lost.status_code == 409 else (402, "payment_refused")
        assert (lost.status_code, lost.json()["code"]) == wanted
        assert lost.json().get("reason", "payment_already_used") == "payment_already_used"
    assert till.moved() == (PRICE, PRICE)


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_a_payment_hammered_while_its_edit_is_refused(market: Shop, network: str) -> None:
    """Claimed, released and claimed again: no answer but the refusal, and it still pays afterwards."""
    till = at(market, network)
    content = till.content()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: till.send(content, REFUSED_BY_THE_MODEL), range(24)))
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(403, "content_policy")}
    assert till.moved() == (0, 0)
    assert (till.send(content).status_code, till.moved()) == (200, (PRICE, PRICE))


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_replay_after_settlement(market: Shop, network: str) -> None:
    till = at(market, network)
    content = till.content()
    first = till.send(content)
    assert first.status_code == 200, first.text
    till.assert_refused(till.send(content, BODY | {"prompt": "another"}), "payment_already_used")
    assert till.send(content).json()["payment"]["status"] == "already_settled"
    assert till.moved() == (PRICE, PRICE)


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_a_cheap_payment_for_a_dear_edit(market: Shop, network: str) -> None:
    till = at(market, network)
    reason = f"{_EVM}_authorization_value_mismatch" if network == BASE else "invalid_exact_svm_payload_amount_mismatch"
    short = reason if network == BASE else "invalid_exact_svm_payload_amount_insufficient"
    for version, name in ((2, reason), (1, short)):
        for dear in ({"size": "1536x1024"}, {"model": "openai/gpt-image-2"}):
            till.assert_refused(till.send(till.content(version), BODY | dear), name)
    assert till.moved() == (0, 0)


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_many_authorizations_over_one_balance(market: Shop, network: str) -> None:
    """All are good, and the wallet holds money for two of them: two are at work, the others are told."""
    name = os.urandom(6).hex()
    till = at(market, network)
    chain, seller = market.chain(network), market.seller(network)
    poor = Buyer(os.urandom(32), type(till.buyer.solana)())
    chain.fund(poor.address(network), 2 * PRICE + 1)
    till = Till(market, poor, till.entry, chain.balance(seller))
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(till.send, till.content(), BODY | {"prompt": f"hold: {name}"}) for _ in range(10)]
        while sum(a.done() for a in asked) < 8:
            market.await_held(name)
        market.release(name)
        answers = [a.result() for a in asked]
    assert [a.status_code for a in answers].count(200) == 2
    for refused in (a for a in answers if a.status_code != 200):
        till.assert_refused(refused, "insufficient_funds")
    assert (chain.balance(poor.address(network)), chain.balance(seller) - till.earned) == (1, 2 * PRICE)


# ── between verify and settle ───────────────────────────────────────────────────────────────────────────


def _call(shop: Shop, data: bytes, sender: bytes) -> None:
    """A transaction to the USDC contract by this key."""

    def rpc(method: str, *params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return httpx2.post(shop.base.rpc_url, json=request).json()["result"]

    account = Account.from_key(sender)
    shop.base.fund(account.address, 0)
    fields = {
        "to": BY_ID[BASE].usdc, "data": data, "gas": 200_000, "gasPrice": 2 * int(rpc("eth_gasPrice"), 16),
        "nonce": int(rpc("eth_getTransactionCount", account.address, "latest"), 16), "chainId": 84532,
    }  # fmt: skip
    sent = rpc("eth_sendRawTransaction", "0x" + account.sign_transaction(fields).raw_transaction.hex())
    for _ in range(5_000):
        if (receipt := rpc("eth_getTransactionReceipt", sent)) is not None:
            assert receipt["status"] == "0x1"
            return
    raise AssertionError("not mined")


def _cancel(till: Till, content: Content) -> None:
    nonce = bytes.fromhex(content["payload"]["authorization"]["nonce"][2:])
    payer = till.buyer.address(BASE)
    struct = keccak(keccak(b"CancelAuthorization(address authorizer,bytes32 nonce)") + word(payer) + nonce)
    separator = Domain("USDC", "2", 84532, BY_ID[BASE].usdc).separator()
    signed = Account.unsafe_sign_hash(keccak(b"\x19\x01" + separator + struct), till.buyer.evm_key)
    call = keccak(b"cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)")[:4]
    data = call + word(payer) + nonce + word(signed.v) + word(signed.r) + word(signed.s)
    _call(till.shop, data, os.urandom(32))


def _drain(till: Till, content: Content) -> None:
    shop, network = till.shop, till.network
    if network == BASE:
        _call(shop, keccak(b"transfer(address,uint256)")[:4] + word(STRANGER) + word(FUNDS), till.buyer.evm_key)
        return
    thief = str(Pubkey.new_unique())
    shop.solana.fund(thief, 0)
    everything = till.entry | {"amount": str(FUNDS), "payTo": thief, "extra": {"feePayer": _fees(shop)[1]}}
    payload = shop.sign(till.buyer, everything)
    tx = spl.decode(payload).cosigned(_fees(shop)[0])
    shop.solana.handle("sendTransaction", [base64.b64encode(bytes(tx)).decode(), {"encoding": "base64"}])


def _fees(shop: Shop) -> tuple[Any, str]:
    """A fee payer of the thief's own."""
    keypair = Keypair.from_seed(b"\x07" * 32)
    shop.solana.fund(str(keypair.pubkey()), 0)
    return keypair, str(keypair.pubkey())


@pytest.mark.parametrize(
    ("network", "attack", "reason"),
    [
        (BASE, _cancel, "authorization_canceled"),
        (BASE, _drain, "insufficient_funds"),
        (SOLANA, _drain, "transaction_failed"),
    ],
)
def test_money_taken_away_while_the_edit_is_at_work(
    market: Shop, network: str, attack: Callable[[Till, Content], None], reason: str
) -> None:
    till, files, name = at(market, network), market.images_on_disk(), os.urandom(6).hex()
    content, body = till.content(), BODY | {"prompt": f"hold: {name}"}
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(till.send, content, body)
        market.await_held(name)
        attack(till, content)
        held = market.chain(network).balance(till.buyer.address(network))
        market.release(name)
        answer = asked.result()
    till.assert_refused(answer, reason)
    assert "data" not in answer.json()
    assert market.chain(network).balance(market.seller(network)) == till.earned
    assert market.chain(network).balance(till.buyer.address(network)) == held
    assert market.images_on_disk() == files


def test_an_authorization_that_somebody_else_sent_is_paid(market: Shop) -> None:
    till, name = at(market, BASE), os.urandom(6).hex()
    content = till.content()
    signature = bytes.fromhex(content["payload"]["signature"][2:])
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(till.send, content, BODY | {"prompt": f"hold: {name}"})
        market.await_held(name)
        _call(market, parse(content["payload"])[0].call(signature), os.urandom(32))
        market.release(name)
        answer = asked.result()
    assert (answer.status_code, till.moved()) == (200, (PRICE, PRICE))


# ── headers ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["X-Payment", "PAYMENT-SIGNATURE"])
def test_bad_headers(market: Shop, name: str) -> None:
    till = at(market, BASE)
    good = encode(till.content())
    bombs = {
        "a JSON bomb": base64.b64encode(b"[" * 6000).decode(),
        "an object bomb": base64.b64encode(b'{"a":' * 2000).decode(),
        "a deep payment": encode(till.content() | {"payload": json.loads('{"a":' * 20 + "1" + "}" * 20)}),
        "truncated": good[: len(good) // 2],
        "one character short": good[:-5],
        "no base64": "hello, world!",
        "base64 of text": base64.b64encode(b"hello").decode(),
        "base64 of bytes": base64.b64encode(bytes(range(256))).decode(),
        "20 kB": "A" * 20_000,
        "a list": encode([till.content()]),
        "a number": encode(7),
        "null": encode(None),
        "two JSON values": base64.b64encode(b"{}{}").decode(),
        "a lone surrogate": base64.b64encode(
            b'{"x402Version":2,"payload":{},"accepted":{"scheme":"\\ud800"}}'
        ).decode(),
        "a number of 4,300 digits": base64.b64encode(b'{"x402Version":' + b"9" * 4301 + b"}").decode(),
    }
    for what, header in bombs.items():
        answer = market.post(BODY, {name: header})
        assert (answer.status_code, answer.json().get("code")) == (402, "payment_refused"), (what, answer.text)
        assert answer.json()["reason"] in ("invalid_payload", "invalid_x402_version", "invalid_scheme"), what
    assert till.moved() == (0, 0)


def test_a_megabyte_of_header_is_refused(market: Shop) -> None:
    till = at(market, BASE)
    try:
        answer = market.post(BODY, {"X-Payment": "A" * 2**20})
    except httpx2.TransportError:
        pass  # hung up on while it was still sending: as well
    else:
        assert answer.status_code in (400, 402, 431)
    assert httpx2.get(market.url + "/healthz").status_code == 200
    assert till.moved() == (0, 0)


def test_two_different_payments_in_one_request(market: Shop) -> None:
    till = at(market, BASE)
    two = {"X-Payment": encode(till.content()), "PAYMENT-SIGNATURE": encode(till.content())}
    answer = market.post(BODY, two)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert till.moved() == (0, 0)


WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    " ",
    "x",
    "0x",
    "-1",
    "1e4",
    "\x00",
    "2\u0661000",
    "a" * 3000,
    [],
    {"a": 1},
]
FREE = {("accepted", "maxTimeoutSeconds"), ("accepted", "extra"), ("accepted", "extra", "name"),
        ("accepted", "extra", "version"), ("accepted", "extra", "feePayer")}  # fmt: skip
"""The payer's business: what we go by is our own requirement."""


def paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, below in value.items():
            yield from paths(below, (*path, key))


@pytest.mark.parametrize("network", [BASE, SOLANA])
@pytest.mark.parametrize("version", [1, 2])
def test_wrong_types_in_every_field(market: Shop, network: str, version: int) -> None:
    till = at(market, network)
    right = till.content(version)
    cases = []
    for path in paths(right):
        for wrong in [*WRONG, ...]:  # `...`: the field is left out
            content = copy.deepcopy(right)
            inside = content
            for key in path[:-1]:
                inside = inside[key]
            if wrong is ...:
                del inside[path[-1]]
            else:
                inside[path[-1]] = wrong
            cases.append((path, wrong, content))
    with httpx2.Client(timeout=60) as client:  # one connection: there are hundreds
        url = market.url + EDIT
        answers = [client.post(url, json=REFUSED_BY_THE_MODEL, headers={"X-Payment": encode(c)}) for *_, c in cases]
    assert len(cases) >= 90
    for (path, wrong, _), answer in zip(cases, answers, strict=True):
        if path in FREE:
            assert (answer.status_code, answer.json()["code"]) == (403, "content_policy"), (path, wrong)
        else:
            assert answer.status_code == 402, (path, wrong, answer.text)
            assert answer.json()["reason"], (path, wrong)
    assert till.moved() == (0, 0)
    assert till.send(right).status_code == 200  # after all that it still pays, once
    assert till.moved() == (PRICE, PRICE)


def _spellings(content: Content, v1: Content) -> dict[str, tuple[str, str]]:
    """Header name and text of one and the same payment."""

    def text(value: Any, **options: Any) -> str:
        return base64.b64encode(json.dumps(value, **options).encode()).decode()

    turned = dict(reversed(content.items())) | {"payload": dict(reversed(content["payload"].items()))}
    spelt = {
        "v2": text(content),
        "v1": text(v1),
        "spaces": text(content, indent=3),
        "dense": text(content, separators=(",", ":")),
        "key order": text(turned),
        "escapes": base64.b64encode(json.dumps(content).replace("exact", "\\u0065xact").encode()).decode(),
        "no padding": text(content).rstrip("="),
        "more fields": text(content | {"extensions": {"a": [1]}, "resource": {"url": "https://elsewhere"}}),
        "v1 name in v2": text(_renamed(copy.deepcopy(content), "network", v1["network"])),
        "v2 name in v1": text(v1 | {"network": content["accepted"]["network"]}),
    }
    payload = content["payload"]
    if "authorization" in payload:
        authorization, signature = payload["authorization"], payload["signature"]
        v = bytes([int(signature[-2:], 16) - 27]).hex()
        lower = {k: val.lower() for k, val in authorization.items()}
        upper = authorization | {k: "0x" + authorization[k][2:].upper() for k in ("from", "to", "nonce")}
        zeros = authorization | {k: "00" + authorization[k] for k in ("value", "validAfter", "validBefore")}
        numbers = authorization | {k: int(authorization[k]) for k in ("value", "validAfter", "validBefore")}
        for name, changed in (("lower", lower), ("upper", upper), ("zeros", zeros), ("numbers", numbers)):
            spelt[name] = text(v1 | {"payload": {"signature": signature, "authorization": changed}})
        spelt["signature upper"] = text(v1 | {"payload": payload | {"signature": "0x" + signature[2:].upper()}})
        spelt["recovery bit"] = text(v1 | {"payload": payload | {"signature": signature[:-2] + v}})
    else:
        tx = VersionedTransaction.from_bytes(base64.b64decode(payload["transaction"]))
        tx.signatures = [Signature.from_bytes(b"\x05" * 64), tx.signatures[1]]
        spelt["fee payer's slot"] = text(v1 | {"payload": {"transaction": base64.b64encode(bytes(tx)).decode()}})
        spelt["extra in payload"] = text(v1 | {"payload": payload | {"memo": "x"}})
    names = ("X-Payment", "PAYMENT-SIGNATURE", "x-payment", "payment-signature")
    return {name: (names[i % 4], value) for i, (name, value) in enumerate(spelt.items())}


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_one_payment_in_many_spellings_is_one_payment(market: Shop, network: str) -> None:
    till = at(market, network)
    content = till.content()
    v1 = {"x402Version": 1, "scheme": "exact", "network": BY_ID[network].v1, "payload": content["payload"]}
    spelt = _spellings(content, v1)
    with ThreadPoolExecutor(len(spelt)) as pool:
        answers = list(pool.map(lambda header: market.post(BODY, dict([header])), spelt.values()))
    for name, answer in zip(spelt, answers, strict=True):
        assert answer.status_code == 200, (name, answer.text)
    assert len({a.json()["payment"]["tx_hash"] for a in answers}) == 1
    for name, header in spelt.items():  # and none of them pays for anything else
        other = market.post(BODY | {"prompt": "another"}, dict([header]))
        assert (other.status_code, other.json().get("reason")) == (402, "payment_already_used"), name
    assert till.moved() == (PRICE, PRICE)


# ── clocks ──────────────────────────────────────────────────────────────────────────────────────────────

EXPIRED, NOT_YET = f"{_EVM}_authorization_valid_before", f"{_EVM}_authorization_valid_after"
DEAD = f"{_SVM}_blockhash_expired"
SKEWS: list[tuple[str, int, int, int, str | None]] = [
    (BASE, 0, 0, 0, None),
    (BASE, 590, 0, 0, None),
    (BASE, -600, 0, 0, EXPIRED),
    (BASE, 700, 0, 0, NOT_YET),
    (BASE, 0, 590, 0, EXPIRED),
    (BASE, 0, -590, 0, None),
    (BASE, 590, 590, 0, None),
    (BASE, 0, 0, 600, EXPIRED),
    (BASE, 590, 590, 590, None),
    (BASE, -600, 0, 600, EXPIRED),
    (SOLANA, 0, 600, 0, None),
    (SOLANA, 0, -600, 0, None),
    (SOLANA, 600, -600, 600, None),
    (SOLANA, -600, 0, 0, DEAD),
    (SOLANA, -600, 600, 600, DEAD),
]
"""Seconds by which the clocks of payer, gateway and chain are ahead, and what the payer is told. Solana's payments
carry a blockhash instead of a time: its payer's clock is that of the node it asks."""
SLOTS_A_SECOND = 2.5


@pytest.mark.parametrize(("network", "payer", "gateway", "chain", "reason"), SKEWS)
def test_skewed_clocks_move_all_or_nothing(
    tmp_path: Path, network: str, payer: int, gateway: int, chain: int, reason: str | None
) -> None:
    with (
        open_market() as market,
        open_gateway(tmp_path, market.tills, clock=lambda: time.time() + gateway) as opened,
    ):
        if chain and network == BASE:
            mined = {"jsonrpc": "2.0", "id": 1, "method": "evm_mine", "params": [int(time.time()) + chain]}
            httpx2.post(market.base.rpc_url, json=mined).raise_for_status()
        elif chain:
            market.solana.advance(int(chain * SLOTS_A_SECOND))
        buyer = market.buyer(network)
        times = {"now": int(time.time()) + payer} if network == BASE else {}
        header = buyer.pay(opened.post(), **times)
        if network == SOLANA and payer < 0:  # signed over what its node shows, which lags behind
            market.solana.advance(int(-payer * SLOTS_A_SECOND))
        answer = opened.post(header)
        assert (answer.status_code, answer.json().get("reason")) == (402 if reason else 200, reason)
        due = 0 if reason else OWN_PRICE
        assert (buyer.spent(), market.earned(network)) == (due, due)
        if not reason:
            assert opened.post(header).json()["payment"]["status"] == "already_settled"


@pytest.mark.parametrize("network", [BASE, SOLANA])
@pytest.mark.parametrize("ahead", [-590, 590])
def test_a_slow_edit_at_a_gateway_with_another_clock(tmp_path: Path, network: str, ahead: int) -> None:
    """Who signs by the gateway's clock is served; a poll's proof of another time is nobody's."""
    with (
        open_market() as market,
        open_gateway(tmp_path, market.tills, clock=lambda: time.time() + ahead) as opened,
    ):
        buyer = market.buyer(network)
        # The chain's clock is right: a payment must be valid by both.
        times = {"now": int(time.time()) + max(0, ahead)} if network == BASE else {}
        header = buyer.pay(opened.post(), **times)
        opened.hold()
        accepted = opened.post(header | {"Prefer": "wait=0"})
        assert accepted.status_code == 202, accepted.text
        url = accepted.json()["poll_url"]
        assert opened.get(url, header).status_code == 202
        for moment, status in ((time.time(), 404), (time.time() + ahead, 202 if network == SOLANA else 404)):
            proof = poll_proof(buyer.solana, accepted.json()["id"], int(moment))
            assert opened.get(url, proof).status_code == status
        opened.release()
        while (done := opened.get(url, header)).status_code == 202:
            pass
        assert (done.status_code, buyer.spent()) == (200, OWN_PRICE), done.text
