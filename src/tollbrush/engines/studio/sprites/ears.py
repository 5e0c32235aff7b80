"""What rises from the hair: ears, horns, a halo, a crown of flowers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tollbrush.engines.studio.head import Head
from tollbrush.engines.studio.sprites.mesh import Colour, Floats, Part, Surface
from tollbrush.engines.studio.sprites.shapes import (
    DEEP,
    around,
    ball,
    cord,
    grid,
    near_dark,
    ramp,
    rgb,
    ring,
    rows_open,
)

_PLUSH: Final[dict[str, Any]] = {"gloss": 0.02, "rough": 0.6, "sheen": 0.22, "noise": 0.10}
_SIDES: Final = (-1.0, 1.0)


def cat_ears(head: Head, colour: Colour) -> list[Part]:
    """Pointed, plush, pink inside, on a narrow band."""
    base = head.top + 0.46
    tall = float(np.clip(head.room + base - 0.1, 0.6, 1.05))
    parts: list[Part] = [_band(head, colour)]
    for side in _SIDES:
        parts.append(_ear(side, base, tall, 0.46, rgb(colour), depth=0.10, power=0.85, out=(0.84, 0.20)))
        parts.append(_ear(side, base - 0.10, 0.74 * tall, 0.29, rgb((0.90, 0.60, 0.62)), 0.16, 0.85, (0.84, 0.17)))
    return parts


def bunny_ears(head: Head, colour: Colour) -> list[Part]:
    """Long and upright, pink inside, on a narrow band."""
    base = head.top + 0.34
    tall = float(np.clip(head.room + base - 0.1, 0.9, 2.3))
    parts: list[Part] = [_band(head, colour)]
    for side in _SIDES:
        for grown, wide, tint, depth in ((1.0, 0.30, rgb(colour), 0.10), (0.86, 0.17, rgb((0.93, 0.66, 0.69)), 0.17)):
            t, s = ramp(0, 1, 60), np.linspace(-1, 1, 41, dtype=np.float32)[None]
            half = wide * np.sin(np.pi * np.clip(0.16 + 0.84 * t, 0, 0.999)) ** 0.62
            x = side * (0.44 + 0.26 * t + 0.10 * np.sin(np.pi * t)) + s * half
            y = base - 0.10 * (1 - grown) - t * tall * grown
            points = grid(x, y, 0.30 + depth - 0.16 * s**2)
            parts.append(Surface(points, tint, open=rows_open(near_dark(60, 0.55, 0.2), points), **_PLUSH))
    return parts


def devil_horns(head: Head, colour: Colour) -> list[Part]:
    """Ringed, tapering, curved outwards and up."""
    base = head.top + 0.46
    tall = float(np.clip(head.room + base - 0.1, 0.55, 1.0))
    t = np.linspace(0, 1, 60, dtype=np.float32)
    thick = 0.20 * (1 - t) ** 0.8 * (1 + 0.05 * np.sin(40 * t)) + 0.008
    parts: list[Part] = []
    for side in _SIDES:
        x = side * (0.72 + 0.36 * np.sin(1.9 * t))
        path = np.stack([x, base - tall * t**1.15, 0.35 + 0.12 * t], 1).astype(np.float32)
        horn = cord(path, np.asarray(thick, np.float32), up=(0, 0, 1))
        parts.append(Surface(horn, rgb(colour), gloss=0.45, rough=0.25, noise=0.03))
    return parts


def halo(head: Head, colour: Colour) -> list[Part]:
    """A shining ring that hovers over the head."""
    lift = float(np.clip(head.room + head.top - 0.12, 0.05, 0.45))
    phi = around(241)
    level = ring(phi, 0.82 * head.half_width, head.top - lift)[0]
    shine = np.clip(rgb(colour) * 1.5 + 0.12, 0, 1.3)
    return [Surface(cord(level, 0.075), np.asarray(shine, np.float32), gloss=0.7, rough=0.3, noise=0.0)]


def flower_crown(head: Head, colour: Colour) -> list[Part]:
    """Blossoms and leaves around the head, three kinds of them in the colour's neighbourhood."""
    random = np.random.default_rng(4)
    a, level = 0.99 * head.half_width, head.top + 0.80
    petals = [rgb(colour), 0.55 * rgb(colour) + 0.42 * rgb((1.0, 0.95, 0.9)), rgb((0.94, 0.92, 0.86))]
    parts: list[Part] = []
    for i in range(26):
        at = (i + 0.5) / 26 * 2 * np.pi - np.pi
        x, z = 1.02 * a * np.sin(at), 1.02 * a * DEEP * np.cos(at)
        y = level + 0.05 * random.standard_normal()
        parts.append(Surface(_leaf((x, y + 0.10, z), at), rgb((0.16, 0.34, 0.13)), gloss=0.12, noise=0.05))
    for i in range(17):
        at = (i + 0.5) / 17 * 2 * np.pi - np.pi
        size = (0.225, 0.175)[i % 2] * random.uniform(0.92, 1.12)
        y = level - 0.03 + 0.07 * random.standard_normal()
        parts += _flower(at, a, y, size, petals[i % 3], random.uniform(0, 1))
    return parts


