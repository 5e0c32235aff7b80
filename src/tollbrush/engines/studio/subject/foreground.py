"""The colours of subject and ground that explain a picture, given its alpha (Germer, Uelwer, Conrad, Harmeling: Fast
multi-level foreground estimation, ICPR 2020).

From one pixel up to the full size each level starts from the coarser one's colours and is relaxed a few times: both
colours should mix to the picture's and be like their neighbours'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

_LIKENESS, _STEP = 1e-3, 0.03  # the pull towards a neighbour, and how much more of it for each step of alpha between
_TINY = 32  # longer side up to which a level is relaxed until it hardly moves
_PASSES, _PASSES_TINY = 4, 10


def fore_and_back(image: Map, alpha: Map) -> tuple[Map, Map]:
    """The two layers' colours, each like `image` (h×w×3, 0..1): the picture's own where `alpha` (h×w) is 1 or 0."""
    levels = [(image, alpha)]
    while max(levels[-1][1].shape) > 1:
        height, width = levels[-1][1].shape
        half = (height + 1) // 2, (width + 1) // 2
        levels.append((_resized(levels[-1][0], *half), _resized(levels[-1][1], *half)))
    front, back = levels[-1][0].copy(), levels[-1][0].copy()
    while levels:
        colours, share = levels.pop()
        front, back = (_resized(layer, *share.shape) for layer in (front, back))
        _relax(colours, share, front, back, _PASSES_TINY if max(share.shape) <= _TINY else _PASSES)
    return front, back


def _resized(plane: Map, height: int, width: int) -> Map:
    """By the mean of what a pixel covers, or between pixels."""
    way = cv2.INTER_AREA if height < plane.shape[0] or width < plane.shape[1] else cv2.INTER_LINEAR
    resized = cv2.resize(plane, (width, height), interpolation=way)
    return np.asarray(resized, np.float32).reshape(height, width, *plane.shape[2:])


def explained(image: Map, front: Map, back: Map, alpha: Map) -> Map:
    """The foreground that with some background mixes to `image`, both as near as can be to these."""
    missed = image - alpha * front - (1 - alpha) * back
    return np.asarray(np.clip(front + alpha * missed / (alpha**2 + (1 - alpha) ** 2), 0, 1), np.float32)


@kernel
def _relax(image: Map, alpha: Map, front: Map, back: Map, passes: int) -> None:
    """Improves both layers in place."""
    height, width = alpha.shape
    near, far = np.zeros(3, np.float32), np.zeros(3, np.float32)
    for turn in range(passes):
        for y in range(height):
            for x in range(width):
                share = alpha[y, x]
                if share == 0 or share == 1:
                    if turn == 0:
                        for c in range(3):
                            (front if share == 1 else back)[y, x, c] = image[y, x, c]
                    continue
                total = np.float32(0)
                near[:], far[:] = 0, 0
                for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                    v, u = min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)
                    pull = np.float32(_LIKENESS) + np.float32(_STEP) * abs(share - alpha[v, u])
                    total += pull
                    for c in range(3):
                        near[c] += pull * front[v, u, c]
                        far[c] += pull * back[v, u, c]
                rest = 1 - share
                scale = 1 / (share * share + rest * rest + total)
                for c in range(3):
                    n, f = near[c] / total, far[c] / total
                    missed = (image[y, x, c] - share * n - rest * f) * scale
                    front[y, x, c] = min(max(n + share * missed, np.float32(0)), np.float32(1))
                    back[y, x, c] = min(max(f + rest * missed, np.float32(0)), np.float32(1))
