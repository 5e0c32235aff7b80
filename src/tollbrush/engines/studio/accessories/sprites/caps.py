"""Caps: the baseball cap and the mortarboard of those who graduate; and headphones, over the hair as well."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.mesh import Colour, Floats, Part, Strands, Surface
from tollbrush.engines.studio.accessories.sprites.shapes import (
    DEEP,
    around,
    ball,
    cord,
    edge,
    grid,
    near_dark,
    ramp,
    rgb,
    ring,
    rows_open,
    wall,
)

_CLOTH: dict[str, Any] = {"gloss": 0.04, "rough": 0.5, "sheen": 0.08, "noise": 0.05}
_BASE = -0.88
_PEAK = 1.0  # how far the peak runs around the cap, in radians to each side


def baseball_cap(head: Head, colour: Colour) -> list[Part]:
    """Six panels with stitched seams, a button, and a bent peak over the brow."""
    a, phi, cloth = 1.02 * head.half_width, around(), rgb(colour)
    tall = float(np.clip(-head.top + _BASE + 0.20, 1.1, 1.45))
    t = ramp(0, 0.999, 90)
    seam = np.exp(-((np.mod(phi / (np.pi / 3) + 0.5, 1.0) - 0.5) ** 2) / 0.0012)
    radius = a * np.cos(np.pi / 2 * t**1.15) ** 0.88
    low = _BASE + 0.06 + 0.26 * np.sin(phi) ** 2 * (1 - t) ** 4  # it comes down over the temples
    level = np.asarray(low - tall * np.sin(np.pi / 2 * t), np.float32)
    dome = ring(phi, np.asarray(radius * (1 - 0.010 * seam), np.float32), level)
    shade = rows_open(near_dark(90, 0.72, 0.15), dome) * (1 - 0.30 * seam)
    button = ball((0.0, _BASE + 0.04 - tall, 0.0), 0.10, 0.06, 0.10)
    s, across = ramp(0, 1, 40), np.linspace(-_PEAK, _PEAK, 121, dtype=np.float32)[None]
    reach = 1.35 * np.clip(1 - (across / _PEAK) ** 2, 0, 1) ** 0.5
    x = a * np.sin(across) * (1 + 0.05 * s)
    z = DEEP * a * np.cos(across) + reach * s
    # Bent like a roof: the sides hang lower than the middle.
    y = _BASE - 0.06 + 0.08 * reach * s + 0.78 * np.sin(across) ** 2 * (0.25 + 0.75 * s)
    peak = grid(x, y, z)
    stitches = 1 - 0.16 * (np.mod(6 * s, 1.0) > 0.86)
    leaf = Surface(peak, 1.1 * cloth, open=rows_open(near_dark(40, 0.30, 0.35) * stitches, peak), **_CLOTH)
    rim = edge(peak[-1], 0.032, 0.85 * cloth, **_CLOTH)
    crown = Surface(dome, cloth, open=np.asarray(shade, np.float32), **_CLOTH)
    return [crown, Surface(button, cloth, **_CLOTH), leaf, rim]


def graduation_cap(head: Head, colour: Colour) -> list[Part]:
    """A mortarboard: skull cap, square board with a corner to the viewer, and a tassel over its edge."""
    a, phi, cloth = head.half_width, around(), rgb(colour)
    level = _BASE - 0.86
    side = wall(phi, [(-0.05, 1.0), (0.4, 0.99), (0.88, 0.90)], a, _BASE)
    cap = Surface(side, 0.9 * cloth, open=rows_open(1.4 - near_dark(60, 0.35, 1.0), side) * 0.8, **_CLOTH)
    half, turn = 1.42 * a / 1.3, np.pi / 4 + 0.14
    parts: list[Part] = [cap]
    u, v = ramp(-half, half, 41), np.linspace(-half, half, 41, dtype=np.float32)[None]
    c, s = np.cos(turn), np.sin(turn)
    sag = 0.03 * ((u / half) ** 2 + (v / half) ** 2)
    for depth, tint in ((0.0, cloth), (0.07, 0.55 * cloth)):
        parts.append(Surface(grid(u * c - v * s, level - sag + depth, u * s + v * c), tint, **_CLOTH))
    corners = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]], np.float32)
    for first, second in pairwise(corners):
        line = first + ramp(0, 1, 20) * (second - first)
        sags = 0.03 * ((line / half) ** 2).sum(axis=1)
        path = np.stack([line @ (c, -s), level + 0.035 - sags, line @ (s, c)], axis=1)
        parts.append(Surface(cord(np.asarray(path, np.float32), 0.045, up=(0.1, 1, 0.1)), 0.8 * cloth, **_CLOTH))
    parts.append(Surface(ball((0.0, level - 0.05, 0.0), 0.11, 0.07, 0.11), cloth, **_CLOTH))
    return [*parts, *_tassel(half, level, head)]


def _tassel(half: float, level: float, head: Head) -> list[Part]:
    """A gold cord from the button over the board's edge at the viewer's right, and its fringe."""
    gold = (0.80, 0.60, 0.16)
    random = np.random.default_rng(9)
    over = np.array([1.02 * half, level - 0.03, 0.62 * half], np.float32)
    t = ramp(0, 1, 40)
    lying = np.concatenate([t * over[0], level - 0.07 + 0.05 * t, t * over[2]], axis=1)
    hang = 0.62
    falling = np.concatenate([over[0] + 0.03 * np.sin(3 * t), over[1] + hang * t, over[2] + 0.05 + 0 * t], axis=1)
    path = np.asarray(np.concatenate([lying, falling]), np.float32)
    string = Surface(cord(path, 0.032, up=(0.2, 0.1, 1)), rgb(gold), gloss=0.3, rough=0.35, noise=0.08)
    foot = over + np.array([0.0, hang, 0.05], np.float32)
    knot = Surface(ball((foot[0], foot[1], foot[2]), 0.075, 0.10, 0.075), rgb(gold), gloss=0.3, rough=0.35, noise=0.05)
    count = 420
    angle, wide = random.uniform(-np.pi, np.pi, count), np.sqrt(random.random(count))
    s = np.linspace(0, 1, 6)[None]
    spread = (0.05 + 0.05 * s) * wide[:, None]
    long = 0.55 * random.uniform(0.9, 1.08, (count, 1))
    x = foot[0] + spread * np.cos(angle)[:, None] + 0.02 * np.sin(3 * s)
    z = foot[2] + spread * np.sin(angle)[:, None]
    fringe = np.stack([x, foot[1] + 0.04 + long * s, z], axis=2)
    hues = rgb(gold) * random.uniform(0.75, 1.2, (count, 1))
    return [string, knot, Strands(np.asarray(fringe, np.float32), np.asarray(hues, np.float32), 0.016, 0.25)]


def headphones(head: Head, colour: Colour) -> list[Part]:
    """A broad padded band on steel arms, and closed cups that press on the ears."""
    shell, pad = rgb(colour), rgb((0.05, 0.05, 0.055))
    plastic: dict[str, Any] = {"gloss": 0.40, "rough": 0.25, "noise": 0.0}
    leather: dict[str, Any] = {"gloss": 0.10, "rough": 0.45, "noise": 0.04}
    ear, band = min(head.half_width, 1.36) + 0.04, head.half_width + 0.06
    angle = np.linspace(-np.pi / 2, np.pi / 2, 120, dtype=np.float32)
    across, rise = np.sin(angle), np.clip(np.cos(angle), 0, 1)
    wide = band + (ear + 0.14 - band) * np.abs(across) ** 6  # as wide as the hair, then in to the ears
    x = wide * np.sign(across) * np.abs(across) ** 0.9
    y = 0.15 + (head.top - 0.19) * rise**0.75
    parts: list[Part] = []
    for inwards, half, tint, look in ((0.0, 0.26, shell, plastic), (0.09, 0.22, pad, leather)):
        t = ramp(-1, 1, 15)
        lift = 0.05 * (1 - t**2)
        ribbon = grid((x - inwards * across) * (1 + 0.03 * lift), y + inwards * rise - lift * rise, 0.06 + half * t)
        middle = ribbon[:, 22:-22] if inwards else ribbon[:, 14:-14]
        parts.append(Surface(middle, tint, **look))
        parts += [Surface(cord(side, 0.045, up=(0, 0, 1)), tint, **look) for side in (middle[0], middle[-1])]
    steel = np.stack([x, y, 0.10 + 0 * angle], axis=1).astype(np.float32)
    for arm in (steel[:20], steel[-20:]):
        parts.append(Surface(cord(arm, 0.04, up=(0, 0, 1)), rgb((0.62, 0.63, 0.66)), metal=True, noise=0.0))
    for side in (-1.0, 1.0):
        parts += [
            _cup(side, ear + 0.02, 0.20, 0.56, pad, leather),
            _cup(side, ear + 0.20, 0.20, 0.47, shell, plastic),
            _cup(side, ear + 0.35, 0.08, 0.30, 1.5 * shell + 0.02, plastic),
        ]
    return parts


def _cup(side: float, out: float, thick: float, size: float, tint: Floats, look: dict[str, Any]) -> Part:
    """A disc at an ear, `out` units from the middle, its face turned a little to the viewer."""
    disc = ball((0.0, 0.0, 0.0), thick, size, size, 41)
    turn = side * 0.28
    c, s = np.cos(turn), np.sin(turn)
    points = disc @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]], np.float32).T
    at = np.array([side * out, 0.28, 0.14], np.float32)
    return Surface(np.asarray(points + at, np.float32), tint, **look)
