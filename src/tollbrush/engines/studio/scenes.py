"""Backdrops painted by rule: skies, lights and studio papers. Nothing is stored and every seed gives another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.light import Light
from tollbrush.engines.studio.noise import blend, colour, finished, fractal, profile, vertical
from tollbrush.engines.studio.stars import scatter_stars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]
    Painter = Callable[[int, int, np.random.Generator, str | None], Map]

RGB = tuple[int, int, int]
_LARGEST = 2048  # longer side at which a scene is painted; larger ones are enlarged, as a far backdrop is soft anyway


@dataclass(frozen=True)
class Scene:
    """`words` names it in a plan; `light` is what it throws on a subject; `coloured` scenes take a colour."""

    words: str
    painter: Painter
    light: Light
    coloured: bool = False


def paint(name: str, size: Size, seed: int, colour: RGB | None = None) -> Pixels:
    """The scene `name` of SCENES, H×W×3. Same arguments, same bytes; another seed, another picture. `colour` (RGB,
    0..255) is the main colour of `coloured` scenes; others ignore it. Raises KeyError for an unknown name."""
    scene = SCENES[name]
    scale = min(1.0, _LARGEST / max(size.width, size.height))
    width, height = max(1, round(size.width * scale)), max(1, round(size.height * scale))
    random = np.random.default_rng(seed)
    main = None if colour is None else "#{:02x}{:02x}{:02x}".format(*colour)
    pixels = finished(scene.painter(height, width, random, main), random)
    if scale == 1:
        return pixels
    return np.asarray(cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_CUBIC), np.uint8)


def plain(size: Size, colour: RGB) -> Pixels:
    """One colour all over, H×W×3."""
    return np.full((size.height, size.width, 3), colour, np.uint8)


def _starry(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    """A mountain horizon under the Milky Way, with airglow where the air is thickest."""
    horizon, side = 0.82, max(height, width)
    stops = [(0, "#04060f"), (0.35, "#081029"), (0.62, "#122148"), (horizon, "#31466f"), (1, "#3c4a6a")]
    sky = vertical(height, width, stops)
    rows, columns = _grid(height, width)
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
    return _mountains(sky, random, horizon, ("#1a2745", "#0f1830", "#070c1a"))


def _milky_way(sky: Map, rows: Map, columns: Map, random: np.random.Generator) -> tuple[Map, Map]:
    """Adds the galaxy's glow and dust to `sky`; returns where its stars are, and where its core is, 0..1."""
    height, width = rows.shape
    side = max(height, width)
    aside = random.choice([-1, 1])  # it crosses an upper corner, where a subject leaves it to be seen
    lean = np.deg2rad(aside * random.uniform(36, 54))
    x = (columns - width * (0.5 + aside * random.uniform(0.20, 0.28))) / side
    y = (rows - height * random.uniform(0.22, 0.34)) / side
    along, across = x * np.cos(lean) + y * np.sin(lean), y * np.cos(lean) - x * np.sin(lean)
    coarse = fractal(height, width, random, detail=3, gain=0.55)
    fine = fractal(height, width, random, detail=7, octaves=6, gain=0.62)
    bent = across + 0.040 * coarse
    band = np.exp(-np.square(bent / 0.12))
    core = np.exp(-np.square(bent / 0.055) - np.square((along - random.uniform(-0.15, 0.15)) / 0.42))
    # Dust lies along the middle in torn lanes, and reddens what shines through it.
    torn = np.clip(0.55 + 0.5 * fine - 0.25 * coarse, 0, 1)
    dust = torn * np.exp(-np.square((bent + 0.020 * fine) / 0.042))
    cloud = np.clip(0.62 + 0.34 * coarse + 0.22 * fine, 0, 2)
    glow = (band * cloud)[..., None] * np.array([0.042, 0.052, 0.090], np.float32)
    glow += (core * cloud**1.6)[..., None] * np.array([0.190, 0.143, 0.126], np.float32)
    sky *= 1 - 0.3 * dust[..., None]
    sky += glow * (1 - dust[..., None] * np.array([0.66, 0.76, 0.82], np.float32))
    return band * 0.9, core


