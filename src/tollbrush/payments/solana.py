"""The Solana till: x402's `exact` scheme on SVM, verified and settled by ourselves.

The checks are a flat list in the order of the specification (`scheme_exact_svm.md`), each with its own name: x402's
where it has one. Where the specification lets us be stricter we are: exact amounts, an owner's own tokens, a cap on
what the fee payer may be made to spend, one signature beside the fee payer's.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from solders.keypair import Keypair
from solders.token.state import TokenAccount, TokenAccountState
from solders.transaction import VersionedTransaction

from tollbrush.domain.charges import ClaimKey
from tollbrush.domain.networks import Network
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import USDC_DECIMALS, Price
from tollbrush.errors import BadRequest, Unavailable
from tollbrush.payments import spl
from tollbrush.payments.checks import match_requirement, require, shown
from tollbrush.payments.interface import Outcome, Settlement, Verified
from tollbrush.payments.rpc import JsonRpc, RpcError, RpcUnreachable
from tollbrush.payments.solana_node import SolanaNode
from tollbrush.payments.spl import Transfer

MAX_PRIORITY_FEE: Final = 20_000
"""Lamports that a payment may cost us beyond 5,000 a signature: a lamport a unit for the reference client's limit."""
UNREAD_BALANCE: Final = 2**64 - 1
"""`Verified.balance` of `inspect`, which reads no chain: more than any account can hold, so it limits nothing.
Whoever settles (a hosted facilitator) looks at the real one."""
BLOCKHASH_SECONDS: Final = 90
"""A blockhash lives 150 blocks, 60–90 s: after this a payment verified now can no longer land."""

_MAX_UNIT_PRICE: Final = 5_000_000
"""Micro-lamports a unit, the reference facilitator's bound."""
_FLOAT_LAMPORTS: Final = 1_000_000
"""An account keeps 890,880 lamports of rent; the rest pays a few fees."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
_INVALID: Final = "invalid_exact_svm_payload"
_NOT_OURS: Final = "fee_payer_not_managed_by_facilitator"


def identify(payment: Payment) -> ClaimKey:
    """The payment's canonical key, proven by its payer's signature. Raises PaymentRefused."""
    return _signed(payment, spl.decode(payment.payload))


def inspect(payment: Payment, requirement: Requirement, *, now: int, deadline: int) -> Verified:
    """Every check that needs no chain. Raises PaymentRefused.

    A Solana payment dies with its blockhash, at most 90 s from now, whatever its payer wants: no `deadline` that an
    edit needs can be promised, so it is not judged. `valid_until` is when the payment can surely no longer land.
    """
    transfer = _checked(payment, requirement)
    return Verified(_signed(payment, transfer), requirement, payment.payload, now + BLOCKHASH_SECONDS, UNREAD_BALANCE)


def _checked(payment: Payment, requirement: Requirement) -> Transfer:
    """The specification's list: layout (in `decode`), fee payer, compute budget, transfer, amount; then our own."""
    match_requirement(
        payment, requirement, recipient=f"{_INVALID}_recipient_mismatch", amount=f"{_INVALID}_amount_mismatch"
    )
    fee_payer = requirement.extra["feePayer"]
    transfer = spl.decode(payment.payload)
    touched = {str(account) for account in transfer.touched}
    payer, amount, price = str(transfer.payer), transfer.amount, transfer.unit_price
    destination = spl.associated_token_account(requirement.pay_to, requirement.asset)
    require(
        str(transfer.fee_payer) == fee_payer, _NOT_OURS, f"The fee payer is {transfer.fee_payer}; ours is {fee_payer}."
    )
    require(
        payer != fee_payer,
        f"{_INVALID}_transaction_fee_payer_transferring_funds",
        "The fee payer's own tokens would be moved.",
    )
    require(
        fee_payer not in touched,
        f"{_INVALID}_transaction_fee_payer_included_in_instruction_accounts",
        "An instruction names the fee payer among its accounts.",
    )
    require(
        price <= _MAX_UNIT_PRICE and transfer.priority_fee <= MAX_PRIORITY_FEE,
        f"{_INVALID}_transaction_instructions_compute_price_instruction_too_high",
        f"{transfer.unit_limit:,} compute units at {price:,} micro-lamports cost {transfer.priority_fee:,} lamports; "
        f"at most {MAX_PRIORITY_FEE:,}, and {_MAX_UNIT_PRICE:,} micro-lamports a unit.",
    )
    require(
        str(transfer.mint) == requirement.asset and transfer.decimals == USDC_DECIMALS,
        f"{_INVALID}_mint_mismatch",
        f"The token is {transfer.mint} with {transfer.decimals} decimals; USDC here is {requirement.asset} with 6.",
    )
    require(
        str(transfer.destination) == destination,
        f"{_INVALID}_recipient_mismatch",
        f"The destination is {transfer.destination}; {requirement.pay_to} is paid at {destination}.",
    )
    asked = Price(requirement.amount)
    require(
        amount >= requirement.amount, f"{_INVALID}_amount_insufficient", f"The payment is {Price(amount)} of {asked}."
    )
    require(
        amount <= requirement.amount,
        f"{_INVALID}_amount_mismatch",
        f"The payment is {Price(amount)}, more than {asked}.",
    )
    require(
        payer != requirement.pay_to and transfer.source != transfer.destination,
        "self_payment",
        f"{payer} would pay itself.",
    )
    if memo := requirement.extra.get("memo"):
        require(len(transfer.memos) == 1, f"{_INVALID}_memo_count", f"{len(transfer.memos)} memos; one is asked for.")
        require(
            transfer.memos[0] == memo.encode(), f"{_INVALID}_memo_mismatch", "The memo is not the one that was asked."
        )
    return transfer


