"""Skies painted by rule, down to a horizon: what is below it is its last row's light."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.noise import blend, colour, finished, fractal, grid, vertical
from tollbrush.engines.studio.stars import scatter_stars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.treatments import SkyKind

    Map = NDArray[np.float32]
    SkyPainter = Callable[[int, int, np.random.Generator, float], Map]

LARGEST: Final = 2048  # longer side at which a scene is painted; larger ones are enlarged, as what is far is soft


def paint_sky(kind: SkyKind, size: Size, seed: int) -> Pixels:
    """A sky without land, H×W×3, its horizon at the lower edge. Same arguments, same bytes."""
    return painted(lambda height, width, random: _SKIES[kind](height, width, random, 1.0), size, seed)


def painted(painter: Callable[[int, int, np.random.Generator], Map], size: Size, seed: int) -> Pixels:
    """What a painter makes in linear light, as H×W×3 bytes of `size`."""
    scale = min(1.0, LARGEST / max(size.width, size.height))
    width, height = max(1, round(size.width * scale)), max(1, round(size.height * scale))
    random = np.random.default_rng(seed)
    pixels = finished(painter(height, width, random), random)
    if scale == 1:
        return pixels
    return np.asarray(cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_CUBIC), np.uint8)


def starry(height: int, width: int, random: np.random.Generator, horizon: float) -> Map:
    """The Milky Way, with airglow where the air is thickest."""
    side = max(height, width)
    stops = [
        (0, "#04060f"),
        (0.43 * horizon, "#081029"),
        (0.76 * horizon, "#122148"),
        (horizon, "#31466f"),
        (1, "#3c4a6a"),
    ]
    sky = vertical(height, width, stops)
    rows, columns = grid(height, width)
    galaxy, core = _milky_way(sky, rows, columns, random)
    clear = np.clip((horizon - rows / height) / 0.25, 0.12, 1)  # haze hides the low stars
    scale = side / 1024
    share = height * width / side**2 * min(1.0, scale) ** 2
    scatter_stars(sky, random, int(5200 * share), density=(0.35 + 0.65 * galaxy) * clear, brightness=1.2, scale=scale)
    scatter_stars(sky, random, int(16000 * share), density=core * clear, brightness=0.35, scale=scale)
    glow = np.exp(-np.square((rows / height - horizon) / 0.10)) * (
        0.7 + 0.3 * np.exp(-np.square((columns / width - random.uniform(0.1, 0.9)) / 0.3))
    )
    sky += glow[..., None] * np.array([0.075, 0.052, 0.040], np.float32)
    return sky


def _milky_way(sky: Map, rows: Map, columns: Map, random: np.random.Generator) -> tuple[Map, Map]:
    """Adds the galaxy's glow and dust to `sky`; returns where its stars are, and where its core is, 0..1."""
    height, width = rows.shape
    side = max(height, width)
    aside = int(random.choice([-1, 1]))  # it crosses an upper corner, where a subject leaves it to be seen
    lean = math.radians(aside * random.uniform(36, 54))
    x = (columns - width * (0.5 + aside * random.uniform(0.20, 0.28))) / side
    y = (rows - height * random.uniform(0.22, 0.34)) / side
    cos, sin = math.cos(lean), math.sin(lean)
    along, across = x * cos + y * sin, y * cos - x * sin
    coarse = fractal(height, width, random, detail=3, gain=0.55)
    fine = fractal(height, width, random, detail=7, octaves=6, gain=0.62)
    bent = across + 0.040 * coarse
    band = np.exp(-np.square(bent / 0.12))
    core = np.exp(-np.square(bent / 0.055) - np.square((along - random.uniform(-0.15, 0.15)) / 0.42))
    # Dust lies along the middle in torn lanes, and reddens what shines through it.
    torn = np.clip(0.55 + 0.5 * fine - 0.25 * coarse, 0, 1)
    dust = torn * np.exp(-np.square((bent + 0.020 * fine) / 0.042))
    cloud = np.clip(0.62 + 0.34 * coarse + 0.22 * fine, 0, 2)
    haze, bulge, kept = band * cloud, core * cloud**1.6, 1 - 0.3 * dust
    tints = ((0.042, 0.190, 0.66), (0.052, 0.143, 0.76), (0.090, 0.126, 0.82))
    for channel, (outer, inner, reddened) in enumerate(tints):
        sky[..., channel] *= kept
        sky[..., channel] += (haze * outer + bulge * inner) * (1 - dust * reddened)
    return band * 0.9, core


