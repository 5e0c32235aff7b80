"""Putting an edit back into its picture: outside the mask not one bit changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.imaging.codec import Pixels
from tollbrush.imaging.geometry import Box
from tollbrush.imaging.masks import Mask, Weights, feather

_TILE: Final = 128
_BAND: Final = 64


def composite(base: Pixels, edited: Pixels, mask: Mask, feather_radius: int) -> Pixels:
    """`edited` inside the mask, blended over `feather_radius` pixels within its edge; `base` outside, bit for bit.
    Has an alpha channel where either picture has one. Only tiles that the mask's edge crosses are computed with;
    the others are copied."""
    if base.shape[:2] != edited.shape[:2] or base.shape[:2] != mask.shape:
        raise ValueError(f"composite of {base.shape}, {edited.shape} and a mask of {mask.shape}")
    channels = max(base.shape[2], edited.shape[2])
    base, edited = with_channels(base, channels), with_channels(edited, channels)
    out = base.copy()
    flags = mask.view(np.uint8)
    reach = 2 * (feather_radius + 1)  # how far away an edge still counts in a pixel's weight
    for tile in _tiles(flags):
        if not cv2.countNonZero(flags[tile.window]):
            continue
        around = _widened(tile, reach, mask.shape)
        if cv2.countNonZero(flags[around.window]) == around.size.pixels:
            out[tile.window] = edited[tile.window]
            continue
        inner = Box(tile.left - around.left, tile.top - around.top, tile.width, tile.height).window
        weights = feather(mask[around.window], feather_radius)[inner]
        _mix(out[tile.window], edited[tile.window], weights)
    return out


def preserved(base: Pixels, out: Pixels, mask: Mask) -> bool:
    """Whether every pixel outside the mask is the base's. A missing alpha channel is an opaque one."""
    channels = max(base.shape[2], out.shape[2])
    base, out = with_channels(base, channels), with_channels(out, channels)
    return all(_same(base[rows], out[rows], mask[rows]) for rows in _bands(len(mask)))


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """With an opaque alpha channel added where `channels` asks for one."""
    if pixels.shape[2] >= channels:
        return pixels
    return np.dstack((pixels, np.full(pixels.shape[:2], 255, np.uint8)))


def _mix(out: Pixels, edited: Pixels, weights: Weights) -> None:
    """In place: the edit where it counts in full, a blend where it counts in part."""
    full = weights >= 1
    cv2.copyTo(edited, full.view(np.uint8), out)
    fading = (weights > 0) & ~full
    out[fading] = _blend(out[fading], edited[fading], weights[fading][:, None])


def _blend(base: Pixels, edited: Pixels, weights: Weights) -> Pixels:
    """N×3|4. Colours count by their opacity: what is invisible must not tint what is seen."""
    if base.shape[1] == 3:
        return np.rint(base + (edited.astype(np.float32) - base) * weights).astype(np.uint8)
    low, high = base[:, 3:] * (1 - weights), edited[:, 3:] * weights
    alpha = low + high
    colour = (base[:, :3] * low + edited[:, :3] * high) / np.maximum(alpha, 1e-6)
    mixed: Pixels = np.rint(np.hstack((colour, alpha))).astype(np.uint8)
    return mixed


def _same(base: Pixels, out: Pixels, mask: Mask) -> bool:
    """Whether rows agree outside the mask."""
    nothing = (0,) * base.shape[2]
    same = cv2.inRange(cv2.absdiff(base, out), nothing, nothing) != 0
    return bool((same | mask).all())


def _bands(height: int) -> Iterator[slice]:
    """Rows few enough to stay in the processor's cache."""
    return (slice(top, top + _BAND) for top in range(0, height, _BAND))


def _tiles(flags: NDArray[np.uint8]) -> Iterator[Box]:
    """Squares, and what is left of them at the end, that cover the mask's bounding box."""
    left, top, width, height = cv2.boundingRect(flags)
    for y in range(top, top + height, _TILE):
        for x in range(left, left + width, _TILE):
            yield Box(x, y, min(_TILE, left + width - x), min(_TILE, top + height - y))


def _widened(box: Box, margin: int, shape: tuple[int, ...]) -> Box:
    """With `margin` on every side, as far as there is picture."""
    left, top = max(box.left - margin, 0), max(box.top - margin, 0)
    right, bottom = min(box.left + box.width + margin, shape[1]), min(box.top + box.height + margin, shape[0])
    return Box(left, top, right - left, bottom - top)
