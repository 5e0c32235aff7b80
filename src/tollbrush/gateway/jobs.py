"""Jobs: the 202 of a slow edit, its poll and its cancellation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tollbrush.domain.jobs import JobState
from tollbrush.domain.payments import Payment
from tollbrush.domain.pricing import Price
from tollbrush.editing.collecting import Collector
from tollbrush.editing.progress import SIDE, Preview
from tollbrush.editing.service import Delivery, Pending
from tollbrush.errors import JobCancelled, NotFound, PaymentRefused, PaymentRequired
from tollbrush.gateway.answers import deliver
from tollbrush.gateway.edge import called_base
from tollbrush.gateway.problems import answer
from tollbrush.imaging.header import sniff
from tollbrush.payments.gate import Gate
from tollbrush.payments.proof import polling_wallet
from tollbrush.settings import GatewaySettings
from tollbrush.wire import datauri, x402

PATHS: Final = tuple(
    f"{prefix}/v1/images/{kind}/{{id}}" for prefix in ("/api", "") for kind in ("generations", "image2image")
)
OBJECT: Final = "image.generation.job"
_POLL_SECONDS: Final = "2"
_INSTRUCTIONS: Final = (
    "GET poll_url with the payment header of this request every few seconds. It answers 202 until the edit is ready, "
    "then settles the payment once and answers 200 with the pictures. Nothing is charged before."
)


class Jobs:
    """Answers GET and DELETE on the job paths."""

    def __init__(
        self, collector: Collector, gate: Gate, settings: GatewaySettings, *, clock: Callable[[], float]
    ) -> None:
        self._collector, self._gate, self._settings, self._clock = collector, gate, settings, clock

    async def handle(self, request: Request) -> Response:
        """GET polls, DELETE cancels; the framework adds HEAD, which would pay and show nothing."""
        if request.method == "HEAD":
            raise HTTPException(405, headers={"Allow": "GET, DELETE"})
        act = self._collector.poll if request.method == "GET" else self._collector.cancel
        try:
            return await self._answer(request, act)
        except NotFound:
            return answer({"error": "Job not found"}, 404, {"Cache-Control": "no-store"})

    async def _answer(self, request: Request, act: Callable[..., Awaitable[Delivery | Pending]]) -> Response:
        job_id, headers = request.path_params["id"], dict(request.headers)
        wallet = polling_wallet(headers, job_id, now=int(self._clock()))
        payment = self._payment(request)
        job = await self._collector.find(job_id)
        offers = self._gate.offers(Price(job.amount), svm_only=request.state.svm_only)
        try:
            result = await act(job, payment, wallet, offers)
        except (PaymentRequired, PaymentRefused) as error:
            resource = x402.Resource(called_base(request) + request.state.prefix + request.url.path, f"Job {job.id}")
            more, content = x402.payment_required(offers, resource, error)
            is_payer = wallet is not None or payment is not None  # of another's, nothing would be said at all
            if is_payer and job.state is JobState.COMPLETED:
                content |= {"id": job.id, "object": OBJECT, "status": "completed"}
            return answer(content, error.status, more)
        if isinstance(result, Pending):
            return _status(result)
        return deliver(request, result, self._settings, id=job.id, object=OBJECT, status="completed")

    def _payment(self, request: Request) -> Payment | None:
        """Raises NotFound for one that cannot be read: it proves nobody. BadRequest for two different ones."""
        try:
            return x402.read_payment(request.headers.items(), limit=self._settings.limits.header_bytes)
        except PaymentRefused as unreadable:
            raise NotFound("Job not found") from unreadable


def accepted(request: Request, pending: Pending) -> Response:
    """The 202 of an edit that did not finish in its window."""
    job = pending.job
    content = {
        **_head(pending),
        "size": job.size,
        "n": job.n,
        "price": Price(job.amount).wire(),
        "created": job.created,
        "poll_url": f"{request.state.prefix}/api/v1/images/generations/{job.id}",
        "poll_instructions": _INSTRUCTIONS,
    }
    return answer(content, 202, {"Cache-Control": "no-store", "Retry-After": _POLL_SECONDS})


def _status(pending: Pending) -> Response:
    job = pending.job
    if not job.finished:
        return answer(_head(pending), 202, {"Cache-Control": "no-store", "Retry-After": _POLL_SECONDS})
    error, code = job.error or "the edit failed", job.error_code or "internal_error"
    if job.state is JobState.CANCELLED:
        error, code = "the job was cancelled", JobCancelled.code
    content = {
        "id": job.id,
        "object": OBJECT,
        "status": job.state.value,
        "model": job.model,
        "error": error,
        "code": code,
        "payment_status": "not_charged",
    }
    return answer(content, 200, {"Cache-Control": "no-store"})


def _head(pending: Pending) -> dict[str, Any]:
    job = pending.job
    waiting = pending.position > 0 or job.state is JobState.QUEUED
    return {
        "id": job.id,
        "object": OBJECT,
        "status": JobState.QUEUED.value if waiting else JobState.IN_PROGRESS.value,
        "model": job.model,
        "payment_status": "verified",
        "queue_position": pending.position,
        "progress": pending.progress,
        **_look(pending.preview),
    }


def _look(preview: Preview | None) -> dict[str, str]:
    """An unfinished picture as a data URI: a thumbnail, for nothing is paid yet (ADR 12)."""
    if preview is None:
        return {}
    kind = sniff(preview.data, max_pixels=SIDE * SIDE).mime_type
    return {"preview": datauri.encode(preview.data, kind)}
