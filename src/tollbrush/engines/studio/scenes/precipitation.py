"""What falls: curtains of snowflakes or raindrops at several depths, as covers to be laid before a picture.

Drawn at 1024's scale times the picture's, up to _SIDE; what is near is few, large and out of focus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.noise import fractal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

_SIDE: Final = 2048  # longer side at most
_PART: Final = 4  # bits of a pixel's fraction, in drawing


@dataclass(frozen=True)
class Layer:
    """One curtain. `cover`: h×w, how much of each pixel it hides; `depth`: what is nearer hides it; `light` 0..1 and
    `colour` (sRGB 0..1) are its own."""

    cover: Map
    depth: float
    light: float
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class _Flakes:
    """`count` at 1024²; radius from `least` to `most` and blur `soft` in pixels at 1024; `solid`: cover of the most
    solid."""

    depth: float
    count: int
    least: float
    most: float
    solid: float
    soft: float


@dataclass(frozen=True)
class _Drops:
    """`count` at 1024²; `length`, `wide` and blur `soft` in pixels at 1024."""

    depth: float
    count: int
    length: float
    wide: float
    solid: float
    soft: float


_SNOW: Final = (
    _Flakes(0.72, 5200, 0.45, 0.9, 0.60, 0.35), _Flakes(0.45, 1900, 0.8, 1.5, 0.80, 0.45),
    _Flakes(0.24, 620, 1.4, 2.4, 0.85, 0.7), _Flakes(0.0, 130, 2.6, 4.2, 0.75, 1.5),
    _Flakes(0.0, 20, 6.0, 11.0, 0.42, 3.0),
)  # fmt: skip
_RAIN: Final = (
    _Drops(0.75, 5200, 11, 0.6, 0.16, 0.5), _Drops(0.45, 2000, 22, 0.8, 0.24, 0.5),
    _Drops(0.18, 560, 42, 1.0, 0.26, 0.6), _Drops(0.0, 110, 80, 1.4, 0.26, 1.0), _Drops(0.0, 9, 150, 3.0, 0.16, 2.6),
)  # fmt: skip


def flakes(size: tuple[int, int], amount: float, random: np.random.Generator) -> list[Layer]:
    """Snow before a picture of H×W, from far to near."""
    shape, scale = _drawn_at(size)
    wind = random.uniform(-0.35, 0.35)
    result = []
    for kind in _SNOW:
        places = _strewn(shape, kind.count * amount, random)
        layer = np.zeros(shape, np.uint8)
        radii = random.uniform(kind.least, kind.most, len(places)) * scale
        longer = random.uniform(1.0, 1.5, len(places))  # drawn out by their fall
        turns = np.degrees(wind) + 90 + random.normal(0, 14, len(places))
        # No mark is drawn smaller than a pixel; what is, is fainter.
        bright = (255 * random.uniform(0.45, 1, len(places)) * np.minimum(radii / 0.55, 1)).astype(int)
        centres = (places * (1 << _PART)).astype(int)
        for (x, y), radius, long, turn, value in zip(
            centres.tolist(), radii.tolist(), longer.tolist(), turns.tolist(), bright.tolist(), strict=True
        ):
            axes = max(4, round(16 * radius * long)), max(4, round(16 * radius))
            cv2.ellipse(layer, (x, y), axes, turn, 0, 360, value, -1, cv2.LINE_AA, _PART)
        result.append(Layer(_softened(layer, kind.soft * scale, kind.solid), kind.depth, 1.0, (0.97, 0.98, 1.0)))
    return result


def streaks(size: tuple[int, int], amount: float, random: np.random.Generator) -> list[Layer]:
    """Rain before a picture of H×W, from far to near: drops drawn out by the exposure, tapering at both ends."""
    shape, scale = _drawn_at(size)
    slant = random.choice([-1, 1]) * random.uniform(0.04, 0.16)
    result = []
    for kind in _RAIN:
        places = _strewn(shape, kind.count * amount, random)
        lengths = kind.length * scale * random.uniform(0.6, 1.3, len(places))
        turns = slant + random.normal(0, 0.018, len(places))
        reach = np.stack([np.sin(turns), np.cos(turns)], axis=1) * (lengths / 2)[:, None]
        bright = random.integers(2, 5, len(places))
        layer = np.zeros(shape, np.uint8)
        thick = max(1, round(kind.wide * scale))
        full = 255 * min(1.0, scale)
        for share, strength in ((1.0, 0.3), (0.72, 0.65), (0.42, 1.0)):
            lines = np.stack([places - share * reach, places + share * reach], axis=1) * (1 << _PART)
            for step in (2, 3, 4):
                some = list(lines[bright == step].astype(np.int32))
                cv2.polylines(layer, some, False, round(full * strength * step / 4), thick, cv2.LINE_AA, _PART)
        result.append(Layer(_softened(layer, kind.soft * scale, kind.solid), kind.depth, 0.86, (0.95, 0.98, 1.0)))
    return result


def _drawn_at(size: tuple[int, int]) -> tuple[tuple[int, int], float]:
    """The layers' shape, and how many of their pixels are one at 1024."""
    height, width = size
    share = min(1.0, _SIDE / max(size))
    shape = max(1, round(height * share)), max(1, round(width * share))
    return shape, max(shape) / 1024


def _strewn(shape: tuple[int, int], count: float, random: np.random.Generator) -> Map:
    """Places n×2 (x, y), denser in gusts; as many to an area of the picture at any size. `count` is at a square."""
    height, width = shape
    wanted = round(count * height * width / max(shape) ** 2)
    gusts = np.clip(1 + 0.45 * fractal(64, 64, random, detail=3, octaves=3), 0.2, 1.8)
    spots = random.uniform(0, 1, (2 * wanted, 2))
    cells = (spots * 64).astype(int)
    kept = spots[random.uniform(0, 1.8, len(spots)) < gusts[cells[:, 1], cells[:, 0]]][:wanted]
    return np.asarray(kept * [width, height], np.float32)


def _softened(layer: NDArray[np.uint8], sigma: float, solid: float) -> Map:
    soft = cv2.GaussianBlur(layer, (0, 0), sigma) if sigma > 0.25 else layer
    return np.asarray(soft, np.float32) * np.float32(solid / 255)
