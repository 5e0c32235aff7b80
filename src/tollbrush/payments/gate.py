"""The payment gate: which networks are offered, and the way from a presented payment to a settlement."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import msgspec

from tollbrush.domain.charges import Charge, ClaimKey
from tollbrush.domain.networks import BY_ID, BY_V1
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import Price
from tollbrush.errors import NotFound, PaymentRefused, Unavailable
from tollbrush.payments.interface import Clocked, FeeAccount, Outcome, Settlement, Till, Verified


class Gate:
    """Holds one till per network. `svm_only` restricts a request to Solana (the `/sol` routes)."""

    def __init__(self, tills: Sequence[Till]) -> None:
        # EVM first: some clients take the first entry they are offered.
        ordered = sorted(tills, key=lambda t: BY_ID[t.network].family != "evm")
        self._tills = {t.network: t for t in ordered}

    @property
    def networks(self) -> tuple[str, ...]:
        return tuple(self._tills)

    def offers(self, price: Price, *, svm_only: bool = False) -> tuple[Requirement, ...]:
        """What to sign for this price, one entry a network. Raises Unavailable when none is configured."""
        tills = [t for t in self._tills.values() if not svm_only or BY_ID[t.network].family == "svm"]
        if not tills:
            raise Unavailable(
                "No payment network is configured here.", retry_after=600, advice="Ask the operator to set `pay_to`."
            )
        offers, trouble = [], None
        for till in tills:
            try:
                offers.append(till.requirement(price.atomic))
            except Unavailable as failure:  # one network's facilitator is silent: the others still take money
                trouble = failure
        if trouble is not None and not offers:
            raise trouble
        return tuple(offers)

    def identify(self, payment: Payment, offers: Sequence[Requirement]) -> ClaimKey:
        """The payment's canonical key. Raises PaymentRefused."""
        return self._till(payment, offers).identify(payment)

    async def verify(self, payment: Payment, offers: Sequence[Requirement], *, now: int, deadline: int) -> Verified:
        """Every check, against our own requirement for that network. Raises PaymentRefused, Unavailable."""
        till = self._till(payment, offers)
        requirement = next(o for o in offers if o.network == payment.network)
        return await till.verify(payment, requirement, now=now, deadline=deadline)

    async def settle(self, charge: Charge) -> Settlement:
        till = self._tills.get(charge.key.network)
        return _NO_TILL if till is None else await till.settle(_verified(till, charge))

    async def find(self, charge: Charge) -> Settlement:
        """What the chain says of a charge whose settlement may be on its way."""
        till = self._tills.get(charge.key.network)
        return _NO_TILL if till is None else await till.find(_verified(till, charge), charge.tx_hash)

    async def problems(self, *, within: float | None = None) -> dict[str, str]:
        """Network → what keeps it from taking money, silence for `within` seconds included; empty when all are
        ready."""

        async def problem(till: Till) -> str | None:
            try:
                async with asyncio.timeout(within):
                    return await till.check()
            except TimeoutError:
                return f"{BY_ID[till.network].title} has not answered within {within:.0f} s."

        found = await asyncio.gather(*map(problem, self._tills.values()))
        return {network: said for network, said in zip(self._tills, found, strict=True) if said}

    async def fee_accounts(self, *, within: float | None = None) -> dict[str, FeeAccount]:
        """Network → who pays our fees there, where that is ourselves and the chain can be read."""

        async def account(till: Till) -> FeeAccount | None:
            with suppress(Unavailable, TimeoutError):  # `problems` tells of it
                async with asyncio.timeout(within):
                    return await till.fees()
            return None

        found = await asyncio.gather(*map(account, self._tills.values()))
        return {network: held for network, held in zip(self._tills, found, strict=True) if held}

    def clocked(self, name: str) -> Clocked:
        """The till of a network, by its v1 name, whose payments are signed over a block. Raises NotFound."""
        till: object = self._tills.get(BY_V1[name].id) if name in BY_V1 else None
        if not isinstance(till, Clocked):
            raise NotFound(f"no payment is signed over a block of {name[:40]!r} here.")
        return till

    async def close(self) -> None:
        for till in self._tills.values():
            await till.close()

    def _till(self, payment: Payment, offers: Sequence[Requirement]) -> Till:
        offered = [o.network for o in offers]
        if payment.scheme != "exact":
            raise PaymentRefused(f"Scheme {payment.scheme[:40]!r} is not offered; exact is.", reason="invalid_scheme")
        if payment.network not in offered:
            names = ", ".join(offered)
            raise PaymentRefused(f"Network {payment.network!r} is not offered; {names} is.", reason="invalid_network")
        return self._tills[payment.network]


_NO_TILL: Final = Settlement(Outcome.UNKNOWN, reason="network_not_configured")
"""The operator has taken a network away: what was sent on it waits until it is back."""


def _verified(till: Till, charge: Charge) -> Verified:
    # The recipient as it was when the payment was verified: settings may have changed since.
    requirement = replace(till.requirement(charge.amount), pay_to=charge.pay_to)
    return Verified(charge.key, requirement, msgspec.json.decode(charge.payload), charge.valid_until, balance=0)
