"""Another sky: find the sky, cut it out of what stands before it, paint a new one and bring the land into its light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.light import encoded, linear, to_lab
from tollbrush.engines.studio.matting import matte
from tollbrush.engines.studio.skies import paint_sky
from tollbrush.engines.studio.strips import enlarged, reduced, reduced_map, strips
from tollbrush.engines.studio.tones import in_mood
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.lexicon import ToneKind
    from tollbrush.engines.studio.treatments import SkyKind

    Map = NDArray[np.float32]

_SIDE: Final = 480  # longer side at which the sky is looked for
_THING_SIDE: Final = 2048  # and things before it, that are no gaps in foliage
_SURE: Final = 0.35
_LEAST: Final = 0.04  # of the picture, that must be sky


@dataclass(frozen=True)
class _Land:
    """What a sky's light makes of the land: exposure, its tint (linear RGB), how much colour is left, and how far the
    brightest parts are held back, which would glow by night."""

    exposure: float
    tint: tuple[float, float, float]
    colour: float
    knee: float = 0.0


_LANDS: Final[dict[SkyKind, _Land]] = {
    "sunset": _Land(0.62, (1.28, 0.94, 0.70), 0.95),
    "blue_sky": _Land(1.04, (1.0, 1.0, 1.0), 1.06),
    "starry": _Land(0.20, (0.72, 0.92, 1.42), 0.50, knee=1.6),
    "night": _Land(0.24, (0.76, 0.94, 1.36), 0.50, knee=1.6),
    "stormy": _Land(0.52, (0.96, 1.0, 1.06), 0.70),
}


def replace_sky(
    pixels: Pixels, kind: SkyKind, seed: int, within: Mask | None = None, moods: Sequence[ToneKind] = ()
) -> Pixels:
    """H×W×3 pixels under another sky. `within`: where the caller says that the sky is, roughly; `moods`: its tones.
    Raises CannotHonour when no sky is found."""
    sky, confidence = find_sky(pixels, within)
    if confidence < _SURE:
        raise CannotHonour("There is no clear sky in this picture.", advice="Send a mask, white over the sky.")
    height, width = sky.shape
    share = _gaps(pixels, sky)  # before the matte, which is large
    land = matte(pixels, ~sky)
    np.maximum(share, 1 - land.alpha, out=share)
    rows = np.flatnonzero(sky.any(axis=1))
    painted_rows = min(height, max(16, round(1.02 * (int(rows[-1]) + 1))))
    new = in_mood(paint_sky(kind, Size(width, painted_rows), seed), moods)
    new = np.vstack([new, np.repeat(new[-1:], height - painted_rows, axis=0)])
    return _joined(land.foreground, share, new, _LANDS[kind])


def find_sky(pixels: Pixels, within: Mask | None = None) -> tuple[Mask, float]:
    """Where the sky is, H×W, and how sure that is, 0..1. The border is searched column by column (Shen and Wang 2013),
    then settled by GrabCut (Rother 2004)."""
    height, width = pixels.shape[:2]
    small = reduced(pixels, _SIDE)
    nothing: Mask = np.zeros((height, width), np.bool_)
    if min(small.shape[:2]) < 32:
        return nothing, 0.0
    lab = to_lab(small)
    steps = _steps(lab)
    start = _searched(lab, steps) if within is None else _hinted(within, small.shape[:2])
    if start is None:
        return nothing, 0.0
    found = _settled(small, lab, steps, start)
    if found is None:
        return nothing, 0.0
    confidence = _confidence(lab, steps, found) if within is None else float(found.mean() > _LEAST)
    large = cv2.resize(found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return large > 0.5, confidence


def rough_sky(small: Map) -> tuple[Mask, float]:
    """As find_sky of a small picture (0..1) whose outlines need not be settled: at a tenth of the cost."""
    lab = to_lab(small)
    steps = _steps(lab)
    start = _searched(lab, steps) if min(small.shape[:2]) >= 32 else None
    if start is None:
        return np.zeros(small.shape[:2], np.bool_), 0.0
    return start, _confidence(lab, steps, start)


def _steps(lab: Map) -> Map:
    """Height of the colour step at each pixel."""
    soft = cv2.GaussianBlur(lab, (0, 0), 1)
    squares = sum(
        np.square(cv2.Sobel(soft[..., i], cv2.CV_32F, 1, 0)) + np.square(cv2.Sobel(soft[..., i], cv2.CV_32F, 0, 1))
        for i in range(3)
    )
    return np.asarray(np.sqrt(squares) / 4, np.float32)


def _searched(lab: Map, steps: Map) -> Mask | None:
    """From the top down to the first step, for the step height that makes what is above and below most uniform."""
    height = steps.shape[0]
    rows = np.arange(height)[:, None]
    best: tuple[float, Mask] | None = None
    for threshold in np.linspace(2, 14, 13):
        edge = steps > threshold
        edge[:2] = False
        border = np.where(edge.any(axis=0), edge.argmax(axis=0), height)
        above: Mask = rows < border[None]
        if not 0.03 < above.mean() < 0.97:
            continue
        spreads = [np.sqrt(max(float(np.linalg.det(np.cov(part.T))), 0) + 1e-3) for part in (lab[above], lab[~above])]
        gain = 1 / (2 * spreads[0] ** 0.33 + 0.6 * spreads[1] ** 0.33)
        if best is None or gain > best[0]:
            best = gain, above
    return None if best is None else best[1]


def _hinted(within: Mask, shape: tuple[int, ...]) -> Mask:
    share = reduced_map(within.astype(np.float32), _SIDE)
    return np.asarray(cv2.resize(share, shape[1::-1]) > 0.5)


def _settled(small: Map, lab: Map, steps: Map, start: Mask) -> Mask | None:
    height = start.shape[0]
    labels = np.where(start, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    core = cv2.erode(start.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=1) > 0
    labels[core] = cv2.GC_FGD
    usual = lab[core if core.any() else start].mean(axis=0)
    away = np.linalg.norm((lab - usual) * [0.5, 1, 1], axis=2)
    low = np.broadcast_to(np.arange(height)[:, None] > 0.85 * height, start.shape)
    labels[((low & ~start) | (away > 40)) & ~core] = cv2.GC_BGD
    if min(np.count_nonzero(labels == kind) for kind in (cv2.GC_FGD, cv2.GC_BGD)) == 0:
        return None
    cv2.setRNGSeed(1)
    bytes_ = (small * 255 + 0.5).astype(np.uint8)
    cv2.grabCut(bytes_, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    sky = (labels & 1).astype(np.uint8)
    count, parts, found, _ = cv2.connectedComponentsWithStats(sky)
    kept = np.zeros_like(start)
    for i in range(1, count):
        part = parts == i
        # A piece cut off by a branch or a pillar is still sky when it is high up and of the sky's colour.
        alike = bool(
            np.linalg.norm(lab[part].mean(axis=0) - usual) < 18 and part[: int(0.6 * height)].sum() > 0.8 * part.sum()
        )
        if found[i, cv2.CC_STAT_TOP] <= 1 or (found[i, cv2.CC_STAT_AREA] > 40 and alike):
            kept |= part
    return _trimmed(kept) if kept.any() else None


def _trimmed(sky: Mask) -> Mask:
    """Without what reaches below the horizon: narrow tongues of it, and pieces that lie wholly there."""
    floor = _floor(sky, 75)
    wide = max(3, round(0.04 * sky.shape[1]))
    broad = cv2.morphologyEx(sky.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, wide), np.uint8)) > 0
    result = sky.copy()
    result[floor:] &= broad[floor:]
    count, parts, found, _ = cv2.connectedComponentsWithStats(result.astype(np.uint8))
    for i in range(1, count):
        if found[i, cv2.CC_STAT_TOP] > floor:
            result[parts == i] = False
    return result


def _floor(sky: Mask, percentile: float) -> int:
    """The row above which that many per cent of the columns' skies end, each followed from the top."""
    ends = np.where((~sky).any(axis=0), (~sky).argmax(axis=0), len(sky))
    ends = ends[ends > 0]
    return int(np.percentile(ends, percentile)) if ends.size else len(sky)


