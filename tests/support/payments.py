"""Payments as the wire hands them over."""

from __future__ import annotations

from typing import Any

from tollbrush.domain.payments import Payment, Requirement


def wrap(payload: dict[str, Any], requirement: Requirement, *, version: int = 2) -> Payment:
    """A scheme's payload for this requirement, in either protocol version."""
    accepted = {
        "scheme": "exact",
        "network": requirement.network,
        "asset": requirement.asset,
        "amount": str(requirement.amount),
        "payTo": requirement.pay_to,
        "maxTimeoutSeconds": requirement.max_timeout,
        "extra": dict(requirement.extra),
    }
    return Payment(version, "exact", requirement.network, payload, accepted if version == 2 else None)
