"""A local `POST /v1/images/edits` as strict as OpenAI documents it: `python -m support.openai_simulator PORT`.

It refuses what the real API documents as wrong (unknown or misspelt fields, types, sizes, `n`, mask form, missing
key), and answers a real edit: the first picture fitted to the size, its colours inverted where the mask is
transparent (everywhere without one), so that a test can tell edited from kept pixels. A prompt of the form
`simulate: NAME` answers one of the documented failures; `hold: NAME` (or `hold: NAME then
FAILURE`) waits for `POST /release/NAME` first.
"""

from __future__ import annotations

import asyncio
import base64
import io
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from PIL import Image, ImageOps
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

KEY = "sk-simulated"
SIZES = {"1024x1024", "1536x1024", "1024x1536", "auto"}
FIELDS = {
    "model", "prompt", "n", "size", "quality", "background", "input_fidelity", "output_format",
    "output_compression", "partial_images", "stream", "user",
}  # fmt: skip
FILES = {"image", "image[]", "mask"}
CHOICES = {
    "model": {"gpt-image-1", "gpt-image-2"},
    "size": SIZES,
    "quality": {"auto", "low", "medium", "high"},
    "background": {"auto", "transparent", "opaque"},
    "input_fidelity": {"high", "low"},
    "output_format": {"png", "jpeg", "webp"},
}


class Wrong(Exception):
    """A request the real API would refuse."""

    def __init__(self, message: str, param: str | None = None, code: str = "invalid_value", status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}


