"""The door in OpenAI's shape: `POST /v1/images/edits`, for whoever speaks its SDK.

It holds the connection and never answers 202, which the SDK would read as an empty success. A stream shows thumbnails
while the edit is at work; the pictures themselves leave once they are paid for, as everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import pybase64
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tollbrush.domain.jobs import Job
from tollbrush.editing.orders import Order
from tollbrush.editing.progress import Preview, Watch
from tollbrush.editing.service import Delivery, Pending
from tollbrush.errors import NotFound, PaymentRefused, PaymentRequired, SettlementUnknown, TollbrushError
from tollbrush.gateway.answers import delivery_headers, edit_body, result_base
from tollbrush.gateway.edge import Share
from tollbrush.gateway.intake import Intake, payment_required
from tollbrush.gateway.problems import OPENAI_EDITS, answer, surprise
from tollbrush.storage.interface import ImageStore
from tollbrush.wire import openai

PATHS: Final = OPENAI_EDITS
HEARTBEAT: Final = 10.0
"""Seconds of silence after which a stream says that it lives."""
_log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Asked:
    wish: openai.Wish
    order: Order

    def settings(self) -> dict[str, Any]:
        """What the answer repeats of the request."""
        request = self.order.request
        told = {"quality": request.quality, "background": request.background, "safety_identifier": self.wish.user}
        return {name: value for name, value in told.items() if value}

    def event(self, size: object, data: bytes, job_created: int) -> dict[str, Any]:
        """What both kinds of events tell. Theirs name quality and background always."""
        return {
            "b64_json": pybase64.b64encode_as_string(data),
            "created_at": job_created,
            "size": str(size),
            "output_format": self.order.request.output_format or "png",
            "quality": "auto",
            "background": "auto",
            **self.settings(),
        }


class Door:
    """Answers POSTs on the door's paths."""

    def __init__(self, intake: Intake, images: ImageStore) -> None:
        self._intake, self._images = intake, images
        self._edits: set[asyncio.Task[Delivery | Pending]] = set()

    async def post(self, request: Request) -> Response:
        share = self._intake.share()
        try:
            return await self._answer(request, share)
        except asyncio.CancelledError as stopped:  # by the server alone, when its grace is over
            raise SettlementUnknown("The gateway is stopping.") from stopped
        finally:
            share.release()

    async def _answer(self, request: Request, share: Share) -> Response:
        asked = await self._intake.read(request, share, self._read)
        order, watch = asked.order, Watch()
        offers = self._intake.offers(request, order)
        try:
            payment = self._intake.payment(request)
            wait = self._intake.settings.hard_seconds
            edit = asyncio.create_task(self._intake.service.edit(order, payment, offers, wait=wait, watch=watch))
            self._edits.add(edit)
            edit.add_done_callback(self._ended)
            if asked.wish.stream and await _begins(edit, watch):
                share.live_with(order.request)
                return self._stream(request, asked, edit, watch)
            delivery = _delivered(await asyncio.shield(edit))
        except (PaymentRequired, PaymentRefused) as error:
            headers, content = payment_required(request, order, offers, error)
            return answer(content | openai.error_body(error), error.status, headers)
        if asked.wish.user:
            _log.info("edited for a customer's user", job=delivery.job.id, user=asked.wish.user)
        return answer(await self._body(request, asked, delivery), headers=delivery_headers(delivery))

    def _read(self, body: bytes, content_type: str) -> _Asked:
        wish = openai.read(body, content_type)
        return _Asked(wish, self._intake.order(wish.form))

    def _ended(self, edit: asyncio.Task[Delivery | Pending]) -> None:
        self._edits.discard(edit)
        if not edit.cancelled():
            edit.exception()  # its caller may have gone; the job says what happened

    async def _body(self, request: Request, asked: _Asked, delivery: Delivery) -> dict[str, Any]:
        job, request_ = delivery.job, asked.order.request
        body = edit_body(delivery, result_base(request, self._intake.settings))
        if asked.wish.response_format == "b64_json":
            for row, data in zip(body["data"], await self._pictures(job), strict=True):
                row["b64_json"] = await asyncio.to_thread(pybase64.b64encode_as_string, data)
                del row["url"]
        if not job.images:
            raise _gone()
        first = job.images[0]
        told = {"output_format": request_.output_format or "png", "size": f"{first.width}x{first.height}"}
        return body | told | asked.settings() | {"usage": openai.usage(job.usage)}

    async def _pictures(self, job: Job) -> list[bytes]:
        """Raises NotFound for a result that was paid for, and is past its time here."""
        found = [await self._images.get(image.key) for image in job.images]
        pictures = [data for data, _ in filter(None, found)]
        if not pictures or len(pictures) != len(found):
            raise _gone()
        return pictures

    def _stream(
        self, request: Request, asked: _Asked, edit: asyncio.Task[Delivery | Pending], watch: Watch
    ) -> Response:
        events = self._events(request, asked, edit, watch)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def _events(
        self, request: Request, asked: _Asked, edit: asyncio.Task[Delivery | Pending], watch: Watch
    ) -> AsyncIterator[bytes]:
        async for preview in _previews(edit, watch):
            if preview is None:
                yield b": at work\n\n"
                continue
            told = asked.event(preview.size, preview.data, watch.begun.result().created)
            yield openai.event("image_edit.partial_image", told | {"partial_image_index": preview.number})
        try:
            delivery = _delivered(await asyncio.shield(edit))
            body = edit_body(delivery, result_base(request, self._intake.settings))
            pictures = await self._pictures(delivery.job)
            for left, row, data in zip(range(len(pictures))[::-1], body.pop("data"), pictures, strict=True):
                size = f"{row['width']}x{row['height']}"
                del row["url"]
                told = {"usage": openai.usage({} if left else delivery.job.usage)} | row | body
                yield openai.event("image_edit.completed", asked.event(size, data, body["created"]) | told)
        except TollbrushError as error:
            yield openai.event("error", openai.error_body(error))
        except Exception as error:  # noqa: BLE001 - the answer has begun: nobody else can tell it
            yield openai.event("error", openai.error_body(surprise(request, error)))


async def _begins(edit: asyncio.Task[Delivery | Pending], watch: Watch) -> bool:
    """Whether the payment is bound, or the edit done: from here on the answer is 200. Raises what refuses it."""
    either: set[asyncio.Future[Any]] = {edit, watch.begun}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    return not edit.done() or edit.exception() is None


async def _previews(edit: asyncio.Task[Delivery | Pending], watch: Watch) -> AsyncIterator[Preview | None]:
    """The unfinished pictures until the edit is done; None after a silence."""
    while not (edit.done() and watch.previews.empty()):
        preview = asyncio.create_task(watch.previews.get())
        try:
            await asyncio.wait({edit, preview}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            if preview.done():
                yield preview.result()
            elif not edit.done():
                yield None
        finally:
            preview.cancel()


def _gone() -> NotFound:
    return NotFound("This edit was delivered, and its pictures are no longer kept.", advice="Pay for a new one.")


def _delivered(result: Delivery | Pending) -> Delivery:
    if isinstance(result, Pending):
        raise SettlementUnknown("This edit is still at work.", retry_after=5)
    return result
