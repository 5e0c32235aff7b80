"""Buying one edit from a gateway: quote → sign → upload once → wait → receipt. Written once, for client and router."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import httpx2
import msgspec

from tollbrush.client.orders import OnProgress, Order, Paid, Upload
from tollbrush.client.problems import from_answer
from tollbrush.client.purchase import EDIT_PATH, Purchase
from tollbrush.client.transport import JSON, Answer, call
from tollbrush.domain.pricing import Price
from tollbrush.errors import PaymentBusy, SpendingPolicy
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

    async def edit(
        self,
        order: Order,
        *,
        max_price: Price | None = None,
        progress: OnProgress | None = None,
        quote: Quote | None = None,
        at_once: bool = False,
    ) -> Paid:
        """Pay for the edit and bring it home. `max_price`: what all payments for it may come to; by default the quote,
        which is asked for unless it is given. `at_once`: let the gateway answer with a job rather than hold on.

        Raises SpendingPolicy, NoFunds, WalletLocked before anything is sent; what the gateway says against the edit;
        PaymentRefused, SettlementUnknown, EditTimeout (`extra`: `job`, `poll_url`), Unavailable, UpstreamFailed.
        """
        quote = quote or await self.quote(order)
        if quote and max_price is not None and quote.price > max_price:
            raise SpendingPolicy(
                f"The edit costs {quote.price}, more than the {max_price} allowed.",
                advice="Nothing was signed. Allow more with max_price.",
            )
        allowed = max_price if max_price is not None else quote.price if quote else None
        at_once = at_once or bool(order.fields.get("previews"))  # they come with a job's status
        purchase = Purchase(self, allowed, quote.price if quote else None, progress)
        upload = order.as_form() if quote and quote.forms else order.as_json()
        return await purchase.run(upload, quote.offers if quote else (), at_once=at_once)

    async def again(self, upload: Upload, payment: SignedPayment, *, progress: OnProgress | None = None) -> Paid:
        """Send an edit again with the payment that was signed for it earlier. Raises as `edit` does."""
        return await Purchase(self, payment.price, payment.price, progress, payment).run(upload)

    async def collect(
        self, poll_url: str, payment: SignedPayment | None, *, job: str = "", progress: OnProgress | None = None
    ) -> Paid:
        """Go on waiting for a job that was accepted earlier, with the payment that was signed for it; with none, by
        the wallet's proof (Solana), and paid when it is ready. Raises as `edit` does."""
        allowed = payment.price if payment else None
        return await Purchase(self, allowed, allowed, progress, payment).resume(poll_url, job)

    async def cancel(self, poll_url: str, job: str, payment: SignedPayment | None) -> None:
        """End a job that is not paid for. Raises PaymentBusy when it is, NotFound, what the gateway says."""
        headers = dict(JSON) | (dict([payment.header]) if payment else self.payer.proof(job))
        answer = await call(self.http, "DELETE", poll_url, "", headers=headers)
        if answer.status in (405, 501):
            raise PaymentBusy(f"{self.gateway} cancels no jobs.", advice="Nothing is charged until it is ready.")
        if answer.status not in (200, 202, 204):
            raise from_answer(answer, self.gateway)

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
