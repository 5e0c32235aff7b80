"""Completion of a hole by patches of what surrounds it.

From a first guess, coarse to fine, each level alternates PatchMatch (Barnes et al. 2009) and voting (Wexler et al.
2007); at last the colours are made to agree with the rim (membrane). Within one texture the guess is peeled from the
rim inwards (Newson et al. 2014) where the hole is a patch wide, so that whole stretches are copied. Where several
things meet at the rim it is made finer, from a sketch in which their boundaries go on; the coarse levels follow that
sketch, and the rim is heard more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.fill import patchmatch
from tollbrush.engines.studio.fill.levels import PATCH, Level, Levels, R
from tollbrush.engines.studio.fill.membrane import corrected
from tollbrush.engines.studio.fill.peel import peel
from tollbrush.engines.studio.fill.surround import depth
from tollbrush.engines.studio.pixels.parts import bands, each

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_WORK_SIDE = 512  # pixels: the largest level with a free search; the full size only follows it
_RATIO = 0.5  # size of a level against the next finer one
_MIXED = 1.2  # variety of the surround from which on several things meet there
_SHARP = 2  # of the levels with a free search, those where grain is kept
_ROUNDS = (16, 5)  # search-and-vote rounds at the coarsest and at the work level
_POLISH = 2  # rounds at full size,
_LARGE = 1_000_000  # and half as many for a hole of more pixels
_FIRST_SWEEPS = 8  # of the search for what was sketched
_REACH = 64  # pixels: first radius of the random search
_POWERS = (2, 3, 5)  # doublings of a vote's power: at coarse levels, at fine ones, and at last
_PEEL_PAIRS = 1_500_000  # of hole pixel and source, that the first guess compares at most
_RIM = 48  # pixels around the hole that its colours are made to agree with
_FAR = 10.0  # price in the first guess of a source as far away as the window is wide, squared Lab per pixel
_NOVELTY = 0.2  # price in the first guess of what a patch adds beyond the known, against a mismatch with it


@dataclass(frozen=True)
class _Manner:
    """How a hole is gone about. `coarsest`: its width, in patches, where the first guess is made; `doubt`: of a coarse
    patch however well it agrees with what was painted, in usual costs at the rim; `aside`: how much farther a source
    counts that lies sideways; `place`: Lab that its column costs, a picture's side away."""

    coarsest: float
    doubt: float = 0
    aside: float = 1
    place: float = 0


_WITHIN_TEXTURE = _Manner(coarsest=1)
_AMONG_THINGS = _Manner(coarsest=3, doubt=1)
_OUTWARDS = _Manner(coarsest=3, doubt=1, aside=4, place=25)


@dataclass
class _Field:
    """Each target's match, and its cost, in the padded frame of a level."""

    my: Ints
    mx: Ints
    cost: Floats


def complete(pixels: Pixels, hole: Mask, excluded: Mask, seed: int) -> Pixels:
    """H×W×C pixels with `hole` painted from where it is not; from what is `excluded` only when nothing else would do.
    Raises CannotHonour when the hole leaves nothing."""
    levels = _levels(pixels, hole, excluded)
    if levels.variety() <= _MIXED:
        return _painted(levels, hole, _WITHIN_TEXTURE, seed)
    levels.sketch()
    return _painted(levels, hole, _AMONG_THINGS, seed)


def grow(pixels: Pixels, margin: int, excluded: Mask, seed: int) -> Pixels:
    """The same for the `margin` rows on top, which are outside the picture: everything goes on upwards in its place."""
    hole = _top(excluded.shape, margin)
    return _painted(_levels(pixels, hole, excluded, _OUTWARDS), hole, _OUTWARDS, seed)


def misfit(pixels: Pixels, margin: int, excluded: Mask) -> float:
    """How ill the worst tenth of a side is continued when `grow` makes its first guess: squared Lab per pixel."""
    hole = _top(excluded.shape, margin)
    level = _levels(pixels, hole, excluded, _OUTWARDS).coarse(_scales(hole, _OUTWARDS)[0])
    field = _start(level, _peeled(level, _OUTWARDS), np.random.default_rng(0))
    _settle(level, field, _ROUNDS[0], sharp=True, reach=max(level.shape), seed=0)
    rim = (field.my >= 0) & ~level.hole
    found = np.where(rim, field.cost - level.price[field.my, field.mx], 0).sum(axis=0) / np.maximum(rim.sum(axis=0), 1)
    return float(np.percentile(found[rim.any(axis=0)], 90) / PATCH**2)


def _top(shape: tuple[int, ...], margin: int) -> Mask:
    hole = np.zeros(shape, np.bool_)
    hole[:margin] = True
    return hole


