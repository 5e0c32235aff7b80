"""From a hard mask to hair: how much of each pixel is subject, and what colour that part has.

The alpha is solved in a band around the outline on a reduced copy (laplacian.py), carried to full resolution by a
colour-guided filter (He and Sun: Fast guided filter, 2015), and the foreground's own colour recovered (foreground.py),
so that no old background shines through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.laplacian import solve_alpha
from tollbrush.engines.studio.pixels.strips import enlarged, reduced, reduced_map, strips
from tollbrush.engines.studio.subject.foreground import explained, fore_and_back
from tollbrush.engines.studio.subject.hair import Evidence, read_colours
from tollbrush.engines.studio.subject.holes import without_holes
from tollbrush.engines.studio.subject.samples import sampled_alpha

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels

    Map = NDArray[np.float32]

_SOLVE_SIDE = 640  # longer side at which alpha is solved
_LAYER_SIDE = 1024  # longer side at which the foreground's and background's colours are told apart
_INSIDE, _OUTSIDE = 0.0154, 0.0176  # of the longer side: the band's reach on either side of the outline
_COMMON_TRUST = 0.003  # weight of what a colour's frequency tells against the neighbours' pull
_PAIR_TRUST = 0.003, 0.1  # weight of what the best pair of colours tells, in the band and on strands
_NEAR_TRUST = 0.02, 0.2  # the same where the colours were sampled near
_DOUBT = 0.1  # alpha from nothing or everything, up to which there is none
_SOLID = 0.98
_OPAQUE = 1 - 1 / 512  # a byte holds no more; such a pixel's colour is the picture's own
_THREAD, _FRINGE = 0.3, 0.003  # alpha that holds a strand, and what of the longer side may be fainter around it
_VEIL, _DENSE = 0.006, (0.3, 0.6)  # of the longer side: half the width of a veil, and its alphas from none to hair's
_HAZE = 0.06  # alpha below this is nothing, above 1 minus this everything


@dataclass(frozen=True)
class Matte:
    """`alpha`: H×W, 0..1; `foreground`: H×W×3, 0..1, the subject's own sRGB colour; both float32."""

    alpha: Map
    foreground: Map


def matte(pixels: Pixels, mask: Mask) -> Matte:
    """The soft matte of H×W×3|4 `pixels` around the outline of `mask` (H×W). Transparency that the picture brings
    multiplies into alpha. Well inside the mask alpha is 1 but where one sees through, well outside 0."""
    colours = np.ascontiguousarray(pixels[..., :3])
    alpha = _alpha(colours, mask)
    if pixels.shape[2] == 4:
        alpha *= pixels[..., 3] / np.float32(255)
    return Matte(alpha, _foreground(colours, alpha))


def _alpha(pixels: Pixels, mask: Mask) -> Map:
    small = reduced(pixels, _SOLVE_SIDE)
    given = np.asarray(cv2.resize(mask.astype(np.float32), small.shape[1::-1], interpolation=cv2.INTER_AREA)) > 0.5
    inside = without_holes(small, given)
    sure, unknown = _band(inside)
    told = read_colours(small, inside, unknown)
    unknown |= told.strands
    guess, trust = _guessed(small, told, sure, unknown, _PAIR_TRUST)
    first = _solve(small, sure, unknown, guess, trust)
    # What that leaves no doubt about is sampled in its turn: it is nearer, and more like, than what lies past the band.
    ours, theirs = sure | _core(first > 1 - _DOUBT), _core(first < _DOUBT)
    guess, trust = _guessed(small, told, ours, unknown & ~ours & ~theirs, _NEAR_TRUST)
    alpha = _thin(solve_alpha(small, sure.astype(np.float32), unknown, first, guess, trust), told.strands)
    if small.shape != pixels.shape:
        alpha = _guided_enlargement(small, alpha, sure, unknown, pixels)
    held = _attached(np.asarray(np.clip((alpha - _HAZE) / (1 - 2 * _HAZE), 0, 1), np.float32))
    held[held > _OPAQUE] = 1
    return held


def _guessed(image: Map, told: Evidence, sure: Mask, unknown: Mask, pair_trust: tuple[float, float]) -> tuple[Map, Map]:
    """Alpha as the colours tell it, and the trust in it."""
    mixed, pairs = sampled_alpha(image, sure, unknown)
    pairs *= np.where(told.strands, pair_trust[1], pair_trust[0]).astype(np.float32)
    common = told.trust * np.float32(_COMMON_TRUST)
    trust = pairs + common + np.float32(1e-9)
    return np.asarray((mixed * pairs + told.guess * common) / trust, np.float32), trust


