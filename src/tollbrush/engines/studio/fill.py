"""Masked removal: paints a hole from the rest of the picture.

A thin hole (a scratch, a wire) is closed from its rim by fast marching (Telea 2004); any other is completed by
patches (completion). Texture and repeated structure come out well; what must be understood (half a face, a hidden car)
does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.completion import PATCH, SMALLER, complete, depth
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

_THIN = 3.0  # pixels from a hole's deepest point to its rim, up to which it counts as thin
_CONTEXT = 1.2  # source window around the hole, in hole sizes


def fill(pixels: Pixels, mask: Mask, seed: int = 0, exclude: Mask | None = None) -> Pixels:
    """H×W×3|4 pixels with the True pixels of `mask` painted anew; all others stay bit for bit.

    `exclude` (H×W, True = do not copy from here) keeps a subject from being cloned; it gives way when nothing else is
    left to copy from. Same seed, same bytes. Raises CannotHonour when the mask leaves nothing to paint from."""
    if not mask.any():
        return pixels.copy()
    if mask.all():
        raise CannotHonour("The mask covers the whole picture, so nothing is left to fill it from.", advice=SMALLER)
    out = pixels.copy()
    rows, columns = _window(mask, 4 * PATCH)
    if depth(mask) <= _THIN:
        painted = _march(pixels[rows, columns], mask[rows, columns])
    else:
        side = max(rows.stop - rows.start, columns.stop - columns.start)
        rows, columns = _window(mask, int(_CONTEXT * side))
        allowed = np.ones_like(mask) if exclude is None else ~exclude
        painted = complete(pixels[rows, columns], mask[rows, columns], allowed[rows, columns], seed % 2**31)
    out[rows, columns][mask[rows, columns]] = painted[mask[rows, columns]]
    return out


def _window(mask: Mask, margin: int) -> tuple[slice, slice]:
    """The mask's bounding box grown by `margin`, within the picture."""
    spans = []
    for axis in (1, 0):
        marked = np.flatnonzero(np.any(mask, axis=axis))
        spans.append(slice(max(0, int(marked[0]) - margin), int(marked[-1]) + margin + 1))
    return spans[0], spans[1]


def _march(pixels: Pixels, hole: Mask) -> Pixels:
    marked = hole.astype(np.uint8)
    out = np.empty_like(pixels)
    out[..., :3] = cv2.inpaint(np.ascontiguousarray(pixels[..., :3]), marked, _THIN, cv2.INPAINT_TELEA)
    for channel in range(3, pixels.shape[2]):
        out[..., channel] = cv2.inpaint(np.ascontiguousarray(pixels[..., channel]), marked, _THIN, cv2.INPAINT_TELEA)
    return out
