"""Weather in a photograph: fog, rain and snow between its things, by how far each seems to be (depth.py)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import encoded, linear, to_lab
from tollbrush.engines.studio.pixels.noise import fractal
from tollbrush.engines.studio.pixels.strips import enlarged, reduced, strips
from tollbrush.engines.studio.scenes.depth import Depth, depth_of
from tollbrush.engines.studio.scenes.precipitation import Layer, flakes, splashes, streaks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.plans.treatments import WeatherKind

    Map = NDArray[np.float32]

_SLICES: Final = (0.0, 0.3, 0.55, 0.8, 1.0)  # depths between which the air is equally thick
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class _Air:
    """`dense`: optical thickness from here to the farthest; `banks`: how unevenly it lies, 0..1; `light`: what of the
    daylight is left; `tint` of that light and of the air's own (linear RGB); `colour`: how much colour is left;
    `bite`: contrast that the thing itself gains, a power; `lightness`: the air's, CIELAB L in a dark and in a bright
    picture; `overhead`: how much lighter it is above than below; `wet`: how much the ground mirrors, 0..1."""

    dense: float
    banks: float
    light: float
    tint: tuple[float, float, float]
    colour: float
    bite: float
    lightness: tuple[float, float]
    overhead: float
    wet: float = 0.0


_AIRS: Final[dict[WeatherKind, _Air]] = {
    "fog": _Air(3.4, 0.95, 0.95, (0.98, 1.0, 1.02), 0.88, 1.0, (27, 84), 0.28),
    "rain": _Air(1.5, 0.80, 0.61, (0.86, 1.0, 1.14), 0.80, 1.22, (20, 58), -0.35, wet=0.6),
    "snow": _Air(1.3, 0.45, 0.95, (0.94, 1.0, 1.07), 0.86, 1.08, (28, 82), 0.20),
}


def weather(pixels: Pixels, kind: WeatherKind, amount: float, seed: int) -> Pixels:
    """H×W×3 pixels in this weather. Same seed, same bytes."""
    random = np.random.default_rng(seed)
    depth = depth_of(pixels)
    result = _aired(pixels, depth, _AIRS[kind], amount, random)
    size = pixels.shape[:2]
    match kind:
        case "fog":
            return result
        case "rain":
            layers = [*streaks(size, amount, random), splashes(size, depth.ground, amount, random)]
        case "snow":
            layers = flakes(size, amount, random)
    return _before(result, depth, layers)


def _aired(pixels: Pixels, depth: Depth, air: _Air, amount: float, random: np.random.Generator) -> Pixels:
    """Light scattered on its way (Koschmieder): I = J·t + A·(1 − t), t = exp(−thickness), in linear light. What light
    is scattered only a little blurs what lies far."""
    height, width = pixels.shape[:2]
    thickness = amount**0.8 * _thickness(depth, air, random)
    through = np.exp(-thickness).astype(np.float32)
    small = reduced(pixels, max(depth.far.shape))
    veil = _airlight(small, depth, air)
    sharp = linear(small)
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 0.006 * max(small.shape[:2]) + 0.1), np.float32)
    halos = np.float32(min(amount, 1.0) * air.dense * _dusk(small)) * _halos(sharp, veil)
    wet = np.float32(air.wet * min(amount, 1.5)) * depth.ground
    mirror = _smeared(sharp) if air.wet else soft
    share = min(amount, 1.0)
    table = _graded(linear(np.linspace(0, 1, 256, dtype=np.float32)), sharp, air.bite**share)
    left = 1 + (air.light - 1) * share
    tint = (left * np.array(air.tint, np.float32) ** share).astype(np.float32)
    colour = np.float32(1 + (air.colour - 1) * share)
    result = np.empty_like(pixels)
    for rows in strips(height):
        passing = enlarged(through, rows, height, width)[..., None]
        light = table[pixels[rows]]
        spread = (enlarged(soft, rows, height, width) - light) * (np.float32(0.6) * (1 - passing))
        light = np.asarray(light + spread, np.float32)
        grey = (light @ _LUMINANCE)[..., None]
        light = np.asarray((grey + (light - grey) * colour) * tint, np.float32)
        if air.wet:
            mirrors = enlarged(wet, rows, height, width)[..., None]
            light *= 1 - np.float32(0.7) * mirrors
            light += enlarged(mirror, rows, height, width) * (mirrors * np.float32(0.6 * left))
        higher = 1.10 - air.overhead * np.arange(rows.start, rows.stop, dtype=np.float32) / height
        light += enlarged(halos, rows, height, width)
        light = light * passing + higher[:, None, None] * veil * (1 - passing)
        result[rows] = encoded(light) * 255 + 0.5
    return result


def _graded(table: Map, light: Map, bite: float) -> Map:
    """A tone curve over linear light that is steeper about the picture's own middle, and keeps black and white."""
    middle = float(np.clip(np.median(light @ _LUMINANCE), 0.02, 0.5)) ** (1 / 2.2)
    seen = table ** np.float32(1 / 2.2)
    lower = middle * (seen / middle) ** bite
    upper = 1 - (1 - middle) * ((1 - seen) / (1 - middle)) ** bite
    return np.asarray(np.where(seen < middle, lower, upper) ** 2.2, np.float32)


