"""`POST {base}/models/{model}:generateContent`: words and inline pictures out, an inline picture back.

Reference: Gemini API v1beta. There is no mask: a masked edit is refused, never sent without it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import aiohttp
import structlog

from tollbrush.domain.edits import Size
from tollbrush.engines.google import answers, questions
from tollbrush.engines.interface import Capabilities, EditedImage, EditInput, EditOutput
from tollbrush.errors import EditTimeout, UnsupportedParameter, UpstreamFailed
from tollbrush.settings import GoogleSettings

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels
    from tollbrush.imaging.bare import Bare

    Understood = tuple[Pixels | Bare, dict[str, int]]

_log: Final = structlog.get_logger(__name__)

_SQUARES: Final = (Size(1024, 1024), Size(2048, 2048), Size(4096, 4096))
_AT_ONCE: Final = 4
"""Calls of one edit in flight: one call makes one picture."""
_MAX_ANSWER: Final = 128 * 2**20
_PIECE: Final = 2**18


class GoogleEngine:
    """Serves the Gemini image models. One connection pool per process; nothing is retried: a request that was sent
    may have been consumed."""

    name = "google"

    def __init__(self, settings: GoogleSettings) -> None:
        self._settings = settings
        self._http: aiohttp.ClientSession | None = None
        self._alarm: str | None = None

    def capabilities(self, upstream: str) -> Capabilities:
        return Capabilities(
            fixed_sizes=_SQUARES if upstream.startswith(questions.PRO) else _SQUARES[:1],
            generative=True,
            masks=False,
            variations=True,
            max_sources=3,
            mask_form="none",
            time_limit=self._settings.timeout_seconds,
            width=64,
            files=True,
        )

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        return None

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        """All `n` pictures or none. Raises UnsupportedParameter, ContentRefused, RateLimited, UpstreamFailed,
        EditTimeout."""
        if request.mask is not None:
            raise UnsupportedParameter("Google's models take no mask.", path="mask")
        body = await asyncio.to_thread(questions.ask, upstream, request)
        turns = asyncio.Semaphore(_AT_ONCE)
        understand = partial(answers.read, takes=request.takes, size=request.size)
        calls = [asyncio.create_task(self._call(upstream, body, turns, understand)) for _ in range(request.n)]
        del body  # the calls hold it until they have sent it
        try:
            made = await asyncio.gather(*calls)
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        usage: Counter[str] = Counter()
        for _, tokens in made:
            usage.update(tokens)
        return EditOutput(tuple(EditedImage(content) for content, _ in made), dict(usage))

    async def start(self) -> None:
        key = self._settings.api_key.get_secret_value()
        self._http = aiohttp.ClientSession(headers={"x-goog-api-key": key, "Content-Type": "application/json"})

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    def alarms(self) -> Mapping[str, str]:
        """A key that was refused, until one is taken."""
        return {} if self._alarm is None else {"google": self._alarm}

    async def _call(
        self, upstream: str, body: bytes, turns: asyncio.Semaphore, understand: Callable[[bytes], Understood]
    ) -> Understood:
        async with turns:
            pieces, length = _pieces(body), len(body)
            del body
            status, headers, answer = await self._post(upstream, pieces, length)
        if status != 200:
            if answers.refuses_key(status, answer):
                self._alarm = f"Google refuses the key (HTTP {status}): set another"
                _log.error("google refuses this gateway's key", status=status, model=upstream)
            raise answers.failure(status, headers, answer)
        self._alarm = None
        return await asyncio.to_thread(understand, answer)

    async def _post(
        self, upstream: str, pieces: AsyncIterator[bytes], length: int
    ) -> tuple[int, dict[str, str], bytes]:
        assert self._http is not None, "start() comes first"
        url = f"{self._settings.base_url.rstrip('/')}/models/{upstream}:generateContent"
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout_seconds, connect=15)
        sized = {"Content-Length": str(length)}
        try:
            async with self._http.post(
                url, data=pieces, headers=sized, timeout=timeout, allow_redirects=False
            ) as response:
                answer = await _read(response.content)
                headers = {name.lower(): value for name, value in response.headers.items()}
        except TimeoutError as late:
            raise EditTimeout(f"Google did not answer within {self._settings.timeout_seconds:.0f} s.") from late
        except aiohttp.ClientError as broken:
            raise UpstreamFailed(f"Google could not be reached ({type(broken).__name__}).") from broken
        return response.status, headers, answer


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """The body bit by bit; nobody holds it once the last bit is gone."""
    for at in range(0, len(body), _PIECE):
        yield body[at : at + _PIECE]


async def _read(content: aiohttp.StreamReader) -> bytes:
    chunks, size = [], 0
    async for chunk in content.iter_any():
        size += len(chunk)
        if size > _MAX_ANSWER:
            raise UpstreamFailed(f"Google's answer is over {_MAX_ANSWER:,} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)
