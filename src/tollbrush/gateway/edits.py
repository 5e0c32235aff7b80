"""The edit route: bytes → order → payment → receipt."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.domain.networks import BY_ID
from tollbrush.domain.pricing import Price
from tollbrush.editing.pixels import check_sources
from tollbrush.editing.service import Delivery, EditingService, Order
from tollbrush.errors import BadRequest, PaymentRefused, PaymentRequired
from tollbrush.gateway.edge import called_base, read_body
from tollbrush.gateway.problems import answer
from tollbrush.settings import GatewaySettings
from tollbrush.wire import jsonbody, multipart, schemas, x402

PATHS: Final = ("/api/v1/images/image2image", "/v1/images/image2image")


class Edits:
    """Answers POSTs on the edit paths."""

    def __init__(self, service: EditingService, settings: GatewaySettings) -> None:
        self._service, self._settings = service, settings

    async def post(self, request: Request) -> Response:
        limits = self._settings.limits
        body = await read_body(request, limit=limits.body_bytes, seconds=limits.body_seconds)
        order = await asyncio.to_thread(self._order, body, request.headers.get("content-type", ""))
        offers = self._service.gate.offers(order.price, svm_only=request.state.svm_only)
        try:
            payment = x402.read_payment(dict(request.headers), limit=limits.header_bytes)
            delivery = await self._service.edit(order, payment, offers)
        except (PaymentRequired, PaymentRefused) as error:
            headers, content = x402.payment_required(offers, self._resource(request, order), error)
            return answer(content, error.status, headers)
        return self._deliver(request, delivery)

    def _order(self, body: bytes, content_type: str) -> Order:
        """Everything that can be told before a price, in the contract's order."""
        form = read_form(body, content_type)
        plan = self._service.plan(form.fields, masked=form.mask is not None, sources=len(form.images))
        request = form.decoded(max_bytes=self._settings.limits.image_bytes)
        first, *_ = check_sources(request, self._settings.limits)
        return self._service.price(plan, request, first.upright)

    def _resource(self, request: Request, order: Order) -> x402.Resource:
        url = called_base(request) + request.state.prefix + request.url.path
        plan = order.plan
        return x402.Resource(url, f"{order.request.n} × {plan.requested.id} at {order.priced_size}")

    def _deliver(self, request: Request, delivery: Delivery) -> Response:
        base = self._settings.public_url.rstrip("/") or called_base(request)
        charge = delivery.charge
        assert charge.tx_hash is not None  # a settled charge has its transaction
        headers = x402.settlement_headers(charge.key.network, charge.tx_hash, charge.key.payer, charge.amount)
        return answer(edit_body(delivery, base), 200, headers | {"Cache-Control": "no-store"})


def read_form(body: bytes, content_type: str) -> schemas.EditForm:
    """JSON or multipart by content type. Raises BadRequest."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return schemas.read_edit_form(multipart.parse(body, content_type))
    if kind in ("application/json", ""):
        return schemas.read_edit(jsonbody.parse(body))
    raise BadRequest(
        f"content type {kind[:60]!r} is not read here.", advice="Send application/json or multipart/form-data."
    )


def edit_body(delivery: Delivery, base: str) -> dict[str, Any]:
    """The answer of a settled edit; `base` makes the image URLs absolute."""
    job, charge = delivery.job, delivery.charge
    body: dict[str, Any] = {
        "created": job.created,
        "data": [
            {
                "url": f"{base}/images/{image.key}",
                "revised_prompt": image.revised_prompt,
                "preserved": image.preserved,
                "edited_fraction": image.edited_fraction,
                "seed": image.seed,
                "width": image.width,
                "height": image.height,
                "mime_type": image.mime_type,
                "sha256": image.sha256,
            }
            for image in job.images
        ],
        "price": Price(job.amount).wire(),
        "payment": {
            "status": "already_settled" if delivery.replayed else "settled",
            "tx_hash": charge.tx_hash,
            "network": BY_ID[charge.key.network].v1,
        },
        "model": job.model,
    }
    if job.requested_model != job.model:
        body["requested_model"] = job.requested_model
    return body