def _confidence(lab: Map, steps: Map, sky: Mask) -> float:
    """A sky fills much of the top row, is calm, and has a sky's colour: blue, white, grey, a sunset's or a night's."""
    light, red, yellow = lab[sky].mean(axis=0)
    inner = cv2.erode(sky.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=1) > 0
    calm = float(np.clip((6 - steps[inner if inner.any() else sky].mean()) / 4, 0, 1))
    day = light > 45 and yellow < 1.5 and abs(red) < 14
    white, night = light > 85 and abs(red) < 6 and yellow < 12, light < 40 and yellow < 2 and abs(red) < 14
    sunset = 40 < light < 88 and red > 5 and yellow > 12
    coloured = day or white or night or sunset
    top, size = float(sky[:3].any(axis=0).mean()), float(np.clip(sky.mean() / 0.08, 0, 1))
    return top * size * calm * (1.0 if coloured else 0.3) * float(sky.mean() > _LEAST)


def _gaps(pixels: Pixels, sky: Mask) -> Map:
    """Share of sky in the small gaps of foliage: of the colour that the sky has nearby, and too small for a thing."""
    height, width = sky.shape
    side = max(height, width)
    small = reduced(pixels, _SIDE)
    weight = reduced_map(sky.astype(np.float32), _SIDE)
    weight *= weight > 0.99
    sigma = 0.06 * _SIDE
    total = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-6)
    near = cv2.GaussianBlur(small * weight[..., None], (0, 0), sigma) / total[..., None]
    reach = np.clip(total / 0.02, 0, 1).astype(np.float32)  # only near the sky
    usual = to_lab(np.clip(near, 0, 1).astype(np.float32))
    share = np.empty((height, width), np.float32)
    for rows in strips(height):
        lab = to_lab(pixels[rows].astype(np.float32) / np.float32(255))
        there = enlarged(usual, rows, height, width)
        darker = np.maximum(there[..., 0] - lab[..., 0], 0) * 0.55
        brighter = np.maximum(lab[..., 0] - there[..., 0], 0) * 0.3
        tint = np.hypot(lab[..., 1] - there[..., 1], lab[..., 2] - there[..., 2])
        away = np.sqrt(np.square(darker + brighter) + np.square(tint))
        share[rows] = np.clip((20 - away) / 11, 0, 1) * enlarged(reach, rows, height, width)
    known = cv2.erode(sky.astype(np.uint8), np.ones((3, 3), np.uint8))
    alike = ((share > 0.3) & (known == 0)).astype(np.uint8)
    size = max(3, round(0.008 * side)) | 1
    share[_large(alike) & ~sky] = 0
    share[_floor(sky, 97) + round(0.02 * height) :] = 0  # below the horizon nothing shows the sky
    # Foliage is dark against its gaps, and full of them.
    busy = cv2.blur(
        cv2.absdiff(alike, cv2.erode(alike, np.ones((3, 3), np.uint8))).astype(np.float32), (4 * size + 1,) * 2
    )
    share *= np.clip(busy / np.float32(0.04), 0, 1)
    return share


