"""The edit route: bytes → order → payment → receipt."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.editing.orders import Order
from tollbrush.editing.pixels import check_sources
from tollbrush.editing.service import EditingService, Pending
from tollbrush.errors import BadRequest, PaymentRefused, PaymentRequired, SettlementUnknown
from tollbrush.gateway import jobs
from tollbrush.gateway.answers import deliver
from tollbrush.gateway.edge import Bodies, Share, called_base, read_body
from tollbrush.gateway.problems import answer
from tollbrush.settings import GatewaySettings
from tollbrush.wire import jsonbody, multipart, schemas, x402

_WAIT: Final = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]+)", re.ASCII | re.IGNORECASE)
_SMALL: Final = 4 * 2**20
PATHS: Final = ("/api/v1/images/image2image", "/v1/images/image2image")


class Edits:
    """Answers POSTs on the edit paths."""

    def __init__(self, service: EditingService, settings: GatewaySettings) -> None:
        self._service, self._settings = service, settings
        self._gate = service.cashier.gate
        self._bodies, self._heavy = Bodies(settings.limits.bodies_bytes), asyncio.Semaphore(2)

    async def post(self, request: Request) -> Response:
        share = Share(self._bodies)
        try:
            return await self._answer(request, share)
        except asyncio.CancelledError as stopped:  # by the server alone, when its grace is over
            raise SettlementUnknown("The gateway is stopping.") from stopped
        finally:
            share.release()

    async def _answer(self, request: Request, share: Share) -> Response:
        limits = self._settings.limits
        order = await self._read(request, share)
        offers = self._gate.offers(order.price, svm_only=request.state.svm_only)
        try:
            payment = x402.read_payment(request.headers.items(), limit=limits.header_bytes)
            result = await self._service.edit(order, payment, offers, wait=self._wait(request))
        except (PaymentRequired, PaymentRefused) as error:
            headers, content = x402.payment_required(offers, self._resource(request, order), error)
            return answer(content, error.status, headers)
        if isinstance(result, Pending):
            share.live_with(order.request)
            return jobs.accepted(request, result)
        return deliver(request, result, self._settings)

    async def _read(self, request: Request, share: Share) -> Order:
        """The order in a request. Small bodies are read here and now: a thread costs more than they do."""
        limits = self._settings.limits
        body = await read_body(request, limit=limits.body_bytes, seconds=limits.body_seconds, share=share)
        content_type = request.headers.get("content-type", "")
        if len(body) <= _SMALL:
            return self._order(body, content_type)
        async with self._heavy:
            return await asyncio.to_thread(self._order, body, content_type)

    def _wait(self, request: Request) -> float:
        """The inline window, or what `Prefer: wait=N` asks for, up to the hard limit."""
        asked = _WAIT.search(request.headers.get("prefer", ""))
        return min(float(asked[1]), self._settings.hard_seconds) if asked else self._settings.inline_seconds

    def _order(self, body: bytes, content_type: str) -> Order:
        """Everything that can be told before a price, in the contract's order."""
        form = read_form(body, content_type)
        plan = self._service.desk.plan(form.fields, masked=form.mask is not None, sources=len(form.images))
        request = form.decoded(max_bytes=self._settings.limits.image_bytes)
        first, *_ = check_sources(request, self._settings.limits)
        return self._service.desk.price(plan, request, first.upright)

    def _resource(self, request: Request, order: Order) -> x402.Resource:
        url = called_base(request) + request.state.prefix + request.url.path
        plan = order.plan
        return x402.Resource(url, f"{order.request.n} x {plan.requested.id} at {order.priced_size}")


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
