"""Skies painted by rule, down to a horizon: below it is the horizon's own light, for land to be put before."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.pixels.noise import Fractal, Frame, blend, colour, gradient, painted
from tollbrush.engines.studio.scenes.clouds import FOCAL, Clouds, Weather
from tollbrush.engines.studio.scenes.stars import Stars
from tollbrush.engines.studio.scenes.storm import stormy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.pixels.noise import Painting
    from tollbrush.engines.studio.plans.treatments import SkyKind

    Map = NDArray[np.float32]
    SkyPainter = Callable[[Frame, np.random.Generator, float], Painting]


def paint_sky(kind: SkyKind, size: Size, seed: int) -> Pixels:
    """A sky without land, H×W×3, its horizon at the lower edge. Same arguments, same bytes."""
    return painted(lambda frame, random: _SKIES[kind](frame, random, 1.0), size, seed)


def starry(frame: Frame, random: np.random.Generator, horizon: float) -> Painting:
    """The Milky Way, with airglow where the air is thickest."""
    air = gradient([
        (0, "#04060f"), (0.43 * horizon, "#081029"), (0.76 * horizon, "#122148"), (horizon, "#31466f"), (1, "#3c4a6a"),
    ])  # fmt: skip
    galaxy = _Galaxy(frame, random)
    glowing = random.uniform(-0.4, 0.4)

    def clear(y: Map) -> Map:  # haze hides the low stars
        return np.asarray(np.clip((horizon - y) / 0.25, 0.12, 1), np.float32)

    def everywhere(x: Map, y: Map) -> Map:
        return (0.35 + 0.585 * galaxy.band(x, y)) * clear(y)

    def crowded(x: Map, y: Map) -> Map:
        return galaxy.core(x, y) * clear(y)

    layers = [
        Stars(frame, random, 5200, density=everywhere, brightness=1.2),
        Stars(frame, random, 16000, density=crowded, brightness=0.35),
    ]
    if frame.side > 1024:  # a sharper picture shows fainter ones
        layers.append(Stars(frame, random, 9000 * (frame.side // 1024), density=everywhere, brightness=0.3))

    def painting(rows: slice) -> Map:
        x, y = frame.x(), frame.y(rows)
        sky = np.array(np.broadcast_to(air(y), (len(y), frame.width, 3)))
        galaxy.shine(sky, x, y)
        for layer in layers:
            layer.shine(sky, rows)
        aside = 0.7 + 0.3 * np.exp(-np.square((x - glowing) / 0.3))
        sky += (np.exp(-np.square((y - horizon) / 0.10)) * aside)[..., None] * np.array(
            [0.075, 0.052, 0.040], np.float32
        )
        return sky

    return painting


class _Galaxy:
    """The Milky Way's band across an upper corner, where a subject leaves it to be seen."""

    def __init__(self, frame: Frame, random: np.random.Generator) -> None:
        aside = int(random.choice([-1, 1]))
        lean = math.radians(aside * random.uniform(36, 54))
        self._cos, self._sin = math.cos(lean), math.sin(lean)
        self._x, self._y = aside * random.uniform(0.20, 0.28) * frame.width / frame.side, random.uniform(0.22, 0.34)
        self._middle = random.uniform(-0.15, 0.15)
        self._tall = frame.tall
        self._coarse, self._fine = Fractal(random, fall=1.75), Fractal(random, fall=1.6, lowest=2)

    def _across(self, x: Map, y: Map) -> tuple[Map, Map, Map]:
        """Along the band and across it, with the coarse noise that bends it."""
        dx, dy = x - np.float32(self._x), (y - np.float32(self._y)) * self._tall
        coarse = self._coarse.at(0.5 * x, 0.5 * y * self._tall)
        return dx * self._cos + dy * self._sin, dy * self._cos - dx * self._sin + 0.040 * coarse, coarse

    def band(self, x: Map, y: Map) -> Map:
        """0..1: where its outer stars are."""
        return np.asarray(np.exp(-np.square(self._across(x, y)[1] / 0.12)), np.float32)

    def core(self, x: Map, y: Map) -> Map:
        """0..1: where its stars crowd."""
        along, bent, _ = self._across(x, y)
        return np.asarray(np.exp(-np.square(bent / 0.055) - np.square((along - self._middle) / 0.42)), np.float32)

    def shine(self, sky: Map, x: Map, y: Map) -> None:
        """Adds its glow; dust lies along the middle in torn lanes, and reddens what shines through it."""
        along, bent, coarse = self._across(x, y)
        seen = np.atleast_1d((np.abs(bent) < 0.30).any(axis=1))  # rows that it crosses
        if not seen.any():
            return
        some = slice(int(seen.argmax()), len(seen) - int(seen[::-1].argmax()))
        along, bent, coarse, sky = along[some], bent[some], coarse[some], sky[some]
        fine = self._fine.at(0.9 * x, 0.9 * y[some] * self._tall)
        core = np.exp(-np.square(bent / 0.055) - np.square((along - self._middle) / 0.42))
        torn = np.clip(0.55 + 0.5 * fine - 0.25 * coarse, 0, 1)
        dust = torn * np.exp(-np.square((bent + 0.020 * fine) / 0.042))
        cloud = np.clip(0.62 + 0.34 * coarse + 0.22 * fine, 0, 2)
        haze, bulge, kept = np.exp(-np.square(bent / 0.12)) * cloud, core * cloud * np.sqrt(cloud), 1 - 0.3 * dust
        for channel, (outer, inner, reddened) in enumerate(
            ((0.042, 0.190, 0.66), (0.052, 0.143, 0.76), (0.090, 0.126, 0.82))
        ):
            sky[..., channel] *= kept
            sky[..., channel] += (haze * outer + bulge * inner) * (1 - dust * reddened)


