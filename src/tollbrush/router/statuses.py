"""An edit of the router's as its caller sees it: a job under way, its end, a row of the history."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import JSONResponse

from tollbrush.client.history import EditState, Row
from tollbrush.client.orders import Progress
from tollbrush.client.problems import refuses
from tollbrush.errors import JobCancelled
from tollbrush.router.buying import present
from tollbrush.router.desk import Job

JOBS: Final = "/v1/images/generations/"
OBJECT: Final = "image.generation.job"


def accepted(job: Job, row: Row | None) -> JSONResponse:
    """202: how far it is. `progress` is a fraction, or null where the gateway tells none."""
    step = job.ticket.last if job.ticket else Progress("delivered")
    waiting = step.stage == "quoted" or bool(step.queue_position)
    content: dict[str, Any] = {
        "id": job.id,
        "object": OBJECT,
        "status": "queued" if waiting else "in_progress",
        "price": step.price.wire() if step.price else None,
        "created": int(row.at) if row else None,
        "poll_url": JOBS + job.id,
        "queue_position": step.queue_position,
        "progress": step.fraction,
    }
    if step.preview:
        content["preview"] = step.preview
    return JSONResponse(content, 202, {"cache-control": "no-store", "retry-after": "1"})


def over(row: Row, base: str) -> dict[str, Any]:
    """A job that has ended, well or not."""
    head = {"id": row.id, "object": OBJECT}
    if row.answer is not None and not row.code:
        return {**head, "status": "completed", **present(row.answer, base, replayed=False)}
    return {**head, "status": _ended(row), "error": row.error, "code": row.code, "payment_status": _paid(row)}


def past(row: Row, base: str) -> dict[str, Any]:
    """A row of the history. `answer` once its pictures are here; `error` and `code` when they are not to come."""
    answer = present(row.answer, base, replayed=False) if row.answer else None
    status = "completed" if answer else _ended(row) if row.code else "in_progress"
    said = {"id": row.id, "at": row.at, "prompt": row.prompt, "status": status, "gateway": row.gateway}
    said |= {"answer": answer, "payment_status": _paid(row)}
    return said | ({"error": row.error, "code": row.code} if row.code else {})


def _ended(row: Row) -> str:
    return "cancelled" if row.code == JobCancelled.code else "failed"


def _paid(row: Row) -> str:
    """`charged`, `not_charged` when nothing was signed or the gateway refused the edit itself, or `unknown` while only
    its chain can tell."""
    if row.state in (EditState.PAID, EditState.DONE):
        return "charged"
    refused = refuses(row.code) and not row.poll_url  # with one its job may still come to an end
    return "not_charged" if row.payment is None or refused else "unknown"
