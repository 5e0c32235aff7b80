"""A small real engine for tests of what surrounds engines: inverts colours, can be held, can fail."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tollbrush.engines.interface import Capabilities, EditedImage, EditInput, EditOutput, Progress
from tollbrush.errors import CannotHonour


class Inverter:
    """`gate` holds an edit until it is set; `failure` is raised instead of answering; `edits` counts."""

    def __init__(self, name: str = "studio", *, time_limit: float = 30.0) -> None:
        self._name, self._time_limit = name, time_limit
        self.gate = asyncio.Event()
        self.gate.set()
        self.started = asyncio.Event()
        self.failure: Exception | None = None
        self.edits = 0

    @property
    def name(self) -> str:
        return self._name

    def capabilities(self, upstream: str) -> Capabilities:
        return Capabilities(generative=False, alpha=True, seed=True, time_limit=self._time_limit)

    def plan(self, prompt: str, *, masked: bool) -> str | None:
        if "unicorn" in prompt:
            raise CannotHonour("no unicorns here.")
        return "invert"

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        self.edits += 1
        self.started.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        pixels = 255 - request.sources[0]
        return EditOutput(tuple(EditedImage(pixels.copy(), "inverted", request.seed + i) for i in range(request.n)))

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass


class Sketcher(Inverter):
    """Shows as many unfinished pictures as it is asked for, the fraction rising; then works as the Inverter."""

    def __init__(self) -> None:
        super().__init__()
        self.usage: dict[str, int] = {}

    def capabilities(self, upstream: str) -> Capabilities:
        return replace(super().capabilities(upstream), previews=3)

    async def edit(self, upstream: str, request: EditInput) -> EditOutput:
        for number in range(request.previews):
            for image in range(request.n):
                request.report(Progress((number + 1) / 4, request.sources[0], image))
        request.report(Progress(0.1))  # a fraction never falls
        request.report(Progress(float("nan")))
        output = await super().edit(upstream, request)
        return replace(output, usage=self.usage)