def sunset(frame: Frame, random: np.random.Generator, horizon: float) -> Painting:
    """A low sun and cloud lit from below."""
    deep = gradient([
        (0, "#27335f"), (0.34 * horizon, "#5a4a80"), (0.61 * horizon, "#b5627e"), (0.81 * horizon, "#f08a5d"),
        (0.945 * horizon, "#ffc37a"), (horizon, "#ffdf9e"), (1.001, "#ffd08a"),
    ])  # fmt: skip
    # Beside the subject, not behind.
    sun = random.choice([-1, 1]) * random.uniform(0.16, 0.36) * frame.width / frame.side
    low = random.uniform(0.055, 0.10)
    clouds = Clouds(
        frame, random, Weather(cover=random.uniform(0.46, 0.66), tall=0.30, dense=9, torn=0.75),
        horizon=horizon + 0.02, sun=(sun / FOCAL, -0.02, 1.0),
    )  # fmt: skip

    def painting(rows: slice) -> Map:
        x, y = frame.x(), frame.y(rows)
        far = np.hypot(x - sun, (y - horizon + low) * frame.tall).astype(np.float32)
        sky = np.array(np.broadcast_to(deep(y), (len(y), frame.width, 3)))
        near_sun = np.exp(-far / 0.38)
        for shape, tint in (
            (np.exp(-far / 0.16), (0.60, 0.24, 0.05)),
            (np.exp(-far / 0.035), (1.6, 0.9, 0.35)),
            (np.clip((0.017 - far) / 0.004 + 0.5, 0, 1), (6.0, 4.6, 2.6)),
        ):
            sky = 1 - (1 - sky) * np.exp(-shape[..., None] * np.array(tint, np.float32))
        cover, lit, ambient, near = clouds.at(rows)
        fire = blend(colour("#d5607a"), colour("#ffb163"), near_sun) * (0.35 + 1.25 * lit)[..., None]
        body = blend(colour("#3d3560"), colour("#8d5a6c"), near_sun) * (0.55 + 0.75 * ambient)[..., None]
        body = np.asarray(body + 0.75 * fire * (0.55 + 1.1 * near_sun)[..., None], np.float32)
        body = blend(sky, body, np.clip(0.25 + 1.4 * near, 0, 1))
        return blend(sky, body, 0.92 * cover * (1 - 0.8 * np.exp(-np.square(far / 0.03))))

    return painting


def blue_sky(frame: Frame, random: np.random.Generator, horizon: float) -> Painting:
    """Fair-weather cloud, smaller and paler towards the horizon."""
    return _day(frame, random, horizon, Weather(cover=random.uniform(0.20, 0.30), tall=0.42), "#2f6fc0")


def cloudscape(frame: Frame, random: np.random.Generator, horizon: float) -> Painting:
    """A sky full of white cloud, blue showing between."""
    return _day(frame, random, horizon, Weather(cover=random.uniform(0.44, 0.56), tall=0.45), "#3d7cc4")


def _day(frame: Frame, random: np.random.Generator, horizon: float, weather: Weather, zenith: str) -> Painting:
    air = gradient([
        (0, zenith), (0.5 * horizon, "#6aa2dd"), (0.85 * horizon, "#b9d6ee"), (horizon, "#d9e8f3"), (1.001, "#d9e8f3"),
    ])  # fmt: skip
    sun = (random.choice([-1, 1]) * random.uniform(0.5, 0.9), 0.75, -0.25)
    clouds = Clouds(frame, random, weather, horizon=horizon + 0.03, sun=sun)

    def painting(rows: slice) -> Map:
        sky = air(frame.y(rows))
        cover, lit, ambient, near = clouds.at(rows)
        white = lit[..., None] * np.array([1.04, 1.0, 0.95], np.float32)
        body = np.asarray(white + ambient[..., None] * np.array([0.32, 0.40, 0.50], np.float32), np.float32)
        body = 1 - np.exp(-1.75 * body)  # film rolls highlights off, so that white keeps its form
        return blend(sky, blend(sky, body, np.clip(1.6 * near, 0, 1)), cover)

    return painting


