"""What the router adds to the client's flow: one wallet, a payer per network, and results kept on this machine."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from tollbrush.client.flow import GatewayFlow
from tollbrush.client.inputs import draft
from tollbrush.client.orders import Order, Paid, Progress
from tollbrush.client.purchase import Purchase
from tollbrush.client.results import EditedImage, bring_home
from tollbrush.client.transport import open_http
from tollbrush.domain.edits import EditRequest
from tollbrush.domain.networks import Network, find
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, NotFound, UpstreamFailed
from tollbrush.payments.payer import Payer, SignedPayment
from tollbrush.payments.policy import LONGEST, origin_of
from tollbrush.payments.wallet import Wallet, load_or_create
from tollbrush.router.calls import Terms
from tollbrush.router.fetch import Fetcher
from tollbrush.router.results import History, Pictures, Unfinished
from tollbrush.settings import Settings
from tollbrush.wire import datauri

Answer = Mapping[str, Any]

_RESULT_BYTES: Final = 128 * 2**20
_KEPT: Final = ("created", "price", "payment", "model", "requested_model")


class Buyer:
    """One wallet buying from one gateway. The wallet is opened, or made, when it is first needed. `clock` gives Unix
    seconds."""

    def __init__(self, settings: Settings, pictures: Pictures, history: History, *, clock: Callable[[], float]) -> None:
        self._settings, self._pictures, self._history, self._clock = settings, pictures, history, clock
        self.gateway = settings.router.gateway_url.rstrip("/")
        self._http = open_http(self.gateway)
        self._elsewhere = Fetcher(max_bytes=_RESULT_BYTES, extra_hosts=settings.router.extra_hosts)
        self._payers: dict[str, Payer] = {}
        self._wallet: Wallet | None = None

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

    def flow(self, network: Network | None = None) -> GatewayFlow:
        return GatewayFlow(self.gateway, self.payer(network), self._http)

    async def buy(self, request: EditRequest, terms: Terms, digest: str) -> Answer:
        """The gateway's answer, paid for; what a stranger leaves out of it is filled in. A payment that was signed for
        this digest and brought nothing, before a crash say, is sent again instead of a second one. Raises what the
        flow raises."""
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
        }
        drafted = await asyncio.to_thread(draft, request.sources, request.prompt, options, urls=False)
        paid = await self._paid(drafted.order(), terms, digest)
        told: dict[str, Any] = {"created": int(self._clock()), "model": request.model or "unknown"}
        if paid.price is not None:
            told["price"] = paid.price.wire()
        if paid.receipt is not None:
            network = find(paid.receipt.network)
            name = network.v1 if network else paid.receipt.network
            told["payment"] = {"status": "settled", "tx_hash": paid.receipt.tx_hash, "network": name}
        return {**told, **paid.answer}

    async def _paid(self, order: Order, terms: Terms, digest: str) -> Paid:
        flow = self.flow(terms.network)
        limit = None if terms.max_price is None else Price(int(terms.max_price * 10**6))
        noted: set[str] = set()

        def note(step: Progress) -> None:
            state = f"{step.payment.spend if step.payment else ''} {step.poll_url}"
            if step.payment is not None and step.stage in ("signed", "waiting") and state not in noted:
                noted.add(state)
                self._history.signed(digest, Unfinished(step.payment, step.poll_url), at=self._clock())

        before = None if terms.again else self._history.unfinished(digest, since=self._clock() - LONGEST)
        if before is None or not _agrees(before.payment, terms.network, limit):
            return await flow.edit(order, max_price=limit, progress=note)
        again = Purchase(flow, order, before.payment.price, before.payment.price, note, before.payment)
        if before.poll_url:
            with suppress(NotFound):  # the gateway knows the job no more: the edit itself is sent again
                return await again.resume(before.poll_url)
        return await again.run(())

    async def bring_home(self, bought: Answer) -> Answer:
        """The answer with its pictures saved here: `data[].key` names the file. Raises UpstreamFailed when they cannot
        be fetched or are none, Unavailable when the disk refuses."""
        entries = [await self._near(entry) for entry in bought["data"]]
        images = await bring_home(self._http, {"data": entries}, self.gateway)
        kept = {name: bought[name] for name in _KEPT if name in bought}
        return kept | {"data": [await asyncio.to_thread(self._saved, image) for image in images]}

    async def close(self) -> None:
        for payer in self._payers.values():
            await payer.close()
        await self._http.aclose()

    async def _near(self, entry: Any) -> Any:
        """A result that is hosted elsewhere is fetched like any other URL: from public addresses only."""
        url = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(url, str) or url[:5].lower() == "data:" or origin_of(url) == origin_of(self.gateway):
            return entry
        try:
            data = await self._elsewhere.get(url, path="the result")
        except BadRequest as refused:
            raise UpstreamFailed(
                f"The result of {self.gateway} cannot be fetched: {refused.message}",
                advice="The edit is paid for: the same request again fetches it without paying.",
            ) from refused
        return {**entry, "url": datauri.encode(data, "image/*")}

    def _saved(self, image: EditedImage) -> dict[str, Any]:
        return {
            "key": self._pictures.save(image.bytes, image.mime_type),
            "revised_prompt": image.revised_prompt or None,
            "preserved": image.preserved,
            "edited_fraction": image.edited_fraction,
            "seed": image.seed,
            "width": image.width,
            "height": image.height,
            "mime_type": image.mime_type,
            "sha256": hashlib.sha256(image.bytes).hexdigest(),
        }


def _agrees(payment: SignedPayment, network: Network | None, limit: Price | None) -> bool:
    """Whether an earlier payment is one that this caller would make."""
    return network in (None, payment.network) and (limit is None or payment.price <= limit)


def present(answer: Answer, base: str, *, replayed: bool) -> dict[str, Any]:
    """An answer as the caller sees it, with URLs of ours. `base`: scheme://host:port of the call."""
    data = [{"url": f"{base}/images/{d['key']}", **{k: v for k, v in d.items() if k != "key"}} for d in answer["data"]]
    return {**answer, "data": data} | ({"replayed": True} if replayed else {})
