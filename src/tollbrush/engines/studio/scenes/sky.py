"""Another sky: cut the old one out of what stands before it, paint a new one and bring the land into its light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.pixels.light import encoded, linear, to_lab
from tollbrush.engines.studio.pixels.strips import enlarged, reduced, reduced_map, strips
from tollbrush.engines.studio.retouch.tones import in_mood
from tollbrush.engines.studio.scenes.foliage import find_gaps, without_sky
from tollbrush.engines.studio.scenes.skies import paint_sky
from tollbrush.engines.studio.scenes.sky_search import find_sky, floor_of
from tollbrush.engines.studio.subject.matting import matte
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.plans.kinds import ToneKind
    from tollbrush.engines.studio.plans.treatments import SkyKind

    Map = NDArray[np.float32]

_SIDE: Final = 480  # longer side at which the sky's colour is told
_THING_SIDE: Final = 2048  # and things before it, that are no gaps in foliage
_SURE: Final = 0.35
_THIN_SIDE: Final = 1024  # at which masts and branches are told from a clear sky
_CALM, _APART, _CLEAR = (
    2.0,
    6.0,
    5.0,
)  # Lab: a clear sky's usual difference at most, a thing's at least, and in multiples
_SPECK: Final = 30  # pixels at that side: stars are no things


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
    sky = _seen_through(pixels, sky)
    share = _gaps(pixels, sky)  # before the matte, which is large
    gaps = find_gaps(pixels, sky, floor_of(sky, 97) / height)
    land = matte(pixels, ~gaps.outline_of(sky))
    np.maximum(share, 1 - land.alpha, out=share)
    without_sky(pixels, gaps, share, land.foreground)
    rows = np.flatnonzero(sky.any(axis=1))
    painted_rows = min(height, max(16, round(1.02 * (int(rows[-1]) + 1))))
    new = in_mood(paint_sky(kind, Size(width, painted_rows), seed), moods)
    new = np.vstack([new, np.repeat(new[-1:], height - painted_rows, axis=0)])
    return _joined(land.foreground, share, new, _LANDS[kind])


def _seen_through(pixels: Pixels, sky: Mask) -> Mask:
    """Before a clear sky whatever differs from the colour nearby stands before it, however thin, and what does not is
    sky, also between the parts of a mast. Cloudy skies stay as they were found."""
    small = reduced(pixels, _THIN_SIDE)
    found = cv2.resize(sky.astype(np.uint8), small.shape[1::-1], interpolation=cv2.INTER_AREA)
    lab = to_lab(small)
    weight = cv2.erode(found, np.ones((5, 5), np.uint8)).astype(np.float32)
    for _ in range(2):  # the second time without the things that the first one found
        usual, reach = _nearby(lab, weight, 0.04 * max(found.shape))
        away = np.sqrt(np.square((lab - usual) * np.array([0.6, 1, 1], np.float32)).sum(axis=2))
        noise = float(np.median(away[weight > 0])) if weight.any() else np.inf
        weight = weight * (away < _CLEAR * noise)
    if noise > _CALM:
        return sky
    thing = away > max(_APART, _CLEAR * noise)
    above = np.arange(len(found))[:, None] < floor_of(found > 0, 97)
    _, parts, boxes, _ = cv2.connectedComponentsWithStats((thing | ~above).astype(np.uint8))
    thing &= (boxes[:, cv2.CC_STAT_AREA] > _SPECK)[parts]
    wrong = (reach > 0.02) & above & (thing == (found > 0))
    turned = cv2.resize(wrong.astype(np.uint8), sky.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    told = sky ^ turned
    return told if told.any() else sky


def _nearby(values: Map, weight: Map, sigma: float) -> tuple[Map, Map]:
    """The weighted mean around each pixel, h×w×3, and how much weight there was, h×w."""
    total = np.asarray(np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-6), np.float32)
    mean = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma) / total[..., None]
    return np.asarray(mean, np.float32), total


def _gaps(pixels: Pixels, sky: Mask) -> Map:
    """Share of sky in the small gaps of foliage: of the colour that the sky has nearby, and too small for a thing."""
    height, width = sky.shape
    side = max(height, width)
    small = reduced(pixels, _SIDE)
    weight = reduced_map(sky.astype(np.float32), _SIDE)
    weight *= weight > 0.99
    near, total = _nearby(small, weight, 0.06 * _SIDE)
    reach = np.clip(total / 0.02, 0, 1).astype(np.float32)  # only near the sky
    usual = to_lab(np.clip(near, 0, 1).astype(np.float32))
    share = np.empty((height, width), np.float32)
    for rows in strips(height, width):
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
    share[round(floor_of(sky, 97) + 0.02 * height) :] = 0  # below the horizon nothing shows the sky
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
    for rows in strips(height, width):
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