def _large(alike: Pixels) -> Mask:
    """In and near what is too large for a gap; looked for at a side that bounds its cost."""
    coarse = reduced_map(alike.astype(np.float32), _THING_SIDE) > 0.5
    size = max(3, round(0.008 * max(coarse.shape))) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    large = cv2.morphologyEx(coarse.astype(np.uint8), cv2.MORPH_OPEN, disc)
    near = cv2.dilate(large, np.ones((2 * size + 1,) * 2, np.uint8))
    return np.asarray(cv2.resize(near, alike.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0, np.bool_)


def _joined(land: Map, share: Map, sky: Pixels, look: _Land) -> Pixels:
    """The land in its new light before the sky; the sky's glow creeps over what it shines past."""
    height, width = share.shape
    small = reduced(sky, 256)
    glow = np.asarray(cv2.GaussianBlur(small, (0, 0), 5), np.float32)
    cover = reduced_map(share, 1024)
    rim = np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.006 * max(cover.shape)), np.float32)
    tint = np.array(look.tint, np.float32) * np.float32(look.exposure)
    result = np.empty((height, width, 3), np.uint8)
    for rows in strips(height):
        lit = linear(land[rows])
        lit = lit / (1 + look.knee * lit)
        grey = lit @ np.array([0.2126, 0.7152, 0.0722], np.float32)
        lit = (grey[..., None] + (lit - grey[..., None]) * look.colour) * tint
        front = encoded(lit)
        there = share[rows, :, None]
        wrap = 0.25 * enlarged(rim, rows, height, width)[..., None] * (1 - there)
        front += (enlarged(glow, rows, height, width) - front) * wrap
        behind = sky[rows].astype(np.float32) / np.float32(255)
        result[rows] = np.clip(front + (behind - front) * there, 0, 1) * 255 + 0.5
    return result