def _levels(pixels: Pixels, hole: Mask, excluded: Mask, manner: _Manner = _WITHIN_TEXTURE) -> Levels:
    return Levels(pixels, hole, excluded, _work(hole), manner.place)


def _work(hole: Mask) -> float:
    return min(1.0, float(_WORK_SIDE / max(hole.shape)))


def _painted(levels: Levels, hole: Mask, manner: _Manner, seed: int) -> Pixels:
    random = np.random.default_rng(seed)
    scales = _scales(hole, manner)
    field: _Field | None = None
    for number, scale in enumerate(scales):
        level = levels.coarse(scale)
        field = _start(level, field or _first_guess(level, manner, random), random)
        rounds = round(float(np.interp(number, [0, max(1, len(scales) - 1)], _ROUNDS)))
        reach, own = min(max(level.shape), _REACH), seed + 100 * number
        sharp = number >= len(scales) - _SHARP
        _settle(level, field, rounds, sharp=sharp, reach=reach, seed=own, doubt=0 if sharp else manner.doubt)
    assert field is not None
    level = levels.full()
    if scales[-1] < 1:
        field = _start(level, field, random)
        rounds = _POLISH if np.count_nonzero(hole) < _LARGE else _POLISH // 2
        _settle(level, field, rounds, sharp=True, reach=6, seed=seed + 100 * len(scales))
    else:
        _vote(level, field, _trust(level.hole), _POWERS[2])
    return _evened(level, field)


def _scales(hole: Mask, manner: _Manner) -> list[float]:
    """Coarse to fine: from where the hole is so many patches wide up to the work size."""
    work, width = _work(hole), 2 * depth(hole)
    coarsest = min(work, max(manner.coarsest * PATCH / width, 5 * PATCH / min(hole.shape)))
    steps = round(np.log(coarsest / work) / np.log(_RATIO))
    return np.geomspace(coarsest, work, steps + 1).tolist() if steps else [work]


def _first_guess(level: Level, manner: _Manner, random: np.random.Generator) -> _Field:
    """Follows the sketch, where there is one."""
    if level.sketch is None:
        return _peeled(level, manner)
    level.follow_sketch()
    nowhere = np.full(level.hole.shape, -1, np.int32)
    field = _start(level, _Field(nowhere, nowhere, np.ones(level.hole.shape, np.float32)), random)
    _search(level, field, _FIRST_SWEEPS, reach=max(level.shape), seed=0)
    return field


