"""Find what a photograph is of: a mask, and how far to trust it.

Prior maps (priors.py) → candidates cut on a small copy (hypotheses.py) → the one that the others agree on
(choice.py) → that one's outline drawn to the picture's at a finer scale (outline.py). A painted hint replaces the
search.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.faces.find import Face, agreed_faces
from tollbrush.engines.studio.pixels.regions import cut_regions
from tollbrush.engines.studio.subject.choice import chosen
from tollbrush.engines.studio.subject.hypotheses import People, candidates, cut_again, evidence_of, with_held
from tollbrush.engines.studio.subject.outline import drawn_to_edges
from tollbrush.engines.studio.subject.priors import certain_body, drawn_sleeves, prior_maps, reach_map

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

SURE = 0.76  # confidence below which not to act on a subject: there, as often as not, the cut is wrong (bench.quality)
_SEARCH_SIDE = 192  # longer side at which candidates are cut
_FACE_SIDE = 420  # longer side at which faces are sought
_OUTLINE_SIDE = 512  # longer side at which the chosen one's outline is cut again
_OUTLINE_REACH = 0.05  # of that side: how far the outline may move
_THIN = 24  # pixels; a small copy thinner than this has no room for a subject
_HINT_REACH = 0.06  # of the longer side: how far a painted hint may miss the outline
_HINT_TRUST = 0.6  # overlap below which a cut contradicts the hint, and the hint wins


@dataclass(frozen=True)
class Subject:
    """`mask`: H×W, True on the subject. `confidence`: how far several ways to find it overlap, 0..1; below SURE
    do not act on it. An empty mask has confidence 0."""

    mask: Mask
    confidence: float


def find_subject(pixels: Pixels, hint: Mask | None = None) -> Subject:
    """The main subject of H×W×3|4 pixels. `hint` (H×W) is roughly where the subject is: True on it, False elsewhere.
    A picture that comes with transparency has said itself what its subject is. Does not raise."""
    if hint is None:
        own = _own_transparency(pixels)
        return own if own is not None else _search(_opaque(pixels))
    return _follow(_opaque(pixels), hint)


def _opaque(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., :3])


def _own_transparency(pixels: Pixels) -> Subject | None:
    if pixels.shape[2] == 3:
        return None
    mask = pixels[..., 3] > 127
    return Subject(mask, 1.0) if 0.01 < mask.mean() < 0.98 else None


def _search(pixels: Pixels) -> Subject:
    height, width = pixels.shape[:2]
    nothing = Subject(np.zeros((height, width), bool), 0.0)
    view = _scaled(pixels, _OUTLINE_SIDE) if max(height, width) > _OUTLINE_SIDE else pixels
    small = _scaled(view, _SEARCH_SIDE)
    if min(small.shape[:2]) < _THIN:
        return nothing
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(agreed_faces, _scaled(view, _FACE_SIDE))
        regions = cut_regions(small)
        faces = _people(found.result(), _SEARCH_SIDE / _FACE_SIDE, min(small.shape[:2]))
    maps = prior_maps(regions, faces)
    wider = {"reach": reach_map(regions.shape, faces, maps["mix"])} if faces else {}
    certain = certain_body(regions.shape, faces) if faces else None
    people = None if certain is None else People(certain, drawn_sleeves(regions.shape, faces))
    evidence = evidence_of(regions.pixels, view)
    masks = candidates(regions.shape, evidence, maps | wider, people)
    reach = masks.pop("reach", None)
    if not masks:
        return nothing
    choice = chosen(regions, {**maps, **evidence.priors}, masks, faces, evidence.edges)
    mask = cut_again(regions, masks[choice.name])
    mask = mask if reach is None else with_held(mask, reach, faces, regions.edge)
    mask = _resized(_sharpen(view, mask, _OUTLINE_REACH), height, width)
    # A collar as white as the wall is no hole.
    return Subject(mask if certain is None else mask | _resized(certain, height, width), choice.confidence)


def _people(faces: Sequence[Face], scale: float, side: int) -> list[Face]:
    """The faces, in pixels of the small copy, that are sure and large enough to be what the picture is of."""
    scaled = [replace(f, x=f.x * scale, y=f.y * scale, w=f.w * scale, h=f.h * scale) for f in faces]
    sure = [f for f in scaled if f.score > 30 and f.w > 0.05 * side]
    return [f for f in sure if f.w > 0.5 * max(g.w for g in sure)][:8]


def _follow(pixels: Pixels, hint: Mask) -> Subject:
    """The outline near the painted one, or the hint as painted where the colours contradict it."""
    height, width = hint.shape
    if not hint.any():
        return Subject(np.zeros((height, width), bool), 0.0)
    mask = _resized(_sharpen(pixels, hint, _HINT_REACH), height, width)
    overlap = float((mask & hint).sum() / (mask | hint).sum())
    return Subject(mask, max(SURE, overlap)) if overlap > _HINT_TRUST else Subject(hint.copy(), SURE)


def _sharpen(pixels: Pixels, mask: Mask, reach: float) -> Mask:
    """`mask` (any size) with its outline drawn to the picture's within `reach` of it, at the outline scale."""
    small = _scaled(pixels, _OUTLINE_SIDE)
    return drawn_to_edges(small, _resized(mask, *small.shape[:2]), reach)


def _scaled(pixels: Pixels, side: int) -> Pixels:
    """A copy whose longer side measures `side`."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8)


def _resized(mask: Mask, height: int, width: int) -> Mask:
    way = cv2.INTER_CUBIC if height > mask.shape[0] else cv2.INTER_AREA
    return np.asarray(cv2.resize(mask.astype(np.float32), (width, height), interpolation=way)) > 0.5
