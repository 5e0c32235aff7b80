"""What the owner of this wallet meant to pay: the rules, without I/O. `spending` keeps the book.

Every check names what is asked, what is allowed, and the setting that changes it. A payment that was signed and sent
counts as spent until its receipt or the chain says otherwise: a gateway that answers "failed" may still settle it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tollbrush.domain.networks import Network, find
from tollbrush.domain.payments import Requirement
from tollbrush.domain.pricing import USDC_DECIMALS, Price
from tollbrush.errors import SpendingPolicy, UpstreamFailed
from tollbrush.wire.offers import Offer

if TYPE_CHECKING:
    from tollbrush.settings import SpendingSettings

HOUR: Final = 3600
DAY: Final = 86_400
LONGEST: Final = 3600
"""Seconds that a signature of ours stays good at most, whatever a gateway asks for."""

_EVM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_SETTING: Final = "TOLLBRUSH_ROUTER__SPENDING__"


@dataclass(frozen=True)
class Caps:
    """Atomic units."""

    per_call: int
    per_hour: int
    per_day: int
    lifetime: int

    @classmethod
    def of(cls, said: SpendingSettings) -> Caps:
        return cls(*map(_floor, (said.per_call, said.per_hour, said.per_day, said.lifetime)))


@dataclass(frozen=True)
class Spent:
    """Atomic units spent or at risk: within the last hour, the last day, and ever."""

    hour: int = 0
    day: int = 0
    lifetime: int = 0


def ours(offers: Sequence[Offer], networks: Sequence[Network]) -> list[tuple[Offer, Network]]:
    """The offers that this wallet can pay at all: scheme `exact`, one of `networks`, its USDC. Raises SpendingPolicy
    when there is none."""
    payable = [(offer, network) for offer in offers if (network := _payable_on(offer, networks))]
    if not payable:
        asked = "; ".join(map(_asked, offers)) or "no offer"
        here = ", ".join(n.title for n in networks) or "no network"
        raise SpendingPolicy(
            f"The gateway offers nothing that this wallet pays: {asked}. It pays USDC on {here}.",
            advice="Configure one of the gateway's networks, or use another gateway.",
        )
    return payable


def check_terms(
    requirement: Requirement, network: Network, *, own: str, quoted: Price | None, caps: Caps, payees: Sequence[str]
) -> None:
    """One offer against the quote, the cap for one call, and the configured recipients. `own` is the wallet's
    address on this network. Raises SpendingPolicy, and UpstreamFailed for an offer that makes no sense."""
    payee, amount = requirement.pay_to, Price(requirement.amount)
    if not _is_address(payee, network):
        raise UpstreamFailed(f"The gateway asks to pay {_shown(payee)}, which is no address on {network.title}.")
    if _same(payee, own, network):
        raise UpstreamFailed(f"The gateway asks this wallet to pay itself, {payee}.")
    fee_payer = requirement.extra.get("feePayer", "")
    if network.family == "svm" and (not _is_address(fee_payer, network) or fee_payer == own):
        raise UpstreamFailed(f"The gateway names {_shown(fee_payer)} as the fee payer, which cannot be.")
    if quoted is not None and amount > quoted:
        raise SpendingPolicy(
            f"The gateway asks {amount}, more than the {quoted} it quoted.",
            advice="Nothing was signed. Ask for a new quote, or use another gateway.",
        )
    if amount.atomic > caps.per_call:
        raise _over("a call", amount, caps.per_call, "PER_CALL", "")
    if payees and not any(_same(payee, allowed, network) for allowed in payees):
        raise SpendingPolicy(
            f"The gateway wants {amount} paid to {payee}, which is none of the configured recipients.",
            advice=f'If you trust it, add it: TOLLBRUSH_ROUTER__PAY_TO=["{payee}"].',
        )


def check_pin(requirement: Requirement, network: Network, *, gateway: str, pinned: str | None) -> None:
    """The recipient is the one that this gateway had on first use. Raises SpendingPolicy."""
    if pinned is not None and not _same(requirement.pay_to, pinned, network):
        raise SpendingPolicy(
            f"{gateway} wants {Price(requirement.amount)} paid to {requirement.pay_to} on {network.title}; "
            f"until now it was {pinned}.",
            advice="Nothing was signed. If its operator announced the change, allow the new recipient: "
            f'TOLLBRUSH_ROUTER__PAY_TO=["{requirement.pay_to}"].',
        )


def check_caps(amount: int, caps: Caps, spent: Spent) -> None:
    """What was spent and this amount stay within the hour's, the day's and the lifetime's cap. Raises
    SpendingPolicy."""
    for span, before, cap, setting in (
        ("an hour", spent.hour, caps.per_hour, "PER_HOUR"),
        ("a day", spent.day, caps.per_day, "PER_DAY"),
        ("this wallet's lifetime", spent.lifetime, caps.lifetime, "LIFETIME"),
    ):
        if before + amount > cap:
            raise _over(span, Price(amount), cap, setting, f" after {Price(before)} already spent or reserved")


def origin_of(url: str) -> str:
    """scheme://host:port of a gateway: what its recipient is pinned to. "" for what is no URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"


def _payable_on(offer: Offer, networks: Sequence[Network]) -> Network | None:
    network = find(offer.requirement.network)
    if network is None or network not in networks or offer.scheme != "exact":
        return None
    return network if _same(offer.requirement.asset, network.usdc, network) else None


def _asked(offer: Offer) -> str:
    return f"{_shown(offer.scheme)} {_shown(offer.requirement.asset)} on {_shown(offer.requirement.network)}"


def _over(span: str, amount: Price, cap: int, setting: str, before: str) -> SpendingPolicy:
    return SpendingPolicy(
        f"{amount}{before} is over the cap of {Price(cap)} for {span}.",
        advice=f"Nothing was signed. Raise the cap if you mean to: {_SETTING}{setting}.",
        extra={"cap": f"{Price(cap).dollars}", "amount": f"{amount.dollars}", "setting": setting.lower()},
    )


def _floor(dollars: Decimal) -> int:
    return max(0, int(dollars.scaleb(USDC_DECIMALS).to_integral_value(ROUND_FLOOR)))


def _same(a: str, b: str, network: Network) -> bool:
    # EVM addresses differ in the case of their checksum only; Solana's are case-sensitive.
    return a == b or (network.family == "evm" and a.lower() == b.lower())


def _is_address(text: str, network: Network) -> bool:
    if network.family == "evm":
        return bool(_EVM_ADDRESS.fullmatch(text)) and int(text, 16) != 0
    from solders.pubkey import Pubkey

    try:
        return Pubkey.from_string(text) != Pubkey.default()
    except ValueError:
        return False


def _shown(text: str) -> str:
    return repr(text[:60])
