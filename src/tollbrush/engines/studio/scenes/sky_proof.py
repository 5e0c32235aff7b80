"""Whether what was found at the top of a picture is a sky: its colours, its place, and how its light runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.rising import rising

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask

    Map = NDArray[np.float32]

LEAST: Final = 0.04  # of the picture, that must be sky
_FEWEST: Final = 8  # rows, below which no gradient is told
_SILHOUETTE: Final = 25  # L by which the land is darker that may be without any grain
_DARK: Final = 38  # L


@dataclass(frozen=True)
class Look:
    """A small picture: its Lab, h×w×3; how rough it is around each pixel, in L; how like a sky's its colours are."""

    lab: Map
    rough: Map
    like: Map


def sky_likeness(lab: Map) -> Map:
    """−1.5..1.5: blue, pale, a sunset's, or a night's."""
    light, red, yellow = (lab[..., i] for i in range(3))
    blue = _over(-yellow, 3, 2) * _over(light, 30, 5) * _over(-red, -14, 4)
    pale = _over(light, 62, 5) * _over(-np.hypot(red, yellow), -14, 3)
    warm = _over(light, 45, 6) * _over(red, 3, 3) * _over(yellow, -14, 4)
    dark = _over(-light, -35, 5) * _over(-yellow, -1, 2) * _over(-np.abs(red), -14, 3)
    most = np.maximum(np.maximum(blue, pale), np.maximum(0.75 * warm, 0.8 * dark))
    return np.asarray(np.clip(3 * most - 1.5, -1.5, 1.5), np.float32)


def _over(values: Map, middle: float, width: float) -> Map:
    """0..1, a soft step."""
    return np.asarray(1 / (1 + np.exp((middle - values) / width)), np.float32)


def sureness(look: Look, sky: Mask) -> float:
    """0..1. Skies lie at the top and run to a side, not to the ground; they are calmer than the land, and lighter
    towards it; what is dark and not blue, or warm without a gradient, is a room's."""
    inner: Mask = cv2.erode(sky.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0
    rows = np.flatnonzero(inner.sum(axis=1) > 0.1 * sky.shape[1])
    if sky.mean() < LEAST or sky.all() or len(rows) < _FEWEST:
        return 0.0
    return float(np.prod([*_placed(sky), *_textured(look, sky, inner), *_coloured(look, inner, rows)]))


def _placed(sky: Mask) -> list[float]:
    height, width = sky.shape
    ends = np.where(sky.any(axis=0), height - sky[::-1].argmax(axis=0), 0) / height
    sides = sorted((ends[: width // 25].mean(), ends[-(width // 25) :].mean()))
    return [
        rising(sky[:3].any(axis=0).mean(), 0.7, 0.95),
        rising(sky[-2:].any(axis=0).mean(), 0.12, 0.03),
        rising(sides[0], 0.88, 0.74),  # what runs down both sides is the paper behind a thing
        rising(sides[1], 0.97, 0.88),
        rising(sides[1], 0.02, 0.10),
        rising(sky.mean(), LEAST, 0.08),
    ]


def _textured(look: Look, sky: Mask, inner: Mask) -> list[float]:
    land = look.rough[~sky].mean()
    if look.lab[inner, 0].mean() - look.lab[~sky, 0].mean() > _SILHOUETTE:
        return []
    return [rising(np.median(look.rough[inner]) / max(land, 1e-3), 1.1, 0.8), rising(land, 0.35, 0.6)]


def _coloured(look: Look, inner: Mask, rows: NDArray[np.intp]) -> list[float]:
    lab = look.lab[inner]
    light, red, yellow = lab.mean(axis=0)
    usual = np.array([np.median(look.lab[y, inner[y], 0]) for y in rows])
    rise = np.polyfit((rows - rows[0]) / (rows[-1] - rows[0]), usual, 1)[0]
    spread = np.mean([look.lab[y, inner[y], 0].std() for y in rows])
    tests = [
        rising(look.like[inner].mean(), -0.35, -0.1),
        rising(red, -9, -5),  # no sea, no leaves
        rising(spread, 24, 18),
        rising(rise, 68, 58),
        rising(rise, -12, -8) if yellow < -5 else rising(rise, -5, -3),
    ]
    if light < _DARK:
        tests += [rising(yellow, -2, -4), rising(red + yellow / 2, 1, -0.5)]
    elif yellow > 4 or red > 6:
        tests.append(rising(rise, 8, 16))
    return tests
