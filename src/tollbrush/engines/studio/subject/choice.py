"""Which candidate mask to believe: the one in the middle of the others.

Ideas that see a part of the thing, or more than it, go wrong in ways of their own, and those that see it agree. What
else was tried to tell good cuts from bad ones, a ridge regression over twenty features of each, chose no better on
photographs that it had not seen than the plain vote does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.regions import colour_bins, separation
from tollbrush.engines.studio.subject.defocus import fading, set_off
from tollbrush.engines.studio.subject.priors import drawn_bodies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask
    from tollbrush.engines.studio.faces.find import Face
    from tollbrush.engines.studio.pixels.regions import Map, Regions
    from tollbrush.engines.studio.subject.defocus import Edges

_BODY = 8.0  # ln of what a vote gains by being just the bodies that belong to the faces
_CLEAR = 2.0  # ln of what it gains by an outline with other colours on either side
_FOCUS = 5.0  # ln of what it gains by holding all that is in focus, where the background is not
_CONTRAST = 2.0  # ln of what its agreement counts for more where it sets itself off from the background
_CLEAR_OUTLINE = 0.7  # separation of these colours from which an outline is no longer doubted
_WHOLE = 0.4  # overlap with all that sets itself off from the rim from which a thing is taken to be whole
_DOUBT = 0.3  # what a thing that overlaps with none of it loses of its confidence
_FADED = 0.3  # what a thing that is set off by focus loses of it where that fades instead of ending at the outline
_VOUCHED = 0.2  # what focus adds to that separation and overlap: fur before a carpet has no colours of its own


class Choice(NamedTuple):
    """`confidence`, 0..1: how much the other candidates overlap with this one; doubted where the outline runs through
    one and the same colours, for it cuts a thing in two, and where it leaves out much that the rim has none of, less so
    where it is set off by focus, if that ends at the outline."""

    name: str
    confidence: float


def chosen(
    regions: Regions, maps: Mapping[str, Map], masks: Mapping[str, Mask], faces: Sequence[Face], edges: Edges
) -> Choice:
    """`maps`: the priors "rbd" and "rim", at any size. `faces` and `edges` in pixels of the regions' copy; where there
    are faces, the bodies that belong to them outvote whatever else sets itself off."""
    names, cuts = list(masks), list(masks.values())
    height, width = regions.shape
    background, rim = (np.asarray(cv2.resize(maps[n], (width, height)), np.float32) for n in ("rbd", "rim"))
    overlaps, bins = _overlaps(cuts), colour_bins(regions.pixels)
    clear = np.array([_separation_at_outline(bins, mask) for mask in cuts])
    focus = np.array([set_off(edges, mask) for mask in cuts])
    votes = _BODY * _likeness_to_bodies(cuts, faces) + _CLEAR * clear + _FOCUS * focus
    best = int((overlaps @ np.exp(votes)).argmax())
    # A thing that sets itself off as a whole is rather right, but a part that does would win the vote.
    belief = np.exp(votes + _CONTRAST * np.array([background[m].mean() - background[~m].mean() for m in cuts]))
    agreement = overlaps[best] @ belief / belief.sum()
    vouched = _VOUCHED * focus[best]
    whole = min(1.0, (_covered(cuts[best], rim) + vouched) / _WHOLE)
    doubt = min(1.0, (clear[best] + vouched) / _CLEAR_OUTLINE) * (1 - _DOUBT * (1 - whole))
    doubt *= 1 - _FADED * focus[best] * fading(edges, cuts[best])
    return Choice(names[best], float(agreement * doubt))


def _overlaps(masks: Sequence[Mask]) -> NDArray[np.float64]:
    """Intersection over union of each mask with every other."""
    flat = np.stack([mask.ravel() for mask in masks]).astype(np.float32)
    both = flat @ flat.T
    area = np.diag(both)
    return np.asarray(both / (area[:, None] + area[None] - both), np.float64)


def _likeness_to_bodies(masks: Sequence[Mask], faces: Sequence[Face]) -> NDArray[np.float64]:
    """Per mask, -1..1: its overlap with the bodies, less the part of it that is out of their reach. 0 without faces."""
    if not faces:
        return np.zeros(len(masks))
    height, width = masks[0].shape
    body, reach = drawn_bodies((height, width), faces)
    return np.array([(m & body).sum() / (m | body).sum() - (m & ~reach).sum() / m.sum() for m in masks], np.float64)


def _separation_at_outline(bins: NDArray[np.intp], mask: Mask) -> float:
    ink = mask.astype(np.uint8)
    kernel = np.ones((max(3, mask.shape[1] // 40),) * 2, np.uint8)
    return separation(bins, mask & (cv2.erode(ink, kernel) == 0), ~mask & (cv2.dilate(ink, kernel) > 0))


def _covered(mask: Mask, rim: Map) -> float:
    """Intersection over union of a mask with a map, 0..1."""
    return float(np.minimum(mask, rim).sum() / np.maximum(mask, rim).sum())
