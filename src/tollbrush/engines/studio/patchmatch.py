"""PatchMatch (Barnes et al. 2009) and patch voting (Wexler et al. 2007): the compiled inner loops of `fill`.

All work on padded planes: `features` is H×(W·C) float32, rows of pixels with their C channels side by side so that one
row of a patch is one contiguous run; a patch is the (2r+1)² square around its centre. `ty, tx` are the targets' centres
(patches that touch the hole), `ny, nx` each target's match, `nd` the squared distance of that pair.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.kernels import kernel

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

_WORST = np.float32(1e30)  # not infinity: fastmath may assume there is none


@kernel
def _distance(features: Floats, c: int, r: int, y: int, x: int, sy: int, sx: int, best: np.float32) -> np.float32:
    """Squared distance of the patches at (y, x) and (sy, sx), given up once it is not below `best`."""
    total = np.float32(0.0)
    run = (2 * r + 1) * c
    x0, s0 = (x - r) * c, (sx - r) * c
    for dy in range(-r, r + 1):
        for i in range(run):
            t = features[y + dy, x0 + i] - features[sy + dy, s0 + i]
            total += t * t
        if total >= best:
            break
    return total


@kernel
def distances(features: Floats, c: int, r: int, ty: Ints, tx: Ints, ny: Ints, nx: Ints) -> Floats:
    """`nd` of a field as it stands."""
    nd = np.empty(len(ty), np.float32)
    for k in range(len(ty)):
        nd[k] = _distance(features, c, r, ty[k], tx[k], ny[k], nx[k], _WORST)
    return nd


@kernel
def search(
    features: Floats,
    c: int,
    r: int,
    sources: Bools,
    index: Ints,
    ty: Ints,
    tx: Ints,
    ny: Ints,
    nx: Ints,
    nd: Floats,
    sweeps: int,
    reach: int,
    seed: int,
) -> None:
    """Improves the field in place: propagation along the sweep, then random search in halving squares from `reach`.

    `sources` H×W says where a source patch may be centred, `index` H×W names the target at a pixel, or −1."""
    h, w = sources.shape
    n = len(ty)
    state = np.uint32(seed * 2654435761 % 4294967295 + 1)
    for sweep in range(sweeps):
        step = -1 if sweep % 2 == 0 else 1
        for q in range(n):
            k = q if step < 0 else n - 1 - q
            y, x = ty[k], tx[k]
            by, bx, bd = ny[k], nx[k], nd[k]
            for axis in range(2):
                sy, sx = (step, 0) if axis == 0 else (0, step)
                neighbour = index[y + sy, x + sx]
                if neighbour < 0:
                    continue
                cy, cx = ny[neighbour] - sy, nx[neighbour] - sx
                if (cy != by or cx != bx) and 0 <= cy < h and 0 <= cx < w and sources[cy, cx]:
                    d = _distance(features, c, r, y, x, cy, cx, bd)
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
                    d = _distance(features, c, r, y, x, cy, cx, bd)
                    if d < bd:
                        by, bx, bd = cy, cx, d
                radius //= 2
            ny[k], nx[k], nd[k] = by, bx, bd


@kernel
def vote_soft(
    colours: Floats, paint: Bools, r: int, ty: Ints, tx: Ints, ny: Ints, nx: Ints, weight: Floats
) -> tuple[Floats, Floats]:
    """Weighted mean of all patches over a pixel: smooth, so that coarse levels agree. Sums and weights, H×W×C, H×W."""
    h, w, c = colours.shape
    total = np.zeros((h, w, c), np.float32)
    weights = np.zeros((h, w), np.float32)
    for k in range(len(ty)):
        for dy in range(-r, r + 1):
            for dx in range(-r, r + 1):
                y, x = ty[k] + dy, tx[k] + dx
                if paint[y, x]:
                    for i in range(c):
                        total[y, x, i] += weight[k] * colours[ny[k] + dy, nx[k] + dx, i]
                    weights[y, x] += weight[k]
    return total, weights


@kernel
def vote_sharp(
    colours: Floats, paint: Bools, r: int, ty: Ints, tx: Ints, ny: Ints, nx: Ints, cost: Floats, power: float
) -> tuple[Floats, Floats]:
    """Like `vote_soft`, but a patch counts by (best cost at the pixel / its cost)^power: texture and grain survive,
    because nearly one patch alone paints each pixel."""
    h, w, c = colours.shape
    best = np.full((h, w), _WORST, np.float32)
    off_centre = np.float32(0.15 / (r * r))
    least = np.float32(0.01 ** (1 / power))  # of less weight: not worth the sum
    for k in range(len(ty)):
        for dy in range(-r, r + 1):
            for dx in range(-r, r + 1):
                y, x = ty[k] + dy, tx[k] + dx
                if paint[y, x]:
                    best[y, x] = min(best[y, x], cost[k] * (1 + off_centre * (dy * dy + dx * dx)))
    total = np.zeros((h, w, c), np.float32)
    weights = np.zeros((h, w), np.float32)
    for k in range(len(ty)):
        for dy in range(-r, r + 1):
            for dx in range(-r, r + 1):
                y, x = ty[k] + dy, tx[k] + dx
                if paint[y, x]:
                    here = cost[k] * (1 + off_centre * (dy * dy + dx * dx))
                    ratio = (best[y, x] + 1) / (here + 1)
                    if ratio < least:
                        continue
                    share = ratio**power
                    for i in range(c):
                        total[y, x, i] += share * colours[ny[k] + dy, nx[k] + dx, i]
                    weights[y, x] += share
    return total, weights


@kernel
def known_mean(features: Floats, c: int, r: int, hole: Bools, y: int, x: int, mean: Floats) -> None:
    """The mean features of a patch's known pixels, into `mean`."""
    mean[:] = 0
    count = 0
    for dy in range(-r, r + 1):
        for dx in range(-r, r + 1):
            if not hole[y + dy, x + dx]:
                count += 1
                for i in range(c):
                    mean[i] += features[y + dy, (x + dx) * c + i]
    mean /= max(count, 1)


