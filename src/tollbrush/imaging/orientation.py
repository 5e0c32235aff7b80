"""Exif orientation: from the picture as it lies in the file to the picture as it is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_ROWS: Final = 128


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """H×W or H×W×3 as Exif 2.3, table 6, says; the same array where nothing is to be done."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else turn(pixels).astype(np.uint8, copy=False)


def _quarter(pixels: Pixels, *, clockwise: bool) -> Pixels:
    """Turned by 90°. OpenCV turns words of four bytes several times faster than threes; by blocks, to stay in cache."""
    way = cv2.ROTATE_90_CLOCKWISE if clockwise else cv2.ROTATE_90_COUNTERCLOCKWISE
    if pixels.ndim == 2:
        return cv2.rotate(pixels, way).astype(np.uint8, copy=False)
    height, width = pixels.shape[:2]
    out = np.empty((width, height, 3), np.uint8)
    for top in range(0, height, _ROWS):
        words = cv2.cvtColor(pixels[top : top + _ROWS], cv2.COLOR_RGB2RGBA).view(np.int32)[..., 0]
        turned = cv2.rotate(words, way)
        rows = len(words)
        columns = slice(height - top - rows, height - top) if clockwise else slice(top, top + rows)
        out[:, columns] = cv2.cvtColor(turned[..., None].view(np.uint8), cv2.COLOR_RGBA2RGB)
    return out


_TURNS: Final[Mapping[int, Callable[[Pixels], cv2.typing.MatLike]]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.flip(pixels, -1),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: lambda pixels: cv2.transpose(pixels),
    6: lambda pixels: _quarter(pixels, clockwise=True),
    7: lambda pixels: cv2.flip(cv2.transpose(pixels), -1),
    8: lambda pixels: _quarter(pixels, clockwise=False),
}
