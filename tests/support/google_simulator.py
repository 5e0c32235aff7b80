"""A local `models/{model}:generateContent` as strict as Google documents it: `python -m support.google_simulator PORT`.

Field names are read as protobuf's JSON mapping reads them (camelCase and snake_case; unknown names are a 400), and the
values as the image models document them: aspect ratios, sizes by model, media types, number of pictures. A real edit is
answered: the first picture in the shape asked for, its colours inverted; with several pictures a strip of each one's
mean colour runs along the bottom, in order. A prompt of the form `simulate: NAME` answers one of the documented
failures; `hold: NAME` waits for `POST /release/NAME` first.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import json
import re
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from PIL import Image, ImageOps
from starlette.responses import JSONResponse, Response, StreamingResponse

from support.imagery import fingerprint

KEY = "AIza-simulated"
BLOCKED_KEY = "AIza-blocked"
FLASH, PRO = "gemini-2.5-flash-image", "gemini-3-pro-image"
MAX_PICTURES = {FLASH: 3, PRO: 14}
MAX_BODY = 20 * 2**20
MIME_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
SHAPES = {
    "1:1": (1024, 1024), "2:3": (832, 1248), "3:2": (1248, 832), "3:4": (864, 1184), "4:3": (1184, 864),
    "4:5": (896, 1152), "5:4": (1152, 896), "9:16": (768, 1344), "16:9": (1344, 768), "21:9": (1536, 672),
}  # fmt: skip
SCALES = {"1K": 1, "2K": 2, "4K": 4}

BLOB = {"mimeType": str, "data": bytes, "displayName": str}
PART = {"text": str, "inlineData": BLOB, "thought": bool, "thoughtSignature": bytes}
CONTENT = {"role": {"user", "model"}, "parts": [PART]}
REQUEST: dict[str, Any] = {
    "contents": [CONTENT],
    "systemInstruction": CONTENT,
    "safetySettings": [{"category": str, "threshold": str}],
    "generationConfig": {
        "responseModalities": [{"TEXT", "IMAGE", "AUDIO"}],
        "imageConfig": {"aspectRatio": str, "imageSize": str},
        "candidateCount": int, "seed": int, "maxOutputTokens": int, "temperature": float, "topP": float, "topK": int,
        "stopSequences": [str],
    },
}  # fmt: skip


class Wrong(Exception):
    """A request the real API would refuse."""

    def __init__(self, message: str, status: int = 400, code: str = "INVALID_ARGUMENT", reason: str = "") -> None:
        super().__init__(message)
        self.status, self.body = status, error(status, code, message, reason)


def error(
    status: int, code: str, message: str, reason: str = "", details: Mapping[str, dict[str, Any]] = {}
) -> dict[str, Any]:
    """google.rpc.Status as JSON; `details` maps a kind to its fields."""
    known = {"ErrorInfo": {"reason": reason, "domain": "googleapis.com"}} if reason else {}
    rows = [{"@type": f"type.googleapis.com/google.rpc.{kind}", **row} for kind, row in (known | dict(details)).items()]
    return {"error": {"code": status, "message": message, "status": code, "details": rows}}


def create_simulator() -> FastAPI:
    app = FastAPI()
    accepted: list[dict[str, Any]] = []
    gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
    waiting: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(0))
    calls: defaultdict[str, int] = defaultdict(int)

    @app.exception_handler(Wrong)
    async def on_wrong(request: Request, wrong: Wrong) -> Response:
        return JSONResponse(wrong.body, wrong.status)

    @app.get("/seen")
    async def shown() -> list[dict[str, Any]]:
        """What was accepted, for tests to read."""
        return accepted

    @app.get("/calls/{name}")
    async def count(name: str) -> int:
        """How many held calls of this name have come so far."""
        return calls[name]

    @app.post("/release/{name}")
    async def release(name: str) -> None:
        gates[name].set()

    @app.post("/await/{name}")
    async def arrival(name: str) -> None:
        """Answers once another held call is here."""
        await waiting[name].acquire()

    @app.post("/v1beta/models/{model}:generateContent")
    async def generate(model: str, request: Request) -> Response:
        _check_key(request)
        if model not in MAX_PICTURES:
            message = f"models/{model} is not found for API version v1beta, or is not supported for generateContent."
            raise Wrong(message, 404, "NOT_FOUND")
        fields = _read(await request.body())
        prompt, pictures, shape = _check(fields, model)
        if prompt.startswith("simulate: "):
            return failure(prompt.removeprefix("simulate: "))
        if prompt.startswith("hold: "):
            name = prompt.removeprefix("hold: ")
            calls[name] += 1
            waiting[name].release()
            await gates[name].wait()
        seen = {
            "model": model,
            "prompt": prompt,
            "sizes": [picture.size for picture in pictures],
            "types": [picture.format for picture in pictures],
            "pictures": [fingerprint(picture) for picture in pictures],
        }
        accepted.append(seen | fields["generationConfig"].get("imageConfig", {}))
        return JSONResponse(await asyncio.to_thread(_answer, model, pictures, shape))

    return app


def _check_key(request: Request) -> None:
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
    if key is None:
        raise Wrong("Method doesn't allow unregistered callers.", 403, "PERMISSION_DENIED")
    if key == BLOCKED_KEY:
        raise Wrong(f"Permission denied: key {key} has been suspended.", 403, "PERMISSION_DENIED", "CONSUMER_SUSPENDED")
    if key != KEY:
        raise Wrong(f"API key not valid: {key}.", reason="API_KEY_INVALID")


def _read(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_BODY:
        raise Wrong("Request payload size exceeds the limit: 20971520 bytes.")
    try:
        value = json.loads(raw)
    except ValueError as broken:
        raise Wrong("Invalid JSON payload received.") from broken
    fields: dict[str, Any] = _message(value, REQUEST, "")
    return fields


def _message(value: Any, kind: Any, at: str) -> Any:
    """`value` as the message, list, enum or scalar that `kind` describes, names in camelCase."""
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise Wrong(f"Invalid value at '{at}': not an object.")
        made: dict[str, Any] = {}
        for given, inner in value.items():
            name = re.sub(r"_([a-z])", lambda m: m[1].upper(), given)
            if name not in kind:
                raise Wrong(f"Invalid JSON payload received. Unknown name \"{given}\" at '{at}': Cannot find field.")
            if name in made:
                raise Wrong(f"Invalid JSON payload received. '{at}.{name}' is set twice.")
            made[name] = _message(inner, kind[name], f"{at}.{name}".lstrip("."))
        return made
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise Wrong(f"Invalid value at '{at}': not a list.")
        return [_message(inner, kind[0], f"{at}[{i}]") for i, inner in enumerate(value)]
    if isinstance(kind, set):
        if value not in kind:
            raise Wrong(f"Invalid value at '{at}': {value!r}.")
        return value
    if kind is bytes:
        try:
            return base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error) as broken:
            raise Wrong(f"Invalid value at '{at}' (TYPE_BYTES): Base64 decoding failed.") from broken
    if not isinstance(value, (int, float) if kind is float else kind) or (kind is not bool and isinstance(value, bool)):
        raise Wrong(f"Invalid value at '{at}': {str(value)[:40]!r}.")
    return value


def _check(fields: dict[str, Any], model: str) -> tuple[str, list[Image.Image], tuple[int, int] | None]:
    """The prompt, the pictures in order, and the pixels of the answer (None: the first picture's shape)."""
    if not fields.get("contents"):
        raise Wrong("* GenerateContentRequest.contents: contents is not specified")
    parts = [part for content in fields["contents"] for part in content.get("parts", [])]
    if any(len({"text", "inlineData"} & set(part)) != 1 for part in parts):
        raise Wrong("* GenerateContentRequest.contents[0].parts: required oneof field 'data' must have one value")
    prompt = "\n".join(part["text"] for part in parts if "text" in part)
    if not prompt.strip():
        raise Wrong("* GenerateContentRequest.contents: the prompt is empty")
    pictures = [_picture(part["inlineData"]) for part in parts if "inlineData" in part]
    if len(pictures) > MAX_PICTURES[model]:
        raise Wrong(f"At most {MAX_PICTURES[model]} images are supported by {model}.")
    config = fields.setdefault("generationConfig", {})
    modalities = config.get("responseModalities", ["TEXT", "IMAGE"])
    if "IMAGE" not in modalities or "AUDIO" in modalities:
        raise Wrong("The requested combination of response modalities is not supported by the model.")
    if config.get("candidateCount", 1) != 1:
        raise Wrong("Multiple candidates is not enabled for this model")
    return prompt, pictures, _shape(config.get("imageConfig", {}), model)


def _shape(image: dict[str, str], model: str) -> tuple[int, int] | None:
    scale = 1
    if "imageSize" in image:
        if model != PRO or image["imageSize"] not in SCALES:
            raise Wrong(f"image_size {image['imageSize']!r} is not supported by {model}.")
        scale = SCALES[image["imageSize"]]
    if "aspectRatio" not in image:
        return None
    if image["aspectRatio"] not in SHAPES:
        raise Wrong(
            "aspect_ratio must be one of '1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'."
        )
    width, height = SHAPES[image["aspectRatio"]]
    return width * scale, height * scale


def _picture(blob: dict[str, Any]) -> Image.Image:
    if blob.get("mimeType") not in MIME_TYPES:
        raise Wrong(f"Unsupported MIME type: {blob.get('mimeType')}")
    try:
        image = Image.open(io.BytesIO(blob.get("data", b"")), formats=(MIME_TYPES[blob["mimeType"]],))
        image.load()
    except OSError as broken:
        raise Wrong("Unable to process input image. Please retry or report.") from broken
    return image


def _answer(model: str, pictures: list[Image.Image], shape: tuple[int, int] | None) -> dict[str, Any]:
    """The larger model thinks in pictures first, and answers in JPEG."""
    first = pictures[0].convert("RGB") if pictures else Image.new("RGB", (1024, 1024), "gold")
    result = ImageOps.invert(ImageOps.fit(first, shape or first.size, Image.Resampling.BILINEAR))
    if len(pictures) > 1:
        for i, picture in enumerate(pictures):
            left, right = (result.width * at // len(pictures) for at in (i, i + 1))
            strip = (right - left, result.height // 4)
            mean = picture.convert("RGB").resize((1, 1), Image.Resampling.BOX).resize(strip)
            result.paste(mean, (left, result.height - strip[1]))
    fmt, options = ("jpeg", {"quality": 95, "subsampling": 0}) if model == PRO else ("png", {"compress_level": 1})
    out = io.BytesIO()
    result.save(out, fmt, **options)
    parts: list[dict[str, Any]] = [{"text": "Here is your edited picture."}, inline(out.getvalue(), f"image/{fmt}")]
    if model == PRO:
        parts.insert(0, inline(one_pixel(), "image/png") | {"thought": True})
        parts[-1]["thoughtSignature"] = base64.b64encode(b"signed").decode()
    return candidate(parts)


def candidate(parts: list[dict[str, Any]] | None, reason: str = "STOP", **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"finishReason": reason, "index": 0}
    if parts is not None:
        row["content"] = {"parts": parts, "role": "model"}
    usage = {"promptTokenCount": 270, "candidatesTokenCount": 1290, "totalTokenCount": 1560,
             "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 258}]}  # fmt: skip
    return {"candidates": [row], "usageMetadata": usage, "modelVersion": "simulated", "responseId": "r", **more}


def inline(data: bytes, mime_type: str) -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}}


def one_pixel() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1, 1), "red").save(out, "PNG")
    return out.getvalue()


