"""The boundaries of things that a hole interrupts, and how they go on in it.

Where a boundary enters the hole its place, heading, bend and the two colours that it parts are measured; pairs that
continue each other are joined by cubic Hermite curves. No two curves cross: the cheapest such pairing is found by
dynamic programming around the rim (as in Masnou and Morel 1998, with good continuation for the price).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask

Floats = NDArray[np.float32]
Points = NDArray[np.float64]  # n×2 or 2: x and y

RING = 14  # pixels around the hole in which boundaries are looked for
_STEPS = 1.5, 3.0  # Lab per pixel: of a boundary, where it goes on and where it begins (Canny 1986)
_TOUCH = 3.5  # pixels from the hole up to which a boundary enters it
_FIT = 11.0  # pixels of it that are measured
_APART = 16.0  # pixels between two entries of one boundary
_ROUGH = 1.2  # pixels that it may stray from its parabola
_BEND = 0.08  # 1 / pixels: the most that is believed
_BESIDE = 2.5, 3.5  # pixels on either side where its colours are read
_CONTRAST = 6.0  # Lab between them that is worth a curve
_COLOUR = 14.0  # Lab that the sides of a pair may usually differ by, and
_RELATIVE = 0.45  # this share of its contrast
_OTHER = 3.0  # price, in such differences, of a side that shows another thing than its partner's
_TURN = 0.7  # radians that it may usually bend by
_LONE = 1.5  # price of an entry that stays without a partner
_FAR = 0.2  # and of a curve as long as the hole is wide
_NEVER = 1e3
_SAMPLES = 64  # points of a curve


@dataclass(frozen=True)
class Entry:
    """Of a boundary into the hole: where, in which direction (of length 1), how it curves (1 / pixels, to the right),
    the colours on its two sides (Lab), and its place along the hole's outline: contour and point."""

    at: Points
    heading: Points
    bend: float
    left: Floats
    right: Floats
    place: tuple[int, int]

    @property
    def before(self) -> Points:
        """The boundary's last points outside the hole, ending with `at`."""
        return _line(self.at, self.heading, self.bend, (6, 3, 0))


def boundaries(colours: Floats, hole: Mask) -> Mask:
    """Thin edges near the hole, in H×W×3 Lab that was smoothed."""
    smooth = cv2.GaussianBlur(colours, (0, 0), 1.0)
    gx, gy = (cv2.Sobel(smooth, cv2.CV_32F, x, 1 - x, ksize=3, scale=1 / 8) for x in (1, 0))
    # The direction in which all channels together change most (Di Zenzo 1986), and by how much.
    xx, xy, yy = ((a * b).sum(axis=2) for a, b in ((gx, gx), (gx, gy), (gy, gy)))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    size = 200 * np.sqrt(0.5 * (xx + yy + np.hypot(xx - yy, 2 * xy)))
    across, down = (np.clip(size * way(angle), -32000, 32000).astype(np.int16) for way in (np.cos, np.sin))
    edges = cv2.Canny(across, down, 200 * _STEPS[0], 200 * _STEPS[1], L2gradient=True) > 0
    away = _distance(hole)
    return np.asarray(edges & (away > 1.5) & (away < RING))


