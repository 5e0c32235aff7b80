"""The gateways that this router buys from: by name, or the one whose quote is the lowest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx2
import msgspec

from tollbrush.client.flow import GatewayFlow
from tollbrush.client.orders import Order
from tollbrush.client.transport import open_http
from tollbrush.domain.networks import Network
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, BadSettings, TollbrushError, Unavailable
from tollbrush.payments import policy
from tollbrush.payments.payer import Payer
from tollbrush.payments.wallet import Wallet, load_or_create
from tollbrush.settings import RouterSettings, Settings
from tollbrush.wire.offers import Quote

CHEAPEST: Final = "cheapest"
_QUOTE_SECONDS: Final = 15.0
_QUOTE_KEPT: Final = 5.0
"""Seconds for which a quote is believed: many pictures with one prompt come in a row."""
_QUOTES: Final = 256


@dataclass(frozen=True)
class Bid:
    """What one gateway says of an edit: its quote (None when it tells no price beforehand), or why there is none."""

    gateway: str
    flow: GatewayFlow
    quote: Quote | None = None
    error: TollbrushError | None = None

    @property
    def price(self) -> Price | None:
        return self.quote.price if self.quote else None


class Market:
    """One wallet at several gateways. The wallet is opened, or made, when it is first needed."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self.gateways = _gateways(settings.router)
        """Name → URL."""
        self._http: dict[str, httpx2.AsyncClient] = {}
        self._payers: dict[str, Payer] = {}
        self._wallet: Wallet | None = None
        self._quotes: dict[tuple[str, tuple[Network, ...], bytes], tuple[float, Quote]] = {}

    def target(self, name: str | None) -> str:
        """What decides where an edit is bought, as text that tells two places apart. Raises BadRequest."""
        return "\n".join(sorted(self._urls(name).values()))

    def payer(self, network: Network | None = None) -> Payer:
        """The payer for one network, or for all that are configured. Raises WalletLocked, BadSettings."""
        name = network.v1 if network else ""
        if name not in self._payers:
            if self._wallet is None:
                self._wallet = load_or_create(self._settings)
            settings = self._settings
            if network:
                router = settings.router.model_copy(update={"network": network.v1})
                settings = settings.model_copy(update={"router": router})
            self._payers[name] = Payer(self._wallet, settings)
        return self._payers[name]

    def flow(self, url: str, network: Network | None = None) -> GatewayFlow:
        if url not in self._http:
            self._http[url] = open_http(url)
        return GatewayFlow(url, self.payer(network), self._http[url])

    def flows(self) -> Mapping[str, GatewayFlow]:
        """By name."""
        return {name: self.flow(url) for name, url in self.gateways.items()}

    async def bids(self, order: Order, name: str | None, network: Network | None) -> list[Bid]:
        """What the gateways that are asked for say, the best first. Raises BadRequest for an unknown name."""
        urls = self._urls(name)
        bids = await asyncio.gather(*(self._bid(g, self.flow(url, network), order) for g, url in urls.items()))
        return sorted(bids, key=lambda b: (b.error is not None, b.price is None, b.price.atomic if b.price else 0))

    async def best(self, order: Order, name: str | None, network: Network | None) -> Bid:
        """Raises what all of them say against the edit, BadRequest for an unknown name."""
        bids = await self.bids(order, name, network)
        if bids[0].error is None:
            return bids[0]
        # Of several refusals the telling one: a gateway that does not answer says nothing about the edit.
        raise next((b.error for b in bids if b.error and not isinstance(b.error, Unavailable)), bids[0].error)

    def forget(self, url: str) -> None:
        """An edit failed there: its quotes may be why."""
        self._quotes = {key: kept for key, kept in self._quotes.items() if key[0] != url}

    async def close(self) -> None:
        for payer in self._payers.values():
            await payer.close()
        for http in self._http.values():
            await http.aclose()

    async def _bid(self, name: str, flow: GatewayFlow, order: Order) -> Bid:
        try:
            async with asyncio.timeout(_QUOTE_SECONDS):
                quote = await self._quote(flow, order)
        except TimeoutError:
            late = Unavailable(f"{flow.gateway} named no price within {_QUOTE_SECONDS:g} s.")
            return Bid(name, flow, error=late)
        except TollbrushError as error:
            return Bid(name, flow, error=error)
        return Bid(name, flow, quote)

    async def _quote(self, flow: GatewayFlow, order: Order) -> Quote | None:
        key = (flow.gateway, flow.payer.networks, msgspec.json.encode(order.quote))
        at, kept = self._quotes.get(key, (0.0, None))
        now = self._clock()
        if kept is not None and 0 <= now - at < _QUOTE_KEPT:
            return kept
        quote = await flow.quote(order)
        if quote is not None:
            policy.ours(quote.offers, flow.payer.networks)
            while len(self._quotes) >= _QUOTES:
                del self._quotes[next(iter(self._quotes))]
            self._quotes[key] = (now, quote)
        return quote

    def _urls(self, name: str | None) -> Mapping[str, str]:
        name = name or self._settings.router.gateway or CHEAPEST
        if name == CHEAPEST:
            return self.gateways
        if name not in self.gateways:
            raise BadRequest(
                f"gateway {name[:40]!r} is unknown.",
                path="gateway",
                advice=f"Known: {', '.join(self.gateways)}, {CHEAPEST}.",
            )
        return {name: self.gateways[name]}


def _gateways(router: RouterSettings) -> Mapping[str, str]:
    """`gateway_url` is named `default`; it counts beside others only when somebody set it. Raises BadSettings."""
    named = {name: url.rstrip("/") for name, url in router.gateways.items()}
    if not named or "gateway_url" in router.model_fields_set:
        named = {"default": router.gateway_url.rstrip("/")} | named
    if router.gateway not in ("", CHEAPEST, *named):
        raise BadSettings(f"router.gateway is {router.gateway!r}; it must be one of {', '.join(named)}, {CHEAPEST}.")
    return named
