"""A rough mask's outline drawn to the picture's: what the colours beside it say, without scraps, with the holes.

A picture's colours may tell subject from background on one side of it and not on the other, so those in the
neighbourhood are asked (palette.py), and the outline runs where it costs least (min_cut.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.min_cut import min_cut, steps_of
from tollbrush.engines.studio.pixels.palette import Palette, palette_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.pixels.regions import Map

_WEIGHT = 48.0  # of odds beside steps of colour: near the outline they are well known
# Of the longer side:
_WINDOW = 0.12  # how far around a pixel its neighbours' colours are asked
_MARGIN = 0.012  # how deep inside or outside a pixel fully counts as a sample of its side
_PULL = 0.03  # the distance from the rough outline that speaks like colours commoner by e
_SECOND = 0.6  # of the first reach: how far the outline may move when it is cut again
_BRIDGE = 0.012  # half the width of what a scrap hangs on by

_SCRAP = 0.15  # of the subject's area; what is larger is a part of it
_HOLE = 0.001, 0.006  # of the picture: the least hole that is opened, and the greatest that is closed
_PINHOLE = 0.0004  # of the picture: closed whatever its colours
_CLEARLY = -2.0  # odds, ln, at which colours say clearly that they are the background's
_SEEN_THROUGH = -3.0  # the same, for opening a hole: a white collar before a white wall is worse lost than a gap filled


def drawn_to_edges(view: Pixels, rough: Mask, reach: float) -> Mask:
    """`rough` (h×w, as `view`) with an outline at most `reach` of the longer side away from where it was."""
    if not rough.any() or rough.all():
        return rough
    palette, steps = palette_of(view), steps_of(view)
    mask = _cut(palette, steps, rough, reach)
    mask = _cut(palette, steps, mask, _SECOND * reach) if mask.any() and not mask.all() else mask
    return without_scraps(mask, palette) if mask.any() else rough


def _cut(palette: Palette, steps: Pixels, rough: Mask, reach: float) -> Mask:
    side = max(rough.shape)
    depth = _depth(rough)
    margin = max(2.0, _MARGIN * side)
    inside, outside = np.clip(depth / margin, 0, 1), np.clip(-depth / margin, 0, 1)
    holes = _holes(palette, depth, inside, outside)
    inside[holes], outside[holes] = 0, 1
    odds = palette.odds_nearby(inside, outside, _WINDOW * side) + np.clip(depth / (_PULL * side), -1.5, 1.5)
    labels = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[depth > reach * side] = cv2.GC_FGD
    labels[depth < -reach * side] = cv2.GC_BGD
    odds[holes] = np.minimum(odds[holes], -1)
    labels[cv2.dilate(holes.astype(np.uint8), _disc(max(2, side // 128))) > 0] = cv2.GC_PR_BGD
    return min_cut(odds, steps, labels, _WEIGHT)


def _holes(palette: Palette, depth: Map, inside: Map, outside: Map) -> Mask:
    """Background seen through the subject: inside it, of colours that are clearly the background's."""
    odds = palette.odds(inside, outside)
    clear = (depth > 2) & (cv2.GaussianBlur(odds, (0, 0), 1.5) < _CLEARLY)
    opened = cv2.morphologyEx(clear.astype(np.uint8), cv2.MORPH_OPEN, _disc(max(1, max(depth.shape) // 256)))
    _, pieces, boxes, _ = cv2.connectedComponentsWithStats(opened)
    told = _means(odds, np.asarray(pieces), len(boxes))
    found = (boxes[:, 4] > _HOLE[0] * depth.size) & (told < _SEEN_THROUGH)
    found[0] = False
    return np.asarray(found[pieces])


def without_scraps(mask: Mask, palette: Palette) -> Mask:
    """Without the little pieces that hang on by a thin bridge, or not at all, and have the background's colours; small
    holes closed, unless the background's colours show in them."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(max(2, round(_BRIDGE * max(mask.shape)))))
    _, pieces, boxes, _ = cv2.connectedComponentsWithStats(opened)
    areas = boxes[1:, 4]
    body = mask if not len(areas) else np.asarray(pieces) == 1 + int(areas.argmax())
    odds = palette.odds(body.astype(np.float32), (~mask).astype(np.float32))
    if len(areas):
        scraps = (_means(odds, np.asarray(pieces), len(boxes)) < 0) & (boxes[:, 4] < _SCRAP * areas.max())
        scraps[0] = False
        mask = mask & ~scraps[pieces]
    return _without_specks_and_holes(mask, odds)


def _without_specks_and_holes(mask: Mask, odds: Map) -> Mask:
    _, pieces, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    large = boxes[:, 4] > 0.02 * boxes[1:, 4].max(initial=0)
    large[0] = False
    kept = large[pieces]
    _, pieces, boxes, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    x, y, wide, high, area = np.asarray(boxes).T
    inner = (x > 0) & (y > 0) & (x + wide < mask.shape[1]) & (y + high < mask.shape[0])
    telling = _means(odds, np.asarray(pieces), len(boxes)) < _CLEARLY
    closed = inner & (area < np.where(telling, _PINHOLE, _HOLE[1]) * mask.size)
    closed[0] = False
    return np.asarray(kept | closed[pieces])


def _means(values: Map, pieces: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    flat = pieces.ravel()
    return np.bincount(flat, values.ravel(), count) / np.maximum(np.bincount(flat, minlength=count), 1)


def _depth(mask: Mask) -> Map:
    """Pixels to the outline, negative outside. The picture's edge is no outline."""
    ink = mask.astype(np.uint8)
    inner = np.asarray(cv2.distanceTransform(ink, cv2.DIST_L2, 3), np.float32)
    return inner - np.asarray(cv2.distanceTransform(1 - ink, cv2.DIST_L2, 3), np.float32)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
