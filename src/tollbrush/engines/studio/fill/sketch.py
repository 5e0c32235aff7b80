"""A sketch of a picture, in flat colours, that goes on through its hole: what structure a completion is to follow.

Around the hole texture is smoothed away. In the hole the boundaries go on as curves, and between them each place takes
the colours of the parts of the rim that a random walk from it reaches (Grady 2006), which no walk does across a curve:
diffusion curves (Orzan et al. 2008), but of the few colours that there are, not of their mixtures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tollbrush.engines.studio.fill.curves import RING, boundaries, entries, joined
from tollbrush.engines.studio.fill.membrane import relaxed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask

    Floats = NDArray[np.float32]

_SMOOTH = (6.0, 10.0, 14.0)  # Lab: steps that count as texture, one pass of a bilateral filter after another
_RIM = 6.0  # pixels around the hole whose colours enter it
_SOFT = 4.0  # and of them those where its boundaries are too soft to tell a colour
_COLOURS = 6  # of the rim
_SHARPER = 2  # power of the odds between them
_SCREEN = 1e-6
_FRACTION = 4  # bits of a curve's coordinates that are drawn


def sketched(colours: Floats, hole: Mask) -> Floats:
    """H×W×3 Lab, in flat colours. Only the known of `colours` is read; the hole should be some 70 pixels wide."""
    flat = _flattened(colours, hole)
    marked = np.nonzero(hole)
    near = tuple(slice(max(0, int(at.min()) - RING - 2), int(at.max()) + RING + 3) for at in marked)
    flat[near] = _continued(flat[near], np.ascontiguousarray(hole[near]))
    return flat


def _flattened(colours: Floats, hole: Mask) -> Floats:
    """Smoothed up to its edges; the hole as the nearest of the known, so that nothing bleeds out of it."""
    _, names = cv2.distanceTransformWithLabels(hole.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    known = np.nonzero(~hole)
    row = np.zeros(int(names.max()) + 1, np.int64)
    row[names[known]] = np.arange(len(known[0]))
    flat = np.ascontiguousarray(colours[known][row[names]], np.float32)
    for step in _SMOOTH:
        flat = np.asarray(cv2.bilateralFilter(flat, 9, step, 3), np.float32)
    return flat


def _continued(flat: Floats, hole: Mask) -> Floats:
    edges = boundaries(flat, hole)
    curves = joined(entries(flat, hole, edges), float(np.sqrt(np.count_nonzero(hole))))
    wall = np.zeros(hole.shape, np.uint8)
    lines = [np.rint(curve * 2**_FRACTION).astype(np.int32) for curve in curves]
    cv2.polylines(wall, lines, False, (1,), 1, cv2.LINE_4, _FRACTION)
    away = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5)
    soft = cv2.dilate(edges.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    open_ = (hole | (soft & (away < _SOFT))) & (wall == 0)
    rim = ~hole & ~open_ & (away < _RIM) & (wall == 0)
    if not rim.any():
        return flat
    told = _told(flat, open_, rim)
    share, colour = np.maximum(told[..., :1], 0), told[..., 1:]
    weight = share ** (_SHARPER - 1)
    reached = open_ & (share.sum(axis=(2, 3)) > 1e-3)
    total = np.maximum((weight * share).sum(axis=2), 1e-12)
    painted = np.where((hole & reached)[..., None], (weight * colour).sum(axis=2) / total, flat)
    return _closed(painted.astype(np.float32), hole & ~reached)


def _told(flat: Floats, open_: Mask, rim: Mask) -> Floats:
    """H×W×k×4: how likely a walk from each open pixel ends at each of k colours of the rim, and that colour's Lab, as
    it is where the walk ends, times that."""
    known = flat[rim]
    count = min(_COLOURS, len(np.unique(known, axis=0)))
    cv2.setRNGSeed(1)  # the generator is this thread's own
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, 0.5)
    names = cv2.kmeans(known, count, None, stop, 1, cv2.KMEANS_PP_CENTERS)[1].ravel()  # type: ignore[call-overload]
    ends = np.zeros((*rim.shape, count, 4), np.float32)
    y, x = np.nonzero(rim)
    ends[y, x, names] = np.column_stack([np.ones(len(known), np.float32), known])
    planes = ends.reshape(*rim.shape, -1)
    passable = open_ | rim
    dx, dy = (np.zeros_like(planes) for _ in range(2))
    wx, wy = (np.zeros(rim.shape, np.float32) for _ in range(2))
    dx[:, :-1], dy[:-1] = -np.diff(planes, axis=1), -np.diff(planes, axis=0)
    wx[:, :-1], wy[:-1] = passable[:, 1:] & passable[:, :-1], passable[1:] & passable[:-1]
    return np.asarray(planes + relaxed(dx, dy, wx, wy, open_, np.float32(_SCREEN))).reshape(ends.shape)


def _closed(painted: Floats, missing: Mask) -> Floats:
    """What lies under the curves becomes the mean of what lies beside them."""
    while missing.any():
        known = (~missing).astype(np.float32)
        weight = cv2.boxFilter(known, -1, (3, 3), normalize=False)
        total = cv2.boxFilter(painted * known[..., None], -1, (3, 3), normalize=False)
        now = missing & (weight > 0)
        painted[now] = total[now] / weight[now][:, None]
        missing = missing & ~now
    return painted
