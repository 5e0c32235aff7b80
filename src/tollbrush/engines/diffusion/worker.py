"""One device's worker process, kept alive: edits go in, answers and progress come out, and a dead worker is replaced.

starting ─► up ─► dead (its edits fail, uncharged) ─► starting …   A start that fails is told of, and tried again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import structlog

from tollbrush.engines.diffusion import slower
from tollbrush.engines.diffusion.messages import (
    Answer,
    Cancel,
    Done,
    Edit,
    Load,
    Loaded,
    Loading,
    NotLoaded,
    Setup,
    Slower,
    Told,
    Waits,
)
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.diffusion.standing import AGAIN, Standing, todo
from tollbrush.engines.interface import EditInput, EditOutput, Report, unheard
from tollbrush.engines.pipes import Child
from tollbrush.errors import BadSettings, TollbrushError, Unavailable, WorkerDied

_log: Final = structlog.get_logger(__name__)
_MODULE: Final = "tollbrush.engines.diffusion.worker_process"
START_LIMIT: Final = 180.0
"""Seconds until torch is imported."""
_LONGEST_PAUSE: Final = 300.0
_LIVED: Final = 60.0
"""Seconds after which a death is no failed start."""
_LOAD: Final = 4
"""Edits that one rather waits for than that a model is loaded once more on another device."""


@dataclass
class _Waiting:
    answer: asyncio.Future[EditOutput]
    report: Report


class Worker:
    """`eager`: load every model at start. `stalled`: seconds of silence at work after which it is replaced. `loaded`
    hears of every model that is, with its commit."""

    def __init__(
        self, setup: Setup, *, eager: bool, stalled: float, loaded: Callable[[str, str | None], None] = lambda *_: None
    ) -> None:
        self._setup, self._eager, self._stalled, self._heard_loaded = setup, eager, stalled, loaded
        self.label = setup.device or "the first GPU"
        self._child: Child | None = None
        self._trouble: TollbrushError | None = None
        self._settled = asyncio.Event()  # it is up, or in trouble
        self._edits: dict[int, _Waiting] = {}
        self._numbers = itertools.count(1)
        self._models = Standing(self.label, self._now)
        self._heard = 0.0
        self._life: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def burden(self, name: str) -> tuple[bool, int, int]:
        """For choosing who gets an edit of this model, the least first: whether it is down, the edits that it has and
        what it takes to load the model, the models that it has."""
        there = self._models.there
        return self._child is None, len(self._edits) + (0 if name in there else _LOAD), len(there)

    def loaded(self, name: str) -> bool:
        return name in self._models.ready

    def start(self) -> None:
        self._life = asyncio.create_task(self._live())

    async def close(self) -> None:
        if self._life is not None:
            self._life.cancel()
            with suppress(asyncio.CancelledError):
                await self._life

    def alarms(self) -> Mapping[str, str]:
        """By device or model, what its operator must see to."""
        if self._trouble is not None:
            return {self.label: f"the diffusion worker on {self.label} does not start. {todo(self._trouble)}"}
        return self._models.alarms()

    async def edit(self, name: str, request: EditInput) -> EditOutput:
        """Cancelled, it stops within a step. Raises Unavailable while it does not start or the model cannot be loaded,
        WorkerDied, and what the model raises."""
        await self._settled.wait()
        if self._child is None or self._models.refused(name):
            raise _unavailable(name)
        child, number = self._child, next(self._numbers)
        waiting = _Waiting(asyncio.get_running_loop().create_future(), request.report)
        self._edits[number] = waiting
        self._heard = self._now()
        try:
            await child.say(Edit(number, name, replace(request, report=unheard, again=None)))
            return await waiting.answer
        except asyncio.CancelledError:
            waiting.report = unheard
            if number in self._edits:
                child.post(Cancel(number))
            raise

    async def _live(self) -> None:
        pause = 0.0
        while True:
            born = self._now()
            try:
                await self._begin()
            except TollbrushError as error:
                _log.error("a diffusion worker does not start", device=self.label, error=error.sentence())
                self._trouble = error
                self._settled.set()
            else:
                await self._serve()
            pause = 0.0 if self._now() - born > _LIVED else min(_LONGEST_PAUSE, max(1.0, 2 * pause))
            await asyncio.sleep(pause)

    async def _serve(self) -> None:
        assert self._child is not None, "it has begun"
        try:
            await self._listen(self._child)
        except WorkerDied as death:
            _log.error("a diffusion worker is replaced", device=self.label, why=death.message)
            self._spare(self._models.warming)
        finally:
            self._settled.clear()
            await self._bury()

    async def _begin(self) -> None:
        child = await Child.spawn(_MODULE, what=f"diffusion worker on {self.label}")
        try:
            await child.say(self._setup)
            await child.ready(START_LIMIT)
        except asyncio.CancelledError:
            await child.stop()
            raise
        self._child, self._trouble = child, None
        self._models.begin()
        self._settled.set()
        if self._eager:
            for row in self._setup.rows:
                child.post(Load(row.name))

    async def _listen(self, child: Child) -> None:
        """Until it dies. Raises WorkerDied, also when it has said nothing for too long."""
        self._heard = self._now()
        hearing = asyncio.ensure_future(child.hear())
        try:
            while True:
                done, _ = await asyncio.wait({hearing}, timeout=self._stalled)
                if done:
                    self._heard = self._now()
                    self._take(hearing.result())
                    hearing = asyncio.ensure_future(child.hear())
                elif self._edits and not self._models.reading and self._now() - self._heard >= self._stalled:
                    raise WorkerDied(f"The diffusion worker on {self.label} has said nothing for {self._stalled:g} s.")
        finally:
            hearing.cancel()

    def _take(self, answer: Answer) -> None:
        match answer:
            case Told(number, progress):
                if (waiting := self._edits.get(number)) is not None:
                    waiting.report(progress)
            case Done(number, result):
                waiting = self._edits.pop(number)
                if waiting.answer.done():
                    return  # nobody waits for it any more
                if isinstance(result, TollbrushError):
                    known = _unavailable("the model") if isinstance(result, BadSettings) else result
                    waiting.answer.set_exception(known)
                else:
                    waiting.answer.set_result(result)
            case Loading() | Waits() | Slower() | NotLoaded():
                self._models.take(answer)
            case Loaded(name, commit):
                self._models.take(answer)
                self._setup = self._setup.pinned(name, commit)
                self._heard_loaded(name, commit)

    async def _bury(self) -> None:
        child, self._child = self._child, None
        self._models.end()
        edits, self._edits = self._edits, {}
        for waiting in edits.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(WorkerDied(f"The diffusion worker on {self.label} died."))
        if child is not None:
            await child.stop()

    def _spare(self, name: str | None) -> None:
        """A worker that died while it warmed up this model may have died of what it tried there."""
        was = self._setup.tuning or Tuning()
        if name is None or (tuning := was.plainer()) == was:
            return
        self._setup = replace(self._setup, tuning=tuning)
        self._models.tell_slower(name, slower.of_a_death("The worker", tuning))

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _unavailable(name: str) -> Unavailable:
    return Unavailable(f"{name} cannot be served at the moment.", retry_after=int(AGAIN))
