"""Santa's hat, the party hat and the crown, made like the hats of `hats`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.fur import coat, from_middle
from tollbrush.engines.studio.accessories.sprites.mesh import Colour, Floats, Part, Strands, Surface
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

_WHITE = (1.06, 1.04, 1.01)


def santa_hat(head: Head, colour: Colour) -> list[Part]:
    """Velvet that folds over to the viewer's right, with a fur trim and a bobble."""
    base = -0.95
    tall = float(np.clip(head.room + base - 0.15, 1.3, 1.9))
    a, phi, t = head.half_width, around(), ramp(0, 1, 120)
    corners = np.array([[0, base], [-0.25, base - 1.15 * tall], [1.40, base - 1.50 * tall], [1.86, base + 0.08]])
    bend = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]
    path = sum(weight * corner for weight, corner in zip(bend, corners, strict=True))
    along = np.gradient(np.asarray(path, np.float32), axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    folds = 0.035 * np.sin(26 * t + 2.2 * np.sin(phi)) + 0.03 * np.sin(41 * t - 3 * phi) * np.clip(3 * t, 0, 1)
    radius = a * (0.19 + 0.83 * (1 - t) ** 0.85) + folds * np.clip(4 * t, 0, 1) * np.clip(5 * (1 - t), 0, 1)
    x = path[:, :1] - along[:, 1:] * radius * np.sin(phi)
    y = path[:, 1:] + along[:, :1] * radius * np.sin(phi)
    body = grid(
        np.asarray(x, np.float32), np.asarray(y, np.float32), np.asarray(DEEP * radius * np.cos(phi), np.float32)
    )
    shade = rows_open(near_dark(120, 0.55, 0.2), body) * (1 + 5.0 * folds)
    velvet = Surface(body, rgb(colour), open=np.asarray(shade, np.float32), gloss=0.04, sheen=0.22, noise=0.06)
    trim = cord(ring(phi, 1.06 * a, base + 0.04)[0], 0.25)
    bobble = ball((1.90, base + 0.26, 0.5), 0.36, 0.36, 0.36)
    return [velvet, *_fur(trim, 9000, 1), *_fur(bobble, 3500, 2)]


def _fur(points: Floats, count: int, seed: int) -> list[Part]:
    """White plush."""
    core = Surface(points, 0.86 * rgb(_WHITE), noise=0.05, gloss=0.0)
    return [core, coat(points, from_middle(points), count, seed, rgb(_WHITE), light=(0.16, 0.06))]


def party_hat(head: Head, colour: Colour) -> list[Part]:
    """A glossy paper cone with spiral stripes and a tinsel pompon."""
    base, wide = head.top + 0.62, 0.80 * head.half_width
    tall = float(np.clip(head.room + base - 0.3, 1.45, 2.1))
    phi, t = around(721), ramp(0, 1, 240)
    cone = ring(phi, wide * (1 - 0.985 * t), base - tall * t)
    stripe = np.mod(2.5 * t + phi / np.pi, 1.0) < 0.5
    paper = np.where(stripe[..., None], rgb(colour), rgb((0.97, 0.80, 0.25)))
    body = Surface(
        cone, np.asarray(paper, np.float32), open=rows_open(near_dark(240, 0.7, 0.1), cone), gloss=0.3, noise=0.01
    )
    rim = Surface(cord(ring(around(), wide, base)[0], 0.03), rgb((0.97, 0.80, 0.25)), gloss=0.4, noise=0.01)
    random = np.random.default_rng(3)
    away = random.standard_normal((1400, 3))
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    tip = np.array([0, base - tall + 0.03, 0])
    s = np.linspace(0, 1, 4)[None, :, None]
    paths = tip + s * (away * 0.34 * (0.6 + 0.5 * random.random((1400, 1))))[:, None] + s**2 * np.array([0, 0.05, 0])
    hues = np.array([colour, (0.97, 0.80, 0.25), (0.95, 0.95, 0.95)], np.float32)[random.integers(0, 3, 1400)]
    return [body, rim, Strands(np.asarray(paths, np.float32), hues, 0.022, 0.35)]


def crown(head: Head, colour: Colour) -> list[Part]:
    """Gold with eight points, pearls on the tips and stones on the band."""
    a, base, gold = head.half_width, head.top + 0.72, rgb(colour)
    tall = float(np.clip(head.room + base - 0.15, 0.75, 1.0))
    phi, t = around(721), ramp(0, 1, 60)
    wave = np.abs(np.mod(phi * 8 / (2 * np.pi) + 0.5, 1.0) * 2 - 1)  # 0 on a tip, 1 between
    top = tall * (1 - 0.56 * (1 - (1 - wave) ** 1.3))
    flare = 1 + 0.10 * t * top / tall
    metal: dict[str, Any] = {"metal": True, "noise": 0.012, "gloss": 0.5, "rough": 0.12}
    points = ring(phi, 0.94 * a * flare, base - t * top)
    parts: list[Part] = [Surface(points, gold, **metal)]
    for height, thick in ((0.0, 0.045), (0.27, 0.03)):
        parts.append(Surface(cord(ring(phi, 0.955 * a * (1 + 0.1 * height), base - height)[0], thick), gold, **metal))
    stones = ((0.62, 0.03, 0.09), (0.05, 0.16, 0.55), (0.03, 0.42, 0.20))
    for number in range(16):
        at = (number - 8) * np.pi / 8
        x, z = 0.97 * a * np.sin(at), 0.97 * a * DEEP * np.cos(at)
        stone = Surface(ball((x, base - 0.135, z), 0.075, 0.085, 0.075), rgb(stones[number % 3]), gloss=0.9, rough=0.2)
        parts.append(stone)
        if number % 2 == 0:
            grow = 1 + 0.1
            tip = (0.94 * a * grow * np.sin(at), base - tall - 0.03, 0.94 * a * grow * DEEP * np.cos(at))
            parts.append(Surface(ball(tip, 0.075, 0.075, 0.075), rgb((0.93, 0.90, 0.84)), gloss=0.5, rough=0.25))
    return parts
