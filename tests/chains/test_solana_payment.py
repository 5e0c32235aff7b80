"""A payment's life on a local Solana: refused while anything is wrong, then landed once, with balances read back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from support.payments import wrap
from support.solana_chain import (
    DEVNET,
    FUNDS,
    LossyNode,
    make_till,
    paid,
    recent_blockhash,
)
from support.solana_corpus import FAIR, HOSTILE
from support.solana_forge import Forge, lighthouse
from tollbrush.devnet.solana import SolanaChain
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.payments import Payment
from tollbrush.errors import BadSettings, PaymentRefused, Unavailable
from tollbrush.payments import spl
from tollbrush.payments.interface import Outcome, Settlement, Verified
from tollbrush.payments.rpc import JsonRpc
from tollbrush.payments.solana import SolanaTill
from tollbrush.payments.solana_checks import BLOCKHASH_SECONDS
from tollbrush.payments.solana_node import balance

pytestmark = pytest.mark.chain

PRICE = 21_000


async def _verify(till: SolanaTill, presented: Payment, amount: int = PRICE) -> Verified:
    now = int(time.time())
    return await till.verify(presented, till.requirement(amount), now=now, deadline=now + 240)


async def _refusal(till: SolanaTill, presented: Payment, amount: int = PRICE) -> str:
    with pytest.raises(PaymentRefused) as refusal:
        await _verify(till, presented, amount)
    return refusal.value.reason


def _honest(chain: SolanaChain, payer: Keypair, till: SolanaTill) -> Forge:
    return Forge.honest(payer, till.requirement(PRICE), recent_blockhash(chain))


@pytest.mark.parametrize("version", [1, 2])
async def test_the_life_of_a_payment(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_till: SolanaTill, solana_pay_to: str, version: int
) -> None:
    offer, payer = solana_till.requirement(PRICE), str(solana_payer.pubkey())
    honest = _honest(solana_chain, solana_payer, solana_till)

    def present(forge: Forge) -> Payment:
        return wrap(forge.payload(), offer, version=version)

    x = "invalid_exact_svm_payload"
    own = Pubkey.from_string(spl.associated_token_account(payer, DEVNET.usdc))
    assert await _refusal(solana_till, present(honest.with_(amount=PRICE - 1))) == f"{x}_amount_insufficient"
    assert await _refusal(solana_till, present(honest.with_(destination=own))) == f"{x}_recipient_mismatch"
    assert await _refusal(solana_till, present(honest.with_(mint=Pubkey.new_unique()))) == f"{x}_mint_mismatch"
    elsewhere = Payment(version, "exact", BY_V1["solana"].id, honest.payload(), None)
    assert await _refusal(solana_till, elsewhere) == "invalid_network"
    late = present(honest)
    solana_chain.advance(151)
    assert await _refusal(solana_till, late) == f"{x}_blockhash_expired"
    assert await solana_till.balance(payer) == solana_chain.balance(payer) == FUNDS

    right = paid(solana_chain, solana_payer, offer, version=version)
    before = time.time()
    verified = await _verify(solana_till, right)
    assert (verified.payer, verified.balance, verified.requirement) == (payer, FUNDS, offer)
    assert before - 1 <= verified.valid_until - BLOCKHASH_SECONDS <= time.time()
    assert verified.key == solana_till.identify(right)
    settled = await solana_till.settle(verified)
    assert settled.outcome is Outcome.SETTLED
    assert (solana_chain.balance(payer), solana_chain.balance(solana_pay_to)) == (FUNDS - PRICE, PRICE)

    assert await _refusal(solana_till, right) == "duplicate_settlement"
    assert await solana_till.settle(verified) == settled
    assert await solana_till.find(verified, None) == await solana_till.find(verified, settled.tx_hash) == settled
    assert solana_chain.balance(solana_pay_to) == PRICE


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_payment_moves_nothing(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_till: SolanaTill, solana_pay_to: str, name: str
) -> None:
    reason, make = HOSTILE[name]
    lamports = solana_chain.lamports(solana_till.fee_payer)
    hostile = wrap(make(_honest(solana_chain, solana_payer, solana_till)), solana_till.requirement(PRICE))
    assert await _refusal(solana_till, hostile) == reason
    assert solana_chain.balance(str(solana_payer.pubkey())) == FUNDS
    assert solana_chain.lamports(solana_till.fee_payer) == lamports


@pytest.mark.parametrize("name", FAIR)
async def test_fair_payment_is_paid(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_till: SolanaTill, solana_pay_to: str, name: str
) -> None:
    lamports = solana_chain.lamports(solana_till.fee_payer)
    payload = FAIR[name](_honest(solana_chain, solana_payer, solana_till))
    verified = await _verify(solana_till, wrap(payload, solana_till.requirement(PRICE)))
    assert (await solana_till.settle(verified)).outcome is Outcome.SETTLED
    assert solana_chain.balance(solana_pay_to) == PRICE
    cost = 2 * 5_000 + spl.decode(payload).priority_fee
    assert solana_chain.lamports(solana_till.fee_payer) == lamports - cost


async def test_what_only_the_chain_knows(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_till: SolanaTill
) -> None:
    honest, offer = _honest(solana_chain, solana_payer, solana_till), solana_till.requirement(PRICE)
    victim = Keypair()
    solana_chain.fund(str(victim.pubkey()), FUNDS)
    theirs = Pubkey.from_string(spl.associated_token_account(str(victim.pubkey()), DEVNET.usdc))
    stolen = wrap(honest.with_(source=theirs).payload(), offer)
    assert await _refusal(solana_till, stolen) == "invalid_exact_svm_payload_source_account_mismatch"
    nowhere = wrap(honest.with_(source=Pubkey.new_unique()).payload(), offer)
    assert await _refusal(solana_till, nowhere) == "insufficient_funds"
    absent = wrap(honest.with_(after=(lighthouse(),)).payload(), offer)
    assert await _refusal(solana_till, absent) == "transaction_simulation_failed"
    invented = wrap(honest.with_(blockhash=str(Keypair().pubkey())).payload(), offer)
    assert await _refusal(solana_till, invented) == "invalid_exact_svm_payload_blockhash_expired"
    dear = solana_till.requirement(FUNDS + 1)
    assert await _refusal(solana_till, paid(solana_chain, solana_payer, dear), FUNDS + 1) == "insufficient_funds"


async def test_two_payments_over_one_balance_pay_once(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_till: SolanaTill, solana_pay_to: str
) -> None:
    """Both verify; the second lands, fails, and is refused although its status is `confirmed`."""
    offer = solana_till.requirement(FUNDS)
    both = [await _verify(solana_till, paid(solana_chain, solana_payer, offer), FUNDS) for _ in range(2)]
    first, second = [await solana_till.settle(verified) for verified in both]
    assert first.outcome is Outcome.SETTLED
    assert (second.outcome, second.reason) == (Outcome.REFUSED, "transaction_failed")
    status = solana_chain.handle("getSignatureStatuses", [[second.tx_hash]])["value"][0]
    assert status["confirmationStatus"] == "confirmed"
    assert status["err"] == {"InstructionError": [2, {"Custom": 1}]}
    assert await solana_till.find(both[1], None) == second
    assert (solana_chain.balance(str(solana_payer.pubkey())), solana_chain.balance(solana_pay_to)) == (0, FUNDS)


async def test_one_payment_settled_by_many_lands_once(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_till: SolanaTill, solana_pay_to: str
) -> None:
    verified = await _verify(solana_till, paid(solana_chain, solana_payer, solana_till.requirement(PRICE)))
    settlements = await asyncio.gather(*(solana_till.settle(verified) for _ in range(20)))
    assert {s.outcome for s in settlements} == {Outcome.SETTLED}
    assert len({s.tx_hash for s in settlements}) == 1
    assert solana_chain.balance(solana_pay_to) == PRICE


async def test_a_payment_that_died_before_settling_is_refused(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_till: SolanaTill
) -> None:
    verified = await _verify(solana_till, paid(solana_chain, solana_payer, solana_till.requirement(PRICE)))
    solana_chain.advance(151)
    expired = Settlement(Outcome.REFUSED, None, "invalid_exact_svm_payload_blockhash_expired")
    assert await solana_till.settle(verified) == expired
    assert solana_chain.balance(str(solana_payer.pubkey())) == FUNDS


@pytest.fixture
async def lossy_till(
    lossy_solana_node: LossyNode, solana_pay_to: str, solana_fee_payer: Keypair
) -> AsyncIterator[SolanaTill]:
    till = make_till(lossy_solana_node.url, solana_pay_to, solana_fee_payer, settle_seconds=0)
    yield till
    await till.close()


async def test_lost_answers_are_unknown_and_found_later(
    solana_chain: SolanaChain,
    solana_payer: Keypair,
    lossy_solana_node: LossyNode,
    lossy_till: SolanaTill,
    solana_pay_to: str,
) -> None:
    verified = await _verify(lossy_till, paid(solana_chain, solana_payer, lossy_till.requirement(PRICE)))
    lossy_solana_node.mute |= {"sendTransaction", "getSignatureStatuses"}
    unknown = await lossy_till.settle(verified)
    assert unknown.outcome is Outcome.UNKNOWN
    assert solana_chain.balance(solana_pay_to) == PRICE
    assert await lossy_till.find(verified, None) == unknown

    lossy_solana_node.mute.clear()
    found = await lossy_till.find(verified, None)
    assert found == Settlement(Outcome.SETTLED, unknown.tx_hash)
    assert solana_chain.balance(solana_pay_to) == PRICE


async def test_a_payment_that_never_arrived_is_unknown_until_its_blockhash_is_dead(
    solana_chain: SolanaChain, solana_payer: Keypair, lossy_solana_node: LossyNode, lossy_till: SolanaTill
) -> None:
    verified = await _verify(lossy_till, paid(solana_chain, solana_payer, lossy_till.requirement(PRICE)))
    lossy_solana_node.deaf |= {"sendTransaction"}
    assert (await lossy_till.settle(verified)).outcome is Outcome.UNKNOWN
    assert (await lossy_till.find(verified, None)).outcome is Outcome.UNKNOWN
    solana_chain.advance(151)
    assert (await lossy_till.find(verified, None)).outcome is Outcome.REFUSED
    assert solana_chain.balance(str(solana_payer.pubkey())) == FUNDS


async def test_a_lost_sending_is_sent_again(
    solana_chain: SolanaChain,
    solana_payer: Keypair,
    lossy_solana_node: LossyNode,
    solana_fee_payer: Keypair,
    solana_pay_to: str,
) -> None:
    till = make_till(lossy_solana_node.url, solana_pay_to, solana_fee_payer)
    verified = await _verify(till, paid(solana_chain, solana_payer, till.requirement(PRICE)))
    lossy_solana_node.lose_next["sendTransaction"] = 1
    assert (await till.settle(verified)).outcome is Outcome.SETTLED
    assert solana_chain.balance(solana_pay_to) == PRICE
    await till.close()


async def test_finality_is_a_setting(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_fee_payer: Keypair, solana_pay_to: str
) -> None:
    till = make_till(solana_chain.rpc_url, solana_pay_to, solana_fee_payer, confirmations=32, settle_seconds=0)
    verified = await _verify(till, paid(solana_chain, solana_payer, till.requirement(PRICE)))
    confirmed = await till.settle(verified)
    assert confirmed.outcome is Outcome.UNKNOWN
    solana_chain.advance(32)
    assert await till.find(verified, None) == Settlement(Outcome.SETTLED, confirmed.tx_hash)
    await till.close()


async def test_another_fee_payers_payment_is_not_settled(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_till: SolanaTill, solana_pay_to: str
) -> None:
    verified = await _verify(solana_till, paid(solana_chain, solana_payer, solana_till.requirement(PRICE)))
    rotated = make_till(solana_chain.rpc_url, solana_pay_to, Keypair())
    assert await rotated.settle(verified) == Settlement(Outcome.REFUSED, None, "fee_payer_not_managed_by_facilitator")
    settled = await solana_till.settle(verified)
    assert await rotated.find(verified, settled.tx_hash) == settled
    solana_chain.advance(151)
    assert (await rotated.find(verified, None)).outcome is Outcome.UNKNOWN
    await rotated.close()


async def test_our_own_lack_of_sol_is_not_the_payers_fault(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_pay_to: str
) -> None:
    broke = Keypair()
    till = make_till(solana_chain.rpc_url, solana_pay_to, broke)
    with pytest.raises(Unavailable, match="short of SOL"):
        await _verify(till, paid(solana_chain, solana_payer, till.requirement(PRICE)))
    for lamports in (5_000, 890_880 - 5_000 + 9_000):  # too little for the fee, then for the rent after the fee
        solana_chain.handle("requestAirdrop", [str(broke.pubkey()), lamports])
        with pytest.raises(Unavailable, match="short of SOL"):
            await _verify(till, paid(solana_chain, solana_payer, till.requirement(PRICE)))
    solana_chain.handle("requestAirdrop", [str(broke.pubkey()), 10**6])
    verified = await _verify(till, paid(solana_chain, solana_payer, till.requirement(PRICE)))
    assert (await till.settle(verified)).outcome is Outcome.SETTLED
    await till.close()


async def test_a_node_that_is_down(
    solana_chain: SolanaChain, solana_payer: Keypair, lossy_solana_node: LossyNode, lossy_till: SolanaTill
) -> None:
    presented = paid(solana_chain, solana_payer, lossy_till.requirement(PRICE))
    lossy_solana_node.deaf |= {"simulateTransaction"}
    with pytest.raises(Unavailable, match="Solana devnet cannot be read"):
        await _verify(lossy_till, presented)
    lossy_solana_node.deaf |= {"getBalance"}
    assert "cannot be read" in (await lossy_till.check() or "")


async def test_readiness(
    solana_chain: SolanaChain, solana_till: SolanaTill, solana_fee_payer: Keypair, solana_pay_to: str
) -> None:
    assert await solana_till.check() is None
    stranger = Keypair()
    problems = {
        "no open USDC account": make_till(solana_chain.rpc_url, str(stranger.pubkey()), solana_fee_payer),
        "holds 0 lamports": make_till(solana_chain.rpc_url, solana_pay_to, stranger),
        "serves another chain, of genesis hash EtWT": SolanaTill(
            BY_V1["solana"], pay_to=solana_pay_to, rpc=JsonRpc(solana_chain.rpc_url), settle_key=str(solana_fee_payer)
        ),
    }
    for problem, till in problems.items():
        assert problem in (await till.check() or "")
        await till.close()


@pytest.mark.parametrize(
    ("pay_to", "key"), [("0xabc", str(Keypair())), (str(Keypair().pubkey()), "not a key")], ids=["payee", "key"]
)
async def test_bad_settings_are_said_at_once(pay_to: str, key: str) -> None:
    rpc = JsonRpc("http://127.0.0.1:9")
    with pytest.raises(BadSettings) as refusal:
        SolanaTill(DEVNET, pay_to=pay_to, rpc=rpc, settle_key=key)
    assert key not in refusal.value.sentence() or key == "not a key"
    await rpc.close()


async def test_balances_are_read_from_the_chain(solana_chain: SolanaChain, solana_payer: Keypair) -> None:
    rpc = JsonRpc(solana_chain.rpc_url)
    assert await balance(rpc, DEVNET, str(solana_payer.pubkey())) == FUNDS
    assert await balance(rpc, DEVNET, str(Keypair().pubkey())) == 0
    await rpc.close()
