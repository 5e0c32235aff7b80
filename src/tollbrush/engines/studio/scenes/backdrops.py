"""Backdrops painted by rule: skies, lights and studio papers. Nothing is stored and every seed gives another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.pixels.light import Light
from tollbrush.engines.studio.pixels.noise import Fractal, Frame, Texture, blend, colour, gradient, painted
from tollbrush.engines.studio.scenes import skies
from tollbrush.engines.studio.scenes.lands import foggy, hills, mountains, snowy
from tollbrush.engines.studio.scenes.shore import beach

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.pixels.noise import Painter, Painting

    Map = NDArray[np.float32]
    ScenePainter = Callable[[Frame, np.random.Generator, str | None], Painting]

RGB = tuple[int, int, int]

_LIGHTS: Final = (  # of one street each, the commonest first
    ("#ffb056", "#ffd9a0", "#ff8a4a", "#ff5c4d", "#9fc4ff"), ("#ffcf8a", "#ffb35c", "#f2e3c0", "#ff9f6b", "#7fb8ff"),
    ("#8fb7ff", "#ffd2a0", "#c7b2ff", "#ff9ac0", "#ffb35c"), ("#ffc46b", "#9be0c8", "#ffe7b8", "#ff8f5a", "#8fb7ff"),
)  # fmt: skip
_DISCS: Final = (  # how many, how far from the street, radius from … to, light from … to
    (26, 0.26, (0.045, 0.085), (0.02, 0.11)), (64, 0.17, (0.020, 0.040), (0.06, 0.38)),
    (90, 0.09, (0.007, 0.016), (0.25, 0.85)),
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """`words` names it in a plan; `light` is what it throws on a subject; `coloured` scenes take a colour."""

    words: str
    painter: ScenePainter
    light: Light
    coloured: bool = False


def paint(name: str, size: Size, seed: int, colour: RGB | None = None, towards: RGB | None = None) -> Pixels:
    """The scene `name` of SCENES, H×W×3. Same arguments, same bytes; another seed, another picture. `colour` (RGB,
    0..255) is the main colour of `coloured` scenes; others ignore it; `towards` is
    the other end of a gradient. Raises KeyError for an unknown name."""
    if colour is not None and towards is not None:
        return painted(_between(colour, towards), size, seed)
    scene = SCENES[name]
    main = None if colour is None else "#{:02x}{:02x}{:02x}".format(*colour)
    return painted(lambda frame, random: scene.painter(frame, random, main), size, seed)


def plain(size: Size, colour: RGB) -> Pixels:
    """One colour all over, H×W×3."""
    return np.full((size.height, size.width, 3), colour, np.uint8)


def _bokeh(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    """City lights far out of focus: small ones crowd far away, a few large ones hang near."""
    tints = [colour(code) for code in _LIGHTS[random.integers(len(_LIGHTS))]]
    dark = gradient([(0, "#0b0a12"), (0.5, "#221a20"), (1, "#0a090d")])
    glow = Texture.spectral(random, side=128, fall=2.6, lowest=1)
    street = random.uniform(0.42, 0.56)
    discs = [
        (
            random.uniform(-0.52, 0.52) * frame.width / frame.side,
            (street + spread * random.normal()) * frame.tall,
            random.uniform(*radii),
            tints[min(int(random.exponential(1.2)), len(tints) - 1)] * random.uniform(*bright),
        )
        for count, spread, radii, bright in _DISCS
        for _ in range(count)
    ]

    def painting(rows: slice) -> Map:
        x, y = frame.x(), frame.y(rows)
        warm = np.square(np.clip(0.5 + 0.3 * glow.at(0.6 * x, 0.6 * y * frame.tall), 0, 1))
        scene = np.asarray(dark(y) + warm[..., None] * colour("#5a3418") * 0.4, np.float32)
        down = y[:, 0] * frame.tall
        for at, low, radius, tint in discs:
            across, along = (
                np.flatnonzero(abs(x[0] - at) < radius * 1.1),
                np.flatnonzero(abs(down - low) < radius * 1.1),
            )
            if not (len(across) and len(along)):
                continue
            part = slice(along[0], along[-1] + 1), slice(across[0], across[-1] + 1)
            far = np.hypot(x[:, part[1]] - at, down[part[0], None] - low) / radius
            # A lens's disc is a little brighter towards its edge; the nearer, the softer that is.
            soft = max(0.05 + 2.5 * radius, 1 / (radius * frame.side))
            disc = np.clip((1 - far) / soft + 0.5, 0, 1) * (0.66 + 0.34 * np.clip(far, 0, 1) ** 4)
            scene[part] += disc[..., None].astype(np.float32) * tint
        return np.asarray(1 - np.exp(-1.3 * scene), np.float32)  # where discs overlap they do not burn out

    return painting


def _gradient(frame: Frame, random: np.random.Generator, main: str | None) -> Painting:
    pairs = [
        ("#6a5af9", "#f66eb5"), ("#2e6bf0", "#43e0c8"), ("#ff7a59", "#ffcf71"), ("#5b2a86", "#ff6f91"),
        ("#0f9b8e", "#b8e986"), ("#1f4068", "#e43f5a"), ("#3a1c71", "#ffaf7b"), ("#2193b0", "#b7e4ee"),
    ]  # fmt: skip
    first, second = pairs[random.integers(len(pairs))] if main is None else (main, _lighter(main))
    angle = np.deg2rad(random.uniform(25, 65)) * random.choice([-1, 1])
    ends = np.cbrt(colour(first)), np.cbrt(colour(second))
    aside, down = float(np.sin(angle)), float(np.cos(angle))
    long = abs(aside) + down

    def painting(rows: slice) -> Map:
        across = frame.x() * frame.side / frame.width
        way = ((frame.y(rows) - 0.5) * down + across * aside) / long + 0.5
        return np.asarray(blend(*ends, np.clip(way, 0, 1).astype(np.float32)) ** 3, np.float32)

    return painting


def _between(first: RGB, second: RGB) -> Painter:
    """From one colour at the top to another at the foot."""
    codes = ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in (first, second)]

    def painter(frame: Frame, _: np.random.Generator) -> Painting:
        down = gradient([(0.5 / frame.height, codes[0]), (1 - 0.5 / frame.height, codes[1])])
        return lambda rows: np.broadcast_to(down(frame.y(rows)), (rows.stop - rows.start, frame.width, 3))

    return painter


def _lighter(code: str) -> str:
    return "#" + "".join(f"{(int(code[i : i + 2], 16) + 2 * 255) // 3:02x}" for i in (1, 3, 5))


def _studio(frame: Frame, random: np.random.Generator, main: str | None) -> Painting:
    """Mottled paper with a pool of light behind the subject's head."""
    at_x, at_y = random.uniform(-0.06, 0.06), random.uniform(0.36, 0.46)
    mottle = Fractal(random, fall=1.9, lowest=2)
    tint = colour(main or "#8a8f98")

    def painting(rows: slice) -> Map:
        x, y = frame.x() * frame.side / frame.width, frame.y(rows)
        pool = 1.55 * np.exp(-(np.square((x - at_x) / 0.55) + np.square((y - at_y) / 0.55))) + 0.22
        paper = 1 + 0.05 * mottle.at(0.9 * frame.x(), 0.9 * y * frame.tall)
        return np.asarray((pool * paper)[..., None] * tint, np.float32)

    return painting


