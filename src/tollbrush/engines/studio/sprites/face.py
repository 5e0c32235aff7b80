"""What is worn in the face: sunglasses and the moustache."""

from __future__ import annotations

from typing import Any

import numpy as np

from tollbrush.engines.studio.head import Head
from tollbrush.engines.studio.sprites.mesh import Colour, Floats, Part, Strands, Surface
from tollbrush.engines.studio.sprites.shapes import around, cord, grid, ramp, rgb

_HAIRS = 3200


def sunglasses(head: Head, colour: Colour) -> list[Part]:
    """Acetate frames with smoked lenses, darker at the top; temples run back to the ears."""
    frame = rgb(colour)
    plastic: dict[str, Any] = {"gloss": 0.55, "rough": 0.2, "noise": 0.0}
    parts: list[Part] = []
    for side in (-1.0, 1.0):
        rim = _lens(side, around(121), 1.0)
        s = ramp(0.02, 1, 40)
        lens = _lens(side, around(121), s)
        fade = np.clip((lens[..., 1:2] + 0.30) / 0.62, 0, 1)
        tint = rgb((0.022, 0.024, 0.03)) * (1 - fade) + rgb((0.17, 0.13, 0.11)) * fade
        glare = np.exp(-(((lens[..., 0] - side * 0.53) * 0.8 + lens[..., 1] + 0.16) ** 2) / 0.004)
        tint = tint + 0.16 * glare[..., None] * rgb((0.85, 0.92, 1.0))
        parts.append(Surface(lens, np.asarray(tint, np.float32), gloss=0.25, rough=0.4, noise=0.0, alpha=0.94))
        parts.append(Surface(cord(rim[0], _rim_width(rim[0], side), up=(0, 0, 1)), frame, **plastic))
        hinge = np.array([[side * 0.97, -0.17, 1.16], [side * 1.07, -0.17, 1.04], [side * 1.16, -0.10, -0.1]])
        ends = np.linspace(0, 1, 24)
        arm = np.stack([np.interp(ends, [0, 0.25, 1], hinge[:, i]) for i in range(3)], 1).astype(np.float32)
        parts.append(Surface(cord(arm, 0.055), frame, **plastic))
    x = ramp(-0.16, 0.16, 15)
    bridge = np.concatenate([x, -0.10 - 0.06 * np.cos(x * 9.0), 1.36 + 0 * x], axis=1)
    parts.append(Surface(cord(np.asarray(bridge, np.float32), 0.045), frame, **plastic))
    return parts


def _lens(side: float, phi: Floats, s: Floats | float) -> Floats:
    """A lens, s its share of the full size: a rounded box, broader and flatter above."""
    c, n = np.cos(phi), np.sin(phi)
    power = 2 / 3.1
    x = np.sign(c) * np.abs(c) ** power
    y = np.sign(n) * np.abs(n) ** power
    wide = 0.435 * (1 - 0.09 * y)
    px = side * 0.535 + s * x * wide
    py = 0.055 + s * y * np.where(y < 0, 0.325, 0.345) - 0.03 * s * x * side * np.maximum(-y, 0)
    return grid(px, py, 1.36 - 0.22 * px**2)


def _rim_width(rim: Floats, side: float) -> Floats:
    """The rim is heavier above and outside."""
    above = np.clip((0.05 - rim[:, 1]) / 0.33, 0, 1)
    outside = np.clip((side * rim[:, 0] - 0.53) / 0.43, 0, 1)
    return np.asarray(0.030 + 0.026 * above + 0.012 * outside, np.float32)


def moustache(head: Head, colour: Colour) -> list[Part]:
    """Two wings of combed hair from the groove under the nose, tips turned up."""
    random = np.random.default_rng(11)
    side = np.where(random.random(_HAIRS) < 0.5, -1.0, 1.0)
    u = random.random(_HAIRS) ** 0.9  # along the wing, 0 at the groove
    v = random.random(_HAIRS)  # across, 0 at the upper edge
    x = -0.01 + 0.53 * u
    upper = 0.655 + 0.10 * u**1.5
    lower = 0.825 + 0.04 * u - 0.06 * np.clip(0.12 - u, 0, 1) / 0.12
    y = upper + v * (lower - upper)
    out = 0.10 + 0.16 * u + 0.03 * random.standard_normal(_HAIRS)
    fall = 0.13 * (1 - u) * (0.5 + v) + 0.015 * random.standard_normal(_HAIRS)
    s = np.linspace(0, 1, 6)[None, :]
    px = x[:, None] + out[:, None] * s
    py = y[:, None] + fall[:, None] * s - 0.13 * (u**2)[:, None] * s**2
    pz = 1.5 - 0.4 * px**2 + 0.04 * s * (1 - s) + 0.02 * v[:, None]
    paths = np.stack([side[:, None] * px, py, pz], axis=2).astype(np.float32)
    tone = (1 + 0.22 * random.standard_normal((_HAIRS, 1))).clip(0.5, 1.6)
    return [Strands(paths, np.asarray(rgb(colour) * tone, np.float32), 0.017, 0.10)]
