"""Large pictures a few rows at a time: what is smooth is computed small and enlarged only where it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]

_ROWS = 256
_PIXELS = _ROWS * 8192  # 24 MiB of three channels in float


def strips(height: int, width: int = 1) -> Iterator[slice]:
    """Rows 0..height in order; fewer at a time of a picture whose `width` makes them long, as a panorama's."""
    rows = max(1, min(_ROWS, _PIXELS // width))
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def reduced(pixels: Pixels, side: int) -> Map:
    """The first three channels as 0..1, the longer side at most `side`."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(np.ascontiguousarray(pixels[..., :3]), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def reduced_map(values: Map, side: int) -> Map:
    """A map, the longer side at most `side`."""
    height, width = values.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def enlarged(small: Map | NDArray[np.uint16], rows: slice, height: int, width: int) -> Map:
    """These rows of `small` enlarged to height×width, without enlarging the rest."""
    if small.shape[:2] == (height, width):
        return np.asarray(small[rows], np.float32)
    scale_y, scale_x = small.shape[0] / height, small.shape[1] / width
    # Pixel centres correspond: u = (x + ½)·scale − ½.
    move = np.array([[scale_x, 0, scale_x / 2 - 0.5], [0, scale_y, (rows.start + 0.5) * scale_y - 0.5]])
    size = (width, rows.stop - rows.start)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(small, move, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)
