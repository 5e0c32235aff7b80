"""Putting an edit back into its picture: outside the mask not one bit changes."""

from __future__ import annotations

import cv2
import numpy as np

from tollbrush.imaging.codec import Pixels
from tollbrush.imaging.geometry import Box
from tollbrush.imaging.masks import Mask, feather


def composite(base: Pixels, edited: Pixels, mask: Mask, feather_radius: int) -> Pixels:
    """`edited` inside the mask, blended over `feather_radius` pixels within its edge; `base` outside, bit for bit.
    Has an alpha channel where either picture has one."""
    if base.shape[:2] != edited.shape[:2] or base.shape[:2] != mask.shape:
        raise ValueError(f"composite of {base.shape}, {edited.shape} and a mask of {mask.shape}")
    channels = max(base.shape[2], edited.shape[2])
    base, edited = with_channels(base, channels), with_channels(edited, channels)
    out = base.copy()
    window = _bounds(mask, margin=feather_radius + 1).window
    weights = feather(mask[window], feather_radius)
    inside = mask[window]
    out[window][inside] = _blend(base[window][inside], edited[window][inside], weights[inside][:, None])
    return out


def preserved(base: Pixels, out: Pixels, mask: Mask) -> bool:
    """Whether every pixel outside the mask is the base's. A missing alpha channel is an opaque one."""
    channels = max(base.shape[2], out.shape[2])
    difference = cv2.absdiff(with_channels(base, channels), with_channels(out, channels))
    same = cv2.inRange(difference, (0,) * channels, (0,) * channels) != 0
    return bool((same | mask).all())


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """With an opaque alpha channel added where `channels` asks for one."""
    if pixels.shape[2] >= channels:
        return pixels
    return np.dstack((pixels, np.full(pixels.shape[:2], 255, np.uint8)))


def _blend(base: Pixels, edited: Pixels, weights: np.typing.NDArray[np.float32]) -> Pixels:
    """N×3|4. Colours count by their opacity: what is invisible must not tint what is seen."""
    if base.shape[1] == 3:
        return np.rint(base + (edited.astype(np.float32) - base) * weights).astype(np.uint8)
    low, high = base[:, 3:] * (1 - weights), edited[:, 3:] * weights
    alpha = low + high
    colour = (base[:, :3] * low + edited[:, :3] * high) / np.maximum(alpha, 1e-6)
    mixed = np.rint(np.hstack((colour, alpha))).astype(np.uint8)
    return np.where(weights >= 1, edited, mixed)


def _bounds(mask: Mask, margin: int) -> Box:
    """The mask's bounding box, widened so that feathering sees the edge."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    right, bottom = min(left + width + margin, mask.shape[1]), min(top + height + margin, mask.shape[0])
    left, top = max(left - margin, 0), max(top - margin, 0)
    return Box(left, top, right - left, bottom - top)
