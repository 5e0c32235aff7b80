"""Glasses: round ones, sunglasses and hearts, with temples that run back to the ears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.mesh import Colour, Floats, Part, Surface
from tollbrush.engines.studio.accessories.sprites.shapes import around, cord, grid, ramp, rgb

Outline = Callable[[float, Floats, Floats | float], Floats]


def sunglasses(head: Head, colour: Colour) -> list[Part]:
    """Acetate frames with smoked lenses that mirror the sky; temples run back to the ears."""
    parts = _frame(colour, _lens, heavy=1.0)
    for side in (-1.0, 1.0):
        lens = _lens(side, around(121), ramp(0.02, 1, 40))
        tint = rgb((0.030, 0.027, 0.027)) + _mirrored(lens, side, 0.9)
        parts.append(Surface(lens, np.asarray(tint, np.float32), gloss=0.0, noise=0.0, alpha=0.95))
    return parts


def glasses(head: Head, colour: Colour) -> list[Part]:
    """Round, thin-rimmed, with clear lenses that catch a little light."""
    parts = _frame(colour, _round, heavy=0.62)
    for side in (-1.0, 1.0):
        lens = _round(side, around(121), ramp(0.02, 1, 40))
        glare = np.exp(-(((lens[..., 0] - side * 0.53) * 0.8 + lens[..., 1] + 0.12) ** 2) / 0.006)
        tint = np.asarray(0.75 + 0.25 * glare[..., None] * rgb((1.0, 1.0, 1.0)), np.float32)
        parts.append(Surface(lens, tint, gloss=0.5, rough=0.3, noise=0.0, alpha=0.10))
    return parts


def heart_glasses(head: Head, colour: Colour) -> list[Part]:
    """Hearts with tinted lenses."""
    parts = _frame(colour, _heart, heavy=1.0)
    for side in (-1.0, 1.0):
        lens = _heart(side, around(161), ramp(0.02, 1, 40))
        tint = (0.34 - 0.14 * lens[..., 1:2]) * rgb(colour) + _mirrored(lens, side, 0.6)
        parts.append(Surface(lens, np.asarray(tint, np.float32), gloss=0.0, noise=0.0, alpha=0.88))
    return parts


def _mirrored(lens: Floats, side: float, strength: float) -> Floats:
    """What a bulging dark lens mirrors of an open place: a sky that pales towards the skyline, dim ground below it,
    and a bright window at the side of the light."""
    x, y = lens[..., 0] - side * 0.54, lens[..., 1]
    skyline = 0.06 + 0.35 * x**2 + 0.012 * np.sin(23 * x + side) + 0.008 * np.sin(51 * x)
    above = skyline - y
    sky = np.clip(above / 0.025, 0, 1) * (0.36 * np.exp(-np.maximum(above, 0) / 0.18) + 0.07)
    ground = 0.05 * np.exp(-np.maximum(-above, 0) / 0.10) * (above < 0)
    glare = np.exp(-((np.maximum(np.abs(x + 0.17 + 0.25 * y) - 0.045, 0) / 0.02) ** 2))
    glare = 0.30 * glare * np.clip((0.05 - y) / 0.06, 0, 1) * np.clip((y + 0.20) / 0.05, 0, 1)
    light = sky[..., None] * rgb((0.72, 0.86, 1.0)) + ground[..., None] * rgb((1.0, 0.85, 0.65))
    return np.asarray(strength * (light + glare[..., None]), np.float32)


def _frame(colour: Colour, outline: Outline, heavy: float) -> list[Part]:
    """Rims, a bridge, and temples that run back to the ears."""
    frame = rgb(colour)
    plastic: dict[str, Any] = {"gloss": 0.55, "rough": 0.2, "noise": 0.0}
    parts: list[Part] = []
    for side in (-1.0, 1.0):
        rim = outline(side, around(161), 1.0)
        parts.append(Surface(cord(rim[0], heavy * _rim_width(rim[0], side), up=(0, 0, 1)), frame, **plastic))
        hinge = np.array([[side * 0.97, -0.17, 1.16], [side * 1.07, -0.17, 1.04], [side * 1.16, -0.10, -0.1]])
        ends = np.linspace(0, 1, 24)
        arm = np.stack([np.interp(ends, [0, 0.25, 1], hinge[:, i]) for i in range(3)], 1).astype(np.float32)
        parts.append(Surface(cord(arm, 0.055 * heavy), frame, **plastic))
    x = ramp(-0.16, 0.16, 15)
    bridge = np.concatenate([x, -0.10 - 0.06 * np.cos(x * 9.0), 1.36 + 0 * x], axis=1)
    parts.append(Surface(cord(np.asarray(bridge, np.float32), 0.045 * heavy), frame, **plastic))
    return parts


def _round(side: float, phi: Floats, s: Floats | float) -> Floats:
    px = side * 0.53 + s * 0.40 * np.cos(phi)
    return grid(px, 0.05 + s * 0.40 * np.sin(phi), 1.36 - 0.22 * px**2)


def _heart(side: float, phi: Floats, s: Floats | float) -> Floats:
    x = np.sin(phi) ** 3
    y = -(13 * np.cos(phi) - 5 * np.cos(2 * phi) - 2 * np.cos(3 * phi) - np.cos(4 * phi)) / 16
    px = side * 0.56 + s * 0.50 * x
    return grid(px, 0.02 + s * 0.43 * y, 1.36 - 0.22 * px**2)


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
