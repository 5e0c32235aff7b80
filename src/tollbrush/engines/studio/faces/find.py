"""Faces by Haar cascades (Viola and Jones 2001; Lienhart and Maydt 2002), which come with OpenCV 4.

One cascade alone sees faces in curtains and clouds: two must agree. They know upright faces, to some 17° either way;
tilted ones are sought in the picture turned to both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from cv2.data import haarcascades

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Grey = NDArray[np.uint8]
    Floats = NDArray[np.float64]

_CASCADES = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
_WORK_SIDE = 560  # pixels of the longer side at which faces are sought
_TILTED_SIDE = 360  # of a square as large as the picture in which tilted ones are sought, twice
_ONE_PLACE = 0.4  # share of the smaller box from which two found at different tilts are one face
_TILT = 0.47  # radians
_SAME_FACE = 0.3  # overlap (intersection over union) from which two boxes are one face

# A classifier keeps its working pyramid inside, so two threads must not share it at once.
_lock = Lock()


class Point(NamedTuple):
    """Pixels from the picture's top left corner."""

    x: float
    y: float


@dataclass(frozen=True)
class Face:
    """A face's box in pixels. `score` sums the cascades' stage scores, `agreement` counts the cascades that saw it.
    `tilt` is how far, in radians clockwise, the picture's face was leaning where they did: the box's middle and sides
    are the face's, its edges the picture's."""

    x: float
    y: float
    w: float
    h: float
    score: float
    agreement: int
    tilt: float = 0.0

    @property
    def rank(self) -> float:
        """Sureness times size: what makes one face the picture's main one."""
        return (3 * self.agreement + self.score) * float(np.sqrt(self.w * self.h))


class _Hit(NamedTuple):
    x: float
    y: float
    w: float
    h: float
    score: float
    cascade: str


def find_faces(pixels: Pixels) -> list[Face]:
    """All faces in H×W×3|4 pixels that look at the viewer, upright or tilted by up to some 40°, the main one first;
    empty when there is none."""
    if min(pixels.shape[:2]) * _shrink(pixels) < 24:
        return []
    return _unlike([*agreed_faces(pixels), *_tilted(pixels)])


def agreed_faces(pixels: Pixels) -> list[Face]:
    """The upright faces alone, in a third of the time."""
    scale = _shrink(pixels)
    if min(pixels.shape[:2]) * scale < 24:
        return []
    return _agreed(_equalised(_grey(pixels), scale), scale)


def _shrink(pixels: Pixels) -> float:
    return float(min(1.0, _WORK_SIDE / max(pixels.shape[0], pixels.shape[1])))


def _agreed(small: Grey, scale: float) -> list[Face]:
    """What both cascades see; the second is asked only around what the first saw."""
    smallest = _smallest(small)
    hits = []
    for seen in _hits(small, scale, _CASCADES[0], smallest):
        left, top = (max(0, int(side * scale)) for side in (seen.x - 0.3 * seen.w, seen.y - 0.3 * seen.h))
        right, bottom = (int(side * scale) for side in (seen.x + 1.3 * seen.w, seen.y + 1.3 * seen.h))
        window = np.ascontiguousarray(small[top:bottom, left:right])
        least = max(smallest, int(0.6 * seen.w * scale))
        again = _hits(window, scale, _CASCADES[1], least)
        hits += [seen, *(hit._replace(x=hit.x + left / scale, y=hit.y + top / scale) for hit in again)]
    agreed = [face for face in _grouped(hits) if face.agreement >= 2]
    return sorted(agreed, key=lambda face: -face.rank)


def _tilted(pixels: Pixels) -> Iterator[Face]:
    """The agreed faces of the picture turned by _TILT to either side."""
    h, w = pixels.shape[:2]
    scale = min(1.0, _TILTED_SIDE / float(np.sqrt(h * w)))
    small = _equalised(_grey(pixels), scale)
    for tilt in (-_TILT, _TILT):
        turn, size = _upright(tilt, (small.shape[1], small.shape[0]))
        back = cv2.invertAffineTransform(turn)
        upright = np.asarray(cv2.warpAffine(small, turn, size), np.uint8)
        for face in _agreed(upright, 1.0):
            x, y = back @ (face.x + face.w / 2, face.y + face.h / 2, 1)
            wide, high = face.w / scale, face.h / scale
            left, top = float(x) / scale - wide / 2, float(y) / scale - high / 2
            yield replace(face, x=left, y=top, w=wide, h=high, tilt=tilt)


def _upright(tilt: float, size: tuple[int, int]) -> tuple[Floats, tuple[int, int]]:
    """The 2×3 turn that sets upright what leans by `tilt` in a picture of `size` (w, h), and the size it takes then."""
    w, h = size
    c, s = abs(np.cos(tilt)), abs(np.sin(tilt))
    wide, high = int(w * c + h * s), int(w * s + h * c)
    turn = np.asarray(cv2.getRotationMatrix2D((w / 2, h / 2), float(np.degrees(tilt)), 1.0), np.float64)
    turn[:, 2] += (wide - w) / 2, (high - h) / 2
    return turn, (wide, high)


def _unlike(faces: Sequence[Face]) -> list[Face]:
    """Without those that a surer one at the same place makes needless; the main one first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.rank):
        if all(_common(face, other) <= _ONE_PLACE * min(face.w * face.h, other.w * other.h) for other in kept):
            kept.append(face)
    return kept


@cache
def _cascade(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(haarcascades + name)


def _grey(pixels: Pixels) -> Grey:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2GRAY), np.uint8)


def _equalised(grey: Grey, scale: float) -> Grey:
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.equalizeHist(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=way)), np.uint8)


def _smallest(view: Grey) -> int:
    return max(24, int(min(view.shape) * 0.055))


def _hits(view: Grey, scale: float, name: str, smallest: int) -> Iterator[_Hit]:
    """What one cascade sees, in pixels of the full picture."""
    with _lock:
        boxes, _, scores = _cascade(name).detectMultiScale3(
            view, 1.08, 5, 0, (smallest, smallest), outputRejectLevels=True
        )
    for (x, y, w, h), score in zip(boxes, np.ravel(scores), strict=True):
        yield _Hit(x / scale, y / scale, w / scale, h / scale, float(score), name)


def _grouped(hits: list[_Hit]) -> list[Face]:
    """Hits on the same spot are one face."""
    groups: list[list[_Hit]] = []
    for hit in hits:
        group = next((g for g in groups if _overlap(hit, g[0]) > _SAME_FACE), None)
        if group is None:
            groups.append([hit])
        else:
            group.append(hit)
    return [_merged(group) for group in groups]


def _overlap(a: _Hit, b: _Hit) -> float:
    both = _common(a, b)
    return both / (a.w * a.h + b.w * b.h - both)


def _common(a: _Hit | Face, b: _Hit | Face) -> float:
    """The area that two boxes share."""
    across = max(0.0, min(a.x + a.w, b.x + b.w) - max(a.x, b.x))
    down = max(0.0, min(a.y + a.h, b.y + b.h) - max(a.y, b.y))
    return across * down


def _merged(group: list[_Hit]) -> Face:
    x, y, w, h = np.mean([hit[:4] for hit in group], axis=0).tolist()
    return Face(x, y, w, h, sum(hit.score for hit in group), len({hit.cascade for hit in group}))
