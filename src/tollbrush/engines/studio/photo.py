"""What a photograph looks like around a face: its light, its sharpness and its grain, so that what is added matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.head import Head
from tollbrush.engines.studio.sprites.mesh import Light

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

Floats = NDArray[np.float32]


def light_on(pixels: Pixels, head: Head) -> Light:
    """Light as the face shows it: its side from the cheeks, its strength from the highlights, its colour from the
    surroundings (grey world, half believed)."""
    face = _around(pixels, head, 1.0, (-0.5, 1.4))
    bright = face.mean(axis=2)
    half = bright.shape[1] // 2
    left, right = float(bright[:, :half].mean()) + 1e-3, float(bright[:, -half:].mean()) + 1e-3
    side = float(np.clip(2.0 * (right - left) / (right + left), -0.6, 0.6))
    direction = np.array([side if abs(side) > 0.08 else -0.3, -0.62, 0.66])
    direction /= np.linalg.norm(direction)
    scene = _around(pixels, head, 4.0, (-4.0, 4.0)).reshape(-1, 3).mean(axis=0)
    cast = np.clip(scene / max(float(scene.mean()), 1e-3), 0.8, 1.2)
    exposure = float(np.clip(0.45 + 0.75 * np.percentile(bright, 80), 0.55, 1.1))
    x, y, z = direction.tolist()
    r, g, b = (0.5 + 0.5 * cast).tolist()
    return Light(direction=(x, y, z), tint=(r, g, b), exposure=exposure)


def blur_of(pixels: Pixels, head: Head) -> float:
    """Sigma in pixels of the blur at the sharpest edges of the head (Zhuo and Sim 2011: an edge's gradient against the
    gradient of the same edge blurred once more by a known sigma)."""
    grey = _around(pixels, head, 1.6, (-1.9, 1.6)).mean(axis=2)
    again = 1.0
    once, twice = (_slope(plane) for plane in (grey, cv2.GaussianBlur(grey, (0, 0), again)))
    edges = once > max(float(np.percentile(once, 97)), 0.02)
    if not edges.any():
        return 0.5
    ratio = float(np.percentile(once[edges] / np.maximum(twice[edges], 1e-4), 80))
    return float(np.clip(again / np.sqrt(max(ratio**2 - 1, 1e-2)), 0.3, 3.0))


def grain_of(pixels: Pixels, head: Head) -> float:
    """Standard deviation of the noise, 0…1, from the calmest tenth of the surroundings."""
    grey = _around(pixels, head, 4.0, (-4.0, 4.0)).mean(axis=2)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.5)
    local = np.sqrt(np.maximum(cv2.blur(fine * fine, (9, 9)), 0))
    return float(np.clip(np.percentile(local, 10), 0.0, 0.03))


def _slope(grey: Floats) -> Floats:
    return np.asarray(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), np.float32)


def _around(pixels: Pixels, head: Head, wide: float, high: tuple[float, float]) -> Floats:
    """The box ±wide × high around the eyes (units), float32 0…1, never empty."""
    h, w = pixels.shape[:2]
    u, (x, y) = head.unit, head.origin
    left, top = int(np.clip(x - wide * u, 0, w - 2)), int(np.clip(y + high[0] * u, 0, h - 2))
    right, bottom = int(np.clip(x + wide * u, left + 2, w)), int(np.clip(y + high[1] * u, top + 2, h))
    return np.asarray(pixels[top:bottom, left:right, :3], np.float32) / np.float32(255)
