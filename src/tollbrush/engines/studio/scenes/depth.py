"""How far things in a photograph seem to be, guessed without a network, as a painter of weather needs it.

What lies higher is farther, the sky farthest; haze that is there already tells of distance (dark channel, He 2009);
a subject that is surely found is near, and else what stands out, is in focus, or hangs below a face. A guess: good for
veils, not for measuring.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.faces.find import agreed_faces
from tollbrush.engines.studio.pixels.light import to_lab
from tollbrush.engines.studio.pixels.regions import cut_regions
from tollbrush.engines.studio.pixels.strips import reduced, reduced_map
from tollbrush.engines.studio.scenes.sky_search import rough_sky
from tollbrush.engines.studio.subject.find import SURE, find_subject
from tollbrush.engines.studio.subject.priors import drawn_bodies, focus, prior_maps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]

_SIDE: Final = 512  # longer side of the map
_SKY_SIDE: Final = 480  # at which the sky is sought; what is sure of it is told of that side
_FACE_SIDE: Final = 420  # at which faces are sought
_SEARCH_SIDE: Final = 176  # at which is found what stands out
_THIN: Final = 24  # pixels of that: with less nothing is found
_SURE: Final = 0.45  # confidence from which a sky is believed in
_ALIKE: Final = 14.0  # ΔE from the sky nearby
_IN_FOCUS: Final = (0.85, 0.30)  # what focus tells: indoors, and under a sky, where lenses see all sharp
_NEAR: Final = 0.12  # depth of what stands before everything
_CUT_OFF: Final = 0.25  # of the lower edge: a subject that takes more of it hides what it stands on


@dataclass(frozen=True)
class Depth:
    """h×w float32 maps of at most _SIDE: `far` 0..1, `sky` 0..1 the share of sky, `near` 0..1 how surely a thing
    stands before the rest, `ground` 0..1 how surely what is seen lies flat before us. `horizon`: the row, 0..1 of the
    height, where the ground ends."""

    far: Map
    sky: Map
    near: Map
    ground: Map
    horizon: float


def depth_of(pixels: Pixels) -> Depth:
    """Of H×W×3 pixels, of any size and content."""
    small = reduced(pixels, _SIDE)
    height, width = small.shape[:2]
    sky, open_air = _sky(small)
    # Before a wide sky a subject is small, and much besides it is near.
    subject = None if open_air else _subject(pixels, (height, width))
    near = _standing_out(pixels, (height, width), _IN_FOCUS[open_air]) * (1 - sky) if subject is None else subject
    if open_air:
        # What fills the picture from side to side is the ground that things stand on.
        least = np.percentile(near, 10, axis=1, keepdims=True).astype(np.float32)
        least = cv2.GaussianBlur(least, (0, 0), 0.03 * height + 0.1)
        near = np.asarray(near * np.clip((0.8 - least) / 0.3, 0, 1), np.float32)
    foot = np.flatnonzero((sky > 0.5).mean(axis=1) > 0.25)
    horizon = float((foot[-1] + 1) / height) if open_air and foot.size else 0.30
    rows = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    # A plane seen in perspective: distance falls with the reciprocal of the height below the horizon.
    below = np.clip((rows - horizon) / max(1 - horizon, 0.1), 0, 1)
    plane = 0.16 + 0.74 * (0.35 / (0.35 + below) - 0.26) / 0.74
    guess = np.asarray(np.broadcast_to(plane, (height, width)) * (0.70 + 0.45 * _haze(small, near)), np.float32)
    guess = guess + (_NEAR - guess) * near
    guess = np.maximum(guess, sky)
    far = np.clip(_along_edges(small, guess) if subject is None else guess, 0, 1)
    seen = open_air or (subject is not None and bool(subject[-1].mean() < _CUT_OFF))
    ground = _flat(small, near) * np.clip((rows - max(horizon, 0.5) - 0.1) / 0.3, 0, 1) * (1 - sky) * seen
    return Depth(far, sky, near, np.asarray(ground, np.float32), horizon)


def _subject(pixels: Pixels, shape: tuple[int, int]) -> Map | None:
    """Its share, where one is surely found."""
    found = find_subject(pixels)
    if found.confidence < SURE:
        return None
    share = cv2.resize(found.mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(share, (0, 0), 0.7), np.float32)


def _sky(small: Map) -> tuple[Map, bool]:
    """Its share, 0..1, and whether there surely is one. What is of its colour there is sky too, between the masts."""
    mask, confidence = rough_sky(reduced_map(small, _SKY_SIDE))
    share = np.asarray(cv2.resize(mask.astype(np.float32), small.shape[1::-1], interpolation=cv2.INTER_LINEAR))
    if confidence < _SURE:
        return np.zeros_like(share), False
    weight = np.maximum(cv2.GaussianBlur(share, (0, 0), 0.08 * _SIDE), 1e-4)[..., None]
    there = to_lab(small)
    usual = cv2.GaussianBlur(there * share[..., None], (0, 0), 0.08 * _SIDE) / weight
    alike = np.linalg.norm(there - usual, axis=2) < _ALIKE
    foot = np.flatnonzero(share.mean(axis=1) > 0.1)[-1]
    alike[foot:] = False
    return _along_edges(small, np.maximum(share, alike & (weight[..., 0] > 0.05)).astype(np.float32)), True


def _haze(small: Map, near: Map) -> Map:
    """0..1: how much of each place is veiled already, beside what is near."""
    reach = max(1, round(0.02 * max(small.shape[:2])))
    dark = cv2.erode(np.maximum(small.min(axis=2), near > 0.3), np.ones((2 * reach + 1,) * 2, np.uint8))
    return np.asarray(np.clip(dark / max(float(np.percentile(dark, 98)), 0.3), 0, 1), np.float32)


def _flat(small: Map, near: Map) -> Map:
    """0..1: what is of the colour that the picture has from side to side there, and not near."""
    lab = np.asarray(cv2.GaussianBlur(to_lab(small), (0, 0), 0.02 * max(small.shape[:2]) + 0.1), np.float32)
    usual = cv2.GaussianBlur(np.median(lab, axis=1, keepdims=True), (0, 0), 0.03 * len(lab) + 0.1).reshape(-1, 1, 3)
    alike = np.clip(1.8 - np.linalg.norm(lab - usual, axis=2) / _ALIKE, 0, 1)
    return np.asarray(alike * np.clip(1 - 1.2 * near, 0, 1), np.float32)


def _standing_out(pixels: Pixels, shape: tuple[int, int], trust: float) -> Map:
    """0..1: what is in front. `trust`: how much being in focus tells of that."""
    view = _sized(pixels, _FACE_SIDE)
    small = _sized(view, _SEARCH_SIDE)
    if min(small.shape[:2]) < _THIN:
        return np.zeros(shape, np.float32)
    scale = _SEARCH_SIDE / _FACE_SIDE
    faces = [
        replace(f, x=f.x * scale, y=f.y * scale, w=f.w * scale, h=f.h * scale)
        for f in agreed_faces(view)
        if f.score > 30 and f.w > 0.05 * min(view.shape[:2])
    ]
    regions = cut_regions(small)
    stands = prior_maps(regions, faces)["mix"]
    stands = np.maximum(stands, np.clip(1.5 * cv2.GaussianBlur(stands, (0, 0), 0.07 * _SEARCH_SIDE), 0, 0.9))  # between
    if faces:
        body = drawn_bodies(regions.shape, faces)[0].astype(np.float32)
        stands = np.maximum(stands, cv2.GaussianBlur(body, (0, 0), 1.5))
    sharp = cv2.GaussianBlur(np.clip(regions.spread(focus(regions)) * 1.3, 0, 1), (0, 0), 4)
    near = np.maximum(stands, trust * sharp)
    large = cv2.resize(near, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return _along_edges(reduced(pixels, _SIDE), np.asarray(large, np.float32))


def _sized(pixels: Pixels, side: int) -> Pixels:
    """A copy whose longer side measures `side`."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels[..., :3]), size, interpolation=way), np.uint8)


def _along_edges(guide: Map, plane: Map) -> Map:
    """`plane` with the picture's own outlines (guided filter, He 2013)."""
    if min(guide.shape[:2]) < 8:
        return plane
    radius = max(2, round(0.02 * max(guide.shape[:2])))
    for epsilon in (4e-4, 1e-4):
        plane = np.asarray(cv2.ximgproc.guidedFilter(guide, plane, radius, epsilon), np.float32)
    return np.clip(plane, 0, 1)
