"""Landscapes painted by rule: mountains, snow, hills in fog, dark hills under a night or evening sky."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tollbrush.engines.studio.pixels.noise import Fractal, Frame, blend, colour
from tollbrush.engines.studio.scenes import skies
from tollbrush.engines.studio.scenes.terrain import Ground, View, firs, ridged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.studio.pixels.noise import Painting

    Map = NDArray[np.float32]


def mountains(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    """Alps on a clear day above wooded hills, each paler with distance."""
    horizon = 0.62
    sky = skies.blue_sky(frame, random, horizon)
    ground = Ground(
        ridged(random), 30.0, firs(random), 1.4,
        swell=((0, 0.25), (2, 0.6), (5, 1.3), (9, 4.6), (20, 6.6), (40, 5.5)),
        lift=((0, 0), (2, -0.20), (5, -0.50), (9, -1.0), (40, -1.0)),
        bumps=((0, 0.014), (9, 0.020), (16, 0.02), (20, 0)),
        folds=((0, 0.10), (4, 0.25), (9, 0.5), (40, 0.6)), limit=1.5,
    )  # fmt: skip
    view = View(frame, ground, eye=0.35, horizon=horizon, far=34)
    sun = _towards(random.choice([-0.75, 0.75]), 0.55, -0.30)
    grain = Fractal(random, fall=1.4, lowest=4)

    def land(x: Map, z: Map) -> Map:
        level, wood, aside, beyond = view.slopes(x, z, least=0.004)
        light, steep = _lit(aside, beyond, sun)
        mottle = grain.at(x / 3, z / 3)
        stone = blend(colour("#5d5a58"), colour("#857f78"), np.clip(0.5 + 0.3 * mottle, 0, 1))
        meadow = blend(colour("#4d6236"), colour("#7a8450"), np.clip(0.5 + 0.3 * mottle, 0, 1))
        body = blend(meadow, stone, np.clip((level - 1.15 + 0.2 * mottle) / 0.3 + np.clip(steep - 0.9, 0, 1), 0, 1))
        body = blend(
            body,
            blend(colour("#2c4423"), colour("#5b6b34"), np.clip(0.3 + 0.5 * mottle, 0, 1))
            * (0.45 + 70 * wood[..., None]),
            np.clip((0.95 - level + 0.22 * mottle) / 0.10, 0, 1),
        )
        lies = np.clip((level - 1.35 + 0.12 * mottle) / 0.35, 0, 1) * np.clip((1.55 - steep) / 0.5, 0, 1)
        body = blend(body, np.broadcast_to(colour("#f4f7fb"), body.shape), lies)
        body = body * _sunny(light, 1.0, 0.24)
        return _hazed(body, z, colour("#b4cfe8"), 22)

    return view.before(sky, land)


def snowy(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    """Fields of snow, blue in the hollows, firs beyond them, and mountains under a winter sky."""
    horizon = 0.56
    sky = skies.winter(frame, random, horizon)
    ground = Ground(
        ridged(random), 30.0, firs(random, between=5, broad=0.8), 1.2,
        swell=((0, 0.05), (1.0, 0.25), (4, 0.7), (8, 2.6), (18, 3.6), (40, 3.6)),
        lift=((0, -0.025), (1.0, -0.09), (4, -0.20), (8, -0.50), (40, -0.6)),
        bumps=((0, 0), (2.6, 0), (3.2, 0.022), (7, 0.022), (9, 0.02), (12, 0)),
        folds=((0, 0.10), (0.8, 0.10), (4, 0.2), (8, 0.45), (40, 0.5)), limit=0.42,
    )  # fmt: skip
    view = View(frame, ground, eye=0.045, horizon=horizon, far=30)
    drifts = Fractal(random, fall=2.0, lowest=3)
    sun = _towards(random.choice([-0.85, 0.85]), 0.40, 0.25)

    def land(x: Map, z: Map) -> Map:
        _, wood, aside, beyond = view.slopes(x, z, least=0.002)
        drift = drifts.at(x / 0.30, z / 0.45)
        near = np.exp(-z / 0.5)
        light, steep = _lit(aside + 0.10 * near * drift, beyond, sun)
        light = np.asarray(light + 0.06 * near * drifts.at(x / 0.05 + 0.3, z / 0.11), np.float32)
        snow = blend(colour("#7f9fc9"), colour("#fffaf2"), np.clip(0.08 + 1.25 * light, 0, 1))
        stone = colour("#6b7480") * (0.6 + 0.8 * light)[..., None]
        body = blend(snow, stone, np.clip((steep - 1.25) / 0.5, 0, 1))
        fir = blend(colour("#26353a"), colour("#b9c8d6"), np.clip(55 * wood - 0.45, 0, 0.7))
        body = blend(body, fir, np.clip(wood / 0.002, 0, 1))
        return _hazed(np.asarray(body, np.float32), z, colour("#cddcea"), 17)

    return view.before(sky, land)


def foggy(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    """Wooded hills that fade one behind the other into morning fog."""
    horizon = 0.40
    air = skies.overcast(frame, random, horizon)
    ground = Ground(
        ridged(random), 9.0, firs(random, between=9), 0.42,
        swell=((0, 0.12), (0.8, 0.42), (3, 0.75), (9, 1.3)),
        lift=((0, -0.10), (0.8, -0.16), (3, -0.28), (9, -0.42)),
        bumps=((0, 0.020), (1.5, 0.026), (9, 0.028)),
    )  # fmt: skip
    view = View(frame, ground, eye=0.20, horizon=horizon, far=9)
    banks = Fractal(random, fall=1.9, lowest=2)
    veil = colour("#d9dfe2")

    def land(x: Map, z: Map) -> Map:
        level, wood, aside, beyond = view.slopes(x, z, least=0.0015)
        light, _ = _lit(aside, beyond, _towards(0.3, 0.9, -0.3))
        fir = blend(colour("#16211f"), colour("#4a5a4c"), np.clip(28 * wood, 0, 1)) * (0.55 + 0.6 * light)[..., None]
        bank = np.exp(-np.maximum(level + 0.05, 0) / 0.10) * np.clip(1 + 0.5 * banks.at(x / 3, z / 3), 0.2, 2)
        through = np.exp(-z * (0.16 + 0.75 * bank))
        return np.asarray(veil + (fir - veil) * through[..., None], np.float32)

    return view.before(air, land)


def hills(frame: Frame, random: np.random.Generator, sky: Painting, horizon: float, near: str, far: str) -> Painting:
    """`sky` behind dark wooded hills that take on the colour `far` with distance."""
    ground = Ground(
        ridged(random, side=384), 14.0, firs(random), 0.6,
        swell=((0, 0.05), (1.5, 0.30), (5, 0.7), (14, 1.7)),
        lift=((0, -0.05), (1.5, -0.12), (5, -0.24), (14, -0.50)),
        bumps=((0, 0.012), (4, 0.018), (10, 0.015)),
    )  # fmt: skip
    view = View(frame, ground, eye=0.14, horizon=horizon, far=14, step=1.012)
    dark, pale, sun = colour(near), colour(far), _towards(0.5, 0.6, 0.4)

    def land(x: Map, z: Map) -> Map:
        _, wood, aside, beyond = view.slopes(x, z, least=0.002)
        light, _ = _lit(aside, beyond, sun)
        body = dark * (0.55 + 0.7 * light + 14 * wood)[..., None]
        return _hazed(np.asarray(body, np.float32), z, pale, 7.5)

    return view.before(sky, land)


def _towards(x: float, y: float, z: float) -> tuple[float, float, float]:
    long = float(np.sqrt(x * x + y * y + z * z))
    return x / long, y / long, z / long


def _lit(aside: Map, beyond: Map, sun: tuple[float, float, float]) -> tuple[Map, Map]:
    """Lambert's cosine and the steepness of slopes that rise by `aside` and `beyond`."""
    steep = np.hypot(aside, beyond)
    cosine = (sun[1] - aside * sun[0] - beyond * sun[2]) / np.sqrt(1 + np.square(steep))
    return np.asarray(np.maximum(cosine, 0), np.float32), np.asarray(steep, np.float32)


def _sunny(light: Map, sun: float, sky: float) -> Map:
    """Warm where the sun falls, blue where only the sky does."""
    warm, cold = np.array([1.10, 1.0, 0.88], np.float32), np.array([0.80, 0.98, 1.25], np.float32)
    return np.asarray(1.25 * sun * light[..., None] * warm + sky * cold, np.float32)


def _hazed(body: Map, z: Map, air: Map, clear: float) -> Map:
    """Koschmieder's law: at `clear` km two thirds are air."""
    return np.asarray(air + (body - air) * np.exp(-z / np.float32(clear))[..., None], np.float32)
