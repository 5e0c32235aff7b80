"""The head that an accessory sits on: pose and size from the eyes, outline with the hair by GrabCut (Rother 2004).

The head's own frame: the origin between the eyes, x to the right in the picture, y down, z towards the viewer; one unit
is the distance between the eyes (about 6.3 cm), so that hats have the same numbers on every head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.faces import Face, Point, eyes

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

Floats = NDArray[np.float32]

_BOX_PER_UNIT = 2.4  # width of a cascade's face box
_OUTLINE_UNIT = 26  # pixels per unit at which the outline is cut
_REACH = (-3.0, -3.3, 3.0, 1.1)  # left, top, right, bottom of the outline's window, in units
_HAT_LINE = -0.85  # height at which the head's width counts
_WIDTHS = (1.28, 1.48)  # half widths of a head under a hat; hair beyond is pressed down by it


@dataclass(frozen=True)
class Head:
    """`origin` in pixels, `unit` in pixels, `roll` in radians clockwise. `outline` is H×W, 0…1: the head with its hair,
    down to the chin. `middle` and `half_width` (units) say where it is cut by the hat line; `top` its highest point."""

    origin: Point
    unit: float
    roll: float
    outline: Floats
    middle: float
    half_width: float
    top: float

    @property
    def room(self) -> float:
        """How far the picture reaches above the eyes, in units."""
        return self.origin.y / self.unit

    def to_pixels(self, points: Floats) -> Floats:
        """(…, 2) points of the head's frame, in pixels."""
        c, s = np.cos(self.roll), np.sin(self.roll)
        turned = points @ np.array([[c, s], [-s, c]], np.float32)
        return np.asarray(turned * self.unit + np.array(self.origin, np.float32), np.float32)


def measure(pixels: Pixels, face: Face) -> Head:
    """The head of a face found in H×W×3|4 pixels."""
    left, right = eyes(pixels, face)
    apart = float(np.hypot(right.x - left.x, right.y - left.y))
    unit = (apart + face.w / _BOX_PER_UNIT) / 2
    roll = float(np.arctan2(right.y - left.y, right.x - left.x))
    origin = Point((left.x + right.x) / 2, (left.y + right.y) / 2)
    bare = Head(origin, unit, roll, np.zeros((0, 0), np.float32), 0.0, _WIDTHS[0], -1.9)
    upright = _cut(_upright(pixels, bare))
    middle, half_width, top = _extent(upright)
    outline = _back(upright, bare, (pixels.shape[0], pixels.shape[1]))
    return Head(origin, unit, roll, outline, middle, half_width, top)


def _frame(head: Head) -> Floats:
    """2×3 map from the outline's window to the picture."""
    corners = np.array([[_REACH[0], _REACH[1]], [_REACH[2], _REACH[1]], [_REACH[0], _REACH[3]]], np.float32)
    window = (corners - corners[0]) * _OUTLINE_UNIT
    return np.asarray(cv2.getAffineTransform(window, head.to_pixels(corners)), np.float32)


def _size() -> tuple[int, int]:
    return int((_REACH[2] - _REACH[0]) * _OUTLINE_UNIT), int((_REACH[3] - _REACH[1]) * _OUTLINE_UNIT)


def _upright(pixels: Pixels, head: Head) -> Pixels:
    """The window around the head, turned upright and sampled at _OUTLINE_UNIT."""
    shrink = head.unit / _OUTLINE_UNIT
    rgb = np.ascontiguousarray(pixels[..., :3])
    if shrink > 1.5:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.4 * shrink), np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    window = cv2.warpAffine(rgb, _frame(head), _size(), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(window, np.uint8)


def _cut(window: Pixels) -> Floats:
    """The outline in the window, 0…1: a face is surely head, an ellipse around it perhaps, the rest is not."""
    w, h = _size()
    x, y = np.meshgrid(np.arange(w) / _OUTLINE_UNIT + _REACH[0], np.arange(h) / _OUTLINE_UNIT + _REACH[1])
    labels = np.full((h, w), cv2.GC_PR_BGD, np.uint8)
    labels[np.hypot(x / 1.65, (y + 0.35) / 1.65) < 1] = cv2.GC_PR_FGD
    labels[np.hypot(x / 2.3, (y + 0.1) / 2.5) > 1] = cv2.GC_BGD
    labels[np.hypot(x / 0.95, (y - 0.2) / 1.3) < 1] = cv2.GC_FGD
    labels[np.hypot(x / 1.0, (y + 0.6) / 1.05) < 1] = cv2.GC_FGD
    cv2.setRNGSeed(1)
    cv2.grabCut(window, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    inside = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    inside = cv2.morphologyEx(cv2.morphologyEx(inside, cv2.MORPH_CLOSE, disc), cv2.MORPH_OPEN, disc)
    return np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0), np.float32)


def _extent(outline: Floats) -> tuple[float, float, float]:
    """Middle and half width at the hat line, and the top, in units; a usual head's where the outline says nothing."""
    row = np.flatnonzero(outline[int((_HAT_LINE - _REACH[1]) * _OUTLINE_UNIT)] > 0.5)
    if len(row) == 0:
        return 0.0, _WIDTHS[0], -1.9
    left, right = row[0] / _OUTLINE_UNIT + _REACH[0], row[-1] / _OUTLINE_UNIT + _REACH[0]
    rows = np.flatnonzero((outline > 0.5).any(axis=1))
    top = float(np.clip(rows[0] / _OUTLINE_UNIT + _REACH[1], -2.4, -1.6))
    return float(np.clip((left + right) / 4, -0.2, 0.2)), float(np.clip((right - left) / 2, *_WIDTHS)), top


def _back(outline: Floats, head: Head, shape: tuple[int, int]) -> Floats:
    placed = cv2.warpAffine(outline, _frame(head), (shape[1], shape[0]), flags=cv2.INTER_CUBIC)
    return np.asarray(np.clip(placed, 0, 1), np.float32)