def create_simulator() -> FastAPI:
    app = FastAPI()
    app.state.requests = []
    gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
    arrived: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    @app.exception_handler(Wrong)
    async def on_wrong(request: Request, wrong: Wrong) -> Response:
        return JSONResponse({"error": wrong.error}, wrong.status)

    @app.get("/seen")
    async def seen() -> list[dict[str, Any]]:
        """What was accepted, for tests to read."""
        requests: list[dict[str, Any]] = app.state.requests
        return requests

    @app.post("/release/{name}")
    async def release(name: str) -> None:
        gates[name].set()

    @app.post("/await/{name}")
    async def arrival(name: str) -> None:
        """Answers once the held request is here."""
        await arrived[name].wait()

    @app.post("/v1/images/edits")
    async def edits(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise Wrong("Incorrect API key provided.", code="invalid_api_key", status=401)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise Wrong("Unsupported content type.", code="unsupported_content_type")
        async with request.form() as form:
            fields, pictures, mask = await _read(form.multi_items())
        if (asked := fields["prompt"]).startswith("simulate: "):
            return _failure(asked.removeprefix("simulate: "), fields)
        if asked.startswith("hold: "):
            name, _, failure = asked.removeprefix("hold: ").partition(" then ")
            arrived[name].set()
            await gates[name].wait()
            if failure:
                return _failure(failure, fields)
        results = [_edit(pictures[0], mask, fields) for _ in range(int(fields.get("n", "1")))]
        app.state.requests.append({**fields, "images": len(pictures), "mask": mask is not None})
        return JSONResponse(_answer(results))

    return app


async def _read(items: Sequence[tuple[str, Any]]) -> tuple[dict[str, str], list[Image.Image], Image.Image | None]:
    fields: dict[str, str] = {}
    pictures: list[Image.Image] = []
    mask: Image.Image | None = None
    for name, value in items:
        if isinstance(value, UploadFile):
            if name not in FILES:
                raise Wrong(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
            data = await value.read()
            if name == "mask":
                mask = _mask(data)
            else:
                pictures.append(_picture(data, name))
        else:
            if name not in FIELDS:
                raise Wrong(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
            if name in fields:
                raise Wrong(f"Duplicate parameter: '{name}'.", name)
            fields[name] = value
    _check(fields, pictures, mask)
    return fields, pictures, mask


def _check(fields: dict[str, str], pictures: list[Image.Image], mask: Image.Image | None) -> None:
    for required in ("prompt", "model"):
        if not fields.get(required):
            raise Wrong(f"Missing required parameter: '{required}'.", required, "missing_required_parameter")
    if not 1 <= len(pictures) <= 16:
        raise Wrong("Between 1 and 16 images are needed.", "image")
    for name, allowed in CHOICES.items():
        if name in fields and fields[name] not in allowed:
            raise Wrong(f"Invalid value: '{fields[name]}'.", name)
    if len(fields["prompt"]) > 32_000:
        raise Wrong("The prompt is too long.", "prompt", "string_above_max_length")
    for name, low, high in (("n", 1, 10), ("output_compression", 0, 100), ("partial_images", 0, 3)):
        if name in fields and not (fields[name].isdigit() and low <= int(fields[name]) <= high):
            raise Wrong(f"Invalid value: '{fields[name]}'.", name)
    if mask is not None and mask.size != pictures[0].size:
        raise Wrong("The mask must have the size of the first image.", "mask", "invalid_mask_image_format")


def _picture(data: bytes, name: str) -> Image.Image:
    if len(data) >= 50 * 2**20:
        raise Wrong("Image is over 50 MB.", name)
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
        image.load()
    except Exception as broken:
        raise Wrong("Invalid image file or mode.", name, "invalid_image_file") from broken
    return image


def _mask(data: bytes) -> Image.Image:
    if len(data) >= 4 * 2**20:
        raise Wrong("The mask must be under 4 MB.", "mask")
    image = _picture(data, "mask")
    if image.format != "PNG" or "A" not in image.getbands():
        raise Wrong("The mask must be a PNG with an alpha channel.", "mask", "invalid_mask_image_format")
    if image.getchannel("A").getextrema()[0] != 0:
        raise Wrong("The mask has no transparent area.", "mask", "invalid_mask_image_format")
    return image


def _edit(picture: Image.Image, mask: Image.Image | None, fields: dict[str, str]) -> bytes:
    size = fields.get("size", "auto")
    target = (1024, 1024) if size == "auto" else tuple(int(side) for side in size.split("x"))
    source = picture.convert("RGB").resize((target[0], target[1]), Image.Resampling.BILINEAR)
    result = ImageOps.invert(source)
    if mask is not None:  # the real model redraws everything, roughly: the kept part comes back slightly off
        keep = mask.getchannel("A").resize(result.size)
        result = Image.composite(source.point(lambda v: min(255, v + 3)), result, keep)
    out = io.BytesIO()
    result.save(out, fields.get("output_format", "png"))
    return out.getvalue()


def _answer(results: list[bytes]) -> dict[str, Any]:
    usage = {
        "input_tokens": 120, "output_tokens": 272, "total_tokens": 392,
        "input_tokens_details": {"text_tokens": 20, "image_tokens": 100},
    }  # fmt: skip
    data = [{"b64_json": base64.b64encode(r).decode()} for r in results]
    return {"created": int(time.time()), "data": data, "usage": usage, "output_format": "png"}


def _failure(name: str, fields: dict[str, str]) -> Response:
    def error(status: int, code: str, kind: str, **headers: str) -> Response:
        body = {"error": {"message": f"simulated {code}; key {KEY}", "type": kind, "param": None, "code": code}}
        return JSONResponse(body, status, {k.replace("_", "-"): v for k, v in headers.items()})

    one_pixel = base64.b64encode(_png(1)).decode()
    failures: dict[str, Response] = {
        "moderation": error(400, "moderation_blocked", "image_generation_user_error"),
        "rate limit": error(429, "rate_limit_exceeded", "requests", Retry_After="60"),
        "quota": error(429, "insufficient_quota", "insufficient_quota"),
        "server error": error(500, "server_error", "server_error"),
        "overloaded": error(503, "overloaded", "server_error"),
        "html": Response("<html>502 Bad Gateway</html>", 502, media_type="text/html"),
        "not json": Response("{", 200, media_type="application/json"),
        "no data": JSONResponse({"created": 1}),
        "bad base64": JSONResponse({"created": 1, "data": [{"b64_json": "%%%"}]}),
        "no picture": JSONResponse({"created": 1, "data": [{"b64_json": base64.b64encode(b"hello").decode()}]}),
        "too few": JSONResponse({"created": 1, "data": []}),
        "redirect": Response(status_code=307, headers={"location": "http://127.0.0.1:9/"}),
        "another size": JSONResponse({"created": 1, "data": [{"b64_json": one_pixel}]}),
    }
    return failures[name]


def _png(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(out, "PNG")
    return out.getvalue()


if __name__ == "__main__":
    uvicorn.run(create_simulator(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
