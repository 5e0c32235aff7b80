"""From whatever colour a file's numbers mean to sRGB."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tollbrush.imaging.shaper import read_shaper

Pixels = NDArray[np.uint8]
"""H×W (grey), H×W×3 (RGB) or H×W×4 (CMYK)."""


def to_srgb(pixels: Pixels, profile: bytes | None) -> Pixels:
    """H×W×3 sRGB. A broken profile, or one for another kind of colour, counts as none, as in browsers."""
    grey, cmyk = pixels.ndim == 2 or pixels.shape[2] == 1, pixels.ndim == 3 and pixels.shape[2] == 4
    if grey:
        pixels = pixels.reshape(pixels.shape[:2])
    convert = _conversion(profile, "L" if grey else "CMYK" if cmyk else "RGB") if profile else None
    if convert is not None:
        return convert(pixels)
    if grey:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    return np.array(Image.fromarray(pixels, "CMYK").convert("RGB")) if cmyk else pixels


def to_grey(pixels: Pixels, profile: bytes | None) -> Pixels:
    """H×W brightness (BT.601) of what `to_srgb` makes of them."""
    if profile is None and (pixels.ndim == 2 or pixels.shape[2] == 1):
        return pixels.reshape(pixels.shape[:2])
    return cv2.cvtColor(to_srgb(pixels, profile), cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def is_srgb(profile: bytes) -> bool:
    """Whether RGB numbers with this profile are sRGB's already: nothing would change, or it means nothing."""
    return _conversion(profile, "RGB") is None


@lru_cache(maxsize=8)
def _conversion(profile: bytes, mode: str) -> Callable[[Pixels], Pixels] | None:
    """Profile → sRGB, relative colorimetric with black point compensation; None where nothing would change."""
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None

    def convert(pixels: Pixels) -> Pixels:
        image = Image.fromarray(pixels, mode)
        return np.array(ImageCms.applyTransform(image, transform))

    if mode == "CMYK":
        return convert
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3) if mode == "RGB" else steps[None]
    seen = convert(probe)
    # Most profiles are some vendor's sRGB: rounding them through lcms would only cost time and bits.
    if _furthest(seen, probe if mode == "RGB" else probe[..., None]) <= 2:
        return None
    shaper = read_shaper(profile) if mode == "RGB" else None
    return shaper.apply if shaper is not None and _furthest(seen, shaper.apply(probe)) <= 2 else convert


def _furthest(one: Pixels, other: Pixels) -> int:
    return int(np.abs(one.astype(np.int16) - other).max())
