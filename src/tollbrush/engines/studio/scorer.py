"""Which candidate mask to believe: a linear scorer over what a good cut-out looks like."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from tollbrush.engines.studio.priors import drawn_bodies, focus
from tollbrush.engines.studio.regions import colour_bins, separation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask
    from tollbrush.engines.studio.faces import Face
    from tollbrush.engines.studio.regions import Map, Regions

_LOCAL_SEPARATION = 1  # its place among the features
_TRUST = 4.0  # how steeply belief in a candidate grows with its score
_BODY = 0.5  # score for a mask that is just the bodies
_CLEAR_OUTLINE = 0.7  # local separation from which an outline is no longer doubted


@dataclass(frozen=True)
class _Scorer:
    priors: tuple[str, ...]
    coefficients: NDArray[np.float64]
    intercept: float

    def score(self, features: Sequence[float], prior: str) -> float:
        row = np.array([*features, *(float(prior == name) for name in self.priors)])
        return float(row @ self.coefficients + self.intercept)


class Choice(NamedTuple):
    """`confidence`, 0..1: how much the other candidates, each believed as far as its score goes, overlap with this one;
    doubted where the outline runs through one and the same colours: it cuts a thing in two."""

    name: str
    score: float
    confidence: float


@cache
def _scorer() -> _Scorer:
    """A ridge regression over hand-cut photographs; its coefficients are package data."""
    data = json.loads((files("tollbrush.engines.studio") / "data" / "scorer.json").read_text("utf-8"))
    return _Scorer(tuple(data["priors"]), np.array(data["coefficients"]), data["intercept"])


def chosen(regions: Regions, maps: Mapping[str, Map], masks: Mapping[str, Mask], faces: Sequence[Face]) -> Choice:
    """The candidate in the middle of those that score well: ideas that see a part of the thing, or more than it, go
    wrong in ways of their own, and those that see it agree."""
    scene, names = _Scene.of(regions, maps, faces), list(masks)
    overlaps = _overlaps(list(masks.values()))
    features = [scene.features(masks[n], np.delete(overlaps[i], i)) for i, n in enumerate(names)]
    score = np.array([_scorer().score(f, n) for f, n in zip(features, names, strict=True)])
    score += [scene.likeness_to_a_body(masks[n]) for n in names]
    belief = np.exp(_TRUST * (score - score.max()))
    agreement = overlaps @ belief / belief.sum()
    best = int(agreement.argmax())
    doubt = min(1.0, features[best][_LOCAL_SEPARATION] / _CLEAR_OUTLINE)
    return Choice(names[best], float(score[best]), float(agreement[best] * doubt))


def _overlaps(masks: Sequence[Mask]) -> NDArray[np.float64]:
    """Intersection over union of each mask with every other."""
    flat = np.stack([mask.ravel() for mask in masks]).astype(np.float32)
    both = flat @ flat.T
    area = np.diag(both)
    return np.asarray(both / (area[:, None] + area[None] - both), np.float64)


@dataclass(frozen=True)
class _Scene:
    """What the features of every candidate share."""

    bins: NDArray[np.intp]
    edge: Map
    centre: Map
    focus: Map
    mixed: Map
    robust: Map
    eyes: Sequence[tuple[slice, slice]]
    bodies: tuple[Mask, Mask] | None

    @classmethod
    def of(cls, regions: Regions, maps: Mapping[str, Map], faces: Sequence[Face]) -> _Scene:
        height, width = regions.shape
        y, x = np.indices(regions.shape)
        centre = np.exp(-(np.square((x / width - 0.5) / 0.3) + np.square((y / height - 0.55) / 0.36)) / 2)
        return cls(
            colour_bins(regions.pixels),
            regions.edge,
            centre.astype(np.float32),
            np.asarray(cv2.GaussianBlur(focus(regions)[regions.labels].astype(np.float32), (0, 0), 2), np.float32),
            maps["mix"],
            maps["rbd"],
            [_eye_region(face) for face in faces],
            drawn_bodies(regions.shape, faces) if faces else None,
        )

    def likeness_to_a_body(self, mask: Mask) -> float:
        """Where there are faces: added to a score for the bodies that belong to them, taken off it for what lies out of
        their reach."""
        if self.bodies is None:
            return 0.0
        body, reach = self.bodies
        return _BODY * float((mask & body).sum() / (mask | body).sum() - (mask & ~reach).sum() / mask.sum())

    def features(self, mask: Mask, others: NDArray[np.float64]) -> list[float]:
        """Twenty numbers, in the order of the scorer's coefficients."""
        ink = mask.astype(np.uint8)
        radius = max(3, mask.shape[1] // 40)
        kernel = np.ones((radius, radius), np.uint8)
        inner = mask & (cv2.erode(ink, kernel) == 0)
        outer = ~mask & (cv2.dilate(ink, kernel) > 0)
        outline = cv2.morphologyEx(ink, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        outline[:2] = outline[-2:] = outline[:, :2] = outline[:, -2:] = False
        edge = self.edge[outline]
        area = float(mask.mean())
        contours, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        hull = cv2.contourArea(cv2.convexHull(np.vstack(contours)))
        return [
            separation(self.bins, mask, ~mask),
            separation(self.bins, inner, outer),
            float(edge.mean()) if edge.size else 0.0,
            float((edge < 0.25).mean()) if edge.size else 1.0,
            float(mask[0].mean()),
            float(mask[:, 0].mean() + mask[:, -1].mean()) / 2,
            float(mask[-1].mean()),
            float(outline.sum() / np.sqrt(mask.sum() + 1)) / 20,
            area,
            area * area,
            float(self.centre[mask].mean()),
            float(self.centre[mask].sum() / self.centre.sum()),
            _contrast(self.mixed, mask),
            _contrast(self.robust, mask),
            float(others.mean()) if others.size else 0.0,
            float(np.sort(others)[-3:].mean()) if others.size else 0.0,
            float(np.mean([mask[eyes].mean() for eyes in self.eyes])) if self.eyes else 0.5,
            float(bool(self.eyes)),
            min(float(mask.sum() / (hull + 1)), 1.0),
            _contrast(self.focus, mask),
        ]


def _contrast(values: Map, mask: Mask) -> float:
    return float(values[mask].mean() - values[~mask].mean())


def _eye_region(face: Face) -> tuple[slice, slice]:
    """The middle of a face, which no cut-out of its owner may leave out."""
    top, left = max(0, int(face.y + 0.2 * face.h)), max(0, int(face.x + 0.25 * face.w))
    return slice(top, top + max(1, int(0.6 * face.h))), slice(left, left + max(1, int(0.5 * face.w)))
