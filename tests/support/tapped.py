"""A tiny model whose parts tell when they are called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.interface import EditInput

Tiny = Callable[[str], Path]
KLEIN, SDXL = "Flux2KleinPipeline", "StableDiffusionXLInpaintPipeline"
SIZE: Final = Size(64, 64)


def asked(number: int, pipeline: str = KLEIN) -> EditInput:
    picture = np.random.default_rng(number).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    mask = np.ones((64, 64), np.bool_) if pipeline == SDXL else None
    return EditInput((picture,), f"make it snowy {number}", SIZE, mask=mask, seed=number)


@contextmanager
def opened(tiny: Tiny, pipeline: str, tuning: Tuning | None = None) -> Iterator[Models]:
    models = Models([DiffusionModel(pipeline, str(tiny(pipeline)), steps=2)], "cpu", tuning=tuning)
    models.load(pipeline, lambda _word, _fraction: None)
    try:
        yield models
    finally:
        models.close()


def part(models: Models, name: str, pipeline: str = KLEIN) -> Any:
    return getattr(models._lines[pipeline].pipeline.any, name)


@dataclass
class Tapped:
    """A method of a part of the pipeline; `then` is called before its `nth` call, counted from 0."""

    part: Any
    method: str
    then: Callable[[int], None]
    calls: int = 0
    began: list[threading.Event] = field(default_factory=lambda: [threading.Event() for _ in range(100)])

    def __post_init__(self) -> None:
        self._real = getattr(self.part, self.method)
        setattr(self.part, self.method, self)

    def __call__(self, *given: Any, **named: Any) -> Any:
        nth, self.calls = self.calls, self.calls + 1
        self.began[nth].set()
        self.then(nth)
        return self._real(*given, **named)
