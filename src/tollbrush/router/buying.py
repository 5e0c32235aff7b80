"""What the router adds to the client's flow: the choice of a gateway, and results kept on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from tollbrush.client.history import History, Row
from tollbrush.client.inputs import draft
from tollbrush.client.jobs import Purchaser, resumed
from tollbrush.client.orders import Order, Paid
from tollbrush.client.results import EditedImage, bring_home
from tollbrush.domain.edits import EditRequest
from tollbrush.domain.networks import find
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, TollbrushError, UpstreamFailed
from tollbrush.payments.payer import SignedPayment
from tollbrush.payments.policy import origin_of
from tollbrush.router.calls import Terms
from tollbrush.router.fetch import Fetcher
from tollbrush.router.market import Market
from tollbrush.router.results import Pictures
from tollbrush.settings import Settings
from tollbrush.wire import datauri

Answer = Mapping[str, Any]

_RESULT_BYTES: Final = 128 * 2**20
_KEPT: Final = ("created", "price", "payment", "model", "requested_model")


class Buyer:
    """Buys edits and brings their pictures home. `clock` gives Unix seconds."""

    def __init__(
        self, settings: Settings, market: Market, pictures: Pictures, history: History, *, clock: Callable[[], float]
    ) -> None:
        self._market, self._pictures, self._history, self._clock = market, pictures, history, clock
        self._elsewhere = Fetcher(max_bytes=_RESULT_BYTES, extra_hosts=settings.router.extra_hosts)

    async def buy(self, ticket: Purchaser, request: EditRequest, terms: Terms) -> Paid:
        """The edit, paid for at the named or the cheapest gateway. Raises what the flow raises."""
        order = _order(request)
        bid = await self._market.best(order, terms.gateway, terms.network)
        ticket.flow = bid.flow
        self._history.at_gateway(ticket.id, bid.flow.gateway)
        try:
            paid = await bid.flow.edit(order, max_price=_limit(terms), progress=ticket.note, quote=bid.quote)
        except TollbrushError:
            self._market.forget(bid.flow.gateway)
            raise
        return self._told(paid, request.model)

    async def resume(self, ticket: Purchaser, row: Row) -> Paid:
        """An edit that was under way when the router stopped. Raises what the flow raises."""
        ticket.flow = self._market.flow(row.gateway, row.payment.network if row.payment else None)
        return self._told(await resumed(ticket.flow, self._history, row, ticket.note), None)

    async def again(self, ticket: Purchaser, row: Row, request: EditRequest) -> Paid:
        """An edit that failed after it was signed for: the same payment is sent again instead of a second one."""
        order = _order(request)
        self._history.spool(row.id, await asyncio.to_thread(order.as_json))
        return await self.resume(ticket, row)

    async def bring_home(self, bought: Answer, gateway: str) -> Answer:
        """The answer with its pictures saved here: `data[].key` names the file. Raises UpstreamFailed when they cannot
        be fetched or are none, Unavailable when the disk refuses."""
        entries = [await self._near(entry, gateway) for entry in bought["data"]]
        images = await bring_home(self._market.flow(gateway).http, {"data": entries}, gateway)
        kept = {name: bought[name] for name in _KEPT if name in bought}
        return kept | {"data": [await asyncio.to_thread(self._saved, image) for image in images]}

    def _told(self, paid: Paid, model: str | None) -> Paid:
        """What a stranger leaves out of its answer is filled in."""
        told: dict[str, Any] = {"created": int(self._clock()), "model": model or "unknown"}
        if paid.price is not None:
            told["price"] = paid.price.wire()
        if paid.receipt is not None:
            network = find(paid.receipt.network)
            name = network.v1 if network else paid.receipt.network
            told["payment"] = {"status": "settled", "tx_hash": paid.receipt.tx_hash, "network": name}
        return Paid({**told, **paid.answer}, paid.price, paid.receipt)

    async def _near(self, entry: Any, gateway: str) -> Any:
        """A result that is hosted elsewhere is fetched like any other URL: from public addresses only."""
        url = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(url, str) or url[:5].lower() == "data:" or origin_of(url) == origin_of(gateway):
            return entry
        try:
            data = await self._elsewhere.get(url, path="the result")
        except BadRequest as refused:
            raise UpstreamFailed(
                f"The result of {gateway} cannot be fetched: {refused.message}",
                advice="The edit is paid for: the same request again fetches it without paying.",
            ) from refused
        return {**entry, "url": datauri.encode(data, "image/*")}

    def _saved(self, image: EditedImage) -> dict[str, Any]:
        return {
            "key": self._pictures.save(image.bytes, image.mime_type, sha256=image.sha256),
            "revised_prompt": image.revised_prompt or None,
            "preserved": image.preserved,
            "edited_fraction": image.edited_fraction,
            "seed": image.seed,
            "width": image.width,
            "height": image.height,
            "mime_type": image.mime_type,
            "sha256": image.sha256,
        }


def agrees(payment: SignedPayment, terms: Terms, gateway: str, targets: str) -> bool:
    """Whether an earlier payment is one that this caller would make."""
    limit = _limit(terms)
    within = limit is None or payment.price <= limit
    return within and terms.network in (None, payment.network) and gateway in targets.split("\n")


def present(answer: Answer, base: str, *, replayed: bool) -> dict[str, Any]:
    """An answer as the caller sees it, with URLs of ours. `base`: scheme://host:port of the call."""
    data = [{"url": f"{base}/images/{d['key']}", **{k: v for k, v in d.items() if k != "key"}} for d in answer["data"]]
    return {**answer, "data": data} | ({"replayed": True} if replayed else {})


def _limit(terms: Terms) -> Price | None:
    return None if terms.max_price is None else Price(int(terms.max_price * 10**6))


def _order(request: EditRequest) -> Order:
    options = {
        "mask": request.mask,
        "model": request.model,
        "size": str(request.size or "auto"),
        "n": request.n,
        "seed": request.seed,
        "fit": request.fit,
        "mask_mode": request.mask_mode,
        "output_format": request.output_format,
        "quality": request.quality,
        "background": request.background,
        "previews": request.previews or None,  # not every gateway knows them
    }
    return draft(request.sources, request.prompt, options, urls=False).order()
