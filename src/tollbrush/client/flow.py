"""Buying one edit from a gateway: quote → sign → upload once → wait → receipt. Written once, for client and router."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import httpx2
import msgspec

from tollbrush.client.orders import OnProgress, Order, Paid
from tollbrush.client.problems import from_answer
from tollbrush.client.purchase import EDIT_PATH, Purchase
from tollbrush.client.transport import Answer, call
from tollbrush.domain.pricing import Price
from tollbrush.errors import SpendingPolicy
from tollbrush.payments.payer import Payer, SignedPayment
from tollbrush.wire.offers import Quote, read_402, read_quote

QUOTE_PATH: Final = "/api/v1/images/quote"
_PIXEL: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
_NO_QUOTE_ROUTE: Final = (404, 405, 501)


class GatewayFlow:
    """Buys from one gateway. For one event loop; any number of edits may be under way.

    `clock` gives seconds that only ever rise; `patience` is how long a slow edit is waited for.
    """

    def __init__(
        self,
        gateway: str,
        payer: Payer,
        http: httpx2.AsyncClient,
        *,
        patience: float = 900.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.gateway, self.payer, self.http = gateway.rstrip("/"), payer, http
        self.patience, self.clock, self.sleep = patience, clock, sleep

    async def quote(self, order: Order) -> Quote | None:
        """The price and the ways to pay it, without sending the picture; None when the gateway asks for nothing, or
        tells only those who upload. Raises the edit's own 400, UpstreamFailed, Unavailable."""
        answer = await self.call("POST", QUOTE_PATH, msgspec.json.encode(order.quote))
        if answer.status == 200 and answer.json() is not None:
            return read_quote(answer.body)
        if answer.status in _NO_QUOTE_ROUTE or answer.status == 402 or answer.json() is None:
            return await self._probe(order)
        raise from_answer(answer, self.gateway)

    async def edit(self, order: Order, *, max_price: Price | None = None, progress: OnProgress | None = None) -> Paid:
        """Pay for the edit and bring it home. `max_price`: what all payments for it may come to; by default the quote.

        Raises SpendingPolicy, NoFunds, WalletLocked before anything is sent; what the gateway says against the edit;
        PaymentRefused, SettlementUnknown, EditTimeout (`extra`: `job`, `poll_url`), Unavailable, UpstreamFailed.
        """
        quote = await self.quote(order)
        if quote and max_price is not None and quote.price > max_price:
            raise SpendingPolicy(
                f"The edit costs {quote.price}, more than the {max_price} allowed.",
                advice="Nothing was signed. Allow more with max_price.",
            )
        allowed = max_price if max_price is not None else quote.price if quote else None
        purchase = Purchase(self, order, allowed, quote.price if quote else None, progress)
        return await purchase.run(quote.offers if quote else ())

    async def collect(self, poll_url: str, payment: SignedPayment, *, progress: OnProgress | None = None) -> Paid:
        """Go on waiting for a job that was accepted earlier with this payment. Raises as `edit` does."""
        purchase = Purchase(self, Order(b"", {}), payment.price, payment.price, progress, payment)
        return await purchase.resume(poll_url)

    async def call(self, method: str, path: str, content: bytes | None = None) -> Answer:
        """A call that pays nothing. Raises Unavailable, UpstreamFailed."""
        return await call(self.http, method, self.gateway, path, content)

    async def _probe(self, order: Order) -> Quote | None:
        """What a gateway without `/quote` asks: the same request with a single pixel for a picture."""
        fields = {name: order.quote[name] for name in ("model", "prompt", "size", "n") if name in order.quote}
        fields |= {"image": _PIXEL} | ({"mask": _PIXEL} if order.quote.get("masked") else {})
        answer = await self.call("POST", EDIT_PATH, msgspec.json.encode(fields))
        if answer.status == 402:
            offers = read_402(answer.headers, answer.body)
            return Quote(Price(offers[0].requirement.amount), offers)
        if answer.status in (200, 202, 400, 413, 422) and answer.json() is not None:
            return None
        raise from_answer(answer, self.gateway)
