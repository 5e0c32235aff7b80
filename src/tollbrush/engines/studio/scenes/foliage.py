"""Sky between leaves and twigs: how much of each pixel it is, and the leaves' colours without it.

A photograph's gaps have the colour of the sky behind them, wherever in the crown they are, and foliage around them. The
sky behind is carried on from where it is seen (mean and covariance, so that a cloud's edge is no leaf), gaps are told
by it, and beside a gap a pixel is told apart between the sky's and the leaves' colours nearby, both known.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import to_lab
from tollbrush.engines.studio.pixels.strips import enlarged, reduced, reduced_map, strips
from tollbrush.engines.studio.subject.foreground import explained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels

    Map = NDArray[np.float32]

# Longer side at which gaps are looked for. Lengths below are in its pixels, and a smaller picture's as they are: leaves
# stay whole there, and fewer of their gaps are told.
_SIDE: Final = 1024
_COARSE: Final = 160  # at which the sky behind is carried on
_NEARBY: Final = 256  # at which the colours nearby are told
_ROUNDS: Final = 2
_GRAIN: Final = np.array([1.6, 1.0, 1.0], np.float32)  # Lab: what any sky varies by
# Standard deviations from the sky behind, up to which a colour is the sky's, and from which something thin, or anything
# at all, stands before it.
_ALIKE, _THIN, _FOREIGN = 3.0, 2.5, 6.0
_REACH: Final = 7  # radius of what is thin
_LEAST: Final = 6.0  # L by which it is darker at least
_AROUND: Final = 41  # window in which leaves are looked for
_DARKER: Final = 14.0  # L by which leaves are darker than the sky behind them
_GREY: Final = 2.0, 4.0  # chroma by which pixels as light differ where by grey, or its one tint, nothing is told; fully
_LINES: Final = 2.0, 3.2  # as many outlines across that window are no foliage's, and are
_ROUGH: Final = 1.5  # L of their grain
_LEAFY, _BUSY, _JUST = 0.4, 0.4, 2.0  # of a gap: its rim's leaves, its changes; or how far its mean is from the sky
# A larger gap than the third, of the longer side squared, is as calm as this many times the sky, in this much of it.
_AS_CALM, _CALM, _SMALL = 3.0, 0.8, 4e-4
_PALE, _BESIDE, _SURELY = 0.8, 0.06, 0.7  # the same of gaps too small to show the sky's own colour
_ROOM: Final = 0.08  # share of sky within some pixels that lets their mixture be sky
_PURE: Final = 4  # power of the depth that weighs leaves: what is mixed with sky tells little of them
_CLEAR: Final = 0.08, 0.92  # shares that count as none and as all
_OFF: Final = 0.25  # beside the way between both colours, at which a mixture is no longer one


@dataclass(frozen=True)
class Gaps:
    """Of a small copy, h×w: `sky`, mended; how far there is `foliage`, 0..1, with sky in it; what of each pixel may be
    sky; the colours nearby of `front` and `back`, h×w×3, 0..1."""

    sky: Mask
    foliage: Map
    room: Map
    front: Map
    back: Map

    def outline_of(self, sky: Mask) -> Mask:
        """`sky` (H×W) mended among leaves, without the small gaps that no matte need be solved for."""
        large = cv2.morphologyEx(self.sky.astype(np.uint8), cv2.MORPH_OPEN, _disc(4))
        size = sky.shape[::-1]
        among = cv2.resize((self.foliage > 0.5).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        mended = np.where(among, cv2.resize(large, size, interpolation=cv2.INTER_NEAREST) > 0, sky)
        return mended if mended.any() else sky


def find_gaps(pixels: Pixels, sky: Mask, floor: float) -> Gaps:
    """`sky`: as found, H×W; below `floor`, a share of the height, nothing shows it."""
    small = reduced(pixels, _SIDE)
    lab = to_lab(small)
    light = lab[..., 0]
    seen = reduced_map(sky.astype(np.float32), _SIDE) > 0.5
    rough = np.abs(light - _blurred(light, 2))
    thin = _thin(light, seen)
    low = round(floor * len(seen))
    for _ in range(_ROUNDS):
        away, behind = _from_sky(lab, seen & (cv2.dilate(thin.astype(np.uint8), _disc(1)) == 0))
        foreign = (away > _FOREIGN) | (thin & (away > _THIN))
        alike = away < _ALIKE
        alike[low:] = False
        leaves, busy = _leaves(behind - light, rough, foreign, alike | seen)
        calm = rough < _AS_CALM * max(float(np.median(rough[seen])), 0.3) if seen.any() else seen
        gaps = _gaps(alike, seen, leaves, busy, away, calm)
        seen = (seen & ~foreign) | gaps
    sure = seen & alike
    depth = np.clip((behind - light) / 100, 0.01, 1) ** _PURE
    front, back = _nearby(small, foreign, np.asarray(depth, np.float32)), _nearby(small, sure, np.ones_like(depth))
    share, beside = _told_apart(small, front, back)
    pale = (share > _PALE) & (beside < _BESIDE) & (leaves * busy > _SURELY)
    pale[low:] = False
    pale &= cv2.morphologyEx(pale.astype(np.uint8), cv2.MORPH_OPEN, _disc(3)) == 0  # larger ones would show the sky's
    close = cv2.blur(cv2.dilate((gaps | pale).astype(np.float32), _disc(8)), (9, 9))
    near = _blurred((seen | pale).astype(np.float32), 3)
    room = np.asarray(np.clip(near / _ROOM, 0, 1), np.float32)
    leaves *= np.clip((low - np.arange(len(seen), dtype=np.float32)) / (0.02 * len(seen)), 0, 1)[:, None]
    leaves *= np.float32(np.clip((_colour(lab) - _GREY[0]) / (_GREY[1] - _GREY[0]), 0, 1))
    leaves *= np.clip(cv2.blur(foreign.astype(np.float32), (9, 9)) / 0.08, 0, 1)
    return Gaps(seen, np.asarray(leaves * np.maximum(busy, close), np.float32), room, front, back)


def _colour(lab: Map) -> float:
    """Chroma by which pixels that are equally light differ: hardly any in a greyscale picture, toned or not."""
    light, *tints = (reduced_map(np.ascontiguousarray(lab[..., i]), _NEARBY).ravel() for i in range(3))
    level = np.clip(light / 2, 0, 50).astype(np.intp)
    count = np.maximum(np.bincount(level), 1)
    off = [tint - (np.bincount(level, tint) / count)[level] for tint in tints]
    return float(np.percentile(np.hypot(*off), 95))


def _thin(light: Map, seen: Mask) -> Mask:
    """What is thin and darker than about it by more than the sky's own grain."""
    darker = cv2.morphologyEx(light, cv2.MORPH_BLACKHAT, _disc(_REACH))
    least = 5 * float(np.median(darker[seen])) if seen.any() else 0.0
    return np.asarray(darker > max(_LEAST, least))


