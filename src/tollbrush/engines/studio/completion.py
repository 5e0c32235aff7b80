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
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

Floats = NDArray[np.float32]

_R = 3  # patch radius: 7×7
PATCH = 2 * _R + 1
_WORK_SIDE = 512  # pixels: the largest level with a free search; the full size only follows it
_RATIO = 0.6  # size of a level against the next finer one
_COARSEST = 1.0  # width of the hole at the coarsest level, in patches
_ROUNDS = (12, 3)  # search-and-vote rounds at the coarsest and at the work level
_REACH = 64  # pixels: first radius of the random search
_GRADIENT = 0.6  # weight of lightness gradients against Lab in the patch distance
_FEWEST_SOURCES = 10
_PEEL_PAIRS = 1_500_000  # of hole pixel and source, that the first guess compares at most
_FAR = 20.0  # price in the first guess of a source as far away as the window is wide, squared Lab per pixel
_NOVELTY = 0.2  # price in the first guess of what a patch adds beyond the known, against a mismatch with it
SMALLER = "Mark less: a third of the picture is the most that fills well."


@dataclass
class _Level:
    """One size of the window. `colours` h×w×C float32 0…255 is painted in place where `hole`; `sources` (padded by _R)
    says where a source patch may be centred."""

    colours: Floats
    hole: Mask
    sources: Mask
    scale: float

    @property
    def shape(self) -> tuple[int, int]:
        return self.hole.shape[0], self.hole.shape[1]


@dataclass
class _Field:
    """Each target patch and its match, centres in the padded frame of a level of `shape`."""

    ty: NDArray[np.int32]
    tx: NDArray[np.int32]
    ny: NDArray[np.int32]
    nx: NDArray[np.int32]
    shape: tuple[int, int]


def complete(pixels: Pixels, hole: Mask, allowed: Mask, seed: int) -> Pixels:
    """H×W×C pixels with `hole` painted from where it is not and `allowed` is True; `allowed` gives way when it leaves
    no source. Raises CannotHonour when the hole leaves none."""
    random = np.random.default_rng(seed)
    scales = _scales(hole)
    work = len(scales) - (2 if len(scales) > 1 and max(hole.shape) > _WORK_SIDE else 1)
    before: _Level | None = None
    field: _Field | None = None
    for number, scale in enumerate(scales):
        level = _level(pixels, hole, allowed, scale)
        if before is None or field is None:
            field = _first_guess(level)
        else:
            coarse = cv2.resize(before.colours, level.shape[::-1], interpolation=cv2.INTER_CUBIC)
            level.colours[level.hole] = coarse.reshape(level.colours.shape)[level.hole]
        field = _start(level, field, random)
        polish = number > work
        rounds = 2 if polish else round(float(np.interp(number, [0, max(1, work)], _ROUNDS)))
        reach = 6 if polish else min(max(level.shape), _REACH)
        _settle(level, field, rounds, sharp=number >= work - 1, reach=reach, seed=seed + 100 * number)
        before = level
    assert before is not None and field is not None
    _even(before, field)
    return np.asarray(np.clip(before.colours + 0.5, 0, 255), np.uint8)


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
    return _Level(colours, hole, sources, scale)


def _shrink(plane: Floats, h: int, w: int) -> Floats:
    return np.asarray(cv2.resize(plane, (w, h), interpolation=cv2.INTER_AREA), np.float32)


def _patch_centres(usable: Mask) -> Mask:
    """Padded: True where a whole patch lies within `usable` and the picture."""
    whole = cv2.erode(usable.astype(np.uint8), np.ones((PATCH, PATCH), np.uint8), borderValue=0)
    return np.pad(whole > 0, _R)


def _pad(plane: NDArray[Any]) -> NDArray[Any]:
    return np.pad(plane, ((_R, _R), (_R, _R)) + ((0, 0),) * (plane.ndim - 2), mode="reflect")


def _features(level: _Level) -> tuple[Floats, int]:
    """What patches are compared by: Lab and the gradients of L, padded and flattened to H×(W·5); and the 5."""
    rgb = np.clip(level.colours[..., :3] / 255, 0, 1).astype(np.float32)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    across = cv2.Sobel(lab[..., 0], cv2.CV_32F, 1, 0, ksize=1) * _GRADIENT
    down = cv2.Sobel(lab[..., 0], cv2.CV_32F, 0, 1, ksize=1) * _GRADIENT
    planes = _pad(np.dstack([lab, across, down]))
    return planes.reshape(planes.shape[0], -1), planes.shape[2]


