"""A replica's answers: an edit in, a stream of events out. Knows HTTP and the models, but not Ray."""

from __future__ import annotations

import asyncio
import hmac
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Final

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.diffusion.ray.failures import failed
from tollbrush.engines.diffusion.ray.messages import (
    MEDIA_TYPE,
    MOST_BODY,
    VERSION,
    VERSION_HEADER,
    BadMessage,
    Began,
    Done,
    Event,
    Failed,
    Made,
    Picture,
    Step,
    Waiting,
    decode_edit,
    encode_event,
)
from tollbrush.engines.diffusion.ray.residents import Gone, Resident
from tollbrush.engines.interface import EditInput, EditOutput, Progress
from tollbrush.errors import BadSettings, EditTimeout, EngineFailed, JobCancelled, TollbrushError

_log: Final = structlog.get_logger(__name__)

_HEARTBEAT: Final = 5.0
"""Seconds of silence after which a replica says that it is alive."""


class Replica:
    """`resident` gives a model once it is loaded. `width`: edits at a time. `slower`: the models that run in a slower
    way than they were to, and why. `check` looks at the device after an edit that failed. An edit that nobody waits for
    any more, or whose time is over, stops within a step."""

    def __init__(
        self,
        name: str,
        models: Models,
        names: Sequence[str],
        resident: Callable[[str], Awaitable[Resident]],
        *,
        secret: str = "",
        width: int = 4,
        slower: Mapping[str, str] | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._name, self._models, self._names = name, models, tuple(names)
        self._resident, self._secret = resident, secret.encode()
        self._threads, self._check = ThreadPoolExecutor(width, "edit"), check
        self._slower = {} if slower is None else slower

    async def respond(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        match request.method, request.url.path.rpartition("/")[2]:
            case "GET", "models":
                return Response(msgspec.json.encode(self._names), media_type="application/json")
            case "POST", "edit":
                return await self._edit(request)
        return PlainTextResponse("There is nothing here.", 404)

    def _refusal(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if self._secret and not hmac.compare_digest(given, self._secret):
            return PlainTextResponse("The secret is another.", 401)
        if (spoken := request.headers.get(VERSION_HEADER, "none")) != VERSION:
            words = f"The gateway speaks version {spoken[:8]} and the cluster {VERSION}: run one release on both."
            return PlainTextResponse(words, 400)
        return None

    async def _edit(self, request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            return PlainTextResponse("Say the length.", 411)
        if int(length) > MOST_BODY:
            return PlainTextResponse(f"An edit has at most {MOST_BODY:,} bytes.", 413)
        body = await request.body()
        try:
            edit = await asyncio.to_thread(decode_edit, body)
            given = await asyncio.to_thread(edit.input)
        except BadMessage as wrong:
            return PlainTextResponse(f"This is {wrong}", 400)
        if edit.model not in self._names:
            return PlainTextResponse(f"There is no model {edit.model[:80]!r} here: deploy again.", 409)
        return StreamingResponse(self._stream(edit.model, given, edit.seconds), media_type=MEDIA_TYPE)

    async def _stream(self, model: str, given: EditInput, seconds: float) -> AsyncIterator[bytes]:
        async with aclosing(self._events(model, given, seconds)) as events:
            async for event in events:
                yield await asyncio.to_thread(encode_event, event) if isinstance(event, Made) else encode_event(event)

    async def _events(self, model: str, given: EditInput, seconds: float) -> AsyncGenerator[Event]:
        said: asyncio.Queue[Event] = asyncio.Queue()
        loop, gone, until = asyncio.get_running_loop(), threading.Event(), time.monotonic() + seconds
        left = until  # when nobody waited for it any more

        def report(progress: Progress) -> None:  # in the pipeline's thread
            shown = None if progress.preview is None else Picture.of(progress.preview)
            step = Step(progress.fraction, progress.index, shown)
            loop.call_soon_threadsafe(said.put_nowait, step)

        def cancelled() -> bool:
            return gone.is_set() or time.monotonic() > until

        def edit(resident: Resident) -> EditOutput:
            with resident.used():
                try:
                    return self._models.edit(model, given, report=report, cancelled=cancelled)
                except JobCancelled:
                    _log.info("an edit was stopped", model=model, seconds=round(time.monotonic() - left, 3))
                    raise
                except EngineFailed:
                    self._check()
                    raise

        async def work() -> None:
            async with asyncio.timeout(seconds):
                output = await self._with_model(model, edit)
            for image in output.images:
                said.put_nowait(Made(Picture.of(image.pixels), image.revised_prompt, image.seed))
            said.put_nowait(Done(dict(output.usage), self._slower.get(model, "")))

        yield Began(self._name)
        working = asyncio.create_task(work())
        working.add_done_callback(lambda task: _tell_failure(task, model, said))
        try:
            while True:
                try:
                    async with asyncio.timeout(_HEARTBEAT):
                        event = await said.get()
                except TimeoutError:
                    event = Waiting()
                yield event
                if isinstance(event, Done | Failed):
                    return
        finally:
            left = min(left, time.monotonic())
            gone.set()
            working.cancel()

    async def _with_model(self, model: str, edit: Callable[[Resident], EditOutput]) -> EditOutput:
        """Again where the model had to leave between its loading and the edit."""
        while True:
            loading = asyncio.ensure_future(self._resident(model))
            resident = await asyncio.shield(loading)  # others wait for it too, whoever asked first
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, edit, resident)
            except Gone:
                continue


def _tell_failure(work: asyncio.Task[None], model: str, said: asyncio.Queue[Event]) -> None:
    error = None if work.cancelled() else work.exception()
    if error is None:
        return
    if isinstance(error, TimeoutError | JobCancelled):  # whoever else cancels does not listen any more
        error = EditTimeout("The edit's time was over before it was done.")
    if isinstance(error, BadSettings):
        _log.error("a model cannot be loaded", model=model, error=error.sentence())
    elif not isinstance(error, TollbrushError):
        _log.error("an edit failed", model=model, exc_info=error)
        error = EngineFailed(f"{model} failed at this edit ({type(error).__name__}).")
    said.put_nowait(failed(error))
