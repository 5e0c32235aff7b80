"""Thin holes, such as scratches, wires and letters, closed from what lies on both sides.

Where it is calm the rim is continued smoothly (Bertalmio et al. 2001); everywhere else the signal is continued by the
few frequencies that explain what is known around it (frequency selective reconstruction, Genser et al. 2018).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.parts import each
from tollbrush.engines.studio.pixels.strips import strips

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

_TILE = 96  # pixels a side, worked on at a time
_AROUND = 32  # pixels around a tile that are read along
_NEAR = 7  # pixels up and down, left and right, that are around a pixel
_CALM = 2.0  # levels: standard deviation around a pixel below which no frequency is worth looking for
_MOST = 40_000  # pixels that are looked at by frequency, a quarter of a millisecond each


def closed(pixels: Pixels, hole: Mask) -> Pixels:
    """H×W×3|4 pixels with the thin `hole` painted anew, all others as they were."""
    marked = hole.astype(np.uint8)
    out = pixels.copy()
    colours = np.asarray(cv2.inpaint(np.ascontiguousarray(pixels[..., :3]), marked, 3, cv2.INPAINT_NS), np.uint8)
    busy = hole & _busy(colours)
    if 0 < np.count_nonzero(busy) <= _MOST:
        colours = _reconstructed(colours, busy)
    out[..., :3][hole] = colours[hole]
    for channel in range(3, pixels.shape[2]):
        alpha = cv2.inpaint(np.ascontiguousarray(pixels[..., channel]), marked, 3, cv2.INPAINT_NS)
        out[..., channel][hole] = alpha[hole]
    return out


def _busy(colours: Pixels) -> Mask:
    """Where more than calm ground is around a pixel; in strips, for a float copy of a large picture is larger still."""
    busy = np.empty(colours.shape[:2], np.bool_)
    for rows in strips(len(colours)):
        first = max(0, rows.start - _NEAR)
        near = colours[first : rows.stop + _NEAR]
        inner = slice(rows.start - first, rows.stop - first)
        grey = cv2.cvtColor(near, cv2.COLOR_RGB2GRAY).astype(np.float32)
        mean, square = (cv2.blur(plane, (2 * _NEAR + 1, 2 * _NEAR + 1)) for plane in (grey, grey * grey))
        busy[rows] = (square - mean * mean)[inner] > _CALM * _CALM
    return busy


def _reconstructed(colours: Pixels, hole: Mask) -> Pixels:
    """Tile by tile, all of one size. What of the hole lies around a tile is taken as it was guessed."""
    height, width = hole.shape
    right, below = -width % _TILE + _AROUND, -height % _TILE + _AROUND
    source = cv2.copyMakeBorder(colours, _AROUND, below, _AROUND, right, cv2.BORDER_REFLECT)
    out = colours.copy()

    def reconstruct(corner: tuple[int, int]) -> None:
        y, x = corner
        mine = hole[y : y + _TILE, x : x + _TILE]
        if not mine.any():
            return
        known = np.full((_TILE + 2 * _AROUND, _TILE + 2 * _AROUND), 255, np.uint8)
        known[_AROUND : _AROUND + mine.shape[0], _AROUND : _AROUND + mine.shape[1]][mine] = 0
        tile = np.ascontiguousarray(source[y : y + known.shape[0], x : x + known.shape[1]])
        painted = np.zeros_like(tile)
        cv2.xphoto.inpaint(tile, known, painted, cv2.xphoto.INPAINT_FSR_FAST)
        own = painted[_AROUND : _AROUND + mine.shape[0], _AROUND : _AROUND + mine.shape[1]]
        out[y : y + _TILE, x : x + _TILE][mine] = own[mine]

    each(reconstruct, product(range(0, height, _TILE), range(0, width, _TILE)))
    return out
