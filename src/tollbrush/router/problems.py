"""Errors as the router's answers. It never answers 402: whoever calls it cannot pay, it pays itself."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from tollbrush.errors import (
    NoFunds,
    PaymentRefused,
    PaymentRequired,
    RateLimited,
    TollbrushError,
    Unavailable,
    UpstreamFailed,
)


def problem(error: TollbrushError) -> JSONResponse:
    """`{"error", "code", "message", "details"?}` with the error's status."""
    error = without_402(error)
    body: dict[str, Any] = {"error": error.message, "code": error.code, "message": error.sentence()}
    if error.details:
        body["details"] = [{"path": d.path, "message": d.message} for d in error.details]
    return JSONResponse(body, error.status, _headers(error))


def openai_problem(error: TollbrushError) -> JSONResponse:
    """The same on the OpenAI doors: `{"error": {"message", "type", "param", "code"}}`."""
    error = without_402(error)
    return JSONResponse(openai_body(error), error.status, _headers(error))


def openai_body(error: TollbrushError) -> dict[str, Any]:
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    param = error.details[0].path if error.details else None
    return {"error": {"message": error.sentence(), "type": kind, "param": param, "code": error.code}}


def without_402(error: TollbrushError) -> TollbrushError:
    """What a gateway's refusal of our payment means to the router's caller."""
    if isinstance(error, PaymentRefused) and error.reason == "insufficient_funds":
        return NoFunds(error.message)
    if isinstance(error, PaymentRefused | PaymentRequired):
        return UpstreamFailed(error.message, advice=error.hint)
    return error


def _headers(error: TollbrushError) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    if isinstance(error, RateLimited | Unavailable):
        headers["retry-after"] = str(error.retry_after)
    return headers
