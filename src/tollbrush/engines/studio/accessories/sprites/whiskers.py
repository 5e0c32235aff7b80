"""Hair that is put on a face: the moustache and the beard, combed hair by hair.

Where it grows follows the face: the end of its nose, its lips and its chin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.mesh import Colour, Part, Strands
from tollbrush.engines.studio.accessories.sprites.shapes import rgb

_Doubles = NDArray[np.float64]


def moustache(head: Head, colour: Colour) -> list[Part]:
    """A handlebar: two wings that part under the nose, swell, and run out into turned-up tips."""
    random = np.random.default_rng(11)
    count = 4200
    side = np.where(random.random(count) < 0.5, -1.0, 1.0)
    start, across = random.random(count) ** 1.15 * 0.80, random.uniform(-1, 1, count)
    along = start[:, None] + 0.34 * (0.5 + 0.9 * random.random((count, 1))) * np.linspace(0, 1, 7)
    x, y = _wing(np.minimum(along, 1.0), across[:, None] * (1 - 0.25 * (along - start[:, None])), head)
    stray = 0.024 * random.standard_normal((2, count, 1)) * np.linspace(0, 1, 7) ** 2
    bulge = 0.15 * (1 - across**2)[:, None] * np.clip(1.1 - along, 0, 1)
    z = 1.46 - 0.40 * x**2 + bulge + 0.02 * random.random((count, 1))
    paths = np.stack([side[:, None] * x + stray[0], y + stray[1], z], axis=2)
    # Lit from above: the wings are rounded, and dark where they meet under the nose.
    locks = 1 + 0.22 * np.sin(11 * across + 4 * start + 1.5 * side)
    lit = (1.08 - 0.42 * across) * (0.66 + 0.34 * np.clip(4 * start, 0, 1)) * locks
    return [_hairs(paths, colour, lit, random, width=0.014)]


def _wing(along: _Doubles, across: _Doubles, head: Head) -> tuple[_Doubles, _Doubles]:
    """The right wing: `along` 0 at the parting … 1 at the tip, `across` -1 above … 1 below."""
    knots = np.linspace(0, 1, 6)
    gap = head.mouth - head.nose
    x = np.interp(along, knots, [-0.03, 0.16, 0.34, 0.50, 0.62, 0.69])
    droop = np.interp(along, knots, [-0.02, 0.02, 0.07, 0.07, 0.00, -0.13])
    thick = np.interp(along, knots, [0.42 * gap, 0.44 * gap, 0.36 * gap, 0.22 * gap, 0.10 * gap, 0.008])
    return x - 0.10 * thick * across, head.nose + 0.50 * gap + droop + thick * across


def beard(head: Head, colour: Colour) -> list[Part]:
    """A full beard, trimmed: whiskers before the ears, along the jaw, over the upper lip and below the chin."""
    random = np.random.default_rng(12)
    x, y = random.uniform(-1.15, 1.15, 76000), random.uniform(-0.15, head.chin + 0.12, 76000)
    grows = random.random(76000) < _density(x, y, head)
    x, y = x[grows], y[grows]
    low = np.clip((y - head.mouth) / (head.chin - head.mouth), 0, 1.2)
    lip = _on_lip(x, y, head)
    long = np.where(lip, 0.11, 0.09 + 0.15 * low) * random.uniform(0.6, 1.4, len(x))
    outwards = np.where(lip, 1.1 * np.sign(x) * np.clip(np.abs(x) / 0.15, 0.25, 1), 0.15 * x)
    # Neighbours lie together in locks, and each hair strays a little.
    locks = 0.35 * np.sin(9 * x + 2 * np.sin(5 * y)) * np.sin(7 * y + 3 * x)
    lean = np.stack([outwards + locks + 0.22 * random.standard_normal(len(x)), np.full(len(x), 1.0)], axis=1)
    lean /= np.linalg.norm(lean, axis=1, keepdims=True)
    s = np.linspace(0, 1, 6)
    curl = 0.04 * random.standard_normal((len(x), 1)) * np.sin(np.pi * s)
    px = x[:, None] + (long * lean[:, 0])[:, None] * s - 0.55 * (x * low)[:, None] * (long[:, None] * s**2) + curl
    py = y[:, None] + (long * lean[:, 1])[:, None] * s
    pz = (1.42 - 0.50 * x**2 - 0.10 * (y - head.mouth) ** 2)[:, None] + 0.12 * np.sin(0.8 * np.pi * s)
    pz = pz + 0.03 * random.random((len(x), 1))
    # The jaw turns away to the sides and downwards, and the lip throws shade on what grows below it.
    lit = (1.45 - 0.62 * low**1.5) * (1 - 0.30 * np.abs(x) ** 3) * (1 + 0.5 * locks)
    lit *= 1 - 0.22 * np.exp(-((x / 0.42) ** 2) - ((y - head.mouth - 0.20) / 0.09) ** 2)
    return [_hairs(np.stack([px, py, pz], axis=2), colour, lit, random, width=0.011)]


def _on_lip(x: _Doubles, y: _Doubles, head: Head) -> NDArray[np.bool_]:
    return np.asarray((np.abs(x) < 0.42) & (y < head.mouth), np.bool_)


def _density(x: _Doubles, y: _Doubles, head: Head) -> _Doubles:
    """How likely a hair grows there, 0…1: soft at the cheeks and the throat, none on the lips."""
    side = np.abs(x)
    jaw = np.interp(y, [-0.2, 0.5, 1.0, 1.4, head.chin, head.chin + 0.12], [1.05, 1.04, 0.97, 0.79, 0.46, 0.26])
    cheek = np.interp(side, [0, 0.42, 0.60, 0.80, 0.93, 1.02], [head.nose + 0.05] * 2 + [0.95, 0.80, 0.40, 0.0])
    lip = side < 0.5
    inside = np.clip((jaw - side) / 0.10, 0, 1) * np.clip((y - cheek) / np.where(lip, 0.12, 0.26), 0, 1) ** 1.5
    lips = np.hypot(x / 0.40, (y - head.mouth - 0.03) / 0.13)
    below = np.hypot((side - 0.17) / 0.11, (y - head.mouth - 0.24) / 0.08)  # the bare spots beside the soul patch
    return inside * np.clip((lips - 1) / 0.15, 0, 1) * np.clip(0.25 + (below - 0.6), 0.25, 1)


def _hairs(paths: _Doubles, colour: Colour, lit: _Doubles, random: np.random.Generator, width: float) -> Strands:
    """Strands of one head: the colour varies from hair to hair, a few are grey."""
    count = len(paths)
    tone = (1 + 0.24 * random.standard_normal((count, 1))).clip(0.5, 1.7)
    hue = rgb(colour) * tone + 0.12 * (random.random((count, 1)) < 0.08)
    return Strands(np.asarray(paths, np.float32), np.asarray(hue * lit[:, None], np.float32), width, 0.09)
