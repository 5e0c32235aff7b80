"""What falls: curtains of snowflakes or raindrops at several depths, as covers to be laid before a picture, and what
the drops do where they strike.

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
    solid. `lens`: so near that the lens makes an even disc of it."""

    depth: float
    count: int
    least: float
    most: float
    solid: float
    soft: float
    lens: bool = False


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
    _Flakes(0.80, 5600, 0.5, 1.0, 0.62, 0.35), _Flakes(0.50, 2100, 0.9, 1.7, 0.86, 0.45),
    _Flakes(0.26, 700, 1.6, 2.8, 0.94, 0.6), _Flakes(0.0, 150, 2.8, 5.0, 0.92, 1.2),
    _Flakes(0.0, 34, 7.0, 11.0, 0.60, 1.6, lens=True), _Flakes(0.0, 11, 14.0, 24.0, 0.34, 2.6, lens=True),
)  # fmt: skip
_RAIN: Final = (
    _Drops(0.80, 5200, 15, 0.6, 0.30, 0.5), _Drops(0.50, 2100, 34, 0.8, 0.46, 0.45),
    _Drops(0.20, 620, 70, 1.0, 0.56, 0.5), _Drops(0.0, 120, 130, 1.6, 0.52, 0.8), _Drops(0.0, 12, 230, 4.0, 0.26, 3.0),
)  # fmt: skip
_SPLASHES: Final = 1500  # to a square of ground
_LENS_RIM: Final = 0.25  # how much dimmer than its rim a disc out of focus is in the middle


def flakes(size: tuple[int, int], amount: float, random: np.random.Generator) -> list[Layer]:
    """Snow before a picture of H×W, from far to near."""
    shape, scale = _drawn_at(size)
    wind = random.uniform(-0.35, 0.35)
    result = []
    for kind in _SNOW:
        places = _strewn(shape, kind.count * amount, random)
        layer = np.zeros(shape, np.uint8)
        radii = random.uniform(kind.least, kind.most, len(places)) * scale
        longer = random.uniform(1.0, 1.12 if kind.lens else 1.6, len(places))  # drawn out by their fall
        turns = np.degrees(wind) + 90 + random.normal(0, 14, len(places))
        # No mark is drawn smaller than a pixel; what is, is fainter.
        bright = 255 * random.uniform(0.45, 1, len(places)) * np.minimum(radii / 0.55, 1)
        centres = (places * (1 << _PART)).astype(int)
        for (x, y), radius, long, turn, value in zip(
            centres.tolist(), radii.tolist(), longer.tolist(), turns.tolist(), bright.tolist(), strict=True
        ):
            for share, light in ((1.0, value), (0.8, (1 - _LENS_RIM) * value))[: 1 + kind.lens]:
                axes = max(4, round(16 * share * radius * long)), max(4, round(16 * share * radius))
                cv2.ellipse(layer, (x, y), axes, turn, 0, 360, int(light), -1, cv2.LINE_AA, _PART)
        result.append(Layer(_softened(layer, kind.soft * scale, kind.solid), kind.depth, 1.0, (0.97, 0.98, 1.0)))
    return result


def streaks(size: tuple[int, int], amount: float, random: np.random.Generator) -> list[Layer]:
    """Rain before a picture of H×W, from far to near: drops drawn out by the exposure, tapering at both ends."""
    shape, scale = _drawn_at(size)
    slant = random.choice([-1, 1]) * random.uniform(0.06, 0.20)
    result = []
    for kind in _RAIN:
        places = _strewn(shape, kind.count * amount, random)
        lengths = kind.length * scale * random.uniform(0.6, 1.3, len(places))
        turns = slant + random.normal(0, 0.014, len(places))
        reach = np.stack([np.sin(turns), np.cos(turns)], axis=1) * (lengths / 2)[:, None]
        bright = random.integers(1, 5, len(places))
        layer = np.zeros(shape, np.uint8)
        thick = max(1, round(kind.wide * scale))
        full = 255 * min(1.0, scale**0.7)  # thinner than a pixel
        for share, strength in ((1.0, 0.3), (0.72, 0.65), (0.42, 1.0)):
            lines = np.stack([places - share * reach, places + share * reach], axis=1) * (1 << _PART)
            for step in (1, 2, 3, 4):
                some = list(lines[bright == step].astype(np.int32))
                cv2.polylines(layer, some, False, round(full * strength * step / 4), thick, cv2.LINE_AA, _PART)
        result.append(Layer(_softened(layer, kind.soft * scale, kind.solid), kind.depth, 0.92, (0.93, 0.97, 1.0)))
    return result


def splashes(size: tuple[int, int], ground: Map, amount: float, random: np.random.Generator) -> Layer:
    """Where drops strike `ground` (any size, 0..1) of a picture of H×W: rings in perspective, and what leaps up."""
    shape, scale = _drawn_at(size)
    height, width = shape
    places = random.uniform(0, 1, (round(_SPLASHES * amount * height * width / max(shape) ** 2), 2))
    cells = (places * [ground.shape[1], ground.shape[0]]).astype(int)
    places = places[random.uniform(0, 1, len(places)) < ground[cells[:, 1], cells[:, 0]]]
    layer = np.zeros(shape, np.uint8)
    values = (255 * min(1.0, scale) * random.uniform(0.35, 1, len(places))).astype(int)
    for (x, y), grown, value in zip(places.tolist(), random.uniform(0.3, 1, len(places)), values.tolist(), strict=True):
        wide = scale * (1.5 + 7.5 * y**2) * grown  # nearer ones are larger
        foot = int(x * width * 16), int(y * height * 16)
        axes = max(8, int(16 * wide)), max(4, int(16 * 0.32 * wide))
        cv2.ellipse(layer, foot, axes, 0, 0, 360, value // 2, 1, cv2.LINE_AA, _PART)
        for aside, up in random.uniform((-1.1, 0.4), (1.1, 1.5), (3, 2)).tolist():
            drop = foot[0] + int(16 * wide * aside), foot[1] - int(16 * wide * up)
            cv2.circle(layer, drop, max(8, int(1.6 * wide)), value, -1, cv2.LINE_AA, _PART)
    return Layer(_softened(layer, 0.45 * scale, 0.75), 0.0, 0.9, (0.93, 0.97, 1.0))


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
