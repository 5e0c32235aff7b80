"""Where the sky is: what is calm and of a sky's colours from the top down, then what looks like that and unlike the
rest, down to a horizon."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import to_lab
from tollbrush.engines.studio.pixels.min_cut import min_cut, steps_of
from tollbrush.engines.studio.pixels.strips import reduced, reduced_map
from tollbrush.engines.studio.scenes.sky_proof import LEAST, Look, sky_likeness, sureness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels

    Map = NDArray[np.float32]
    Table = NDArray[np.float64]

_SIDE: Final = 400  # longer side at which the sky is looked for
_SMALLEST: Final = 32  # pixels across, below which no sky is told
_ROUNDS: Final = 3
_COLOURS: Final = (21, 24, 24)  # places for L, a and b in a table of colours, 5 each
_GRAINS: Final = (31,)  # places for roughness, half an L each
_RARE: Final = {_COLOURS: 2e-5, _GRAINS: 0.01}  # share of a side, below which a place says nothing
_STEP: Final = 4  # rows on either side of a horizon
_NEAR: Final = 14  # rows above and below a horizon that it is compared with
_PLAIN: Final = 0.7  # L by which land is darker beyond a horizon, at least
_AGREED: Final = 0.87  # share of a horizon's columns that say so


def find_sky(pixels: Pixels, within: Mask | None = None) -> tuple[Mask, float]:
    """Where the sky is, H×W, and how sure that is, 0..1. `within`: where the caller says that it is, roughly."""
    height, width = pixels.shape[:2]
    small = reduced(pixels, _SIDE)
    hint = None if within is None else reduced_map(within.astype(np.float32), _SIDE) > 0.5
    found, sure = _found(small, hint)
    large = cv2.resize(found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return large > 0.5, sure


def rough_sky(small: Map) -> tuple[Mask, float]:
    """As find_sky, of a small picture in 0..1, h×w×3."""
    return _found(small, None)


def _found(small: Map, hint: Mask | None) -> tuple[Mask, float]:
    nothing: Mask = np.zeros(small.shape[:2], np.bool_)
    if min(small.shape[:2]) < _SMALLEST:
        return nothing, 0.0
    look = _look(small)
    sky = _settled(small, look, _from_the_top(look) if hint is None else hint)
    if not sky.any() or sky.all():
        return nothing, 0.0
    return sky, sureness(look, sky) if hint is None else float(sky.mean() > LEAST)


def _look(small: Map) -> Look:
    lab = to_lab(small)
    fine = np.abs(lab - cv2.GaussianBlur(lab, (0, 0), 1.5)) @ np.array([1, 0.5, 0.5], np.float32)
    return Look(lab, np.asarray(cv2.blur(fine, (7, 7)), np.float32), sky_likeness(lab))


def _from_the_top(look: Look) -> Mask:
    """In each column, down to where the sum of what speaks for sky is greatest."""
    height = len(look.rough)
    light = look.lab[..., 0]
    usual = np.percentile(light[: max(4, height // 10)], 60)
    calm = np.clip((2.2 - (look.rough - np.percentile(look.rough, 8))) / 1.3, -2.5, 0.5)
    darker = np.clip((light - usual + 12) / 8, -2.5, 0)
    high = 0.9 * (0.45 - np.arange(height) / height)[:, None]
    odds = cv2.GaussianBlur((calm + darker + high + 0.9 * look.like).astype(np.float32), (0, 0), 2)
    total = np.cumsum(odds, axis=0)
    ends = np.where(total.max(axis=0) > 0, total.argmax(axis=0) + 1, 0)
    return np.asarray(np.arange(height)[:, None] < ends[None])


def _settled(small: Map, look: Look, sky: Mask) -> Mask:
    """What is of the sky's colours and calm, and not of the land's, down to the horizon; learnt anew each round."""
    height = len(sky)
    y = np.arange(height)[:, None] / height
    steps = steps_of((small * 255 + 0.5).astype(np.uint8))
    colours = _places((look.lab + np.array([0, 60, 60], np.float32)) / 5, _COLOURS)
    grains = _places(2 * look.rough[..., None], _GRAINS)
    for _ in range(_ROUNDS):
        floor = _lowest(sky)
        horizon = _horizon(look.lab[..., 0], sky)
        if horizon is not None:
            floor = min(floor, horizon)
            sky = sky & (y * height < horizon)
        if not 0.02 < sky.mean() < 0.98:
            break
        # The lower, the less a place tells of the sky: a dark coat may have been taken for one.
        ours = np.asarray(sky * np.clip(1.1 - y, 0, 1), np.float64)
        theirs = np.where(sky, np.clip((y - 0.4) / 0.6, 0, 1), 1.0)
        odds = np.clip(_told(colours, _COLOURS, ours, theirs), -3, 3)
        odds += np.clip(_told(grains, _GRAINS, ours, theirs) / 2, -1, 1)
        odds += 0.4 + 0.4 * look.like - np.clip((y * height - floor) / (0.04 * height), 0, 4)
        labels = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        labels[odds < -5.5] = cv2.GC_BGD
        sky = _high(min_cut(odds.astype(np.float32), steps, labels, 20), floor + 0.04 * height)
    return _trimmed(sky)


def _places(values: Map | Table, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Each pixel's place in a table of that shape, h×w, its last axis's values rounded down to whole places."""
    whole = [np.clip(values[..., i], 0, count - 1).astype(np.intp) for i, count in enumerate(shape)]
    return np.asarray(np.ravel_multi_index(tuple(whole), shape))