def _thickness(depth: Depth, air: _Air, random: np.random.Generator) -> Map:
    """Of the air before each pixel: slice by slice to its depth, each slice with banks of its own, flat and lying low;
    before what is near hardly any, and evenly."""
    height, width = depth.far.shape
    rows = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    low = 0.35 + 0.85 * np.exp(-np.square((rows - depth.horizon - 0.05) / np.where(rows < depth.horizon, 0.42, 0.22)))
    total = np.zeros((height, width), np.float32)
    for near, far in pairwise(_SLICES):
        # Farther banks look smaller. They are drawn wide: noise of a taller field, pressed flat.
        noise = fractal(int(2.6 * height) + 2, width, random, detail=2 + 4 * near, octaves=5)
        banks = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        uneven = np.clip(1 + air.banks * far * banks, 0.15, 2.2) * low
        total += np.clip(depth.far - near, 0, far - near) * uneven
    return np.asarray(air.dense * total * depth.far, np.float32)


def _dusk(small: Map) -> float:
    """0 by day, 1 by night."""
    return float(np.clip((0.42 - float(small.mean())) / 0.2, 0, 1))


def _halos(light: Map, veil: Map) -> Map:
    """What lamps light up of the air around them: whatever is much brighter than the air."""
    lamps = np.clip(light - 1.3 * float(veil.mean()) - 0.15, 0, None).astype(np.float32)
    side = max(light.shape[:2])
    near, wide = (cv2.GaussianBlur(lamps, (0, 0), share * side + 0.1) for share in (0.012, 0.04))
    return np.asarray(0.10 * near + 0.30 * wide, np.float32)


def _smeared(light: Map) -> Map:
    """As wet ground mirrors what stands on it: drawn out downwards."""
    height, width = light.shape[:2]
    reach = max(1, round(0.12 * height))
    return np.asarray(cv2.blur(light, (max(1, round(0.006 * width)), reach), borderType=cv2.BORDER_REFLECT), np.float32)


def _airlight(small: Map, depth: Depth, air: _Air) -> Map:
    """Linear light of the air itself: of the colour that the picture's own distance has, nearly grey, and dark in a
    dark picture."""
    lab = to_lab(small)
    weight = np.square(depth.far) + 1e-3
    light, a, b = ((lab * weight[..., None]).sum(axis=(0, 1)) / weight.sum()).tolist()
    dark, bright = air.lightness
    level = dark + (bright - dark) * float(np.clip((0.5 * light + 0.5 * lab[..., 0].mean() - 12) / 50, 0, 1)) ** 1.4
    hold = 0.18 * min(1.0, 12 / max(float(np.hypot(a, b)), 1e-6)) * (1 + 2 * _dusk(small))
    colour = np.array([[[level, hold * a, hold * b]]], np.float32)
    base = linear(np.clip(cv2.cvtColor(colour, cv2.COLOR_LAB2RGB), 0, 1)) * np.array(air.tint, np.float32)
    return np.asarray(base[0, 0], np.float32)


def _before(pixels: Pixels, depth: Depth, layers: list[Layer]) -> Pixels:
    """What falls, each layer hidden by what is nearer than it."""
    height, width = pixels.shape[:2]
    shape = layers[0].cover.shape
    far = np.asarray(cv2.resize(depth.far, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    # By the same light as the rest, and by the lamps nearby.
    small = reduced(pixels, 64)
    around = cv2.GaussianBlur(small.mean(axis=2), (0, 0), 4)
    lamps = cv2.resize(around, shape[::-1], interpolation=cv2.INTER_LINEAR)
    lit = np.clip(0.45 + 0.4 * min(1.0, float(small.mean()) / 0.4) + 0.5 * lamps, 0, 1)
    clear, glow = np.ones(shape, np.float32), np.zeros(shape, np.float32)
    for layer in layers:  # from far to near
        seen = layer.cover * np.clip((far - layer.depth) / 0.08 + 1, 0, 1)
        glow = glow * (1 - seen) + lit * layer.light * seen
        clear *= 1 - seen
    colour = np.array(layers[0].colour, np.float32)
    result = np.empty_like(pixels)
    for rows in strips(height):
        left = enlarged(clear, rows, height, width)[..., None]
        added = enlarged(glow, rows, height, width)[..., None] * colour
        behind = pixels[rows].astype(np.float32) / np.float32(255)
        result[rows] = np.clip(behind * left + added, 0, 1) * 255 + 0.5
    return result
