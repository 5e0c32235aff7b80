"""Completion of a hole by patches of what surrounds it.

From a first guess peeled from the rim inwards (Newson et al. 2014), coarse to fine, each level alternates PatchMatch
(Barnes et al. 2009) and voting (Wexler et al. 2007); at last the colours are made to agree with the rim (membrane).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio import patchmatch
from tollbrush.engines.studio.membrane import corrected
from tollbrush.engines.studio.parts import bands, each
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_R = 3  # patch radius: 7×7
PATCH = 2 * _R + 1
_WORK_SIDE = 512  # pixels: the largest level with a free search; the full size only follows it
_RATIO = 0.6  # size of a level against the next finer one
_COARSEST = 1.0  # width of the hole at the coarsest level, in patches
_ROUNDS = (12, 3)  # search-and-vote rounds at the coarsest and at the work level
_REACH = 64  # pixels: first radius of the random search
_POWERS = (2, 3, 5)  # doublings of a vote's power: at coarse levels, at fine ones, and at last
_GRADIENT = 0.6  # weight of lightness gradients against Lab in the patch distance
_CHANNELS = 5  # Lab, and the gradients of L
_FEWEST_SOURCES = 10
_PEEL_PAIRS = 1_500_000  # of hole pixel and source, that the first guess compares at most
_FAR = 20.0  # price in the first guess of a source as far away as the window is wide, squared Lab per pixel
_NOVELTY = 0.2  # price in the first guess of what a patch adds beyond the known, against a mismatch with it
SMALLER = "Mark less: a third of the picture is the most that fills well."


@dataclass
class _Level:
    """One size of the window, everything padded by _R: `colours` H×(W·C) and `features` H×(W·5), float32, are painted
    in place where `hole`; `sources` says where a source patch may be centred."""

    colours: Floats
    features: Floats
    hole: Mask
    sources: Mask

    @property
    def shape(self) -> tuple[int, int]:
        """Without the padding."""
        return self.hole.shape[0] - 2 * _R, self.hole.shape[1] - 2 * _R

    @property
    def rows(self) -> tuple[int, int]:
        """First and last row + 1 of the hole, padded frame."""
        marked = np.flatnonzero(self.hole.any(axis=1))
        return int(marked[0]), int(marked[-1]) + 1


@dataclass
class _Field:
    """Each target's match, and its cost, in the padded frame of a level."""

    my: Ints
    mx: Ints
    cost: Floats


def complete(pixels: Pixels, hole: Mask, allowed: Mask, seed: int) -> Pixels:
    """H×W×C pixels with `hole` painted from where it is not and `allowed` is True; `allowed` gives way when it leaves
    no source. Raises CannotHonour when the hole leaves none."""
    random = np.random.default_rng(seed)
    scales = _scales(hole)
    work = len(scales) - (2 if len(scales) > 1 and max(hole.shape) > _WORK_SIDE else 1)
    field: _Field | None = None
    for number, scale in enumerate(scales):
        level = _level(pixels, hole, allowed, scale)
        field = _start(level, field or _first_guess(level), random)
        polish = number > work
        rounds = 2 if polish else round(float(np.interp(number, [0, max(1, work)], _ROUNDS)))
        reach = 6 if polish else min(max(level.shape), _REACH)
        _settle(level, field, rounds, sharp=number >= work - 1, reach=reach, seed=seed + 100 * number)
    assert field is not None
    return _painted(level, field, pixels.shape[2])


def depth(hole: Mask) -> float:
    """Pixels from the hole's deepest point to its rim; the picture's border is rim too."""
    return float(cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 3).max())


def _scales(hole: Mask) -> list[float]:
    """Coarse to fine: from where the hole is little wider than a patch, up to the work size, and then 1."""
    work = min(1.0, _WORK_SIDE / max(hole.shape))
    width = 2 * depth(hole)
    coarsest = min(work, max(_COARSEST * PATCH / width, 5 * PATCH / min(hole.shape)))
    steps = round(np.log(coarsest / work) / np.log(_RATIO))
    scales = np.geomspace(coarsest, work, steps + 1).tolist() if steps else [work]
    return scales if work == 1 else [*scales, 1.0]