def _first_guess(level: _Level) -> _Field:
    """Paints the coarsest hole layer by layer; gradients are unknown there, so Lab alone is compared."""
    rgb = np.clip(level.colours[..., :3] / 255, 0, 1).astype(np.float32)
    lab = _pad(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB))
    colours = _pad(level.colours)
    sy, sx = (centres.astype(np.int32) for centres in np.nonzero(level.sources))
    hole = np.pad(level.hole, _R)
    step = -(-len(sy) * int(np.count_nonzero(hole)) // _PEEL_PAIRS)
    sy, sx = sy[::step], sx[::step]
    matches = patchmatch.peel(
        lab.reshape(lab.shape[0], -1), colours, 3, _R, hole, sy, sx, _NOVELTY, _FAR * PATCH * PATCH
    )
    level.colours[level.hole] = colours[_R:-_R, _R:-_R][level.hole]
    ty, tx = (centres.astype(np.int32) for centres in np.nonzero(matches >= 0))
    chosen = matches[ty, tx]
    return _Field(ty, tx, sy[chosen], sx[chosen], level.shape)


def _start(level: _Level, coarser: _Field, random: np.random.Generator) -> _Field:
    """Targets of this level, matched as in a coarser (or the same) one, and at random where that is no source."""
    h, w = level.shape
    touched = cv2.dilate(level.hole.astype(np.uint8), np.ones((PATCH, PATCH), np.uint8))
    ty, tx = (centres.astype(np.int32) + _R for centres in np.nonzero(touched))
    oy, ox = np.nonzero(level.sources)
    pick = random.integers(0, len(oy), len(ty))
    ny, nx = oy[pick], ox[pick]
    ch, cw = coarser.shape
    offsets = np.zeros((ch, cw, 2), np.float32)
    offsets[coarser.ty - _R, coarser.tx - _R] = np.stack([coarser.ny - coarser.ty, coarser.nx - coarser.tx], 1)
    cy = np.minimum(((ty - _R) * ch) // h, ch - 1)
    cx = np.minimum(((tx - _R) * cw) // w, cw - 1)
    gy = np.clip(np.rint(ty + offsets[cy, cx, 0] * (h / ch)).astype(np.int64), 0, h + 2 * _R - 1)
    gx = np.clip(np.rint(tx + offsets[cy, cx, 1] * (w / cw)).astype(np.int64), 0, w + 2 * _R - 1)
    good = level.sources[gy, gx]
    ny, nx = np.where(good, gy, ny), np.where(good, gx, nx)
    return _Field(ty, tx, ny.astype(np.int32), nx.astype(np.int32), (h, w))


def _settle(level: _Level, field: _Field, rounds: int, *, sharp: bool, reach: int, seed: int) -> None:
    """Search and vote in turns, until the hole agrees with its matches. Changes colours and field in place."""
    hole = np.pad(level.hole, _R)
    index = np.full(hole.shape, -1, np.int32)
    index[field.ty, field.tx] = np.arange(len(field.ty), dtype=np.int32)
    trust = _trust(hole, field)
    ends = field.ty, field.tx, field.ny, field.nx
    for number in range(rounds):
        features, c = _features(level)
        nd = patchmatch.distances(features, c, _R, *ends)
        sweeps = 2 if max(level.shape) < 200 else 1
        patchmatch.search(features, c, _R, level.sources, index, *ends, nd, sweeps, reach, seed + number)
        colours = _pad(level.colours)
        if sharp:
            power = 24.0 if number == rounds - 1 else 8.0
            cost = np.asarray(nd / np.maximum(trust, 0.05), np.float32)
            total, weights = patchmatch.vote_sharp(colours, hole, _R, *ends, cost, power)
        else:
            spread = max(0.5 * float(np.sqrt(np.percentile(nd, 75))), 1.0)
            weight = (np.exp(-nd / (2 * spread * spread)) * trust + 1e-12).astype(np.float32)
            total, weights = patchmatch.vote_soft(colours, hole, _R, *ends, weight)
        inner = slice(_R, -_R)
        voted = level.hole & (weights[inner, inner] > 0)
        level.colours[voted] = total[inner, inner][voted] / weights[inner, inner][voted][:, None]


def _trust(hole: Mask, field: _Field) -> Floats:
    """A patch near the rim knows more than one deep inside (Wexler's γ^−distance)."""
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.maximum(1.25 ** -depth[field.ty, field.tx], 1e-3), np.float32)


def _even(level: _Level, field: _Field) -> None:
    """Votes for gradients as for colours, and lets the hole's colours follow them from the rim inwards."""
    hole = np.pad(level.hole, _R)
    colours = _pad(level.colours)
    across, down = np.zeros_like(colours), np.zeros_like(colours)
    across[:, :-1], down[:-1] = np.diff(colours, axis=1), np.diff(colours, axis=0)
    touched = cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    ends = field.ty, field.tx, field.ny, field.nx
    features, c = _features(level)
    nd = patchmatch.distances(features, c, _R, *ends)
    cost = np.asarray(nd / np.maximum(_trust(hole, field), 0.05), np.float32)
    steps = np.concatenate([across, down], axis=2)
    total, weights = patchmatch.vote_sharp(steps, touched, _R, *ends, cost, 24.0)
    voted = touched & (weights > 0)
    steps[voted] = total[voted] / weights[voted][:, None]
    channels = colours.shape[2]
    evened = corrected(colours, steps[..., :channels], steps[..., channels:], hole)
    level.colours[level.hole] = evened[_R:-_R, _R:-_R][level.hole]
