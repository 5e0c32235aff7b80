"""From prior maps to candidate masks: what each prior believes, corrected by the colours that it finds there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.min_cut import min_cut, steps_of
from tollbrush.engines.studio.pixels.palette import grain_of, palette_of
from tollbrush.engines.studio.pixels.regions import colour_bins, separation
from tollbrush.engines.studio.subject.defocus import Edges, edges_of, focused_map
from tollbrush.engines.studio.subject.priors import SHOULDER, palette_maps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.faces.find import Face
    from tollbrush.engines.studio.pixels.palette import Palette
    from tollbrush.engines.studio.pixels.regions import Map, Regions

_CUT_SIDE = 144  # longer side at which candidates are cut; the cut's cost grows faster than the area
_WEIGHT = 12.0  # of odds beside steps of colour: far from sure, they had better follow them
_PLACE = 0.6  # how far a prior's own odds count beside the colours'
_REACH = 0.05  # of the longer side: how far an outline may move when it is cut again
_TELLING = 0.2  # least separation of colours that a cut can go by


class People(NamedTuple):
    """Where the people of a picture are, as their faces tell: pixels that are `certain` to be theirs, and where
    shoulders and `sleeves` may be. Both h×w."""

    certain: Mask
    sleeves: Mask


class Evidence(NamedTuple):
    """What a picture's pixels tell, at the scale at which candidates are cut: its palette, where outlines may run, and
    the priors "rim" and "crisp" (see palette_maps) and "focused" (see focused_map). `edges` are the small copy's."""

    palette: Palette
    steps: Pixels
    priors: Mapping[str, Map]
    edges: Edges


def grab_cut(pixels: Pixels, labels: NDArray[np.uint8], rounds: int) -> Mask | None:
    """GrabCut (Rother, Kolmogorov, Blake 2004) from `labels` (cv2.GC_*). None when one side has no sample, or when both
    sides are made of the same colours: then there is nothing to go by, and the maximum flow takes seconds over ties."""
    inside = (labels & 1) > 0
    if min(inside.sum(), (~inside).sum()) < 20 or separation(colour_bins(pixels), inside, ~inside) < _TELLING:
        return None
    cv2.setRNGSeed(1)  # the colour models start from k-means; the generator is this thread's own
    models = np.zeros((2, 1, 65))
    cut, _, _ = cv2.grabCut(pixels, labels.copy(), (0, 0, 0, 0), models[0], models[1], rounds, cv2.GC_INIT_WITH_MASK)
    return np.isin(cut, (cv2.GC_FGD, cv2.GC_PR_FGD))