def _level(pixels: Pixels, hole: Mask, allowed: Mask, scale: float) -> _Level:
    h, w = (max(PATCH, round(side * scale)) for side in hole.shape)
    colours = pixels.astype(np.float32)
    if (h, w) != hole.shape:
        known = (~hole).astype(np.float32)
        share = _shrink(known, h, w)
        # Colours of the hole must not bleed into the smaller picture: average the known pixels alone.
        total = _shrink(colours * known[..., None], h, w)
        colours = np.asarray(total / np.maximum(share, 1e-3)[..., None], np.float32)
        hole = share < 0.98
        allowed = _shrink(allowed.astype(np.float32), h, w) > 0.98
    sources = _patch_centres(~hole & allowed)
    if np.count_nonzero(sources) < _FEWEST_SOURCES:
        sources = _patch_centres(~hole)
    if np.count_nonzero(sources) < _FEWEST_SOURCES:
        raise CannotHonour("The mask leaves too little of the picture to fill it from.", advice=SMALLER)
    lab = _lab(colours)
    features = np.dstack([lab, *_gradients(lab[..., 0])])
    return _Level(_flat(_pad(colours)), _flat(_pad(features)), np.pad(hole, _R), sources)


def _lab(colours: Floats) -> Floats:
    rgb = np.clip(colours[..., :3] / 255, 0, 1).astype(np.float32)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)


def _gradients(light: Floats) -> list[Floats]:
    return [np.asarray(cv2.Sobel(light, cv2.CV_32F, x, 1 - x, ksize=1) * _GRADIENT, np.float32) for x in (1, 0)]


def _shrink(plane: Floats, h: int, w: int) -> Floats:
    return np.asarray(cv2.resize(plane, (w, h), interpolation=cv2.INTER_AREA), np.float32)


def _patch_centres(usable: Mask) -> Mask:
    """Padded: True where a whole patch lies within `usable` and the picture."""
    whole = cv2.erode(usable.astype(np.uint8), np.ones((PATCH, PATCH), np.uint8), borderValue=0)
    return np.pad(whole > 0, _R)


def _pad(plane: NDArray[Any]) -> NDArray[Any]:
    return np.pad(plane, ((_R, _R), (_R, _R)) + ((0, 0),) * (plane.ndim - 2), mode="reflect")


def _flat(planes: Floats) -> Floats:
    return planes.reshape(planes.shape[0], -1)


