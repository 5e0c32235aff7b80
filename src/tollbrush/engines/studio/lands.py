"""Landscapes painted by rule, in linear light: ridges, mountains, snow, fog, a beach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio import skies
from tollbrush.engines.studio.noise import blend, colour, fractal, grid, profile, vertical

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]


def ridges(
    scene: Map, random: np.random.Generator, horizon: float, tints: tuple[str, ...], *, height: float = 0.10
) -> Map:
    """Ridges one before the other, from far and pale to near and dark."""
    high, wide = scene.shape[:2]
    rows = np.arange(high, dtype=np.float32)[:, None]
    for i, tint in enumerate(tints):
        line = horizon + 0.02 + 0.075 * i - height * (1 - 0.18 * i) * 0.5 * profile(wide, random, detail=2.2 + 1.5 * i)
        cover = np.clip(rows - line[None] * high + 0.5, 0, 1)
        fade = np.interp(rows / high, [horizon, 1], [1.0, 0.75]).astype(np.float32)
        scene = blend(scene, fade[..., None] * colour(tint), cover)
    return scene


def mountains(height: int, width: int, random: np.random.Generator, __: str | None) -> Map:
    """Alps on a clear day: a snowy range over blue ones and dark woods, each paler with distance."""
    sky = skies.blue_sky(height, width, random, 0.62)
    sky = _range(sky, random, foot=0.66, peak=0.34, rock="#6f7f97", snow="#e6edf6", snow_line=0.45, haze=0.30)
    sky = _range(sky, random, foot=0.76, peak=0.17, rock="#47586d", snow="#cfd9e6", snow_line=2.0, haze=0.14)
    return ridges(sky, random, 0.76, ("#3f5a5a", "#2d4540", "#1d302a"), height=0.07)


def snowy(height: int, width: int, random: np.random.Generator, __: str | None) -> Map:
    """Fields of snow under a pale winter sky, blue in the hollows, dark firs at the far edge."""
    horizon = 0.60
    sky = vertical(height, width, [(0, "#8fb2d6"), (0.7 * horizon, "#c9dcec"), (horizon, "#efe9e4"), (1, "#efe9e4")])
    cover, shade = skies.clouds(height, width, random, stretch=3.4, detail=4, threshold=0.4)
    sky = blend(sky, colour("#f4f3f2") * (0.75 + 0.35 * shade[..., None]), 0.55 * cover)
    sky = _range(sky, random, foot=horizon + 0.04, peak=0.20, rock="#8194ab", snow="#eef2f7", snow_line=0.2, haze=0.45)
    sky = _firs(sky, random, horizon + 0.035, "#3d4f5c", size=0.030)
    rows, _ = grid(height, width)
    lit = random.choice([-1, 1])
    for i, base in enumerate((0.625, 0.70, 0.82)):
        line = base + (0.016 + 0.014 * i) * profile(width, random, detail=1.6, octaves=4, gain=0.35)
        depth = rows / height - line[None]
        drifts = fractal(int(height * 2.4), width, random, detail=2 + 1.5 * i, octaves=4, gain=0.36)
        drifts = np.asarray(cv2.resize(drifts, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        slope = lit * cv2.Sobel(drifts, cv2.CV_32F, 1, 0) * max(height, width) / 1024 * 12
        bright = np.clip(
            0.76 + 0.09 * np.tanh(slope) + 0.03 * drifts - 0.16 * np.exp(-np.maximum(depth, 0) / 0.03), 0, 1
        )
        snow = blend(colour("#93aed0"), colour("#fdfcfa"), np.asarray(bright, np.float32))
        sky = blend(sky, snow, np.clip(depth * height + 0.5, 0, 1))
        if i < 1:
            sky = _firs(sky, random, base + 0.05, "#2b3a42", size=0.055, share=0.35)
    glints = (random.random((height, width), np.float32) > 0.9992) & (rows / height > 0.66)
    return np.asarray(sky + 0.25 * glints[..., None], np.float32)


def foggy(height: int, width: int, random: np.random.Generator, __: str | None) -> Map:
    """Wooded hills that fade one behind the other into morning fog."""
    scene = vertical(height, width, [(0, "#c3ccd3"), (0.5, "#dbe0e2"), (1, "#c6cdd1")])
    rows, _ = grid(height, width)
    air = colour("#dde2e4")
    for i, (base, tint) in enumerate(((0.46, "#b9c4ca"), (0.55, "#97a6ae"), (0.66, "#6d7f87"), (0.80, "#43545a"))):
        line = base - (0.03 + 0.012 * i) * profile(width, random, detail=1.8 + 0.7 * i, octaves=5)
        scene = _firs(scene, random, line, tint, size=0.020 + 0.020 * i)
        banks = fractal(int(height * 2.2), width, random, detail=2.5, octaves=5)
        banks = np.asarray(cv2.resize(banks, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        lying = np.exp(-np.square((rows / height - base - 0.10) / 0.06)) * np.clip(0.62 + 0.22 * banks, 0, 0.95)
        scene = blend(scene, air, np.asarray(lying * (0.95 - 0.12 * i), np.float32))
    return scene


def beach(height: int, width: int, random: np.random.Generator, __: str | None) -> Map:
    """Turquoise water between a fair sky and wet sand, with lines of foam."""
    horizon, shore = 0.52, 0.76
    scene = skies.blue_sky(height, width, random, horizon)
    rows, columns = grid(height, width)
    y = rows / height
    near = np.clip((y - horizon) / (1 - horizon), 1e-3, 1)
    sea = _sea(np.asarray(near, np.float32), columns, width, random)
    scene = blend(scene, sea, np.clip((y - horizon) * height + 0.5, 0, 1))
    edge = shore + 0.025 * profile(width, random, detail=1.6, octaves=5, gain=0.4)[None]
    wet = np.exp(-np.maximum(y - edge, 0) / 0.035)
    grain = fractal(height, width, random, detail=260, octaves=3, gain=0.8)
    dunes = fractal(int(2.5 * height), width, random, detail=4, octaves=5, gain=0.5)
    dunes = np.asarray(cv2.resize(dunes, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    sand = colour("#e3cba3") * (1 + 0.05 * grain + 0.045 * dunes - 0.42 * wet)[..., None]
    sand += (0.20 * wet)[..., None] * colour("#9cc7d8")
    # The water thins out over the sand: a clear film, then foam at its edge and a line or two behind.
    film = np.clip((edge - y) / 0.05, 0, 1) ** 0.6
    scene = blend(np.asarray(sand, np.float32), scene, np.asarray(film, np.float32))
    lace = fractal(int(3 * height), width, random, detail=38, octaves=4, gain=0.6)
    lace = np.asarray(cv2.resize(lace, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    lace /= max(float(lace.std()), 1e-3)
    foam = np.zeros_like(y)
    for back, wide, strength in ((0.0, 0.005, 1.0), (0.045, 0.010, 0.75), (0.105, 0.006, 0.45)):
        line = edge - back + (0.004 + 0.1 * back) * profile(width, random, detail=5, octaves=6)[None]
        behind = np.exp(-np.maximum(line - y, 0) / (3 * wide)) * np.clip((line - y) / (0.2 * wide) + 0.5, 0, 1)
        foam = np.maximum(foam, strength * behind * np.clip(0.55 + 0.5 * lace, 0, 1))
    return blend(scene, np.broadcast_to(colour("#f7fafa"), scene.shape), np.asarray(np.clip(foam, 0, 0.96), np.float32))


def _sea(near: Map, columns: Map, width: int, random: np.random.Generator) -> Map:
    """Waves in perspective: as many to the row far away as near, so finer there; light where it is shallow."""
    far = 1 / (near + 0.05)
    side = 1024
    waves = fractal(side, side, random, detail=24, octaves=6, gain=0.55)
    along = ((columns / width - 0.5) * far * 0.55 % 1) * (side - 1)
    across = (np.log(near + 0.05) * 1.6 % 1) * (side - 1)
    ripple = cv2.remap(waves, along.astype(np.float32), across.astype(np.float32), cv2.INTER_LINEAR)
    depth = blend(colour("#1b6b9c"), colour("#58c4bd"), np.clip(near * 2.1, 0, 1) ** 1.2)
    strength = 0.05 + 0.13 * np.clip(near * 3, 0, 1)
    glitter = 0.10 * np.clip(ripple - 1.2, 0, 1) * np.clip(1 - near * 1.5, 0, 1)
    return np.asarray(depth * (1 + strength * ripple)[..., None] + glitter[..., None], np.float32)


def _range(
    scene: Map,
    random: np.random.Generator,
    *,
    foot: float,
    peak: float,
    rock: str,
    snow: str,
    snow_line: float,
    haze: float,
) -> Map:
    """A mountain range lit from one side: ridged noise is its relief, snow lies above a line and off the steeps."""
    height, width = scene.shape[:2]
    rows, _ = grid(height, width)
    crest = np.zeros(width, np.float32)
    for octave in range(6):  # creases, a little worn at the top
        crest += 0.5**octave * (
            1 - np.sqrt(np.square(profile(width, random, detail=2.6 * 2**octave, octaves=1)) + 0.06)
        )
    crest += 0.5 * profile(width, random, detail=2.2, octaves=2)
    crest = np.clip((crest - crest.min()) / max(float(np.ptp(crest)), 1e-3), 0, 1)
    line = foot - peak * (0.25 + 0.75 * crest)
    lit = random.choice([-1.0, 1.0])
    relief = _ridged(height, width, random)
    slope = cv2.GaussianBlur(lit * cv2.Sobel(relief, cv2.CV_32F, 1, 0), (0, 0), max(height / 900, 0.3))
    slope = np.tanh(slope * max(height, width) / 55)
    high = np.clip((foot - rows / height) / peak, 0, 1)
    lies = np.clip((high - snow_line + 0.16 * relief) / 0.10 + 0.5, 0, 1)
    stone = colour(rock) * (0.85 + 0.42 * slope)[..., None]
    white = blend(colour("#8fa6c8"), colour(snow), np.clip(0.62 + 0.5 * slope, 0, 1).astype(np.float32))
    body = blend(np.asarray(stone, np.float32), white, np.asarray(lies, np.float32))
    air = np.clip(haze + 0.35 * (1 - high) ** 2, 0, 0.9).astype(np.float32)
    body = blend(body, np.broadcast_to(colour("#c9dbea"), body.shape), air)
    return blend(scene, body, np.clip(rows - line[None] * height + 0.5, 0, 1))


def _ridged(height: int, width: int, random: np.random.Generator) -> Map:
    """Ridged multifractal relief, mean 0 (Musgrave 1993): creases where noise crosses nought."""
    total, strength = np.zeros((height, width), np.float32), 1.0
    for octave in range(6):
        total += strength * (1 - np.abs(fractal(height, width, random, detail=5 * 2**octave, octaves=1)))
        strength *= 0.55
    return np.asarray(total - total.mean(), np.float32)


def _firs(
    scene: Map, random: np.random.Generator, foot: Map | float, tint: str, *, size: float, share: float = 1.0
) -> Map:
    """A row of firs, `size` of the picture's height each, standing on `foot`; `share` of the width is wooded."""
    height, width = scene.shape[:2]
    ground = np.broadcast_to(np.asarray(foot, np.float32), (width,)) * height
    columns = np.arange(width, dtype=np.float32)
    tall = size * height
    top = ground.copy()
    wooded = fractal(4, width, random, detail=4, octaves=4)[1] > np.quantile(fractal(4, 64, random)[1], 1 - share)
    count = max(1, int(width / max(0.24 * tall, 1) * 1.6))
    for _ in range(count):
        at, grown = random.uniform(0, width), tall * random.uniform(0.45, 1.1)
        if not wooded[int(at)]:
            continue
        half = max(0.22 * grown, 0.7)
        left, right = int(max(0, at - half)), int(min(width, at + half + 1))
        away = np.abs(columns[left:right] - at) / half
        tiers = 0.10 * grown * np.abs(np.modf(away * 3.2)[0] - 0.5)  # branches in tiers
        top[left:right] = np.minimum(top[left:right], ground[left:right] - np.maximum(grown * (1 - away) - tiers, 0))
    rows = np.arange(height, dtype=np.float32)[:, None]
    cover = np.clip(rows - top[None] + 0.5, 0, 1)
    if share < 1:
        cover *= np.clip(ground[None] - rows + 0.5, 0, 1) * (top < ground - 1)[None]
    return blend(scene, np.broadcast_to(colour(tint), scene.shape), cover)
