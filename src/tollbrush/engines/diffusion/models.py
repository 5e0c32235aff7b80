"""The loaded pipelines of one device: load, ask what they can, edit. Blocking calls, from any thread.

edit ─ checked: words, mask, sources ─ the pipeline's line ─ together with its equals ─ one call of the pipeline
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tollbrush.engines.diffusion import adapters, frames
from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.batches import Line
from tollbrush.engines.diffusion.hub import Hub
from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.diffusion.pipelines import Pipeline
from tollbrush.engines.diffusion.requests import Asking, never
from tollbrush.engines.diffusion.stages import Stages
from tollbrush.engines.diffusion.warm_up import warm_up
from tollbrush.engines.diffusion.words import Reader
from tollbrush.engines.interface import Capabilities, EditInput, EditOutput, Report, unheard
from tollbrush.errors import BadMask, BadSettings, UnsupportedParameter

Loading = Callable[[str, float], None]
"""What is being done, in a word or two (`downloading`, `reading`, `warming up`), and how much of it in 0..1."""


class Models:
    """`device`: as torch names it (`cuda:1`, `cpu`); None is the first GPU: a CPU is used only where it is named.
    `cache`: the hub cache's folder, None is the usual one. `offline`: only what the cache holds. `token`: for gated
    models. `endpoint`: another hub than the usual one."""

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
    ) -> None:
        self._rows = {row.name: row for row in rows}
        self._wanted, self._tuning = device, tuning or Tuning()
        self._hub = Hub(cache, offline=offline, token=token, endpoint=endpoint)
        self._stages = Stages()
        self._gates = {name: threading.Lock() for name in self._rows}
        self._lines: dict[str, _Loaded] = {}

    def load(self, name: str, progress: Loading) -> None:
        """Fetches what the cache lacks, reads the weights, compiles, warms up. Does nothing where it is loaded already;
        a second thread waits for the first. Raises BadSettings for what the operator must mend (no such model or
        revision, files that are missing, wrong or pickled, no disk, no GPU, a GPU too small), EngineFailed for what
        may pass (the hub does not answer)."""
        self._ready(name, progress)

    def loaded(self, name: str) -> bool:
        """Whether the next edit starts at once."""
        return name in self._lines

    def speedups(self, name: str) -> tuple[str, ...]:
        """What makes a loaded model faster on this device, in words."""
        return self._lines[name].pipeline.speedups

    def unload(self, name: str) -> None:
        """Lets its memory go, after the edits that are at work on it; those that wait are told Unavailable."""
        from tollbrush.engines.diffusion import memory

        with self._gates[name]:
            loaded = self._lines.pop(name, None)
            if loaded is not None:
                device = loaded.pipeline.device
                loaded.line.close()
                del loaded
                memory.release(device)

    def capabilities(self, name: str) -> Capabilities:
        """Without torch and without loading: from the row and `model_index.json`, in its folder or in the hub cache.
        Raises BadSettings where neither says which pipeline it is."""
        adapter = self._adapter(self._row(name))
        return Capabilities(
            generative=adapter.generative,
            masks=True,
            needs_mask=adapter.plain is None,
            variations=True,
            max_sources=adapter.sources,
            seed=True,
            width=64,
            previews=3,
        )

    def needs_mask(self, name: str) -> bool:
        """Whether it cannot edit by words alone: an inpainting model."""
        return self._adapter(self._row(name)).plain is None

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
        row = self._row(name)
        adapter = self._adapter(row)
        _check(row, adapter, request)
        loaded = self._ready(name, lambda _word, _fraction: None)
        loaded.reader.check(request.prompt)
        asking = Asking(row, adapter, request, report, cancelled)
        loaded.line.join(asking.images)
        return asking.result()

    def close(self) -> None:
        """Ends the pipelines' threads after the edits at work, and lets the memory go."""
        for name in list(self._lines):
            self.unload(name)

    def _ready(self, name: str, progress: Loading) -> _Loaded:
        row = self._row(name)
        with self._gates[name]:
            loaded = self._lines.get(name)
            if loaded is None:
                loaded = self._lines[name] = self._loaded(row, progress)
            return loaded

    def _loaded(self, row: DiffusionModel, progress: Loading) -> _Loaded:
        from tollbrush.engines.diffusion import loading

        device = loading.device_named(self._wanted)
        folder = self._hub.folder(row, lambda fraction: progress("downloading", fraction))
        adapter = self._adapter(row)
        progress("reading", 0.0)
        pipeline = loading.read(row, folder, adapter, device, self._tuning)
        progress("reading", 1.0)
        line = Line(row.name, pipeline.make, row.batch, self._stages, hands=2 if pipeline.beside else 1)
        try:
            warm_up(pipeline, line, lambda fraction: progress("warming up", fraction))
        except BaseException:
            line.close()
            raise
        return _Loaded(pipeline, line, Reader(pipeline.any, adapter.words))

    def _row(self, name: str) -> DiffusionModel:
        try:
            return self._rows[name]
        except KeyError:
            known = ", ".join(self._rows) or "none"
            raise BadSettings(f"no model {name!r} is configured for the diffusion engine; known: {known}.") from None

    def _adapter(self, row: DiffusionModel) -> Adapter:
        if row.pipeline is not None:
            return adapters.adapter(row.pipeline, row.name)
        index = self._hub.known_index(row)
        if index is None:
            raise BadSettings(
                f"{row.name}: which pipeline it is is not known before it is on this machine.",
                advice="`tollbrush models pull NAME` fetches it; or say `pipeline` in its row.",
            )
        return adapters.adapter(index.pipeline, row.name)


@dataclass(frozen=True)
class _Loaded:
    pipeline: Pipeline
    line: Line
    reader: Reader


def _check(row: DiffusionModel, adapter: Adapter, request: EditInput) -> None:
    """What needs no weights to be refused."""
    masked = request.mask is not None
    if adapter.plain is None and not masked:
        raise BadMask(
            f"{row.name} fills what a mask marks, and there is none.",
            path="mask",
            advice="Send a mask: white where to edit. Nothing was charged.",
        )
    most = adapter.masked_sources if masked and adapter.masked is not None else adapter.sources
    if len(request.sources) > most:
        raise UnsupportedParameter(
            f"{row.name} takes {most} picture{'s' if most > 1 else ''}{' beside a mask' if masked else ''}, not "
            f"{len(request.sources)}.",
            path="image",
        )
    frames.check_shape(request.sources)
