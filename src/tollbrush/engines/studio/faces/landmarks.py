"""Where a face's features lie: its eyes, and how far below them its nose ends, its lips meet and its chin casts shade;
and whether they are there at all.

Eyes are dark round spots: the smaller curvature of the brightness is large there, and small on brows, lids and rims of
glasses, which curve one way only (Frangi 1998 tells blobs from ridges so). The rest are dark valleys across the face.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.faces.find import Face, Point

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

Floats = NDArray[np.float32]

_SIDE = 200  # pixels of a face's box when its eyes are sought
_UNIT = _SIDE / 2.4  # pixels between the eyes then
_FINE = 48  # pixels per unit when the rest is sought
_HALF = 0.75  # units at either side of the nose that are looked at
# Where features lie below the eyes in units: expected, spread, half width looked at.
_NOSE, _MOUTH, _CHIN = (0.68, 0.09, 0.26), (1.06, 0.11, 0.34), (1.76, 0.13, 0.30)
_COARSE = 24  # pixels per unit when it is compared with a drawn face
# Eye, brow and cheek of that: how bright, where, how wide and high.
_BESIDE = ((-1.0, 0.5, 0.0, 0.19, 0.10), (-0.5, 0.5, -0.33, 0.26, 0.08), (0.35, 0.5, 0.55, 0.22, 0.20))
_INSIDE = 0.85  # share of a face that the picture must hold
_LEAST_LIKE, _PER_LIKENESS = 0.075, 10.0
_SURE, _SURE_TILTED = 61.0, 63.0  # a tilted one had twice the chances to be something else
_DOUBT = 0.04  # depth of a valley, in contrasts of the face, that is believed by half


@dataclass(frozen=True)
class Features:
    """`left` and `right` are the eyes as seen in the picture, in pixels. `nose`, `mouth` and `chin` are the distances
    below the eyes at which the nose ends, the lips meet and the chin ends, in units: the distance between the eyes."""

    left: Point
    right: Point
    nose: float
    mouth: float
    chin: float


class _Spot(NamedTuple):
    x: float
    y: float
    dark: float


def features(pixels: Pixels, face: Face) -> Features:
    """The features of a face in H×W×3|4 pixels."""
    left, right = eyes(pixels, face)
    nose, mouth, chin = _heights(pixels, left, right)
    return Features(left, right, nose, mouth, chin)


def eyes(pixels: Pixels, face: Face) -> tuple[Point, Point]:
    """The eyes' centres, left then right as seen in the picture; where a face's eyes usually are when they hide."""
    centre, tilt = Point(face.x + face.w / 2, face.y + face.h / 2), face.tilt
    found = usual = _usual(centre, face.w, tilt)
    # Seen level at the second look, a pair is told from a brow and an eye.
    for _ in range(2):
        view, back = _turned(pixels, centre, tilt, _UNIT / (face.w / 2.4), (_SIDE / 2, _SIDE / 2), (_SIDE, _SIDE))
        pair = _level_pair(_round_dark(view))
        if pair is None:
            return usual
        found = tuple(Point(*(back @ (spot.x, spot.y, 1)).tolist()) for spot in pair)  # type: ignore[assignment]
        tilt, _ = _slope(*found)
    return found


def is_face(pixels: Pixels, face: Face) -> bool:
    """Whether what two cascades took for a face is one: most of it in the picture, with dark eyes, brows and lips and
    lighter cheeks in their places. The less the cascades were sure, the more it must look like that."""
    h, w = pixels.shape[:2]
    across = min(face.x + face.w, w) - max(face.x, 0)
    down = min(face.y + face.h, h) - max(face.y, 0)
    if across * down < _INSIDE * face.w * face.h:
        return False
    like = _likeness(pixels, features(pixels, face))
    return like > _LEAST_LIKE and face.score + _PER_LIKENESS * like > (_SURE_TILTED if face.tilt else _SURE)


def _likeness(pixels: Pixels, seen: Features) -> float:
    """Correlation with a drawn face that has its features where this one's were found, -1…1."""
    tilt, apart = _slope(seen.left, seen.right)
    middle = Point((seen.left.x + seen.right.x) / 2, (seen.left.y + seen.right.y) / 2)
    size, at = (round(1.8 * _COARSE), round(2.0 * _COARSE)), (0.9 * _COARSE, 0.55 * _COARSE)
    grey, _ = _turned(pixels, middle, tilt, _COARSE / max(apart, 1.0), at, size)
    grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.05 * _COARSE), np.float32)
    grey -= cv2.GaussianBlur(grey, (0, 0), 0.45 * _COARSE)
    grey -= grey.mean()
    drawn = _drawn(seen, size, at)
    return float((grey * drawn).sum() / np.sqrt((grey**2).sum() * (drawn**2).sum() + 1e-9))


