"""What rises from the hair: ears, horns, a halo, a crown of flowers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tollbrush.engines.studio.head import Head
from tollbrush.engines.studio.sprites.fur import coat
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

_PLUSH: Final[dict[str, Any]] = {"gloss": 0.02, "rough": 0.6, "sheen": 0.22, "noise": 0.04}
_SIDES: Final = (-1.0, 1.0)


def cat_ears(head: Head, colour: Colour) -> list[Part]:
    """Pointed, furry, pink inside with a tuft of pale hair, on a narrow band."""
    base = head.top + 0.46
    tall = float(np.clip(head.room + base - 0.1, 0.6, 1.10))
    fur, pale = rgb(colour), 0.45 * rgb(colour) + 0.45 * rgb((0.95, 0.90, 0.88))
    parts: list[Part] = [_band(head, colour)]
    for side in _SIDES:
        outer = _ear(side, base, tall, 0.50, depth=0.10)
        inner = _ear(side, base - 0.08, 0.80 * tall, 0.34, depth=0.14)
        hollow = np.linspace(0.55, 1.0, inner.shape[1], dtype=np.float32)[
            None, :: int(side)
        ]  # deeper at the inner side
        parts.append(Surface(outer, 0.8 * fur, open=rows_open(near_dark(50, 0.5, 0.25), outer), **_PLUSH))
        parts.append(Surface(inner, rgb((0.86, 0.52, 0.54)), open=rows_open(hollow, inner), **_PLUSH))
        # The shell's hairs leave its rim on both sides; they are longest at the foot, where they meet the hair.
        parts.append(coat(outer[:, :9], _upwards(outer, -1.0)[:, :9], 1500, 21, fur, long=0.075, wild=0.25, fall=-0.2))
        parts.append(coat(outer[:, -9:], _upwards(outer, 1.0)[:, -9:], 1500, 22, fur, long=0.075, wild=0.25, fall=-0.2))
        parts.append(coat(outer[:6], _upwards(outer, 0.0)[:6], 500, 23, fur, long=0.14, wild=0.45, fall=0.5))
        near = inner[:30, -12:] if side < 0 else inner[:30, :12]
        parts.append(coat(near, np.broadcast_to(rgb((0.5 * side, -1.0, 0.6)), near.shape), 160, 24, pale, long=0.30,
                          wild=0.25, fall=-0.3))  # fmt: skip
    return parts


def bunny_ears(head: Head, colour: Colour) -> list[Part]:
    """Long and upright, short-haired, pink inside, on a narrow band."""
    base = head.top + 0.34
    tall = float(np.clip(head.room + base - 0.1, 0.9, 2.3))
    parts: list[Part] = [_band(head, colour)]
    for side in _SIDES:
        outer = _long_ear(side, base, tall, 0.30, depth=0.10)
        inner = _long_ear(side, base - 0.10, 0.86 * tall, 0.17, depth=0.17)
        hollow = 1 - 0.35 * np.linspace(-1, 1, inner.shape[1], dtype=np.float32)[None] ** 2
        parts.append(Surface(outer, rgb(colour), open=rows_open(near_dark(60, 0.55, 0.2), outer), **_PLUSH))
        parts.append(Surface(inner, rgb((0.93, 0.66, 0.69)), open=rows_open(1.15 - 0.3 * hollow, inner), **_PLUSH))
        for columns, way, seed in ((slice(0, 12), -1.0, 25), (slice(-12, None), 1.0, 26)):
            edge = outer[:, columns]
            parts.append(coat(edge, _upwards(outer, way)[:, columns], 1600, seed, rgb(colour), long=0.05, wild=0.20,
                              fall=-0.2))  # fmt: skip
        parts.append(coat(outer[:6], _upwards(outer, 0.0)[:6], 300, 27, rgb(colour), long=0.10, wild=0.5, fall=0.5))
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
    for i in range(34):
        at = (i + 0.5) / 34 * 2 * np.pi - np.pi
        x, z = 1.02 * a * np.sin(at), 1.02 * a * DEEP * np.cos(at)
        y = level + 0.05 * random.standard_normal()
        parts.append(Surface(_leaf((x, y + 0.10, z), at), rgb((0.16, 0.34, 0.13)), gloss=0.12, noise=0.05))
    for i in range(25):
        at = (i + 0.5) / 25 * 2 * np.pi - np.pi
        size = (0.31, 0.20, 0.25)[i % 3] * random.uniform(0.92, 1.10)
        y = level - 0.05 + (0.04, 0.13, -0.10)[i % 3] + 0.03 * random.standard_normal()
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


def _ear(side: float, base: float, tall: float, wide: float, depth: float) -> Floats:
    """A triangle with bowed sides and front, leaning outwards."""
    t, s = ramp(0, 1, 50), np.linspace(-1, 1, 41, dtype=np.float32)[None]
    half = wide * (1 - t) ** 0.80
    x = side * (0.84 + 0.20 * t) + s * half + side * 0.12 * t * (1 - t)
    y = base - tall * t + 0.16 * np.abs(s) ** 2 * (1 - t) * (s * side > 0) - 0.02
    return grid(x, y, 0.25 + depth - 0.22 * s**2 * (1 - t))


def _long_ear(side: float, base: float, tall: float, wide: float, depth: float) -> Floats:
    t, s = ramp(0, 1, 60), np.linspace(-1, 1, 41, dtype=np.float32)[None]
    half = wide * np.sin(np.pi * np.clip(0.16 + 0.84 * t, 0, 0.999)) ** 0.62
    x = side * (0.44 + 0.26 * t + 0.10 * np.sin(np.pi * t)) + s * half
    return grid(x, base - t * tall, 0.30 + depth - 0.16 * s**2)


def _upwards(ear: Floats, way: float) -> Floats:
    """Directions of an ear's hairs: towards its tip, and towards the side `way`."""
    lean = np.array([0.9 * way, -0.8, 0.35], np.float32)
    return np.asarray(np.broadcast_to(lean, ear.shape), np.float32)


def _band(head: Head, colour: Colour) -> Surface:
    """Over the top of the head from ear to ear."""
    angle = np.linspace(-1.25, 1.25, 80, dtype=np.float32)
    high = -(head.top + 0.16)
    path = np.stack([1.0 * head.half_width * np.sin(angle), -high * np.abs(np.cos(angle)) ** 0.8, 0.25 + 0 * angle], 1)
    sunk = np.clip((1.25 - np.abs(angle)) / 0.40, 0.12, 1)  # the ends go under the hair
    band = cord(np.asarray(path, np.float32), np.asarray(0.055 * sunk, np.float32), up=(0, 0, 1))
    return Surface(band, 0.8 * rgb(colour), **_PLUSH)
