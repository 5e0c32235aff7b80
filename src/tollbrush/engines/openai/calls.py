"""One request, from the choice of a server to its pictures; and again where nobody can have worked on it."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import aiohttp
import structlog

from tollbrush.domain.edits import OutputFormat, Size
from tollbrush.engines.fleet import Fleet
from tollbrush.engines.interface import EditedImage, EditOutput, Progress, Report
from tollbrush.engines.openai.answers import Partial, Picture, Sick, Trouble, content
from tollbrush.engines.openai.asked import Asked, Source
from tollbrush.engines.openai.forms import Form, build
from tollbrush.engines.openai.upstream import Upstream
from tollbrush.errors import TollbrushError, UpstreamFailed
from tollbrush.imaging.bare import Bare
from tollbrush.settings import OpenAISettings

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

_log: Final = structlog.get_logger(__name__)

_FIRST_PAUSE: Final = 0.5
_LEAST_ANSWER: Final = 32 * 2**20
_BYTES_A_PIXEL: Final = 8
"""Of an answer: four where nothing compresses, a third more for base64, and some room."""

T = TypeVar("T")

Hear = Callable[[float, "Pixels | None"], None]
"""The fraction done of one request, and its unfinished picture."""


class Told:
    """Progress of an edit that is asked for in `parts`: the mean of theirs."""

    def __init__(self, report: Report, parts: int) -> None:
        self._report, self._shares = report, [0.0] * parts

    def hear(self, index: int, fraction: float, preview: Pixels | None) -> None:
        self._shares[index] = max(self._shares[index], fraction)
        self._report(Progress(sum(self._shares) / len(self._shares), preview, index))


@dataclass
class Call:
    """`until` is the event loop's time at which it must have ended."""

    http: aiohttp.ClientSession
    settings: OpenAISettings
    fleet: Fleet[Upstream]
    asked: Asked
    source: Source
    hear: Hear
    until: float
    sleep: Callable[[float], Awaitable[object]]
    _ready: dict[Upstream, float] = field(default_factory=dict)
    _avoided: set[Upstream] = field(default_factory=set)
    _troubles: list[Trouble] = field(default_factory=list)
    _tries: int = 0
    _patience: float = 0.0
    _woken: float = 0.0

    async def run(self) -> EditOutput:
        """Raises from the error tree."""
        self._patience = self.settings.patience_seconds
        built: tuple[Upstream, Form] | None = None
        while True:
            upstream = self.fleet.choose(self.asked.rank, self._avoided)
            if (early := self._ready.get(upstream, 0.0) - self._now()) > 0:  # who was to be asked is left alone
                if not self._may_wait(early):
                    raise self._told(self._troubles[-1])
                await self.sleep(early)
            try:
                with self.fleet.at_work(upstream):
                    if built is None or built[0] is not upstream or not built[1].body.whole:
                        built = upstream, await self._build(upstream)
                    output = await self._ask(upstream, built[1])
            except Trouble as trouble:
                self._troubles.append(trouble)
                pause = self._pause(upstream, trouble)
                if pause is None:
                    raise self._told(trouble) from trouble
                _log.info("asking again", upstream=upstream.label, problem=str(trouble), seconds=round(pause, 1))
                await self.sleep(pause)
            else:
                self.hear(1.0, None)
                return output

    async def _build(self, upstream: Upstream) -> Form:
        pixels_of, fields = self.source.take(), self.asked.fields(upstream, self.settings)
        return await asyncio.to_thread(lambda: build(upstream.profile, fields, pixels_of()))

    async def _ask(self, upstream: Upstream, form: Form) -> EditOutput:
        async def heard(partial: Partial) -> None:
            expected = min(self.asked.previews, upstream.profile.previews) + 1
            try:
                preview = await asyncio.to_thread(_glimpse, form, Picture(partial.b64))
            except Trouble as broken:  # the finished one may be whole all the same
                _log.info("a preview was broken", upstream=upstream.label, problem=str(broken))
            else:
                self.hear(min((partial.number + 1) / expected, 1.0), preview)

        size = upstream.profile.works_at(self.asked.size)
        n, seconds = self.asked.n, self.settings.timeout_seconds * self.asked.n
        answer = await upstream.ask(
            self.http, form.body, n, most=_most(size, n), until=self.until, seconds=seconds, heard=heard
        )
        finish = partial(_finish, form, takes=self.asked.takes, seed=self.asked.seed)
        images = [await asyncio.to_thread(finish, picture) for picture in answer.pictures]
        return EditOutput(tuple(images), answer.usage)

    def _pause(self, upstream: Upstream, trouble: Trouble) -> float | None:
        """Seconds until the next try, at whoever may be asked soonest; None: there must not be one."""
        self._tries += 1
        if trouble.spent or self._tries > self.settings.retries + len(self.fleet.members) - 1:
            return None
        now = self._now()
        wait = _FIRST_PAUSE * 2**self._tries * random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers, keeps no secret
        self._ready[upstream] = math.inf if trouble.alarm is not None else now + wait + (trouble.wait or 0)
        soonest = min(
            max(self._ready.get(m, now), now + m.breaker.wait)
            for m in self.fleet.members
            if self.asked.rank(m) is not None
        )
        self._avoided = {m for m, ready in self._ready.items() if ready > soonest}
        return soonest - now if self._may_wait(soonest - now) else None

    def _may_wait(self, seconds: float) -> bool:
        """Whether there is patience and time for it; it counts as waited then."""
        self._patience -= seconds
        woken = self._now() + seconds
        if self._patience < 0 or woken >= self.until:
            return False
        self._woken = woken
        return True

    def _now(self) -> float:
        """The event loop's time, or the later one that we have waited for."""
        return max(asyncio.get_running_loop().time(), self._woken)

    def _told(self, last: Trouble) -> TollbrushError:
        """What the caller hears: of several servers' excuses the one that says when to come again."""
        return next((t.error for t in self._troubles if t.wait is not None and not last.spent), last.error)


async def all_of(calls: Sequence[Coroutine[object, object, T]]) -> list[T]:
    """All results in order; at the first failure the others are ended."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _finish(form: Form, picture: Picture, *, takes: OutputFormat | None, seed: int | None) -> EditedImage:
    """Raises Sick for what is no picture, or none of what was asked for."""
    found = content(picture, takes, form.ready)
    if isinstance(found, Bare):
        return EditedImage(found, picture.revised_prompt, seed)
    size = Size(found.shape[1], found.shape[0])
    if not size.passes_for(form.asked):
        raise Sick(UpstreamFailed(f"The upstream answered a picture of {size} instead of {form.asked}."))
    return EditedImage(form.back(found), picture.revised_prompt, seed)


def _glimpse(form: Form, picture: Picture) -> Pixels:
    """An unfinished picture, of whatever size. Raises Sick."""
    found = content(picture, None, None)
    assert not isinstance(found, Bare)
    return form.back(found)


def _most(size: Size, n: int) -> int:
    return max(_LEAST_ANSWER, _BYTES_A_PIXEL * size.pixels * n)
