"""Pictures as if made by hand, in paint: watercolour and oil.

Marks are as large against a small picture as against a large one; a picture above _LARGEST is painted at that size and
enlarged, since paint holds no finer detail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import from_lab, to_lab
from tollbrush.engines.studio.pixels.noise import fractal
from tollbrush.engines.studio.pixels.strips import strips
from tollbrush.engines.studio.retouch.kuwahara import direction, painted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]
    Painter = Callable[[Map, np.random.Generator], Map]

_LARGEST: Final = 1600  # longer side, pixels
_OIL_SIDE: Final = 640  # of the brush marks; the canvas is as fine as the picture
_WASH_SIDE: Final = 600


def by_hand(pixels: Pixels, painter: Painter, seed: int, enlarging: int = cv2.INTER_CUBIC) -> Pixels:
    """H×W×3 pixels through a painter. `enlarging`: how a picture above _LARGEST comes back to its size, in cv2's
    words."""
    height, width = pixels.shape[:2]
    scale = min(1.0, _LARGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    result = painter(small.astype(np.float32) / np.float32(255), np.random.default_rng(seed))
    done = (np.clip(result, 0, 1) * 255 + 0.5).astype(np.uint8)
    return done if scale == 1 else np.asarray(cv2.resize(done, (width, height), interpolation=enlarging), np.uint8)


def oil(colours: Map, random: np.random.Generator) -> Map:
    """Brush marks along the forms, with ridges of paint that catch the light."""
    scale = unit(colours)
    marks = brushed(colours, _OIL_SIDE, radius=5.5, smoothness=3.0)
    grey = np.asarray(to_lab(marks)[..., 0] / 100, np.float32)
    angle, _clear = direction(grey, 6 * max(scale, 0.2))
    bristles = along_lines(grain(colours.shape[:2], random, 0.9 * scale), angle, round(max(4, 15 * scale)))
    bristles /= max(float(bristles.std()), 1e-6)
    relief = 0.7 * (cv2.Sobel(bristles, cv2.CV_32F, 1, 0, ksize=1) + cv2.Sobel(bristles, cv2.CV_32F, 0, 1, ksize=1))
    lab = to_lab(marks)
    lab += _loads(colours.shape[:2], random, angle, scale)
    # Thick paint lies in the lights; shadows are thin and smooth.
    body = 0.35 + 0.65 * np.clip(lab[..., 0] / 70, 0, 1)
    lab[..., 0] = np.clip(lab[..., 0] * 1.03 + body * (3.0 * relief + 1.2 * bristles), 0, 100)
    lab[..., 1:] *= 1.22
    return from_lab(lab)


def _loads(shape: tuple[int, ...], random: np.random.Generator, angle: Map, scale: float) -> Map:
    """What one load of the brush differs by from the next: Lab, h×w×3, in broad strokes."""
    size = max(1, shape[1] // 3), max(1, shape[0] // 3)
    coarse = np.asarray(cv2.resize(angle, size, interpolation=cv2.INTER_NEAREST), np.float32)
    planes = []
    for strength in (2.4, 1.1, 1.9):
        strokes = along_lines(grain(coarse.shape, random, 1.3 * scale), coarse, round(max(2, 12 * scale)))
        strokes *= np.float32(strength / max(float(strokes.std()), 1e-6))
        planes.append(cv2.resize(strokes, shape[1::-1], interpolation=cv2.INTER_CUBIC))
    return np.dstack(planes).astype(np.float32)


def watercolour(colours: Map, random: np.random.Generator) -> Map:
    """Thin washes on white, grained paper: pale, running into each other where nothing ends, darker at their rims,
    granulating in the paper's hollows, with a bare edge around the sheet."""
    height, width = colours.shape[:2]
    scale = unit(colours)
    across, down = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    lab = _washes(colours, scale, random)
    dark = np.asarray(1 - lab[..., 0] / 100, np.float32)
    drawn = _drawn(colours, dark, scale)
    paper = fractal(height, width, random, detail=170, octaves=3, gain=0.75)
    pools = fractal(height, width, random, detail=3.5, octaves=6, gain=0.6)
    edge = np.minimum(np.minimum(across, width - 1 - across), np.minimum(down, height - 1 - down))
    edge = edge / max(height, width) + 0.010 * fractal(height, width, random, detail=7, octaves=6) + 0.004 * paper
    share = np.clip((edge - 0.020) / 0.006, 0, 1)
    dried = np.exp(-np.square((edge - 0.028) / 0.006))
    density = drawn + 0.24 * pools + 0.16 * paper * (0.35 + dark) + 0.35 * dried
    sheet = np.array([0.985, 0.979, 0.962], np.float32)
    for rows in strips(height):
        wash = from_lab(lab[rows])
        # Pigment density: c − (c − c²)(d − 1) leaves white and black where they are.
        wash -= (wash - wash * wash) * density[rows, :, None]
        lab[rows] = sheet + (wash - 1) * sheet * share[rows, :, None] + 0.012 * paper[rows, :, None]
    return lab