def _peeled(level: Level, manner: _Manner) -> _Field:
    """Peels the coarsest hole layer by layer; gradients are unknown there, so Lab alone is compared."""
    features = np.ascontiguousarray(level.planes[..., :3])
    sy, sx = (centres.astype(np.int32) for centres in np.nonzero(level.sources))
    step = -(-len(sy) * int(np.count_nonzero(level.hole)) // _PEEL_PAIRS)
    sy, sx = (np.ascontiguousarray(centres[::step]) for centres in (sy, sx))  # one layout: compiled once
    flat, prices = features.reshape(len(features), -1), level.price[sy, sx]
    inner = slice(R, -R)
    # Beyond the picture nothing is known, so what lies at its border is peeled from within.
    hole = np.pad(level.hole[inner, inner], R, mode="edge")
    far = _FAR * PATCH**2 / max(level.hole.shape)
    matches = peel(flat, 3, R, hole, sy, sx, prices, _NOVELTY, far, manner.aside * far)
    taken = matches >= 0
    my, mx = (np.where(taken, centres[matches], -1).astype(np.int32) for centres in (sy, sx))
    return _Field(my, mx, taken.astype(np.float32))


def _start(level: Level, coarser: _Field, random: np.random.Generator) -> _Field:
    """Targets of this level, matched as in a coarser (or the same) one, and at random where that is no source."""
    h, w = level.shape
    touched = cv2.dilate(level.hole[R:-R, R:-R].astype(np.uint8), np.ones((PATCH, PATCH), np.uint8))
    ty, tx = np.nonzero(touched)
    oy, ox = np.nonzero(level.sources)
    pick = random.integers(0, len(oy), len(ty))
    ch, cw = (side - 2 * R for side in coarser.my.shape)
    cy, cx = np.minimum(ty * ch // h, ch - 1) + R, np.minimum(tx * cw // w, cw - 1) + R
    known = coarser.my[cy, cx] >= 0
    gy = np.clip(np.rint(ty + R + (coarser.my[cy, cx] - cy) * (h / ch)).astype(np.int64), 0, h + 2 * R - 1)
    gx = np.clip(np.rint(tx + R + (coarser.mx[cy, cx] - cx) * (w / cw)).astype(np.int64), 0, w + 2 * R - 1)
    good = known & level.sources[gy, gx]
    shape = level.hole.shape
    field = _Field(np.full(shape, -1, np.int32), np.full(shape, -1, np.int32), np.ones(shape, np.float32))
    field.my[ty + R, tx + R] = np.where(good, gy, oy[pick])
    field.mx[ty + R, tx + R] = np.where(good, gx, ox[pick])
    # What was no source has no say in the first vote.
    field.cost[ty + R, tx + R] = np.where(good, coarser.cost[cy, cx], 1e12)
    return field


def _settle(level: Level, field: _Field, rounds: int, *, sharp: bool, reach: int, seed: int, doubt: float = 0) -> None:
    """Search and vote in turns, until the hole agrees with its matches. Changes features and field in place."""
    sweeps = 2 if max(level.shape) < 200 else 1
    trust = _trust(level.hole)
    _vote(level, field, trust, _POWERS[1])
    for number in range(rounds):
        _search(level, field, sweeps, reach, seed + number)
        last_of_all = sharp and number == rounds - 1
        _vote(level, field, trust, _POWERS[2 if last_of_all else int(sharp)], doubt)


def _search(level: Level, field: _Field, sweeps: int, reach: int, seed: int) -> None:
    """Improves all matches, in bands."""
    last = level.hole.shape[0] - R
    before_y, before_x = field.my.copy(), field.mx.copy()

    def improve(band: tuple[int, int]) -> None:
        ends = before_y, before_x, field.my, field.mx, field.cost
        random = (seed * 64 + band[0]) % 2**31
        patchmatch.search(
            level.features, level.channels, R, level.sources, level.price, *ends, *band, sweeps, reach, random
        )

    each(improve, bands(max(R, level.rows[0] - R), min(last, level.rows[1] + R)))


def _vote(level: Level, field: _Field, trust: Floats, doublings: int, doubt: float = 0) -> None:
    """Paints the features of the hole."""
    if doubt:
        at_rim = field.cost[(field.my >= 0) & ~level.hole]
        doubt *= float(np.median(at_rim)) if at_rim.size else 0
    ends = field.my, field.mx, *_costs(field, trust, doubt)

    def paint(band: tuple[int, int]) -> None:
        patchmatch.vote(level.features, level.channels, R, level.hole, *ends, *band, doublings)

    each(paint, bands(*level.rows))
    level.repainted()


def _costs(field: _Field, trust: Floats, doubt: float = 0) -> tuple[Floats, Floats]:
    """Of each patch, and the least of all patches over a pixel.

    What was copied in one piece costs nothing, for it was compared with itself: with `doubt` it does not outvote, right
    up to the rim, those that agree with what is known."""
    cost = np.where(field.my >= 0, (field.cost + np.float32(doubt)) / trust, np.float32(1e30))
    return cost, np.asarray(cv2.erode(cost, np.ones((PATCH, PATCH), np.uint8)), np.float32)


def _trust(hole: Mask) -> Floats:
    """A patch near the rim knows more than one deep inside (Wexler's γ^−distance)."""
    deep = np.pad(cv2.distanceTransform(hole[R:-R, R:-R].astype(np.uint8), cv2.DIST_L2, 3), R, mode="edge")
    return np.asarray(np.maximum(1.25**-deep, 0.05), np.float32)


def _evened(level: Level, field: _Field) -> Pixels:
    """The colours that the matches proposed, led by the gradients they propose from the rim inwards."""
    ends, channels = (field.my, field.mx, *_costs(field, _trust(level.hole))), level.channels
    inner = slice(R, -R)
    colours, hole = level.planes[inner, inner], level.hole[inner, inner]
    # The rim, which is known, has a gradient into the hole; beyond it nothing is needed.
    touched = np.pad(cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, R)
    across, down = (np.zeros((*hole.shape, channels), np.float32) for _ in range(2))

    def follow(band: tuple[int, int]) -> None:
        patchmatch.vote_steps(level.features, channels, R, touched, *ends, across, down, *band, _POWERS[2])

    first, last = level.rows
    each(follow, bands(max(R, first - 1), min(R + len(hole), last + 1)))
    # So much of the rim that it is there still in the smallest picture that the correction is looked for in.
    spans = (np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0))
    box = tuple(slice(max(0, int(span[0]) - _RIM), int(span[-1]) + _RIM + 1) for span in spans)
    colours[box] = corrected(colours[box], across[box], down[box], touched[inner, inner][box], hole[box])
    return np.asarray(np.clip(colours + 0.5, 0, 255), np.uint8)