def sunset(height: int, width: int, random: np.random.Generator, horizon: float) -> Map:
    """A low sun in torn cloud, lit from below."""
    stops = [
        (0, "#27335f"),
        (0.34, "#5a4a80"),
        (0.61, "#b5627e"),
        (0.81, "#f08a5d"),
        (0.945, "#ffc37a"),
        (1, "#ffdf9e"),
    ]
    sky = vertical(height, width, [*((at * horizon, code) for at, code in stops), (1.001, "#ffd08a")])
    rows, columns = grid(height, width)
    sun = random.choice([random.uniform(0.12, 0.34), random.uniform(0.66, 0.88)])  # beside the subject, not behind
    far = np.hypot(columns - sun * width, rows - (horizon - 0.035) * height) / max(height, width)
    for shape, tint in (
        (np.exp(-far / 0.16), (0.55, 0.26, 0.07)),
        (np.exp(-np.square(far / 0.05)), (0.7, 0.45, 0.18)),
        (np.clip((0.030 - far) / 0.0015 + 0.5, 0, 1), (3.0, 2.2, 1.1)),
    ):
        sky += shape[..., None] * np.array(tint, np.float32)
    cover, shade = clouds(height, width, random, stretch=3.2, detail=5, threshold=0.35)
    cover *= np.interp(rows / height / horizon, [0, 0.34, 0.74, 0.945, 1], [0.75, 0.95, 0.8, 0.45, 0.0])
    lit = blend(colour("#4b3a63"), colour("#ff9a66"), np.exp(-far / 0.42)) * (0.55 + 0.75 * shade[..., None])
    return blend(sky, lit, cover)


def blue_sky(height: int, width: int, random: np.random.Generator, horizon: float) -> Map:
    """Fair-weather cloud, small and flat towards the horizon."""
    sky = vertical(
        height, width, [(0, "#2f74c8"), (0.5 * horizon, "#6fa8e2"), (0.85 * horizon, "#c3def3"), (horizon, "#dfeef8")]
    )
    rows, _ = grid(height, width)
    noise = _flattened(fractal(2 * height, width, random, detail=2.5, octaves=8, gain=0.55), height)
    cover = 1 - np.exp(-np.maximum(noise - 0.25, 0) * 1.6)
    cover *= np.interp(rows / height / horizon, [0, 0.2, 0.8, 1], [0.8, 1, 0.9, 0.7])
    thick = np.asarray(cv2.GaussianBlur(cover, (0, 0), max(height / 60, 0.3)), np.float32)
    drop = max(1, round(0.03 * height))
    above = np.concatenate([np.repeat(thick[:1], drop, axis=0), thick[:-drop]])[:height]
    bright = np.clip(0.5 + 1.2 * (thick - above), 0, 1)
    return blend(sky, 1.02 * blend(colour("#9db2c9"), colour("#ffffff"), bright), cover)


def night(height: int, width: int, random: np.random.Generator, horizon: float) -> Map:
    """A moonlit evening: few stars, thin cloud."""
    stops = [(0, "#060a1a"), (0.64 * horizon, "#101d40"), (horizon, "#2a3d66"), (1, "#324468")]
    sky = vertical(height, width, stops)
    rows, columns = grid(height, width)
    clear = np.clip((horizon - rows / height) / 0.3, 0.05, 1)
    scale = max(height, width) / 1024
    scatter_stars(
        sky,
        random,
        int(1400 * height * width / max(height, width, 1024) ** 2),
        density=clear,
        brightness=0.8,
        scale=scale,
    )
    side = random.choice([random.uniform(0.10, 0.24), random.uniform(0.76, 0.90)])
    far = np.hypot(columns - side * width, rows - random.uniform(0.14, 0.24) * height) / max(height, width)
    sky += np.exp(-far / 0.10)[..., None] * np.array([0.10, 0.12, 0.16], np.float32)
    disc = np.clip((0.033 - far) * 1024 * scale / 1.5 + 0.5, 0, 1).astype(np.float32)
    seas = np.clip(0.80 - 0.16 * fractal(height, width, random, detail=36, octaves=4), 0.35, 1)
    sky = blend(sky, seas[..., None] * np.array([0.93, 0.94, 0.90], np.float32), disc)
    cover, shade = clouds(height, width, random, stretch=3.0, detail=4, threshold=0.55)
    lit = blend(colour("#141f3d"), colour("#6f80a8"), np.exp(-far / 0.22)) * (0.6 + 0.7 * shade[..., None])
    return blend(sky, lit, 0.55 * cover)


