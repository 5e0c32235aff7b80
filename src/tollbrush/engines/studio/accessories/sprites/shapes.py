"""Shapes in the head's frame that the wearables are made of. φ runs around the head: 0 in front, π/2 at the viewer's
right; lengths are units (the distance between the eyes)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.accessories.sprites.mesh import Colour, Floats, Surface

DEEP = 1.16  # a head is deeper than wide
AROUND = 361


def rgb(colour: Colour) -> Floats:
    return np.array(colour, np.float32)


def ramp(start: float, stop: float, count: int) -> Floats:
    """A column from start to stop."""
    return np.linspace(start, stop, count, dtype=np.float32)[:, None]


def around(count: int = AROUND) -> Floats:
    """φ once around, as a row; starts behind the head, where the seam is hidden."""
    return np.linspace(-np.pi, np.pi, count, dtype=np.float32)[None, :]


def grid(x: NDArray[Any] | float, y: NDArray[Any] | float, z: NDArray[Any] | float) -> Floats:
    """rows × columns × 3 from coordinates that broadcast."""
    return np.asarray(np.stack(np.broadcast_arrays(x, y, z), axis=-1), np.float32)


def ring(phi: Floats, a: Floats | float, y: Floats | float) -> Floats:
    """An oval around the head, half width `a`, at height y."""
    return grid(a * np.sin(phi), y, DEEP * a * np.cos(phi))


def wall(phi: Floats, profile: list[tuple[float, float]], a: float, base: float, rows: int = 60) -> Floats:
    """A turned side from points (height above `base`, radius against `a`)."""
    heights, radii = np.array(profile, np.float32).T
    t, knots = np.linspace(0, 1, rows), np.linspace(0, 1, len(heights))
    up = np.interp(t, knots, heights).astype(np.float32)[:, None]
    wide = np.interp(t, knots, radii).astype(np.float32)[:, None]
    return ring(phi, a * wide, base - up)


def lid(phi: Floats, a: float, y: float, rise: float = 0.0) -> Floats:
    """The closed top of a crown."""
    s = ramp(1, 0.01, 12)
    return ring(phi, a * s, y - rise * (1 - s * s))


def ball(centre: tuple[float, float, float], rx: float, ry: float, rz: float, count: int = 25) -> Floats:
    """An ellipsoid."""
    turn, tilt = around(count), ramp(0, np.pi, count)
    x = centre[0] + rx * np.sin(tilt) * np.sin(turn)
    return grid(x, centre[1] - ry * np.cos(tilt), centre[2] + rz * np.sin(tilt) * np.cos(turn))


def cord(path: Floats, radius: float | Floats, up: tuple[float, float, float] = (0, 1, 0)) -> Floats:
    """A round cord along points (columns × 3); `up` must not run along it."""
    along = np.gradient(path, axis=0)
    across = np.cross(along, np.array(up, np.float32))
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    lift = np.cross(across, along)
    lift /= np.maximum(np.linalg.norm(lift, axis=1, keepdims=True), 1e-6)
    turn = ramp(0, 2 * np.pi, 17)[..., None]
    thick = np.reshape(np.asarray(radius, np.float32), (1, -1, 1))
    return np.asarray(path + thick * (np.cos(turn) * across + np.sin(turn) * lift), np.float32)


def rows_open(values: Floats, like: Floats) -> Floats:
    """A column of openness to light, for each vertex of `like`."""
    return np.asarray(np.broadcast_to(values, like.shape[:2]), np.float32)


def near_dark(rows: int, dark: float, until: float) -> Floats:
    """Openness of a surface that leaves a corner: `dark` in the corner, 1 from `until` (share of the rows) on."""
    return np.asarray(dark + (1 - dark) * np.clip(ramp(0, 1, rows) / until, 0, 1) ** 0.7, np.float32)


def edge(path: Floats, radius: float, colour: Floats, **look: Any) -> Surface:
    """A rolled or bound edge along a closed, about level path."""
    return Surface(cord(path, radius), colour, **look)
