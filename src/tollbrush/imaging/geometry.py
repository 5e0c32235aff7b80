"""The one transform T that takes a picture and its mask to the size asked for, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.domain.edits import Fit, Size
from tollbrush.imaging.codec import Pixels
from tollbrush.imaging.masks import Mask


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)

    @property
    def window(self) -> tuple[slice, slice]:
        """To index rows and columns with."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class Transform:
    """`region` of the source lands in `inner` of the target; what `inner` leaves free is reflected. A mask is
    reflected with its picture, so that an object's mirror image is edited as the object is."""

    source: Size
    target: Size
    region: Box
    inner: Box

    @classmethod
    def plan(cls, source: Size, target: Size, fit: Fit, focus: tuple[float, float] | None = None) -> Transform:
        """`focus`: the point, as fractions of width and height, that `crop` keeps as near the middle as it can."""
        everything, whole = Box(0, 0, source.width, source.height), Box(0, 0, target.width, target.height)
        if fit == "stretch" or source == target:
            return cls(source, target, everything, whole)
        if fit == "pad":
            shown = _largest(source, target)
            left, top = (target.width - shown.width) // 2, (target.height - shown.height) // 2
            return cls(source, target, everything, Box(left, top, shown.width, shown.height))
        shown = _largest(target, source)
        x, y = focus or (0.5, 0.5)
        left, top = _centred(x, source.width, shown.width), _centred(y, source.height, shown.height)
        return cls(source, target, Box(left, top, shown.width, shown.height), whole)

    @property
    def identity(self) -> bool:
        return self.source == self.target

    def apply(self, pixels: Pixels) -> Pixels:
        """T(source), of the target's size; the same bits where nothing is scaled."""
        if self.identity:
            return pixels
        return _reflect(resize(pixels[self.region.window], self.inner.size), self.inner, self.target)

    def apply_mask(self, mask: Mask) -> Mask:
        """Pixels covered by half or more; where a thin mask would vanish, every pixel it touches."""
        if self.identity:
            return mask
        covered = _scale(mask[self.region.window].astype(np.uint8) * 255, self.inner.size, cv2.INTER_LINEAR)
        enlarged = self.inner.size.width / self.region.size.width
        # A source pixel's square corners would show as stairs along every slanted edge.
        smooth = cv2.GaussianBlur(covered, (0, 0), enlarged / 2) if enlarged > 1 else covered
        half = smooth >= 128
        return _reflect(half if half.any() else covered > 0, self.inner, self.target)

    def invert(self, pixels: Pixels) -> Pixels:
        """The picture of `region`, in source pixels, out of one of the target's size."""
        return pixels if self.identity else resize(pixels[self.inner.window], self.region.size)


def resize(pixels: Pixels, size: Size) -> Pixels:
    """Scaled without aliasing; colour under transparency does not bleed into what is seen."""
    if (pixels.shape[1], pixels.shape[0]) == (size.width, size.height):
        return np.ascontiguousarray(pixels)
    if pixels.shape[2] == 3:
        return _scale(pixels, size, cv2.INTER_CUBIC)
    alpha = pixels[..., 3]
    tinted = cv2.multiply(
        np.ascontiguousarray(pixels[..., :3]), cv2.merge((alpha, alpha, alpha)), scale=1 / 255, dtype=cv2.CV_32F
    )
    colour = _scale(tinted, size, cv2.INTER_CUBIC)
    opacity = np.clip(_scale(alpha.astype(np.float32) / 255, size, cv2.INTER_CUBIC), 0, 1)[..., None]
    colour = np.clip(np.rint(colour / np.maximum(opacity, 1 / 510)), 0, 255)
    return np.dstack((colour, np.rint(opacity * 255))).astype(np.uint8)


def _scale(values: NDArray[Any], size: Size, enlarging: int) -> NDArray[Any]:
    """Shrinks by area first, then enlarges with the given kernel: each axis gets the right one."""
    height, width = values.shape[:2]
    small = (min(width, size.width), min(height, size.height))
    if small != (width, height):
        values = cv2.resize(values, small, interpolation=cv2.INTER_AREA)
    if small != (size.width, size.height):
        values = cv2.resize(values, (size.width, size.height), interpolation=enlarging)
    return values


def _reflect(values: NDArray[Any], inner: Box, target: Size) -> NDArray[Any]:
    if inner.size == target:
        return np.ascontiguousarray(values)
    rows, columns = _mirror(inner.top, inner.height, target.height), _mirror(inner.left, inner.width, target.width)
    return values[rows[:, None], columns]


def _mirror(start: int, length: int, total: int) -> NDArray[np.intp]:
    """Source indices of `total` places, the picture at `start`, reflected on both sides without doubling the edge."""
    period = max(2 * (length - 1), 1)
    at = np.abs(np.arange(total) - start) % period
    return np.minimum(at, period - at) if length > 1 else np.zeros(total, np.intp)


def _largest(shape: Size, within: Size) -> Size:
    """The largest size of `shape`'s aspect within another, in whole pixels."""
    if shape.width * within.height >= within.width * shape.height:
        height = round(shape.height * within.width / shape.width)
        return Size(within.width, min(max(height, 1), within.height))
    width = round(shape.width * within.height / shape.height)
    return Size(min(max(width, 1), within.width), within.height)


def _centred(at: float, length: int, shown: int) -> int:
    return min(max(round(at * length - shown / 2), 0), length - shown)
