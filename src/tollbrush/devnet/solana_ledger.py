"""The state of a local Solana: LiteSVM with what it leaves out, namely slots, ageing blockhashes and history.

LiteSVM runs the real programs (System, SPL Token, Memo, Compute Budget). Its own signature and blockhash checks are
off and done here, because clients may simulate unsigned and because its blockhashes never age.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from solders.account import Account
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address
from solders.token.state import Mint, TokenAccount, TokenAccountState
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

TOKEN_PROGRAM: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
SYSTEM_PROGRAM: Final = Pubkey.default()
COMPUTE_BUDGET: Final = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
DECIMALS: Final = 6
BLOCKHASH_SLOTS: Final = 150
"""A transaction may land while its blockhash is at most this old."""
_SLOT_SECONDS: Final = 0.4
_FIRST_SLOT: Final = 1_000
_SIGNATURE_LAMPORTS: Final = 5_000
_DEFAULT_UNITS: Final = 200_000


@dataclass(frozen=True)
class TokenTransfer:
    """One USDC transfer inside a transaction, between wallets. `amount` in atomic units."""

    sender: Pubkey
    recipient: Pubkey
    amount: int


@dataclass(frozen=True)
class Run:
    """What became of running a transaction. `err` is the node's JSON, None for success."""

    err: Any
    logs: list[str]
    units: int


@dataclass(frozen=True)
class Landed:
    """A transaction in a block. Balances in lamports by account index; `tokens` are (index, mint, owner, amount)."""

    slot: int
    time: int
    tx: VersionedTransaction
    run: Run
    before: list[int]
    after: list[int]
    tokens_before: list[tuple[int, Pubkey, Pubkey, int]]
    tokens_after: list[tuple[int, Pubkey, Pubkey, int]]

    @property
    def signature(self) -> str:
        return str(self.tx.signatures[0])


