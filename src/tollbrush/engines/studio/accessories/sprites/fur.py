"""Fur and plush: short hairs sown on a surface."""

from __future__ import annotations

import numpy as np

from tollbrush.engines.studio.accessories.sprites.mesh import Floats, Strands


def coat(
    points: Floats,
    out: Floats,
    count: int,
    seed: int,
    colour: Floats,
    *,
    long: float = 0.11,
    wild: float = 0.55,
    fall: float = 0.25,
    light: tuple[float, float] = (0.22, 0.12),
    width: float = 0.02,
) -> Strands:
    """Hairs of about `long` units on a grid of points. They stand along `out` (of its shape), ruffled by `wild` and
    drawn down by `fall`; those that look up are brighter by `light`: its share for up, and for the viewer's left."""
    random = np.random.default_rng(seed)
    rows, columns = points.shape[:2]
    row, column = random.integers(0, rows - 1, count), random.integers(0, columns - 1, count)
    f, g = random.random((2, count, 1)).astype(np.float32)
    roots = points[row, column] * (1 - f) * (1 - g) + points[row + 1, column] * f * (1 - g)
    roots = roots + points[row, column + 1] * (1 - f) * g + points[row + 1, column + 1] * f * g
    away = out[row, column]
    away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
    lean = away + wild * random.standard_normal((count, 3)) + np.array([0, fall, 0])
    reach = long * (0.6 + 0.8 * random.random((count, 1)))
    s = np.linspace(0, 1, 4)[None, :, None]
    paths = roots[:, None] + s * (reach * lean)[:, None] + s**2 * np.array([0, 0.03, 0])
    lit = np.clip(0.92 - light[0] * away[:, 1:2] - light[1] * away[:, :1], 0.5, 1.05)
    return Strands(np.asarray(paths, np.float32), np.asarray(colour * lit, np.float32), width, 0.0)


def from_middle(points: Floats) -> Floats:
    """Outwards from the middle line of a cord (rows × columns × 3), or from a ball's middle."""
    rows, columns = points.shape[:2]
    middle = points.mean(axis=0) if rows < columns else points.mean(axis=(0, 1))
    return np.asarray(points - middle, np.float32)
