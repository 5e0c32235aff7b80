"""The edits nobody asked for: they pay for compilers and kernels before the first customer does."""

from __future__ import annotations

import faulthandler
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion import speed
from tollbrush.engines.diffusion.batches import Line
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.diffusion.pipelines import Pipeline
from tollbrush.engines.diffusion.requests import Asking, never
from tollbrush.engines.interface import EditInput, unheard
from tollbrush.errors import BadSettings, Unavailable

_STEPS: Final = 2
_PROMPTS: Final = ("a grey square", "the same square, somewhat lighter, on a table by the window")
"""Of two lengths: encoders that pad nothing give two shapes."""


def warm_up(
    pipeline: Pipeline, line: Line, progress: Callable[[float], None], seconds: float = Tuning.warm_up_seconds
) -> None:
    """One short edit of each shape, with and without a mask, alone and in a full batch. Nothing on a CPU. An edit that
    takes longer than `seconds` ends the process."""
    if pipeline.device.startswith("cuda"):
        rehearse(pipeline, line, progress, seconds)


@contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """Ends the process if it takes longer, by a thread that needs no interpreter: a kernel that hangs may hold that."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def rehearse(
    pipeline: Pipeline, line: Line, progress: Callable[[float], None], seconds: float = Tuning.warm_up_seconds
) -> None:
    """Finds for each shape the gear that it is made in. Every step is like the first: two are enough, where the source
    is only partly noised away as many as leave one. Raises BadSettings where a shape cannot be made at all: its weights
    fit, so nobody has to leave for it."""
    adapter, row = pipeline.adapter, pipeline.row
    strengths = (row.strength, adapter.strength, adapter.masked_strength)
    least = min(strength for strength in strengths if strength is not None)
    steps = min(row.steps or adapter.steps, max(_STEPS, math.ceil(1 / least)))
    side = int((row.pixels or adapter.pixels) ** 0.5)
    ways = [masked for masked, pipe in ((False, pipeline.plain), (True, pipeline.masked)) if pipe is not None]
    plan = [
        (size, masked, n)
        for size in speed.shapes(row.sizes, Size(side, side))
        for masked in ways
        for n in sorted({1, row.batch})
    ]
    pipeline.gears.warming, pipeline.row = True, replace(row, steps=steps)
    try:
        for done, (size, masked, n) in enumerate(plan):
            progress(done / len(plan))
            grey = np.full((size.height, size.width, 3), 128, np.uint8)
            mask = np.ones((size.height, size.width), np.bool_) if masked else None
            request = EditInput((grey,), _PROMPTS[done % 2], size, mask=mask, n=n)
            asking = Asking(row, adapter, request, unheard, never)
            line.join(asking.images)
            try:
                with ended_after(seconds):
                    asking.result()
            except Unavailable as full:
                raise BadSettings(
                    f"{row.name} would leave no room to make a {size} of it, not even in tiles.",
                    advice="Take a larger GPU, free this one, say offload = true, or sell smaller sizes.",
                ) from full
    finally:
        pipeline.row = row
        pipeline.gears.settle()
    progress(1.0)