def _first_guess(level: _Level) -> _Field:
    """Peels the coarsest hole layer by layer; gradients are unknown there, so Lab alone is compared."""
    padded = level.hole.shape
    lab = np.ascontiguousarray(level.features.reshape(*padded, _CHANNELS)[..., :3])
    sy, sx = (centres.astype(np.int32) for centres in np.nonzero(level.sources))
    step = -(-len(sy) * int(np.count_nonzero(level.hole)) // _PEEL_PAIRS)
    sy, sx = sy[::step], sx[::step]
    area = PATCH * PATCH
    matches = patchmatch.peel(_flat(lab), 3, _R, level.hole.copy(), sy, sx, _NOVELTY, _FAR * area)
    taken = matches >= 0
    my, mx = (np.where(taken, centres[matches], -1).astype(np.int32) for centres in (sy, sx))
    return _Field(my, mx, taken.astype(np.float32))


def _start(level: _Level, coarser: _Field, random: np.random.Generator) -> _Field:
    """Targets of this level, matched as in a coarser (or the same) one, and at random where that is no source."""
    h, w = level.shape
    touched = cv2.dilate(level.hole[_R:-_R, _R:-_R].astype(np.uint8), np.ones((PATCH, PATCH), np.uint8))
    ty, tx = np.nonzero(touched)
    oy, ox = np.nonzero(level.sources)
    pick = random.integers(0, len(oy), len(ty))
    ch, cw = (side - 2 * _R for side in coarser.my.shape)
    cy, cx = np.minimum(ty * ch // h, ch - 1) + _R, np.minimum(tx * cw // w, cw - 1) + _R
    known = coarser.my[cy, cx] >= 0
    gy = np.clip(np.rint(ty + _R + (coarser.my[cy, cx] - cy) * (h / ch)).astype(np.int64), 0, h + 2 * _R - 1)
    gx = np.clip(np.rint(tx + _R + (coarser.mx[cy, cx] - cx) * (w / cw)).astype(np.int64), 0, w + 2 * _R - 1)
    good = known & level.sources[gy, gx]
    shape = level.hole.shape
    field = _Field(np.full(shape, -1, np.int32), np.full(shape, -1, np.int32), np.ones(shape, np.float32))
    field.my[ty + _R, tx + _R] = np.where(good, gy, oy[pick])
    field.mx[ty + _R, tx + _R] = np.where(good, gx, ox[pick])
    # What was no source has no say in the first vote.
    field.cost[ty + _R, tx + _R] = np.where(good, coarser.cost[cy, cx], 1e12)
    return field


def _settle(level: _Level, field: _Field, rounds: int, *, sharp: bool, reach: int, seed: int) -> None:
    """Search and vote in turns, until the hole agrees with its matches. Changes features and field in place."""
    sweeps = 2 if max(level.shape) < 200 else 1
    last = level.hole.shape[0] - _R
    parts = bands(max(_R, level.rows[0] - _R), min(last, level.rows[1] + _R))
    trust = _trust(level.hole)
    _vote(level, field, trust, _POWERS[1])
    for number in range(rounds):
        before_y, before_x = field.my.copy(), field.mx.copy()

        def improve(band: tuple[int, int], own: int = seed + number, by: Ints = before_y, bx: Ints = before_x) -> None:
            ends = by, bx, field.my, field.mx, field.cost
            random = (own * 64 + band[0]) % 2**31
            patchmatch.search(level.features, _CHANNELS, _R, level.sources, *ends, *band, sweeps, reach, random)

        each(improve, parts)
        _vote(level, field, trust, _POWERS[1 if sharp else 0] if number < rounds - 1 or not sharp else _POWERS[2])


def _vote(level: _Level, field: _Field, trust: Floats, doublings: int) -> None:
    """Paints the features of the hole."""
    cost = field.cost / trust

    def paint(band: tuple[int, int]) -> None:
        ends = field.my, field.mx, cost
        patchmatch.vote(level.features, _CHANNELS, _R, level.hole, *ends, level.features, *band, doublings)

    each(paint, bands(*level.rows))
    planes = level.features.reshape(*level.hole.shape, _CHANNELS)
    first, last = max(_R, level.rows[0] - 2), min(level.hole.shape[0] - _R, level.rows[1] + 2)
    light = np.pad(np.ascontiguousarray(planes[first:last, _R:-_R, 0]), 1, mode="reflect")
    for i, plane in enumerate(_gradients(light)):
        planes[first + 1 : last - 1, _R:-_R, 3 + i] = plane[2:-2, 1:-1]
    _mirror(planes)


def _mirror(planes: Floats) -> None:
    """The padding anew, after what it mirrors was painted."""
    for view in (planes, planes.swapaxes(0, 1)):
        view[:_R] = view[2 * _R : _R : -1]
        view[-_R:] = view[-_R - 2 : -2 * _R - 2 : -1]


def _trust(hole: Mask) -> Floats:
    """A patch near the rim knows more than one deep inside (Wexler's γ^−distance)."""
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.maximum(1.25**-depth, 0.05), np.float32)


def _painted(level: _Level, field: _Field, channels: int) -> Pixels:
    """The colours that the matches propose, led by the gradients they propose from the rim inwards."""
    cost = field.cost / _trust(level.hole)
    shape = (*level.hole.shape, channels)

    def paint(band: tuple[int, int]) -> None:
        patchmatch.vote(
            level.colours, channels, _R, level.hole, field.my, field.mx, cost, level.colours, *band, _POWERS[2]
        )

    each(paint, bands(*level.rows))
    colours = level.colours.reshape(shape)
    _mirror(colours)
    # The rim, which is known, has a gradient into the hole; beyond it nothing is needed.
    touched = cv2.dilate(level.hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    steps = np.zeros((*shape[:2], 2 * channels), np.float32)
    steps[:, :-1, :channels], steps[:-1, :, channels:] = np.diff(colours, axis=1), np.diff(colours, axis=0)
    wanted = steps.copy()

    def follow(band: tuple[int, int]) -> None:
        ends = field.my, field.mx, cost
        patchmatch.vote(_flat(steps), 2 * channels, _R, touched, *ends, _flat(wanted), *band, _POWERS[2])

    each(follow, bands(max(0, level.rows[0] - 1), level.rows[1] + 1))
    rows, columns = (np.flatnonzero(level.hole.any(axis=axis)) for axis in (1, 0))
    # So much of the rim that it is there still in the smallest picture that the correction is looked for in.
    rim = 48
    box = tuple(slice(max(0, int(span[0]) - rim), int(span[-1]) + rim + 1) for span in (rows, columns))
    colours[box] = corrected(colours[box], wanted[box][..., :channels], wanted[box][..., channels:], level.hole[box])
    inner = slice(_R, -_R)
    return np.asarray(np.clip(colours[inner, inner] + 0.5, 0, 255), np.uint8)
