"""Faces and their eyes, by Haar cascades (Viola and Jones 2001; Lienhart and Maydt 2002), which come with OpenCV 4.

One cascade alone sees faces in curtains and clouds, so three vote: two must agree, or one must be very sure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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

_FRONTAL = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
_PROFILE = "haarcascade_profileface.xml"
_EYES = ("haarcascade_eye_tree_eyeglasses.xml", "haarcascade_eye.xml")
_WORK_SIDE = 560  # pixels of the longer side at which faces are sought
_SAME_FACE = 0.3  # overlap (intersection over union) from which two boxes are one face
_SURE_ALONE = 3.5  # stage score from which a single cascade is believed
_LARGEST_ROLL = 0.45  # radians between the eyes; more is a wrong eye

# A classifier keeps its working pyramid inside, so two threads must not share it at once.
_lock = Lock()


class Point(NamedTuple):
    """Pixels from the picture's top left corner."""

    x: float
    y: float


@dataclass(frozen=True)
class Face:
    """A face's box in pixels. `score` sums the cascades' stage scores, `agreement` counts the cascades that saw it."""

    x: float
    y: float
    w: float
    h: float
    score: float
    agreement: int

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
    """All faces in H×W×3|4 pixels, the main one first; empty when there is none."""
    grey = _grey(pixels)
    scale = min(1.0, _WORK_SIDE / max(grey.shape))
    if min(grey.shape) * scale < 24:
        return []
    small = _equalised(grey, scale)
    hits = list(_frontal_hits(small, scale))
    faces = _grouped(hits)
    if not any(face.agreement >= 2 for face in faces):
        # The profile cascade costs as much as the other two: it is asked only when they agree on nobody.
        faces = _grouped(hits + list(_profile_hits(small, scale)))
    sure = [face for face in faces if face.agreement >= 2 or face.score > _SURE_ALONE]
    return sorted(sure, key=lambda face: -face.rank)


def agreed_faces(pixels: Pixels) -> list[Face]:
    """The faces that both frontal cascades see, which is all that a person is taken for; quicker than `find_faces`,
    since the second is asked only around what the first saw."""
    grey = _grey(pixels)
    scale = min(1.0, _WORK_SIDE / max(grey.shape))
    if min(grey.shape) * scale < 24:
        return []
    small = _equalised(grey, scale)
    smallest = _smallest(small)
    hits = []
    for seen in _hits(small, scale, _FRONTAL[0], smallest):
        left, top = (max(0, int(side * scale)) for side in (seen.x - 0.3 * seen.w, seen.y - 0.3 * seen.h))
        right, bottom = (int(side * scale) for side in (seen.x + 1.3 * seen.w, seen.y + 1.3 * seen.h))
        window = np.ascontiguousarray(small[top:bottom, left:right])
        least = max(smallest, int(0.6 * seen.w * scale))
        again = _hits(window, scale, _FRONTAL[1], least)
        hits += [seen, *(hit._replace(x=hit.x + left / scale, y=hit.y + top / scale) for hit in again)]
    agreed = [face for face in _grouped(hits) if face.agreement >= 2]
    return sorted(agreed, key=lambda face: -face.rank)


def eyes(pixels: Pixels, face: Face) -> tuple[Point, Point]:
    """The eyes' centres, left then right as seen in the picture. An eye that no cascade finds is mirrored from the
    other; when both hide, or the two make no level pair, they are put where a face's eyes usually are."""
    usual = (
        Point(face.x + 0.305 * face.w, face.y + 0.405 * face.h),
        Point(face.x + 0.695 * face.w, face.y + 0.405 * face.h),
    )
    found = _eye_candidates(pixels, face)
    left = _median([p for p in found if 0.12 < (p.x - face.x) / face.w < 0.48])
    right = _median([p for p in found if 0.52 < (p.x - face.x) / face.w < 0.88])
    middle = face.x + face.w / 2
    if left is None and right is None:
        return usual
    if left is None and right is not None:
        left = Point(2 * middle - right.x, right.y)
    if right is None and left is not None:
        right = Point(2 * middle - left.x, left.y)
    assert left is not None and right is not None
    roll = np.arctan2(right.y - left.y, right.x - left.x)
    return usual if abs(roll) > _LARGEST_ROLL else (left, right)


@cache
def _cascade(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(haarcascades + name)


def _grey(pixels: Pixels) -> Grey:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2GRAY), np.uint8)


def _equalised(grey: Grey, scale: float) -> Grey:
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.equalizeHist(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=way)), np.uint8)


def _frontal_hits(small: Grey, scale: float) -> Iterator[_Hit]:
    for name in _FRONTAL:
        yield from _hits(small, scale, name, _smallest(small))


def _profile_hits(small: Grey, scale: float) -> Iterator[_Hit]:
    """The cascade knows faces that look left; the mirrored picture shows it the others."""
    smallest = _smallest(small)
    yield from _hits(small, scale, _PROFILE, smallest)
    width = small.shape[1] / scale
    for hit in _hits(np.ascontiguousarray(small[:, ::-1]), scale, _PROFILE, smallest):
        yield hit._replace(x=width - hit.x - hit.w)


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
    across = max(0.0, min(a.x + a.w, b.x + b.w) - max(a.x, b.x))
    down = max(0.0, min(a.y + a.h, b.y + b.h) - max(a.y, b.y))
    return across * down / (a.w * a.h + b.w * b.h - across * down)


def _merged(group: list[_Hit]) -> Face:
    x, y, w, h = np.mean([hit[:4] for hit in group], axis=0).tolist()
    return Face(x, y, w, h, sum(hit.score for hit in group), len({hit.cascade for hit in group}))


def _eye_candidates(pixels: Pixels, face: Face) -> list[Point]:
    """Eye centres near the height at which a face has them, from the upper part of the box, seen 200 pixels wide."""
    top, left = max(0, int(face.y + 0.18 * face.h)), max(0, int(face.x))
    strip = pixels[top : int(face.y + 0.58 * face.h), left : int(face.x + face.w)]
    if min(strip.shape[:2]) < 8:
        return []
    scale = 200 / strip.shape[1]
    view = _equalised(_grey(strip), scale)
    found: list[Point] = []
    for name in _EYES:
        with _lock:
            boxes = _cascade(name).detectMultiScale(view, 1.06, 2, 0, (26, 26), (80, 80))
        found += [Point((x + w / 2) / scale + left, (y + h / 2) / scale + top) for x, y, w, h in boxes]
    return [p for p in found if abs(p.y - face.y - 0.40 * face.h) < 0.13 * face.h]


def _median(points: list[Point]) -> Point | None:
    if not points:
        return None
    x, y = np.median(points, axis=0).tolist()
    return Point(x, y)
