"""Backdrops painted by rule: skies, lights and studio papers. Nothing is stored and every seed gives another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio import skies
from tollbrush.engines.studio.lands import beach, foggy, mountains, ridges, snowy
from tollbrush.engines.studio.light import Light
from tollbrush.engines.studio.noise import blend, colour, fractal, grid, vertical

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]
    Painter = Callable[[int, int, np.random.Generator, str | None], Map]

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Scene:
    """`words` names it in a plan; `light` is what it throws on a subject; `coloured` scenes take a colour."""

    words: str
    painter: Painter
    light: Light
    coloured: bool = False


def paint(name: str, size: Size, seed: int, colour: RGB | None = None, towards: RGB | None = None) -> Pixels:
    """The scene `name` of SCENES, H×W×3. Same arguments, same bytes; another seed, another picture. `colour` (RGB,
    0..255) is the main colour of `coloured` scenes; others ignore it; `towards` is
    the other end of a gradient. Raises KeyError for an unknown name."""
    if colour is not None and towards is not None:
        return skies.painted(lambda height, width, _: _between(height, width, colour, towards), size, seed)
    scene = SCENES[name]
    main = None if colour is None else "#{:02x}{:02x}{:02x}".format(*colour)
    return skies.painted(lambda height, width, random: scene.painter(height, width, random, main), size, seed)


def plain(size: Size, colour: RGB) -> Pixels:
    """One colour all over, H×W×3."""
    return np.full((size.height, size.width, 3), colour, np.uint8)


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
    rows, columns = grid(height, width)
    angle = np.deg2rad(random.uniform(25, 65))
    way = columns / width * np.cos(angle) + rows / height * np.sin(angle)
    way = (way - way.min()) / max(float(np.ptp(way)), 1e-6)
    return blend(np.cbrt(colour(first)), np.cbrt(colour(second)), way) ** 3


def _between(height: int, width: int, first: RGB, second: RGB) -> Map:
    """From one colour at the top to another at the foot."""
    codes = ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in (first, second)]
    down = np.broadcast_to(np.linspace(0, 1, height, dtype=np.float32)[:, None], (height, width))
    return blend(np.cbrt(colour(codes[0])), np.cbrt(colour(codes[1])), down) ** 3


def _lighter(code: str) -> str:
    return "#" + "".join(f"{(int(code[i : i + 2], 16) + 2 * 255) // 3:02x}" for i in (1, 3, 5))


def _studio(height: int, width: int, random: np.random.Generator, main: str | None) -> Map:
    """Mottled paper with a pool of light behind the subject's head."""
    rows, columns = grid(height, width)
    x, y = random.uniform(0.44, 0.56), random.uniform(0.36, 0.46)
    far = np.hypot(columns / width - x, rows / height - y)
    pool = 1.55 * np.exp(-np.square(far / 0.55)) + 0.22
    mottle = 1 + 0.05 * fractal(height, width, random, detail=2.5, octaves=5)
    return (pool * mottle)[..., None] * colour(main or "#8a8f98")


def _starry(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    sky = skies.starry(height, width, random, 0.82)
    return ridges(sky, random, 0.82, ("#1a2745", "#0f1830", "#070c1a"))


def _sunset(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    sky = skies.sunset(height, width, random, 0.74)
    return ridges(sky, random, 0.74, ("#8a4f63", "#4f2f4a", "#241a30"), height=0.055)


def _night(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    sky = skies.night(height, width, random, 0.78)
    return ridges(sky, random, 0.78, ("#16223f", "#0c1529", "#060a15"), height=0.06)


def _blue_sky(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    return skies.blue_sky(height, width, random, 1.0)


def _clouds(height: int, width: int, random: np.random.Generator, _: str | None) -> Map:
    return skies.cloudscape(height, width, random, 1.0)


SCENES: Final[Mapping[str, Scene]] = {
    "starry": Scene("a starry sky", _starry, Light(strength=0.8, night=True)),
    "sunset": Scene("a sunset", _sunset, Light()),
    "blue_sky": Scene("a blue sky", _blue_sky, Light(strength=0.5)),
    "night": Scene("a moonlit night", _night, Light(strength=0.8, night=True)),
    "clouds": Scene("clouds", _clouds, Light(strength=0.5)),
    "mountains": Scene("mountains", mountains, Light(strength=0.5)),
    "snow": Scene("a snowy landscape", snowy, Light(strength=0.5)),
    "fog": Scene("hills in fog", foggy, Light(strength=0.5)),
    "beach": Scene("a beach", beach, Light(strength=0.5)),
    "bokeh": Scene("soft lights out of focus", _bokeh, Light(strength=0.5)),
    "gradient": Scene("a colour gradient", _gradient, Light(strength=0.35, wrap=0.2), coloured=True),
    "studio": Scene("studio paper", _studio, Light(strength=0.35, wrap=0.2), coloured=True),
}
PLAIN_LIGHT: Final = Light(strength=0.15, wrap=0.1)
