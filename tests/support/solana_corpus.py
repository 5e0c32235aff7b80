"""Hostile payments, each with the name of the check that must stop it. One list for our checks and for the judge's."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from support.solana_forge import Forge, advance_nonce, encode, lighthouse, memo, seal, system_transfer
from tollbrush.payments import spl

Make = Callable[[Forge], dict[str, Any]]
_X: Final = "invalid_exact_svm_payload"
_IX: Final = f"{_X}_transaction_instructions"
_UNDECODABLE: Final = f"{_X}_transaction_could_not_be_decoded"
_TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
_STRANGER: Final = Keypair()


def _unsigned(f: Forge) -> dict[str, Any]:
    return seal(f.message(), [])


def _signed_by_a_stranger(f: Forge) -> dict[str, Any]:
    tx = spl.decode(f.payload()).tx
    tx.signatures = [tx.signatures[0], _STRANGER.sign_message(b"another message")]
    return encode(tx)


def _with_trailing_bytes(f: Forge) -> dict[str, Any]:
    raw = base64.b64decode(f.payload()["transaction"])
    return {"transaction": base64.b64encode(raw + b"\0").decode()}


def _truncated(f: Forge) -> dict[str, Any]:
    return {"transaction": f.payload()["transaction"][:200]}


def _behind_a_lookup_table(f: Forge) -> dict[str, Any]:
    table = AddressLookupTableAccount(Pubkey.new_unique(), [f.destination])
    return f.with_(tables=(table,)).payload()


def _budget_reversed(f: Forge) -> dict[str, Any]:
    limit, price, *rest = f.instructions()
    return _compiled(f, [price, limit, *rest])


def _without_price(f: Forge) -> dict[str, Any]:
    limit, _, transfer = f.instructions()
    return _compiled(f, [limit, transfer, memo()])


def _transfer_unchecked(f: Forge) -> dict[str, Any]:
    limit, price, transfer = f.instructions()
    accounts = [transfer.accounts[i] for i in (0, 2, 3)]
    return _compiled(f, [limit, price, Instruction(transfer.program_id, b"\x03" + transfer.data[1:9], accounts)])


def _approve(f: Forge) -> dict[str, Any]:
    limit, price, transfer = f.instructions()
    return _compiled(
        f, [limit, price, Instruction(transfer.program_id, b"\x0d" + transfer.data[1:], transfer.accounts)]
    )


def _compiled(f: Forge, instructions: list[Instruction]) -> dict[str, Any]:
    class Fixed(Forge):
        def instructions(self) -> list[Instruction]:
            return instructions

    return Fixed(**vars(f)).payload()


def _own_account_of(f: Forge, owner: Pubkey) -> Pubkey:
    return Pubkey.from_string(spl.associated_token_account(str(owner), str(f.mint)))


HOSTILE: Final[dict[str, tuple[str, Make]]] = {
    "no transaction": (_X, lambda f: {}),
    "transaction is a number": (_X, lambda f: {"transaction": 7}),
    "not base64": (_UNDECODABLE, lambda f: {"transaction": "%%%"}),
    "not ASCII": (_UNDECODABLE, lambda f: {"transaction": "é" * 8}),
    "empty": (_UNDECODABLE, lambda f: {"transaction": ""}),
    "a megabyte": (_UNDECODABLE, lambda f: {"transaction": "A" * 2**20}),
    "truncated": (_UNDECODABLE, _truncated),
    "trailing bytes": (_UNDECODABLE, _with_trailing_bytes),
    "lookup table": (f"{_X}_address_lookup_table", _behind_a_lookup_table),
    "unsigned": (f"{_X}_signature", _unsigned),
    "signed by a stranger": (f"{_X}_signature", _signed_by_a_stranger),
    "a third signer": (
        f"{_X}_transaction_signatures_length",
        lambda f: f.with_(units=60_000, after=(memo(b"x", _STRANGER.pubkey()),), cosigners=(_STRANGER,)).payload(),
    ),
    "payer is the fee payer": (
        f"{_X}_transaction_signatures_length",
        lambda f: f.with_(fee_payer=f.payer.pubkey()).payload(),
    ),
    "foreign fee payer": (
        "fee_payer_not_managed_by_facilitator",
        lambda f: f.with_(fee_payer=Pubkey.new_unique()).payload(),
    ),
    "durable nonce": (
        f"{_IX}_compute_limit_instruction",
        lambda f: f.with_(before=(advance_nonce(Pubkey.new_unique(), f.payer.pubkey()),)).payload(),
    ),
    "budget reversed": (f"{_IX}_compute_limit_instruction", _budget_reversed),
    "no unit price": (f"{_IX}_compute_price_instruction", _without_price),
    "five lamports a unit, 1.4 M units": (
        f"{_IX}_compute_price_instruction_too_high",
        lambda f: f.with_(units=1_400_000, price=5_000_000).payload(),
    ),
    "one lamport a unit, one unit too many": (
        f"{_IX}_compute_price_instruction_too_high",
        lambda f: f.with_(units=20_001, price=1_000_000).payload(),
    ),
    "over five lamports a unit": (
        f"{_IX}_compute_price_instruction_too_high",
        lambda f: f.with_(units=1, price=5_000_001).payload(),
    ),
    "only a budget": (f"{_IX}_length", lambda f: _compiled(f, [f.instructions()[0], memo(b"x", f.payer.pubkey())])),
    "seven instructions": (f"{_IX}_length", lambda f: f.with_(after=(memo(),) * 4).payload()),
    "unchecked transfer": (f"{_X}_no_transfer_instruction", _transfer_unchecked),
    "approval instead of a transfer": (f"{_X}_no_transfer_instruction", _approve),
    "token 2022": (f"{_X}_no_transfer_instruction", lambda f: f.with_(token_program=_TOKEN_2022).payload()),
    "a system transfer follows": (
        f"{_X}_unknown_fourth_instruction",
        lambda f: f.with_(after=(system_transfer(f.payer.pubkey(), Pubkey.new_unique(), 1),)).payload(),
    ),
    "a second transfer follows": (
        f"{_X}_unknown_fifth_instruction",
        lambda f: f.with_(after=(memo(), f.instructions()[2])).payload(),
    ),
    "sixth is unknown": (
        f"{_X}_unknown_sixth_instruction",
        lambda f: f.with_(after=(memo(b"a"), lighthouse(), f.instructions()[2])).payload(),
    ),
    "the fee payer pays": (
        f"{_X}_transaction_fee_payer_transferring_funds",
        lambda f: f.with_(authority=f.fee_payer, after=(memo(b"x", f.payer.pubkey()),)).payload(),
    ),
    "fee payer in a memo": (
        f"{_X}_transaction_fee_payer_included_in_instruction_accounts",
        lambda f: f.with_(units=60_000, after=(memo(b"x", f.fee_payer),)).payload(),
    ),
    "fee payer in Lighthouse": (
        f"{_X}_transaction_fee_payer_included_in_instruction_accounts",
        lambda f: f.with_(after=(lighthouse(f.fee_payer),)).payload(),
    ),
    "another mint": (f"{_X}_mint_mismatch", lambda f: f.with_(mint=Pubkey.new_unique()).payload()),
    "wrong decimals": (f"{_X}_mint_mismatch", lambda f: f.with_(decimals=9).payload()),
    "another recipient": (
        f"{_X}_recipient_mismatch",
        lambda f: f.with_(destination=_own_account_of(f, Pubkey.new_unique())).payload(),
    ),
    "to no token account": (f"{_X}_recipient_mismatch", lambda f: f.with_(destination=Pubkey.new_unique()).payload()),
    "to the payer itself": (f"{_X}_recipient_mismatch", lambda f: f.with_(destination=f.source).payload()),
    "a unit too little": (f"{_X}_amount_insufficient", lambda f: f.with_(amount=f.amount - 1).payload()),
    "nothing": (f"{_X}_amount_insufficient", lambda f: f.with_(amount=0).payload()),
    "a unit too much": (f"{_X}_amount_mismatch", lambda f: f.with_(amount=f.amount + 1).payload()),
    "all there is": (f"{_X}_amount_mismatch", lambda f: f.with_(amount=2**64 - 1).payload()),
}
"""What our checks refuse without a look at the chain."""

FAIR: Final[dict[str, Make]] = {
    "with a memo": lambda f: f.with_(after=(memo(b"0123456789abcdef"),)).payload(),
    "without a memo": lambda f: f.payload(),
    "three memos": lambda f: f.with_(after=(memo(b"a"), memo(b"b"), memo(b"c"))).payload(),
    "a memo that the payer signs": lambda f: f.with_(units=60_000, after=(memo(b"mine", f.payer.pubkey()),)).payload(),
    "a legacy message": lambda f: f.with_(legacy=True, after=(memo(b"old"),)).payload(),
    "the highest fee": lambda f: f.with_(units=20_000, price=1_000_000, after=(memo(b"quick"),)).payload(),
}
"""What the specification allows and a chain without Lighthouse can run."""
