"""What a hosted facilitator cannot be asked to decide for us, by chain family: our own checks before it, and the
chain's word after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from tollbrush.domain.charges import ClaimKey
from tollbrush.domain.networks import Network
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.errors import PaymentRefused
from tollbrush.payments.interface import Outcome, Settlement, Verified
from tollbrush.payments.rpc import JsonRpc, RpcError, RpcUnreachable

Inspect = Callable[[Payment, Requirement, int, int], Verified]
"""(payment, requirement, now, deadline): every check that needs no chain. Raises PaymentRefused."""


class Chain(Protocol):
    async def balance(self, address: str) -> int:
        """USDC in atomic units. Raises RpcError, RpcUnreachable."""
        ...

    async def find(self, verified: Verified, tx_hash: str | None) -> Settlement:
        """As a till's `find`. Never raises."""
        ...


@dataclass(frozen=True)
class Family:
    """`pay_to` in canonical spelling; `extra`: the requirement's, as far as we know it; `transaction`: the form of a
    transaction id."""

    pay_to: str
    identify: Callable[[Payment], ClaimKey]
    inspect: Inspect
    transaction: re.Pattern[str]
    extra: dict[str, str]
    chain: Chain | None


def family(network: Network, pay_to: str, rpc: JsonRpc | None, *, confirmations: int) -> Family:
    """Raises BadSettings on a recipient that is no address."""
    return (_evm if network.family == "evm" else _svm)(network, pay_to, rpc, confirmations)


def _evm(network: Network, pay_to: str, rpc: JsonRpc | None, confirmations: int) -> Family:
    from tollbrush.payments import evm

    return Family(
        pay_to=evm.recipient(network, pay_to),
        identify=partial(evm.identify, network),
        inspect=partial(evm.inspect, network),
        transaction=re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII),
        extra=dict(evm.usdc_domain(network)),
        chain=evm.Ledger(rpc, network, confirmations=confirmations) if rpc else None,
    )


def _svm(network: Network, pay_to: str, rpc: JsonRpc | None, confirmations: int) -> Family:
    from tollbrush.payments import solana

    def inspect(payment: Payment, requirement: Requirement, now: int, deadline: int) -> Verified:
        return solana.inspect(payment, requirement, now=now, deadline=deadline)

    return Family(
        pay_to=pay_to,
        identify=solana.identify,
        inspect=inspect,
        transaction=re.compile(r"[1-9A-HJ-NP-Za-km-z]{64,88}", re.ASCII),
        extra={},
        chain=_SvmChain(network, rpc, finalized=confirmations > 1) if rpc else None,
    )


class _SvmChain:
    """A facilitator's fee payer names the transaction: without its id the payer's own account is searched for it."""

    def __init__(self, network: Network, rpc: JsonRpc, *, finalized: bool) -> None:
        self._network, self._rpc = network, rpc
        self._commitment = "finalized" if finalized else "confirmed"

    async def balance(self, address: str) -> int:
        from tollbrush.payments.solana_node import balance

        return await balance(self._rpc, self._network, address)

    async def find(self, verified: Verified, tx_hash: str | None) -> Settlement:
        unknown = Settlement(Outcome.UNKNOWN, tx_hash, "settlement_pending")
        if tx_hash is None:
            return await self._search(verified)
        options = {"encoding": "base64", "commitment": self._commitment, "maxSupportedTransactionVersion": 0}
        try:
            landed = await self._rpc.call("getTransaction", tx_hash, options)
        except (RpcError, RpcUnreachable):
            return unknown
        if landed is None or _message_hash(landed) != verified.key.nonce:
            return unknown  # not there yet, or somebody else's transaction
        if landed["meta"]["err"] is not None:
            return Settlement(Outcome.REFUSED, tx_hash, "transaction_failed")
        return Settlement(Outcome.SETTLED, tx_hash)

    async def _search(self, verified: Verified) -> Settlement:
        """Among what the payer's token account did last. Not there once its blockhash is dead: it never will be."""
        from tollbrush.payments import solana_checks, spl
        from tollbrush.payments.solana_node import SolanaNode

        transfer, level = spl.decode(verified.payload), {"commitment": self._commitment}
        try:
            dead = await SolanaNode(self._rpc).died(str(transfer.tx.message.recent_blockhash))
            slot = await self._rpc.call("getSlot", level)
            options = level | {"limit": _SEARCHED}
            entries = await self._rpc.call("getSignaturesForAddress", str(transfer.source), options)
            signatures = [str(entry["signature"]) for entry in entries]
        except (RpcError, RpcUnreachable, TypeError, LookupError):
            return Settlement(Outcome.UNKNOWN, None, "settlement_pending")
        for signature in signatures:
            found = await self.find(verified, signature)
            if found.outcome is not Outcome.UNKNOWN:
                return found
        if dead is not None and isinstance(slot, int) and slot >= dead and len(signatures) < _SEARCHED:
            return Settlement(Outcome.REFUSED, None, f"{solana_checks.INVALID}_blockhash_expired")
        return Settlement(Outcome.UNKNOWN, None, "settlement_pending")


_SEARCHED: Final = 200
"""Transactions of the payer's account that are looked through."""


def _message_hash(landed: Any) -> str | None:
    """The hash of a landed transaction's message, by which we know the payment. None when the answer is not one."""
    from tollbrush.payments import spl

    try:
        encoded, has_error = landed["transaction"][0], "err" in landed["meta"]
        return spl.decode({"transaction": encoded}).digest if has_error else None
    except (TypeError, LookupError, PaymentRefused):
        return None
