"""Looks of photographs and screens: vintage film, HDR, pixel art, pop art."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.faces.find import agreed_faces
from tollbrush.engines.studio.pixels.light import from_lab, to_lab
from tollbrush.engines.studio.pixels.strips import strips
from tollbrush.engines.studio.retouch.drawings import SPECK, chosen_colours, contours, evened, without_specks
from tollbrush.engines.studio.retouch.painterly import unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

_PALETTE: Final = 24  # colours of pixel art
_CELLS: Final = 128  # its longer side
_FACE_SIDE: Final = 420  # at which faces are sought
_FACE_CELLS: Final = 30  # of that, across a face
_DITHER: Final = 5.0  # L between two neighbours of the screen
_BAYER: Final = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 15 - 0.5
_INKS: Final = (  # of pop art, from dark to light
    ((0.10, 0.07, 0.32), (0.90, 0.11, 0.42), (0.99, 0.62, 0.16), (1.0, 0.93, 0.62)),
    ((0.09, 0.09, 0.22), (0.00, 0.45, 0.70), (0.98, 0.42, 0.52), (1.0, 0.92, 0.55)),
    ((0.16, 0.05, 0.28), (0.42, 0.20, 0.72), (0.10, 0.75, 0.72), (0.96, 0.97, 0.70)),
    ((0.12, 0.07, 0.10), (0.86, 0.13, 0.15), (0.35, 0.72, 0.86), (0.99, 0.95, 0.82)),
)
_LEVELS: Final = np.linspace(0, 1, 256, dtype=np.float32)


def vintage(colours: Map, random: np.random.Generator) -> Map:
    """A faded print: lifted blacks, yellowed whites, blue in the shadows, grain, and a light leak at one side."""
    height, width = colours.shape[:2]
    noise = random.standard_normal((height, width), np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), max(0.8 * unit(colours), 0.4)), np.float32)
    noise *= np.float32(0.017 / max(float(noise.std()), 1e-6))
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
    """Large square pixels in a few colours of the picture's own, dithered where tones change slowly."""
    height, width = colours.shape[:2]
    block = max(1, round(max(height, width) / _cells(colours)))
    rows, columns = -(-height // block), -(-width // block)
    whole = cv2.copyMakeBorder(colours, 0, rows * block - height, 0, columns * block - width, cv2.BORDER_REPLICATE)
    small = np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    lab = to_lab(np.clip(small + 0.6 * (small - cv2.GaussianBlur(small, (0, 0), 1.0)), 0, 1))
    lab[..., 0] = np.clip((lab[..., 0] - 50) * 1.10 + 51, 0, 100)
    lab[..., 1:] *= 1.28
    centres = chosen_colours(np.ascontiguousarray(lab.reshape(-1, 3)), _PALETTE, random)
    light = np.ascontiguousarray(lab[..., 0])
    busy = cv2.blur(np.abs(light - cv2.GaussianBlur(light, (0, 0), 1.5)), (5, 5))
    screen = np.tile(_BAYER, (rows // 4 + 1, columns // 4 + 1))[:rows, :columns]
    lab[..., 0] = light + _DITHER * np.clip(1.4 - busy, 0, 1) * screen
    flat = lab.reshape(-1, 3)
    nearest = (np.square(centres).sum(axis=1) - 2 * flat @ centres.T).argmin(axis=1)
    art = from_lab(centres[nearest].reshape(lab.shape))
    return np.ascontiguousarray(art.repeat(block, axis=0).repeat(block, axis=1)[:height, :width])


def _cells(colours: Map) -> float:
    """How many pixels the longer side shall have: enough for a face to be told by."""
    scale = min(1.0, _FACE_SIDE / max(colours.shape[:2]))
    size = max(1, round(colours.shape[1] * scale)), max(1, round(colours.shape[0] * scale))
    view = (cv2.resize(colours, size, interpolation=cv2.INTER_AREA) * 255 + 0.5).astype(np.uint8)
    wide = max((face.w for face in agreed_faces(view)), default=0.0)
    return float(np.clip(_FACE_CELLS * max(view.shape[:2]) / wide, _CELLS, 1.5 * _CELLS)) if wide else _CELLS


def pop_art(colours: Map, random: np.random.Generator) -> Map:
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
    inks = np.array(_INKS[int(random.integers(len(_INKS)))], np.float32)
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
