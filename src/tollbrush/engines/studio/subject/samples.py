"""Alpha from the pair of known colours that explains a pixel best (He, Rhemann, Rother, Tang and Sun: A global
sampling method for alpha matting, CVPR 2011).

Every unknown pixel looks for one known pixel of the subject and one of the ground, along the band's two rims, whose
mixture gives its colour and which are not far. Pairs spread from pixel to pixel as in PatchMatch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask

    Map = NDArray[np.float32]
    Table = NDArray[np.float32]

_SWEEPS = 2
_MISS = 6.0  # cost at which trust has fallen to 1/e: levels of 255 that the mixture misses the colour by, plus way
_APART = 0.05  # squared distance of the two colours, 0..3, from which their mixture is told with certainty


def sampled_alpha(image: Map, sure: Mask, unknown: Mask) -> tuple[Map, Map]:
    """For `image` (h×w×3, 0..1), subject where `sure`, ground where neither `sure` nor `unknown`: alpha, 0..1, and
    trust in it, 0..1, both h×w and 0 outside `unknown`."""
    alpha, trust = np.zeros(unknown.shape, np.float32), np.zeros(unknown.shape, np.float32)
    ground = ~(sure | unknown)
    rim = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    ours, theirs = _by_brightness(image, sure & rim), _by_brightness(image, ground & rim)
    if not len(ours) or not len(theirs):
        return alpha, trust
    places = np.nonzero(unknown)
    number = np.full(unknown.shape, -1, np.int32)
    number[places] = np.arange(places[0].size, dtype=np.int32)
    own = np.column_stack([image[places], *places, _way(~sure)[places], _way(~ground)[places]]).astype(np.float32)
    share, cost, apart = _search(own, number, ours, theirs, _SWEEPS)
    alpha[places] = share
    trust[places] = np.exp(-cost / _MISS) * np.minimum(apart / _APART, 1)
    return alpha, trust


def _by_brightness(image: Map, where: Mask) -> Table:
    """Colour, row and column of each of these pixels, dark ones first: what is near in the list is near in colour."""
    rows, columns = np.nonzero(where)
    colours = image[rows, columns]
    order = np.argsort(colours.sum(axis=1), kind="stable")
    return np.ascontiguousarray(np.column_stack([colours, rows, columns])[order], np.float32)


def _way(outside: Mask) -> Map:
    """How far each pixel is from what is not `outside`; at least 1."""
    return np.maximum(cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 3), 1).astype(np.float32)


@kernel
def _search(own: Table, number: NDArray[np.int32], ours: Table, theirs: Table, sweeps: int) -> tuple[Map, Map, Map]:
    """For each row of `own` (colour, row, column, way to subject, way to ground): alpha, the best pair's cost, and the
    squared distance of its colours."""
    count, height, width = len(own), number.shape[0], number.shape[1]
    share, apart = np.zeros(count, np.float32), np.zeros(count, np.float32)
    cost = np.full(count, np.inf, np.float32)
    pairs = np.zeros((count, 2), np.int32)
    state = np.uint32(1)
    for sweep in range(sweeps):
        step = -1 if sweep % 2 == 0 else 1
        for turn in range(count):
            i = turn if step < 0 else count - 1 - turn
            y, x = int(own[i, 3]), int(own[i, 4])
            for dy, dx in ((0, step), (step, -1), (step, 0), (step, 1)):
                if not (0 <= y + dy < height and 0 <= x + dx < width):
                    continue
                j = number[y + dy, x + dx]
                if j >= 0:
                    _try(own, i, ours, pairs[j, 0], theirs, pairs[j, 1], pairs, cost, share, apart)
            reach = max(len(ours), len(theirs))
            while reach > 0:
                # xorshift32 (Marsaglia 2003): the same pairs every time.
                state ^= np.uint32(state << np.uint32(13))
                state ^= np.uint32(state >> np.uint32(17))
                state ^= np.uint32(state << np.uint32(5))
                f = pairs[i, 0] + int(reach * (np.float32(state & np.uint32(0xFFFF)) / np.float32(32768) - 1))
                b = pairs[i, 1] + int(reach * (np.float32(state >> np.uint32(16)) / np.float32(32768) - 1))
                f, b = min(max(f, 0), len(ours) - 1), min(max(b, 0), len(theirs) - 1)
                _try(own, i, ours, f, theirs, b, pairs, cost, share, apart)
                reach //= 3
    return share, cost, apart


@kernel
def _try(
    own: Table,
    i: int,
    ours: Table,
    f: int,
    theirs: Table,
    b: int,
    pairs: NDArray[np.int32],
    cost: Map,
    share: Map,
    apart: Map,
) -> None:
    """Keeps the pair for pixel `i` if it explains it better."""
    along, square = np.float32(0), np.float32(1e-8)
    for c in range(3):
        way = ours[f, c] - theirs[b, c]
        along += (own[i, c] - theirs[b, c]) * way
        square += way * way
    alpha = min(max(along / square, np.float32(0)), np.float32(1))
    missed = np.float32(0)
    for c in range(3):
        missed += (own[i, c] - alpha * ours[f, c] - (1 - alpha) * theirs[b, c]) ** 2
    price = np.float32(255) * np.sqrt(missed)
    if price >= cost[i]:
        return
    price += np.sqrt((own[i, 3] - ours[f, 3]) ** 2 + (own[i, 4] - ours[f, 4]) ** 2) / own[i, 5]
    price += np.sqrt((own[i, 3] - theirs[b, 3]) ** 2 + (own[i, 4] - theirs[b, 4]) ** 2) / own[i, 6]
    if price < cost[i]:
        cost[i], share[i], apart[i] = price, alpha, square
        pairs[i, 0], pairs[i, 1] = f, b