def night(frame: Frame, random: np.random.Generator, horizon: float) -> Painting:
    """A moonlit evening: few stars, thin cloud."""
    air = gradient([(0, "#060a1a"), (0.64 * horizon, "#101d40"), (horizon, "#2a3d66"), (1.001, "#324468")])
    moon_x = random.choice([-1, 1]) * random.uniform(0.26, 0.40) * frame.width / frame.side
    moon_y = random.uniform(0.14, 0.24)
    seas = Fractal(random, fall=1.7, lowest=3)

    def clear(_: Map, y: Map) -> Map:
        return np.asarray(np.clip((horizon - y) / 0.3, 0.05, 1), np.float32)

    stars = Stars(frame, random, 1400, density=clear, brightness=0.8)
    height = max((horizon - moon_y) * frame.tall / FOCAL, 0.1)
    clouds = Clouds(
        frame, random, Weather(cover=random.uniform(0.28, 0.42), tall=0.22, dense=7, torn=0.9),
        horizon=horizon + 0.02, sun=(moon_x / FOCAL, height, 1.0),
    )  # fmt: skip

    def painting(rows: slice) -> Map:
        x, y = frame.x(), frame.y(rows)
        sky = np.array(np.broadcast_to(air(y), (len(y), frame.width, 3)))
        stars.shine(sky, rows)
        far = np.hypot(x - moon_x, (y - moon_y) * frame.tall).astype(np.float32)
        sky += (np.exp(-far / 0.10) + 1.5 * np.exp(-far / 0.03))[..., None] * np.array([0.10, 0.12, 0.16], np.float32)
        disc = np.clip((0.026 - far) * frame.side / 1.5 + 0.5, 0, 1)
        round_ = 1 - 0.35 * np.clip(far / 0.026, 0, 1) ** 4  # the limb is a little darker
        face = np.clip(0.90 - 0.15 * seas.at(3 * x, 3 * y * frame.tall), 0.4, 1) * round_
        sky = blend(sky, face[..., None] * np.array([1.0, 0.98, 0.92], np.float32), disc)
        cover, lit, ambient, _ = clouds.at(rows)
        shine = np.exp(-far / 0.20)
        body = ambient[..., None] * colour("#1a2646") + (lit * (0.10 + 0.9 * shine))[..., None] * colour("#9fb0d6")
        return blend(sky, np.asarray(body, np.float32), 0.9 * cover)

    return painting


_SKIES: Final[dict[SkyKind, SkyPainter]] = {
    "sunset": sunset, "blue_sky": blue_sky, "starry": starry, "night": night, "stormy": stormy,
}  # fmt: skip


def winter(frame: Frame, random: np.random.Generator, horizon: float) -> Painting:
    """Pale and high, with thin cloud."""
    air = gradient([(0, "#7ba6d3"), (0.6 * horizon, "#b7d0e6"), (horizon, "#ece8e4"), (1.001, "#ece8e4")])
    sun = (random.choice([-1, 1]) * 0.8, 0.5, 0.3)
    weather = Weather(cover=random.uniform(0.30, 0.55), tall=0.18, dense=5, torn=0.9)
    clouds = Clouds(frame, random, weather, horizon=horizon + 0.03, sun=sun)

    def painting(rows: slice) -> Map:
        sky = air(frame.y(rows))
        cover, lit, ambient, near = clouds.at(rows)
        body = (0.55 * lit + 0.5 * ambient)[..., None] * np.array([1.0, 0.98, 0.96], np.float32) + 0.12
        return blend(sky, blend(sky, np.asarray(body, np.float32), np.clip(1.5 * near, 0, 1)), 0.8 * cover)

    return painting


def overcast(frame: Frame, random: np.random.Generator, horizon: float) -> Painting:
    """Fog overhead: nearly one grey, a little lighter where it is thin."""
    air = gradient([(0, "#bcc6cd"), (horizon, "#d9dfe2"), (1.001, "#d9dfe2")])
    thin = Fractal(random, fall=2.1)

    def painting(rows: slice) -> Map:
        y = frame.y(rows)
        banks = thin.at(0.4 * frame.x(), 0.9 * y * frame.tall)
        return np.asarray(air(y) * (1 + 0.035 * banks)[..., None], np.float32)

    return painting
