"""Pictures as if drawn: pencil, and flat colour between ink lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import from_lab, to_lab
from tollbrush.engines.studio.pixels.strips import strips
from tollbrush.engines.studio.retouch.painterly import brushed, grain, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]

SPECK: Final = 110  # pixels at 1024: less ink in one place is no line
_FLAT: Final = 26  # colours of a cartoon
_FLAT_SIDE: Final = 400  # of the marks that they are chosen from
_STEP: Final = 2.6  # ΔE within which two of them run together
_TELLING: Final = np.array([0.65, 1.3, 1.3], np.float32)  # weights of L, a and b in that
_CELL: Final = 3.3  # ΔE: colours nearer than that get the same of them
_LIGHTS, _TINTS = 32, 73  # cells along L, and along a and b
_SHADES: Final = (
    (0.14, 45, 0.30),
    (0.34, 38, 0.32),
    (0.52, -42, 0.36),
    (0.70, 8, 0.40),
)  # darker than, degrees, how dark


def sketch(colours: Map, random: np.random.Generator) -> Map:
    """Graphite: fine contours, a smudged tone, and hatching in four directions, one over another towards the darks."""
    height, width = colours.shape[:2]
    scale = unit(colours)
    grey = np.asarray(to_lab(colours)[..., 0] / 100, np.float32)
    # Pencil spans from paper to grey: an even spread of tones first, whatever the exposure.
    low, high = np.percentile(grey, [1, 99])
    grey = np.asarray(np.clip((grey - low) / max(float(high - low), 0.15), 0, 1), np.float32)
    calm = np.asarray(cv2.bilateralFilter(grey, 7, 0.10, max(4 * scale, 1)), np.float32)
    ink = contours(evened(calm, 22 * scale), 1.15 * scale, strength=14, threshold=0.56, softness=4)
    ink = without_specks(ink, 0.5 * SPECK * scale**2)
    # Dodged by its own blur (the darkroom's way to a line drawing): light from far away does not count.
    dodged = np.clip(calm / np.maximum(cv2.GaussianBlur(calm, (0, 0), max(7 * scale, 0.6)), 0.03), 0, 1)
    dark = 1 - np.asarray(cv2.GaussianBlur(calm, (0, 0), max(1.6 * scale, 0.3)), np.float32) ** 0.85
    tooth = grain((height, width), random, 0.9 * max(scale, 0.5))
    pressed = np.clip(1 + 0.28 * tooth, 0.4, 1.6)
    left = (1 - 0.34 * dark * pressed) * (1 - 0.50 * (1 - dodged**1.6) * pressed)
    for darker_than, degrees, strength in _SHADES:
        strokes = np.clip(0.5 + 0.42 * _strokes(height, width, random, degrees, scale), 0, 1)
        left *= 1 - strength * np.clip((dark - darker_than) / 0.22, 0, 1) * strokes * pressed
    left *= 1 - 0.72 * (1 - ink) * np.clip(pressed, 0.7, 1.2)
    paper = 0.968 + 0.010 * tooth
    shade = paper * (0.13 + 0.87 * np.clip(left, 0, 1))
    return np.asarray(shade[..., None] * np.array([1, 0.993, 0.975], np.float32), np.float32)


def cartoon(colours: Map, random: np.random.Generator) -> Map:
    """Flat, bright colours of few kinds between ink lines (after Winnemöller, Olsen and Gooch 2006)."""
    scale = unit(colours)
    bytes_ = (colours * 255 + 0.5).astype(np.uint8)
    lab = _flat(colours, bytes_, scale, random)
    lab[..., 0] = np.clip(lab[..., 0] * 1.03 + 2, 0, 100)
    lab[..., 1:] *= 1.38
    calm = np.asarray(cv2.bilateralFilter(bytes_, 7, 22, 5), np.float32) / np.float32(255)
    grey = np.asarray(to_lab(calm)[..., 0] / 100, np.float32)
    ink = contours(evened(grey, 30 * scale), 1.25 * scale, strength=20, threshold=0.42, softness=16)
    ink = without_specks(ink, SPECK * scale**2)
    painted = from_lab(lab)
    painted *= (0.10 + 0.90 * ink)[..., None]
    return painted


def _flat(colours: Map, bytes_: Pixels, scale: float, random: np.random.Generator) -> Map:
    """Lab of the paint between the lines."""
    smooth = bytes_
    for _ in range(4):
        smooth = np.asarray(cv2.bilateralFilter(smooth, 9, 26, max(7 * scale, 1)), np.uint8)
    lab = to_lab(smooth.astype(np.float32) / np.float32(255))
    marks = brushed(colours, _FLAT_SIDE, radius=4.0, smoothness=3.0)
    flat = (from_lab(_flattened(lab, marks, random)) * 255 + 0.5).astype(np.uint8)
    del marks
    flat = np.asarray(cv2.medianBlur(flat, 5 if scale > 0.4 else 3), np.uint8)
    flat = np.asarray(cv2.GaussianBlur(flat, (0, 0), max(0.7 * scale, 0.3)), np.uint8)
    lab *= np.float32(0.2)  # a breath of the modelling
    lab += np.float32(0.8) * to_lab(flat.astype(np.float32) / np.float32(255))
    return lab


def _flattened(lab: Map, marks: Map, random: np.random.Generator) -> Map:
    """Each colour of `lab` as the nearest of _FLAT that the marks are made of."""
    small = (
        cv2.resize(marks, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) if min(marks.shape[:2]) > 64 else marks
    )
    points = np.ascontiguousarray(to_lab(np.asarray(small, np.float32)).reshape(-1, 3))
    centres = chosen_colours(points, _FLAT, random)
    # Asked once for every colour there is, not for every pixel.
    tint = np.arange(_TINTS, dtype=np.float32) - _TINTS // 2
    told = centres * _TELLING
    shades = []
    for light in range(_LIGHTS):
        asked = np.stack(np.meshgrid(np.array([light], np.float32), tint, tint, indexing="ij"), axis=-1).reshape(-1, 3)
        # Another hue is farther off than another shade: a highlight on skin is no grey.
        away = np.square(told).sum(axis=1) - 2 * (asked * (_CELL * _TELLING)) @ told.T
        # Between two colours that are nearly one, no hard step.
        near = np.exp((away.min(axis=1, keepdims=True) - away) / np.float32(2 * _STEP**2))
        shades.append(near @ centres / near.sum(axis=1, keepdims=True))
    table = np.concatenate(shades).astype(np.float32)
    result = np.empty_like(lab)
    for rows in strips(len(lab)):
        at = np.rint(lab[rows] / np.float32(_CELL)).astype(np.int32)
        result[rows] = table[(at[..., 0] * _TINTS + at[..., 1] + _TINTS // 2) * _TINTS + at[..., 2] + _TINTS // 2]
    return result


def chosen_colours(points: Map, count: int, random: np.random.Generator) -> Map:
    """At most `count` colours of Lab points n×3 that stand for all: rare ones have a say beyond their number."""
    rounded = np.round(points / np.float32(5)).astype(np.int32)
    _, cell, number = np.unique(rounded, axis=0, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(cell.ravel(), points[:, i], len(number)) for i in range(3)], axis=1)
    means = (sums / number[:, None]).astype(np.float32)
    if len(means) <= count:
        return means
    fair = np.repeat(means, np.ceil(np.sqrt(number)).astype(int), axis=0)
    cv2.setRNGSeed(int(random.integers(2**31)))
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, _, centres = cv2.kmeans(fair, count, np.empty(0, np.int32), stop, 2, cv2.KMEANS_PP_CENTERS)
    return np.asarray(centres, np.float32)


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
