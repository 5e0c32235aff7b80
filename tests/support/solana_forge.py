"""Payments that no honest client makes: every part of the transaction can be replaced."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from tollbrush.domain.payments import Requirement
from tollbrush.payments import spl

SYSTEM = Pubkey.default()


@dataclass(frozen=True)
class Forge:
    """An honest payment in parts. `with_` replaces some of them, `payload` seals it with the payer's signature."""

    payer: Keypair
    fee_payer: Pubkey
    blockhash: str
    amount: int
    mint: Pubkey
    source: Pubkey
    destination: Pubkey
    authority: Pubkey
    units: int = 20_000
    price: int = 1
    decimals: int = 6
    token_program: Pubkey = spl.TOKEN_PROGRAM
    before: tuple[Instruction, ...] = ()
    after: tuple[Instruction, ...] = ()
    cosigners: tuple[Keypair, ...] = ()
    tables: tuple[AddressLookupTableAccount, ...] = ()
    legacy: bool = False

    @classmethod
    def honest(cls, payer: Keypair, requirement: Requirement, blockhash: str) -> Forge:
        def account(owner: str) -> Pubkey:
            return Pubkey.from_string(spl.associated_token_account(owner, requirement.asset))

        return cls(
            payer=payer,
            fee_payer=Pubkey.from_string(requirement.extra["feePayer"]),
            blockhash=blockhash,
            amount=requirement.amount,
            mint=Pubkey.from_string(requirement.asset),
            source=account(str(payer.pubkey())),
            destination=account(requirement.pay_to),
            authority=payer.pubkey(),
        )

    def with_(self, **parts: Any) -> Forge:
        return replace(self, **parts)

    def instructions(self) -> list[Instruction]:
        budget = [
            Instruction(spl.COMPUTE_BUDGET, b"\x02" + self.units.to_bytes(4, "little"), []),
            Instruction(spl.COMPUTE_BUDGET, b"\x03" + self.price.to_bytes(8, "little"), []),
        ]
        data = b"\x0c" + self.amount.to_bytes(8, "little") + bytes([self.decimals])
        accounts = [
            AccountMeta(self.source, is_signer=False, is_writable=True),
            AccountMeta(self.mint, is_signer=False, is_writable=False),
            AccountMeta(self.destination, is_signer=False, is_writable=True),
            AccountMeta(self.authority, is_signer=self.authority == self.payer.pubkey(), is_writable=False),
        ]
        return [*self.before, *budget, Instruction(self.token_program, data, accounts), *self.after]

    def message(self) -> Message | MessageV0:
        recent = Hash.from_string(self.blockhash)
        if self.legacy:
            return Message.new_with_blockhash(self.instructions(), self.fee_payer, recent)
        return MessageV0.try_compile(self.fee_payer, self.instructions(), list(self.tables), recent)

    def payload(self) -> dict[str, str]:
        return seal(self.message(), [self.payer, *self.cosigners])


def seal(message: Message | MessageV0, signers: Sequence[Keypair]) -> dict[str, str]:
    """The payload, signed by those of `signers` that the message asks for; other slots stay empty."""
    raw = to_bytes_versioned(message)
    keys = {signer.pubkey(): signer for signer in signers}
    asked = message.account_keys[: message.header.num_required_signatures]
    signatures = [keys[key].sign_message(raw) if key in keys else Signature.default() for key in asked]
    return encode(VersionedTransaction.populate(message, signatures))


def encode(tx: VersionedTransaction) -> dict[str, str]:
    return {"transaction": base64.b64encode(bytes(tx)).decode()}


def memo(text: bytes = b"hello", *accounts: Pubkey, signs: bool = True) -> Instruction:
    return Instruction(spl.MEMO_PROGRAM, text, [AccountMeta(a, is_signer=signs, is_writable=False) for a in accounts])


def lighthouse(*accounts: Pubkey) -> Instruction:
    return Instruction(
        spl.LIGHTHOUSE_PROGRAM, b"\x00", [AccountMeta(a, is_signer=False, is_writable=False) for a in accounts]
    )


def system_transfer(sender: Pubkey, recipient: Pubkey, lamports: int) -> Instruction:
    accounts = [
        AccountMeta(sender, is_signer=True, is_writable=True),
        AccountMeta(recipient, is_signer=False, is_writable=True),
    ]
    return Instruction(SYSTEM, b"\x02\0\0\0" + lamports.to_bytes(8, "little"), accounts)


def advance_nonce(nonce_account: Pubkey, authority: Pubkey) -> Instruction:
    recent = Pubkey.from_string("SysvarRecentB1ockHashes11111111111111111111")
    accounts = [
        AccountMeta(nonce_account, is_signer=False, is_writable=True),
        AccountMeta(recent, is_signer=False, is_writable=False),
        AccountMeta(authority, is_signer=True, is_writable=False),
    ]
    return Instruction(SYSTEM, b"\x04\0\0\0", accounts)
