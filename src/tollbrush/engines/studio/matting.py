"""From a hard mask to hair: how much of each pixel is subject, and what colour that part has.

The alpha is solved in a band around the outline on a reduced copy (laplacian.py), carried to full resolution by a
colour-guided filter (He and Sun: Fast guided filter, 2015), and the foreground's own colour recovered by two passes of
blur-fusion (Forte: Approximate fast foreground colour estimation, ICIP 2021), so that no old background shines through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.hair import read_colours
from tollbrush.engines.studio.laplacian import solve_alpha
from tollbrush.engines.studio.strips import enlarged, reduced, reduced_map, strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels

    Map = NDArray[np.float32]

_SOLVE_SIDE = 640  # longer side at which alpha is solved
_FUSE_SIDE = 512  # longer side at which the foreground's and background's local colours are gathered
_INSIDE, _OUTSIDE = 0.0154, 0.0176  # of the longer side: the band's reach on either side of the outline
_TRUST = 0.002, 0.1  # weight of what a colour tells, in the band and on strands, against the neighbours' pull
_SOLID = 0.98
_HAZE = 0.06  # alpha below this is nothing, above 1 minus this everything


@dataclass(frozen=True)
class Matte:
    """`alpha`: H×W, 0..1; `foreground`: H×W×3, 0..1, the subject's own sRGB colour; both float32."""

    alpha: Map
    foreground: Map


def matte(pixels: Pixels, mask: Mask) -> Matte:
    """The soft matte of H×W×3|4 `pixels` around the outline of `mask` (H×W). Transparency that the picture brings
    multiplies into alpha. Well inside the mask alpha is 1, well outside 0."""
    colours = np.ascontiguousarray(pixels[..., :3])
    alpha = _alpha(colours, mask)
    if pixels.shape[2] == 4:
        alpha *= pixels[..., 3] / np.float32(255)
    return Matte(alpha, _foreground(colours, alpha))


def _alpha(pixels: Pixels, mask: Mask) -> Map:
    small = reduced(pixels, _SOLVE_SIDE)
    inside = np.asarray(cv2.resize(mask.astype(np.float32), small.shape[1::-1], interpolation=cv2.INTER_AREA)) > 0.5
    sure, unknown = _band(inside)
    told = read_colours(small, inside, unknown)
    unknown |= told.strands
    alpha = _solve(
        small, sure, unknown, told.guess, told.trust * np.where(told.strands, _TRUST[1], _TRUST[0]).astype(np.float32)
    )
    if small.shape != pixels.shape:
        alpha = _guided_enlargement(small, alpha, sure, unknown, pixels)
    return _attached(np.asarray(np.clip((alpha - _HAZE) / (1 - 2 * _HAZE), 0, 1), np.float32))


def _attached(alpha: Map) -> Map:
    """Without what hangs in the air: a strand grows out of the subject."""
    _, pieces = cv2.connectedComponents((alpha > 0).astype(np.uint8))
    held = np.zeros(pieces.max() + 1, np.bool_)
    held[pieces[alpha > _SOLID]] = True
    return np.where(held[pieces], alpha, np.float32(0))


def _band(inside: Mask) -> tuple[Mask, Mask]:
    """Where the pixel surely is subject, and where nobody knows yet. The picture's edge does not count as outline."""
    side, ink = max(inside.shape), inside.astype(np.uint8)
    sure = cv2.erode(ink, _disc(max(2, int(side * _INSIDE))), borderValue=1) > 0
    reach = cv2.dilate(ink, _disc(max(2, int(side * _OUTSIDE)))) > 0
    return np.asarray(sure), np.asarray(reach & ~sure)