def evidence_of(small: Pixels, view: Pixels) -> Evidence:
    """`small` and `view` are the picture at two scales; the finer one tells its grain."""
    height, width = small.shape[:2]
    scale = min(1.0, _CUT_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    reduced = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
    grain = grain_of(view, size[1], size[0])
    palette = palette_of(reduced, grain)
    edges = edges_of(view, height, width)
    priors = {**palette_maps(palette, grain), "focused": focused_map(edges, size[1], size[0])}
    return Evidence(palette, steps_of(reduced), priors, edges)


def candidates(
    shape: tuple[int, int], evidence: Evidence, maps: Mapping[str, Map], people: People | None
) -> dict[str, Mask]:
    """One mask of this shape per prior that leads to a plausible one, for the priors of `maps` and the palette's."""
    size, weight = evidence.palette.names.shape[::-1], _weight(maps)
    known = people and People(
        *(cv2.resize(part.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0 for part in people)
    )
    priors = {name: np.asarray(cv2.resize(prior, size, interpolation=cv2.INTER_AREA)) for name, prior in maps.items()}
    priors |= evidence.priors

    def cut(prior: Map) -> Mask | None:
        mask = _believed(evidence.palette, evidence.steps, prior, known)
        if mask is None:
            return None
        full = cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
        return tidy(np.asarray(full > 0.5), weight, 0.12)

    with ThreadPoolExecutor(2) as threads:
        masks = dict(zip(priors, threads.map(cut, priors.values()), strict=True))
    return {name: mask for name, mask in masks.items() if mask is not None and _plausible(mask)}


def _believed(palette: Palette, steps: Pixels, prior: Map, people: People | None) -> Mask | None:
    """What colour and place say together: the colours' part is learnt from the prior, then from the first cut."""
    believed = np.clip(prior, 0.03, 0.97)
    place = _PLACE * np.log(believed / (1 - believed))
    inside, outside = np.square(believed), np.square(1 - believed)
    rim = np.ones(prior.shape, bool)
    rim[2:-2, 2:-2] = False
    rim &= believed < 0.6
    if people is not None:
        rim &= ~people.sleeves  # they leave the picture at its sides
    outside[rim] *= 3
    for _ in range(2):
        odds = palette.odds(inside, outside) + place
        labels = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        if people is not None:
            # Their place is known, so what the frame cuts off elsewhere, but below, is background.
            labels[:-2][rim[:-2]] = cv2.GC_BGD
            labels[people.certain] = cv2.GC_FGD
        mask = min_cut(odds, steps, labels, _WEIGHT)
        if not _plausible(mask):
            return None
        inside, outside = np.where(mask, 0.5 + 0.5 * believed, 0), np.where(mask, 0, 1.5 - believed)
    return mask


def cut_again(regions: Regions, mask: Mask) -> Mask:
    """`mask` with its outline moved by what both sides' colours, blended, make of colours that neither has shown."""
    reach = max(3, int(max(mask.shape) * _REACH)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    ink = mask.astype(np.uint8)
    labels = np.where(mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[cv2.erode(ink, kernel, borderValue=1) > 0] = cv2.GC_FGD
    labels[cv2.dilate(ink, kernel) == 0] = cv2.GC_BGD
    cut = grab_cut(regions.pixels, labels, 2)
    return mask if cut is None or not _plausible(cut) else tidy(cut, np.ones(mask.shape, np.float32), 0.02)


def _weight(maps: Mapping[str, Map]) -> Map:
    return np.maximum(maps["mix"], 0.05)


def _plausible(mask: Mask) -> bool:
    return bool(0.01 < mask.mean() < 0.9)


def tidy(mask: Mask, weight: Map, keep: float) -> Mask:
    """Drops specks and parts whose weight is below `keep` of the heaviest, and fills small holes."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, parts = cv2.connectedComponents(opened)
    if count > 2:
        weights = np.bincount(np.ravel(parts), weight.ravel(), count)[1:]
        opened = np.isin(parts, 1 + np.flatnonzero(weights > keep * weights.max())).astype(np.uint8)
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(1 - opened)
    x, y, wide, high, area = np.asarray(boxes).T
    height, width = mask.shape
    inner = (x > 0) & (y > 0) & (x + wide < width) & (y + high < height) & (area < 0.006 * mask.size)
    inner[0] = False
    return np.asarray((opened > 0) | inner[np.asarray(parts)], np.bool_)


def with_held(mask: Mask, reach: Mask, faces: Sequence[Face], edge: Map) -> Mask:
    """`mask` and those parts of the more generous cut `reach` that a body may hold or wear: they begin below the
    shoulders, lean on the body, leave the picture below or a little to a side, and have an edge of their own."""
    extra = reach & ~mask
    if extra.sum() > 0.6 * mask.sum():
        return mask  # it leaked into the background
    shoulder = min(face.y + SHOULDER * face.h for face in faces)
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(extra.astype(np.uint8), connectivity=4)
    kernel, body = np.ones((3, 3), np.uint8), cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    result = mask.copy()
    for i in range(1, count):
        y, area = boxes[i][1], boxes[i][4]
        part = np.asarray(parts == i)
        leaving = int(part[:, 0].sum() + part[:, -1].sum())
        if area < 0.003 * mask.size or y < shoulder or leaving > 0.5 * np.sqrt(area):
            continue
        around = (cv2.dilate(part.astype(np.uint8), kernel) > 0) & ~part
        outer = around & ~body
        outer[-2:] = outer[:, :2] = outer[:, -2:] = False
        leaning = (around & mask).sum() / around.sum()
        if leaning > 0.3 and (not outer.any() or edge[outer].mean() > 0.3):
            result |= part
    return result
