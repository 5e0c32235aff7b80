"""Where one sees through the subject: between an arm and the body, under a handle.

A mask drawn around a subject covers such holes, and no band around its outline reaches them. A patch inside is a hole
when it looks like the ground next to it, like little else of the subject, and unlike what surrounds it; where that is
in doubt it stays, for a hole in a face is worse than a piece of wall under an arm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import to_lab
from tollbrush.engines.studio.pixels.strips import reduced_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask

    Map = NDArray[np.float32]

_SIDE: Final = 320  # longer side at which holes are looked for; lengths below are in its pixels
_BAND: Final = 6  # about the outline, where nothing is known
_GROUND: Final = 80  # how far from the subject its ground is looked at
_NEAR: Final = (49, 49)  # of the neighbourhood whose ground a hole resembles, averaged twice
_GRAIN: Final = np.array([6, 3, 3], np.float32)  # Lab: what any ground varies by
_ALIKE: Final = 1.8  # standard deviations within which a colour is the ground's
_OWN: Final = 0.8  # of a hole, where the ground is calm beside it, that looks like it
_GROWS: Final = 0.005  # of the picture: what is smaller, as a cat's pupil, is a hole as it is or none
_KNOWN: Final = 0.25  # of a hole, beside which it must be calm
_SEEN: Final = 3e-5  # of a neighbourhood that is ground, below which it tells nothing
_SMOOTH: Final = (1.6, 1.2, 1.2)  # Lab: steps from pixel to pixel within a hole, at most
_CALM: Final = 10.0  # Lab: a ground that varies by more around there resembles too much
_LEAST, _MOST = 0.001, 0.2  # of the picture, of the subject
_CONTRAST: Final = 40.0  # ΔE76 between a hole and the rim around it
_RIM: Final = 0.08  # of the rim may look like ground too
_ELSEWHERE: Final = 5.0  # times a hole's own size: how much of the subject may have its colour


def without_holes(image: Map, inside: Mask) -> Mask:
    """`inside` (h×w), the mask of the subject of `image` (h×w×3, 0..1), less the core of each hole."""
    small = reduced_map(image, _SIDE)
    height, width = small.shape[:2]
    ink = np.asarray(cv2.resize(inside.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    outside = np.asarray(cv2.distanceTransform(1 - ink, cv2.DIST_L2, 3))
    ground = (outside > _BAND) & (outside < _GROUND)
    if not ink.any() or not ground.any():
        return inside
    lab = to_lab(small)
    foreign = _foreign(lab, ground)
    core = cv2.erode(ink, np.ones((5, 5), np.uint8)) > 0
    likely = (foreign < _ALIKE) & core
    patches = cv2.morphologyEx(likely.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(patches)
    areas = boxes[:, cv2.CC_STAT_AREA] / ink.size
    smooth = np.asarray(cv2.bilateralFilter(lab, 5, 6, 2), np.float32)
    most = _MOST * ink.sum()
    holes: Mask = np.zeros(ink.shape, np.bool_)
    for number in range(1, count):
        if areas[number] < _LEAST:
            continue
        patch = parts == number
        if holes[patch].any():
            continue
        grown = _grown(patch, smooth, core) if areas[number] > _GROWS else patch
        patch = grown if grown.sum() <= most else patch
        if patch.sum() <= most and _is_hole(patch, lab, foreign, ink > 0):
            holes |= patch
    if not holes.any():
        return inside
    large = cv2.resize(holes.astype(np.uint8), inside.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(inside & (large == 0))


def _grown(patch: Mask, smooth: Map, core: Mask) -> Mask:
    """`patch` with what runs `smooth`ly (Lab) on from it in the `core`: the ground behind a hole may be less calm than
    beside it."""
    barred = np.pad((~core).astype(np.uint8), 1, constant_values=1)
    depth = cv2.distanceTransform(patch.astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (2 << 8)
    cv2.floodFill(smooth, barred, (int(x), int(y)), 0, _SMOOTH, _SMOOTH, flags)
    grown = ((barred[1:-1, 1:-1] == 2) | patch).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(grown, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _foreign(lab: Map, ground: Mask) -> Map:
    """How many standard deviations each pixel is from the ground in its neighbourhood; infinitely many where that is
    not calm."""
    weight = ground.astype(np.float32)[..., None]

    def blurred(values: Map) -> Map:
        soft = cv2.blur(cv2.blur(values, _NEAR), _NEAR)
        return np.asarray(soft, np.float32).reshape(*values.shape[:2], -1)

    total = blurred(weight) + np.float32(1e-6)
    mean = blurred(lab * weight) / total
    variance = np.maximum(blurred(np.square(lab) * weight) / total - np.square(mean), 0)
    away = np.sqrt((np.square(lab - mean) / (variance + np.square(_GRAIN))).sum(axis=2))
    near = (total[..., 0] > _SEEN) & (variance.sum(axis=2) < _CALM**2)
    return np.asarray(np.where(near, away, np.inf), np.float32)


def _is_hole(patch: Mask, lab: Map, foreign: Map, inside: Mask) -> bool:
    rings = [cv2.dilate(patch.astype(np.uint8), np.ones((n, n), np.uint8)) > 0 for n in (7, 11)]
    rim = rings[1] & ~rings[0] & inside
    if not rim.any():
        return False
    away = np.linalg.norm(lab - lab[patch].mean(axis=0), axis=2)
    known = foreign[patch & np.isfinite(foreign)]
    contrast = float(np.median(away[rim]))
    alike = float((foreign[rim] < _ALIKE).mean())
    elsewhere = float((away[inside & ~rings[0]] < 10).sum() / patch.sum())
    if known.size < _KNOWN * patch.sum() or (known < _ALIKE).mean() < _OWN:
        return False
    return contrast > _CONTRAST and alike < _RIM and elsewhere < _ELSEWHERE
