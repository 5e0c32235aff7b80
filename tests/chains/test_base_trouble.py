"""Settling on a local Base when the chain, its node or other people get in the way: nobody is charged twice, no charge
is lost, and the three outcomes mean what they say."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx2
import pytest
from eth_account import Account

from support.base_chain import BASE, PRICE, BadNode, EvmAccount, TillOn, change, evm_payment, verified
from tollbrush.devnet.interface import LocalChain
from tollbrush.errors import PaymentRefused, Unavailable
from tollbrush.payments.eip3009 import Domain, authorize, keccak, parse, word
from tollbrush.payments.evm import EvmTill, balance
from tollbrush.payments.evm_ledger import pays
from tollbrush.payments.evm_sender import Sender
from tollbrush.payments.interface import Outcome, Settlement
from tollbrush.payments.rpc import JsonRpc

pytestmark = pytest.mark.chain
SEND = "eth_sendRawTransaction"


def _rpc(chain: LocalChain, method: str, *params: Any) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx2.post(chain.rpc_url, json=request).json()["result"]


async def _send(chain: LocalChain, key: bytes, data: bytes) -> str:
    """Somebody else's transaction to the USDC contract, mined."""
    rpc = JsonRpc(chain.rpc_url)
    sender = Sender(rpc, BASE.chain_id, key)
    tx_hash = await sender.send(BASE.usdc, data)
    receipt = await sender.receipt(tx_hash, within=10)
    await rpc.close()
    assert receipt is not None and receipt["status"] == "0x1"
    return tx_hash


def _stranger(chain: LocalChain) -> EvmAccount:
    account = EvmAccount.fresh()
    chain.fund(account.address, 0)
    return account


async def _cancel(chain: LocalChain, payer: EvmAccount, nonce: bytes) -> None:
    struct = keccak(keccak(b"CancelAuthorization(address authorizer,bytes32 nonce)") + word(payer.address) + nonce)
    separator = Domain("USDC", "2", BASE.chain_id, BASE.usdc).separator()
    signed = Account.unsafe_sign_hash(keccak(b"\x19\x01" + separator + struct), payer.key)
    call = keccak(b"cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)")[:4]
    data = call + word(payer.address) + nonce + word(signed.v) + word(signed.r) + word(signed.s)
    await _send(chain, _stranger(chain).key, data)


def _transfer(to: str, amount: int) -> bytes:
    return keccak(b"transfer(address,uint256)")[:4] + word(to) + word(amount)


async def test_cancelled_between_verify_and_settle(
    base_chain: LocalChain, base_till: EvmTill, base_payer: EvmAccount
) -> None:
    payment = await verified(base_till, base_payer)
    await _cancel(base_chain, base_payer, bytes.fromhex(payment.key.nonce))
    settlement = await base_till.settle(payment)
    assert settlement == Settlement(Outcome.REFUSED, reason="authorization_canceled")
    assert await base_till.find(payment, None) == settlement
    assert base_chain.balance(base_payer.address) == 1_000_000


async def test_drained_between_verify_and_settle_and_filled_again(
    base_chain: LocalChain, base_till: EvmTill, base_payer: EvmAccount
) -> None:
    payment = await verified(base_till, base_payer)
    await _send(base_chain, base_payer.key, _transfer(EvmAccount.fresh().address, 1_000_000 - PRICE + 1))
    assert await base_till.settle(payment) == Settlement(Outcome.REFUSED, reason="insufficient_funds")
    assert (await base_till.find(payment, None)).outcome is Outcome.UNKNOWN  # it may yet land, whoever sends it
    base_chain.fund(base_payer.address, 1)
    assert (await base_till.settle(payment)).outcome is Outcome.SETTLED


async def test_front_run_the_money_came_so_the_charge_is_settled(
    base_chain: LocalChain, base_till: EvmTill, base_payer: EvmAccount
) -> None:
    payment = await verified(base_till, base_payer)
    authorization, signature = parse(payment.payload)
    theirs = await _send(base_chain, _stranger(base_chain).key, authorization.call(signature))
    assert await base_till.settle(payment) == Settlement(Outcome.SETTLED, theirs)
    assert base_chain.balance(payment.requirement.pay_to) == PRICE