def _blurred(values: Map, sigma: float) -> Map:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def _from_sky(lab: Map, seen: Mask) -> tuple[Map, Map]:
    """Each pixel's standard deviations from the sky behind it, and that sky's L."""
    height, width = seen.shape
    weight = cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    first = [np.ascontiguousarray(lab[..., i]) * weight for i in range(3)]
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    planes = chain(first, (first[i] * lab[..., j] for i, j in pairs))
    sums = np.dstack([_blurred(reduced_map(plane, _COARSE), 2) for plane in planes])
    cover = _blurred(reduced_map(weight, _COARSE), 2)
    moments = _carried(sums, cover, cover)
    mean = moments[..., :3]
    spread = np.empty((*mean.shape, 3), np.float32)
    for k, (i, j) in enumerate(pairs, 3):
        spread[..., i, j] = spread[..., j, i] = moments[..., k] - mean[..., i] * mean[..., j]
    inverse = np.linalg.inv(spread + np.diag(_GRAIN**2))
    off = [lab[..., i] - cv2.resize(mean[..., i], (width, height)) for i in range(3)]
    away = np.zeros((height, width), np.float32)
    for i, j in pairs:
        away += cv2.resize(inverse[..., i, j], (width, height)) * off[i] * off[j] * np.float32(1 if i == j else 2)
    return np.sqrt(np.maximum(away, 0)), lab[..., 0] - off[0]


def _nearby(small: Map, there: Mask, weight: Map) -> Map:
    """The weighted mean colour around each pixel, of those that are `there`."""
    cover = there.astype(np.float32)
    planes = [cover, cover * weight, *(small[..., i] * weight * cover for i in range(3))]
    soft = [_blurred(reduced_map(plane, _NEARBY), 1) for plane in planes]
    mean = _carried(np.dstack(soft[2:]), soft[1], soft[0])
    return np.asarray(cv2.resize(mean, weight.shape[::-1]), np.float32)


def _carried(sums: Map, weight: Map, cover: Map) -> Map:
    """Weighted sums (h×w×c) over their weight (h×w); where `cover` (h×w) is hardly any, from further away. One thing
    of much weight makes what weighs little elsewhere no less known."""
    height, width = weight.shape
    if max(height, width) == 1:
        return sums / max(float(weight[0, 0]), 1e-12)
    far = _carried(_halved(sums), _halved(weight), _halved(cover))
    far = np.asarray(cv2.resize(far, (width, height)), np.float32).reshape(sums.shape)
    enough = np.clip(cover / max(0.1 * float(cover.max()), 1e-12), 0, 1)[..., None]
    own = sums / np.maximum(weight, 1e-12)[..., None]
    return np.asarray(far + (own - far) * enough, np.float32)


