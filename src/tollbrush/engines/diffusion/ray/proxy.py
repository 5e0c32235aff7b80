"""One of Serve's HTTP proxies: an edit asked of it, and whether it is well.

What Serve does when a replica dies was found by experiment: before the answer began a bare 500, after that a
connection that breaks off. It refuses with 503 what would wait in too long a line.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
import structlog

from tollbrush.domain.breaker import Breaker
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion import slower
from tollbrush.engines.diffusion.ray import problems
from tollbrush.engines.diffusion.ray.address import ROUTE
from tollbrush.engines.diffusion.ray.failures import error, hidden
from tollbrush.engines.diffusion.ray.frames import Frames, FrameTooLong
from tollbrush.engines.diffusion.ray.messages import (
    MEDIA_TYPE,
    VERSION,
    VERSION_HEADER,
    BadMessage,
    Began,
    Done,
    Event,
    Failed,
    Made,
    Step,
    decode_event,
)
from tollbrush.engines.interface import EditedImage, EditOutput, Progress, Report
from tollbrush.errors import TollbrushError, Unavailable, UpstreamFailed

_log: Final = structlog.get_logger(__name__)

_CONNECT_SECONDS: Final = 10.0
_CHECK_SECONDS: Final = 10.0
_MOST_SAID: Final = 2**16
_LEAST_PIXELS: Final = 2**22
"""A preview may be larger than a small answer."""
_MODEL_HEADER: Final = "serve-multiplexed-model-id"
_BUSY_WAIT: Final = 5


class Lost(Exception):
    """No answer came, and nothing was delivered. `error`: what the caller hears unless another try succeeds.
    `reached`: a replica may have worked on it."""

    def __init__(self, error: TollbrushError, *, reached: bool = True) -> None:
        super().__init__(error.message)
        self.error, self.reached = error, reached


class Proxy:
    """A member of a fleet."""

    def __init__(self, url: str, *, secret: str, width: int, stalled_seconds: float) -> None:
        self._url, self._stalled_seconds = url, stalled_seconds
        self._headers = {"Accept-Encoding": "identity", VERSION_HEADER: VERSION}
        if secret:
            self._headers["Authorization"] = f"Bearer {secret}"
        self.label = urlsplit(url).netloc
        self.breaker = Breaker(Lost)
        self.well = True
        self.outstanding = self.served = 0
        self.width = width
        self.alarm: str | None = None
        self._problem: str | None = None
        self._unready = set[str]()
        self._slower = dict[str, str]()
        self._introduced = False

    async def ask(
        self, http: aiohttp.ClientSession, model: str, body: bytes, size: Size, n: int, report: Report
    ) -> EditOutput:
        """`n` images of this size. Raises Lost, and from the error tree what the replica says."""
        headers = self._headers | {"Content-Type": MEDIA_TYPE, _MODEL_HEADER: model}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
        url = f"{self._url}{ROUTE}/edit"
        try:
            async with http.post(url, data=body, headers=headers, timeout=timeout, allow_redirects=False) as response:
                del body  # it is sent, or soon will be, and weighs megabytes
                if response.status != 200:
                    raise await self._refused(response)
                self._tell(None)
                return await self._collect(response.content, model, size, n, report)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as nobody:
            self._tell(f"it cannot be reached ({type(nobody).__name__})")
            raise Lost(Unavailable("The GPUs cannot be reached."), reached=False) from nobody
        except aiohttp.ClientError as broken:
            raise _died() from broken

    def slow(self) -> Mapping[str, str]:
        """The models that are slower there than they were to be, in words for the operator."""
        return {model: slower.alarm(model) for model in self._slower}

    async def check(self, http: aiohttp.ClientSession, models: Iterable[str]) -> None:
        """Whether the proxy is there and has the application. Which models that serves is asked once, because asking
        it keeps a replica awake."""
        problem: str | None
        try:
            async with http.get(f"{self._url}/-/routes", timeout=_within()) as response:
                routes = await _read(response) if response.status == 200 else b""
            problem = problems.of_routes(response.status, routes)
            if problem is None and not self._introduced:
                problem = await self._introduce(http, models)
        except (TimeoutError, aiohttp.ClientError) as failure:
            problem = f"it cannot be reached ({type(failure).__name__})"
            self._introduced = False
        self.well = problem is None
        self._tell(problem)

    async def _introduce(self, http: aiohttp.ClientSession, models: Iterable[str]) -> str | None:
        try:
            async with http.get(f"{self._url}{ROUTE}/models", headers=self._headers, timeout=_within()) as response:
                said = await _read(response)
        except TimeoutError:
            return None  # it waits behind edits; the next check asks again
        if response.status == 503:
            return None
        if response.status != 200:
            return problems.of_answer(response.status, said)
        try:
            there = frozenset(msgspec.json.decode(said, type=list[str]))
        except msgspec.DecodeError:
            return "something else answers there"
        missing = sorted(set(models) - there)
        self._introduced = not missing
        return f"it does not have {', '.join(missing)}: `tollbrush ray deploy` again" if missing else None

    async def _refused(self, response: aiohttp.ClientResponse) -> Exception:
        said = await _read(response)
        if response.status in (429, 503):
            wait = response.headers.get("Retry-After", "")
            seconds = int(wait) if re.fullmatch(r"[0-9]{1,4}", wait, re.ASCII) else _BUSY_WAIT
            return Unavailable("All GPUs are busy.", retry_after=max(1, seconds))
        if (problem := problems.of_answer(response.status, said)) is not None:
            self._tell(problem)
            return Lost(Unavailable("The GPUs are not set up.", retry_after=60), reached=False)
        return _died()

    async def _collect(
        self, content: aiohttp.StreamReader, model: str, size: Size, n: int, report: Report
    ) -> EditOutput:
        images: list[EditedImage] = []
        try:
            async for event in self._events(content, size):
                match event:
                    case Began(replica):
                        _log.debug("an edit began", proxy=self.label, replica=replica)
                    case Step(fraction, index, preview):
                        shown = None if preview is None else preview.pixels()
                        report(Progress(fraction, shown, min(index, n - 1)))
                    case Made(picture, revised_prompt, seed):
                        if (picture.width, picture.height) != (size.width, size.height):
                            raise BadMessage(f"a picture of {picture.width}x{picture.height} instead of {size}.")
                        images.append(EditedImage(picture.pixels(), revised_prompt, seed))
                    case Done(usage, why_slower):
                        if len(images) != n:
                            raise BadMessage(f"{len(images)} pictures instead of {n}.")
                        self._hear(model, ready=True)
                        self._hear_pace(model, why_slower)
                        return EditOutput(tuple(images), usage)
                    case Failed():
                        self._hear(model, ready=not hidden(event))
                        raise error(event)
        except (BadMessage, FrameTooLong) as wrong:
            _log.error("a replica said what makes no sense", proxy=self.label, problem=str(wrong))
            raise Lost(UpstreamFailed("The GPUs' answer makes no sense.")) from wrong
        raise _died()

    async def _events(self, content: aiohttp.StreamReader, size: Size) -> AsyncIterator[Event]:
        frames = Frames(max(_LEAST_PIXELS, size.pixels) * 4 + _MOST_SAID)
        while True:
            try:
                async with asyncio.timeout(self._stalled_seconds):
                    chunk = await content.readany()
            except TimeoutError as silent:
                words = f"The GPU at work said nothing for {self._stalled_seconds:.0f} s."
                raise Lost(UpstreamFailed(words)) from silent
            if not chunk:
                return
            for message in frames.feed(chunk):
                yield decode_event(message)

    def _hear(self, model: str, *, ready: bool) -> None:
        """Of a replica: whether it has this model."""
        (self._unready.discard if ready else self._unready.add)(model)
        self._tell(self._problem)

    def _hear_pace(self, model: str, why: str) -> None:
        """Of a replica: whether the model is slower there than it was to be."""
        if not why:
            self._slower.pop(model, None)
        elif self._slower.get(model) != why:
            self._slower[model] = why
            slower.tell(_log, model, why, proxy=self.label)

    def _tell(self, problem: str | None) -> None:
        """Said once, loudly, when it begins and when it ends."""
        self._problem = problem
        unready = f"it cannot load {', '.join(sorted(self._unready))}: the replicas' log says why"
        alarm = problem or (unready if self._unready else None)
        if alarm != self.alarm:
            if alarm is not None:
                _log.error("the Ray cluster needs its operator", proxy=self.label, problem=alarm)
            else:
                _log.info("the Ray cluster is well again", proxy=self.label)
        self.alarm = alarm


def _died() -> Lost:
    return Lost(UpstreamFailed("The GPU's process ended in the middle of the edit."))


def _within() -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=_CHECK_SECONDS)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of an answer; an error page may be long."""
    return await response.content.read(_MOST_SAID)
