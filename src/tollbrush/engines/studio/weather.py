"""Weather before a photograph: falling snow, rain, fog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.light import encoded, from_lab, linear, to_lab
from tollbrush.engines.studio.looks import guided
from tollbrush.engines.studio.noise import fractal
from tollbrush.engines.studio.strips import enlarged, reduced, strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.treatments import WeatherKind

    Map = NDArray[np.float32]

_SIDE: Final = 512  # at which depth is guessed
_LAYER_SIDE: Final = 2048  # at which flakes and drops are drawn
_FLAKES: Final = (  # how many at 1024², radius from and to, how solid, how soft; from far to near
    (3000, 0.7, 1.4, 0.75, 0.5), (800, 1.5, 2.6, 0.85, 0.8), (170, 3.0, 5.5, 0.80, 1.8), (26, 8.0, 15.0, 0.40, 5.0),
)  # fmt: skip
_DROPS: Final = ((0.0012, 18, 0.5, 0.22), (0.0006, 34, 0.8, 0.27), (0.00016, 60, 1.3, 0.30))


def weather(pixels: Pixels, kind: WeatherKind, amount: float, seed: int) -> Pixels:
    """H×W×3 pixels with weather before them. Same seed, same bytes."""
    random = np.random.default_rng(seed)
    if kind == "fog":
        return _foggy(pixels, 1.7 * amount, random, air=(0.80, 0.83, 0.86))
    height, width = pixels.shape[:2]
    scale = min(1.0, _LAYER_SIDE / max(height, width))
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    if kind == "snow":
        cold = _cold(_foggy(pixels, 0.45 * amount, random, air=(0.86, 0.89, 0.93)), lift=0.07, strength=0.76)
        return _before(cold, _flakes(shape, amount, random), np.array([0.97, 0.98, 1.0], np.float32))
    grey = _cold(_foggy(pixels, 0.55 * amount, random, air=(0.62, 0.66, 0.70)), lift=-0.09, strength=0.72)
    return _before(grey, _streaks(shape, amount, random), np.array([0.84, 0.88, 0.93], np.float32))


def _foggy(pixels: Pixels, density: float, random: np.random.Generator, air: tuple[float, float, float]) -> Pixels:
    """Koschmieder's law: what is far fades into the air's light, exponentially."""
    height, width = pixels.shape[:2]
    depth = distance(pixels)
    banks = fractal(int(1.8 * depth.shape[0]) + 1, depth.shape[1], random, detail=3, octaves=5)
    banks = np.asarray(cv2.resize(banks, depth.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    through = np.exp(-density * depth * np.clip(1 + 0.22 * banks, 0.4, 1.6)).astype(np.float32)
    veil = linear(np.array(air, np.float32))
    table = linear(np.linspace(0, 1, 256, dtype=np.float32))
    result = np.empty_like(pixels)
    for rows in strips(height):
        passing = enlarged(through, rows, height, width)[..., None]
        result[rows] = encoded(table[pixels[rows]] * passing + veil * (1 - passing)) * 255 + 0.5
    return result


def distance(pixels: Pixels) -> Map:
    """How far things seem, 0..1, reduced to _SIDE: farther upwards, and where haze already lies (dark channel, He
    2009); smooth within things."""
    small = reduced(pixels, _SIDE)
    height, width = small.shape[:2]
    reach = max(1, round(0.02 * max(height, width)))
    haze = cv2.erode(small.min(axis=2), np.ones((2 * reach + 1,) * 2, np.uint8))
    haze = np.clip(haze / max(float(np.percentile(haze, 98)), 0.3), 0, 1)
    rows = (np.arange(height, dtype=np.float32) + 0.5) / height
    level = np.interp(rows, [0, 0.45, 0.75, 1], [1, 0.85, 0.4, 0.12]).astype(np.float32)[:, None]
    guess = np.asarray(level * (0.45 + 0.65 * haze), np.float32)
    grey = np.ascontiguousarray(small.mean(axis=2))
    radius = max(1, round(0.05 * max(height, width)))
    if min(height, width) >= 8:
        guess = np.asarray(cv2.ximgproc.guidedFilter(grey, guess, radius, 3e-3), np.float32)
    else:
        guess = guided(guess, radius, 1.0)
    return np.clip(guess, 0, 1.1)


def _cold(pixels: Pixels, lift: float, strength: float) -> Pixels:
    """In the light of a covered sky."""
    result = np.empty_like(pixels)
    for rows in strips(pixels.shape[0]):
        lab = to_lab(pixels[rows].astype(np.float32) / np.float32(255))
        light = lab[..., 0] / 100
        lab[..., 0] = 100 * np.clip(light * (1 - 0.12) + max(lift, 0) + (min(lift, 0) * light), 0, 1)
        lab[..., 1:] *= strength
        lab[..., 2] -= 4
        result[rows] = from_lab(lab) * 255 + 0.5
    return result


def _before(pixels: Pixels, cover: Map, colour: Map) -> Pixels:
    """`colour` over the pixels where `cover` (any size) is 1."""
    height, width = pixels.shape[:2]
    result = np.empty_like(pixels)
    for rows in strips(height):
        share = enlarged(cover, rows, height, width)[..., None]
        behind = pixels[rows].astype(np.float32) / np.float32(255)
        result[rows] = np.clip(behind + (colour - behind) * share, 0, 1) * 255 + 0.5
    return result


def _flakes(shape: tuple[int, int], amount: float, random: np.random.Generator) -> Map:
    """Four curtains of flakes: far ones many, small and sharp, near ones few, large and out of focus."""
    height, width = shape
    scale = max(shape) / 1024
    clear = np.ones(shape, np.float32)
    for count, least, most, solid, soft in _FLAKES:
        layer = np.zeros(shape, np.float32)
        for _ in range(int(count * amount * height * width / (1024 * scale) ** 2)):
            radius = random.uniform(least, most) * scale
            centre = int(random.uniform(0, width) * 8), int(random.uniform(0, height) * 8)
            axes = max(3, int(8 * radius)), max(3, int(8 * radius * random.uniform(0.8, 1.3)))
            bright = random.uniform(0.6, 1)
            cv2.ellipse(layer, centre, axes, random.uniform(0, 180), 0, 360, bright, -1, cv2.LINE_AA, 3)
        clear *= 1 - solid * np.asarray(cv2.GaussianBlur(layer, (0, 0), max(soft * scale, 0.3)), np.float32)
    return 1 - clear


def _streaks(shape: tuple[int, int], amount: float, random: np.random.Generator) -> Map:
    """Drops drawn out by the exposure, all in one slanting direction, in gusts."""
    scale = max(shape) / 1024
    slant = random.choice([-1, 1]) * random.uniform(0.05, 0.14)
    gusts = np.clip(1 + 0.35 * fractal(*shape, random, detail=3, octaves=3), 0.3, 1.8)
    clear = np.ones(shape, np.float32)
    for density, length, wide, solid in _DROPS:
        drops = random.random(shape, np.float32) < density * amount * gusts / max(scale, 0.3) ** 2
        bright = drops * random.uniform(0.4, 1, shape).astype(np.float32)
        side = max(3, round(length * scale)) | 1
        streak = np.zeros((side, side), np.float32)
        ends = [(round((0.5 - s * slant) * (side - 1) * 16), round((0.5 + s * 0.5) * (side - 1) * 16)) for s in (-1, 1)]
        cv2.line(streak, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
        fallen = cv2.filter2D(bright, -1, streak)
        fallen = cv2.GaussianBlur(fallen, (0, 0), max(wide * scale * 0.8, 0.3))
        clear *= 1 - solid * np.clip(1.6 * np.asarray(fallen, np.float32), 0, 1)
    return 1 - clear
