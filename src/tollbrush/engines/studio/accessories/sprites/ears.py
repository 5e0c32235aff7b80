"""What rises from the hair: ears, horns, a halo, a crown of flowers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.fur import coat
from tollbrush.engines.studio.accessories.sprites.mesh import Colour, Floats, Part, Surface
from tollbrush.engines.studio.accessories.sprites.shapes import (
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
    """Long and short-haired, pink in the hollow, rooted in the hair; one bends over near its tip."""
    base = head.top + 0.50
    tall = float(np.clip(head.room + base - 0.15, 0.9, 2.3))
    fur, skin = rgb(colour), rgb((0.90, 0.60, 0.63))
    parts: list[Part] = []
    for side, fold in zip(_SIDES, (0.25, 2.5), strict=True):
        back, open_ = _long_ear(side, base, tall, fold, 0.0), _under_fold(fold)
        front = _long_ear(side, base, tall, fold, 0.03)
        rooted = _rooted(front.shape, 31 + int(side))
        across = np.linspace(-1, 1, front.shape[1], dtype=np.float32)[None]
        along = ramp(0, 1, front.shape[0])
        # The skin shows in a narrow leaf, darkest in the middle, and the fur closes over it softly.
        leaf = 1 - (across / (0.06 + 0.60 * np.sin(np.pi * np.clip(0.04 + along, 0, 0.999)) ** 0.6)) ** 2
        bare = np.clip(1.6 * leaf, 0, 1)[..., None]
        tint = np.asarray(fur * (1 - bare) + skin * bare, np.float32)
        hollow = np.asarray(open_ * (1 - 0.28 * np.clip(leaf, 0, 1)), np.float32)
        parts.append(Surface(back, 0.96 * fur, open=rows_open(open_, back), cut=rooted, **_PLUSH))
        parts.append(Surface(front, tint, open=hollow, cut=rooted, **_PLUSH))
        for columns, way, seed in ((slice(0, 3), -1.0, 25), (slice(-3, None), 1.0, 26)):
            rim, out = back[8:, columns], way * np.gradient(back, axis=1)[8:, columns]
            hairs = _unit(out) + 1.5 * _unit(np.gradient(back, axis=0))[8:, columns]
            parts.append(coat(rim, hairs, 900, seed, 1.12 * fur, long=0.06, wild=0.20, fall=0.0, width=0.016))
            # Short hairs that lie along the ear, where it is not bare.
            lying, along_it = front[4:, 4:22] if way < 0 else front[4:, -22:-4], np.gradient(front, axis=0)[4:]
            flow = _unit(along_it[:, 4:22] if way < 0 else along_it[:, -22:-4]) + np.array(
                [0.5 * way, 0, 0.25], np.float32
            )
            parts.append(coat(lying, flow, 1300, seed + 4, 1.10 * fur, long=0.08, wild=0.15, fall=0.0, width=0.010))
    return parts


def devil_horns(head: Head, colour: Colour) -> list[Part]:
    """Ringed, tapering, curved outwards and up."""
    base = head.top + 0.58
    tall = float(np.clip(head.room + base - 0.1, 0.65, 1.15))
    t = np.linspace(0, 1, 90, dtype=np.float32)
    rings = 1 - 0.11 * np.abs(np.sin(21 * t**0.8)) ** 6 * (1 - t)
    thick = 0.23 * (1 - t) ** 0.75 * rings + 0.008
    parts: list[Part] = []
    for side in _SIDES:
        x = side * (0.62 + 0.34 * np.sin(2.1 * t))
        path = np.stack([x, base - tall * t**1.05, 0.45 + 0.12 * t], 1).astype(np.float32)
        horn = cord(path, np.asarray(thick, np.float32), up=(0, 0, 1))
        tint = rgb(colour) * (1 - 0.75 * t**2)[None, :, None] * (0.55 + 0.45 * rings**4)[None, :, None]
        tint = np.asarray(np.broadcast_to(tint, horn.shape), np.float32)
        parts.append(Surface(horn, tint, gloss=0.45, rough=0.25, noise=0.03))
    return parts


def halo(head: Head, colour: Colour) -> list[Part]:
    """A shining ring that hovers over the head, thinner where it is further away."""
    lift = float(np.clip(head.room + head.top - 0.30, 0.05, 0.36))
    phi = around(241)
    level = ring(phi, 0.86 * head.half_width, head.top - lift)[0]
    thick = 0.050 + 0.012 * np.cos(phi[0])
    return [Surface(cord(level, np.asarray(thick, np.float32)), rgb(colour), shines=True)]


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
    x = side * (0.78 + 0.22 * t) + s * half + side * 0.12 * t * (1 - t)
    y = base - tall * t + 0.42 * np.abs(s) ** 2 * (1 - t) ** 2 * (s * side > 0) - 0.02
    return grid(x, y, 0.25 + depth - 0.22 * s**2 * (1 - t))


def _long_ear(side: float, base: float, tall: float, fold: float, forward: float) -> Floats:
    """A cupped leaf that leans outwards and bends forward by `fold` radians above its middle; `forward` units before
    its back."""
    t, s = ramp(0, 1, 110), np.linspace(-1, 1, 61, dtype=np.float32)[None]
    bend = fold / (1 + np.exp(-(t - 0.62) / 0.035))
    lean = side * (0.16 + 0.12 * t + 0.10 * bend)
    way = np.stack([np.sin(lean), -np.cos(lean) * np.cos(bend), np.cos(lean) * np.sin(bend)], axis=2)
    spine = np.cumsum(way, axis=0) * tall / len(t) + np.array([side * 0.42, base, 0.55])
    across = np.stack([np.cos(lean), np.sin(lean), 0 * lean], axis=2)
    before = np.cross(way, across)
    half = 0.33 * np.sin(np.pi * np.clip(0.15 + 0.85 * t, 0, 0.999)) ** 0.62
    cup = forward + 0.55 * half * s**2
    return np.asarray(spine + (s * half)[..., None] * across + cup[..., None] * before, np.float32)


def _under_fold(fold: float) -> Floats:
    """Openness along an ear: dark in the hair, and where its tip hangs over it."""
    t = ramp(0, 1, 110)
    shaded = 0.45 * np.exp(-(((t - 0.50) / 0.10) ** 2)) if fold > 1 else 0 * t
    return np.asarray((1 - shaded) * near_dark(110, 0.50, 0.18), np.float32)


def _rooted(shape: tuple[int, ...], seed: int) -> Floats:
    """What is cut from an ear's foot: locks of the hair that it stands in lie over it."""
    locks = np.random.default_rng(seed).random(shape[1])
    locks = np.convolve(np.pad(locks, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return np.asarray(ramp(0, 1, shape[0]) > 0.01 + 0.12 * locks[None], np.float32)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6), np.float32)


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
