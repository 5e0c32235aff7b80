"""From prior maps to candidate masks, by GrabCut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.priors import SHOULDER
from tollbrush.engines.studio.regions import colour_bins, separation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.faces import Face
    from tollbrush.engines.studio.regions import Map, Regions

_CUT_SIDE = 144  # longer side at which candidates are cut: of one worth, GrabCut's cost grows faster than the area
_CORE = 0.03  # of the longer side: how deep inside a mask a pixel is surely subject when it is cut again
_TELLING = 0.2  # least separation of colours that a cut can go by


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


def candidates(regions: Regions, maps: Mapping[str, Map], certain: Mask | None) -> dict[str, Mask]:
    """One mask per prior that leads to a plausible one. `certain` pixels are subject whatever the colours say."""

    height, width = regions.shape
    scale = min(1.0, _CUT_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(regions.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    ink = None if certain is None else cv2.resize(certain.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    weight = _weight(maps)

    def cut(prior: Map) -> Mask | None:
        reduced = np.asarray(cv2.resize(prior, size, interpolation=cv2.INTER_AREA), np.float32)
        mask = grab_cut(small, _labels(reduced, ink), 1)
        if mask is None:
            return None
        full = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        return tidy(np.asarray(full > 0.5), weight, 0.12)

    with ThreadPoolExecutor(2) as threads:
        masks = dict(zip(maps, threads.map(cut, maps.values()), strict=True))
    return {name: mask for name, mask in masks.items() if mask is not None and _plausible(mask)}


def cut_again(regions: Regions, maps: Mapping[str, Map], mask: Mask, certain: Mask | None) -> Mask | None:
    """What has the colours of `mask` and hangs together with it, however far from the prior that led there: heads and
    limbs that the prior did not reach. None when that is no plausible mask."""
    depth = max(1, int(max(mask.shape) * _CORE))
    core = cv2.erode(mask.astype(np.uint8), np.ones((2 * depth + 1, 2 * depth + 1), np.uint8), borderValue=1) > 0
    labels = np.where(mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    rim = np.ones(mask.shape, bool)
    rim[2:-2, 2:-2] = False
    labels[rim & ~mask] = cv2.GC_BGD
    labels[core if certain is None else core | certain] = cv2.GC_FGD
    cut = grab_cut(regions.pixels, labels, 1)
    found = None if cut is None else tidy(cut, _weight(maps), 0.12)
    return found if found is not None and _plausible(found) else None


def _weight(maps: Mapping[str, Map]) -> Map:
    return np.maximum(maps["mix"], 0.05)


def _plausible(mask: Mask) -> bool:
    return bool(0.01 < mask.mean() < 0.9)


def _labels(prior: Map, certain: Mask | None) -> NDArray[np.uint8]:
    threshold = cv2.threshold((prior * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)[0] / 255
    labels = np.full(prior.shape, cv2.GC_PR_BGD, np.uint8)
    labels[prior > threshold] = cv2.GC_PR_FGD
    labels[prior < 0.3 * threshold] = cv2.GC_BGD
    labels[prior > threshold + 0.7 * (1 - threshold)] = cv2.GC_FGD
    rim = np.zeros(prior.shape, bool)
    edge = max(2, prior.shape[1] // 128)
    rim[:edge] = rim[:, :edge] = rim[:, -edge:] = True
    labels[rim & (prior < 0.6)] = cv2.GC_BGD
    if certain is not None:
        labels[certain] = cv2.GC_FGD
    return labels


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
    shoulders, lean on the body, leave the picture at most below, and have an edge of their own."""
    extra = reach & ~mask
    if extra.sum() > 0.6 * mask.sum():
        return mask  # it leaked into the background
    shoulder = min(face.y + SHOULDER * face.h for face in faces)
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(extra.astype(np.uint8), connectivity=4)
    kernel, body = np.ones((3, 3), np.uint8), cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    result = mask.copy()
    for i in range(1, count):
        x, y, wide, _, area = boxes[i]
        part = np.asarray(parts == i)
        if area < 0.003 * mask.size or y < shoulder or x == 0 or x + wide == mask.shape[1]:
            continue
        around = (cv2.dilate(part.astype(np.uint8), kernel) > 0) & ~part
        outer = around & ~body
        outer[-2:] = False
        leaning = (around & mask).sum() / around.sum()
        if leaning > 0.3 and (not outer.any() or edge[outer].mean() > 0.3):
            result |= part
    return result
