"""The thing that a roughly drawn mask is about: what is commoner in it than around it, of one material if it can be.

For edits that give a thing another colour, where a painted oval would show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import to_lab
from tollbrush.engines.studio.pixels.min_cut import min_cut, steps_of
from tollbrush.engines.studio.pixels.palette import palette_of
from tollbrush.engines.studio.pixels.strips import strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels

    Map = NDArray[np.float32]

_AROUND: Final = 0.5  # of the mask's own sides: how far around it the ground is looked at
_SIDE: Final = 320  # longer side of that view
_MIDDLE: Final = 0.6  # ln: how much likelier the mask's deepest place is the thing than its rim
_TRIALS: Final = ((0.12, 0.0, 30.0), (0.006, 1.2, 150.0))
"""Of the mask at least; ln of doubt; weight of odds beside steps of colour: for large things, then for rare colours and
thin things, which an outline's cost would shorten."""
_TELLING: Final = 0.5  # ln: how much commoner a thing's colours are than around it
_MOST: Final = 0.55  # of the thing, from which one material is what is meant
_EDGE: Final = 3.2  # ΔE a pixel of the view, at the least, where one thing ends
_EXACT: Final = 0.92  # of the mask's outline, that lies on edges of the picture
_GLINT: Final = 0.10  # of the material: the largest highlight in it
_COLOURED: Final = 14.0  # chroma from which a material has a hue
_FINE: Final = 1e-3 * 255**2  # variance of colour below which no edge is seen


def marked(pixels: Pixels, mask: Mask) -> Map:
    """H×W share 0..1 of the thing in H×W×3 `pixels` that `mask` is drawn around; 0 outside the mask. All of a
    mask that is drawn exactly; of one with nothing to be told apart in it, all, fading in at its rim."""
    result = np.zeros(mask.shape, np.float32)
    if not mask.any():
        return result
    window = _window(mask)
    view, inside = np.ascontiguousarray(pixels[window]), np.ascontiguousarray(mask[window])
    scale = min(1.0, _SIDE / max(inside.shape))
    size = max(1, round(inside.shape[1] * scale)), max(1, round(inside.shape[0] * scale))
    small = np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), np.uint8)
    rough = np.asarray(cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)) > 0.5
    known = rough.any() and not rough.all() and min(size) >= 12
    if known and _drawn_exactly(small, rough):
        result[window] = _along_edges(view, rough.astype(np.float32)) * inside
    elif known and (found := _thing(small, rough)) is not None:
        thing, beyond = found
        share = _along_edges(view, _material(small, thing))
        if beyond.any():  # the mask ends before the thing does
            share *= 1 - _enlarged(_soft(beyond), inside.shape) * (1 - _fading(inside))
        result[window] = share * inside
    else:
        result[window] = _fading(inside)
    return result


def _window(mask: Mask) -> tuple[slice, slice]:
    spans = []
    for axis, side in ((1, mask.shape[0]), (0, mask.shape[1])):
        marks = np.flatnonzero(mask.any(axis=axis))
        first, last = int(marks[0]), int(marks[-1]) + 1
        room = max(16, round(_AROUND * (last - first)))
        spans.append(slice(max(0, first - room), min(side, last + room)))
    return spans[0], spans[1]