def _drawn(seen: Features, size: tuple[int, int], at: tuple[float, float]) -> Floats:
    """A face of soft spots, dark below nought, its mean nought."""
    x = ((np.arange(size[0]) - at[0]) / _COARSE)[None]
    y = ((np.arange(size[1]) - at[1]) / _COARSE)[:, None]
    spots = [  # depth, middle, spread
        *((depth, side * along, up, wide, high) for side in (-1, 1) for depth, along, up, wide, high in _BESIDE),
        (0.35, 0.0, 0.25, 0.12, 0.30),
        (-0.5, 0.0, seen.nose, 0.20, 0.06),
        (-0.9, 0.0, seen.mouth, 0.30, 0.08),
        (0.2, 0.0, seen.mouth + 0.35, 0.25, 0.12),
    ]
    face = sum(d * np.exp(-(((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2) / 2) for d, cx, cy, sx, sy in spots)
    return np.asarray(face - np.mean(face), np.float32)


def _slope(left: Point, right: Point) -> tuple[float, float]:
    """The eyes' tilt in radians, and their distance in pixels."""
    across, down = right.x - left.x, right.y - left.y
    return float(np.arctan2(down, across)), float(np.hypot(across, down))


def _usual(centre: Point, wide: float, tilt: float) -> tuple[Point, Point]:
    c, s = np.cos(tilt), np.sin(tilt)
    across, up = 0.195 * wide, 0.095 * wide
    middle = Point(centre.x + up * s, centre.y - up * c)
    return Point(middle.x - across * c, middle.y - across * s), Point(middle.x + across * c, middle.y + across * s)


def _turned(
    pixels: Pixels, about: Point, tilt: float, scale: float, at: tuple[float, float], size: tuple[int, int]
) -> tuple[Floats, Floats]:
    """A grey view of `size` (w, h) in which `about` comes to lie `at`, level and scaled; and the 2×3 way back."""
    c, s = np.cos(tilt) / scale, np.sin(tilt) / scale
    back = np.array([[c, -s, about.x - c * at[0] + s * at[1]], [s, c, about.y - s * at[0] - c * at[1]]])
    rgb = np.ascontiguousarray(pixels[..., :3])
    if scale < 0.67:
        reach = round(1.5 * max(size) / scale)
        top, left = max(0, int(about.y - reach)), max(0, int(about.x - reach))
        rgb = rgb[top : int(about.y + reach), left : int(about.x + reach)]
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.4 / scale), np.uint8)
        crop = back - [[0, 0, left], [0, 0, top]]
    else:
        crop = back
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view = cv2.warpAffine(rgb, crop, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.float32), back


