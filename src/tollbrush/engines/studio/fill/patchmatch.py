"""PatchMatch (Barnes et al. 2009) and patch voting (Wexler et al. 2007): the compiled inner loops of `fill`.

All work on padded planes: `features` is H×(W·C) float32, rows of pixels with their C channels side by side so that one
row of a patch is one contiguous run; a patch is the (2r+1)² square around its centre. `my, mx` (H×W int32) give for
each target, a centre whose patch touches the hole, its match's centre, and −1 elsewhere; `cost` (H×W) is the squared
distance of that pair, 1e30 where there is none, and `best` the least of all patches over a pixel. Sources lie wholly
outside the hole, so a hole is painted in place. The loops take a band of
rows, `top`…`bottom`, and may run side by side. Indices are unsigned where it counts: numba looks at each signed one for
being negative, which keeps a loop from being vectorised.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.pixels.kernels import kernel

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

WORST = np.float32(1e30)  # not infinity: fastmath may assume there is none


@kernel
def _distance(
    features: Floats, c: int, r: int, y: int, x: int, sy: int, sx: int, start: np.float32, best: np.float32
) -> np.float32:
    """`start` and the squared distance of the patches at (y, x) and (sy, sx), given up once not below `best`."""
    run, x0, s0 = np.uint64((2 * r + 1) * c), np.uint64((x - r) * c), np.uint64((sx - r) * c)
    total = start
    for dy in range(-r, r + 1):
        ty, fy = np.uint64(y + dy), np.uint64(sy + dy)
        row = np.float32(0)
        for i in range(run):
            t = features[ty, x0 + i] - features[fy, s0 + i]
            row += t * t
        total += row
        if total >= best:
            break
    return total


@kernel
def search(
    features: Floats,
    c: int,
    r: int,
    sources: Bools,
    price: Floats,
    before_y: Ints,
    before_x: Ints,
    my: Ints,
    mx: Ints,
    cost: Floats,
    top: int,
    bottom: int,
    sweeps: int,
    reach: int,
    seed: int,
) -> None:
    """Improves the matches of a band in place: propagation along the sweep, then random search in halving squares from
    `reach`. `cost` is found anew, for features change between calls.

    `sources` H×W says where a source patch may be centred. `before` are the matches as they were when all bands began:
    what lies beyond the band is read there, so that no band waits."""
    h, w = sources.shape
    state = np.uint32(seed * 2654435761 % 4294967295 + 1)
    for y in range(top, bottom):
        for x in range(w):
            if my[y, x] >= 0:
                sy, sx = my[y, x], mx[y, x]
                cost[y, x] = _distance(features, c, r, y, x, sy, sx, price[sy, sx], WORST)
    for sweep in range(sweeps):
        step = -1 if sweep % 2 == 0 else 1
        for row in range(top, bottom):
            y = row if step < 0 else top + bottom - 1 - row
            for column in range(w):
                x = column if step < 0 else w - 1 - column
                if my[y, x] < 0:
                    continue
                by, bx, bd = my[y, x], mx[y, x], cost[y, x]
                for axis in range(2):
                    sy, sx = (step, 0) if axis == 0 else (0, step)
                    ny, nx = y + sy, x + sx
                    if not (0 <= ny < h and 0 <= nx < w):
                        continue
                    own = top <= ny < bottom
                    cy, cx = (my[ny, nx], mx[ny, nx]) if own else (before_y[ny, nx], before_x[ny, nx])
                    if cy < 0:
                        continue
                    cy, cx = cy - sy, cx - sx
                    if (cy != by or cx != bx) and 0 <= cy < h and 0 <= cx < w and sources[cy, cx]:
                        d = _distance(features, c, r, y, x, cy, cx, price[cy, cx], bd)
                        if d < bd:
                            by, bx, bd = cy, cx, d
                radius = reach
                while radius >= 1:
                    # xorshift32 (Marsaglia 2003): the same field for the same seed, on any number of threads.
                    state ^= np.uint32(state << np.uint32(13))
                    state ^= np.uint32(state >> np.uint32(17))
                    state ^= np.uint32(state << np.uint32(5))
                    span = np.uint32(2 * radius + 1)
                    cy = by + np.int32(np.uint32(state & np.uint32(0xFFFF)) % span) - radius
                    cx = bx + np.int32(np.uint32(state >> np.uint32(16)) % span) - radius
                    if 0 <= cy < h and 0 <= cx < w and sources[cy, cx]:
                        d = _distance(features, c, r, y, x, cy, cx, price[cy, cx], bd)
                        if d < bd:
                            by, bx, bd = cy, cx, d
                    radius //= 2
                my[y, x], mx[y, x], cost[y, x] = by, bx, bd


@kernel
def _heard(cost: Floats, best: Floats, r: int, y: int, x: int, doublings: int, offset: Ints, share: Floats) -> int:
    """The patches over a pixel that count there, by (least cost / own cost)^(2^doublings): how many, and in `offset`
    (n×2) where in them the pixel lies, in `share` their part of the whole."""
    off_centre = np.float32(0.15 / (r * r))
    least = best[y, x] + 1
    if least >= WORST:
        return 0
    # What is farther from the best than this is not worth the sum, even where the best has the pixel in its corner.
    limit = least * (1 + off_centre * 2 * r * r) * np.float32(100.0 ** (0.5**doublings))
    count, total = 0, np.float32(0)
    for dy in range(-r, r + 1):
        v = np.uint64(y - dy)
        for dx in range(-r, r + 1):
            d = cost[v, np.uint64(x - dx)]
            if d < limit:
                part = least / (d * (1 + off_centre * (dy * dy + dx * dx)) + 1)
                for _ in range(doublings):
                    part *= part
                offset[count, 0], offset[count, 1], share[count] = dy, dx, part
                total += part
                count += 1
    for k in range(count):
        share[k] /= total
    return count


@kernel
def vote(
    planes: Floats,
    c: int,
    r: int,
    hole: Bools,
    my: Ints,
    mx: Ints,
    cost: Floats,
    best: Floats,
    top: int,
    bottom: int,
    doublings: int,
) -> None:
    """Paints a band of the hole: each pixel becomes the mean of what the patches over it propose. A high power leaves
    nearly one patch alone, so texture and grain survive; a low one lets coarse levels agree."""
    here = np.zeros(c, np.float32)
    offset, share = np.zeros(((2 * r + 1) ** 2, 2), np.int32), np.zeros((2 * r + 1) ** 2, np.float32)
    for y in range(top, bottom):
        for x in range(r, hole.shape[1] - r):
            if not hole[y, x]:
                continue
            here[:] = 0
            count = _heard(cost, best, r, y, x, doublings, offset, share)
            for k in range(count):
                v, u, part = y - offset[k, 0], x - offset[k, 1], share[k]
                sy, sx = my[v, u], mx[v, u]
                row, column = np.uint64(sy + offset[k, 0]), np.uint64((sx + offset[k, 1]) * c)
                for i in range(c):
                    here[i] += part * planes[row, column + np.uint64(i)]
            if count:
                planes[y, x * c : (x + 1) * c] = here


@kernel
def vote_steps(
    planes: Floats,
    c: int,
    r: int,
    paint: Bools,
    my: Ints,
    mx: Ints,
    cost: Floats,
    best: Floats,
    across: Floats,
    down: Floats,
    top: int,
    bottom: int,
    doublings: int,
) -> None:
    """The same for differences to the pixel on the right and below, where `paint`: H×W×C, not padded."""
    offset, share = np.zeros(((2 * r + 1) ** 2, 2), np.int32), np.zeros((2 * r + 1) ** 2, np.float32)
    for y in range(top, bottom):
        for x in range(r, paint.shape[1] - r):
            if not paint[y, x]:
                continue
            for k in range(_heard(cost, best, r, y, x, doublings, offset, share)):
                v, u = np.uint64(y - offset[k, 0]), np.uint64(x - offset[k, 1])
                sy, sx = np.uint64(my[v, u] + offset[k, 0]), np.uint64((mx[v, u] + offset[k, 1]) * c)
                for i in range(c):
                    at = sx + np.uint64(i)
                    here = planes[sy, at]
                    across[y - r, x - r, i] += share[k] * (planes[sy, at + np.uint64(c)] - here)
                    down[y - r, x - r, i] += share[k] * (planes[sy + np.uint64(1), at] - here)
