"""A hosted x402 facilitator verifies and settles; we check first, and look at the chain afterwards. It is believed in
nothing that we can know ourselves."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeVar

from tollbrush.domain.breaker import CircuitOpen
from tollbrush.domain.charges import ClaimKey
from tollbrush.domain.networks import Network
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.errors import NotFound, PaymentRefused, Unavailable
from tollbrush.payments.checks import SCHEME
from tollbrush.payments.facilitator_api import Facilitator
from tollbrush.payments.facilitator_family import family
from tollbrush.payments.interface import Outcome, Settlement, Verified
from tollbrush.payments.once import Once
from tollbrush.payments.rpc import JsonRpc, RpcError, RpcUnreachable
from tollbrush.payments.web import NoAnswer

T = TypeVar("T")
_REASON = re.compile(r"[a-z0-9_]{1,100}", re.ASCII)
_POLL_SECONDS: Final = 0.5
# Refusals by which a settlement surely moved nothing, as far as a facilitator can be believed: those of its checks.
# All else (a receipt that did not come, a nonce already used) is for the chain to say.
_CHECKS: Final = ("invalid_", "insufficient", "unsupported_", "network_mismatch")
_NOT_CHECKS: Final = ("invalid_transaction_state", "invalid_exact_evm_nonce_already_used")


class FacilitatorTill:
    """`rpc` reads the chain: without it a facilitator's yes is all there is, a lost answer stays unknown, and an EVM
    payer's claims are limited to one payment's amount. `seconds` bounds each call, and the wait for the chain after it.
    After `failures` in a row it is left alone for `cooldown` seconds of `clock`: what was not sent then is unknown too,
    never refused.
    """

    def __init__(
        self,
        network: Network,
        pay_to: str,
        url: str,
        *,
        rpc: JsonRpc | None = None,
        confirmations: int = 1,
        seconds: float = 60.0,
        failures: int = 5,
        cooldown: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._network, self._rpc = network, rpc
        self._family = family(network, pay_to, rpc, confirmations=confirmations)
        self._extra = self._family.extra
        self._seconds, self._once = seconds, Once()
        self._facilitator = Facilitator(
            network, url, seconds=seconds, failures=failures, cooldown=cooldown, clock=clock
        )

    @property
    def network(self) -> str:
        return self._network.id

    def requirement(self, amount: int) -> Requirement:
        """Raises Unavailable on Solana until `check` has learnt the facilitator's fee payer."""
        if not self._extra:
            raise Unavailable(f"the facilitator for {self._network.title} has not been reached yet.")
        return Requirement(self.network, self._network.usdc, amount, self._family.pay_to, extra=self._extra)

    def identify(self, payment: Payment) -> ClaimKey:
        return self._family.identify(payment)

    async def verify(self, payment: Payment, requirement: Requirement, *, now: int, deadline: int) -> Verified:
        verified = self._family.inspect(payment, requirement, now, deadline)
        try:
            answer = await self._facilitator.verify(verified)
        except CircuitOpen as failure:
            raise Unavailable(
                f"the payment facilitator for {self._network.title} does not answer.", retry_after=failure.retry_after
            ) from failure
        except NoAnswer as failure:
            raise Unavailable(f"the payment facilitator gave no usable answer: {failure}.") from failure
        if answer.get("isValid") is not True:
            reason = _reason(answer.get("invalidReason"))
            raise PaymentRefused(f"The payment facilitator refuses the payment: {reason}.", reason=reason)
        balance = await self._balance(verified)
        return Verified(verified.key, requirement, verified.payload, verified.valid_until, balance)

    async def _balance(self, verified: Verified) -> int:
        if self._family.chain is None:
            return verified.balance
        try:
            return await self._family.chain.balance(verified.payer)
        except (RpcError, RpcUnreachable) as failure:
            raise Unavailable(f"{self._network.title} cannot be read: {failure}.") from failure

    async def settle(self, verified: Verified) -> Settlement:
        return await self._once.run(verified.key, lambda: self._settle(verified))

    async def _settle(self, verified: Verified) -> Settlement:
        try:
            answer = await self._facilitator.settle(verified)
        except (NoAnswer, CircuitOpen) as failure:
            return await self._look(verified, Settlement(Outcome.UNKNOWN, reason=f"facilitator_{failure}"))
        tx_hash, reason = self._transaction(answer.get("transaction")), _reason(answer.get("errorReason"))
        if answer.get("success") is True:
            if tx_hash is None:
                return await self._look(
                    verified, Settlement(Outcome.UNKNOWN, reason="facilitator_named_no_transaction")
                )
            return await self._confirmed(verified, tx_hash)
        sure = reason.startswith(_CHECKS) and reason not in _NOT_CHECKS and tx_hash is None
        outcome = Outcome.REFUSED if sure else Outcome.UNKNOWN
        return await self._look(verified, Settlement(outcome, tx_hash, reason))

    async def _look(self, verified: Verified, otherwise: Settlement) -> Settlement:
        """What the chain says, or `otherwise` when it does not say."""
        found = await self.find(verified, otherwise.tx_hash)
        return otherwise if found.outcome is Outcome.UNKNOWN else found

    async def _confirmed(self, verified: Verified, tx_hash: str) -> Settlement:
        """A yes counts when the chain shows it; our node may see it later than the facilitator's."""
        chain = self._family.chain
        if chain is None:
            return Settlement(Outcome.SETTLED, tx_hash)
        waited = 0.0
        while (found := await chain.find(verified, tx_hash)).outcome is Outcome.UNKNOWN:
            if waited >= self._seconds:
                return await self.find(verified, tx_hash)
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        return found

    async def find(self, verified: Verified, tx_hash: str | None) -> Settlement:
        """A transaction that does not show the payment may be one that the facilitator named wrongly: then the payment
        itself is looked for."""
        chain = self._family.chain
        if chain is None:
            return Settlement(Outcome.UNKNOWN, tx_hash, "no_chain_to_ask")
        found = await chain.find(verified, tx_hash)
        if found.outcome is Outcome.UNKNOWN and tx_hash is not None:
            found = await chain.find(verified, None)
        return replace(found, tx_hash=tx_hash) if found.outcome is Outcome.UNKNOWN else found

    async def check(self) -> str | None:
        """Also learns the facilitator's fee payer, on Solana."""
        title = self._network.title
        if wait := self._facilitator.wait:
            return f"the facilitator for {title} has not answered several times; it is tried again in {wait} s."
        try:
            offered = await self._facilitator.supported()
        except NoAnswer as failure:
            return f"the facilitator for {title} gave no usable answer to /supported: {failure}."
        if offered is None:
            return f"the facilitator does not support {SCHEME} on {title}."
        if self._network.family == "svm":
            extra = offered.get("extra")
            fee_payer = extra.get("feePayer") if isinstance(extra, dict) else None
            if not isinstance(fee_payer, str):
                return f"the facilitator names no fee payer for {title}."
            self._extra = {"feePayer": fee_payer}
        return None

    async def fees(self) -> None:
        """The facilitator pays them."""

    async def blockhash(self) -> str:
        """Raises NotFound on another family, Unavailable."""
        from tollbrush.payments.solana_node import latest_blockhash

        return await self._read(latest_blockhash)

    async def balance(self, address: str) -> int:
        """Raises NotFound on another family, BadRequest, Unavailable."""
        from tollbrush.payments.solana_node import balance

        return await self._read(lambda rpc: balance(rpc, self._network, address))

    async def _read(self, ask: Callable[[JsonRpc], Awaitable[T]]) -> T:
        """What Solana says."""
        if self._network.family != "svm" or self._rpc is None:
            raise NotFound(f"no payment is signed over a block of {self._network.v1} here.")
        try:
            return await ask(self._rpc)
        except (RpcError, RpcUnreachable) as failure:
            raise Unavailable(f"{self._network.title} cannot be read: {failure}.") from failure

    async def close(self) -> None:
        """After the settlements under way have their outcome."""
        await self._once.drain()
        await self._facilitator.close()
        if self._rpc:
            await self._rpc.close()

    def _transaction(self, value: object) -> str | None:
        plausible = isinstance(value, str) and self._family.transaction.fullmatch(value) and value.strip("0x")
        return value if plausible and isinstance(value, str) else None


def _reason(value: object) -> str:
    """The facilitator's name for a refusal, when it is a name."""
    return value if isinstance(value, str) and _REASON.fullmatch(value) else "facilitator_refused"
