"""`python -m bench.large [WIDTHxHEIGHT] [fresh]`: all that the studio offers, on one picture, as a worker does it:
wall and CPU time, the most memory that the worker held, and what came of it. Without a size: 40 megapixels.

With `fresh` each prompt gets a worker of its own and is done three times: how much more the first edit after a start
costs than the later ones. Memory's goal is 400 MB at 1024x1024, and the first edit's twice the later ones.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from skimage import data

from bench.studio import Watched
from tollbrush.domain.edits import Size
from tollbrush.engines.interface import EditInput
from tollbrush.engines.studio.engine import StudioEngine
from tollbrush.engines.studio.understanding.repertoire import Offer
from tollbrush.engines.studio.understanding.understand import offers
from tollbrush.errors import TollbrushError
from tollbrush.settings import StudioSettings

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

LARGE = Size(7300, 5480)


class Figures(NamedTuple):
    """Milliseconds and megabytes; `outcome` is the result's measure, or the refusal."""

    wall: float
    cpu: float
    memory: float
    outcome: str


def main() -> None:
    words = sys.argv[1:]
    fresh = "fresh" in words
    size = next((Size.parse(word) for word in words if word != "fresh"), LARGE)
    columns = ("prompt", "wall, ms", "CPU, ms", "peak, MB", *(("first / later",) if fresh else ()), "outcome")
    table = Table(*columns, title=str(size), title_justify="left")
    with asyncio.Runner() as runner:
        engine = None if fresh else started(runner)
        for offer in offers():
            seen = measured(runner, engine or started(runner), offer, size, 3 if fresh else 1)
            first, last = seen[0], min(seen[1:] or seen, key=lambda figures: figures.cpu)
            ratio = [f"{first.cpu / max(last.cpu, 10):.2f}"] if fresh else []
            numbers = (f"{value:,.0f}" for value in (last.wall, last.cpu, max(f.memory for f in seen)))
            table.add_row(offer.example, *numbers, *ratio, first.outcome)
            print(offer.example, *first, file=sys.stderr)
        if engine is not None:
            runner.run(engine.close())
    Console(width=170).print(table)


def started(runner: asyncio.Runner) -> StudioEngine:
    """With one worker, and patience with it."""
    engine = StudioEngine(StudioSettings(workers=1, timeout_seconds=600))
    runner.run(engine.start())
    runner.run(engine.ready())
    return engine


def measured(runner: asyncio.Runner, engine: StudioEngine, offer: Offer, size: Size, times: int) -> list[Figures]:
    """As often as `times`; more than once: `engine` is closed then."""
    worker = Watched.child()
    mask = _mask(size) if offer.needs else None
    request = EditInput((_picture(offer, size),), offer.example, size, mask=mask, seed=1)
    outcomes: list[str] = []

    def edit() -> None:
        try:
            (image,) = runner.run(engine.edit("studio", request)).images
            outcomes.append(f"{image.pixels.shape[1]}x{image.pixels.shape[0]}")
        except TollbrushError as refusal:
            outcomes.append(refusal.message)

    seen = [Figures(*worker.time(edit), outcomes[i]) for i in range(times)]
    if times > 1:
        runner.run(engine.close())
    return seen


def _picture(offer: Offer, size: Size) -> Pixels:
    """With a face, or with a sky; cut to the size's shape from the top, for a stretched face is none."""
    photo = data.rocket() if "the sky" in offer.example else data.astronaut()
    scale = max(size.width / photo.shape[1], size.height / photo.shape[0])
    large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[: size.height, : size.width])


def _mask(size: Size) -> Mask:
    """A tenth of the picture."""
    mask = np.zeros((size.height, size.width), np.bool_)
    mask[size.height // 2 : size.height * 13 // 16, size.width // 8 : size.width * 7 // 16] = True
    return mask


if __name__ == "__main__":
    main()
