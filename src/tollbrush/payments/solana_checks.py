"""What makes a Solana payment right, as far as it can be told without a chain.

A flat list in the order of the specification (x402 `scheme_exact_svm.md`), each check with its own name: x402's where
it has one. Where the specification lets us be stricter we are: exact amounts, a cap on what the fee payer may be made
to spend, one signature beside the fee payer's.
"""

from __future__ import annotations

from typing import Final

from tollbrush.domain.charges import ClaimKey
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import USDC_DECIMALS, Price
from tollbrush.payments import spl
from tollbrush.payments.checks import match_requirement, require
from tollbrush.payments.interface import Verified
from tollbrush.payments.spl import Transfer

MAX_PRIORITY_FEE: Final = 20_000
"""Lamports that a payment may cost us beyond 5,000 a signature: a lamport a unit for the reference client's limit."""
BLOCKHASH_SECONDS: Final = 90
"""A blockhash lives 150 blocks, 60–90 s: after this a payment verified now can no longer land."""
INVALID: Final = "invalid_exact_svm_payload"
NOT_OURS: Final = "fee_payer_not_managed_by_facilitator"

_MAX_UNIT_PRICE: Final = 5_000_000
"""Micro-lamports a unit, the reference facilitator's bound."""


def identify(payment: Payment) -> ClaimKey:
    """The payment's canonical key, proven by its payer's signature. Raises PaymentRefused."""
    return signed_key(payment, spl.decode(payment.payload))


def inspect(payment: Payment, requirement: Requirement, *, now: int, deadline: int) -> Verified:
    """Every check that needs no chain. The balance is yet unread: the amount stands for it. Raises PaymentRefused.

    A Solana payment dies with its blockhash, at most 90 s from now, whatever its payer wants: no `deadline` that an
    edit needs can be promised, so it is not judged. `valid_until` is when the payment can surely no longer land.
    """
    transfer = checked(payment, requirement)
    key = signed_key(payment, transfer)
    return Verified(key, requirement, payment.payload, now + BLOCKHASH_SECONDS, requirement.amount)


def checked(payment: Payment, requirement: Requirement) -> Transfer:
    """The specification's list: layout (in `decode`), fee payer, compute budget, transfer, amount; then our own."""
    recipient, amount = f"{INVALID}_recipient_mismatch", f"{INVALID}_amount_mismatch"
    match_requirement(payment, requirement, recipient=recipient, amount=amount)
    transfer = spl.decode(payment.payload)
    _check_fees(transfer, requirement.extra["feePayer"])
    require(
        str(transfer.mint) == requirement.asset and transfer.decimals == USDC_DECIMALS,
        f"{INVALID}_mint_mismatch",
        f"The token is {transfer.mint} with {transfer.decimals} decimals; USDC here is {requirement.asset} with 6.",
    )
    till = spl.associated_token_account(requirement.pay_to, requirement.asset)
    paid, asked = Price(transfer.amount), Price(requirement.amount)
    require(
        str(transfer.destination) == till,
        recipient,
        f"The destination is {transfer.destination}; {requirement.pay_to} is paid at {till}.",
    )
    require(paid >= asked, f"{INVALID}_amount_insufficient", f"The payment is of {paid}; the price is {asked}.")
    require(paid <= asked, amount, f"The payment is of {paid}, more than the price of {asked}.")
    require(
        str(transfer.payer) != requirement.pay_to and transfer.source != transfer.destination,
        "self_payment",
        f"{transfer.payer} would pay itself.",
    )
    if memo := requirement.extra.get("memo"):
        memos = len(transfer.memos)
        require(memos == 1, f"{INVALID}_memo_count", f"{memos} memos; the offer asks for one.")
        require(transfer.memos[0] == memo.encode(), f"{INVALID}_memo_mismatch", "The memo is not the offer's.")
    return transfer


def _check_fees(transfer: Transfer, fee_payer: str) -> None:
    """The fee payer pays a bounded fee, and nothing else."""
    limit, price, fee = transfer.unit_limit, transfer.unit_price, transfer.priority_fee
    require(
        str(transfer.fee_payer) == fee_payer, NOT_OURS, f"The fee payer is {transfer.fee_payer}; ours is {fee_payer}."
    )
    require(
        str(transfer.payer) != fee_payer,
        f"{INVALID}_transaction_fee_payer_transferring_funds",
        "The fee payer's own tokens would be moved.",
    )
    require(
        fee_payer not in {str(account) for account in transfer.touched},
        f"{INVALID}_transaction_fee_payer_included_in_instruction_accounts",
        "An instruction names the fee payer among its accounts.",
    )
    require(
        price <= _MAX_UNIT_PRICE and fee <= MAX_PRIORITY_FEE,
        f"{INVALID}_transaction_instructions_compute_price_instruction_too_high",
        f"{limit:,} compute units at {price:,} micro-lamports cost {fee:,} lamports; at most {MAX_PRIORITY_FEE:,}, and "
        f"{_MAX_UNIT_PRICE:,} micro-lamports a unit.",
    )


def signed_key(payment: Payment, transfer: Transfer) -> ClaimKey:
    """The claim's key, once the payer has signed. Two sign: the fee payer, first, and the payer."""
    payer = transfer.payer
    is_signer = transfer.tx.message.account_keys[1] == payer
    require(
        is_signer and transfer.tx.signatures[1].verify(payer, transfer.message),
        f"{INVALID}_signature",
        f"{payer} has not signed this transaction.",
    )
    return ClaimKey(payment.network, str(transfer.mint), str(payer), transfer.digest)
