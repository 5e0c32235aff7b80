"""What lies around a hole: one texture or several things, and which colours belong there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask

    Floats = NDArray[np.float32]

_RIM = 0.15  # width of the rim whose colours are familiar, in depths of the hole
_BIN = 8.0  # Lab: side of the boxes that colours are counted in
_SEEN = 0.02  # share of the rim that makes a colour familiar
_BELT = 0.5  # width of the belt that is compared with itself, in depths of the hole
_SECTORS = 12
_ROUGHEST = 14.0  # Lab: where a sector varies by more it is likely to show several things itself


def depth(hole: Mask) -> float:
    """Pixels from the hole's deepest point to its rim; the picture's border is rim too."""
    return float(cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 3).max())


def variety(colours: Floats, hole: Mask) -> float:
    """How much the sectors around a hole (H×W×3 Lab) differ, in mean and in spread, against what each varies within:
    about 0.5 in one texture, above 1 where several things meet."""
    y, x = np.nonzero(_around(hole, _BELT))
    if not y.size:
        return 0.0
    cy, cx = (at.mean() for at in np.nonzero(hole))
    sector = ((np.arctan2(y - cy, x - cx) / (2 * np.pi) + 0.5) * _SECTORS).astype(np.int64) % _SECTORS
    parts = [colours[y[here], x[here]] for here in (sector == number for number in range(_SECTORS)) if here.any()]
    means, spreads = (np.array([measure(part, axis=0) for part in parts]) for measure in (np.mean, np.std))
    between = means.var(axis=0).sum() + 4 * spreads.var(axis=0).sum()
    within = np.clip(np.square(spreads).sum(axis=1).mean(), 1.0, _ROUGHEST**2)
    return float(np.sqrt(between / within))


def strange(colours: Floats, hole: Mask) -> Floats:
    """1 where a colour (H×W×3 Lab) is not seen at the hole's rim, else 0."""
    boxes = ((colours + np.array([0, 128, 128], np.float32)) / _BIN).astype(np.int64) + 1
    light, a, b = np.clip(boxes, 1, 33).transpose(2, 0, 1)
    rim = _around(hole, _RIM)
    counts = np.zeros((35, 35, 35))
    np.add.at(counts, (light[rim], a[rim], b[rim]), 1.0)
    for axis in range(3):
        counts = counts + np.roll(counts, 1, axis) + np.roll(counts, -1, axis)
    return np.asarray(counts[light, a, b] < max(1.0, _SEEN * np.count_nonzero(rim)), np.float32)


def _around(hole: Mask, share: float) -> Mask:
    """A belt around the hole, `share` of its depth wide."""
    width = 2 * round(share * depth(hole)) + 5
    near = cv2.dilate(hole.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))) > 0
    return np.asarray(near & ~hole)
