"""Hair that leaves the outline further than the matting band reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask

    Map = NDArray[np.float32]

_REACH = 0.09  # of the longer side: how far a strand may leave the outline
_THICK = 0.007  # of the longer side: half of what is too thick for hair
_GROUND = 0.22  # of the longer side: how far from the outline the ground's colours are looked for
_RIM = 0.12  # of the longer side: how deep into the subject its hair's colours are looked for
_RARE = 0.002  # of the ground's pixels: a colour that fewer have, neighbours in colour space included, is not its own
_MORE = 4.0  # how much commoner a colour must be on the subject than on the ground to speak for the subject
_LEVELS = 16  # of each channel in the colour tables


@dataclass(frozen=True)
class Evidence:
    """What colours alone tell, h×w. `strands`: where thin things that are not the ground's lead away from the outline.
    `guess`: alpha, 0..1, and `trust` in it, 0..1: 0 where subject and ground share the colour or neither has it."""

    strands: Mask
    guess: Map
    trust: Map


def read_colours(image: Map, inside: Mask, band: Mask) -> Evidence:
    """For an `image` (h×w×3, 0..1) whose subject is about `inside`, its outline somewhere in `band`. Before a ground as
    lively as hair nothing stands out: no strands, no trust."""
    side, ink = max(inside.shape), inside.astype(np.uint8)
    far = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 3) / side if inside.any() else np.ones(inside.shape)
    deep = cv2.distanceTransform(ink, cv2.DIST_L2, 3) / side
    reach = far < _REACH
    zone = reach & ~inside & ~band
    places = _places(image)
    ours, theirs = _table(places[inside & (deep < _RIM)]), _table(places[~reach & (far < _GROUND)])
    known = ours + theirs
    guess = (ours / (known + 1e-9))[places].astype(np.float32)
    trust = (np.abs(ours - theirs) / (known + _RARE))[places].astype(np.float32)
    foreign = (theirs < _RARE) | (ours > _MORE * theirs)
    likely = zone & foreign[places]
    solid = cv2.morphologyEx(likely.astype(np.uint8), cv2.MORPH_OPEN, _disc(max(1, int(side * _THICK))))
    thin = likely & (cv2.dilate(solid, _disc(2)) == 0)
    joined = cv2.dilate((thin | band | inside).astype(np.uint8), _disc(1))
    _, parts = cv2.connectedComponents(joined)
    own = np.unique(parts[inside])
    kept = thin & np.isin(parts, own[own > 0])
    found = (cv2.dilate(kept.astype(np.uint8), _disc(2)) > 0) & reach & ~inside
    return Evidence(np.asarray(found, np.bool_), guess, trust)


def _places(image: Map) -> NDArray[np.intp]:
    """Each pixel's place in a colour table."""
    levels = np.minimum((image * _LEVELS).astype(np.intp), _LEVELS - 1)
    return np.asarray((levels[..., 0] * _LEVELS + levels[..., 1]) * _LEVELS + levels[..., 2])


def _table(places: NDArray[np.intp]) -> NDArray[np.float64]:
    """The share of pixels that have each colour or one of its 26 neighbours."""
    counts = np.bincount(places, minlength=_LEVELS**3).reshape((_LEVELS,) * 3).astype(np.float64)
    padded = np.pad(counts, 1)
    for axis in range(3):
        padded = padded + np.roll(padded, 1, axis) + np.roll(padded, -1, axis)
    return padded[1:-1, 1:-1, 1:-1].ravel() / max(1, places.size)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
