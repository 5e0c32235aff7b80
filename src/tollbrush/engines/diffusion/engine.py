"""Open models on this machine's own GPUs: an `Engine` over one worker process a device. torch lives there, not here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.abilities import Abilities
from tollbrush.engines.diffusion.hub import Hub
from tollbrush.engines.diffusion.messages import Setup
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.pins import Pins
from tollbrush.engines.diffusion.served import tuning
from tollbrush.engines.diffusion.worker import START_LIMIT, Worker
from tollbrush.engines.interface import Capabilities, EditInput, EditOutput
from tollbrush.settings import DiffusionSettings


class DiffusionEngine:
    """An `Engine`. `rows`: what it serves; `pins` hears which commits were loaded."""

    name: Final = "diffusion"

    def __init__(self, settings: DiffusionSettings, rows: Sequence[DiffusionModel], pins: Pins) -> None:
        self._settings, self._rows, self._pins = settings, {row.name: row for row in rows}, pins
        known = Abilities(rows, Hub(settings.cache))
        self._capabilities = {row.name: self._able(known.of(row.name), row.sizes) for row in rows}
        self._workers = [self._worker(device) for device in settings.devices or (None,)]

    def capabilities(self, upstream: str) -> Capabilities:
        """While a model is not loaded, edits have the time to wait for it."""
        own = self._capabilities[upstream]
        loaded = any(worker.loaded(upstream) for worker in self._workers)
        return own if loaded else replace(own, time_limit=own.time_limit + START_LIMIT)

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        return None

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        """Raises Unavailable, WorkerDied, EngineFailed, EditTimeout, and BadRequest for words that are too long."""
        return await self._chosen(upstream).edit(upstream, request)

    async def start(self) -> None:
        """Returns at once: workers get ready in the background."""
        for worker in self._workers:
            worker.start()

    async def close(self) -> None:
        for worker in self._workers:
            await worker.close()

    def alarms(self) -> Mapping[str, str]:
        """By device or model: a worker that does not start, a model that cannot be loaded."""
        return {where: words for worker in self._workers for where, words in worker.alarms().items()}

    def _chosen(self, name: str) -> Worker:
        return min(self._workers, key=lambda worker: worker.burden(name))

    def _able(self, own: Capabilities, sizes: tuple[Size, ...]) -> Capabilities:
        """Pictures are prepared to one of the sizes that it is sold at, so that its shapes are few."""
        width = own.width * max(1, len(self._settings.devices))
        return replace(own, fixed_sizes=sizes, time_limit=self._settings.timeout_seconds, width=width)

    def _worker(self, device: str | None) -> Worker:
        ours = self._settings
        token = ours.token.get_secret_value() or None
        setup = Setup(tuple(self._rows.values()), device, tuning(ours), ours.cache, ours.offline, token)
        return Worker(setup, eager=ours.load == "start", stalled=ours.stalled_seconds, loaded=self._loaded)

    def _loaded(self, name: str, commit: str | None) -> None:
        row = self._rows[name]
        if commit is not None and row.revision != commit:
            self._pins.keep(row.source, row.revision, commit)