def _starry(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    return hills(frame, random, skies.starry(frame, random, 0.82), 0.82, "#0a1222", "#2b3c62")


def _sunset(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    return hills(frame, random, skies.sunset(frame, random, 0.76), 0.76, "#1a1219", "#b9705f")


def _night(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    return hills(frame, random, skies.night(frame, random, 0.80), 0.80, "#0b1222", "#2a3a60")


def _blue_sky(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    return skies.blue_sky(frame, random, 1.0)


def _clouds(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    return skies.cloudscape(frame, random, 1.0)


SCENES: Final[Mapping[str, Scene]] = {
    "starry": Scene("a starry sky", _starry, Light(strength=0.8, night=True)),
    "sunset": Scene("a sunset", _sunset, Light()),
    "blue_sky": Scene("a blue sky", _blue_sky, Light(strength=0.5)),
    "night": Scene("a moonlit night", _night, Light(strength=0.8, night=True)),
    "clouds": Scene("clouds", _clouds, Light(strength=0.5)),
    "mountains": Scene("mountains", mountains, Light(strength=0.5)),
    "snow": Scene("a snowy landscape", snowy, Light(strength=0.5, shadow=0.7, ground=0.62)),
    "fog": Scene("hills in fog", foggy, Light(strength=0.5)),
    "beach": Scene("a beach", beach, Light(strength=0.5, shadow=0.9, ground=0.80)),
    "bokeh": Scene("soft lights out of focus", _bokeh, Light(strength=0.5)),
    "gradient": Scene("a colour gradient", _gradient, Light(strength=0.35, wrap=0.2, shadow=0.6), coloured=True),
    "studio": Scene("studio paper", _studio, Light(strength=0.35, wrap=0.2, shadow=0.9), coloured=True),
}
PLAIN_LIGHT: Final = Light(strength=0.15, wrap=0.1)  # no shadow: shops ask for pure white
