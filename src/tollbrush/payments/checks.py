"""What the checks of both chain families share: the flat style, and the match of a payment to our requirement."""

from __future__ import annotations

from typing import Final

from tollbrush.domain.payments import Payment, Requirement
from tollbrush.errors import PaymentRefused

SCHEME: Final = "exact"


def require(holds: bool, reason: str, sentence: str) -> None:
    """One line of a flat list of checks. Raises PaymentRefused with the check's name on the wire."""
    if not holds:
        raise PaymentRefused(sentence, reason=reason)


def shown(value: object) -> str:
    """An untrusted value, short enough to repeat to its sender."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def match_requirement(payment: Payment, requirement: Requirement, *, recipient: str, amount: str) -> None:
    """What the payer says it accepts is ours in scheme, network, asset, recipient and amount; its other fields are
    the payer's business, and version 1 says the first two only. `recipient` and `amount` name those two failures
    in the chain family's words. Raises PaymentRefused."""
    theirs, ours = payment.network, requirement.network
    require(payment.scheme == SCHEME, "invalid_scheme", f"Scheme {shown(payment.scheme)} is not taken; exact is.")
    require(theirs == ours, "invalid_network", f"The payment is for network {shown(theirs)}, not for {ours}.")
    if payment.accepted is None:
        return
    for name, wanted, reason in (
        ("asset", requirement.asset, "asset_mismatch"),
        ("payTo", requirement.pay_to, recipient),
        ("amount", str(requirement.amount), amount),
    ):
        value = payment.accepted.get(name)
        text = str(value) if type(value) is int and abs(value) < 2**256 else value
        same = isinstance(text, str) and (text == wanted or _is_same_evm_address(text, wanted))
        require(same, reason, f"`accepted.{name}` is {shown(value)}; this request asks for {wanted}.")


def _is_same_evm_address(a: str, b: str) -> bool:
    # EVM addresses differ in the case of their checksum only; Solana's are case-sensitive.
    return b.startswith("0x") and a.lower() == b.lower()