async def test_front_run_in_the_same_block(
    base_chain: LocalChain, base_till_on: TillOn, bad_base_node: BadNode, base_payer: EvmAccount
) -> None:
    """Ours passed its estimate, and reverts on chain: theirs was put before it."""
    till = base_till_on(base_chain, rpc=JsonRpc(bad_base_node.url))
    payment = await verified(till, base_payer)
    authorization, signature = parse(payment.payload)
    bad_base_node.front_run = lambda: asyncio.run(
        _send(base_chain, _stranger(base_chain).key, authorization.call(signature))
    )
    settlement = await till.settle(payment)
    assert settlement == Settlement(Outcome.SETTLED, bad_base_node.front_ran_by)
    assert base_chain.balance(payment.requirement.pay_to) == PRICE


async def test_one_nonce_spent_on_other_terms_pays_nothing_here(
    base_chain: LocalChain, base_till: EvmTill, base_payer: EvmAccount
) -> None:
    payment = await verified(base_till, base_payer)
    elsewhere = change(payment.requirement, pay_to=EvmAccount.fresh().address, amount=1)
    nonce = bytes.fromhex(payment.key.nonce)
    other, signature = parse(authorize(base_payer.key, elsewhere, BASE.chain_id, now=int(time.time()), nonce=nonce))
    await _send(base_chain, _stranger(base_chain).key, other.call(signature))
    refused = Settlement(Outcome.REFUSED, reason="invalid_exact_evm_nonce_already_used")
    assert await base_till.settle(payment) == refused
    assert base_chain.balance(payment.requirement.pay_to) == 0


async def test_an_expired_payment_never_lands_and_find_says_so(
    own_base_chain: LocalChain, base_till_on: TillOn
) -> None:
    payer, till = EvmAccount.fresh(), base_till_on(own_base_chain)
    own_base_chain.fund(payer.address, PRICE)
    payment = await verified(till, payer)
    assert (await till.find(payment, None)).outcome is Outcome.UNKNOWN
    _rpc(own_base_chain, "evm_mine", payment.valid_until - 1)
    assert (await till.find(payment, None)).outcome is Outcome.UNKNOWN
    _rpc(own_base_chain, "evm_mine", payment.valid_until)
    expired = "invalid_exact_evm_payload_authorization_valid_before"
    assert await till.find(payment, None) == Settlement(Outcome.REFUSED, reason=expired)
    assert await till.settle(payment) == Settlement(Outcome.REFUSED, reason=expired)
    assert own_base_chain.balance(payer.address) == PRICE


async def test_settled_only_after_its_confirmations(own_base_chain: LocalChain, base_till_on: TillOn) -> None:
    payer = EvmAccount.fresh()
    own_base_chain.fund(payer.address, PRICE)
    till = base_till_on(own_base_chain, confirmations=3, receipt_timeout=0.1)
    payment = await verified(till, payer)
    early = await till.settle(payment)
    assert early.outcome is Outcome.UNKNOWN and early.tx_hash is not None
    for _ in range(2):
        assert (await till.find(payment, early.tx_hash)).outcome is Outcome.UNKNOWN
        _rpc(own_base_chain, "evm_mine")
    assert await till.find(payment, early.tx_hash) == Settlement(Outcome.SETTLED, early.tx_hash)


@pytest.fixture
def bad_till(base_chain: LocalChain, base_till_on: TillOn, bad_base_node: BadNode) -> EvmTill:
    """A till whose node is bad, and who waits briefly."""
    return base_till_on(base_chain, rpc=JsonRpc(bad_base_node.url, timeout=5), receipt_timeout=0.3)


async def test_a_send_whose_answer_is_lost_is_still_watched(
    base_chain: LocalChain, bad_till: EvmTill, bad_base_node: BadNode, base_payer: EvmAccount
) -> None:
    payment = await verified(bad_till, base_payer)
    bad_base_node.mute.add(SEND)
    settlement = await bad_till.settle(payment)
    assert settlement.outcome is Outcome.SETTLED
    assert base_chain.balance(payment.requirement.pay_to) == PRICE


