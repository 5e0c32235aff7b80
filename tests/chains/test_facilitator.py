"""Taking money through a hosted facilitator, x402's own, on local chains: honest, down, slow, confused or lying."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from solders.keypair import Keypair
from x402.facilitator import x402FacilitatorSync
from x402.mechanisms.svm import FacilitatorKeypairSigner
from x402.mechanisms.svm.exact import ExactSvmFacilitatorScheme

from support.base_chain import BASE, PRICE, EvmAccount, change, evm_payment
from support.facilitator import HostedFacilitator
from support.solana_chain import DEVNET, paid
from support.solana_chain import make_till as make_own_till
from support.spoilt import Spoil, do_and_hang_up, do_and_say, hang_up, say
from support.x402_judge import Judge
from tollbrush.devnet.interface import LocalChain
from tollbrush.devnet.solana import SolanaChain
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.errors import BadSettings, PaymentRefused, Unavailable
from tollbrush.payments.facilitator import FacilitatorTill
from tollbrush.payments.interface import Outcome, Settlement, Verified
from tollbrush.payments.rpc import JsonRpc

pytestmark = [
    pytest.mark.chain,
    # x402 2.25 still uses the synchronous parts that solana 0.39 deprecates.
    pytest.mark.filterwarnings("ignore:(Client|TxOpts) is deprecated"),
]
STRANGE = "0x" + "ab" * 32
Make = Callable[..., FacilitatorTill]


@pytest.fixture
def facilitator(base_chain: LocalChain) -> Iterator[HostedFacilitator]:
    hosted = HostedFacilitator(Judge(base_chain).facilitator)
    yield hosted
    hosted.stop()


@pytest.fixture
async def make_till(facilitator: HostedFacilitator, base_chain: LocalChain) -> AsyncIterator[Make]:
    """Tills on that facilitator, with or without an eye on the chain."""
    made: list[FacilitatorTill] = []

    def make(*, chain: bool = True, **options: Any) -> FacilitatorTill:
        rpc = JsonRpc(base_chain.rpc_url) if chain else None
        options = {"seconds": 5.0} | options
        made.append(FacilitatorTill(BASE, EvmAccount.fresh().address, facilitator.url + "/", rpc=rpc, **options))
        return made[-1]

    yield make
    for till in made:
        await till.close()


async def _verified(till: FacilitatorTill, payment: Payment, due: Requirement) -> Verified:
    now = int(time.time())
    return await till.verify(payment, due, now=now, deadline=now + 60)


async def _ready(till: FacilitatorTill, payer: EvmAccount) -> Verified:
    due = till.requirement(PRICE)
    return await _verified(till, evm_payment(payer, due), due)


def _no(reason: str, transaction: str = "") -> dict[str, Any]:
    return {"success": False, "errorReason": reason, "transaction": transaction, "network": BASE.id}


def _yes(transaction: str) -> dict[str, Any]:
    return {"success": True, "transaction": transaction, "network": BASE.id}


@pytest.mark.parametrize("speaks", [{2}, {1}, {1, 2}], ids=["v2", "v1", "both"])
@pytest.mark.parametrize("version", [1, 2])
async def test_an_honest_facilitator_moves_the_money(
    base_chain: LocalChain,
    facilitator: HostedFacilitator,
    make_till: Make,
    base_payer: EvmAccount,
    speaks: set[int],
    version: int,
) -> None:
    facilitator.versions = speaks
    till = make_till()
    assert await till.check() is None
    due = till.requirement(PRICE)
    payment = evm_payment(base_payer, due, version=version)
    verified = await _verified(till, payment, due)
    assert verified.balance == 1_000_000
    assert verified.key == till.identify(payment)
    settlement = await till.settle(verified)
    assert settlement.outcome is Outcome.SETTLED
    assert await till.find(verified, settlement.tx_hash) == settlement
    assert base_chain.balance(due.pay_to) == PRICE
    assert {body["x402Version"] for body in facilitator.bodies} == {max(speaks)}
    again = await till.settle(verified)
    assert again == settlement and base_chain.balance(due.pay_to) == PRICE


async def test_our_own_checks_come_first(
    facilitator: HostedFacilitator, make_till: Make, base_payer: EvmAccount
) -> None:
    till = make_till()
    due = till.requirement(PRICE)
    wrong = {
        "amount": change(due, amount=PRICE - 1),
        "recipient": change(due, pay_to=EvmAccount.fresh().address),
        "asset": change(due, asset=EvmAccount.fresh().address),
        "network": change(due, network="eip155:8453"),
        "window": change(due, max_timeout=61),
    }
    facilitator.spoil["/verify"] = say(200, {"isValid": True})
    for what, other in wrong.items():
        with pytest.raises(PaymentRefused):
            await _verified(till, evm_payment(base_payer, other), due)
        assert facilitator.asked["/verify"] == 0, what


async def test_its_refusal_is_ours_by_its_name(facilitator: HostedFacilitator, make_till: Make) -> None:
    with pytest.raises(PaymentRefused) as refused:
        await _ready(make_till(), EvmAccount.fresh())
    assert refused.value.reason == "invalid_exact_evm_insufficient_balance"
    facilitator.spoil["/verify"] = say(400, {"isValid": False, "invalidReason": "<b>not a name</b>"})
    with pytest.raises(PaymentRefused) as refused:
        await _ready(make_till(), EvmAccount.fresh())
    assert refused.value.reason == "facilitator_refused"


USELESS: dict[str, Spoil] = {
    "http 500": say(500, {"isValid": True, "success": True, "transaction": STRANGE}),
    "http 502 from a proxy": say(502, b"<html>Bad gateway</html>"),
    "http 429": say(429, {"error": "slow down"}),
    "http 401 with a yes": say(401, {"isValid": True, "success": True, "transaction": STRANGE}),
    "not JSON": say(200, b"yes"),
    "not an object": say(200, [True]),
    "no verdict": say(200, {"ok": True}),
    "a verdict in words": say(200, {"isValid": "true", "success": "true", "transaction": STRANGE}),
    "two megabytes": say(200, b" " * 2**21),
    "hangs up": hang_up,
}


@pytest.mark.parametrize("what", USELESS)
async def test_no_verdict_is_unavailable_at_verify_and_unknown_at_settle(
    base_chain: LocalChain, facilitator: HostedFacilitator, make_till: Make, base_payer: EvmAccount, what: str
) -> None:
    till = make_till()
    verified = await _ready(till, base_payer)
    facilitator.spoil = {"/verify": USELESS[what], "/settle": USELESS[what]}
    with pytest.raises(Unavailable):
        await _ready(till, base_payer)
    settlement = await till.settle(verified)
    assert (settlement.outcome, settlement.tx_hash) == (Outcome.UNKNOWN, None)
    facilitator.spoil.clear()
    assert (await till.settle(verified)).outcome is Outcome.SETTLED
    assert base_chain.balance(verified.requirement.pay_to) == PRICE


async def test_a_slow_facilitator_has_a_deadline(
    facilitator: HostedFacilitator, make_till: Make, base_payer: EvmAccount
) -> None:
    till = make_till()
    verified = await _ready(till, base_payer)
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait(work: Callable[[], dict[str, Any]]) -> None:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

    facilitator.spoil = {"/verify": wait, "/settle": wait}
    hasty = make_till(seconds=0.1)
    with pytest.raises(Unavailable, match="timeout"):
        await _ready(hasty, base_payer)
    assert await hasty.settle(verified) == Settlement(Outcome.UNKNOWN, reason="facilitator_timeout")
    release.set()


LOST: dict[str, Spoil] = {
    "the answer is lost": do_and_hang_up,
    "it answers 500": do_and_say(500, {}),
    "it says that the receipt did not come": do_and_say(200, _no("transaction_failed")),
    "it says that the nonce is used": do_and_say(200, _no("invalid_exact_evm_nonce_already_used")),
    "it refuses what it did": do_and_say(200, _no("invalid_payload")),
    "it names no transaction": do_and_say(200, _yes("")),
    "it names no hash": do_and_say(200, _yes("0x" + "0" * 64)),
}


@pytest.mark.parametrize("what", LOST)
async def test_money_that_moved_is_found_on_chain(
    base_chain: LocalChain, facilitator: HostedFacilitator, make_till: Make, base_payer: EvmAccount, what: str
) -> None:
    till = make_till()
    verified = await _ready(till, base_payer)
    facilitator.spoil["/settle"] = LOST[what]
    settlement = await till.settle(verified)
    assert settlement.outcome is Outcome.SETTLED and settlement.tx_hash is not None
    assert base_chain.balance(verified.requirement.pay_to) == PRICE


async def test_a_yes_that_the_chain_does_not_show_is_unknown(
    base_chain: LocalChain, facilitator: HostedFacilitator, make_till: Make, base_payer: EvmAccount
) -> None:
    till, other = make_till(seconds=0.5), make_till()
    verified = await _ready(till, base_payer)
    facilitator.spoil["/settle"] = say(200, _yes(STRANGE))
    settlement = await till.settle(verified)
    assert (settlement.outcome, settlement.tx_hash) == (Outcome.UNKNOWN, STRANGE)
    assert base_chain.balance(verified.requirement.pay_to) == 0

    facilitator.spoil.clear()
    theirs = await other.settle(await _ready(other, base_payer))
    facilitator.spoil["/settle"] = say(200, _yes(str(theirs.tx_hash)))
    assert (await till.settle(verified)).outcome is Outcome.UNKNOWN  # another payment's receipt


async def test_a_refusal_is_a_refusal_when_its_name_is_a_check_and_the_chain_agrees(
    facilitator: HostedFacilitator, make_till: Make, base_payer: EvmAccount
) -> None:
    till = make_till()
    verified = await _ready(till, base_payer)
    for answer, expected in {
        "insufficient_funds": Outcome.REFUSED,
        "invalid_exact_evm_payload_signature": Outcome.REFUSED,
        "settlement_pending": Outcome.UNKNOWN,
        "unexpected_settle_error": Outcome.UNKNOWN,
        "invalid_transaction_state": Outcome.UNKNOWN,
    }.items():
        facilitator.spoil["/settle"] = say(200, _no(answer))
        assert await till.settle(verified) == Settlement(expected, reason=answer)
    facilitator.spoil["/settle"] = say(200, _no("invalid_payload", STRANGE))
    assert (await till.settle(verified)).outcome is Outcome.UNKNOWN


async def test_without_a_chain_to_ask_it_is_believed_and_doubt_stays(
    facilitator: HostedFacilitator, make_till: Make, base_payer: EvmAccount
) -> None:
    till = make_till(chain=False)
    verified = await _ready(till, base_payer)
    assert verified.balance == PRICE  # one open payment at a time
    facilitator.spoil["/settle"] = do_and_hang_up
    assert (await till.settle(verified)).outcome is Outcome.UNKNOWN
    assert (await till.find(verified, None)).outcome is Outcome.UNKNOWN
    facilitator.spoil["/settle"] = say(200, _yes(STRANGE))
    assert await till.settle(verified) == Settlement(Outcome.SETTLED, STRANGE)


async def test_many_polls_ask_it_once(facilitator: HostedFacilitator, make_till: Make, base_payer: EvmAccount) -> None:
    till = make_till()
    verified = await _ready(till, base_payer)
    settlements = await asyncio.gather(*(till.settle(verified) for _ in range(20)))
    assert len({s.tx_hash for s in settlements}) == 1 and settlements[0].outcome is Outcome.SETTLED
    assert facilitator.asked["/settle"] == 1


@pytest.mark.parametrize(
    ("supported", "says"),
    [
        (say(200, {"kinds": []}), "does not support"),
        (say(200, {"kinds": [{"x402Version": 2, "scheme": "upto", "network": BASE.id}, 7, {}]}), "does not support"),
        (say(503, {"kinds": []}), "does not support"),
        (say(200, b"<html>"), "no usable answer"),
        (hang_up, "no usable answer"),
    ],
)
async def test_check_says_what_is_wrong(
    facilitator: HostedFacilitator, make_till: Make, supported: Spoil, says: str
) -> None:
    facilitator.spoil["/supported"] = supported
    assert says in str(await make_till().check())


async def test_a_recipient_must_be_an_address() -> None:
    with pytest.raises(BadSettings, match="pay_to"):
        FacilitatorTill(BASE, "0x123", "https://facilitator.example")


@pytest.fixture
def svm_facilitator(solana_chain: SolanaChain, solana_fee_payer: Keypair) -> Iterator[HostedFacilitator]:
    signer = FacilitatorKeypairSigner(solana_fee_payer, solana_chain.rpc_url)
    official = x402FacilitatorSync()
    official.register([DEVNET.id], ExactSvmFacilitatorScheme(signer))
    hosted = HostedFacilitator(official)
    yield hosted
    hosted.stop()
    for client in signer._clients.values():  # it keeps its connections and has no way to close them
        client._provider.session.close()


async def test_on_solana_the_facilitator_names_the_fee_payer_and_its_transaction_is_looked_up(
    solana_chain: SolanaChain,
    svm_facilitator: HostedFacilitator,
    solana_payer: Keypair,
    solana_pay_to: str,
    solana_fee_payer: Keypair,
) -> None:
    till = FacilitatorTill(DEVNET, solana_pay_to, svm_facilitator.url, rpc=JsonRpc(solana_chain.rpc_url), seconds=5.0)
    with pytest.raises(Unavailable):
        till.requirement(PRICE)
    assert await till.check() is None
    due = till.requirement(PRICE)
    assert due.extra == {"feePayer": str(solana_fee_payer.pubkey())}
    assert await till.balance(str(solana_payer.pubkey())) == solana_chain.balance(str(solana_payer.pubkey()))
    assert len(await till.blockhash()) > 40

    first, second = [
        await _verified(till, paid(solana_chain, solana_payer, due), due),
        await _verified(till, paid(solana_chain, solana_payer, due, version=1), due),
    ]
    assert first.balance == 1_000_000
    settled = await till.settle(first)
    assert settled.outcome is Outcome.SETTLED and settled.tx_hash is not None
    assert solana_chain.balance(solana_pay_to) == PRICE

    svm_facilitator.spoil["/settle"] = say(200, _yes(settled.tx_hash) | {"network": DEVNET.id})
    assert await till.find(first, None) == Settlement(Outcome.SETTLED, settled.tx_hash)
    assert (await till.find(second, settled.tx_hash)).outcome is Outcome.UNKNOWN  # another payment's receipt
    svm_facilitator.spoil["/settle"] = do_and_hang_up
    found = await till.settle(second)  # the answer is lost, and the payer's account shows what landed
    assert found.outcome is Outcome.SETTLED and found.tx_hash not in (None, settled.tx_hash)
    assert solana_chain.balance(solana_pay_to) == 2 * PRICE

    third = await _verified(till, paid(solana_chain, solana_payer, due), due)
    assert (await till.find(third, None)).outcome is Outcome.UNKNOWN  # never sent, and it still may be
    solana_chain.advance(200)
    lapsed = await till.find(third, None)
    assert (lapsed.outcome, lapsed.lapsed) == (Outcome.REFUSED, True)
    await till.close()


async def test_a_transaction_that_landed_and_failed_is_refused_whatever_the_facilitator_says(
    solana_chain: SolanaChain,
    svm_facilitator: HostedFacilitator,
    solana_payer: Keypair,
    solana_pay_to: str,
    solana_fee_payer: Keypair,
) -> None:
    """x402 2.25 looks at a transaction's status before its error: of two payments over one balance both are a yes."""
    till = FacilitatorTill(DEVNET, solana_pay_to, svm_facilitator.url, rpc=JsonRpc(solana_chain.rpc_url), seconds=5.0)
    hand = make_own_till(solana_chain.rpc_url, solana_pay_to, solana_fee_payer)  # sends without looking first
    assert await till.check() is None
    due = till.requirement(1_000_000)
    first, second = [await _verified(till, paid(solana_chain, solana_payer, due), due) for _ in range(2)]
    assert (await till.settle(first)).outcome is Outcome.SETTLED
    landed = await hand.settle(second)
    assert landed.tx_hash is not None
    svm_facilitator.spoil["/settle"] = say(200, _yes(landed.tx_hash) | {"network": DEVNET.id})
    assert await till.settle(second) == Settlement(Outcome.REFUSED, landed.tx_hash, "transaction_failed")
    assert solana_chain.balance(solana_pay_to) == due.amount
    for each in (till, hand):
        await each.close()
