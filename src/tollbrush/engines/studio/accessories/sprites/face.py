"""What is worn in the face and under it: a clown's nose, an eye patch, a bow tie."""

from __future__ import annotations

from typing import Any

import numpy as np

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.mesh import Colour, Floats, Part, Surface
from tollbrush.engines.studio.accessories.sprites.shapes import around, ball, cord, grid, ramp, rgb


def clown_nose(head: Head, colour: Colour) -> list[Part]:
    """A ball of foam on the tip of the nose."""
    foam = ball((0.0, head.nose - 0.12, 1.58), 0.27, 0.26, 0.27, 61)
    return [Surface(foam, rgb(colour), gloss=0.35, rough=0.3, noise=0.03)]


def eye_patch(head: Head, colour: Colour) -> list[Part]:
    """A pirate's, over the eye at the viewer's right, on a band that slants around the head."""
    cloth: dict[str, Any] = {"gloss": 0.12, "rough": 0.4, "sheen": 0.10, "noise": 0.05}
    leather: dict[str, Any] = {"gloss": 0.26, "rough": 0.38, "sheen": 0.12, "noise": 0.06}
    s, phi = ramp(0.02, 1, 50), around(241)
    x = 0.50 + s * 0.40 * np.cos(phi)
    y = 0.04 + s * (0.33 + 0.07 * np.sin(phi)) * np.sin(phi)
    patch = grid(x, y, 1.46 - 0.30 * (x - 0.1) ** 2 + 0.14 * np.cos(np.pi / 2 * s))
    seam = np.where(np.abs(s - 0.86) < 0.02, 1.0 + 1.6 * (np.mod(phi * 20 / np.pi, 1.0) < 0.6), 1.0)
    edge = cord(patch[-1], 0.028, up=(0, 0, 1))
    return [
        Surface(_strap(head), 0.8 * rgb(colour), **cloth),
        Surface(patch, np.asarray(1.3 * seam[..., None] * rgb(colour), np.float32), **leather),
        Surface(edge, 1.4 * rgb(colour), **cloth),
    ]


def _strap(head: Head) -> Floats:
    """A flat elastic around the head, which it touches on the forehead and above the ear."""
    phi, up = around(241), ramp(-0.045, 0.045, 5)
    wide = head.half_width + 0.04
    x = wide * np.sin(phi)
    return grid(x, -0.10 + 0.42 * (x - 0.5) + up, 1.40 * np.cos(phi))


def bow_tie(head: Head, colour: Colour) -> list[Part]:
    """Satin, a little below the chin: a front bow on a wider one, drawn together by the knot."""
    satin: dict[str, Any] = {"gloss": 0.24, "rough": 0.34, "sheen": 0.10, "noise": 0.02}
    level, tint = head.chin + 0.62, rgb(colour)
    parts: list[Part] = []
    for side in (-1.0, 1.0):
        parts.append(_wing(side, level + 0.03, 0.95, 0.36, 0.62, 0.80 * tint, satin))
        parts.append(_wing(side, level, 0.84, 0.34, 0.72, tint, satin))
    s, t = ramp(-1, 1, 31), np.linspace(-1, 1, 31, dtype=np.float32)[None]
    half = 0.115 * (1 - 0.10 * s**2)
    knot = grid(half * t, level + 0.165 * s, 0.92 + 0.10 * np.sqrt(1 - 0.9 * t**2) + 0.02 * np.sin(9 * t + 2 * s))
    return [*parts, Surface(knot, 0.95 * tint, **satin)]


def _wing(side: float, level: float, wide: float, high: float, near: float, tint: Floats, look: dict[str, Any]) -> Part:
    """One half of a bow: narrow and pleated at the knot, puffed, with rounded corners."""
    t, s = ramp(0, 1, 60), np.linspace(-1, 1, 61, dtype=np.float32)[None]
    half = high * (0.34 + 0.66 * np.sin(np.pi / 2 * np.clip(1.15 * t, 0, 1)) ** 1.3) * (1 - 0.10 * t**6)
    corner = 1 - 0.10 * np.abs(s) ** 5 - 0.05 * (1 - s**2)
    pleats = 0.045 * np.cos(3.5 * np.pi * s) * (1 - t) ** 2 + 0.03 * np.cos(1.5 * np.pi * s + 0.6) * (1 - t)
    puff = 0.24 * np.sin(np.pi * np.clip(t, 0, 0.999) ** 0.8) ** 0.8 * np.sqrt(np.clip(1 - s**2, 0, 1))
    points = grid(side * (0.05 + wide * t * corner), level + half * s, near + puff + pleats)
    shade = np.clip(0.42 + 1.9 * t, 0, 1) * (1 + 4.0 * pleats) * (1 - 0.18 * np.abs(s) ** 4)
    return Surface(points, tint, open=np.asarray(shade, np.float32), **look)
