"""What an edit must leave alone, and what must come out the same again.

`changed` counts pixels outside the mask that are not bit for bit as before (so ΔE = 0 when it is 0); `differs` counts
pixels that a second run with the same seed makes different. Both must be 0.
"""

from __future__ import annotations

import numpy as np

from bench.quality.line import Line
from bench.quality.photographs import outlined
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.understanding.understand import understand

TITLE = "promises (pixels: all 0)"
_MASKED = (
    "remove this",
    "remove the background",
    "change the background to a starry sky",
    "change the background to a sunset",
    "blur the background",
    "make it warmer",
    "make it black and white",
)


def run() -> list[Line]:
    scene = outlined("astronaut")
    ground = ~scene.mask
    square = np.zeros(ground.shape, bool)
    square[300:420, 250:400] = True
    lines = []
    for prompt in _MASKED:
        plan = understand(prompt, masked=True)
        mask = ground if "background" in prompt else square
        first, again = (next(perform(plan, scene.pixels, mask, [11])) for _ in range(2))
        outside = (first[..., :3] != scene.pixels).any(axis=2) & ~mask
        figures = {"changed": float(outside.sum()), "differs": float((first != again).any(axis=2).sum())}
        lines.append(Line(prompt, "studio", figures))
    return lines