def _core(where: Mask) -> Mask:
    return np.asarray(cv2.erode(where.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _thin(alpha: Map, strands: Mask) -> Map:
    """`alpha` without what is broad and faint far from the outline: a veil is no hair."""
    broad = cv2.morphologyEx(alpha, cv2.MORPH_OPEN, _disc(round(_VEIL * max(alpha.shape))))
    faint = np.clip((_DENSE[1] - broad) / (_DENSE[1] - _DENSE[0]), 0, 1)
    return np.where(strands, alpha - faint * broad, alpha).astype(np.float32)


def _attached(alpha: Map) -> Map:
    """Without what hangs in the air or by a faint thread: a strand grows out of the subject."""
    fringe = _disc(round(_FRINGE * max(alpha.shape)))
    near = cv2.dilate(_held(alpha, alpha > _THREAD).astype(np.uint8), fringe) > 0
    return np.where(_held(alpha, near & (alpha > 0)), alpha, np.float32(0))


def _held(alpha: Map, where: Mask) -> Mask:
    """The connected parts of `where` that reach the solid subject."""
    _, pieces = cv2.connectedComponents(where.astype(np.uint8))
    held = np.zeros(pieces.max() + 1, np.bool_)
    held[pieces[where & (alpha > _SOLID)]] = True
    return np.asarray(held[pieces], np.bool_)


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
    fit = _linear_fit(small, alpha, unknown, radius=2, epsilon=1e-5)
    zones = np.dstack([sure, unknown]).astype(np.float32)
    height, width = pixels.shape[:2]
    large = np.empty((height, width), np.float32)
    for rows in strips(height):
        there = enlarged(fit, rows, height, width)
        inner, band = np.moveaxis(enlarged(zones, rows, height, width), -1, 0)
        colours = pixels[rows].astype(np.float32) * np.float32(1 / 255)
        fitted = np.einsum("ijc,ijc->ij", there[..., :3], colours) + there[..., 3]
        # Halfway between the band and the inside neither has more than half.
        large[rows] = np.where(band > 0.5, np.clip(fitted, 0, 1), 2 * inner > 1 - band)
    return large


def _linear_fit(image: Map, alpha: Map, where: Mask, radius: int, epsilon: float) -> Map:
    """The guided filter's smoothed coefficients for a colour guide, right around `where`: h×w×4, slopes and offset."""

    def mean(values: Map) -> Map:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)

    near = cv2.dilate(where.astype(np.uint8), _disc(radius + 1)) > 0
    centre, level = mean(image), mean(alpha)
    x, y, z = np.moveaxis((mean(image * alpha[..., None]) - centre * level[..., None])[near], -1, 0)
    a, b, c, d, e, f = (
        (mean(image[..., i] * image[..., j]) - centre[..., i] * centre[..., j])[near] + np.float32(epsilon * (i == j))
        for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    )
    # The covariance's inverse by its cofactors.
    aa, bb, cc, dd, ee, ff = d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b
    slopes = np.column_stack([aa * x + bb * y + cc * z, bb * x + dd * y + ee * z, cc * x + ee * y + ff * z])
    fit = np.zeros((*alpha.shape, 4), np.float32)
    fit[near, :3] = slopes / (a * aa + b * bb + c * cc)[:, None]
    fit[..., 3] = level - (fit[..., :3] * centre).sum(axis=2)
    return mean(fit)


def _foreground(pixels: Pixels, alpha: Map) -> Map:
    """A picture too large for all levels is explained by its reduced copy's layers."""
    image = reduced(pixels, _LAYER_SIDE)
    front, back = fore_and_back(image, reduced_map(alpha, _LAYER_SIDE))
    height, width = alpha.shape
    if front.shape[:2] == (height, width):
        return front
    result = np.empty((height, width, 3), np.float32)
    for rows in strips(height):
        colours = pixels[rows].astype(np.float32) / np.float32(255)
        near, far = enlarged(front, rows, height, width), enlarged(back, rows, height, width)
        result[rows] = explained(colours, near, far, alpha[rows, :, None])
    return result


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
