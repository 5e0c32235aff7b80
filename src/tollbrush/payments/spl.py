"""The one Solana payment we speak: an SPL Token `TransferChecked` of USDC, signed by the payer, whose fee another pays.

Specification: x402 `exact` on SVM (`scheme_exact_svm.md`). A transaction holds, in this order, Set Compute Unit Limit,
Set Compute Unit Price, TransferChecked, then up to three of Memo (uniqueness) and Lighthouse (which Phantom and
Solflare add to protect their users).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from solders.hash import Hash, ParseHashError
from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.token.associated import get_associated_token_address
from solders.transaction import SanitizeError, VersionedTransaction

from tollbrush.domain.payments import Requirement
from tollbrush.domain.pricing import USDC_DECIMALS
from tollbrush.errors import BadRequest, PaymentRefused

TOKEN_PROGRAM: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
MEMO_PROGRAM: Final = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
LIGHTHOUSE_PROGRAM: Final = Pubkey.from_string("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95")
COMPUTE_BUDGET: Final = Pubkey.from_string("ComputeBudget111111111111111111111111111111")

_SET_LIMIT, _SET_PRICE, _TRANSFER_CHECKED = b"\x02", b"\x03", b"\x0c"
_UNIT_LIMIT: Final = 20_000
_UNIT_PRICE: Final = 1
"""Micro-lamports a unit."""
_MEMO_BYTES: Final = 256
_PACKET_BYTES: Final = 1232
"""A Solana transaction fits one packet (IPv6 minimum MTU less headers)."""
_INVALID: Final = "invalid_exact_svm_payload"
_NTH: Final = ("fourth", "fifth", "sixth")


@dataclass(frozen=True)
class Transfer:
    """A decoded payment. Only its layout has been checked: who pays whom, how much, and every signature are the
    reader's to judge. `message` is what the signers sign, `unit_price` in micro-lamports, `amount` in atomic units,
    `touched` every account that an instruction names."""

    tx: VersionedTransaction
    message: bytes
    unit_limit: int
    unit_price: int
    source: Pubkey
    mint: Pubkey
    destination: Pubkey
    payer: Pubkey
    amount: int
    decimals: int
    memos: tuple[bytes, ...]
    touched: frozenset[Pubkey]

    @property
    def fee_payer(self) -> Pubkey:
        return self.tx.message.account_keys[0]

    @property
    def digest(self) -> str:
        """sha256 of the message in hex: the same payment however its signatures and envelope are spelt."""
        return hashlib.sha256(self.message).hexdigest()

    @property
    def priority_fee(self) -> int:
        """Lamports that the fee payer pays beyond 5,000 a signature."""
        return -(-self.unit_limit * self.unit_price // 1_000_000)

    def cosigned(self, fee_payer: Keypair) -> VersionedTransaction:
        """With the fee payer's signature in its slot. Ed25519 is deterministic, so the transaction's signature, which
        is this one, can be known before sending and found again after a crash."""
        signatures = [fee_payer.sign_message(self.message), *self.tx.signatures[1:]]
        return VersionedTransaction.populate(self.tx.message, signatures)


def address(text: str) -> Pubkey:
    """Raises BadRequest."""
    try:
        return Pubkey.from_string(text)
    except ValueError as failure:
        raise BadRequest(f"{text!r} is not a Solana address: {failure}.") from failure


def associated_token_account(owner: str, mint: str) -> str:
    """Where a wallet's tokens of one mint live. Raises BadRequest."""
    return str(get_associated_token_address(address(owner), address(mint)))


def pay(keypair: Keypair, requirement: Requirement, blockhash: str, *, memo: bytes | None = None) -> dict[str, str]:
    """The scheme's payload `{"transaction": base64}`, signed by the payer; `extra.feePayer` signs later.

    `memo` makes the payment unique: by default the seller's `extra.memo`, else 16 random bytes in hex. `blockhash` is
    a recent one; the payment dies with it, 60–90 s later. Raises BadRequest for a requirement that cannot be paid.
    """
    extra, payer = requirement.extra, keypair.pubkey()
    if not extra.get("feePayer") or extra["feePayer"] == str(payer):
        raise BadRequest("The offer's extra.feePayer names nobody but the payer to pay the transaction's fee.")
    if not 0 <= requirement.amount < 2**64:
        raise BadRequest(f"The offer asks for {requirement.amount} atomic units; a transfer holds less than 2⁶⁴.")
    if memo is None:
        memo = extra["memo"].encode() if extra.get("memo") else secrets.token_hex(16).encode()
    if len(memo) > _MEMO_BYTES:
        raise BadRequest(f"The offer's extra.memo has {len(memo)} bytes; at most {_MEMO_BYTES}.")
    try:
        recent = Hash.from_string(blockhash)
    except ParseHashError as failure:
        raise BadRequest(f"{blockhash!r} is not a blockhash: {failure}.") from failure
    message = MessageV0.try_compile(
        address(extra["feePayer"]), [*_payment(payer, requirement), Instruction(MEMO_PROGRAM, memo, [])], [], recent
    )
    signatures = [Signature.default(), keypair.sign_message(to_bytes_versioned(message))]
    return {"transaction": base64.b64encode(bytes(VersionedTransaction.populate(message, signatures))).decode()}