def _signed(payment: Payment, transfer: Transfer) -> ClaimKey:
    """Two sign: the fee payer, first, and the payer."""
    good = transfer.tx.message.account_keys[1] == transfer.payer and transfer.tx.signatures[1].verify(
        transfer.payer, transfer.message
    )
    require(good, f"{_INVALID}_signature", f"{transfer.payer} has not signed this transaction.")
    return ClaimKey(payment.network, str(transfer.mint), str(transfer.payer), transfer.digest)


class SolanaTill:
    """A `Till` that pays the fees itself.

    `settle_key`: the fee payer's keypair in base58. `confirmations`: 1 takes a supermajority's vote (`confirmed`, a
    second or two), more waits for `finalized` (some 13 s). `settle_seconds`: how long `settle` waits before it says
    UNKNOWN. Raises BadRequest on a bad address or key.
    """

    def __init__(
        self,
        network: Network,
        *,
        pay_to: str,
        rpc: JsonRpc,
        settle_key: str,
        confirmations: int = 1,
        settle_seconds: float = 45.0,
    ) -> None:
        self._network, self._pay_to, self._rpc = network, pay_to, rpc
        self._till = spl.associated_token_account(pay_to, network.usdc)
        self._fee_payer = _keypair(settle_key)
        self._final, self._settle_seconds = confirmations > 1, settle_seconds
        self._node = SolanaNode(rpc)

    @property
    def network(self) -> str:
        return self._network.id

    @property
    def fee_payer(self) -> str:
        return str(self._fee_payer.pubkey())

    def requirement(self, amount: int) -> Requirement:
        return Requirement(self.network, self._network.usdc, amount, self._pay_to, extra={"feePayer": self.fee_payer})

    def identify(self, payment: Payment) -> ClaimKey:
        return identify(payment)

    async def verify(self, payment: Payment, requirement: Requirement, *, now: int, deadline: int) -> Verified:
        local = inspect(payment, requirement, now=now, deadline=deadline)
        transfer = spl.decode(payment.payload)
        try:
            held, error = await asyncio.gather(
                self._node.token_account(str(transfer.source)), self._node.simulate(transfer.tx)
            )
        except (RpcError, RpcUnreachable) as failure:
            raise Unavailable(f"{self._network.title} cannot be read: {failure}.") from failure
        require(error != "BlockhashNotFound", f"{_INVALID}_blockhash_expired", "The payment's blockhash has expired.")
        require(error != "AlreadyProcessed", "duplicate_settlement", "This payment has been settled already.")
        balance = _balance(held, transfer)
        require(
            balance >= transfer.amount,
            "insufficient_funds",
            f"{transfer.payer} has {Price(balance)} of {Price(transfer.amount)}.",
        )
        require(error is None, "transaction_simulation_failed", f"The payment would fail on chain: {shown(error)}.")
        return Verified(local.key, requirement, payment.payload, local.valid_until, balance)

    async def settle(self, verified: Verified) -> Settlement:
        """Sends until the chain has seen it: the same transaction lands once, however often it is sent."""
        transfer, tx = self._cosigned(verified)
        if transfer.fee_payer != self._fee_payer.pubkey():
            return Settlement(Outcome.REFUSED, None, _NOT_OURS)
        clock = asyncio.get_running_loop()
        end, pause = clock.time() + self._settle_seconds, _FIRST_PAUSE
        while True:
            with suppress(RpcError, RpcUnreachable):  # a lost or refused answer proves nothing: the chain is asked
                await self._node.send(tx)
            settlement = await self._outcome(transfer, str(tx.signatures[0]))
            if settlement.outcome is not Outcome.UNKNOWN or clock.time() + pause > end:
                return settlement
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def find(self, verified: Verified, tx_hash: str | None) -> Settlement:
        """The signature is known without having been kept: cosigning again gives the same one."""
        transfer, tx = self._cosigned(verified)
        return await self._outcome(transfer, tx_hash or str(tx.signatures[0]))

    async def check(self) -> str | None:
        reference = self._network.id.partition(":")[2]
        try:
            genesis, till, lamports = await asyncio.gather(
                self._node.genesis_hash(), self._node.token_account(self._till), self._node.lamports(self.fee_payer)
            )
        except (RpcError, RpcUnreachable) as failure:
            return f"{self._network.title} at {self._rpc.url} cannot be read: {failure}."
        if not genesis.startswith(reference):
            return f"{self._rpc.url} is not {self._network.title}: its genesis hash is {genesis}."
        if till is None or str(till.owner) != self._pay_to or till.state != TokenAccountState.Initialized:
            return f"{self._pay_to} has no open USDC account at {self._till}: send it any USDC once to create it."
        if lamports < _FLOAT_LAMPORTS:
            return f"The fee payer {self.fee_payer} has {lamports:,} lamports; it needs at least {_FLOAT_LAMPORTS:,}."
        return None

    async def close(self) -> None:
        await self._rpc.close()

    def _cosigned(self, verified: Verified) -> tuple[Transfer, VersionedTransaction]:
        transfer = spl.decode(verified.payload)
        return transfer, transfer.cosigned(self._fee_payer)

    async def _outcome(self, transfer: Transfer, signature: str) -> Settlement:
        """What the chain says now. Not landed is a refusal only when it never can, by a node that has seen the
        blockhash die."""
        pending = Settlement(Outcome.UNKNOWN, signature, "settlement_pending")
        try:
            status, _ = await self._node.status(signature)
            if status is None:
                died = await self._node.died(str(transfer.tx.message.recent_blockhash))
                if died is None:
                    return pending
                status, seen = await self._node.status(signature)  # it may have landed between the two questions
                if status is None and seen >= died:
                    return Settlement(Outcome.REFUSED, None, f"{_INVALID}_blockhash_expired")
        except (RpcError, RpcUnreachable):
            return pending
        if status is None or not (status.finalized if self._final else status.confirmed):
            return pending
        if status.err is not None:  # it landed, took our fee, and moved nothing
            return Settlement(Outcome.REFUSED, signature, "transaction_failed")
        return Settlement(Outcome.SETTLED, signature)


def _balance(held: TokenAccount | None, transfer: Transfer) -> int:
    """What the payer can move from the payment's source. Raises PaymentRefused where the tokens are not its own."""
    if held is None:
        return 0
    require(
        held.owner == transfer.payer and held.mint == transfer.mint,
        f"{_INVALID}_source_account_mismatch",
        f"{transfer.source} is not an account of {transfer.payer} for this token.",
    )
    return held.amount


def _keypair(text: str) -> Keypair:
    try:
        return Keypair.from_base58_string(text)
    except ValueError as failure:
        raise BadRequest("settle_key is not a Solana keypair in base58 (64 bytes).") from failure
