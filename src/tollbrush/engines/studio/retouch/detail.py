"""Fine detail: sharpen along edges, take noise away, blur, darken the corners, enlarge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.pixels.light import encoded, linear
from tollbrush.engines.studio.pixels.strips import strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]

_RADIUS: Final = 1.3  # pixels, of the sharpening at 1024
_LEVELS: Final = np.linspace(0, 1, 256, dtype=np.float32)
_BAND: Final = 34  # rows
_ENOUGH: Final = 1_000_000  # pixels to know a picture's noise by


def sharpened(pixels: Pixels, amount: float, radius: float | None = None) -> Pixels:
    """H×W×3 pixels with an unsharp mask on the luminance, where there is an edge, not on grain; no edge overshoots its
    surroundings by much."""
    height = pixels.shape[0]
    sigma = radius or max(0.7, _RADIUS * (max(pixels.shape[:2]) / 1024) ** 0.5)
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    noise = noise_of(grey)
    around = int(12 * sigma) + 2  # rows beyond which nothing is felt
    result = np.empty_like(pixels)
    for rows in strips(height):
        top, bottom = max(0, rows.start - around), min(height, rows.stop + around)
        finer = _finer(grey[top:bottom].astype(np.float32), sigma, noise, amount)
        detail = finer[rows.start - top : rows.stop - top, :, None]
        result[rows] = np.clip(pixels[rows] + detail + 0.5, 0, 255)
    return result


def _finer(grey: Map, sigma: float, noise: float, amount: float) -> Map:
    """What sharpening adds to the luminance."""
    detail = grey - cv2.GaussianBlur(grey, (0, 0), sigma)
    edge = cv2.GaussianBlur(np.abs(detail), (0, 0), 1.6 * sigma)
    detail *= 1.5 * amount * np.clip((edge - 0.6 * noise) / (2.0 + noise), 0, 1)
    reach = np.ones((2 * round(sigma) + 1,) * 2, np.uint8)
    room = 10 * amount
    bounded = np.clip(grey + detail, cv2.erode(grey, reach) - room, cv2.dilate(grey, reach) + room)
    return np.asarray(bounded - grey, np.float32)


def noise_of(plane: Pixels | Map) -> float:
    """Standard deviation of a plane's noise: the median of fine differences that no smooth picture has (Immerkær
    1996, by the median instead of the mean, which edges would raise). Of a large plane, in bands all over it."""
    if min(plane.shape) < 3:
        return 0.0
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    every = max(1, plane.size // _ENOUGH)
    bands = [plane[top : top + _BAND] for top in range(0, len(plane) - 2, _BAND * every)]
    fine = [cv2.filter2D(band, cv2.CV_32F, kernel)[1:-1, 1:-1].ravel() for band in bands if len(band) > 2]
    return float(np.median(np.abs(np.concatenate(fine)))) / (0.6745 * 6)


def denoised(pixels: Pixels, amount: float) -> Pixels:
    """H×W×3 pixels by non-local means (Buades 2005), as strongly as the noise that is measured in them; colour at half
    the size, which is as fine as eyes see it, and as coarse as cameras record it."""
    if min(pixels.shape[:2]) < 8:
        return pixels.copy()
    planes = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb), np.uint8)
    light, colour = np.ascontiguousarray(planes[..., 0]), np.ascontiguousarray(planes[..., 1:])
    strength = amount * max(1.2 * noise_of(light), 1.0)
    tint = amount * max(0.7 * max(noise_of(colour[..., i]) for i in range(2)), 1.0)
    small = cv2.resize(colour, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = cv2.fastNlMeansDenoising(small, None, tint, 3, 11)
    planes[..., 0] = cv2.fastNlMeansDenoising(light, None, strength, 3, 11)
    planes[..., 1:] = cv2.resize(small, colour.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), np.uint8)


def blurred(pixels: Pixels, amount: float) -> Pixels:
    """H×W×3|4 pixels out of focus. What is transparent lends no colour."""
    sigma = max(0.5, 0.008 * amount * max(pixels.shape[:2]))
    result = np.empty_like(pixels)
    opaque = pixels.shape[2] == 3
    alpha = None if opaque else pixels[..., 3].astype(np.float32) / np.float32(255)
    share = None if alpha is None else _gaussian(alpha, sigma)
    for channel in range(3):  # one at a time: as floats they are large
        own = np.ascontiguousarray(pixels[..., channel])
        soft = _gaussian(own if alpha is None else own * alpha, sigma)
        if share is not None:
            soft /= np.maximum(share, 1e-3)
        result[..., channel] = np.clip(soft + 0.5, 0, 255)
    if share is not None:
        result[..., 3] = np.clip(share * 255 + 0.5, 0, 255)
    return result


def _gaussian(plane: Pixels | Map, sigma: float) -> Map:
    """Large blurs at a reduced size, where they cost as little as small ones."""
    scale = min(1.0, 4 / sigma)
    height, width = plane.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    soft = cv2.GaussianBlur(small, (0, 0), sigma * scale)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def vignetted(pixels: Pixels, amount: float) -> Pixels:
    """H×W×3 pixels darker towards the corners, as a lens's natural falloff is: by the fourth power of a cosine, in
    linear light."""
    height, width = pixels.shape[:2]
    light = linear(_LEVELS)
    across = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5
    result = np.empty_like(pixels)
    for rows in strips(height):
        down = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) / height - 0.5
        far = np.square(across)[None] + np.square(down)[:, None]  # 0 in the middle, ½ in a corner
        fall = (1 / (1 + 1.6 * amount * np.maximum(far - 0.03, 0) * 2)) ** 2
        result[rows] = encoded(light[pixels[rows]] * fall[..., None]) * 255 + 0.5
    return result


def enlarged_to(pixels: Pixels, size: Size) -> Pixels:
    """H×W×3|4 pixels, larger: Lanczos, then sharpened to what the enlargement blurred. No detail is invented."""
    factor = max(size.width / pixels.shape[1], size.height / pixels.shape[0])
    large = np.asarray(cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_LANCZOS4), np.uint8)
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.float32) / np.float32(255)
        premultiplied = cv2.resize(pixels[..., :3] * alpha, (size.width, size.height), interpolation=cv2.INTER_CUBIC)
        share = np.maximum(large[..., 3:].astype(np.float32) / np.float32(255), np.float32(1 / 255))
        large[..., :3] = np.clip(premultiplied / share + 0.5, 0, 255)
    sharp = sharpened(np.ascontiguousarray(large[..., :3]), 0.7, radius=0.55 * factor)
    return np.dstack([sharp, large[..., 3:]])
