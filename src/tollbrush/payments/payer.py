"""The payer: picks the network, holds every offer against the owner's policy, reserves, and only then signs.

A signature of ours is money, so the order is fixed: ours? → terms → funds → reservation → signature. What fails before
the signature gives its reservation back; what was sent stays booked until a receipt or the chain clears it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tollbrush.domain.networks import BY_V1, NETWORKS, Network, find
from tollbrush.domain.payments import Requirement
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadSettings, NoFunds, Unavailable
from tollbrush.payments import policy
from tollbrush.payments.accounts import Account, Fate, account
from tollbrush.payments.rpc import JsonRpc
from tollbrush.payments.spending import SpendingBook
from tollbrush.payments.wallet import Wallet
from tollbrush.wire.offers import Offer, Receipt, payment_header

if TYPE_CHECKING:
    from tollbrush.settings import Settings


_BALANCE_SECONDS: Final = 20
"""How long a balance that was read is believed. Others may spend it too: then the gateway refuses, and we look."""


@dataclass(frozen=True)
class SignedPayment:
    """A payment ready to send. `header` (name, value) is as good as cash and never printed; `spend` is its row in the
    spending book, `expires` in Unix seconds, `life` its nonce or blockhash."""

    header: tuple[str, str] = field(repr=False)
    requirement: Requirement
    network: Network
    spend: int
    expires: int
    life: str

    @property
    def price(self) -> Price:
        return Price(self.requirement.amount)


@dataclass(frozen=True)
class Balance:
    """What the wallet holds on one network. `held` is None when its node did not answer; `problem` says why."""

    network: Network
    address: str
    held: Price | None
    problem: str = ""


class Payer:
    """One wallet under its owner's settings. For one event loop; any number of payments may be under way.

    `clock` gives Unix seconds. Raises BadSettings for a network that is none of ours.
    """

    def __init__(self, wallet: Wallet, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self.wallet, self._clock = wallet, clock
        self._caps = policy.Caps.of(settings.router.spending)
        self._payees = settings.router.pay_to
        self.folder = settings.data_dir
        """Where this wallet's books are kept."""
        self.networks = tuple(n for n in _networks(settings) if wallet.address(n.family))
        """The networks that this wallet may pay on."""
        self._urls = {n: _rpc_url(settings, n) for n in self.networks}
        self._rpcs: list[JsonRpc] = []
        self._opened: dict[Network, Account] = {}
        self._held: dict[Network, tuple[float, int]] = {}  # when it was read, and what is left of it, in atomic units

    @cached_property
    def book(self) -> SpendingBook:
        """What was spent. Raises Unavailable when its file cannot be used."""
        return SpendingBook(self.folder / "spending.db")

    async def pay(self, offers: Sequence[Offer], *, quoted: Price | None, gateway: str) -> SignedPayment:
        """Sign one of the offers of `gateway` (its URL), at most for the price it `quoted`.

        Raises SpendingPolicy (not what the owner meant), UpstreamFailed (an offer that makes no sense), NoFunds,
        Unavailable (a chain's node or the spending book).
        """
        payable = policy.ours(offers, self.networks)
        for offer, network in payable:
            own = self.wallet.address(network.family)
            policy.check_terms(offer.requirement, network, own=own, quoted=quoted, caps=self._caps, payees=self._payees)
        offer, payer = await self._funded(payable)
        await self._clear_doubts(payer)
        return await self._reserve_and_sign(offer, payer, policy.origin_of(gateway))

    async def settled(self, payment: SignedPayment, receipt: Receipt | None) -> None:
        """The gateway delivered."""
        await asyncio.to_thread(self.book.confirm, payment.spend, receipt.tx_hash if receipt else None)

    async def doubtful(self, payment: SignedPayment) -> None:
        """It was sent and nothing was delivered: it counts as spent until the chain says otherwise."""
        self._held.pop(payment.network, None)  # perhaps for want of money
        await asyncio.to_thread(self.book.doubt, payment.spend)

    async def unsent(self, payment: SignedPayment) -> None:
        """It never left this machine."""
        await asyncio.to_thread(self.book.release, payment.spend)

    async def fate(self, payment: SignedPayment) -> Fate:
        """What the chain says of this payment. Raises Unavailable."""
        return await self._account(payment.network).fate(payment.life, payment.expires)

    def proof(self, job: str) -> dict[str, str]:
        """Headers that show who asks for a job, and pay nothing; none without a Solana account."""
        if not self.wallet.solana_address:
            return {}
        from tollbrush.payments.proof import poll_headers

        return poll_headers(self.wallet.solana_keypair, job, now=int(self._clock()))

    async def balances(self) -> list[Balance]:
        """USDC on each network that the wallet may pay on."""
        return list(await asyncio.gather(*map(_balance, map(self._account, self.networks))))

    async def close(self) -> None:
        """Close the connections; they open anew when the payer is used again."""
        rpcs, self._rpcs, self._opened = self._rpcs, [], {}
        for rpc in rpcs:
            await rpc.close()
        if book := self.__dict__.pop("book", None):
            await asyncio.to_thread(book.close)

    async def _funded(self, payable: Sequence[tuple[Offer, Network]]) -> tuple[Offer, Account]:
        """The first offer that the wallet can pay, EVM before Solana."""
        seen = []
        for offer, network in sorted(payable, key=lambda pair: pair[1].family != "evm"):
            amount = offer.requirement.amount
            if self._covers(network, amount):
                return offer, self._account(network)
            balance = await _balance(self._account(network))
            if balance.held is not None:
                self._held[network] = (self._clock(), balance.held.atomic)
                if self._covers(network, amount):
                    return offer, self._account(network)
            seen.append(balance)
        if silent := [b.problem for b in seen if b.held is None]:
            raise Unavailable(" ".join(silent), advice="Nothing was paid. Try again, or set another node's URL.")
        held = "; ".join(f"{b.address} holds {b.held} on {b.network.title}" for b in seen)
        raise NoFunds(f"No account of this wallet holds {Price(payable[0][0].requirement.amount)}: {held}.")

    def _covers(self, network: Network, amount: int) -> bool:
        """Whether the balance that was last read, not long ago, pays for this beside all that was signed since; if so,
        the amount is set aside."""
        read, held = self._held.get(network, (0.0, 0))
        if not 0 <= self._clock() - read < _BALANCE_SECONDS or held < amount:
            return False
        self._held[network] = (read, held - amount)
        return True

    async def _reserve_and_sign(self, offer: Offer, payer: Account, gateway: str) -> SignedPayment:
        asked = offer.requirement
        requirement = replace(asked, network=payer.network.id, max_timeout=min(asked.max_timeout, policy.LONGEST))
        life, now = await payer.life(), int(self._clock())
        spend = await asyncio.to_thread(
            self.book.reserve,
            requirement,
            gateway=gateway,
            caps=self._caps,
            now=now,
            pin=not self._payees,
            life=life,
        )
        try:
            header = payment_header(payer.sign(requirement, life, now=now), offer)
        except Exception:
            self.book.release(spend)
            raise
        return SignedPayment(header, requirement, payer.network, spend, now + requirement.max_timeout, life)

    async def _clear_doubts(self, payer: Account) -> None:
        """Ask the chain what became of expired payments that got no receipt. They stay counted until it answers, and
        on Solana, which does not tell, for good."""
        if payer.network.family != "evm":
            return
        now = int(self._clock())
        for doubt in await asyncio.to_thread(self.book.unresolved, payer.network.id, now=now):
            try:
                fate = await payer.fate(doubt.life, doubt.expires)
            except Unavailable:
                return
            if fate is Fate.SPENT:
                await asyncio.to_thread(self.book.confirm, doubt.id, None)
            elif fate is Fate.UNSPENT:
                await asyncio.to_thread(self.book.release, doubt.id)

    def _account(self, network: Network) -> Account:
        # On first use: opening a connection pool costs 25 ms, and most wallets pay on one network.
        if network not in self._opened:
            self._rpcs.append(JsonRpc(self._urls[network]))
            self._opened[network] = account(self.wallet, network, self._rpcs[-1])
        return self._opened[network]


async def _balance(payer: Account) -> Balance:
    try:
        return Balance(payer.network, payer.address, Price(await payer.balance()))
    except Unavailable as silent:
        return Balance(payer.network, payer.address, None, silent.message)


def _networks(settings: Settings) -> list[Network]:
    """The one to pay on, else those configured, else all. Raises BadSettings."""
    for name in (settings.router.network, *settings.networks):
        if name and find(name) is None:
            known = ", ".join(n.v1 for n in NETWORKS)
            raise BadSettings(f"network {name[:40]!r} is unknown; known: {known}.")
    if chosen := find(settings.router.network):
        return [chosen]
    return [BY_V1[name] for name in settings.networks] or list(NETWORKS)


def _rpc_url(settings: Settings, network: Network) -> str:
    said = settings.networks.get(network.v1)
    return (said.rpc_url if said else "") or network.rpc
