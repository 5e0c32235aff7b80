"""Payment requirements and payments as values, in the field's own words (x402 v2). No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Requirement:
    """One way to pay: an entry of `accepts`. `network` is the CAIP-2 id, `amount` atomic units.
    `extra`: EVM `{"name", "version"}` of the EIP-712 domain; Solana `{"feePayer"}`."""

    network: str
    asset: str
    amount: int
    pay_to: str
    max_timeout: int = 600
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Payment:
    """A payment as presented, either protocol version normalised to v2. `accepted` is what a v2 payer says it
    accepted (None in v1); `payload` the scheme's own object: EVM `{"signature", "authorization"}`, Solana
    `{"transaction"}`. Untrusted: shapes inside `payload` are unchecked."""

    version: int
    scheme: str
    network: str
    payload: Mapping[str, Any]
    accepted: Mapping[str, Any] | None = None