@kernel
def peel(
    features: Floats, colours: Floats, c: int, r: int, hole: Bools, sy: Ints, sx: Ints, novelty: float, far: float
) -> Ints:
    """First guess at the coarsest level (Newson et al. 2014): layer by layer from the rim inwards, each pixel takes the
    colour of the best of all sources `sy, sx`, compared over what is already known.

    What a source would bring in beyond that costs `novelty` times its distance from the known part's mean: where a
    plain wall must go on, the wall beside a head may match best, and would bring the head along. `far` is the price of
    a source a whole picture away. Changes features, colours and hole in place; returns H×W the number of each hole
    pixel's source, −1 elsewhere."""
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
            known_mean(features, c, r, hole, y, x, mean)
            best = _WORST
            for k in range(len(sy)):
                d = np.float32(far * np.hypot(sy[k] - y, sx[k] - x) / max(h, w))
                for dy in range(-r, r + 1):
                    for dx in range(-r, r + 1):
                        at, of = (x + dx) * c, (sx[k] + dx) * c
                        for i in range(c):
                            if hole[y + dy, x + dx]:
                                t = features[sy[k] + dy, of + i] - mean[i]
                                d += novelty * t * t
                            else:
                                t = features[y + dy, at + i] - features[sy[k] + dy, of + i]
                                d += t * t
                    if d >= best:
                        break
                if d < best:
                    best = d
                    chosen[q] = k
        for q in range(len(layer)):
            y, x = layer[q]
            matches[y, x] = chosen[q]
            fy, fx = sy[chosen[q]], sx[chosen[q]]
            for i in range(c):
                features[y, x * c + i] = features[fy, fx * c + i]
            for i in range(colours.shape[2]):
                colours[y, x, i] = colours[fy, fx, i]
            hole[y, x] = False
