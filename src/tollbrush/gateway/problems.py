"""The only table from errors to HTTP answers."""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tollbrush.errors import (
    BadRequest,
    InternalError,
    NotFound,
    RateLimited,
    TollbrushError,
    TooLarge,
    Unavailable,
)
from tollbrush.wire import openai

OPENAI_EDITS: Final = ("/v1/images/edits", "/api/v1/images/edits")
_log: Final = structlog.get_logger(__name__)


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON; Decimals become exact number literals."""
    return Response(_json.encode(content), status, headers, media_type="application/json")


_json: Final = msgspec.json.Encoder(decimal_format="number")


def speaks_openai(path: str) -> bool:
    """Whether this path answers in OpenAI's shape."""
    path = path.removeprefix("/sol")
    return path in OPENAI_EDITS or path.startswith(("/v1/models/", "/api/v1/models/"))


def problem(error: TollbrushError, path: str = "") -> Response:
    """`{"error", "code", "message", "details"?}`, in OpenAI's shape where `path` speaks it, with the headers its kind
    calls for."""
    body: dict[str, Any] = {"error": error.message, "code": error.code, "message": error.sentence()}
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, BadRequest) and error.details:
        body["details"] = [{"path": d.path, "message": d.message} for d in error.details]
    if isinstance(error, RateLimited):
        headers |= {"Retry-After": str(error.retry_after), "X-RateLimit-Source": error.source}
        body |= {"retry_after_seconds": error.retry_after, "source": error.source}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after)
        body["retry_after_seconds"] = error.retry_after
    if isinstance(error, InternalError) and "id" in error.extra:
        body["id"] = error.extra["id"]
    if isinstance(error, TooLarge):
        headers["Connection"] = "close"
    if speaks_openai(path):
        body = openai.error_body(error)
    return answer(body, error.status, headers)


async def on_tollbrush_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TollbrushError)
    return problem(error, request.url.path)


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the web framework refuses by itself: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        path = request.url.path[:200]
        return problem(NotFound(f"nothing is at {path!r}.", advice="See /openapi.json for the routes."), path)
    allowed = (error.headers or {}).get("Allow", "another method")
    words = f"{request.method[:20]} is not for this path." if error.status_code == 405 else f"{error.detail}."
    body: dict[str, Any] = {"error": words, "code": "http_error", "message": f"{words} Use {allowed}."}
    if speaks_openai(request.url.path):
        shaped = {"message": body["message"], "type": "invalid_request_error", "param": None, "code": "http_error"}
        body = {"error": shaped}
    return answer(body, error.status_code, dict(error.headers or {}))


async def on_surprise(request: Request, error: Exception) -> Response:
    return problem(surprise(request, error), request.url.path)


def surprise(request: Request, error: Exception) -> InternalError:
    """What nobody foresaw: logged whole, told by an opaque id."""
    opaque = secrets.token_hex(8)
    _log.error("unforeseen error", id=opaque, path=request.url.path, exc_info=error)
    return InternalError(f"something broke on our side (id {opaque}).", extra={"id": opaque})