def _drawn_exactly(view: Pixels, rough: Mask) -> bool:
    """Whether the mask's outline is the picture's: then it is meant as it is."""
    rim = cv2.morphologyEx(rough.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    steepest = cv2.dilate(_steepness(view), np.ones((5, 5), np.uint8))
    return float((steepest[rim] > _EDGE).mean()) > _EXACT


def _thing(view: Pixels, rough: Mask) -> tuple[Mask, Mask] | None:
    """Inside `rough`, what has other colours than the ground around it, and where it goes on outside; None when
    nothing has."""
    depth = np.asarray(cv2.distanceTransform(np.pad(rough, 1).astype(np.uint8), cv2.DIST_L2, 3), np.float32)[1:-1, 1:-1]
    depth /= max(float(depth.max()), 1e-6)
    inside, outside = np.asarray(rough * (0.25 + depth), np.float32), (~rough).astype(np.float32)
    alone = palette_of(view).odds(inside, outside)
    for least, doubt, weight in _TRIALS:
        odds = np.where(rough, alone - doubt + _MIDDLE * (2 * depth - 1), np.minimum(alone, -3)).astype(np.float32)
        told = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        told[~rough] = cv2.GC_BGD
        if not (odds > 0).any():
            return None
        thing = _solid(min_cut(odds, steps_of(view), told, weight) & rough)
        if thing.sum() > least * rough.sum() and alone[thing].mean() > _TELLING and _stands_out(view, thing, rough):
            return thing, np.asarray((alone > doubt) & ~rough)
    return None


def _stands_out(view: Pixels, thing: Mask, rough: Mask) -> bool:
    """Whether the thing ends where the picture has an edge, as far as the mask does not cut it off."""
    inner = cv2.erode(rough.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    rim = (cv2.morphologyEx(thing.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0) & inner
    return not rim.any() or float(np.mean(_steepness(view)[rim])) > _EDGE


def _steepness(view: Pixels) -> Map:
    """ΔE from pixel to pixel."""
    soft = cv2.GaussianBlur(to_lab(view.astype(np.float32) / np.float32(255)), (0, 0), 1)
    slopes = [cv2.Sobel(soft, cv2.CV_32F, dx, 1 - dx) / 8 for dx in (0, 1)]
    return np.asarray(np.sqrt(sum(np.square(slope).sum(axis=2) for slope in slopes)), np.float32)


def _solid(mask: Mask) -> Mask:
    """Without specks, its pinholes closed."""
    for value in (True, False):
        _, pieces, boxes, _ = cv2.connectedComponentsWithStats((mask == value).astype(np.uint8), connectivity=4)
        small = boxes[:, cv2.CC_STAT_AREA] < (0.04 if value else 0.01) * max(1, int(mask.sum()))
        small[0] = False
        mask = mask ^ small[pieces]
    return np.asarray(mask, np.bool_)


def _material(view: Pixels, thing: Mask) -> Map:
    """Of the thing, what is of its commonest material, by hue for the coloured and by lightness for the grey; all of
    it when no material is most of it."""
    lab = to_lab(view.astype(np.float32) / np.float32(255))
    light, a, b = np.moveaxis(lab, -1, 0)
    chroma = np.hypot(a, b)
    counts, edges, _ = np.histogram2d(a[thing], b[thing], bins=32, range=((-100, 100), (-100, 100)))
    counts = cv2.GaussianBlur(counts, (0, 0), 1.0)
    at = np.unravel_index(int(counts.argmax()), counts.shape)
    mode_a, mode_b = (float(edges[i]) + 3.125 for i in at)
    if np.hypot(mode_a, mode_b) > _COLOURED:
        turn = np.abs((np.arctan2(b, a) - np.arctan2(mode_b, mode_a) + np.pi) % (2 * np.pi) - np.pi)
        # Hue is nothing where there is hardly colour, as in deep shadow and highlight.
        like = np.clip((0.62 - turn) / 0.2, 0, 1) * np.clip((chroma - 0.18 * np.hypot(mode_a, mode_b)) / 6, 0, 1)
    else:
        usual = float(np.median(light[thing & (chroma < _COLOURED)]))
        like = np.clip((44 - np.abs(light - usual)) / 12, 0, 1) * np.clip((22 - chroma) / 6, 0, 1)
    if float(like[thing].sum()) < _MOST * float(thing.sum()):
        return thing.astype(np.float32)
    return _with_glints(view, _solid((like > 0.5) & thing), thing).astype(np.float32)


def _with_glints(view: Pixels, own: Mask, thing: Mask) -> Mask:
    """With the soft highlights and shades in it, that are of another colour and the same thing."""
    _, pieces, boxes, _ = cv2.connectedComponentsWithStats((thing & ~own).astype(np.uint8), connectivity=4)
    rims = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    steep = _steepness(view)
    result = own.copy()
    for piece in np.flatnonzero(boxes[:, cv2.CC_STAT_AREA] < _GLINT * own.sum()):
        if piece == 0:
            continue
        here = pieces == piece
        rim = here & rims
        around = (cv2.dilate(here.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~here
        if rim.any() and steep[rim].mean() < _EDGE and own[around].mean() > 0.9:
            result |= here
    return result


def _along_edges(view: Pixels, share: Map) -> Map:
    """A small share, enlarged along the picture's own edges (guided filter, He 2013)."""
    height, width = view.shape[:2]
    coarse = _enlarged(share, (height, width))
    radius = max(2, round(max(height, width) / 140))
    soft = np.empty_like(coarse)
    for rows in strips(height):
        top, bottom = max(0, rows.start - 2 * radius), min(height, rows.stop + 2 * radius)
        part = cv2.ximgproc.guidedFilter(view[top:bottom], coarse[top:bottom], radius, _FINE)
        soft[rows] = part[rows.start - top : rows.stop - top]
    return np.asarray(np.clip((soft - 0.12) / 0.76, 0, 1), np.float32)


def _enlarged(plane: Map, shape: tuple[int, ...]) -> Map:
    return np.asarray(cv2.resize(plane, shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _soft(mask: Mask) -> Map:
    """1 near the mask, falling off."""
    return np.clip(3 * cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.02 * max(mask.shape)), 0, 1)


def _fading(mask: Mask) -> Map:
    """1 inside, rising from the rim."""
    depth = np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3), np.float32)
    share = np.clip(depth / max(1.0, 0.25 * float(depth.max())), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
