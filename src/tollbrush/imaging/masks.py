"""Masks: which pixels may change. H×W boolean, True = edit."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.domain.edits import MaskMode, Size
from tollbrush.errors import BadMask
from tollbrush.imaging.codec import decode_grey
from tollbrush.imaging.png import encode_png

Mask = NDArray[np.bool_]
"""H×W, True = edit."""

Weights = NDArray[np.float32]
"""H×W in 0…1: how much of the edit shows."""


def read_mask(data: bytes, size: Size, mode: MaskMode = "auto", *, max_pixels: int) -> Mask:
    """The mask for a picture of `size`. `alpha`: alpha 0 = edit; `luma`: luma ≥ 128 (BT.601) = edit; `auto`: alpha
    where it varies, else luma. Raises BadMask on another size or nothing to edit, BadImage on broken bytes."""
    grey, alpha = decode_grey(data, max_pixels=max_pixels, path="mask")
    found = Size(grey.shape[1], grey.shape[0])
    if found != size:
        raise BadMask(f"mask measures {found}, the picture {size}.", path="mask")
    if alpha is None and mode == "alpha":
        raise BadMask("mask_mode is alpha, but nothing in the mask is transparent.", path="mask")
    if alpha is not None and (mode == "alpha" or (mode == "auto" and alpha.min() != alpha.max())):
        mask: Mask = alpha == 0
        empty = "no pixel of the mask is fully transparent (alpha 0 = edit); mask_mode luma reads its brightness"
    else:
        mask = np.greater_equal(grey, 128)
        empty = "the mask is all black: there is nothing to edit"
    if not mask.any():
        raise BadMask(f"{empty[0].upper()}{empty[1:]}.", path="mask")
    return mask


def edited_fraction(mask: Mask) -> float:
    """The share of pixels that may change, 0…1."""
    return float(np.count_nonzero(mask) / mask.size)


def feather(mask: Mask, radius: int) -> Weights:
    """Weights that rise from the mask's edge inwards over `radius` pixels and are zero outside it. Where the mask is
    thinner than that they reach 1 at its middle, so that a hairline scratch is edited in full. The picture's own
    border is no edge."""
    if radius <= 0:
        return mask.astype(np.float32)
    depth = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    weights: Weights = np.minimum(depth / np.float32(radius + 1), 1)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    core = cv2.dilate(np.greater_equal(depth, radius + 1).view(np.uint8), around)
    thin = mask & (core == 0)  # nowhere near a place that is deep enough
    if thin.any():
        reach = np.clip(cv2.dilate(depth, around), 1, radius + 1)
        np.copyto(weights, np.minimum(depth / reach, 1), where=thin)
    return weights


def to_alpha_png(mask: Mask) -> bytes:
    """RGBA PNG, alpha 0 = edit, as OpenAI reads it."""
    pixels = np.zeros((*mask.shape, 4), np.uint8)
    pixels[~mask] = 255
    return encode_png(pixels)


def to_luma_png(mask: Mask) -> bytes:
    """Grey PNG, white = edit."""
    return encode_png(np.where(mask, 255, 0).astype(np.uint8))
