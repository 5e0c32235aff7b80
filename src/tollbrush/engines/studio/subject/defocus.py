"""What is in focus, told by the edges: a lens blurs the background's, never sharpens them.

The steepness of an edge over its steepness once blurred again tells how blurred it was, whatever its contrast (Zhuo,
Sim: Defocus map estimation from a single image, Pattern Recognition 44, 2011).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.rising import rising

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.pixels.regions import Map

_FINE, _COARSE = 0.8, 2.0  # pixels of the view: the blurs between which steepness is compared
_LEAST = 3.0  # grey levels a pixel: the flattest edge that is looked at,
_OF_NOISE = 1.5  # and times the noise
_BLURRED, _SHARP = 1.5, 2.1  # steepness kept, of an edge that is surely blurred, and of one that is surely not
_SPREAD = 0.02  # of the longer side: how far a sharp edge speaks for what is around it
_FEWEST = 0.02  # sharp edges a pixel that count as none
_SMOOTH = 0.1  # of the longer side: how far apart the edges of a smooth thing may lie
# What is set off by focus:
_SOME = 0.002, 0.006  # sharp edges a pixel: a picture soft all over has nothing in focus
_DENSER = 0.5, 3.0  # ln of how much denser sharp edges are in it than out of it: nothing, and enough
_DETAIL = 0.03, 0.1  # blurred edges a pixel out of it: a bare wall is no more blurred than sharp
_STRAY = 0.1, 0.2  # of the edges out of it, those that are sharp: as good as none, and too many
_RIM = 2, 6  # pixels of the small copy from an outline: where it is seen whether sharpness ends there
_FADES = 0.5, 1.0  # sharp edges' part outside the outline over that inside: it ends, and it goes on


class Edges(NamedTuple):
    """Edges per pixel of a small copy, h×w, 0..1: the sharp ones, and the blurred ones."""

    sharp: Map
    blurred: Map


def edges_of(view: Pixels, height: int, width: int) -> Edges:
    """The edges of `view` in a copy of this size."""
    grey = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.float32)
    noise = 1.48 * float(np.median(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.0))))
    fine, coarse = (_steepness(grey, blur) for blur in (_FINE, _COARSE))
    edges = (fine > max(_LEAST, _OF_NOISE * noise)).astype(np.float32)
    for side in (slice(0, 2), slice(-2, None)):  # the border's are not the picture's
        edges[side] = edges[:, side] = 0
    sharp = edges * np.clip((fine / (coarse + 0.5) - _BLURRED) / (_SHARP - _BLURRED), 0, 1)
    return Edges(*(_reduced(edge, height, width) for edge in (sharp, edges - sharp)))


def focused_map(found: Edges, height: int, width: int) -> Map:
    """The prior of this size that what lies between sharp edges is the subject's."""
    side = max(height, width)
    dense = np.log(cv2.GaussianBlur(_reduced(found.sharp, height, width), (0, 0), _SPREAD * side) + _FEWEST)
    low, high = np.log(_FEWEST), float(np.percentile(dense, 95))
    level = np.clip((dense - low) / (high - low + 1e-6), 0, 1)
    middle = cv2.threshold((level * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)[0] / 255
    prior = np.asarray(1 / (1 + np.exp(-8 * (level - middle))), np.float32)
    radius = round(_SMOOTH * side)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    # The border closes nothing: a thing that it cuts off ends there.
    return np.asarray(cv2.morphologyEx(prior, cv2.MORPH_CLOSE, disc, borderType=cv2.BORDER_REPLICATE), np.float32)


def set_off(found: Edges, mask: Mask) -> float:
    """0..1: how far `mask` holds what is in focus, before edges that are not. 0 for a picture that is sharp all over,
    and for one whose background has nothing to be blurred."""
    inside = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    area, total = float(inside.mean()), float(found.sharp.sum())
    sharp, blurred = (float(edges[~inside].sum()) for edges in found)
    lost = sharp / (total + 1e-6)
    denser = np.log((1.01 - lost) / (area + 0.01)) - np.log((lost + 0.01) / (1.01 - area))
    stray = (sharp + 5) / (sharp + blurred + 20)  # few edges prove nothing
    detail = blurred / ((1 - area) * mask.size + 1)
    likely = rising(denser, *_DENSER) * rising(detail, *_DETAIL) * (1 - rising(stray, *_STRAY))
    return likely * rising(total / mask.size, *_SOME)


def fading(found: Edges, mask: Mask) -> float:
    """0..1: how far sharpness goes on across the outline of `mask`. A thing's ends there; that of a floor that runs out
    of the depth of field fades, and so it seems where the outline misses the thing's."""
    ink = mask.astype(np.uint8)
    parts = []
    for side in (1 - ink, ink):
        distance = cv2.distanceTransform(side, cv2.DIST_L2, 3)
        rim = (distance > _RIM[0]) & (distance <= _RIM[1])
        sharp, blurred = (float(edges[rim].sum()) for edges in found)
        parts.append(sharp / (sharp + blurred + 1))
    return rising(parts[0] / (parts[1] + 0.02), *_FADES)


def _steepness(grey: Map, blur: float) -> Map:
    """Grey levels a pixel, once blurred."""
    soft = cv2.GaussianBlur(grey, (0, 0), blur)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0))
    return np.asarray(cv2.magnitude(across, down) / 8, np.float32)


def _reduced(values: Map, height: int, width: int) -> Map:
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA), np.float32)