def _flower(at: float, a: float, y: float, size: float, tint: Floats, turn: float) -> list[Part]:
    """Five cupped petals around a yellow eye, facing outwards at the angle `at` around the head."""
    middle = np.array([1.08 * a * np.sin(at), y, 1.08 * a * DEEP * np.cos(at)], np.float32)
    across = np.array([np.cos(at), 0, -np.sin(at)], np.float32)
    outwards = np.array([np.sin(at), 0, np.cos(at)], np.float32)
    down = np.array([0, 1, 0], np.float32)
    r, s = ramp(0.05, 1, 14)[..., None], np.linspace(-1, 1, 13, dtype=np.float32)[None, :, None]
    parts: list[Part] = []
    for k in range(5):
        angle = 2 * np.pi * (k + turn) / 5
        along, beside = np.cos(angle) * across + np.sin(angle) * down, np.cos(angle) * down - np.sin(angle) * across
        wide = 0.62 * np.sin(np.pi * np.clip(0.12 + 0.80 * r, 0, 0.999)) ** 0.7
        cup = 0.45 * r**2 - 0.30 * s**2 * r
        points = middle + size * (r * along + s * wide * beside + (0.25 + cup + 0.03 * k) * outwards)
        shade = np.broadcast_to(0.62 + 0.38 * r[..., 0] ** 0.7, points.shape[:2])
        parts.append(
            Surface(np.asarray(points, np.float32), tint, open=np.asarray(shade, np.float32), gloss=0.04, noise=0.04)
        )
    eye = middle + 0.42 * size * outwards
    parts.append(
        Surface(ball((eye[0], eye[1], eye[2]), 0.27 * size, 0.27 * size, 0.27 * size, 13), rgb((0.86, 0.62, 0.12)))
    )
    return parts


def _leaf(at: tuple[float, float, float], turn: float) -> Floats:
    t, s = ramp(-1, 1, 15), np.linspace(-1, 1, 9, dtype=np.float32)[None]
    half = 0.09 * (1 - t**2) * s
    x = at[0] + 0.30 * t * np.cos(turn) + 0.2 * half
    return grid(x, at[1] + half + 0.08 * t**2, at[2] - 0.30 * t * np.sin(turn) + 0.05 * (1 - s**2))


def _ear(
    side: float,
    base: float,
    tall: float,
    wide: float,
    tint: Floats,
    depth: float,
    power: float,
    out: tuple[float, float],
) -> Surface:
    """A triangle with a bowed front, leaning outwards."""
    t, s = ramp(0, 1, 50), np.linspace(-1, 1, 41, dtype=np.float32)[None]
    half = wide * (1 - t) ** power
    x = side * (out[0] + out[1] * t) + s * half + side * 0.10 * t * (1 - t)
    y = base - tall * t + 0.16 * np.abs(s) ** 2 * (1 - t) * (s * side > 0) - 0.02
    points = grid(x, y, 0.25 + depth - 0.22 * s**2 * (1 - t))
    return Surface(points, tint, open=rows_open(near_dark(50, 0.5, 0.25), points), **_PLUSH)


def _band(head: Head, colour: Colour) -> Surface:
    """Over the top of the head from ear to ear."""
    angle = np.linspace(-1.25, 1.25, 80, dtype=np.float32)
    high = -(head.top + 0.16)
    path = np.stack([1.0 * head.half_width * np.sin(angle), -high * np.abs(np.cos(angle)) ** 0.8, 0.25 + 0 * angle], 1)
    return Surface(cord(np.asarray(path, np.float32), 0.055, up=(0, 0, 1)), 0.8 * rgb(colour), **_PLUSH)