def _payment(payer: Pubkey, requirement: Requirement) -> list[Instruction]:
    """Set Compute Unit Limit, Set Compute Unit Price, TransferChecked."""
    mint = address(requirement.asset)
    source = get_associated_token_address(payer, mint)
    destination = get_associated_token_address(address(requirement.pay_to), mint)
    accounts = [
        AccountMeta(source, is_signer=False, is_writable=True),
        AccountMeta(mint, is_signer=False, is_writable=False),
        AccountMeta(destination, is_signer=False, is_writable=True),
        AccountMeta(payer, is_signer=True, is_writable=False),
    ]
    amount = requirement.amount.to_bytes(8, "little") + bytes([USDC_DECIMALS])
    return [
        Instruction(COMPUTE_BUDGET, _SET_LIMIT + _UNIT_LIMIT.to_bytes(4, "little"), []),
        Instruction(COMPUTE_BUDGET, _SET_PRICE + _UNIT_PRICE.to_bytes(8, "little"), []),
        Instruction(TOKEN_PROGRAM, _TRANSFER_CHECKED + amount, accounts),
    ]


def decode(payload: Mapping[str, Any]) -> Transfer:
    """The payment inside an untrusted payload. Raises PaymentRefused, with x402's reason where it has one."""
    tx = _transaction(payload.get("transaction"))
    message = tx.message
    if isinstance(message, MessageV0) and message.address_table_lookups:
        raise PaymentRefused(
            "The transaction takes accounts from an address lookup table.", reason=f"{_INVALID}_address_lookup_table"
        )
    if message.header.num_required_signatures != 2:
        raise PaymentRefused(
            f"The transaction wants {message.header.num_required_signatures} signatures; "
            "only the payer and the fee payer sign.",
            reason=f"{_INVALID}_transaction_signatures_length",
        )
    instructions, keys = message.instructions, message.account_keys
    if not 3 <= len(instructions) <= 6:
        raise PaymentRefused(
            f"The transaction has {len(instructions)} instructions; 3 to 6 are allowed.",
            reason=f"{_INVALID}_transaction_instructions_length",
        )
    limit, price, transfer, *optional = instructions
    unit_limit = _budget(limit, keys, _SET_LIMIT, 4, "limit")
    unit_price = _budget(price, keys, _SET_PRICE, 8, "price")
    data, accounts = bytes(transfer.data), [keys[i] for i in bytes(transfer.accounts)]
    if (keys[transfer.program_id_index], data[:1], len(data), len(accounts)) != (
        TOKEN_PROGRAM,
        _TRANSFER_CHECKED,
        10,
        4,
    ):
        raise PaymentRefused(
            "The third instruction is not an SPL Token TransferChecked by one owner.",
            reason=f"{_INVALID}_no_transfer_instruction",
        )
    for nth, instruction in zip(_NTH, optional, strict=False):
        if keys[instruction.program_id_index] not in (MEMO_PROGRAM, LIGHTHOUSE_PROGRAM):
            raise PaymentRefused(
                f"The {nth} instruction calls {keys[instruction.program_id_index]}; only Memo and Lighthouse may.",
                reason=f"{_INVALID}_unknown_{nth}_instruction",
            )
    source, mint, destination, payer = accounts
    return Transfer(
        tx=tx,
        message=to_bytes_versioned(message),
        unit_limit=unit_limit,
        unit_price=unit_price,
        source=source,
        mint=mint,
        destination=destination,
        payer=payer,
        amount=int.from_bytes(data[1:9], "little"),
        decimals=data[9],
        memos=tuple(bytes(i.data) for i in optional if keys[i.program_id_index] == MEMO_PROGRAM),
        touched=frozenset(keys[index] for i in instructions for index in bytes(i.accounts)),
    )


def _transaction(text: Any) -> VersionedTransaction:
    """Canonical bytes only: one transaction, nothing after it."""
    if not isinstance(text, str):
        raise PaymentRefused("payload.transaction is missing or not text.", reason=_INVALID)
    undecodable = f"{_INVALID}_transaction_could_not_be_decoded"
    if len(text) > 2 * _PACKET_BYTES:
        raise PaymentRefused(f"The transaction has {len(text):,} characters.", reason=undecodable)
    try:
        raw = base64.b64decode(text, validate=True)
        tx = VersionedTransaction.from_bytes(raw)
        tx.sanitize()
    except (ValueError, SanitizeError) as failure:
        raise PaymentRefused(f"The transaction cannot be decoded: {failure}.", reason=undecodable) from failure
    if len(raw) > _PACKET_BYTES or bytes(tx) != raw:
        raise PaymentRefused("The transaction is too long for a packet or not canonical.", reason=undecodable)
    return tx


def _budget(instruction: CompiledInstruction, keys: list[Pubkey], tag: bytes, size: int, name: str) -> int:
    """The number in a Compute Budget instruction: one tag byte, then `size` bytes little endian."""
    data = bytes(instruction.data)
    if keys[instruction.program_id_index] != COMPUTE_BUDGET or data[:1] != tag or len(data) != 1 + size:
        raise PaymentRefused(
            f"The compute {name} instruction is not where it belongs.",
            reason=f"{_INVALID}_transaction_instructions_compute_{name}_instruction",
        )
    return int.from_bytes(data[1:], "little")
