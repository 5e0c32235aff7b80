"""Random textures and gradients, in linear light, from which scenes are painted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.light import encoded, linear
from tollbrush.engines.studio.strips import strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]


def fractal(
    height: int, width: int, random: np.random.Generator, *, detail: float = 3, octaves: int = 7, gain: float = 0.5
) -> Map:
    """Fractional Brownian motion, h×w, mean 0 and variance about 1: `octaves` of value noise, the coarsest with
    `detail` cells along the longer side, each finer one `gain` times as strong."""
    total = np.zeros((height, width), np.float32)
    strength, power = 1.0, 0.0
    for _ in range(octaves):
        cells = (
            max(2, int(np.ceil(detail * height / max(height, width))) + 3),
            max(2, int(np.ceil(detail * width / max(height, width))) + 3),
        )
        if cells[0] > 2 * height:
            break
        grid = random.standard_normal(cells, np.float32)
        layer = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        total += strength * np.asarray(layer, np.float32)
        power += strength * strength
        strength, detail = strength * gain, detail * 2
    return total / np.float32(np.sqrt(max(power, 1e-9)))


def profile(width: int, random: np.random.Generator, *, detail: float, octaves: int = 9, gain: float = 0.47) -> Map:
    """A fractal line: `width` heights of mean about 0 and variance about 1."""
    return np.asarray(fractal(4, width, random, detail=detail, octaves=octaves, gain=gain)[1], np.float32)


def colour(code: str) -> Map:
    """`#rrggbb` → linear light, 3."""
    steps = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    return linear(steps / np.float32(255))


def vertical(height: int, width: int, stops: Sequence[tuple[float, str]]) -> Map:
    """A gradient from top (0) to bottom (1), blended on a cube root scale, where equal steps look equal."""
    ends = np.cbrt(np.stack([colour(code) for _, code in stops]))
    at = np.linspace(0, 1, height)
    column = np.stack([np.interp(at, [place for place, _ in stops], ends[:, i]) for i in range(3)], axis=1) ** 3
    return np.repeat(column[:, None].astype(np.float32), width, axis=1)


def blend(a: Map, b: Map, share: Map) -> Map:
    """`a` where `share` (h×w) is 0, `b` where it is 1."""
    return np.asarray(a + (b - a) * share[..., None], np.float32)


def finished(light: Map, random: np.random.Generator) -> Pixels:
    """Linear light → sRGB bytes, dithered by one step so that dark gradients do not band."""
    grain = random.random(light.shape[:2], np.float32)[..., None]
    result = np.empty(light.shape, np.uint8)
    for rows in strips(len(light)):
        result[rows] = np.clip(encoded(light[rows]) * 255 + grain[rows], 0, 255)
    return result


def grid(height: int, width: int) -> tuple[Map, Map]:
    """Row and column of each pixel."""
    rows, columns = np.indices((height, width), dtype=np.float32)
    return rows, columns