def entries(colours: Floats, hole: Mask, edges: Mask) -> list[Entry]:
    """In their order along the hole's outline."""
    outlines, _ = cv2.findContours(hole.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rims = [outline[:, 0].astype(np.float64) for outline in outlines]
    away = _distance(hole)
    count, names = cv2.connectedComponents(edges.astype(np.uint8), connectivity=8)
    found = []
    for number in range(1, count):
        y, x = np.nonzero(names == number)
        points, left = np.stack([x, y], axis=1).astype(np.float64), away[y, x].copy()
        while left.min() <= _TOUCH:
            from_end = np.hypot(*(points - points[left.argmin()]).T)
            entry = _measured(points[left.argmin()], points[from_end < _FIT], colours, hole, rims)
            found += [entry] if entry else []
            left[from_end < _APART] = np.inf
    return sorted(found, key=lambda entry: entry.place)


def _measured(end: Points, points: Points, colours: Floats, hole: Mask, rims: list[Points]) -> Entry | None:
    """By a parabola through what lies near its end; None where that is no boundary which enters the hole."""
    if len(points) < 6:
        return None
    middle = points.mean(axis=0)
    along = np.linalg.svd(points - middle, full_matrices=False)[2][0]
    along = along if (end - middle) @ along > 0 else -along
    s, aside = (points - end) @ along, (points - end) @ _normal(along)
    if s.min() > -4:
        return None
    square, slope, offset = np.polyfit(s, aside, 2)
    if np.abs(np.polyval((square, slope, offset), s) - aside).mean() > _ROUGH:
        return None
    heading = along + slope * _normal(along)
    heading /= np.hypot(*heading)
    at = end + offset * _normal(along)
    if _seen(hole, at + np.outer((3, 5, 7), heading), hole).sum() < 2:
        return None
    bend = float(np.clip(2 * square, -_BEND, _BEND))
    line = _line(at, heading, bend, (7, 5, 3, 1))
    beside = [np.concatenate([line + sign * away * _normal(heading) for away in _BESIDE]) for sign in (-1, 1)]
    left, right = (_seen(colours, points, ~hole) for points in beside)
    if not len(left) or not len(right):
        return None
    one, other = left.mean(axis=0), right.mean(axis=0)
    if np.linalg.norm(one - other) < _CONTRAST:
        return None
    gaps = [np.hypot(*(rim - at).T) for rim in rims]
    contour = int(np.argmin([gap.min() for gap in gaps]))
    return Entry(at, heading, bend, one, other, (contour, int(gaps[contour].argmin())))


def joined(found: list[Entry], width: float) -> list[Points]:
    """Curves through a hole of this width, n×2 each, between those of the entries that continue each other."""
    return [_curve(found[i], found[j]) for i, j in _pairs(found, width)]


def _pairs(found: list[Entry], width: float) -> list[tuple[int, int]]:
    """The cheapest pairs of which no two enclose one end each of the other, lone entries priced too."""
    count = len(found)
    price = np.full((count, count), _NEVER)
    for i in range(count):
        for j in range(i + 1, count):
            price[i, j] = _price(found[i], found[j], width)
    least = np.zeros((count + 1, count + 1))  # of the entries i…j-1
    partner = np.full((count + 1, count + 1), -1)  # of i among them
    for span in range(1, count + 1):
        for i in range(count + 1 - span):
            j = i + span
            least[i, j] = _LONE + least[i + 1, j]
            for k in range(i + 1, j):
                whole = price[i, k] + least[i + 1, k] + least[k + 1, j]
                if whole < least[i, j]:
                    least[i, j], partner[i, j] = whole, k
    pairs, spans = [], [(0, count)]
    while spans:
        i, j = spans.pop()
        k = int(partner[i, j])
        if k >= 0:
            pairs.append((i, k))
            spans += [(i + 1, k), (k + 1, j)]
        elif i < j:
            spans.append((i + 1, j))
    return pairs


def _price(one: Entry, other: Entry, width: float) -> float:
    """How ill two entries continue each other: in colour, in direction (an arc of a circle is best), by distance."""
    chord = other.at - one.at
    length = float(np.hypot(*chord))
    if one.place[0] != other.place[0] or length < 5:
        return _NEVER
    first, last = _turn(one.heading, chord), _turn(chord, -other.heading)
    bent = first * first + last * last - first * last + 0.5 * (first - last) ** 2
    contrast = 0.5 * (np.linalg.norm(one.left - one.right) + np.linalg.norm(other.left - other.right))
    usual = _COLOUR**2 + (_RELATIVE * contrast) ** 2
    apart = [np.square(a - b).sum() / usual for a, b in ((one.left, other.right), (one.right, other.left))]
    colour = sum(side / (1 + side / _OTHER) for side in apart)
    return float(0.5 * colour + 0.5 * bent / _TURN**2 + _FAR * length / width)


def _curve(one: Entry, other: Entry) -> Points:
    """Cubic Hermite, as long at its ends as an arc of a circle would be; with what leads to it outside the hole."""
    chord = other.at - one.at
    turned = 0.5 * (abs(_turn(one.heading, chord)) + abs(_turn(chord, -other.heading)))
    pull = np.hypot(*chord) / np.cos(0.5 * min(turned, 1.4)) ** 2
    t = np.linspace(0, 1, _SAMPLES)[:, None]
    ends = (2 * t**3 - 3 * t**2 + 1) * one.at + (3 * t**2 - 2 * t**3) * other.at
    bows = (t**3 - 2 * t**2 + t) * one.heading - (t**3 - t**2) * other.heading
    return np.concatenate([one.before, ends + pull * bows, other.before[::-1]])


def _line(at: Points, heading: Points, bend: float, before: tuple[int, ...]) -> Points:
    s = -np.array(before, np.float64)[:, None]
    return np.asarray(at + s * heading + 0.5 * bend * s * s * _normal(heading))


def _turn(start: Points, end: Points) -> float:
    """Radians from one direction to another, to the right."""
    return float(np.arctan2(start[0] * end[1] - start[1] * end[0], start @ end))


def _normal(heading: Points) -> Points:
    """To its right; y points down."""
    return np.array([-heading[1], heading[0]])


def _seen(plane: NDArray[Any], points: Points, where: Mask) -> NDArray[Any]:
    """The values of a plane at the points that are in the picture, and True in `where`."""
    height, width = where.shape
    x, y = np.rint(points).astype(np.int64).T
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    x, y = x[inside], y[inside]
    return np.asarray(plane[y, x][where[y, x]])


def _distance(hole: Mask) -> Floats:
    return np.asarray(cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