def _drawn(colours: Map, dark: Map, scale: float) -> Map:
    """Pigment that makes lines: at the rims of the washes, and where a small brush goes last."""
    # It is carried to a wash's rim while it dries, and stays on its dark side (Bousseau et al. 2006).
    narrow, wide = (cv2.GaussianBlur(dark, (0, 0), max(sigma * scale, 0.4)) for sigma in (0.9, 3.6))
    rims = np.clip(4.5 * (narrow - wide), 0, 0.55)
    # What is dark and fine, as eyes and lips are.
    grey = np.asarray(to_lab(colours)[..., 0] / 100, np.float32)
    fine, around = (cv2.GaussianBlur(grey, (0, 0), max(sigma * scale, 0.4)) for sigma in (1.3, 7.0))
    return np.asarray(1.5 * rims + 1.6 * np.clip(3.4 * (around - fine) - 0.10, 0, 0.75), np.float32)


def _washes(colours: Map, scale: float, random: np.random.Generator) -> Map:
    """Lab of the paint: brush marks, wobbling, with a hand's few steps of tone; where nothing ends they bleed."""
    height, width = colours.shape[:2]
    across, down = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    marks = brushed(colours, _WASH_SIDE, radius=5.5, smoothness=3.5, sharpness=6.0)
    x, y = (at + 2.6 * scale * fractal(height, width, random, detail=16, octaves=4) for at in (across, down))
    lab = to_lab(np.asarray(cv2.remap(marks, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32))
    del marks, x, y
    soft = _spread(lab, 8 * scale)
    ends = cv2.GaussianBlur(slope(np.ascontiguousarray(lab[..., 0])) / 100, (0, 0), max(3 * scale, 0.5))
    wet = np.clip(1 - 7 * ends + 0.35 * fractal(height, width, random, detail=5, octaves=3), 0, 0.9)[..., None]
    soft -= lab
    soft *= wet.astype(np.float32)
    lab += soft
    del soft
    # Steps of tone, one wash over another, their edges soft.
    light = np.clip(lab[..., 0] / np.float32(100), 0, 1)
    steps = 7.0
    base = np.floor(light * steps)
    stepped = (base + 0.5 + 0.5 * np.tanh(4 * (light * steps - base - 0.5)) / np.tanh(2)) / steps
    light = np.clip(0.55 * light + 0.45 * np.asarray(stepped, np.float32), 0, 1)
    lab[..., 0] = 100 * np.clip(0.20 + 0.84 * light**0.82, 0, 1)
    lab[..., 1:] *= (1.12 - 0.35 * np.clip(light - 0.75, 0, 1))[..., None]
    return lab


def _spread(planes: Map, sigma: float) -> Map:
    """A wide blur, at a quarter of the size."""
    height, width = planes.shape[:2]
    size = max(1, width // 4), max(1, height // 4)
    small = cv2.GaussianBlur(cv2.resize(planes, size, interpolation=cv2.INTER_AREA), (0, 0), max(sigma / 4, 0.3))
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def unit(colours: Map) -> float:
    """Pixels per thousandth of the longer side: what is one pixel at 1024."""
    return float(max(colours.shape[:2])) / 1024


def along_lines(noise: Map, angle: Map, steps: int) -> Map:
    """Line integral convolution (Cabral and Leedom 1993): `noise` smeared along a field of angles."""
    rows, columns = np.indices(noise.shape, dtype=np.float32)
    dx, dy = np.cos(angle), np.sin(angle)
    total = noise.copy()
    for sign in (1, -1):
        x, y = np.array(columns, np.float32), np.array(rows, np.float32)
        step_x, step_y = np.asarray(sign * dx, np.float32), np.asarray(sign * dy, np.float32)
        for _ in range(steps):
            x, y = np.asarray(x + step_x, np.float32), np.asarray(y + step_y, np.float32)
            total += cv2.remap(noise, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            next_x = cv2.remap(dx, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            next_y = cv2.remap(dy, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            turned = np.where(next_x * step_x + next_y * step_y < 0, np.float32(-1), np.float32(1))
            step_x, step_y = np.asarray(next_x * turned, np.float32), np.asarray(next_y * turned, np.float32)
    return total / np.float32(2 * steps + 1)


def slope(plane: Map) -> Map:
    return np.asarray(np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)), np.float32)


def brushed(colours: Map, side: int, *, radius: float, smoothness: float, sharpness: float = 8.0) -> Map:
    """Kuwahara's brush marks, made at `side` pixels and enlarged."""
    height, width = colours.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(colours, size, interpolation=cv2.INTER_AREA), np.float32)
    share = max(small.shape[:2]) / side
    marks = painted(small, max(1.5, radius * share), sharpness, max(0.6, smoothness * share))
    return np.clip(np.asarray(cv2.resize(marks, (width, height), interpolation=cv2.INTER_CUBIC), np.float32), 0, 1)


def grain(shape: tuple[int, ...], random: np.random.Generator, sigma: float) -> Map:
    noise = random.standard_normal(shape[:2], np.float32)
    if sigma < 0.3:
        return noise
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigma), np.float32)
    return noise / np.float32(max(float(noise.std()), 1e-6)) * np.float32(min(1.0, 0.6 / sigma))
