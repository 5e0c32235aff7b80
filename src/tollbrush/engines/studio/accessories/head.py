"""The head that an accessory sits on: pose and size from the features, outline with the hair by GrabCut (Rother 2004).

The head's own frame: the origin between the eyes but at the depth of the head's axis, x to the right in the picture,
y down, z towards the viewer; one unit is the distance between the eyes (about 6.3 cm), so that hats have the same
numbers on every head.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.accessories.pitch import held_upright, pitch_of
from tollbrush.engines.studio.faces.find import Face, Point
from tollbrush.engines.studio.faces.landmarks import features

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

Floats = NDArray[np.float32]

_BOX_PER_UNIT = 2.4  # width of a cascade's face box
_EYES = 1.25  # how far before the head's axis the eyes lie, in units
_MOST_YAW = 0.5  # radians
_FACE = 0.25  # how far before the eyes nose and lips are, in units
_USUAL_TOP, _TOPS = -1.9, (-2.4, -1.6)  # heights of heads' tops
_AIR = 0.05  # units of picture over a head whose top is seen
_OUTLINE_UNIT = 26  # pixels per unit at which the outline is cut
_REACH = (-3.0, -3.3, 3.0, 1.1)  # left, top, right, bottom of the outline's window, in units
_HAT_LINE = -0.85  # height at which the head's width counts
_WIDTHS = (1.28, 1.48)  # half widths of a head under a hat; hair beyond is pressed down by it


@dataclass(frozen=True)
class Head:
    """`origin` and `unit` in pixels. In radians: `roll` clockwise, `yaw` positive when the nose points to the picture's
    right, `pitch` positive when it points down. `outline` is H×W, 0…1: the head with its hair, down to the chin; `hair`
    the part of it above and beside the face. In units, of the head held upright: `half_width` at the hat line, the
    highest point `top`, and the heights below the eyes of the `nose`'s end, the `mouth` and the `chin`."""

    origin: Point
    unit: float
    roll: float
    yaw: float = 0.0
    pitch: float = 0.0
    outline: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    hair: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    half_width: float = 1.28
    top: float = _USUAL_TOP
    nose: float = 0.68
    mouth: float = 1.06
    chin: float = 1.76

    @property
    def room(self) -> float:
        """How far the picture reaches above the eyes, in units."""
        return self.origin.y / self.unit

    def facing(self, points: Floats) -> Floats:
        """(…, 3) points of the head's frame as they lie when it nods and turns; the eyes stay where they are."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]], np.float32)
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        nod = np.array([[1, 0, 0], [0, c, -s], [0, s, c]], np.float32)
        before = np.array([0, 0, _EYES], np.float32)
        return np.asarray((points - before) @ nod @ turn + before, np.float32)

    def to_pixels(self, points: Floats) -> Floats:
        """(…, 2) points of the head's frame, in pixels."""
        c, s = np.cos(self.roll), np.sin(self.roll)
        turned = points @ np.array([[c, s], [-s, c]], np.float32)
        return np.asarray(turned * self.unit + np.array(self.origin, np.float32), np.float32)


def measure(pixels: Pixels, face: Face) -> Head:
    """The head of a face found in H×W×3|4 pixels."""
    seen = features(pixels, face)
    left, right = seen.left, seen.right
    apart = float(np.hypot(right.x - left.x, right.y - left.y))
    roll = float(np.arctan2(right.y - left.y, right.x - left.x))
    unit = 0.75 * apart + 0.25 * face.w / _BOX_PER_UNIT
    bare = Head(Point((left.x + right.x) / 2, (left.y + right.y) / 2), unit, roll)
    window = _upright(pixels, bare)
    cut = _cut(window)
    half_width, top = _extent(cut)
    seen_top = top if top is not None and -top + _AIR < bare.room else None
    pitch = pitch_of(seen.nose, seen.chin, seen_top)
    shape = (pixels.shape[0], pixels.shape[1])
    crown = held_upright(_USUAL_TOP if top is None else top, pitch, -_EYES)
    return replace(
        bare,
        yaw=_yaw(cut),
        pitch=pitch,
        outline=_back(cut, bare, shape),
        hair=_back(_hair(window, cut), bare, shape),
        half_width=half_width,
        top=float(np.clip(crown, *_TOPS)),
        nose=held_upright(seen.nose, pitch, _FACE),
        mouth=held_upright(seen.mouth, pitch, _FACE),
        chin=held_upright(seen.chin, pitch, 0),
    )


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


def _hair(window: Pixels, outline: Floats) -> Floats:
    """The hair, 0…1: what is head, and not of the cheeks' colour, above and beside the inner face."""
    w, h = _size()
    x, y = np.meshgrid(np.arange(w) / _OUTLINE_UNIT + _REACH[0], np.arange(h) / _OUTLINE_UNIT + _REACH[1])
    lab = np.asarray(cv2.cvtColor(window, cv2.COLOR_RGB2LAB), np.float32)
    cheeks = lab[(np.abs(x) < 0.6) & (y > 0.2) & (y < 0.6)]
    away = lab - np.median(cheeks, axis=0)
    spread = np.cov(cheeks.T) + np.diag([80.0, 12.0, 12.0])
    strange = np.einsum("hwc,cd,hwd->hw", away, np.linalg.inv(spread), away) > 9
    around = np.hypot(x / 0.85, (y - 0.3) / 1.2) > 1
    hair = (strange & around & (outline > 0.5)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(cv2.medianBlur(255 * hair, 5), (0, 0), 0.8) / np.float32(255), np.float32)


def _yaw(outline: Floats) -> float:
    """How far the head is turned: the eyes lie before its axis, so they leave the outline's middle to that side."""
    rows = range(*(int((y - _REACH[1]) * _OUTLINE_UNIT) for y in (-0.6, 1.0)))
    ends = [(inside[0], inside[-1]) for row in rows if len(inside := np.flatnonzero(outline[row] > 0.5))]
    if not ends:
        return 0.0
    left, right = (np.array(side) / _OUTLINE_UNIT + _REACH[0] for side in zip(*ends, strict=True))
    middles = (left + right) / 2
    unsure = float(np.subtract(*np.percentile(middles, [75, 25])))  # hair to one side, or a cut that failed
    sine = -float(np.median(middles)) / _EYES / (1 + (unsure / 0.25) ** 2)
    return float(np.clip(np.arcsin(np.clip(sine, -1, 1)), -_MOST_YAW, _MOST_YAW))


def _extent(outline: Floats) -> tuple[float, float | None]:
    """Half width at the hat line, a usual head's where the outline says nothing; and the top, in units."""
    rows = np.flatnonzero((outline > 0.5).any(axis=1))
    top = float(rows[0] / _OUTLINE_UNIT + _REACH[1]) if len(rows) else None
    row = np.flatnonzero(outline[int((_HAT_LINE - _REACH[1]) * _OUTLINE_UNIT)] > 0.5)
    if len(row) == 0:
        return _WIDTHS[0], top
    return float(np.clip((row[-1] - row[0]) / _OUTLINE_UNIT / 2, *_WIDTHS)), top


def _back(outline: Floats, head: Head, shape: tuple[int, int]) -> Floats:
    placed = cv2.warpAffine(outline, _frame(head), (shape[1], shape[0]), flags=cv2.INTER_CUBIC)
    return np.asarray(np.clip(placed, 0, 1), np.float32)
