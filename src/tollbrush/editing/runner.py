"""The work of one edit: prepare → engine → finish → host, within its time limit, leaving nothing behind on failure."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Final, Self, TypeGuard

import structlog

from tollbrush.domain.catalog import Model
from tollbrush.domain.changed import changed
from tollbrush.domain.edits import MAX_N, MAX_SEED, EditRequest, Size
from tollbrush.domain.jobs import HostedImage
from tollbrush.editing.pixels import Finished, Prepared, finish, prepare
from tollbrush.editing.progress import Preview, Track, thumbnail
from tollbrush.editing.queue import Turnstile
from tollbrush.editing.shelf import waiting
from tollbrush.engines.interface import Capabilities, EditedImage, Engine, Progress, Reframing
from tollbrush.errors import EditTimeout, EngineFailed, InternalError, TollbrushError
from tollbrush.imaging.codec import Pixels
from tollbrush.imaging.header import sniff
from tollbrush.settings import LimitSettings
from tollbrush.storage.interface import ImageStore, new_key

_log: Final = structlog.get_logger(__name__)

Record = Callable[[tuple[HostedImage, ...]], Awaitable[None]]


@dataclass(frozen=True)
class Result:
    """The hosted pictures, and what the engine consumed for them."""

    images: tuple[HostedImage, ...]
    usage: Mapping[str, int] = field(default_factory=dict)


class Runner:
    """Pixel work (`prepare`, `finish`) runs in threads: the libraries release the GIL."""

    def __init__(
        self,
        images: ImageStore,
        *,
        limits: LimitSettings,
        prepare: Callable[[EditRequest, Capabilities, Size | None, LimitSettings, Size | None], Prepared] = prepare,
        finish: Callable[[Prepared, EditedImage], Finished] = finish,
    ) -> None:
        self._images, self._limits = images, limits
        self._prepare, self._finish = prepare, finish
        self.turnstile = Turnstile(per_engine=limits.queued_per_engine, in_all=limits.queued)

    async def run(
        self,
        job_id: str,
        engine: Engine,
        model: Model,
        size: Size,
        request: EditRequest,
        record: Record,
        *,
        track: Track,
        seconds: float,
    ) -> Result:
        """The hosted results, one per `n`; `record` gets them before there is any file, so that what a crash leaves is
        known. `track` hears how it goes. `size` is the one that was priced; `seconds` are left to the job, waiting
        included. Raises from the error tree only; what nobody foresaw becomes an InternalError with an opaque id that
        the log explains."""
        caps = engine.capabilities(model.upstream)
        own = caps.time_limit * request.n
        try:
            async with (
                asyncio.timeout(max(0.0, seconds)),
                waiting(request.sources),
                self.turnstile.turn(engine, job_id, caps.width),
            ):
                async with asyncio.timeout(own):
                    finished, usage = await self._edit(engine, model, size, request, track)
                return Result(await self._host(finished, record), usage)
        except TimeoutError as failure:
            limit = min(seconds, own)
            raise EditTimeout(f"The edit ran past its limit of {limit:.0f} s.") from failure
        except TollbrushError:
            raise
        except Exception as failure:
            opaque = secrets.token_hex(8)
            _log.exception("edit failed", id=opaque, model=model.id)
            raise InternalError(f"the edit failed on our side (id {opaque}).", extra={"id": opaque}) from failure

    async def _edit(
        self, engine: Engine, model: Model, size: Size, request: EditRequest, track: Track
    ) -> tuple[list[Finished], Mapping[str, int]]:
        seed = secrets.randbelow(MAX_SEED - MAX_N) if request.seed is None else request.seed
        caps = engine.capabilities(model.upstream)
        works_at = size if caps.fixed_sizes else None
        frame = None
        if request.mask is None and _reframes(engine):
            source = sniff(request.sources[0], max_pixels=self._limits.image_pixels).upright
            frame = engine.reframe(request.prompt, source)
        make = partial(self._prepare, changed(request, seed=seed), caps, works_at, self._limits, frame)
        prepared = await asyncio.to_thread(make)
        recall = _recall(prepared, make) if caps.remote else partial(_itself, prepared)
        async with _Previews(recall, track) as previews:
            given = changed(prepared.input, report=previews.hear, again=(lambda: make().input) if caps.remote else None)
            editing = engine.edit(model.upstream, given)
            del prepared, given  # from here on they are the engine's, to let go
            output = await editing
        if len(output.images) != request.n:
            raise EngineFailed(f"{model.id} answered {len(output.images)} pictures instead of {request.n}.")
        return await asyncio.to_thread(self._finish_all, recall, output.images), output.usage

    def _finish_all(self, recall: Callable[[], Prepared], images: Sequence[EditedImage]) -> list[Finished]:
        prepared = recall()
        return [self._finish(prepared, image) for image in images]

    async def _host(self, finished: Sequence[Finished], record: Record) -> tuple[HostedImage, ...]:
        hosted = tuple(
            HostedImage(
                key=new_key(f.mime_type),
                mime_type=f.mime_type,
                width=f.width,
                height=f.height,
                sha256=f.sha256,
                seed=f.seed,
                revised_prompt=f.revised_prompt,
                preserved=f.preserved,
                edited_fraction=f.edited_fraction,
            )
            for f in finished
        )
        await record(hosted)
        writing = asyncio.create_task(self._write(hosted, finished))
        try:
            await asyncio.shield(writing)
        except (Exception, asyncio.CancelledError):
            # Whoever cancels, however often, does not stop a write that has begun: only after it is there something
            # to remove.
            while not writing.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({writing})
            await self.discard(hosted)
            raise
        return hosted

    async def _write(self, hosted: Sequence[HostedImage], finished: Sequence[Finished]) -> None:
        for image, f in zip(hosted, finished, strict=True):
            await self._images.put(image.key, f.data)

    async def discard(self, hosted: Sequence[HostedImage]) -> None:
        for image in hosted:
            await self._images.delete(image.key)


def _reframes(engine: Engine) -> TypeGuard[Reframing]:
    return _has_frames(type(engine))


@cache
def _has_frames(kind: type[Engine]) -> bool:
    """Once a kind: a protocol looks at all its names each time it is asked."""
    return issubclass(kind, Reframing)


def _recall(prepared: Prepared, make: Callable[[], Prepared]) -> Callable[[], Prepared]:
    """What finishing needs, without its pixels waiting in memory while another machine works: where it needs them
    they are made again from the encoded source, which weighs a tenth."""
    light = prepared.light()
    return make if light is None else partial(_itself, light)


def _itself(prepared: Prepared) -> Prepared:
    return prepared


class _Previews:
    """Passes an engine's reports on: fractions at once, pictures when they are thumbnails, in the order they came."""

    def __init__(self, recall: Callable[[], Prepared], track: Track) -> None:
        self._recall, self._track = recall, track
        self._turn, self._tasks = asyncio.Lock(), set[asyncio.Task[None]]()

    def hear(self, progress: Progress) -> None:
        self._track.advance(progress.fraction)
        if progress.preview is not None and (number := self._track.number(progress.index)) is not None:
            self._tasks.add(asyncio.create_task(self._show(progress.index, number, progress.preview)))

    async def _show(self, image: int, number: int, pixels: Pixels) -> None:
        async with self._turn:
            data, size = await asyncio.to_thread(lambda: thumbnail(self._recall(), pixels))
        self._track.show(Preview(image, number, data, size))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Shows what is still to be shown; after a failure nobody needs it."""
        if not self._tasks:
            return
        for task in self._tasks if kind else ():
            task.cancel()
        for failure in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(failure, Exception):
                _log.warning("a preview could not be shown", error=str(failure))
