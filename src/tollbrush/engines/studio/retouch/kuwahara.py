"""The anisotropic Kuwahara filter (Kyprianidis, Kang and Döllner 2009): flat brush marks that follow what they paint.

Around each pixel lies an ellipse along the local structure, cut into eight soft sectors; the pixel takes their means,
the calmest sectors counting most, so that edges stay sharp and everything between them turns to paint.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.pixels.kernels import kernel

Floats = NDArray[np.float32]

_CELLS = 31  # of the sector table, from the ellipse's middle to its rim and back
_STRETCH = 0.9  # how far an ellipse is drawn out where the structure has one direction only


def painted(colours: Floats, radius: float, sharpness: float = 8.0, smoothness: float = 3.0) -> Floats:
    """H×W×3 colours 0..1 in brush marks of `radius` pixels. `smoothness`: over how many pixels (sigma) the direction
    of the marks is agreed on."""
    along, across = direction(np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), np.float32), smoothness)
    bins, shares = _sectors()
    return _kuwahara(np.ascontiguousarray(colours), along, across, np.float32(radius), sharpness, bins, shares)


def direction(grey: Floats, smoothness: float) -> tuple[Floats, Floats]:
    """The angle along the local structure (radians) and how clear it is, 0..1, by the structure tensor."""
    x, y = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    xx, xy, yy = (cv2.GaussianBlur(plane, (0, 0), smoothness) for plane in (x * x, x * y, y * y))
    spread = np.sqrt(np.square(xx - yy) + 4 * np.square(xy))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    return np.asarray(angle, np.float32), np.asarray(spread / (xx + yy + 1e-6), np.float32)


@cache
def _sectors() -> tuple[NDArray[np.int64], Floats]:
    """For each cell of the ellipse's square: its two neighbouring sectors' first, and how much of the cell's weight
    belongs to it and to the next; 0 and 0 outside the ellipse."""
    at = (np.arange(_CELLS) + 0.5) / _CELLS * 2 - 1
    v, u = np.meshgrid(at, at, indexing="ij")
    far = u * u + v * v
    turn = (np.arctan2(v, u) * 4 / np.pi) % 8
    weight = np.where(far <= 1, np.exp(-2 * far), 0)
    part = turn % 1
    return np.floor(turn).astype(np.int64) % 8, np.stack([weight * (1 - part), weight * part], -1).astype(np.float32)


@kernel
def _kuwahara(
    colours: Floats,
    along: Floats,
    clear: Floats,
    radius: np.float32,
    sharpness: float,
    bins: NDArray[np.int64],
    shares: Floats,
) -> Floats:
    rows, columns = along.shape
    cells = bins.shape[0]
    out = np.empty_like(colours)
    sums = np.zeros((8, 5), np.float32)  # weight, r, g, b, and the squares of all three
    for y in range(rows):
        for x in range(columns):
            sums[:] = 0
            longer = 1 + np.float32(_STRETCH) * clear[y, x]
            a, b = radius * longer, radius / longer
            c, s = np.cos(along[y, x]), np.sin(along[y, x])
            high, wide = int(np.sqrt(a * a * s * s + b * b * c * c)), int(np.sqrt(a * a * c * c + b * b * s * s))
            ux, uy, vx, vy = c / a, s / a, -s / b, c / b
            for dy in range(-high, high + 1):
                yy = min(max(y + dy, 0), rows - 1)
                for dx in range(-wide, wide + 1):
                    u, v = dx * ux + dy * uy, dx * vx + dy * vy
                    if u * u + v * v > 1:
                        continue
                    i = min(int((v + 1) * 0.5 * cells), cells - 1)
                    j = min(int((u + 1) * 0.5 * cells), cells - 1)
                    xx = min(max(x + dx, 0), columns - 1)
                    red, green, blue = colours[yy, xx, 0], colours[yy, xx, 1], colours[yy, xx, 2]
                    squares = red * red + green * green + blue * blue
                    first = bins[i, j]
                    for k in range(2):
                        weight = shares[i, j, k]
                        sector = (first + k) & 7
                        sums[sector, 0] += weight
                        sums[sector, 1] += weight * red
                        sums[sector, 2] += weight * green
                        sums[sector, 3] += weight * blue
                        sums[sector, 4] += weight * squares
            total = np.float32(0)
            mixed_r, mixed_g, mixed_b = np.float32(0), np.float32(0), np.float32(0)
            for k in range(8):
                if sums[k, 0] <= 1e-6:
                    continue
                red, green, blue = sums[k, 1] / sums[k, 0], sums[k, 2] / sums[k, 0], sums[k, 3] / sums[k, 0]
                spread = sums[k, 4] / sums[k, 0] - red * red - green * green - blue * blue
                calm = 1 / (1 + (46 * np.sqrt(max(spread, np.float32(0)))) ** sharpness)
                calm = max(calm, 1e-12)
                total += calm
                mixed_r += calm * red
                mixed_g += calm * green
                mixed_b += calm * blue
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = mixed_r / total, mixed_g / total, mixed_b / total
    return out
