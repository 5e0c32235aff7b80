"""The loaded pipelines of one device: load, ask what they can, edit. Blocking calls, from any thread.

edit ─ checked: words, mask, sources ─ the pipeline's line ─ together with its equals ─ one call of the pipeline

A model that does not fit beside the others takes the place of the one that was used longest ago: of those that nobody
uses if there is one, else once the edits asked of it have ended.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tollbrush.engines.diffusion import memory
from tollbrush.engines.diffusion.abilities import Abilities
from tollbrush.engines.diffusion.batches import Line
from tollbrush.engines.diffusion.hub import Hub
from tollbrush.engines.diffusion.messages import WARMING
from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.diffusion.pipelines import Pipeline
from tollbrush.engines.diffusion.requests import Asking, check, never
from tollbrush.engines.diffusion.stages import Stages
from tollbrush.engines.diffusion.warm_up import warm_up
from tollbrush.engines.diffusion.words import Reader
from tollbrush.engines.interface import Capabilities, EditInput, EditOutput, Report, unheard
from tollbrush.errors import BadSettings, NoRoom

Loading = Callable[[str, float], None]
"""What is being done, in a word or two (`downloading`, `reading`, `warming up`), and how much of it in 0..1."""


class Models:
    """`device`: as torch names it (`cuda:1`, `cpu`); None is the first GPU: a CPU is used only where it is named.
    `cache`: the hub cache's folder, None is the usual one. `offline`: only what the cache holds. `token`: for gated
    models. `endpoint`: another hub than the usual one. `left` hears of models that made room for others, `slower` of
    those that run in a slower way than they were to, and why."""

    def __init__(
        self,
        rows: Sequence[DiffusionModel],
        device: str | None = None,
        *,
        tuning: Tuning | None = None,
        cache: Path | None = None,
        offline: bool = False,
        token: str | None = None,
        endpoint: str | None = None,
        left: Callable[[str], None] = lambda _: None,
        slower: Callable[[str, str], None] = lambda _name, _why: None,
    ) -> None:
        self._wanted, self._tuning = device, tuning or Tuning()
        self._hub = Hub(cache, offline=offline, token=token, endpoint=endpoint)
        self._abilities = Abilities(rows, self._hub)
        self._stages = Stages()
        self._shelf = memory.Shelf(self._tuning.weights, self._tuning.margin)
        self.left, self.slower = left, slower
        self._loading = threading.Lock()
        self._changed = threading.Condition()
        self._lines: OrderedDict[str, _Loaded] = OrderedDict()  # the least recently used first
        self._leaving = set[str]()
        self._unfit = dict[str, tuple[str, str]]()  # what could not be made once they were loaded: words and advice

    def load(self, name: str, progress: Loading, *, make_room: bool = False) -> None:
        """Fetches what the cache lacks, reads the weights, compiles, warms up. Does nothing where it is loaded already;
        a second thread waits for the first. Raises BadSettings for what the operator must mend (no such model or
        revision, files that are missing, wrong or pickled, no disk, no GPU, a GPU too small), NoRoom where other models
        are in the way and not to `make_room`, EngineFailed for what may pass (the hub does not answer)."""
        with self._use(name, progress, make_room=make_room):
            pass

    def loaded(self, name: str) -> bool:
        """Whether the next edit starts at once."""
        return name in self._lines

    def speedups(self, name: str) -> tuple[str, ...]:
        """What makes a loaded model faster on this device, in words."""
        return self._lines[name].pipeline.speedups

    def unload(self, name: str) -> None:
        """Lets its memory go, after the edits that were asked of it; who asks from now on waits, and has it loaded
        again."""
        with self._changed:
            self._changed.wait_for(lambda: name not in self._leaving)
            if (loaded := self._lines.pop(name, None)) is None:
                return
            self._leaving.add(name)
            while loaded.users:
                self._changed.wait()
        try:
            device = loaded.pipeline.device
            loaded.line.close()
            del loaded
            memory.release(device)
            self._shelf.give_back(name)
        finally:
            with self._changed:
                self._leaving.remove(name)
                self._changed.notify_all()

    def capabilities(self, name: str) -> Capabilities:
        """Raises BadSettings where nothing says which pipeline it is."""
        return self._abilities.of(name)

    def edit(
        self,
        name: str,
        request: EditInput,
        *,
        report: Report = unheard,
        cancelled: Callable[[], bool] = never,
    ) -> EditOutput:
        """Loads on first use. `report` is called in the pipeline's thread, with each step and with `request.previews`
        unfinished pictures of each image; `request.report` is not called. `cancelled` is asked at each step, and
        several times a second while waiting in line.

        Raises JobCancelled, BadRequest (a prompt longer than the text encoder reads: the count and the limit),
        UnsupportedParameter (more sources than it takes), BadMask (none, for a model that only fills masks), BadImage,
        ContentRefused (the model's own safety checker), Unavailable (no memory even for one image in tiles),
        EngineFailed, and what `load` raises."""
        row = self._abilities.row(name)
        adapter = self._abilities.adapter(row)
        check(row, adapter, request)
        with self._use(name, lambda _word, _fraction: None, make_room=True) as loaded:
            loaded.reader.check(request.prompt)
            asking = Asking(row, adapter, request, report, cancelled)
            loaded.line.join(asking.images)
            return asking.result()

    def close(self) -> None:
        """Ends the pipelines' threads after the edits at work, and lets the memory go; edits that wait are told
        Unavailable."""
        for name, loaded in list(self._lines.items()):
            loaded.line.close()
            self.unload(name)

    @contextmanager
    def _use(self, name: str, progress: Loading, *, make_room: bool) -> Iterator[_Loaded]:
        """While it lasts, the model stays."""
        row = self._abilities.row(name)
        loaded = self._here(name) or self._fetched(row, progress, make_room=make_room)
        try:
            yield loaded
        finally:
            with self._changed:
                loaded.users -= 1
                self._changed.notify_all()

    def _here(self, name: str) -> _Loaded | None:
        """The model with one more user, if it is loaded and not about to leave."""
        with self._changed:
            loaded = self._lines.get(name)
            if loaded is not None:
                loaded.users += 1
                self._lines.move_to_end(name)
            return loaded

    def _fetched(self, row: DiffusionModel, progress: Loading, *, make_room: bool) -> _Loaded:
        """Files are fetched by anybody; into the device's memory goes one model at a time."""
        folder = self._hub.folder(row, lambda fraction: progress("downloading", fraction))
        progress("reading", 0.0)
        with self._loading:
            while (loaded := self._here(row.name)) is None:
                with self._changed:
                    self._changed.wait_for(lambda: row.name not in self._leaving)
                try:
                    loaded = self._loaded(row, folder, progress)
                except NoRoom:
                    if row.name in self._unfit:
                        words, advice = self._unfit[row.name]
                        raise BadSettings(words, advice=advice) from None
                    if not (make_room and self._make_room()):
                        raise
                else:
                    with self._changed:
                        self._lines[row.name] = loaded
        return loaded

    def _make_room(self) -> bool:
        """False: there is no model that could leave."""
        with self._changed:
            leaving = min(self._lines, key=lambda name: self._lines[name].users > 0, default=None)
        if leaving is None:
            return False
        self.unload(leaving)
        self.left(leaving)
        return True

    def _loaded(self, row: DiffusionModel, folder: Path, progress: Loading) -> _Loaded:
        from tollbrush.engines.diffusion import loading

        device, adapter = loading.device_named(self._wanted), self._abilities.adapter(row)
        with ExitStack() as failing:
            failing.callback(self._shelf.give_back, row.name)
            pipeline = loading.read(row, folder, adapter, device, self._tuning, self._shelf)
            progress("reading", 1.0)
            pipeline.gears.told = lambda why: self.slower(row.name, why)
            line = Line(row.name, pipeline.make, row.batch, self._stages, hands=2 if pipeline.beside else 1)
            failing.callback(line.close)
            try:
                warm_up(pipeline, line, lambda part: progress(WARMING, part), self._tuning.warm_up_seconds)
            except BadSettings as unfit:  # whoever leaves for it would leave again at every try
                self._unfit[row.name] = unfit.message, unfit.hint
                raise
            self._unfit.pop(row.name, None)
            failing.pop_all()
        return _Loaded(pipeline, line, Reader(pipeline.any, adapter.words))


@dataclass
class _Loaded:
    """`users`: edits that were asked of it and have not ended."""

    pipeline: Pipeline
    line: Line
    reader: Reader
    users: int = 0
