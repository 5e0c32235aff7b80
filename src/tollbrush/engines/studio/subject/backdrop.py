"""Put a subject before something else: another backdrop, nothing, or its own background out of focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import Light, Relight, encoded, linear, to_lab
from tollbrush.engines.studio.pixels.strips import enlarged, reduced, reduced_map, strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.subject.matting import Matte

    Map = NDArray[np.float32]

_SMALL = 256  # longer side at which light is measured and glow is blurred
_KEY = 75  # percentile of the subject's lightness: its lit parts
_RIM_SIDE = 1024  # longer side at which the subject's rim is found
_BLUR_SIDE = 768  # longer side at which the background is defocused
_WIDEST = 0.030  # defocus radius at strength 1, of the longer side
_SHADE_SIDE = 512  # longer side at which a shadow is drawn
_FOOT = 0.4  # of a thing's height: what of it is near enough to the ground to shade it
_CUT_OFF = 0.01  # of the lower edge: what covers more of it stands below the picture
_SHADES = (  # blur across and down, and how far below, of the thing's width; how dark
    (0.02, 0.010, 0.010, 0.65), (0.07, 0.030, 0.028, 0.60), (0.18, 0.055, 0.040, 0.40),
)  # fmt: skip


def replace_background(pixels: Pixels, matte: Matte, backdrop: Pixels, *, light: Light | None = None) -> Pixels:
    """The subject before `backdrop` (H×W×3, the picture's size), in its light. Returns H×W×3.

    The subject's tones move part of the way to the backdrop's, and the backdrop glows a little over its rim: without
    either a cut-out looks pasted. A thing that is seen whole throws a soft shadow on the ground."""
    light = Light() if light is None else light
    height, width = matte.alpha.shape
    small = reduced(backdrop, _SMALL)
    glow = np.asarray(cv2.GaussianBlur(small, (0, 0), 0.02 * _SMALL), np.float32)
    relight = _relight(matte, small, light)
    gains = relight.gains(np.asarray(cv2.GaussianBlur(linear(small), (0, 0), 0.25 * _SMALL), np.float32))
    alpha = reduced_map(matte.alpha, _RIM_SIDE)
    rim = np.asarray(cv2.GaussianBlur(1 - alpha, (0, 0), 0.008 * max(alpha.shape)), np.float32)
    shade = _shadow(reduced_map(matte.alpha, _SHADE_SIDE), light)
    result = np.empty((height, width, 3), np.uint8)
    for rows in strips(height):
        share = matte.alpha[rows, :, None]
        behind = backdrop[rows, :, :3].astype(np.float32) / np.float32(255)
        if shade is not None:
            behind *= 1 - enlarged(shade, rows, height, width)[..., None]
        front = relight.apply(matte.foreground[rows], enlarged(gains, rows, height, width))
        wrap = light.wrap * share * enlarged(rim, rows, height, width)[..., None]
        front += wrap * (np.maximum(front, enlarged(glow, rows, height, width)) - front)
        result[rows] = _quantised(front * share + behind * (1 - share))
    return result


def remove_background(pixels: Pixels, matte: Matte) -> Pixels:
    """The subject alone, H×W×4. Where nothing is left, the colour is black, not the old background."""
    height, width = matte.alpha.shape
    result = np.zeros((height, width, 4), np.uint8)
    for rows in strips(height):
        result[rows, :, 3] = _quantised(matte.alpha[rows])
        result[rows, :, :3] = _quantised(matte.foreground[rows]) * (result[rows, :, 3:] > 0)
    return result


def blur_background(pixels: Pixels, matte: Matte, strength: float) -> Pixels:
    """The background out of focus by `strength` 0..1, the subject sharp. Returns H×W×3.

    The lens gathers only background: each pixel is the mean of the background within a disc, so the subject's colours
    do not bleed into a halo. Gathered in linear light, bright points open into discs as they do in a lens."""
    height, width = matte.alpha.shape
    blurred = _defocused(reduced(pixels, _BLUR_SIDE), reduced_map(matte.alpha, _BLUR_SIDE), strength)
    result = np.empty((height, width, 3), np.uint8)
    for rows in strips(height):
        share = matte.alpha[rows, :, None]
        behind = enlarged(blurred, rows, height, width)
        result[rows] = _quantised(matte.foreground[rows] * share + behind * (1 - share))
    return result


def _shadow(alpha: Map, light: Light) -> Map | None:
    """0..1: how much darker the ground is about the foot of a thing, densest where they meet; None for what the
    picture's lower edge cuts off and for what hangs above the ground."""
    rows, columns = np.flatnonzero((alpha > 0.5).any(axis=1)), np.flatnonzero((alpha > 0.5).any(axis=0))
    if not light.shadow or not rows.size or (alpha[-1] > 0.5).mean() > _CUT_OFF:
        return None
    foot, wide = int(rows[-1]) + 1, len(columns)
    if foot < light.ground * len(alpha):
        return None
    reach = max(1.0, _FOOT * (foot - rows[0]))
    height = np.arange(len(alpha), dtype=np.float32)[:, None]
    standing = alpha * np.clip((height - foot) / reach + 1, 0, 1)
    clear = np.ones_like(alpha)
    for across, down, below, dark in _SHADES:
        blur = cv2.GaussianBlur(standing, (0, 0), across * wide + 0.3, sigmaY=down * wide + 0.3)
        move = np.array([[1, 0, 0], [0, 1, below * wide]], np.float32)
        fallen = cv2.warpAffine(blur, move, alpha.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        clear *= 1 - np.float32(dark * light.shadow) * fallen
    return np.asarray((1 - clear) * np.clip((height / len(alpha) - light.ground) / 0.05, 0, 1), np.float32)


def _relight(matte: Matte, backdrop: Map, light: Light) -> Relight:
    lightness = to_lab(reduced_map(matte.foreground, _SMALL))[..., 0]
    own = lightness[reduced_map(matte.alpha, _SMALL) > 0.9]
    key = float(np.percentile(own, _KEY)) if own.size else 50.0
    return Relight.towards(key, float(to_lab(backdrop)[..., 0].mean()), light)


def _defocused(image: Map, alpha: Map, strength: float) -> Map:
    radius = max(1, round(_WIDEST * strength * max(alpha.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.float32)
    behind = np.clip(1 - alpha, 1e-4, 1)
    result = np.empty_like(image)
    for c in range(3):
        light = linear(image[..., c])
        weight = behind * (1 + 3 * light**4)  # highlights were clipped by the sensor: some of their power comes back
        light *= weight
        gathered, total = (cv2.filter2D(part, -1, disc, borderType=cv2.BORDER_REFLECT) for part in (light, weight))
        result[..., c] = encoded(np.asarray(gathered / total, np.float32))
    return result


def _quantised(colours: Map) -> Pixels:
    return (np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8)
