"""The door in OpenAI's shape: `POST /v1/images/edits`, for whoever speaks its SDK.

It holds the connection and never answers 202, which the SDK would read as an empty success. A stream shows thumbnails
while the edit is at work; the pictures themselves leave once they are paid for, as everywhere.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pybase64
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tollbrush.domain.jobs import HostedImage
from tollbrush.editing.orders import Order
from tollbrush.editing.progress import Preview, Watch
from tollbrush.editing.service import Delivery, Pending
from tollbrush.errors import PaymentRefused, PaymentRequired, SettlementUnknown, TollbrushError
from tollbrush.gateway.answers import check_kept, delivery_headers, edit_body, gone, result_base
from tollbrush.gateway.edge import Share
from tollbrush.gateway.intake import Intake, payment_required
from tollbrush.gateway.problems import OPENAI_EDITS, answer, surprise
from tollbrush.storage.interface import ImageStore
from tollbrush.wire import openai

PATHS: Final = OPENAI_EDITS
HEARTBEAT: Final = 10.0
"""Seconds of silence after which a stream says that it lives."""
_SLICE: Final = 3 * 2**17
"""Bytes of a picture that are encoded at a time; three become four."""
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

    def event(self, size: object, b64: str, created: int) -> dict[str, Any]:
        """What both kinds of events tell. Theirs name quality and background always."""
        return {
            "b64_json": b64,
            "created_at": created,
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
        return await self._intake.serve(request, self._answer)

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
        mark = secrets.token_hex(16)
        told = answer(self._body(request, asked, delivery, mark), headers=delivery_headers(delivery))
        if asked.wish.response_format == "url":
            return told
        filled = self._filled(bytes(told.body), mark, delivery.job.images)
        return StreamingResponse(filled, headers=delivery_headers(delivery), media_type="application/json")

    def _read(self, body: bytes, content_type: str, share: Share) -> _Asked:
        wish = openai.read(body, content_type)
        return _Asked(wish, self._intake.order(wish.form, share))

    def _ended(self, edit: asyncio.Task[Delivery | Pending]) -> None:
        self._edits.discard(edit)
        if not edit.cancelled():
            edit.exception()  # its caller may have gone; the job says what happened

    def _body(self, request: Request, asked: _Asked, delivery: Delivery, mark: str) -> dict[str, Any]:
        """`mark` stands where a picture will."""
        body = edit_body(delivery, result_base(request, self._intake.settings))
        for row in body["data"] if asked.wish.response_format == "b64_json" else ():
            row["b64_json"] = mark
            del row["url"]
        first = delivery.job.images[0]
        told = {
            "output_format": asked.order.request.output_format or "png",
            "size": f"{first.width}x{first.height}",
            "usage": openai.usage(delivery.job.usage),
        }
        return body | told | asked.settings()

    async def _filled(self, text: bytes, mark: str, images: Sequence[HostedImage]) -> AsyncIterator[bytes]:
        """The text with base64 in place of the marks. One picture at a time is in memory, and raw: answers are repeated
        for nothing, and ten large pictures in each would fill it."""
        first, *rest = text.split(mark.encode())
        yield first
        for image, piece in zip(images, rest, strict=True):
            data, _ = await self._images.get(image.key) or (b"", "")
            if not data:
                raise gone()
            for start in range(0, len(data), _SLICE):
                yield pybase64.b64encode(data[start : start + _SLICE])
            yield piece

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
            b64 = pybase64.b64encode_as_string(preview.data)
            told = asked.event(preview.size, b64, watch.begun.result().created)
            yield openai.event("image_edit.partial_image", told | {"partial_image_index": preview.number})
        try:
            delivery = _delivered(await asyncio.shield(edit))
            body = edit_body(delivery, result_base(request, self._intake.settings))
            rows, mark = body.pop("data"), secrets.token_hex(16)
            for number, (row, image) in enumerate(zip(rows, delivery.job.images, strict=True), start=1):
                del row["url"]
                usage = openai.usage(delivery.job.usage if number == len(rows) else {})  # of all, told once
                told = asked.event(f"{image.width}x{image.height}", mark, body["created"]) | row | body
                text = openai.event("image_edit.completed", told | {"usage": usage})
                async for piece in self._filled(text, mark, [image]):
                    yield piece
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


def _delivered(result: Delivery | Pending) -> Delivery:
    if isinstance(result, Pending):
        raise SettlementUnknown("This edit is still at work.", retry_after=5)
    check_kept(result)
    return result
