"""The compiled first guess of a completion: a hole peeled layer by layer from its rim inwards (Newson et al. 2014).

`features` is H×(W·C) float32 as in patchmatch.py.
"""

from __future__ import annotations

import numpy as np

from tollbrush.engines.studio.fill.patchmatch import WORST, Bools, Floats, Ints
from tollbrush.engines.studio.pixels.kernels import kernel


@kernel
def _known(features: Floats, c: int, r: int, hole: Bools, y: int, x: int, mean: Floats) -> np.float32:
    """The mean features of a patch's known pixels, into `mean`; returns their variance."""
    mean[:] = 0
    count, squares = 0, np.float32(0)
    for dy in range(-r, r + 1):
        for dx in range(-r, r + 1):
            if not hole[y + dy, x + dx]:
                count += 1
                for i in range(c):
                    value = features[y + dy, (x + dx) * c + i]
                    mean[i] += value
                    squares += value * value
    mean /= max(count, 1)
    return max(squares / max(count, 1) - np.square(mean).sum(), np.float32(0))


@kernel
def peel(
    features: Floats,
    c: int,
    r: int,
    hole: Bools,
    sy: Ints,
    sx: Ints,
    prices: Floats,
    novelty: float,
    far_y: float,
    far_x: float,
) -> Ints:
    """First guess at the coarsest level (Newson et al. 2014): layer by layer from the rim inwards, each pixel takes the
    best of all sources `sy, sx`, compared over what is already known.

    What a source would bring in beyond that, and beyond the known part's own variance, costs `novelty`: where a plain
    wall must go on, the wall beside a head may match best, and would bring the head along. `far` is the price of
    each pixel down and across. Changes features and hole in place; returns H×W the number of each hole pixel's
    source, −1 elsewhere."""
    h, w = hole.shape
    mean = np.zeros(c, np.float32)
    matches = np.full((h, w), -1, np.int32)
    while True:
        layer = [
            (y, x)
            for y in range(r, h - r)
            for x in range(r, w - r)
            if hole[y, x] and not (hole[y - 1, x] and hole[y + 1, x] and hole[y, x - 1] and hole[y, x + 1])
        ]
        if len(layer) == 0:
            return matches
        chosen = np.zeros(len(layer), np.int64)
        for q in range(len(layer)):
            y, x = layer[q]
            calm = _known(features, c, r, hole, y, x, mean)
            best = WORST
            for k in range(len(sy)):
                d = np.float32(prices[k] + np.hypot(far_y * (sy[k] - y), far_x * (sx[k] - x)))
                if d >= best:
                    continue
                news = np.float32(0)
                for dy in range(-r, r + 1):
                    for dx in range(-r, r + 1):
                        at, of = (x + dx) * c, (sx[k] + dx) * c
                        if hole[y + dy, x + dx]:
                            news -= 2 * calm
                            for i in range(c):
                                t = features[sy[k] + dy, of + i] - mean[i]
                                news += t * t
                        else:
                            for i in range(c):
                                t = features[y + dy, at + i] - features[sy[k] + dy, of + i]
                                d += t * t
                    if d >= best:
                        break
                d += novelty * max(news, np.float32(0))
                if d < best:
                    best = d
                    chosen[q] = k
        for q in range(len(layer)):
            y, x = layer[q]
            matches[y, x] = chosen[q]
            fy, fx = sy[chosen[q]], sx[chosen[q]]
            for i in range(c):
                features[y, x * c + i] = features[fy, fx * c + i]
            hole[y, x] = False
