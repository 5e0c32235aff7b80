"""The edit route: bytes → order → payment → receipt."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.editing.orders import Order
from tollbrush.editing.service import Pending
from tollbrush.errors import PaymentRefused, PaymentRequired
from tollbrush.gateway import jobs
from tollbrush.gateway.answers import deliver
from tollbrush.gateway.edge import Share
from tollbrush.gateway.intake import Intake, payment_required
from tollbrush.gateway.problems import answer
from tollbrush.wire import bodies, schemas

_WAIT: Final = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]+)", re.ASCII | re.IGNORECASE)
PATHS: Final = ("/api/v1/images/image2image", "/v1/images/image2image")


class Edits:
    """Answers POSTs on the edit paths."""

    def __init__(self, intake: Intake) -> None:
        self._intake, self._settings = intake, intake.settings

    async def post(self, request: Request) -> Response:
        return await self._intake.serve(request, self._answer)

    async def _answer(self, request: Request, share: Share) -> Response:
        order = await self._intake.read(request, share, self._order)
        offers = self._intake.offers(request, order)
        try:
            payment = self._intake.payment(request)
            result = await self._intake.service.edit(order, payment, offers, wait=self._wait(request))
        except (PaymentRequired, PaymentRefused) as error:
            headers, content = payment_required(request, order, offers, error)
            return answer(content, error.status, headers)
        if isinstance(result, Pending):
            share.live_with(order.request)
            return jobs.accepted(request, result)
        return deliver(request, result, self._settings)

    def _order(self, body: bytes, content_type: str, share: Share) -> Order:
        return self._intake.order(schemas.read(bodies.parse(body, content_type)), share)

    def _wait(self, request: Request) -> float:
        """The inline window, or what `Prefer: wait=N` asks for, up to the hard limit."""
        asked = _WAIT.search(request.headers.get("prefer", ""))
        return min(float(asked[1]), self._settings.hard_seconds) if asked else self._settings.inline_seconds