@pytest.mark.parametrize("version", [1, 2])
async def test_a_node_lost_after_the_send_leaves_the_outcome_unknown_with_its_hash(
    base_chain: LocalChain, bad_till: EvmTill, bad_base_node: BadNode, base_payer: EvmAccount, version: int
) -> None:
    payment = await verified(bad_till, base_payer, version=version)
    bad_base_node.mute.add(SEND)
    bad_base_node.deaf.add("eth_getTransactionReceipt")
    lost = await bad_till.settle(payment)
    assert lost.outcome is Outcome.UNKNOWN and lost.tx_hash is not None
    assert base_chain.balance(payment.requirement.pay_to) == PRICE

    assert (await bad_till.find(payment, lost.tx_hash)).outcome is Outcome.UNKNOWN  # and never an exception
    bad_base_node.deaf.clear()
    assert await bad_till.find(payment, lost.tx_hash) == Settlement(Outcome.SETTLED, lost.tx_hash)
    assert await bad_till.find(payment, None) == Settlement(Outcome.SETTLED, lost.tx_hash)


async def test_a_send_that_never_arrived_is_unknown_and_may_be_sent_again(
    base_chain: LocalChain, bad_till: EvmTill, bad_base_node: BadNode, base_payer: EvmAccount
) -> None:
    payment = await verified(bad_till, base_payer)
    bad_base_node.deaf.add(SEND)
    lost = await bad_till.settle(payment)
    assert lost.outcome is Outcome.UNKNOWN and lost.tx_hash is not None
    bad_base_node.deaf.clear()
    assert (await bad_till.find(payment, lost.tx_hash)).outcome is Outcome.UNKNOWN
    assert (await bad_till.settle(payment)).outcome is Outcome.SETTLED
    assert base_chain.balance(payment.requirement.pay_to) == PRICE


@pytest.mark.parametrize("said", ["internal error", "upstream timed out", "insufficient funds for gas * price + value"])
async def test_an_error_in_mid_send_leaves_no_nonce_gap(
    base_chain: LocalChain, bad_till: EvmTill, bad_base_node: BadNode, base_payer: EvmAccount, said: str
) -> None:
    payments = [await verified(bad_till, base_payer) for _ in range(4)]
    assert (await bad_till.settle(payments[0])).outcome is Outcome.SETTLED
    bad_base_node.refusals[SEND] = [said]
    failed = await bad_till.settle(payments[1])
    assert failed.outcome is Outcome.UNKNOWN and failed.reason == f"not_sent: {said}"
    settled = await asyncio.gather(*map(bad_till.settle, payments[2:]))
    assert {s.outcome for s in settled} == {Outcome.SETTLED}
    assert (await bad_till.settle(payments[1])).outcome is Outcome.SETTLED
    assert base_chain.balance(payments[0].requirement.pay_to) == 4 * PRICE


async def test_a_nonce_taken_by_another_process_with_our_key_is_read_again(
    base_chain: LocalChain, base_till_on: TillOn, base_payer: EvmAccount
) -> None:
    key = _stranger(base_chain).key
    rpc = JsonRpc(base_chain.rpc_url)
    till = EvmTill(BASE, EvmAccount.fresh().address, rpc, key.hex())
    first, second = [await verified(till, base_payer) for _ in range(2)]
    assert (await till.settle(first)).outcome is Outcome.SETTLED
    await _send(base_chain, key, _transfer(base_payer.address, 0))
    assert (await till.settle(second)).outcome is Outcome.SETTLED
    await till.close()