def cloudscape(height: int, width: int, random: np.random.Generator, horizon: float) -> Map:
    """A sky full of white cloud, blue showing between."""
    sky = vertical(
        height, width, [(0, "#4b83c4"), (0.6 * horizon, "#86b1de"), (horizon, "#cfe0ef"), (1.001, "#cfe0ef")]
    )
    noise = _flattened(fractal(int(1.8 * height), width, random, detail=2.4, octaves=8, gain=0.52), height)
    cover = 1 - np.exp(-np.maximum(noise + 0.45, 0) * 2.2)
    thick = np.asarray(cv2.GaussianBlur(noise, (0, 0), max(height / 40, 0.3)), np.float32)
    fine = np.asarray(cv2.GaussianBlur(noise, (0, 0), max(height / 220, 0.3)), np.float32)
    drop = max(1, round(0.04 * height))
    above = np.concatenate([np.repeat(thick[:1], drop, axis=0), thick[:-drop]])[:height]
    bright = np.clip(0.62 + 0.55 * (thick - above) + 0.28 * (fine - thick) - 0.08 * thick, 0, 1)
    return blend(sky, blend(colour("#8fa3bb"), colour("#ffffff"), np.asarray(bright, np.float32)), cover)


def stormy(height: int, width: int, random: np.random.Generator, horizon: float) -> Map:
    """Heavy cloud in rolls, dark below, with a pale gap towards the horizon."""
    sky = vertical(
        height, width, [(0, "#39424d"), (0.6 * horizon, "#5b6671"), (horizon, "#a9b0b4"), (1.001, "#a9b0b4")]
    )
    rows, _ = grid(height, width)
    thick = _flattened(fractal(int(2.6 * height), width, random, detail=2.6, octaves=7, gain=0.58), height)
    torn = _flattened(fractal(int(2.6 * height), width, random, detail=8, octaves=6, gain=0.6), height)
    body = thick + 0.35 * torn
    soft = np.asarray(cv2.GaussianBlur(body, (0, 0), max(height / 45, 0.3)), np.float32)
    # Light comes from above and through thin cloud: the lower side of each roll is dark.
    drop = max(1, round(0.035 * height))
    above = np.concatenate([np.repeat(soft[:1], drop, axis=0), soft[:-drop]])[:height]
    lit = 0.47 + 0.40 * np.tanh(0.75 * (1.6 * (soft - above) - 0.45 * body + 0.25 * torn))
    cover = np.interp(rows / height / horizon, [0, 0.6, 0.92, 1], [1, 0.95, 0.55, 0.25]) * np.clip(
        0.75 + 0.3 * body, 0, 1
    )
    return blend(
        sky, blend(colour("#1d232b"), colour("#a7b1ba"), np.asarray(lit, np.float32)), np.asarray(cover, np.float32)
    )


def clouds(
    height: int, width: int, random: np.random.Generator, *, stretch: float, detail: float, threshold: float
) -> tuple[Map, Map]:
    """Cloud cover and its lit side, 0..1, flattened by perspective."""
    noise = _flattened(fractal(int(height * stretch), width, random, detail=detail, gain=0.55), height)
    shade = np.clip((cv2.GaussianBlur(noise, (0, 0), max(height / 90, 0.3)) - noise) * 0.8 + 0.5, 0, 1)
    return np.clip((noise - threshold) / 1.2, 0, 1), np.asarray(shade, np.float32)


def _flattened(noise: Map, height: int) -> Map:
    """`noise` pressed to `height` as perspective does, its variance 1 again."""
    flat = np.asarray(cv2.resize(noise, (noise.shape[1], height), interpolation=cv2.INTER_AREA), np.float32)
    return flat / np.float32(max(float(flat.std()), 1e-3))


_SKIES: Final[dict[SkyKind, SkyPainter]] = {
    "sunset": sunset, "blue_sky": blue_sky, "starry": starry, "night": night, "stormy": stormy,
}  # fmt: skip