def _solve(image: Map, sure: Mask, unknown: Mask, guess: Map, trust: Map) -> Map:
    """Coarse to fine: a quarter of the unknowns first, whose answer is where the full solution starts."""
    height, width = unknown.shape
    start = np.full(unknown.shape, 0.5, np.float32)
    if min(height, width) > 64:
        half = (width // 2, height // 2)
        smaller = [
            np.asarray(cv2.resize(np.asarray(plane, np.float32), half, interpolation=cv2.INTER_AREA), np.float32)
            for plane in (image, sure, unknown, guess, trust)
        ]
        coarse = _solve(smaller[0], smaller[1] > 0.5, smaller[2] > 0.5, smaller[3], smaller[4])
        start = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return solve_alpha(image, sure.astype(np.float32), unknown, start, guess, trust)


def _guided_enlargement(small: Map, alpha: Map, sure: Mask, unknown: Mask, pixels: Pixels) -> Map:
    """Alpha as a local linear function of colour, fitted on the small copy and applied to the full picture."""
    slope, offset = _linear_fit(small, alpha, unknown, radius=2, epsilon=1e-5)
    height, width = pixels.shape[:2]
    large = np.empty((height, width), np.float32)
    for rows in strips(height):
        colours = pixels[rows].astype(np.float32) / 255
        fitted = (enlarged(slope, rows, height, width) * colours).sum(axis=2) + enlarged(offset, rows, height, width)
        inner = enlarged(sure.astype(np.float32), rows, height, width)
        band = enlarged(unknown.astype(np.float32), rows, height, width)
        large[rows] = np.where(band > 0.5, np.clip(fitted, 0, 1), inner > 0.5)
    return large


def _linear_fit(image: Map, alpha: Map, where: Mask, radius: int, epsilon: float) -> tuple[Map, Map]:
    """The guided filter's smoothed coefficients for a colour guide, right around `where`: h×w×3 slopes, h×w offsets."""

    def mean(values: Map) -> Map:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)

    near = cv2.dilate(where.astype(np.uint8), _disc(radius + 1)) > 0
    centre, level = mean(image), mean(alpha)
    covariance = (mean(image * alpha[..., None]) - centre * level[..., None])[near]
    spread = np.empty((len(covariance), 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            moment = mean(image[..., i] * image[..., j]) - centre[..., i] * centre[..., j]
            spread[:, i, j] = spread[:, j, i] = moment[near] + (epsilon if i == j else 0)
    slope = np.zeros_like(image)
    slope[near] = np.linalg.solve(spread, covariance[..., None])[..., 0]
    offset = level - (slope * centre).sum(axis=2)
    return mean(slope), mean(offset)


def _foreground(pixels: Pixels, alpha: Map) -> Map:
    """Blur-fusion with a wide and then a narrow neighbourhood. The neighbourhoods' colours are smooth, so a reduced
    copy gives them; the last correction, which keeps every hair, is done at full resolution."""
    image = reduced(pixels, _FUSE_SIDE)
    share = reduced_map(alpha, _FUSE_SIDE)[..., None]
    front, back = _gather(image, image, image, share, 45)
    front, back = _gather(image, _corrected(image, front, back, share), back, share, 5)
    height, width = alpha.shape
    result = np.empty((height, width, 3), np.float32)
    for rows in strips(height):
        colours = pixels[rows].astype(np.float32) / np.float32(255)
        near, far = enlarged(front, rows, height, width), enlarged(back, rows, height, width)
        result[rows] = _corrected(colours, near, far, alpha[rows, :, None])
    return result


def _gather(image: Map, front: Map, back: Map, share: Map, size: int) -> tuple[Map, Map]:
    """Mean foreground and background colours around each pixel, weighted by how much of each is there."""
    weight = np.asarray(cv2.blur(share, (size, size)), np.float32)[..., None]
    near = cv2.blur(front * share, (size, size)) / (weight + 1e-5)
    far = cv2.blur(back * (1 - share), (size, size)) / (1 - weight + 1e-5)
    return np.asarray(near, np.float32), np.asarray(far, np.float32)


def _corrected(image: Map, front: Map, back: Map, share: Map) -> Map:
    """The foreground that explains the pixel, nearest to its neighbourhood's."""
    return np.asarray(np.clip(front + share * (image - share * front - (1 - share) * back), 0, 1), np.float32)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
