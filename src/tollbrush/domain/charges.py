"""One charge: from the claim on a payment to its receipt. The rules as a state machine, without I/O.

    claimed ──► ready ──► settling ──► settled
       │          │           ├──────► released      the chain or facilitator refused
       └──────────┴► released └──────► unknown ──► settled | released

`claimed`   a verified payment is bound to one request; work may begin
`ready`     the pictures are on disk
`settling`  a settlement may be on its way to the chain
`unknown`   it was sent, and nobody knows yet whether it landed: only the chain may decide
`released`  nothing was charged; the payment may be presented again
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tollbrush.domain.changed import changed


class ChargeState(StrEnum):
    CLAIMED = "claimed"
    READY = "ready"
    SETTLING = "settling"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    RELEASED = "released"


_S = ChargeState
_NEXT: Final = {
    _S.CLAIMED: {_S.READY, _S.RELEASED},
    _S.READY: {_S.SETTLING, _S.RELEASED},
    _S.SETTLING: {_S.SETTLED, _S.UNKNOWN, _S.RELEASED},
    _S.UNKNOWN: {_S.SETTLED, _S.RELEASED, _S.UNKNOWN},
    _S.SETTLED: set[ChargeState](),
    _S.RELEASED: set[ChargeState](),
}

OPEN: Final = frozenset({_S.CLAIMED, _S.READY, _S.SETTLING, _S.UNKNOWN})
"""States that count against the payer's balance and keep the payment from being used again."""


class IllegalTransition(ValueError):
    """A charge was asked to move where the rules do not lead: a defect of ours, never the caller's."""


@dataclass(frozen=True)
class ClaimKey:
    """What makes a payment the same payment, from canonical fields, never from header bytes.
    `nonce` is the EIP-3009 nonce (lower-case hex) or the Solana message hash (hex)."""

    network: str
    asset: str
    payer: str
    nonce: str


@dataclass(frozen=True)
class Charge:
    """A claimed payment. `amount` in atomic units; times in Unix seconds; `payload` is the normalised
    x402 v2 payment payload as JSON, kept so that settlement and reconciliation outlive the process. `refused_at`:
    when its settlement was refused after it had been sent."""

    id: str
    key: ClaimKey
    amount: int
    pay_to: str
    valid_until: int
    request_hash: str
    job_id: str
    payload: str
    created: int
    state: ChargeState = ChargeState.CLAIMED
    tx_hash: str | None = None
    reason: str | None = None
    updated: int = 0
    refused_at: int | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN

    def to(
        self,
        state: ChargeState,
        *,
        now: int,
        tx_hash: str | None = None,
        reason: str | None = None,
        lapsed: bool = False,
    ) -> Charge:
        """The charge after a legal step. A known transaction hash is never forgotten; a payment that `lapsed`, its
        time being up, was not refused. Raises IllegalTransition."""
        if state not in _NEXT[self.state]:
            raise IllegalTransition(f"charge {self.id}: {self.state} may not become {state}")
        sent = self.state in (ChargeState.SETTLING, ChargeState.UNKNOWN)
        return changed(
            self,
            state=state,
            updated=now,
            tx_hash=tx_hash or self.tx_hash,
            reason=reason or self.reason,
            refused_at=now if sent and state is ChargeState.RELEASED and not lapsed else self.refused_at,
        )
