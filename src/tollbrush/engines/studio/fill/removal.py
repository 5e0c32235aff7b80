"""Masked removal: paints a hole from the rest of the picture.

Its thin pieces (scratches, wires, letters) are closed from what lies on both sides of them; the others are completed by
patches. Texture, repeated structure and the outline of a thing come out well; what must be understood (half a face, a
hidden car) does not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.fill.completion import complete
from tollbrush.engines.studio.fill.levels import PATCH, SMALLER
from tollbrush.engines.studio.fill.thin import closed
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

_THIN = 8.0  # pixels from a piece's deepest point to its rim, up to which it counts as thin
_ON = 0.3  # share of a hole's rim that shows a thing, from which on the hole is one in that thing
_CONTEXT = 0.35, 1.2  # source window around the hole, in hole sizes: the least, and the most
_WORK_PIXELS = 2700 * 2700  # of that window: there are enough sources in it, and they fit into memory


def fill(pixels: Pixels, mask: Mask, seed: int = 0, exclude: Mask | None = None, *, behind: bool = False) -> Pixels:
    """H×W×3|4 pixels with the True pixels of `mask` painted anew; all others stay bit for bit.

    `exclude` (H×W, True = do not copy from here) keeps a subject from being cloned. It gives way when nothing else is
    left to copy from, and where the hole is in that subject, unless the hole is to show what lies `behind` it. Same
    seed, same bytes. Raises CannotHonour when the mask leaves nothing to paint from."""
    if not mask.any():
        return pixels.copy()
    if mask.all():
        raise CannotHonour("The mask covers the whole picture, so nothing is left to fill it from.", advice=SMALLER)
    out = pixels.copy()
    thin = _thin(mask)
    if thin.any():
        rows, columns = _window(thin, 4 * PATCH)
        # What is thick is not known yet either: it must not be read as picture.
        painted = closed(pixels[rows, columns], mask[rows, columns])
        out[rows, columns][thin[rows, columns]] = painted[thin[rows, columns]]
    thick = mask & ~thin
    if thick.any():
        rows, columns = _window(thick, _margin(thick))
        spared = np.zeros_like(mask) if exclude is None or (not behind and _lies_on(thick, exclude)) else exclude
        painted = _completed(out[rows, columns], thick[rows, columns], spared[rows, columns], seed % 2**31)
        out[rows, columns][thick[rows, columns]] = painted[thick[rows, columns]]
    return out


def is_thin(mask: Mask) -> bool:
    """Whether no piece of it is completed by patches, so that nothing could be cloned."""
    return bool(np.array_equal(_thin(mask), mask))


def _lies_on(hole: Mask, thing: Mask) -> bool:
    """Whether the hole is one in that thing itself: much of its rim shows it."""
    rim = cv2.dilate(hole.astype(np.uint8), np.ones((2 * PATCH + 1, 2 * PATCH + 1), np.uint8)) > hole
    return bool(thing[rim].mean() > _ON)


def _thin(mask: Mask) -> Mask:
    """Which connected pieces are nowhere far from their rim; the picture's border is rim too."""
    count, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    deep = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1] > _THIN
    thick = np.zeros(count, np.bool_)
    thick[pieces[deep]] = True
    return np.asarray(mask & ~thick[pieces], np.bool_)


def _completed(pixels: Pixels, hole: Mask, excluded: Mask, seed: int) -> Pixels:
    """By patches. A hole too large for all of its pixels is painted in a smaller copy, and a little soft."""
    scale = math.sqrt(_WORK_PIXELS / hole.size)
    if scale >= 1:
        return complete(pixels, hole, excluded, seed)
    height, width = hole.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    touched, barred = (_reduced(255 * plane.astype(np.uint8), size) > 0 for plane in (hole, excluded))
    painted = complete(_reduced(pixels, size), touched, barred, seed)
    return np.asarray(cv2.resize(painted, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _reduced(plane: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


def _margin(hole: Mask) -> int:
    """How far around the hole to look for sources: as far as the window may measure."""
    rows, columns = _window(hole, 4 * PATCH)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    least, most = (share * max(height, width) for share in _CONTEXT)
    room = (math.sqrt((height - width) ** 2 + 4 * _WORK_PIXELS) - height - width) / 4
    return int(min(max(room, least), most))


def _window(mask: Mask, margin: int) -> tuple[slice, slice]:
    """The mask's bounding box grown by `margin`, within the picture."""
    spans = []
    for axis in (1, 0):
        marked = np.flatnonzero(np.any(mask, axis=axis))
        spans.append(slice(max(0, int(marked[0]) - margin), int(marked[-1]) + margin + 1))
    return spans[0], spans[1]