def _sunset(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    horizon = 0.74
    stops = [(0, "#27335f"), (0.25, "#5a4a80"), (0.45, "#b5627e"), (0.60, "#f08a5d"), (0.70, "#ffc37a")]
    sky = vertical(height, width, [*stops, (horizon, "#ffdf9e"), (1, "#ffd08a")])
    rows, columns = _grid(height, width)
    sun = random.choice([random.uniform(0.12, 0.34), random.uniform(0.66, 0.88)])  # beside the subject, not behind
    far = np.hypot(columns - sun * width, rows - (horizon - 0.035) * height) / max(height, width)
    for shape, tint in (
        (np.exp(-far / 0.16), (0.55, 0.26, 0.07)),
        (np.exp(-np.square(far / 0.05)), (0.7, 0.45, 0.18)),
        (np.clip((0.030 - far) / 0.0015 + 0.5, 0, 1), (3.0, 2.2, 1.1)),
    ):
        sky += shape[..., None] * np.array(tint, np.float32)
    cover, shade = _clouds(height, width, random, stretch=3.2, detail=5, threshold=0.35)
    cover *= np.interp(rows / height, [0, 0.25, 0.55, 0.70, horizon], [0.75, 0.95, 0.8, 0.45, 0.0])
    lit = blend(colour("#4b3a63"), colour("#ff9a66"), np.exp(-far / 0.42)) * (0.55 + 0.75 * shade[..., None])
    return _mountains(blend(sky, lit, cover), random, horizon, ("#8a4f63", "#4f2f4a", "#241a30"), height=0.055)


def _blue_sky(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    sky = vertical(height, width, [(0, "#2f74c8"), (0.5, "#6fa8e2"), (0.85, "#c3def3"), (1, "#dfeef8")])
    rows, _columns = _grid(height, width)
    noise = _flattened(fractal(2 * height, width, random, detail=2.5, octaves=8, gain=0.55), height)
    cover = 1 - np.exp(-np.maximum(noise - 0.25, 0) * 1.6)
    cover *= np.interp(rows / height, [0, 0.2, 0.8, 1], [0.8, 1, 0.9, 0.7])
    thick = np.asarray(cv2.GaussianBlur(cover, (0, 0), max(height / 60, 0.3)), np.float32)
    drop = max(1, round(0.03 * height))
    above = np.concatenate([np.repeat(thick[:1], drop, axis=0), thick[:-drop]])[:height]
    bright = np.clip(0.5 + 1.2 * (thick - above), 0, 1)
    return blend(sky, 1.02 * blend(colour("#9db2c9"), colour("#ffffff"), bright), cover)


def _clouds(
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


def _bokeh(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    """City lights far out of focus."""
    tints = ("#ffb35c", "#ff7a59", "#ffd9a0", "#8fb7ff", "#f2d16b")
    scene = vertical(height, width, [(0, "#120d18"), (0.5, "#23161f"), (1, "#0d0a10")])
    scene += np.maximum(fractal(height, width, random, detail=2, octaves=3), 0)[..., None] * colour("#5a3418") * 0.5
    side = max(height, width)
    for _i in range(90):
        radius = side * random.uniform(0.010, 0.055)
        x, y = random.uniform(0, width), height * np.clip(random.normal(0.5, 0.28), -0.1, 1.1)
        tint = colour(tints[random.integers(len(tints))]) * random.uniform(0.05, 0.55)
        left, right = int(max(0, x - radius - 3)), int(min(width, x + radius + 3))
        top, bottom = int(max(0, y - radius - 3)), int(min(height, y + radius + 3))
        if right <= left or bottom <= top:
            continue
        far = np.hypot(np.arange(left, right)[None] - x, np.arange(top, bottom)[:, None] - y)
        # A lens's disc is a little brighter towards its edge.
        disc = np.clip((radius - far) / max(1.0, 0.06 * radius) + 0.5, 0, 1)
        disc *= 0.72 + 0.28 * np.clip(far / radius, 0, 1) ** 6
        scene[top:bottom, left:right] += disc[..., None].astype(np.float32) * tint
    return scene


def _gradient(height: int, width: int, random: np.random.Generator, main: str | None) -> Map:
    pairs = [("#6a5af9", "#f66eb5"), ("#2e6bf0", "#43e0c8"), ("#ff7a59", "#ffcf71"), ("#5b2a86", "#ff6f91")]
    first, second = pairs[random.integers(len(pairs))] if main is None else (main, _lighter(main))
    rows, columns = _grid(height, width)
    angle = np.deg2rad(random.uniform(25, 65))
    way = columns / width * np.cos(angle) + rows / height * np.sin(angle)
    way = (way - way.min()) / max(float(np.ptp(way)), 1e-6)
    return blend(np.cbrt(colour(first)), np.cbrt(colour(second)), way) ** 3


def _lighter(code: str) -> str:
    return "#" + "".join(f"{(int(code[i : i + 2], 16) + 2 * 255) // 3:02x}" for i in (1, 3, 5))


def _studio(height: int, width: int, random: np.random.Generator, main: str | None) -> Map:
    """Mottled paper with a pool of light behind the subject's head."""
    rows, columns = _grid(height, width)
    x, y = random.uniform(0.44, 0.56), random.uniform(0.36, 0.46)
    far = np.hypot(columns / width - x, rows / height - y)
    pool = 1.55 * np.exp(-np.square(far / 0.55)) + 0.22
    mottle = 1 + 0.05 * fractal(height, width, random, detail=2.5, octaves=5)
    return (pool * mottle)[..., None] * colour(main or "#8a8f98")


def _mountains(
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


def _grid(height: int, width: int) -> tuple[Map, Map]:
    rows, columns = np.indices((height, width), dtype=np.float32)
    return rows, columns


def _night(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    """A moonlit evening: few stars, thin cloud, dark hills."""
    horizon = 0.78
    stops = [(0, "#060a1a"), (0.5, "#101d40"), (horizon, "#2a3d66"), (1, "#324468")]
    sky = vertical(height, width, stops)
    rows, columns = _grid(height, width)
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
    cover, shade = _clouds(height, width, random, stretch=3.0, detail=4, threshold=0.55)
    lit = blend(colour("#141f3d"), colour("#6f80a8"), np.exp(-far / 0.22)) * (0.6 + 0.7 * shade[..., None])
    return _mountains(blend(sky, lit, 0.55 * cover), random, horizon, ("#16223f", "#0c1529", "#060a15"), height=0.06)


SCENES: Final[Mapping[str, Scene]] = {
    "starry": Scene("a starry sky", _starry, Light(strength=0.8, night=True)),
    "sunset": Scene("a sunset", _sunset, Light()),
    "blue_sky": Scene("a blue sky", _blue_sky, Light(strength=0.5)),
    "night": Scene("a moonlit night", _night, Light(strength=0.8, night=True)),
    "bokeh": Scene("soft lights out of focus", _bokeh, Light(strength=0.5)),
    "gradient": Scene("a colour gradient", _gradient, Light(strength=0.35, wrap=0.2), coloured=True),
    "studio": Scene("studio paper", _studio, Light(strength=0.35, wrap=0.2), coloured=True),
}
PLAIN_LIGHT: Final = Light(strength=0.15, wrap=0.1)
