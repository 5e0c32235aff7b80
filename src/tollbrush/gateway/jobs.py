"""Jobs: the 202 of a slow edit, its poll and its cancellation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.domain.jobs import JobState
from tollbrush.domain.pricing import Price
from tollbrush.editing.collecting import Collector
from tollbrush.editing.service import Delivery, Pending
from tollbrush.errors import NotFound, PaymentRefused, PaymentRequired
from tollbrush.gateway.answers import deliver
from tollbrush.gateway.edge import called_base
from tollbrush.gateway.problems import answer
from tollbrush.payments.gate import Gate
from tollbrush.payments.proof import polling_wallet
from tollbrush.settings import GatewaySettings
from tollbrush.wire import x402

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

    async def poll(self, request: Request) -> Response:
        return await self._answer(request, self._collector.poll)

    async def cancel(self, request: Request) -> Response:
        return await self._answer(request, self._collector.cancel)

    async def _answer(self, request: Request, act: Callable[..., Awaitable[Delivery | Pending]]) -> Response:
        headers = dict(request.headers)
        job = None
        try:
            wallet = polling_wallet(headers, request.path_params["id"], now=int(self._clock()))
            job = await self._collector.find(request.path_params["id"])
            offers = self._gate.offers(Price(job.amount), svm_only=request.state.svm_only)
            payment = x402.read_payment(headers, limit=self._settings.limits.header_bytes)
            result = await act(job, payment, wallet, offers)
        except NotFound:
            return answer({"error": "Job not found"}, 404, {"Cache-Control": "no-store"})
        except (PaymentRequired, PaymentRefused) as error:
            assert job is not None  # payments are asked for a job that was found
            resource = x402.Resource(called_base(request) + request.state.prefix + request.url.path, f"Job {job.id}")
            more, content = x402.payment_required(offers, resource, error)
            if job.state is JobState.COMPLETED and wallet is not None:
                content |= {"id": job.id, "object": OBJECT, "status": "completed"}
            return answer(content, error.status, more)
        if isinstance(result, Pending):
            return _status(result)
        return deliver(request, result, self._settings, id=job.id, object=OBJECT, status="completed")


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
    content = {"id": job.id, "object": OBJECT, "status": job.state.value, "model": job.model}
    if job.state is JobState.FAILED:
        content |= {"error": job.error or "the edit failed", "code": job.error_code or "internal_error"}
    return answer(content | {"payment_status": "not_charged"}, 200, {"Cache-Control": "no-store"})


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
        "progress": None,
    }
