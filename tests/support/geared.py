"""A tiny loaded model in gears of a test's choice: FLUX.2 klein on the CPU."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.gears import Gear, Gears
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.interface import EditInput
from tollbrush.imaging.codec import Pixels

KLEIN: Final = "Flux2KleinPipeline"
SMALL, OTHER = Size(64, 64), Size(96, 64)
NATIVE: Final = Gear("native")


def shift(models: Models, gears: Sequence[Gear], *, rehearsed: bool) -> tuple[Gears, list[str]]:
    """The loaded model with these gears, and what it tells of them."""
    from tollbrush.engines.diffusion import speed, warm_up

    loaded, told = models._lines[KLEIN], list[str]()
    chosen = Gears(speed.denoiser(loaded.pipeline.any), gears, "cpu")
    chosen.told = told.append
    loaded.pipeline.gears = chosen
    if rehearsed:
        warm_up.rehearse(loaded.pipeline, loaded.line, lambda _fraction: None)
    return chosen, told


def only_capture(models: Models) -> list[str]:
    """Blocks are captured as for any compiler, and run as they are; gives the thread of each run."""
    network, ran = models._lines[KLEIN].pipeline.any.transformer, list[str]()

    def backend(captured: Callable[..., Any], _inputs: object) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            ran.append(threading.current_thread().name)
            return captured(*given)

        return run

    network.compile_repeated_blocks = functools.partial(network.compile_repeated_blocks, backend=backend)
    return ran


def edit(models: Models, size: Size = SMALL) -> Pixels:
    grey = np.full((size.height, size.width, 3), 90, np.uint8)
    [image] = models.edit(KLEIN, EditInput((grey,), "make it snowy", size, seed=3)).images
    return image.pixels
