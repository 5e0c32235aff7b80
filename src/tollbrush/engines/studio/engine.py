"""The embedded engine: no key, no weights, no network. It does what it understood, and says no to the rest."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from tollbrush.domain.catalog import Ability
from tollbrush.domain.edits import Size
from tollbrush.engines.interface import Capabilities, EditedImage, EditInput, EditOutput, Progress
from tollbrush.engines.studio.plans.framings import result_size
from tollbrush.engines.studio.understanding.repertoire import GROUPS
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.engines.studio.workers import START_LIMIT, Workers
from tollbrush.settings import StudioSettings

_ABILITIES: Final = tuple(
    Ability(offer.name, offer.example, offer.needs) for group in GROUPS for offer in group.offers()
)


class StudioEngine:
    """An `Engine`. Words are understood here, in the caller's process, which stays light; pixels go to workers."""

    name: Final = "studio"

    def __init__(self, settings: StudioSettings) -> None:
        self._workers = Workers(settings.workers, settings.timeout_seconds)
        self._reading: asyncio.Task[None] | None = None
        self._capabilities = Capabilities(
            generative=False,
            masks=True,
            alpha=True,
            seed=True,
            time_limit=settings.timeout_seconds,
            width=settings.workers,
            abilities=_ABILITIES,
        )

    def capabilities(self, upstream: str) -> Capabilities:
        """While workers get ready, edits have the time to wait for them."""
        own = self._capabilities
        return own if self._workers.warm else replace(own, time_limit=own.time_limit + START_LIMIT)

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        """The edit in words. Raises CannotHonour."""
        return understand(prompt, masked=masked).describe()

    def reframe(self, prompt: str, source: Size) -> Size | None:
        """What the answer measures; None where the size is kept. Raises CannotHonour, also above 4096 a side."""
        return result_size(understand(prompt, masked=False).operations, source)

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        """`request.n` pictures of its size. Raises CannotHonour, EditTimeout, EngineFailed."""
        plan = understand(request.prompt, masked=request.mask is not None)
        seeds = [request.seed + i for i in range(request.n)]

        def done(pictures: int) -> None:
            request.report(Progress(pictures / request.n))

        pictures = await self._workers.edit(plan, request.sources[0], request.mask, seeds, done)
        words = plan.describe()
        return EditOutput(tuple(EditedImage(p, words, seed) for p, seed in zip(pictures, seeds, strict=True)))

    async def start(self) -> None:
        """Returns at once: workers get ready in the background, and so does the grammar, before the first prompt."""
        self._workers.start()
        self._reading = asyncio.create_task(asyncio.to_thread(_compile_grammar))

    async def ready(self) -> None:
        """Returns when every worker is warm. Raises EngineFailed."""
        await self._workers.ready()

    async def close(self) -> None:
        if self._reading is not None:
            await self._reading
        await self._workers.close()


def _compile_grammar() -> None:
    for masked in (False, True):
        understand("make it sepia", masked=masked)
