"""`POST {base}/images/edits`: multipart out, base64 pictures back.

Reference: OpenAI API, "Create image edit". A mask travels as a PNG whose alpha 0 marks what to edit.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import aiohttp

from tollbrush.domain.edits import Size
from tollbrush.engines.interface import Capabilities, EditedImage, EditInput, EditOutput
from tollbrush.engines.openai.answers import failure, read
from tollbrush.errors import EditTimeout, UpstreamFailed
from tollbrush.imaging.codec import encode
from tollbrush.imaging.masks import to_alpha_png
from tollbrush.settings import OpenAISettings

_SIZES: Final = (Size(1024, 1024), Size(1536, 1024), Size(1024, 1536))
_MAX_ANSWER: Final = 256 * 2**20


class OpenAIEngine:
    """Serves the gpt-image models. One connection pool per process; nothing is retried: a request that was sent may
    have been consumed."""

    name = "openai"

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._http: aiohttp.ClientSession | None = None

    def capabilities(self, upstream: str) -> Capabilities:
        return Capabilities(
            fixed_sizes=_SIZES,
            generative=True,
            masks=True,
            variations=True,
            max_sources=4,
            alpha=True,
            mask_form="alpha",
            time_limit=self._settings.timeout_seconds,
            width=64,
        )

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        return None

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        """Raises ContentRefused, RateLimited, UpstreamFailed, EditTimeout."""
        form = await asyncio.to_thread(self._form, upstream, request)
        status, headers, body = await self._post(form)
        if status != 200:
            raise failure(status, headers, body)
        pictures, usage = await asyncio.to_thread(read, body, request.n)
        return EditOutput(tuple(EditedImage(p) for p in pictures), usage)

    async def start(self) -> None:
        key = self._settings.api_key.get_secret_value()
        self._http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"})

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    def _form(self, upstream: str, request: EditInput) -> aiohttp.FormData:
        form = aiohttp.FormData(default_to_multipart=True)
        fields: dict[str, Any] = {
            "model": upstream,
            "prompt": request.prompt,
            "size": str(request.size),
            "n": request.n,
            "quality": self._settings.quality,
            "output_format": "png",
        }
        for name, value in fields.items():
            form.add_field(name, str(value))
        for i, pixels in enumerate(request.sources):
            form.add_field("image[]", encode(pixels, "png"), filename=f"image-{i}.png", content_type="image/png")
        if request.mask is not None:
            form.add_field("mask", to_alpha_png(request.mask), filename="mask.png", content_type="image/png")
        return form

    async def _post(self, form: aiohttp.FormData) -> tuple[int, dict[str, str], bytes]:
        assert self._http is not None, "start() comes first"
        url = self._settings.base_url.rstrip("/") + "/images/edits"
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout_seconds, connect=15)
        try:
            async with self._http.post(url, data=form, timeout=timeout, allow_redirects=False) as response:
                body = await _read(response.content)
                headers = {name.lower(): value for name, value in response.headers.items()}
        except TimeoutError as late:
            raise EditTimeout(f"OpenAI did not answer within {self._settings.timeout_seconds:.0f} s.") from late
        except aiohttp.ClientError as broken:
            raise UpstreamFailed(f"OpenAI could not be reached ({type(broken).__name__}).") from broken
        return response.status, headers, body


async def _read(content: aiohttp.StreamReader) -> bytes:
    chunks, size = [], 0
    async for chunk in content.iter_any():
        size += len(chunk)
        if size > _MAX_ANSWER:
            raise UpstreamFailed(f"OpenAI's answer is over {_MAX_ANSWER:,} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)
