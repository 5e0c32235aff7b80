"""Pictures as if made by hand: watercolour, oil, pencil, ink and flat colour.

Marks are as large against a small picture as against a large one; a picture above _LARGEST is painted at that size and
enlarged, since paint holds no finer detail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.kuwahara import direction, painted
from tollbrush.engines.studio.light import from_lab, to_lab
from tollbrush.engines.studio.noise import fractal
from tollbrush.engines.studio.strips import strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]
    Painter = Callable[[Map, np.random.Generator], Map]

_LARGEST: Final = 1600  # longer side, pixels
_OIL_SIDE: Final = 640  # of the brush marks; the canvas is as fine as the picture
_WASH_SIDE: Final = 560
SPECK: Final = 110  # pixels at 1024: less ink in one place is no line


def by_hand(pixels: Pixels, painter: Painter, seed: int) -> Pixels:
    """H×W×3 pixels through one of this module's painters."""
    height, width = pixels.shape[:2]
    scale = min(1.0, _LARGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    result = painter(small.astype(np.float32) / np.float32(255), np.random.default_rng(seed))
    done = (np.clip(result, 0, 1) * 255 + 0.5).astype(np.uint8)
    return (
        done if scale == 1 else np.asarray(cv2.resize(done, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    )


def oil(colours: Map, random: np.random.Generator) -> Map:
    """Brush marks along the forms, with ridges of paint that catch the light."""
    scale = unit(colours)
    marks = _marks(colours, _OIL_SIDE, radius=5.5, smoothness=3.0)
    grey = np.asarray(to_lab(marks)[..., 0] / 100, np.float32)
    angle, _clear = direction(grey, 6 * max(scale, 0.2))
    bristles = along_lines(_grain(colours.shape[:2], random, 0.9 * scale), angle, round(max(4, 15 * scale)))
    bristles /= max(float(bristles.std()), 1e-6)
    relief = 0.7 * (cv2.Sobel(bristles, cv2.CV_32F, 1, 0, ksize=1) + cv2.Sobel(bristles, cv2.CV_32F, 0, 1, ksize=1))
    lab = to_lab(marks)
    # Thick paint lies in the lights; shadows are thin and smooth.
    body = 0.35 + 0.65 * np.clip(lab[..., 0] / 70, 0, 1)
    lab[..., 0] = np.clip(lab[..., 0] * 1.03 + body * (3.0 * relief + 1.2 * bristles), 0, 100)
    lab[..., 1:] *= 1.22
    return from_lab(lab)


def watercolour(colours: Map, random: np.random.Generator) -> Map:
    """Washes with darker rims on grained paper, wobbling a little, and a bare edge around the sheet."""
    height, width = colours.shape[:2]
    scale = unit(colours)
    washes = _marks(colours, _WASH_SIDE, radius=6.5, smoothness=4.0, sharpness=6.0)
    across, down = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    x, y = (at + 2.2 * scale * fractal(height, width, random, detail=14, octaves=3) for at in (across, down))
    lab = to_lab(np.asarray(cv2.remap(washes, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32))
    del washes, x, y
    light = np.asarray(0.20 + 0.82 * (lab[..., 0] / 100) ** 0.85, np.float32)
    soft = np.asarray(cv2.GaussianBlur(light, (0, 0), max(1.3 * scale, 0.4)), np.float32)
    rims = np.clip(1.6 * slope(soft), 0, 0.5)
    paper = fractal(height, width, random, detail=180, octaves=3, gain=0.7)
    pools = fractal(height, width, random, detail=4, octaves=5)
    lab[..., 0] = 100 * np.clip(light, 0, 1)
    lab[..., 1:] *= 1.06
    density = 1.5 * (0.55 * rims + 0.055 * pools + 0.036 * paper)
    edge = np.minimum(np.minimum(across, width - 1 - across), np.minimum(down, height - 1 - down))
    edge = edge / max(height, width) + 0.012 * fractal(height, width, random, detail=9, octaves=5)
    share = np.clip((edge - 0.018) / 0.012, 0, 1)
    sheet = np.array([0.975, 0.968, 0.945], np.float32)
    for rows in strips(height):
        wash = from_lab(lab[rows])
        # Pigment density (Bousseau et al. 2006): c − (c − c²)(d − 1) leaves white and black where they are.
        wash -= (wash - wash * wash) * density[rows, :, None]
        lab[rows] = sheet + (wash - sheet) * share[rows, :, None] + 0.018 * paper[rows, :, None]
    return lab


def sketch(colours: Map, random: np.random.Generator) -> Map:
    """Pencil: contours (XDoG, Winnemöller 2012), smudged tone, and three layers of hatching for the darks."""
    height, width = colours.shape[:2]
    scale = unit(colours)
    grey = np.asarray(to_lab(colours)[..., 0] / 100, np.float32)
    # Pencil spans from paper to grey: an even spread of tones first, whatever the exposure.
    low, high = np.percentile(grey, [1, 99])
    grey = np.asarray(np.clip((grey - low) / max(float(high - low), 0.15), 0, 1), np.float32)
    lines = contours(evened(grey, 24 * scale), 1.0 * scale, strength=18, threshold=0.60, softness=5)
    smudged = np.clip(grey / np.maximum(cv2.GaussianBlur(grey, (0, 0), max(9 * scale, 0.6)), 0.02), 0, 1)
    soft = cv2.GaussianBlur(grey, (0, 0), max(2 * scale, 0.3))
    hatched = np.ones((height, width), np.float32)
    for darker_than, degrees in ((0.60, 45), (0.38, -40), (0.20, 12)):
        strokes = _strokes(height, width, random, degrees, scale)
        depth = np.clip((darker_than - soft) / 0.25, 0, 1)
        hatched *= 1 - 0.42 * depth * np.clip(0.55 * strokes + 0.5, 0, 1)
    paper = 0.965 + 0.02 * _grain((height, width), random, 1.2 * scale) + 0.012 * _grain((height, width), random, 0.5)
    drawn = 0.16 + 0.84 * np.clip(0.30 + 0.70 * lines, 0, 1) * np.clip(smudged**1.3, 0.3, 1) * hatched
    return np.asarray((drawn * paper)[..., None] * np.array([1, 0.99, 0.965], np.float32), np.float32)


def cartoon(colours: Map, random: np.random.Generator) -> Map:
    """Flat, bright colours in few steps between ink lines (Winnemöller, Olsen and Gooch 2006)."""
    scale = unit(colours)
    bytes_ = (colours * 255 + 0.5).astype(np.uint8)
    smooth = bytes_
    for _ in range(4):
        smooth = np.asarray(cv2.bilateralFilter(smooth, 9, 26, max(7 * scale, 1)), np.uint8)
    lab = to_lab(smooth.astype(np.float32) / np.float32(255))
    step = 100 / 8
    base = np.floor(lab[..., 0] / step) * step + step / 2
    lab[..., 0] = np.clip((base + step / 2 * np.tanh((lab[..., 0] - base) / step * 5)) * 1.02 + 2, 0, 100)
    lab[..., 1:] *= 1.4
    calm = np.asarray(cv2.bilateralFilter(bytes_, 7, 22, 5), np.float32) / np.float32(255)
    grey = np.asarray(to_lab(calm)[..., 0] / 100, np.float32)
    ink = contours(evened(grey, 30 * scale), 1.25 * scale, strength=20, threshold=0.42, softness=16)
    ink = without_specks(ink, SPECK * scale**2)
    return np.asarray(from_lab(lab) * (0.10 + 0.90 * ink)[..., None], np.float32)


def unit(colours: Map) -> float:
    """Pixels per thousandth of the longer side: what is one pixel at 1024."""
    return float(max(colours.shape[:2])) / 1024


def evened(grey: Map, sigma: float) -> Map:
    """Without its large differences of light, so that lines are drawn in the shade as in the sun and darkness is no
    line."""
    around = cv2.GaussianBlur(grey, (0, 0), max(sigma, 0.6))
    return np.asarray(np.clip(0.75 * (grey + 0.12) / (around + 0.12), 0, 1), np.float32)


def contours(grey: Map, sigma: float, *, strength: float, threshold: float, softness: float) -> Map:
    """Extended difference of Gaussians: 1 on paper, towards 0 on a line."""
    sigma = max(sigma, 0.35)
    narrow, wide = (cv2.GaussianBlur(grey, (0, 0), s) for s in (sigma, 1.6 * sigma))
    difference = (1 + strength) * narrow - strength * wide
    drawn = np.where(difference > threshold, 1, 1 + np.tanh(softness * (difference - threshold)))
    return np.asarray(np.clip(drawn, 0, 1), np.float32)


def without_specks(ink: Map, least: float) -> Map:
    """Lines of fewer than `least` pixels turn to paper: hairs, pores and grain are no contours."""
    drawn = ink < 0.6
    _, parts, found, _ = cv2.connectedComponentsWithStats(drawn.astype(np.uint8))
    specks = np.asarray(found[:, cv2.CC_STAT_AREA] < least)
    specks[0] = False  # the paper
    speck = specks[parts]
    rims = cv2.dilate(speck.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return np.where(rims & (speck | ~drawn), np.float32(1), ink)


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


def _marks(colours: Map, side: int, *, radius: float, smoothness: float, sharpness: float = 8.0) -> Map:
    """Kuwahara's brush marks, made at `side` pixels and enlarged."""
    height, width = colours.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(colours, size, interpolation=cv2.INTER_AREA), np.float32)
    share = max(small.shape[:2]) / side
    marks = painted(small, max(1.5, radius * share), sharpness, max(0.6, smoothness * share))
    return np.clip(np.asarray(cv2.resize(marks, (width, height), interpolation=cv2.INTER_CUBIC), np.float32), 0, 1)


def _grain(shape: tuple[int, ...], random: np.random.Generator, sigma: float) -> Map:
    noise = random.standard_normal(shape[:2], np.float32)
    if sigma < 0.3:
        return noise
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigma), np.float32)
    return noise / np.float32(max(float(noise.std()), 1e-6)) * np.float32(min(1.0, 0.6 / sigma))


def _strokes(height: int, width: int, random: np.random.Generator, degrees: float, scale: float) -> Map:
    """Straight parallel pencil strokes, mean 0 and variance 1."""
    length = max(3, round(30 * scale)) | 1
    stroke = np.zeros((length, length), np.float32)
    middle, angle = length // 2, np.deg2rad(degrees)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (middle - 0.5)
    ends = [(round(middle + s * reach[0]), round(middle + s * reach[1])) for s in (-1, 1)]
    cv2.line(stroke, ends[0], ends[1], 1.0, 1)
    strokes = cv2.filter2D(random.standard_normal((height, width), np.float32), -1, stroke)
    strokes = cv2.GaussianBlur(strokes, (0, 0), max(0.7 * scale, 0.3))
    return np.asarray(strokes / max(float(strokes.std()), 1e-6), np.float32)
