"""What a photograph looks like around a face: its light, sharpness, grain and tones, so that what is added matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.mesh import Light

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

Floats = NDArray[np.float32]

_CALMED = 55.0  # sigma in pixels that smooths grain away, per its standard deviation
_ONE_HUE = 4.0  # difference in Lab that noise and compression make in a picture of one hue


def light_on(pixels: Pixels, head: Head) -> Light:
    """Light as the face shows it: its side from the cheeks, its strength from the highlights, its colour from what is
    nearly grey around."""
    face = _around(pixels, head, 1.0, (-0.5, 1.4))
    bright = face.mean(axis=2)
    half = bright.shape[1] // 2
    left, right = float(bright[:, :half].mean()) + 1e-3, float(bright[:, -half:].mean()) + 1e-3
    side = float(np.clip(2.0 * (right - left) / (right + left), -0.6, 0.6))
    direction = np.array([side if abs(side) > 0.08 else -0.3, -0.62, 0.66])
    direction /= np.linalg.norm(direction)
    scene = _around(pixels, head, 4.0, (-4.0, 4.0), thin=True).reshape(-1, 3)
    # Dark skin in good light has bright things beside it; a dark photograph has none.
    lit = float(np.percentile(scene.mean(axis=1), 98)) / 0.9
    exposure = float(np.clip(min(0.45 + 0.75 * np.percentile(bright, 80), lit), 0.12, 1.1))
    x, y, z = direction.tolist()
    r, g, b = _cast(scene).tolist()
    return Light(direction=(x, y, z), tint=(r, g, b), exposure=exposure)


def _cast(colours: Floats) -> Floats:
    """Colour of the light, half believed: that of greys and whites. A blue wall is no blue light."""
    lightest, darkest = colours.max(axis=1), colours.min(axis=1)
    grey = colours[(lightest > 0.25) & (darkest > 0.72 * lightest)]
    mean = grey.mean(axis=0) if len(grey) > 0.02 * len(colours) else np.ones(3, np.float32)
    return np.asarray(0.5 + 0.5 * np.clip(mean / max(float(mean.mean()), 1e-3), 0.8, 1.2), np.float32)


@dataclass(frozen=True)
class Tones:
    """How a photograph renders things. `black` is its darkest grey, 0…1. `hues` is, for one in a single hue (black and
    white, sepia), the Lab a and b at every lightness 0…100; None in colour."""

    black: float
    hues: Floats | None

    def rendered(self, rgba: Floats) -> Floats:
        """A premultiplied layer, as the photograph would show it."""
        out = rgba.copy()
        if self.hues is not None:
            solid = np.maximum(rgba[..., 3:], np.float32(1e-4))
            lab = cv2.cvtColor(np.clip(rgba[..., :3] / solid, 0, 1), cv2.COLOR_RGB2LAB)
            lab[..., 1:] = self.hues[np.clip(lab[..., 0], 0, 100).astype(np.uint8)]
            out[..., :3] = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * rgba[..., 3:]
        out[..., :3] = out[..., :3] * (1 - self.black) + self.black * rgba[..., 3:]
        return out


def tones_of(pixels: Pixels, head: Head) -> Tones:
    """The tones of H×W×3|4 pixels; the black is that around the head."""
    near = _around(pixels, head, 4.0, (-4.0, 4.0), thin=True)
    black = float(np.clip(np.percentile(near.max(axis=2), 1) - 0.03, 0, 0.3))
    step = max(1, max(pixels.shape[:2]) // 160)
    small = np.asarray(pixels[::step, ::step, :3], np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)
    # In one hue, a and b follow from the lightness.
    base = np.stack([np.ones(101), *(np.linspace(0, 1, 101) ** k for k in (1, 2, 3))], axis=1)
    of = base[np.clip(lab[:, 0], 0, 100).astype(np.uint8)]
    fit, *_ = np.linalg.lstsq(of, lab[:, 1:], rcond=None)
    apart = np.percentile(np.linalg.norm(lab[:, 1:] - of @ fit, axis=1), 97)
    return Tones(black, np.asarray(base @ fit, np.float32) if apart < _ONE_HUE else None)


@dataclass(frozen=True)
class Grain:
    """`strength` is the noise's standard deviation, 0…1; `size` the sigma in pixels of what it is smoothed by."""

    strength: float
    size: float


def grain_of(pixels: Pixels, head: Head) -> Grain:
    """The noise in the calmest tenth of the surroundings; its size from how alike neighbours are there."""
    grey = _around(pixels, head, 4.0, (-4.0, 4.0)).mean(axis=2)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.5)
    power = np.maximum(cv2.blur(fine * fine, (9, 9)), 0)
    least = float(np.percentile(power, 10))
    calm = power[:, 1:] <= least
    alike = float((fine[:, 1:] * fine[:, :-1])[calm].mean() / max(float((fine[:, 1:] ** 2)[calm].mean()), 1e-12))
    size = 0.5 / np.sqrt(-np.log(np.clip(alike, 0.02, 0.8)))
    return Grain(min(float(np.sqrt(least)), 0.12), float(size))


def blur_of(pixels: Pixels, head: Head, grain: Grain) -> float:
    """Sigma in pixels of the blur at the sharpest edges of the head (Zhuo and Sim 2011: an edge's gradient against the
    gradient of the same edge blurred once more by a known sigma). The `grain` is smoothed away before: its edges are
    sharper than the picture's."""
    grey = _around(pixels, head, 1.6, (-1.9, 1.6)).mean(axis=2)
    calmed = min(_CALMED * grain.strength, 2.0)
    if calmed > 0.4:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), calmed), np.float32)
    else:
        calmed = 0.0
    again = max(1.0, calmed)
    once, twice = (_slope(plane) for plane in (grey, cv2.GaussianBlur(grey, (0, 0), again)))
    edges = once > max(float(np.percentile(once, 97)), 0.02)
    if not edges.any():
        return 0.5
    ratio = float(np.percentile(once[edges] / np.maximum(twice[edges], 1e-4), 80))
    seen = again / np.sqrt(max(ratio**2 - 1, 1e-2))
    return float(np.clip(np.sqrt(max(seen**2 - calmed**2, 0)), 0.3, 3.0))


def _slope(grey: Floats) -> Floats:
    return np.asarray(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), np.float32)


def _around(pixels: Pixels, head: Head, wide: float, high: tuple[float, float], *, thin: bool = False) -> Floats:
    """The box ±wide × high around the eyes (units), float32 0…1, never empty; `thin`: some 20 pixels per unit of it."""
    h, w = pixels.shape[:2]
    u, (x, y) = head.unit, head.origin
    left, top = int(np.clip(x - wide * u, 0, w - 2)), int(np.clip(y + high[0] * u, 0, h - 2))
    right, bottom = int(np.clip(x + wide * u, left + 2, w)), int(np.clip(y + high[1] * u, top + 2, h))
    step = max(1, int(u / 20)) if thin else 1
    return np.asarray(pixels[top:bottom:step, left:right:step, :3], np.float32) / np.float32(255)
