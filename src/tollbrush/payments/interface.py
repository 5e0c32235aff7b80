"""Payments: what the gate needs of a network, whoever verifies and settles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol, runtime_checkable

from tollbrush.domain.charges import ClaimKey
from tollbrush.domain.payments import Payment, Requirement

__all__ = ["FeeAccount", "Outcome", "Payment", "Requirement", "Settlement", "Till", "Verified"]


@dataclass(frozen=True)
class Verified:
    """A payment that passed every check. `valid_until` in Unix seconds; `balance` what the payer holds on chain."""

    key: ClaimKey
    requirement: Requirement
    payload: Mapping[str, Any]
    valid_until: int
    balance: int

    @property
    def payer(self) -> str:
        return self.key.payer


LAPSED: Final = frozenset(
    {"invalid_exact_evm_payload_authorization_valid_before", "invalid_exact_svm_payload_blockhash_expired"}
)
"""x402's names for a payment that came too late."""


@dataclass(frozen=True)
class FeeAccount:
    """Who pays a till's fees. `held` in `unit`, the chain's smallest coin; `settlements`: for how many more that will
    surely do, at the present fee."""

    address: str
    held: int
    unit: str
    settlements: int


class Outcome(StrEnum):
    SETTLED = "settled"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Settlement:
    """What became of a settlement. `tx_hash` is kept for UNKNOWN too, when there is one."""

    outcome: Outcome
    tx_hash: str | None = None
    reason: str | None = None

    @property
    def lapsed(self) -> bool:
        """Refused because its time was up: nobody's bad faith."""
        return self.outcome is Outcome.REFUSED and self.reason in LAPSED


class Till(Protocol):
    """Verifies and settles payments of one network. Methods may be called concurrently."""

    @property
    def network(self) -> str:
        """CAIP-2 id."""
        ...

    def requirement(self, amount: int) -> Requirement:
        """What to sign for this amount of atomic units, with our recipient."""
        ...

    def identify(self, payment: Payment) -> ClaimKey:
        """The payment's canonical key, proven by its payer's signature; no chain, no clock, no amount. What a
        replayed payment is recognised by. Raises PaymentRefused."""
        ...

    async def verify(self, payment: Payment, requirement: Requirement, *, now: int, deadline: int) -> Verified:
        """All checks of the specification, in its order. `deadline`: Unix seconds until which the payment must
        live. Raises PaymentRefused with the failed check's name, Unavailable when the chain cannot be read."""
        ...

    async def settle(self, verified: Verified) -> Settlement:
        """Move the money. Never raises for what a chain or facilitator does: that is an Outcome."""
        ...

    async def find(self, verified: Verified, tx_hash: str | None) -> Settlement:
        """What the chain says of an earlier settlement: SETTLED when this payment reached our recipient in any
        transaction, REFUSED when it never can any more, else UNKNOWN."""
        ...

    async def check(self) -> str | None:
        """None when ready to take money, else what is wrong in a sentence (for /readyz)."""
        ...

    async def fees(self) -> FeeAccount | None:
        """What is left for fees; None when somebody else pays them. Raises Unavailable when the chain cannot be
        read."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Clocked(Protocol):
    """A till of a chain whose payments are signed over a recent block, for payers without a node of their own. Both
    raise Unavailable when the chain cannot be read."""

    async def blockhash(self) -> str: ...

    async def balance(self, address: str) -> int:
        """What a wallet can pay with, in atomic units. Raises BadRequest for what is no address."""
        ...
