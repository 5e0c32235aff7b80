"""The studio's edits at 1024², kernels warm, in wall-clock milliseconds: no peer does them without weights."""

from __future__ import annotations

import asyncio

import numpy as np
from skimage import data, transform

from bench.measure import Row, alone
from tollbrush.domain.edits import Size
from tollbrush.engines.interface import EditInput
from tollbrush.engines.studio.engine import StudioEngine
from tollbrush.settings import StudioSettings

SIDE = 1024
PROMPTS = (
    ("change the background to a starry sky", 0.0),
    ("remove the background", 0.0),
    ("add a hat", 0.0),
    ("remove this", 0.01),
    ("remove this", 0.05),
    ("remove this", 0.15),
    ("remove this", 0.30),
    ("make it warmer", 0.0),
)


def run() -> list[Row]:
    photo = np.ascontiguousarray((transform.resize(data.astronaut(), (SIDE, SIDE), order=3) * 255).astype(np.uint8))
    with asyncio.Runner() as runner:
        engine = StudioEngine(StudioSettings(workers=1, timeout_seconds=60))
        runner.run(engine.start())
        runner.run(engine.ready())
        rows = []
        for prompt, part in PROMPTS:
            request = EditInput((photo,), prompt, Size(SIDE, SIDE), mask=_mask(part) if part else None, seed=1)
            name = f"{prompt} ({part:.0%})" if part else prompt
            rows.append(alone(name, lambda r=request: runner.run(engine.edit("studio", r)), wall=True))  # type: ignore[misc]
        runner.run(engine.close())
    return rows


def _mask(part: float) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    mask = np.zeros((SIDE, SIDE), bool)
    side = int(SIDE * part**0.5)
    mask[-side - 20 : -20, 20 : 20 + side] = True
    return mask
