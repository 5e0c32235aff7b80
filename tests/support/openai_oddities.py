"""What an image API may answer instead of a picture: the documented failures, and those that only happen."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator

from PIL import Image
from starlette.responses import JSONResponse, Response, StreamingResponse

KEY = "sk-simulated"

FAILURES = {
    "moderation": (400, "moderation_blocked", "image_generation_user_error", {}),
    "rate limit": (429, "rate_limit_exceeded", "requests", {"Retry-After": "60"}),
    "short rate limit": (429, "rate_limit_exceeded", "requests", {"Retry-After": "2"}),
    "quota": (429, "insufficient_quota", "insufficient_quota", {}),
    "bad key": (401, "invalid_api_key", "invalid_request_error", {}),
    "server error": (500, "server_error", "server_error", {}),
    "overloaded": (503, "overloaded", "server_error", {}),
    "overloaded briefly": (503, "overloaded", "server_error", {"Retry-After": "2"}),
    "bad request": (400, "invalid_value", "invalid_request_error", {}),
}
HUGE = 100 * 2**20


def oddity(name: str) -> Response:
    """By its name in a prompt."""
    if name in FAILURES:
        status, code, kind, headers = FAILURES[name]
        body = {"error": {"message": f"simulated {code}; key {KEY}", "type": kind, "param": None, "code": code}}
        return JSONResponse(body, status, headers)
    whole = json.dumps({"created": 1, "data": [{"b64_json": _picture("PNG", 1024)}]}).encode()
    oddities: dict[str, Response] = {
        "html": Response("<html>502 Bad Gateway</html>", 502, media_type="text/html"),
        "html as 200": Response("<html>maintenance</html>", 200, media_type="text/html"),
        "not json": Response("{", 200, media_type="application/json"),
        "truncated json": Response(whole[: len(whole) // 2], 200, media_type="application/json"),
        "deep json": Response(b"[" * 100_000, 200, media_type="application/json"),
        "no data": JSONResponse({"created": 1}),
        "a list": JSONResponse([1, 2]),
        "rows of text": JSONResponse({"data": ["picture"]}),
        "bad base64": JSONResponse({"created": 1, "data": [{"b64_json": "%%%"}]}),
        "no picture": _rows(base64.b64encode(b"hello").decode()),
        "broken picture": _rows(_picture("PNG", 1024)[:4000]),
        "a url": JSONResponse({"created": 1, "data": [{"url": "http://127.0.0.1:9/x.png"}]}),
        "too few": JSONResponse({"created": 1, "data": []}),
        "too many": _rows(*[_picture("PNG", 64)] * 12),
        "redirect": Response(status_code=307, headers={"location": "/v1/elsewhere"}),
        "a dot": _rows(_picture("PNG", 1)),
        "half the size": _rows(_picture("PNG", 512)),
        "another shape": _rows(_picture("PNG", 1024, 512)),
        "another size": _rows(_picture("PNG", 1000, 900)),
        "another format": _rows(_picture("JPEG", 1024)),
        "empty": Response(b"", 200, media_type="application/json"),
        "stream cut off": _stream(b'data: {"type":"image_edit.partial_image","b64_json":"'),
        "stream of nothing": _stream(b": only comments\n\n"),
        "stream error": _stream(b'data: {"type":"error","error":{"code":"server_error","message":"no"}}\n\n'),
        "stream moderation": _stream(b'event: error\ndata: {"error":{"code":"moderation_blocked"}}\n\n'),
        "stream of html": _stream(b"data: <html>\n\n"),
    }
    if name == "huge":
        return StreamingResponse(_huge(), media_type="application/json")
    if name == "stall":
        return StreamingResponse(_stall(), media_type="application/json")
    return oddities[name]


def _rows(*pictures: str) -> Response:
    return JSONResponse({"created": 1, "data": [{"b64_json": picture} for picture in pictures]})


def _picture(fmt: str, width: int, height: int = 0) -> str:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height or width)).convert("RGB").save(out, fmt)
    return base64.b64encode(out.getvalue()).decode()


def _stream(body: bytes) -> Response:
    return Response(body, 200, media_type="text/event-stream")


async def _huge() -> AsyncIterator[bytes]:
    yield b'{"created": 1, "data": [{"b64_json": "'
    for _ in range(HUGE // 2**20):
        yield b"A" * 2**20
    yield b'"}]}'


async def _stall() -> AsyncIterator[bytes]:
    yield b'{"created": 1, "data": [{"b64_json": "AAAA'
    await asyncio.Event().wait()