def _told(places: NDArray[np.intp], shape: tuple[int, ...], *sides: Table) -> Table:
    """ln of how much commoner each pixel's place is on the first side than on the second, given their weights."""
    shares = []
    for weights in sides:
        counted: Table = np.bincount(places.ravel(), weights.ravel(), math.prod(shape)).astype(np.float64)
        table = _softened(counted, shape)
        shares.append(table / (table.sum() + 1e-9) + _RARE[shape])
    return np.asarray(np.log(shares[0] / shares[1])[places])


def _softened(table: Table, shape: tuple[int, ...]) -> Table:
    """Blurred by one place along each axis, flat again."""
    for axis in range(len(shape)):
        turned = np.moveaxis(table.reshape(shape), axis, 0)
        soft = cv2.GaussianBlur(turned.reshape(shape[axis], -1), (1, 7), 1.0, borderType=cv2.BORDER_REPLICATE)
        table = np.asarray(np.moveaxis(soft.reshape(turned.shape), 0, axis), np.float64)
    return table.ravel()


def _horizon(light: Map, sky: Mask) -> int | None:
    """The row from which what was taken for sky is darker, in nearly all of its columns at once: far land."""
    height, width = sky.shape
    closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((7, 1), np.uint8))  # no wires
    above = cv2.boxFilter(cv2.blur(closed, (9, 1)), -1, (1, _STEP), anchor=(0, _STEP - 1))
    falls = np.zeros_like(above)
    falls[:-_STEP] = above[_STEP:] - above[:-_STEP]
    best, found = _PLAIN, None
    for row in range(max(height // 5, _NEAR), height - max(2 * _STEP, _NEAR)):
        columns = sky[row - _STEP : row + _STEP].all(axis=0)
        if columns.sum() < max(0.25 * width, 0.8 * sky[row - 3 * _STEP].sum()):
            continue
        near = [falls[r][:, columns].mean(axis=0) for r in (slice(row - _NEAR, row - 6), slice(row + 6, row + _NEAR))]
        fall = falls[row, columns] - sum(near) / 2
        lasting = light[row + 4 : row + 12][:, columns].mean(axis=0) - light[row - 10 : row - 1][:, columns].mean(
            axis=0
        )
        depth = -max(float(np.median(fall)), float(np.median(lasting)))
        agreed = float((fall < 0).mean())
        plain = depth * (agreed - 0.7) / 0.3
        if agreed > _AGREED and plain > best:
            best, found = plain, row + 1
    return found


def _high(sky: Mask, floor: float) -> Mask:
    """Of its pieces, those that touch the top, and those of some size that lie above the floor."""
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(sky.astype(np.uint8))
    top, tall, area = (boxes[:, i] for i in (cv2.CC_STAT_TOP, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    kept = (top <= 1) | ((area > 25) & (top + tall < floor))
    kept[0] = False
    return np.asarray(kept[parts])


def _trimmed(sky: Mask) -> Mask:
    """Without what reaches below the horizon: narrow tongues of it, those that run out at the bottom between things,
    and pieces that lie wholly there. What runs down a side is left: it tells of paper, not sky."""
    floor = round(floor_of(sky, 75))
    wide = max(3, round(0.04 * sky.shape[1]))
    broad = cv2.morphologyEx(sky.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, wide), np.uint8)) > 0
    result = sky.copy()
    result[floor:] &= broad[floor:]
    if floor < len(sky):  # OpenCV dies of an empty picture
        _, tongues = cv2.connectedComponents(result[floor:].astype(np.uint8))
        result[floor:] &= ~np.isin(tongues, np.setdiff1d(tongues[-1], tongues[:, [0, -1]]))
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(result.astype(np.uint8))
    return np.asarray(result & (boxes[:, cv2.CC_STAT_TOP] <= floor)[parts])


def floor_of(sky: Mask, percentile: float) -> float:
    """The row above which that many per cent of the columns' skies end, each followed from the top."""
    return _quantile(np.where((~sky).any(axis=0), (~sky).argmax(axis=0), len(sky)), percentile, len(sky))


def _lowest(sky: Mask) -> float:
    """The row above which nine tenths of the columns see their last of the sky."""
    ends = np.where(sky.any(axis=0), len(sky) - sky[::-1].argmax(axis=0), 0)
    return _quantile(np.where(ends > 0.02 * len(sky), ends, 0), 90, len(sky))


def _quantile(ends: NDArray[np.intp], percentile: float, height: int) -> float:
    return float(np.percentile(ends[ends > 0], percentile)) if ends.any() else float(height)