def _round_dark(grey: Floats) -> Floats:
    """How much each pixel is the middle of a dark spot of an iris' size, against the contrast around it."""
    spots = np.zeros_like(grey)
    for sigma in (0.055 * _UNIT, 0.08 * _UNIT):
        soft = cv2.GaussianBlur(grey, (0, 0), sigma)
        xx, yy, xy = (cv2.Sobel(soft, cv2.CV_32F, *order) for order in ((2, 0), (0, 2), (1, 1)))
        smaller = (xx + yy) / 2 - np.hypot((xx - yy) / 2, xy)
        spots += np.maximum(smaller, 0) * sigma**2
    mean, square = (cv2.GaussianBlur(plane, (0, 0), 0.35 * _UNIT) for plane in (grey, grey * grey))
    return np.asarray(spots / np.sqrt(np.maximum(square - mean * mean, 25)), np.float32)


def _level_pair(dark: Floats) -> tuple[_Spot, _Spot] | None:
    """The two spots that are most like a pair of eyes, of the darkest six in each half."""
    left, right = (_darkest(dark, columns) for columns in (slice(22, 96), slice(104, 178)))
    return max(product(left, right), key=_pair_score, default=None)


def _darkest(dark: Floats, columns: slice) -> list[_Spot]:
    plane = np.zeros_like(dark)
    plane[48:118, columns] = dark[48:118, columns]
    spots = []
    for _ in range(6):
        y, x = np.unravel_index(int(plane.argmax()), plane.shape)
        if plane[y, x] <= 0:
            break
        spots.append(_Spot(float(x), float(y), float(plane[y, x])))
        plane[max(0, y - 7) : y + 8, max(0, x - 7) : x + 8] = 0
    return spots


def _pair_score(pair: tuple[_Spot, _Spot]) -> float:
    left, right = pair
    apart, slope = np.hypot(right.x - left.x, right.y - left.y), np.arctan2(right.y - left.y, right.x - left.x)
    across, down = (left.x + right.x) / 2 - _SIDE / 2, (left.y + right.y) / 2 - 0.39 * _SIDE
    strange = ((apart / _UNIT - 0.95) / 0.11) ** 2 + (slope / 0.24) ** 2
    strange += (across / (0.16 * _UNIT)) ** 2 + (down / (0.11 * _UNIT)) ** 2
    return float(np.sqrt(left.dark * right.dark) * np.exp(-strange / 2))


def _heights(pixels: Pixels, left: Point, right: Point) -> tuple[float, float, float]:
    """Nose, mouth and chin below the eyes, in units."""
    tilt, apart = _slope(left, right)
    middle = Point((left.x + right.x) / 2, (left.y + right.y) / 2)
    size = (round(2 * _HALF * _FINE), round(2.4 * _FINE))
    grey, _ = _turned(pixels, middle, tilt, _FINE / max(apart, 1.0), (_HALF * _FINE, 0.0), size)
    grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.03 * _FINE) / max(float(grey.std()), 2.0), np.float32)
    tall = cv2.getStructuringElement(cv2.MORPH_RECT, (1, round(0.3 * _FINE)))
    valleys = np.asarray(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, tall) - grey, np.float32)
    mouth = _height(valleys, *_MOUTH)
    # A nose ends at a usual distance above the lips, a chin below them.
    nose = _height(valleys, (_NOSE[0] + mouth - 0.36) / 2, *_NOSE[1:])
    chin = _height(valleys, (_CHIN[0] + mouth + 0.70) / 2, *_CHIN[1:])
    return nose, mouth, chin


def _height(valleys: Floats, expected: float, spread: float, half: float) -> float:
    """The height of the deepest valley, believed as far as it stands out; the expected one in a plain."""
    middle, reach = round(_HALF * _FINE), round(half * _FINE)
    depth = valleys[:, middle - reach : middle + reach].mean(axis=1)
    heights = np.arange(len(depth), dtype=np.float32) / _FINE
    weight = depth * np.exp(-(((heights - expected) / spread) ** 2) / 2)
    at = float(heights[int(weight.argmax())])
    trust = float(weight.max()) / (float(weight.max()) + _DOUBT)
    return expected + trust * (at - expected)
