"""A local `POST /v1/images/edits` as strict as OpenAI documents it, or as its kin behave:
`python -m support.openai_simulator PORT [PROFILE]`.

It refuses what the real one documents as wrong (unknown or misspelt fields, types, sizes, `n`, mask form, missing
key), and answers a real edit: the first picture fitted to the size, its colours inverted where the mask says edit
(everywhere without one), so that a test can tell edited from kept pixels. A prompt of the form `simulate: NAME`
answers one of the failures of `openai_oddities`, `simulate once: NAME` for the first time only (what follows a comma
tells prompts apart); `hold: NAME` (or `hold: NAME then FAILURE`) waits for `POST /release/NAME` first, `pause: NAME`
before a stream's end. `GET /asked` lists the prompts of all requests, accepted or not.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import socket
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from PIL import Image, ImageOps
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response, StreamingResponse

from support.imagery import fingerprint
from support.openai_oddities import KEY as KEY
from support.openai_oddities import oddity

USAGE: dict[str, Any] = {
    "input_tokens": 120, "output_tokens": 272, "total_tokens": 392,
    "input_tokens_details": {"text_tokens": 20, "image_tokens": 100},
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """How one server behaves. `mask_field`: the one that it reads; `deaf`: files that it takes and never reads.
    `multiple`: what its sizes must be divisible by, where it has no list of them."""

    fields: frozenset[str]
    image_fields: frozenset[str]
    mask_field: str = ""
    mask_form: str = "luma"
    deaf: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()
    multiple: int = 1
    most: int = 1
    models: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    key: str = ""


_EITHER = frozenset({"image", "image[]"})
KINDS = {
    "openai": Kind(
        fields=frozenset({
            "model", "prompt", "n", "size", "quality", "background", "input_fidelity", "output_format",
            "output_compression", "partial_images", "stream", "user", "safety_identifier",
        }),
        image_fields=_EITHER, mask_field="mask", mask_form="alpha", most=10, key=KEY,
        sizes=frozenset({"1024x1024", "1536x1024", "1024x1536", "auto"}),
        models=frozenset({"gpt-image-1", "gpt-image-2"}),
    ),
    "vllm-omni": Kind(
        fields=frozenset({"model", "prompt", "n", "size", "output_format", "seed"}),
        image_fields=_EITHER, mask_field="mask_image", multiple=16, most=10,
    ),
    "sdcpp": Kind(
        fields=frozenset({"model", "prompt", "n", "size", "output_format"}),
        image_fields=frozenset({"image[]"}), mask_field="mask", multiple=64, most=8,
    ),
    "sglang": Kind(
        fields=frozenset({"model", "prompt", "n", "size", "output_format", "seed", "response_format"}),
        image_fields=_EITHER, deaf=frozenset({"mask"}), multiple=16, needs=frozenset({"response_format"}),
    ),
    "generic": Kind(
        fields=frozenset({"model", "prompt", "n", "size", "response_format"}),
        image_fields=frozenset({"image"}), needs=frozenset({"response_format"}),
    ),
}  # fmt: skip
CHOICES = {
    "quality": {"auto", "low", "medium", "high"},
    "background": {"auto", "transparent", "opaque"},
    "input_fidelity": {"high", "low"},
    "output_format": {"png", "jpeg", "webp"},
    "stream": {"true", "false"},
    "response_format": {"b64_json"},
}


class Wrong(Exception):
    """A request the real API would refuse."""

    def __init__(self, message: str, param: str | None = None, code: str = "invalid_value", status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}


@dataclass(frozen=True)
class Form:
    fields: dict[str, str]
    pictures: list[Image.Image]
    keep: Image.Image | None
    """Grey, 255 where the picture is to stay."""


def create_simulator(kind: Kind = KINDS["openai"]) -> FastAPI:
    app = FastAPI()
    accepted: list[dict[str, Any]] = []
    prompts: list[str] = []
    gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
    arrived: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    @app.exception_handler(Wrong)
    async def on_wrong(request: Request, wrong: Wrong) -> Response:
        return JSONResponse({"error": wrong.error}, wrong.status)

    @app.get("/seen")
    async def seen() -> list[dict[str, Any]]:
        """What was accepted, for tests to read."""
        return accepted

    @app.get("/asked")
    async def asked() -> list[str]:
        return prompts

    @app.post("/release/{name}")
    async def release(name: str) -> None:
        gates[name].set()

    @app.post("/await/{name}")
    async def arrival(name: str) -> None:
        """Answers once the held request is here."""
        await arrived[name].wait()

    @app.post("/v1/elsewhere")
    async def elsewhere() -> None:
        """Where nobody may be led to: what comes here is a request with a key."""
        prompts.append("led elsewhere")

    @app.get("/v1/models")
    async def models(request: Request) -> Response:
        _check_key(request, kind)
        rows = [{"id": name, "object": "model"} for name in sorted(kind.models)]
        return JSONResponse({"object": "list", "data": rows})

    @app.post("/v1/images/edits")
    async def edits(request: Request) -> Response:
        _check_key(request, kind)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise Wrong("Unsupported content type.", code="unsupported_content_type")
        async with request.form() as form:
            read = await _read(form.multi_items(), kind)
        prompt, fields = read.fields["prompt"], read.fields
        prompts.append(prompt)
        command, _, name = prompt.partition(": ")
        if command == "simulate" or (command == "simulate once" and prompts.count(prompt) == 1):
            return oddity(name.partition(",")[0])
        if command == "hold":
            name, _, failure = name.partition(" then ")
            arrived[name].set()
            await gates[name].wait()
            if failure:
                return oddity(failure)
        size = fields.get("size", "auto")
        results = await asyncio.to_thread(lambda: [_edit(read, size) for _ in range(int(fields.get("n", "1")))])
        prints = [fingerprint(picture) for picture in read.pictures]
        accepted.append({**fields, "images": len(prints), "pictures": prints, "mask": read.keep is not None})
        if fields.get("stream") == "true":
            gate = gates[name] if command == "pause" else None
            return StreamingResponse(_events(read, results[0], gate), media_type="text/event-stream")
        return JSONResponse(_answer(results))

    return app


def _check_key(request: Request, kind: Kind) -> None:
    if kind.key and request.headers.get("authorization") != f"Bearer {kind.key}":
        raise Wrong("Incorrect API key provided.", code="invalid_api_key", status=401)


async def _read(items: Sequence[tuple[str, Any]], kind: Kind) -> Form:
    fields: dict[str, str] = {}
    pictures: list[Image.Image] = []
    mask: Image.Image | None = None
    for name, value in items:
        if isinstance(value, UploadFile):
            data = await value.read()
            if name in kind.image_fields:
                pictures.append(_picture(data, name))
            elif name == kind.mask_field:
                mask = _mask(data, kind)
            elif name not in kind.deaf:
                raise Wrong(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        else:
            if name not in kind.fields:
                raise Wrong(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
            if name in fields:
                raise Wrong(f"Duplicate parameter: '{name}'.", name)
            fields[name] = value
    _check(fields, kind)
    if not 1 <= len(pictures) <= 16:
        raise Wrong("Between 1 and 16 images are needed.", "image")
    if mask is not None and mask.size != pictures[0].size:
        raise Wrong("The mask must have the size of the first image.", "mask", "invalid_mask_image_format")
    return Form(fields, pictures, mask)


def _check(fields: dict[str, str], kind: Kind) -> None:
    for required in ("prompt", "model", *kind.needs):
        if not fields.get(required):
            raise Wrong(f"Missing required parameter: '{required}'.", required, "missing_required_parameter")
    for name, allowed in (CHOICES | ({"model": kind.models} if kind.models else {})).items():
        if name in fields and fields[name] not in allowed:
            raise Wrong(f"Invalid value: '{fields[name]}'.", name)
    if len(fields["prompt"]) > 32_000:
        raise Wrong("The prompt is too long.", "prompt", "string_above_max_length")
    numbers = (("n", 1, kind.most), ("output_compression", 0, 100), ("partial_images", 0, 3), ("seed", 0, 2**31 - 1))
    for name, low, high in numbers:
        if name in fields and not (fields[name].isdigit() and low <= int(fields[name]) <= high):
            raise Wrong(f"Invalid value: '{fields[name]}'.", name)
    size = fields.get("size", "auto")
    if kind.sizes and size not in kind.sizes:
        raise Wrong(f"Invalid value: '{size}'.", "size")
    if not kind.sizes and any(int(side) % kind.multiple for side in size.split("x")):
        raise Wrong(f"Sizes must be divisible by {kind.multiple}.", "size")
    if "partial_images" in fields and fields.get("stream") != "true":
        raise Wrong("partial_images goes with stream.", "partial_images")
    if fields.get("stream") == "true" and fields.get("n", "1") != "1":
        raise Wrong("A stream carries one image.", "n")
    if fields.get("background") == "transparent" and fields.get("output_format") == "jpeg":
        raise Wrong("A transparent background needs png or webp.", "background")
    if "input_fidelity" in fields and fields["model"] == "gpt-image-2":
        raise Wrong("Unsupported for this model.", "input_fidelity", "unsupported_parameter")


def _picture(data: bytes, name: str) -> Image.Image:
    if len(data) >= 50 * 10**6:
        raise Wrong("Image is over 50 MB.", name)
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
        image.load()
    except Exception as broken:
        raise Wrong("Invalid image file or mode.", name, "invalid_image_file") from broken
    return image


def _mask(data: bytes, kind: Kind) -> Image.Image:
    """Where to keep: grey, 255."""
    if kind.mask_form == "luma":
        return ImageOps.invert(_picture(data, "mask").convert("L"))
    if len(data) >= 4 * 10**6:
        raise Wrong("The mask must be under 4 MB.", "mask")
    image = _picture(data, "mask")
    if image.format != "PNG" or "A" not in image.getbands():
        raise Wrong("The mask must be a PNG with an alpha channel.", "mask", "invalid_mask_image_format")
    if image.getchannel("A").getextrema()[0] != 0:
        raise Wrong("The mask has no transparent area.", "mask", "invalid_mask_image_format")
    return image.getchannel("A")


def _edit(form: Form, size: str) -> bytes:
    target = (1024, 1024) if size == "auto" else tuple(int(side) for side in size.split("x"))
    source = form.pictures[0].convert("RGB").resize((target[0], target[1]), Image.Resampling.BILINEAR)
    result = ImageOps.invert(source)
    if form.keep is not None:  # the real model redraws everything, roughly: the kept part comes back slightly off
        result = Image.composite(source.point(lambda v: min(255, v + 3)), result, form.keep.resize(result.size))
    out = io.BytesIO()
    result.save(out, form.fields.get("output_format", "png"))
    return out.getvalue()


def _answer(results: list[bytes]) -> dict[str, Any]:
    data = [{"b64_json": base64.b64encode(r).decode()} for r in results]
    return {"created": int(time.time()), "data": data, "usage": USAGE, "output_format": "png"}


async def _events(form: Form, result: bytes, gate: asyncio.Event | None) -> AsyncIterator[bytes]:
    """Unfinished pictures are small, as here; chunks end where the network likes. `gate` holds the finished one."""
    common = {"created_at": int(time.time()), "size": form.fields["size"], "quality": "low", "background": "opaque"}
    stream = b": keep-alive\r\n\r\n"
    for index in range(int(form.fields.get("partial_images", "0"))):
        preview = base64.b64encode(_edit(form, "96x96")).decode()
        event = {"type": "image_edit.partial_image", "b64_json": preview, "partial_image_index": index, **common}
        stream += f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
    if gate is not None:
        yield stream
        stream = b""
        await gate.wait()
    done = {"type": "image_edit.completed", "b64_json": base64.b64encode(result).decode(), "usage": USAGE, **common}
    stream += f"event: {done['type']}\r\ndata: {json.dumps(done)}\r\n\r\n".encode()
    for start in range(0, len(stream), 50_001):
        yield stream[start : start + 50_001]


@contextmanager
def simulated(kind: str = "openai", **changes: Any) -> Iterator[str]:
    """In a thread of this process; its base URL, with `/v1`. `changes` of the kind."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_simulator(replace(KINDS[kind], **changes)), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def told(url: str, what: str = "seen") -> list[Any]:
    """What a simulator accepted (`seen`), or all prompts it was sent (`asked`)."""
    answer: list[Any] = json.loads(urllib.request.urlopen(f"{url.removesuffix('/v1')}/{what}").read())
    return answer


if __name__ == "__main__":
    chosen = KINDS[sys.argv[2] if len(sys.argv) > 2 else "openai"]
    uvicorn.run(create_simulator(chosen), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