@pytest.mark.parametrize("method", ["eth_estimateGas", "eth_getBlockByNumber", "eth_getTransactionCount"])
async def test_a_node_lost_before_the_send_sends_nothing(
    base_chain: LocalChain, bad_till: EvmTill, bad_base_node: BadNode, base_payer: EvmAccount, method: str
) -> None:
    payment = await verified(bad_till, base_payer)
    bad_base_node.deaf.add(method)
    lost = await bad_till.settle(payment)
    assert (lost.outcome, lost.tx_hash) == (Outcome.UNKNOWN, None)
    assert bad_base_node.seen[SEND] == 0
    bad_base_node.deaf.clear()
    assert (await bad_till.settle(payment)).outcome is Outcome.SETTLED


async def test_verify_without_a_chain_is_unavailable_and_not_a_refusal(
    bad_till: EvmTill, bad_base_node: BadNode, base_payer: EvmAccount
) -> None:
    bad_base_node.deaf.add("eth_call")
    with pytest.raises(Unavailable):
        await verified(bad_till, base_payer)
    rpc = JsonRpc(bad_base_node.url)
    with pytest.raises(Unavailable):
        await balance(rpc, BASE, base_payer.address)
    await rpc.close()
    bad_base_node.deaf.clear()
    bad_base_node.refusals["eth_call"] = ["rate limited"] * 3
    with pytest.raises(Unavailable, match="rate limited"):
        await verified(bad_till, base_payer)


async def test_a_caller_that_goes_away_does_not_stop_its_settlement(
    base_chain: LocalChain, base_till: EvmTill, base_payer: EvmAccount
) -> None:
    payment = await verified(base_till, base_payer)
    caller = asyncio.create_task(base_till.settle(payment))
    await asyncio.sleep(0)
    caller.cancel()
    assert (await base_till.settle(payment)).outcome is Outcome.SETTLED
    assert base_chain.balance(payment.requirement.pay_to) == PRICE


async def test_neighbouring_events_only_belong_together(
    base_chain: LocalChain, base_till: EvmTill, base_payer: EvmAccount
) -> None:
    """One transaction with this nonce's event on other terms and, beside it, another payment's money pays only one."""
    mine, other = await verified(base_till, base_payer), await verified(base_till, base_payer)
    logs = []
    for payment in (mine, other):
        settlement = await base_till.settle(payment)
        logs.append(_rpc(base_chain, "eth_getTransactionReceipt", settlement.tx_hash)["logs"])
    used_mine, moved_mine = logs[0]
    used_other, moved_other = logs[1]
    aside = moved_mine | {"topics": [*moved_mine["topics"][:2], "0x" + word(EvmAccount.fresh().address).hex()]}
    foreign = used_mine | {"address": EvmAccount.fresh().address}
    authorization = parse(mine.payload)[0]

    def paid(*logs: Any) -> bool:
        return pays(list(logs), BASE.usdc, authorization)

    assert paid(used_mine, moved_mine)
    assert paid(used_other, moved_other, used_mine, moved_mine)
    assert not paid(used_mine, aside, used_other, moved_other)
    assert not paid(used_other, moved_other)
    assert not paid(foreign, moved_mine)
    assert not paid(used_mine)
    assert not paid(None, moved_mine)
    assert not pays(None, BASE.usdc, authorization)


async def test_check_says_what_is_wrong(base_chain: LocalChain, bad_till: EvmTill, bad_base_node: BadNode) -> None:
    assert await bad_till.check() is None
    bad_base_node.deaf.add("eth_chainId")
    assert "cannot be read" in str(await bad_till.check())
    poor = EvmTill(BASE, EvmAccount.fresh().address, JsonRpc(base_chain.rpc_url), EvmAccount.fresh().key.hex())
    assert "too little: send it ETH" in str(await poor.check())
    await poor.close()


async def test_a_recipient_that_usdc_refuses_is_found_out_before_any_work(
    base_till: EvmTill, base_payer: EvmAccount
) -> None:
    due = change(base_till.requirement(PRICE), pay_to="0x" + "0" * 40)
    with pytest.raises(PaymentRefused) as refused:
        await verified(base_till, base_payer, due=due)
    assert refused.value.reason == "invalid_exact_evm_transaction_simulation_failed"
    assert evm_payment(base_payer, due).payload["authorization"]["to"] == due.pay_to