def _halved(values: Map) -> Map:
    height, width = values.shape[:2]
    even = np.pad(values, ((0, height % 2), (0, width % 2), *((0, 0),) * (values.ndim - 2)))
    return np.asarray((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4, np.float32)


def _leaves(darker: Map, rough: Map, foreign: Mask, sky: Mask) -> tuple[Map, Map]:
    """How sure it is, 0..1, that what is near and no sky is darker than it and rough; and how often the two change."""
    side = round(_AROUND * max(sky.shape) / _SIDE) | 1
    there, inner = foreign.astype(np.float32), cv2.erode(foreign.astype(np.uint8), _disc(2)).astype(np.float32)

    def near(values: Map) -> Map:
        return np.asarray(cv2.blur(values, (side, side)), np.float32)

    much, within = near(there), near(inner)
    deep = near(darker * there) / np.maximum(much, 1e-3)
    grain = near(rough * inner) / np.maximum(within, 1e-3)
    grainy = np.where(within > 0.2 * much, np.clip((grain - _ROUGH) / 1.5, 0, 1), 1)  # twigs have no inside
    leaves = np.clip((deep - _DARKER) / 8, 0, 1) * grainy * np.clip(much / 0.1, 0, 1)
    lines = side * near(_rim(sky).astype(np.float32))
    return np.asarray(leaves, np.float32), np.clip((lines - _LINES[0]) / (_LINES[1] - _LINES[0]), 0, 1)


def _rim(mask: Mask) -> NDArray[np.uint8]:
    ink = mask.astype(np.uint8)
    return np.asarray(ink - cv2.erode(ink, np.ones((3, 3), np.uint8)), np.uint8)


def _gaps(alike: Mask, seen: Mask, leaves: Map, busy: Map, away: Map, calm: Mask) -> Mask:
    """Which pieces of the sky's colour are seen among leaves: many and small, or just as the sky behind is."""
    _, parts, boxes, _ = cv2.connectedComponentsWithStats((alike & ~seen).astype(np.uint8), connectivity=4)
    flat, count = np.asarray(parts).ravel(), len(boxes)
    rim = (_rim(parts > 0) & (cv2.dilate(seen.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)).astype(np.float32)

    def mean(values: Map | Mask, weight: Map) -> NDArray[np.float64]:
        return np.bincount(flat, (values * weight).ravel(), count) / np.maximum(
            np.bincount(flat, weight.ravel(), count), 1
        )

    every = np.ones_like(rim)
    just, quiet = mean(away, every) < _JUST, mean(calm, every) > _CALM
    small = boxes[:, cv2.CC_STAT_AREA] < _SMALL * max(alike.shape) ** 2
    told = (mean(leaves, rim) > _LEAFY) & np.where(small, just | (mean(busy, every) > _BUSY), just & quiet)
    told[0] = False
    return np.asarray(told[parts])


def without_sky(pixels: Pixels, gaps: Gaps, share: Map, land: Map) -> None:
    """Among leaves the sky's `share` (H×W) and the `land`'s colours (H×W×3) are told anew, in place."""
    height, width = share.shape
    for rows in strips(height, width):
        there = enlarged(gaps.foliage, rows, height, width)
        if not there.any():
            continue
        colours = pixels[rows].astype(np.float32) / np.float32(255)
        front, back = enlarged(gaps.front, rows, height, width), enlarged(gaps.back, rows, height, width)
        mixed, off = _told_apart(colours, front, back)
        mixed = np.clip((mixed - _CLEAR[0]) / (_CLEAR[1] - _CLEAR[0]), 0, 1) * np.exp(-np.square(off / _OFF))
        mixed *= np.clip(enlarged(gaps.room, rows, height, width), 0, 1)
        share[rows] += (mixed - share[rows]) * there
        alpha = 1 - share[rows, :, None]
        own = explained(colours, front, back, alpha)
        land[rows] += (own - land[rows]) * there[..., None]


def _told_apart(colours: Map, front: Map, back: Map) -> tuple[Map, Map]:
    """How far each colour is on its way from `front` to `back`, and how far beside it, in levels of 0..1."""
    way = back - front
    share = np.clip(((colours - front) * way).sum(axis=2) / np.maximum(np.square(way).sum(axis=2), 1e-3), 0, 1)
    return share, np.linalg.norm(colours - front - share[..., None] * way, axis=2)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
