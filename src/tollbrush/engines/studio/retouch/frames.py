"""Change a picture's frame: turn, straighten, mirror, crop, border, extend, enlarge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.fill.extend import extended
from tollbrush.engines.studio.plans.framings import (
    Border,
    Crop,
    Enlarge,
    Extend,
    Flip,
    Framing,
    Rotate,
    Straighten,
    fits,
    inscribed,
)
from tollbrush.engines.studio.retouch.detail import enlarged_to
from tollbrush.errors import CannotHonour
from tollbrush.imaging.focus import focus_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]

_LINES_SIDE: Final = 1000  # longer side at which lines are looked for
_MOST_LEAN: Final = 12.0  # degrees by which a picture may be out of true
_LEAST_LEAN: Final = 0.2


def framed(pixels: Pixels, framing: Framing, seed: int) -> Pixels:
    """H×W×3|4 `pixels` in a frame of `framing.size`. Raises CannotHonour when that is too large to sell, and when the
    picture has no line to be straightened by, or is cut off where it is to be extended."""
    size = Size(pixels.shape[1], pixels.shape[0])
    wanted = framing.size(size)
    if not fits(wanted) and wanted != size:
        raise CannotHonour(f"The picture would measure {wanted}; at most 4096 a side.", advice="Use a smaller picture.")
    match framing:
        case Rotate(degrees):
            return _turned(pixels, degrees)
        case Straighten():
            return _straightened(pixels)
        case Flip(axis):
            return np.ascontiguousarray(pixels[:, ::-1] if axis == "horizontal" else pixels[::-1])
        case Crop():
            return _cropped(pixels, wanted)
        case Border(colour):
            width = framing.pixels(size)
            ground = np.array([*colour.rgb, 255], np.uint8)[: pixels.shape[2]]
            result = np.empty((wanted.height, wanted.width, pixels.shape[2]), np.uint8)
            result[:] = ground
            result[width:-width, width:-width] = pixels
            return result
        case Extend():
            return extended(pixels, framing, seed)
        case Enlarge():
            return enlarged_to(pixels, wanted)


def _turned(pixels: Pixels, degrees: float, size: Size | None = None) -> Pixels:
    """Clockwise about the middle, cropped to what is whole; `size`: and enlarged to that."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(pixels, -round(degrees / 90) % 4))
    height, width = pixels.shape[:2]
    whole = inscribed(Size(width, height), degrees)
    target = size or whole
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    # From a target pixel to the source's: scale to the whole rectangle, turn back, about both middles.
    move = turn * np.array([whole.width / target.width, whole.height / target.height])
    middle = np.array([(target.width - 1) / 2, (target.height - 1) / 2])
    shift = np.array([(width - 1) / 2, (height - 1) / 2]) - move @ middle
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    turned = cv2.warpAffine(
        pixels,
        np.column_stack([move, shift]),
        (target.width, target.height),
        flags=flags,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(turned, np.uint8).reshape(target.height, target.width, pixels.shape[2])


def _straightened(pixels: Pixels) -> Pixels:
    lean = lean_of(pixels)
    if lean is None:
        raise CannotHonour(
            "The picture shows no lines to be straightened by.", advice="Say an angle: rotate it 3 degrees."
        )
    if abs(lean) < _LEAST_LEAN:
        raise CannotHonour("The picture is straight already.", advice="Say an angle: rotate it 3 degrees.")
    return _turned(pixels, -lean, Size(pixels.shape[1], pixels.shape[0]))


def lean_of(pixels: Pixels) -> float | None:
    """By how many degrees clockwise the picture's level and upright lines lean together; None where too few agree."""
    height, width = pixels.shape[:2]
    scale = min(1.0, _LINES_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    grey = cv2.cvtColor(cv2.resize(pixels[..., :3], size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    if min(size) < 32:
        return None
    lines = cv2.createLineSegmentDetector().detect(grey)[0]
    x1, y1, x2, y2 = np.asarray(() if lines is None else lines, np.float32).reshape(-1, 4).T
    length = np.hypot(x2 - x1, y2 - y1)
    angle = np.degrees(np.arctan2(y2 - y1, x2 - x1))
    # Upright lines count less: seen from below they converge.
    off_level = (angle + 90) % 180 - 90
    off_upright = angle % 180 - 90
    level = np.abs(off_level) < np.abs(off_upright)
    lean = np.where(level, off_level, off_upright)
    long = (length > 0.05 * max(size)) & (np.abs(lean) < _MOST_LEAN)
    if not long.any():
        return None
    weight = (length**1.5 * np.where(level, 1.0, 0.6))[long]
    bins = np.linspace(-_MOST_LEAN, _MOST_LEAN, int(_MOST_LEAN * 20) + 1)
    votes, _ = np.histogram(lean[long], bins, weights=weight)
    smooth = np.convolve(votes, np.hanning(13), mode="same")
    best = float((bins[smooth.argmax()] + bins[smooth.argmax() + 1]) / 2)
    near = np.abs(lean[long] - best) < 0.8
    if weight[near].sum() < 0.25 * weight.sum() or length[long][near].sum() < 0.5 * max(size):
        return None
    return float(np.average(lean[long][near], weights=weight[near]))


def _cropped(pixels: Pixels, size: Size) -> Pixels:
    """Around the point that a viewer looks at."""
    x, y = focus_of(pixels)
    left = int(np.clip(round(x * pixels.shape[1] - size.width / 2), 0, pixels.shape[1] - size.width))
    top = int(np.clip(round(y * pixels.shape[0] - size.height / 2), 0, pixels.shape[0] - size.height))
    return np.ascontiguousarray(pixels[top : top + size.height, left : left + size.width])