NO_PICTURE = (
    "IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT", "SAFETY", "BLOCKLIST", "SPII", "NO_IMAGE",
    "IMAGE_RECITATION", "RECITATION", "IMAGE_OTHER", "OTHER", "MAX_TOKENS", "LANGUAGE", "MALFORMED_FUNCTION_CALL",
)  # fmt: skip
BLOCKED = ("PROHIBITED_CONTENT", "SAFETY", "BLOCKLIST", "IMAGE_SAFETY", "OTHER")


def failure(name: str) -> Response:
    """One of the documented failures, or of those that every upstream has."""
    secret = f"simulated; key {KEY}"
    if name in NO_PICTURE:
        return JSONResponse(candidate(None, name, finishMessage=secret))
    if name.startswith("blocked "):
        return JSONResponse({"promptFeedback": {"blockReason": name.removeprefix("blocked ")}, "modelVersion": "x"})
    statuses = {
        "billing": (400, "FAILED_PRECONDITION"), "unauthenticated": (401, "UNAUTHENTICATED"),
        "forbidden": (403, "PERMISSION_DENIED"), "gone": (404, "NOT_FOUND"), "internal": (500, "INTERNAL"),
        "overloaded": (503, "UNAVAILABLE"), "deadline": (504, "DEADLINE_EXCEEDED"),
    }  # fmt: skip
    if name in statuses:
        status, code = statuses[name]
        return JSONResponse(error(status, code, secret), status)
    if name in ("rate limit", "rate limit, untimed"):
        retry: dict[str, dict[str, Any]] = {"RetryInfo": {"retryDelay": "36.2s"}} if name == "rate limit" else {}
        quota: dict[str, dict[str, Any]] = {
            "QuotaFailure": {"violations": [{"quotaMetric": "generate_content_free_tier_requests"}]}
        }
        return JSONResponse(error(429, "RESOURCE_EXHAUSTED", secret, details=quota | retry), 429)
    if name == "stall":
        return StreamingResponse(_stall(), media_type="application/json")
    if name == "huge":
        return StreamingResponse(_huge(), media_type="application/json")
    answers: dict[str, Response] = {
        "words only": JSONResponse(candidate([{"text": "I would rather talk about it."}])),
        "no candidates": JSONResponse({"candidates": [], "modelVersion": "x"}),
        "nothing": JSONResponse({}),
        "no parts": JSONResponse(candidate([])),
        "thought only": JSONResponse(candidate([inline(one_pixel(), "image/png") | {"thought": True}])),
        "html": Response("<html>hello</html>", 200, media_type="text/html"),
        "html 502": Response("<html>502 Bad Gateway</html>", 502, media_type="text/html"),
        "cut short": Response('{"candidates": [{"content"', 200, media_type="application/json"),
        "a list": JSONResponse([candidate([])]),
        "wrong types": JSONResponse({"candidates": [{"content": {"parts": "none"}}]}),
        "deep": Response("[" * 100_000, 200, media_type="application/json"),
        "bad base64": JSONResponse(candidate([{"inlineData": {"mimeType": "image/png", "data": "%%%"}}])),
        "no picture": JSONResponse(candidate([inline(b"hello", "image/png")])),
        "redirect": Response(status_code=307, headers={"location": "http://127.0.0.1:9/"}),
        "another size": JSONResponse(candidate([inline(one_pixel(), "image/png")])),
    }
    return answers[name]


async def _stall() -> AsyncIterator[bytes]:
    yield b'{"candidates": ['
    await asyncio.Event().wait()


async def _huge() -> AsyncIterator[bytes]:
    yield b'{"candidates": ["'
    for _ in range(200):
        yield b"A" * 2**20


if __name__ == "__main__":
    uvicorn.run(create_simulator(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
