"""From the bytes of a request to a priced order, and from there to its 402: the same for both doors of an edit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.domain.payments import Payment, Requirement
from tollbrush.editing.orders import Order
from tollbrush.editing.pixels import check_sources
from tollbrush.editing.service import EditingService
from tollbrush.editing.shelf import Shelf
from tollbrush.errors import PaymentRefused, PaymentRequired, SettlementUnknown
from tollbrush.gateway.edge import Bodies, Share, called_base, read_body
from tollbrush.settings import GatewaySettings
from tollbrush.wire import schemas, x402

T = TypeVar("T")
_SMALL: Final = 4 * 2**20


class Intake:
    """Request bodies share one budget of memory, whichever door they come to. Pictures that have to wait are put into
    `folder`."""

    def __init__(self, service: EditingService, settings: GatewaySettings, folder: Path) -> None:
        self.service, self.settings, self._folder = service, settings, folder
        self._bodies, self._heavy = Bodies(settings.limits.bodies_bytes), asyncio.Semaphore(2)

    async def serve(self, request: Request, answer: Callable[[Request, Share], Awaitable[Response]]) -> Response:
        """`answer`, with the request's part of that memory, which is released at its end. Raises SettlementUnknown when
        the server stops under it."""
        share = Share(self._bodies)
        try:
            return await answer(request, share)
        except asyncio.CancelledError as stopped:  # by the server alone, when its grace is over
            raise SettlementUnknown("The gateway is stopping.") from stopped
        finally:
            share.release()

    async def read(self, request: Request, share: Share, make: Callable[[bytes, str, Share], T]) -> T:
        """What `make` makes of the body and its content type. Small bodies are read here and now: a thread costs more
        than they do."""
        limits = self.settings.limits
        body = await read_body(request, limit=limits.body_bytes, seconds=limits.body_seconds, share=share)
        content_type = request.headers.get("content-type", "")
        if len(body) <= _SMALL:
            return make(body, content_type, share)
        async with self._heavy:
            return await asyncio.to_thread(make, body, content_type, share)

    def order(self, form: schemas.EditForm, share: Share) -> Order:
        """Everything that can be told before a price, in the contract's order."""
        desk, limits = self.service.desk, self.settings.limits
        plan = desk.plan(form.fields, masked=form.mask is not None, sources=len(form.images))
        request = form.decoded(max_bytes=limits.image_bytes)
        first, *_ = check_sources(request, limits)
        shelf = Shelf(request.sources, self._folder, cleared=partial(share.shrink, len(request.mask or b"")))
        return desk.price(plan, replace(request, sources=shelf), first.upright)

    def offers(self, request: Request, order: Order) -> Sequence[Requirement]:
        return self.service.cashier.gate.offers(order.price, svm_only=request.state.svm_only)

    def payment(self, request: Request) -> Payment | None:
        """Raises BadRequest, PaymentRefused."""
        return x402.read_payment(request.headers.items(), limit=self.settings.limits.header_bytes)


def payment_required(
    request: Request, order: Order, offers: Sequence[Requirement], error: PaymentRequired | PaymentRefused
) -> tuple[dict[str, str], dict[str, object]]:
    """Headers and body of the 402."""
    url = called_base(request) + request.state.prefix + request.url.path
    resource = x402.Resource(url, f"{order.request.n} x {order.plan.requested.id} at {order.priced_size}")
    return x402.payment_required(offers, resource, error)