class Ledger:
    """Not thread-safe: one thread owns it."""

    def __init__(self, mint: Pubkey) -> None:
        self.mint = mint
        self._svm = LiteSVM().with_sigverify(False).with_blockhash_check(False)
        self._born, self._skipped, self._seed = time.monotonic(), 0, secrets.token_bytes(16)
        self._issued: dict[Hash, int] = {}
        self._by_message: dict[bytes, Landed] = {}
        self.landed: dict[str, Landed] = {}
        self.airdrops: dict[str, int] = {}
        """signature → slot"""
        self._put_mint(0)

    # --- time

    @property
    def slot(self) -> int:
        return _FIRST_SLOT + self._skipped + int((time.monotonic() - self._born) / _SLOT_SECONDS)

    def advance(self, slots: int) -> None:
        """Let slots pass at once: blockhashes age, transactions become final."""
        self._skipped += slots

    def latest_blockhash(self) -> tuple[Hash, int]:
        """The current slot's blockhash and the last block height at which it is valid."""
        slot = self.slot
        blockhash = Hash.hash(self._seed + slot.to_bytes(8, "little"))
        young = {known: issued for known, issued in self._issued.items() if slot - issued <= BLOCKHASH_SLOTS}
        self._issued = young | {blockhash: slot}
        return blockhash, slot + BLOCKHASH_SLOTS

    def alive(self, blockhash: Hash) -> bool:
        issued = self._issued.get(blockhash)
        return issued is not None and self.slot - issued <= BLOCKHASH_SLOTS

    # --- accounts

    def account(self, address: Pubkey) -> Account | None:
        account = self._svm.get_account(address)
        return None if account is None or (account.lamports == 0 and not account.data) else account

    def token_account(self, address: Pubkey) -> TokenAccount | None:
        """Decoded, or None where there is no SPL token account."""
        account = self.account(address)
        if account is None or account.owner != TOKEN_PROGRAM or len(account.data) != 165:
            return None
        return TokenAccount.from_bytes(bytes(account.data))

    def associated(self, owner: Pubkey) -> Pubkey:
        """The address of the owner's USDC account."""
        return get_associated_token_address(owner, self.mint)

    def rent(self, size: int) -> int:
        """Lamports that keep an account of `size` bytes alive."""
        return self._svm.minimum_balance_for_rent_exemption(size)

    def credit(self, address: Pubkey, lamports: int) -> None:
        """Native coin from nowhere."""
        old = self.account(address) or Account(0, b"", SYSTEM_PROGRAM)
        new = Account(old.lamports + lamports, bytes(old.data), old.owner, old.executable, old.rent_epoch)
        self._svm.set_account(address, new)

    def mint_to(self, owner: Pubkey, amount: int) -> None:
        """USDC from nowhere, into the owner's associated token account, which is made if need be."""
        address = self.associated(owner)
        held = self.token_account(address)
        balance = amount + (held.amount if held else 0)
        self._put(address, bytes(TokenAccount(self.mint, owner, balance, None, TokenAccountState.Initialized, None, 0)))
        mint = self.account(self.mint)
        if mint is not None:
            self._put_mint(Mint.from_bytes(bytes(mint.data)).supply + amount)

    def _put_mint(self, supply: int) -> None:
        self._put(self.mint, bytes(Mint(SYSTEM_PROGRAM, supply, DECIMALS, True, None)))

    def _put(self, address: Pubkey, data: bytes) -> None:
        self._svm.set_account(address, Account(self.rent(len(data)), data, TOKEN_PROGRAM))

    # --- transactions

    def simulate(self, tx: VersionedTransaction, *, check_signatures: bool, check_blockhash: bool) -> Run:
        if check_signatures and not all(tx.verify_with_results()):
            return Run("SignatureFailure", [], 0)
        if to_bytes_versioned(tx.message) in self._by_message:
            return Run("AlreadyProcessed", [], 0)
        if check_blockhash and not self.alive(tx.message.recent_blockhash):
            return Run("BlockhashNotFound", [], 0)
        result = self._svm.simulate_transaction(tx)
        failed = isinstance(result, FailedTransactionMetadata)
        return _run(result.meta(), json.loads(result.to_json())["err"] if failed else None)

    def send(self, tx: VersionedTransaction) -> Landed | None:
        """Process a fully signed transaction. None when it is dropped without a trace, as a real cluster does with a
        dead blockhash, a duplicate, or a fee payer who cannot pay."""
        message = to_bytes_versioned(tx.message)
        if message in self._by_message or not self.alive(tx.message.recent_blockhash):
            return None
        before, tokens_before = self._balances(tx)
        result = self._svm.send_transaction(tx)
        if isinstance(result, FailedTransactionMetadata):
            run = _run(result.meta(), json.loads(result.to_json())["err"])
        else:
            run = _run(result, None)
        if run.err is not None and self._balances(tx)[0] == before:
            return None  # no fee was taken: it never reached a block
        self._take_priority_fee(tx.message)
        after, tokens_after = self._balances(tx)
        landed = Landed(self.slot, int(time.time()), tx, run, before, after, tokens_before, tokens_after)
        self._by_message[message] = self.landed[landed.signature] = landed
        return landed

    def transfers(self, landed: Landed) -> list[TokenTransfer]:
        """The USDC transfers of a successful transaction: SPL Token `Transfer` (3) and `TransferChecked` (12)."""
        keys = landed.tx.message.account_keys
        owners = {keys[index]: owner for index, mint, owner, _ in landed.tokens_after if mint == self.mint}
        found = []
        for instruction in landed.tx.message.instructions if landed.run.err is None else ():
            data, accounts = bytes(instruction.data), [keys[i] for i in bytes(instruction.accounts)]
            if keys[instruction.program_id_index] != TOKEN_PROGRAM or data[:1] not in (b"\x03", b"\x0c"):
                continue
            source, destination = accounts[0], accounts[1 if data[0] == 3 else 2]
            if source in owners and destination in owners:
                amount = int.from_bytes(data[1:9], "little")
                found.append(TokenTransfer(owners[source], owners[destination], amount))
        return found

    def fee(self, message: Message | MessageV0) -> int:
        """Lamports that a message costs: 5,000 a signature and its priority fee."""
        units, price = _DEFAULT_UNITS, 0
        for instruction in message.instructions:
            if message.account_keys[instruction.program_id_index] == COMPUTE_BUDGET:
                data = bytes(instruction.data)
                if data[:1] == b"\x02":
                    units = int.from_bytes(data[1:5], "little")
                elif data[:1] == b"\x03":
                    price = int.from_bytes(data[1:9], "little")
        return message.header.num_required_signatures * _SIGNATURE_LAMPORTS + -(-units * price // 1_000_000)

    def _take_priority_fee(self, message: Message | MessageV0) -> None:
        # LiteSVM takes the 5,000 lamports a signature only.
        account = self.account(message.account_keys[0])
        extra = self.fee(message) - message.header.num_required_signatures * _SIGNATURE_LAMPORTS
        if account is not None:
            left = max(0, account.lamports - extra)
            self._svm.set_account(message.account_keys[0], Account(left, bytes(account.data), account.owner))

    def _balances(self, tx: VersionedTransaction) -> tuple[list[int], list[tuple[int, Pubkey, Pubkey, int]]]:
        keys = tx.message.account_keys
        tokens = [(i, self.token_account(key)) for i, key in enumerate(keys)]
        lamports = [self._svm.get_balance(key) or 0 for key in keys]
        return lamports, [(i, t.mint, t.owner, t.amount) for i, t in tokens if t is not None]


def _run(meta: TransactionMetadata, err: Any) -> Run:
    return Run(err, meta.logs(), meta.compute_units_consumed())
