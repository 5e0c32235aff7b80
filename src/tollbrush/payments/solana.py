"""The Solana till: x402's `exact` scheme on SVM, verified and settled by ourselves."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.token.state import TokenAccount, TokenAccountState
from solders.transaction import VersionedTransaction

from tollbrush.domain.charges import ClaimKey
from tollbrush.domain.networks import Network
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadSettings, Unavailable
from tollbrush.payments import spl
from tollbrush.payments.checks import require, shown
from tollbrush.payments.interface import FeeAccount, Outcome, Settlement, Verified
from tollbrush.payments.once import Once
from tollbrush.payments.rpc import JsonRpc, RpcError, RpcUnreachable
from tollbrush.payments.solana_checks import (
    BLOCKHASH_SECONDS,
    INVALID,
    MAX_PRIORITY_FEE,
    NOT_OURS,
    checked,
    identify,
    inspect,
    signed_key,
)
from tollbrush.payments.solana_node import SolanaNode, balance
from tollbrush.payments.spl import Transfer

__all__ = ["SolanaTill", "identify", "inspect", "recipient"]

_RENT_LAMPORTS: Final = 890_880
"""What an account keeps; the rest pays fees."""
_HIGHEST_FEE: Final = 2 * 5_000 + MAX_PRIORITY_FEE
"""Lamports: two signatures, and what a payment may ask for priority."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


def recipient(network: Network, pay_to: str) -> str:
    """`pay_to` when it is an address. Raises BadSettings."""
    try:
        return str(Pubkey.from_string(pay_to))
    except ValueError as failure:
        raise BadSettings(f"networks.{network.v1}.pay_to is not an address: {shown(pay_to)}.") from failure


class SolanaTill:
    """A `Till` that pays the fees itself.

    `settle_key`: the fee payer's keypair in base58. `confirmations`: 1 takes a supermajority's vote (`confirmed`, a
    second or two), more waits for `finalized` (some 13 s). `settle_seconds`: how long `settle` waits before it says
    UNKNOWN. Raises BadSettings on a recipient that is no address, and on a key that is none.
    """

    def __init__(
        self,
        network: Network,
        pay_to: str,
        rpc: JsonRpc,
        settle_key: str,
        *,
        confirmations: int = 1,
        settle_seconds: float = 45.0,
    ) -> None:
        self._network, self._pay_to, self._rpc = network, recipient(network, pay_to), rpc
        self._till = spl.associated_token_account(self._pay_to, network.usdc)
        self._fee_payer = _keypair(settle_key, network)
        self._final, self._settle_seconds = confirmations > 1, settle_seconds
        self._node = SolanaNode(rpc)
        self._once = Once()

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
        transfer = checked(payment, requirement)
        key = signed_key(payment, transfer)
        try:
            held, error = await asyncio.gather(
                self._node.token_account(str(transfer.source)), self._node.simulate(transfer.tx)
            )
        except (RpcError, RpcUnreachable) as failure:
            raise Unavailable(f"{self._network.title} cannot be read: {failure}.") from failure
        require(error != "BlockhashNotFound", f"{INVALID}_blockhash_expired", "The payment's blockhash has expired.")
        require(error != "AlreadyProcessed", "duplicate_settlement", "This payment has been settled already.")
        if _is_ours_to_mend(error):
            raise Unavailable(f"{self._network.title}: the account that pays our fees is short of SOL.")
        movable = _balance(held, transfer)
        require(
            movable >= transfer.amount,
            "insufficient_funds",
            f"{transfer.payer} holds {Price(movable)}; the price is {Price(transfer.amount)}.",
        )
        require(error is None, "transaction_simulation_failed", f"The payment would fail on chain: {shown(error)}.")
        return Verified(key, requirement, payment.payload, now + BLOCKHASH_SECONDS, movable)

    async def settle(self, verified: Verified) -> Settlement:
        return await self._once.run(verified.key, lambda: self._settle(verified))

    async def _settle(self, verified: Verified) -> Settlement:
        """Sends until the chain has seen it: the same transaction lands once, however often it is sent."""
        transfer, tx = self._cosigned(verified)
        if transfer.fee_payer != self._fee_payer.pubkey():
            return Settlement(Outcome.REFUSED, None, NOT_OURS)
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
        """The signature is known without having been kept: cosigning again gives the same one, unless `settle_key` has
        changed since."""
        transfer, tx = self._cosigned(verified)
        ours = transfer.fee_payer == self._fee_payer.pubkey()
        signature = str(tx.signatures[0]) if ours else tx_hash
        if signature is None:
            return Settlement(Outcome.UNKNOWN, None, NOT_OURS)
        return await self._outcome(transfer, signature)

    async def check(self) -> str | None:
        title, reference = self._network.title, self._network.id.partition(":")[2]
        try:
            genesis, till, account = await asyncio.gather(
                self._node.genesis_hash(), self._node.token_account(self._till), self._fee_account()
            )
        except (RpcError, RpcUnreachable) as failure:
            return f"{title} cannot be read: {failure}."
        if not genesis.startswith(reference):
            return f"{title}'s rpc_url serves another chain, of genesis hash {genesis[:50]}."
        if till is None or str(till.owner) != self._pay_to or till.state != TokenAccountState.Initialized:
            return (
                f"{title}: {self._pay_to} has no open USDC account at {self._till}: send it any USDC once to create it."
            )
        if not account.settlements:
            return (
                f"{title}: the fee payer {account.address} holds {account.held} lamports and needs "
                f"{_RENT_LAMPORTS + _HIGHEST_FEE}: send it SOL."
            )
        return None

    async def fees(self) -> FeeAccount:
        try:
            return await self._fee_account()
        except (RpcError, RpcUnreachable) as failure:
            raise Unavailable(f"{self._network.title} cannot be read: {failure}.") from failure

    async def _fee_account(self) -> FeeAccount:
        held = await self._node.lamports(self.fee_payer)
        return FeeAccount(self.fee_payer, held, "lamports", max(0, held - _RENT_LAMPORTS) // _HIGHEST_FEE)

    async def blockhash(self) -> str:
        try:
            return await self._node.latest_blockhash()
        except (RpcError, RpcUnreachable) as failure:
            raise Unavailable(f"{self._network.title} cannot be read: {failure}.") from failure

    async def balance(self, address: str) -> int:
        try:
            return await balance(self._rpc, self._network, address)
        except (RpcError, RpcUnreachable) as failure:
            raise Unavailable(f"{self._network.title} cannot be read: {failure}.") from failure

    async def close(self) -> None:
        """After the settlements under way have their outcome."""
        await self._once.drain()
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
                    return Settlement(Outcome.REFUSED, None, f"{INVALID}_blockhash_expired")
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
        f"{INVALID}_source_account_mismatch",
        f"{transfer.source} is not an account of {transfer.payer} for this token.",
    )
    return held.amount


def _is_ours_to_mend(error: Any) -> bool:
    """A simulation's error that the fee payer, the transaction's first account, would cause."""
    if isinstance(error, dict):
        return error.get("InsufficientFundsForRent") == {"account_index": 0}
    return error in ("AccountNotFound", "InsufficientFundsForFee")


def _keypair(text: str, network: Network) -> Keypair:
    try:
        return Keypair.from_base58_string(text)
    except ValueError as failure:
        raise BadSettings(f"networks.{network.v1}.settle_key is not a keypair: 64 bytes in base58.") from failure
