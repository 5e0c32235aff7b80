"""Looks of photographs and screens: vintage film, HDR, pixel art, pop art."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.light import from_lab, to_lab
from tollbrush.engines.studio.painterly import SPECK, contours, evened, unit, without_specks
from tollbrush.engines.studio.strips import strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

_PALETTE: Final = 24  # colours of pixel art
_CELLS: Final = 128  # its longer side
_LEVELS: Final = np.linspace(0, 1, 256, dtype=np.float32)


def vintage(colours: Map, random: np.random.Generator) -> Map:
    """A faded print: lifted blacks, yellowed whites, blue in the shadows, grain, and a light leak at one side."""
    height, width = colours.shape[:2]
    noise = random.standard_normal((height, width), np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), max(0.8 * unit(colours), 0.4)), np.float32)
    noise *= np.float32(0.022 / max(float(noise.std()), 1e-6))
    side, at = random.choice([-0.02, 1.02]), random.uniform(0.1, 0.7)
    x = (np.arange(width, dtype=np.float32) + 0.5)[None] / width
    down = (np.arange(height, dtype=np.float32) + 0.5)[:, None] / height
    result = np.empty_like(colours)
    for rows in strips(height):
        lab, y = to_lab(colours[rows]), down[rows]
        lab[..., 1:] *= 0.74
        faded = from_lab(lab)
        for channel, points in enumerate(((0.06, 0.56, 0.97), (0.045, 0.51, 0.93), (0.12, 0.47, 0.80))):
            faded[..., channel] = np.interp(faded[..., channel], _LEVELS, _bent(points))
        corner = 1 - 1.0 * np.clip(np.hypot((x - 0.5) * 1.05, y - 0.5) - 0.32, 0, 1) ** 1.5
        leak = np.exp(-np.square(x - side) / 0.02 - np.square(y - at) / 0.25)[..., None]
        aged = np.clip(faded * corner[..., None] + noise[rows, :, None], 0, 1)
        result[rows] = 1 - (1 - aged) * (1 - leak * np.array([0.35, 0.14, 0.04], np.float32))
    return result


def hdr(colours: Map, _: np.random.Generator) -> Map:
    """Local tone mapping: large differences of light pressed together by an edge-keeping base (guided filter, He 2013),
    fine ones brought out."""
    side = max(colours.shape[:2])
    lab = to_lab(colours)
    light = np.ascontiguousarray(lab[..., 0] / 100, np.float32)
    base = guided(light, max(1, round(0.03 * side)), 0.01)
    detail = light - base
    middle = base - guided(base, max(1, round(0.1 * side)), 0.04)
    pressed = np.clip((base - base.mean()) * 0.68 + 0.30 + 0.45 * base.mean(), 0, 1)
    # Deep shadow and highlight keep their ends, so that noise does not boil up.
    room = np.clip(4 * light * (1 - light) + 0.25, 0, 1)
    lab[..., 0] = 100 * np.clip(pressed + room * (0.75 * detail + 0.25 * middle) + detail, 0, 1)
    lab[..., 1:] *= 1.25
    return from_lab(lab)


def guided(plane: Map, radius: int, smoothness: float) -> Map:
    """The guided filter of a plane by itself, worked out at a reduced size (He and Sun 2015)."""
    height, width = plane.shape
    scale = min(1.0, 4 / radius)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
    box = (2 * max(1, round(radius * scale)) + 1,) * 2
    mean = cv2.blur(small, box)
    spread = np.maximum(cv2.blur(small * small, box) - mean * mean, 0)
    a = spread / (spread + smoothness)
    b = mean * (1 - a)
    slope, lift = (cv2.resize(cv2.blur(p, box), (width, height), interpolation=cv2.INTER_LINEAR) for p in (a, b))
    return np.asarray(slope * plane + lift, np.float32)


def pixel_art(colours: Map, random: np.random.Generator) -> Map:
    """Large square pixels in a few colours of the picture's own."""
    height, width = colours.shape[:2]
    scale = min(1.0, _CELLS / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    smooth = cv2.bilateralFilter(colours, 5, 0.12, 3)
    small = np.asarray(cv2.resize(smooth, size, interpolation=cv2.INTER_AREA), np.float32)
    lab = to_lab(small)
    lab[..., 0] = np.clip((lab[..., 0] - 50) * 1.12 + 50, 0, 100)
    lab[..., 1:] *= 1.3
    points = lab.reshape(-1, 3)
    few = min(_PALETTE, len(np.unique(np.round(points), axis=0)))
    cv2.setRNGSeed(int(random.integers(2**31)))
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, labels, centres = cv2.kmeans(points, few, np.empty(0, np.int32), stop, 1, cv2.KMEANS_PP_CENTERS)
    flat = from_lab(np.asarray(centres[labels.ravel()], np.float32).reshape(lab.shape))
    return np.asarray(cv2.resize(flat, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)


def pop_art(colours: Map, _: np.random.Generator) -> Map:
    """A screen print: four flat inks by lightness, halftone dots between them, black contours."""
    height, width = colours.shape[:2]
    scale = unit(colours)
    calm = np.asarray(cv2.bilateralFilter(colours, 7, 0.1, max(5 * scale, 1)), np.float32)
    grey = to_lab(calm)[..., 0] / np.float32(100)
    del calm
    low, high = np.percentile(grey, [2, 98])
    grey = np.asarray(np.clip((grey - low) / max(float(high - low), 0.15), 0, 1), np.float32)
    ink = contours(evened(grey, 30 * scale), 1.5 * scale, strength=18, threshold=0.40, softness=16)
    ink = 0.08 + 0.92 * without_specks(ink, SPECK * scale**2)
    inks = np.array([(0.10, 0.07, 0.32), (0.90, 0.11, 0.42), (0.99, 0.62, 0.16), (1.0, 0.93, 0.62)], np.float32)
    pitch = max(9 * scale, 3)
    sharp = max(pitch / 6, 1)
    across = np.arange(width, dtype=np.float32)[None]
    result = np.empty_like(colours)
    for rows in strips(height):
        down = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        u, v = (across + down) / (pitch * 1.414), (across - down) / (pitch * 1.414)
        screen = 0.5 + 0.25 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v))
        steps = grey[rows] * (len(inks) - 1)
        lower = np.minimum(steps.astype(np.int64), len(inks) - 2)
        share = np.clip((steps - lower - screen) * sharp * 2 + 0.5, 0, 1)[..., None]
        result[rows] = (inks[lower] * (1 - share) + inks[lower + 1] * share) * ink[rows, :, None]
    return result


def _bent(points: tuple[float, float, float]) -> Map:
    """The parabola through black's, middle's and white's new values."""
    low, middle, high = points
    bow = 4 * middle - 2 * (low + high)
    return np.asarray(low + (high - low) * _LEVELS + bow * _LEVELS * (1 - _LEVELS), np.float32)
