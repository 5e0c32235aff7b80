"""Gradient-domain correction of a painted hole (Pérez et al. 2003; screened and robust as in Darabi et al. 2012).

Patches copied side by side agree in texture but may differ in brightness, among themselves and with the rim. The
copies' own gradients say how colours ought to change from pixel to pixel; the smooth correction h that makes them do
so is min Σ w·|∇h − d|² + λ·h², with d = wanted gradient − the painted one, and h = 0 outside the hole.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.pixels.kernels import kernel

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_EDGE = 26.0  # levels of 0…255: a step as high as this is a true edge, not a mismatch
_SCREEN = 1e-5  # λ: how much the copied colours themselves count, per pixel
_COARSEST = 24  # pixels
_SWEEPS = 24  # or fewer, for no more than
_MOST = 12_000_000  # pixels in all: where there are so many, the half-size solution is a good one
_OVER = 1.75  # over-relaxation


def corrected(colours: Floats, across: Floats, down: Floats, led: Bools, hole: Bools) -> Floats:
    """H×W×C colours with those in `hole` corrected. Where `led`, `across` and `down` (H×W×C) are the differences to
    the pixel on the right and below that are wanted."""
    dx, dy = np.zeros_like(colours), np.zeros_like(colours)
    dx[:, :-1] = across[:, :-1] - np.diff(colours, axis=1)
    dy[:-1] = down[:-1] - np.diff(colours, axis=0)
    dx[~led], dy[~led] = 0, 0
    h = relaxed(dx, dy, _belief(dx), _belief(dy), hole, np.float32(_SCREEN))
    return np.where(hole[..., None], colours + h, colours)


def _belief(d: Floats) -> Floats:
    """Tukey's weight: a small step is a mismatch to even out, a big one an edge to leave."""
    return np.asarray(np.clip(1 - np.square(d).mean(axis=2) / (_EDGE * _EDGE), 0, 1) ** 2, np.float32)


def relaxed(dx: Floats, dy: Floats, wx: Floats, wy: Floats, hole: Bools, screen: np.float32) -> Floats:
    """H×W×C whose steps across and down are `dx` and `dy`, as far as their weights `wx`, `wy` (H×W) say, and which is 0
    outside the hole. Cascadic multigrid (Bornemann and Deuflhard 1996): the half-size solution, enlarged, is the first
    guess."""
    h = np.zeros_like(dx)
    rows, columns = hole.shape
    if min(rows, columns) >= 2 * _COARSEST:
        size = (columns // 2, rows // 2)
        half_dx, half_wx = _half(dx, wx)
        half_dy, half_wy = (plane.swapaxes(0, 1).copy() for plane in _half(dy.swapaxes(0, 1), wy.T))
        share = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        coarse = relaxed(half_dx, half_dy, half_wx, half_wy, share > 0.5, np.float32(4 * screen))
        h[hole] = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR).reshape(dx.shape)[hole]
    sweeps = max(_SWEEPS // 4, min(_SWEEPS, _MOST // max(1, int(np.count_nonzero(hole)))))
    _relax(h, dx, dy, wx, wy, hole, screen, sweeps, np.float32(_OVER))
    return h


def _half(d: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Steps along the rows between the centres of 2×2 blocks, and their weights: ½, 1 and ½ pixel steps in series (one
    disbelieved step breaks the path), the block's two rows side by side."""
    rows, columns = d.shape[0] // 2 * 2, d.shape[1] // 2 * 2
    resistance = 1 / np.maximum(w, 1e-6)
    path, resist = _series(d[:rows, :columns]), _series(resistance[:rows, :columns, None].astype(np.float32))
    weight = 2 / resist
    both = weight[0::2] + weight[1::2]
    step = (weight[0::2] * path[0::2] + weight[1::2] * path[1::2]) / both
    return np.asarray(step, np.float32), np.asarray(0.5 * both[..., 0], np.float32)


def _series(steps: Floats) -> Floats:
    following = np.concatenate([steps[:, 2::2], steps[:, -1:]], axis=1)
    return np.asarray(0.5 * steps[:, 0::2] + steps[:, 1::2] + 0.5 * following, np.float32)


@kernel
def _relax(
    h: Floats,
    dx: Floats,
    dy: Floats,
    wx: Floats,
    wy: Floats,
    hole: Bools,
    screen: np.float32,
    sweeps: int,
    over: np.float32,
) -> None:
    """Successive over-relaxation in place, forwards and backwards in turns."""
    rows, columns, channels = h.shape
    ys, xs = np.nonzero(hole)
    one = np.uint64(1)
    for sweep in range(sweeps):
        for q in range(len(ys)):
            k = q if sweep % 2 == 0 else len(ys) - 1 - q
            y, x = np.uint64(ys[k]), np.uint64(xs[k])
            west = wx[y, x - one] if xs[k] > 0 else np.float32(0)
            east = wx[y, x] if xs[k] + 1 < columns else np.float32(0)
            north = wy[y - one, x] if ys[k] > 0 else np.float32(0)
            south = wy[y, x] if ys[k] + 1 < rows else np.float32(0)
            factor = over / (west + east + north + south + screen)
            for i in range(channels):
                c = np.uint64(i)
                pull = np.float32(0)
                if xs[k] > 0:
                    pull += west * (h[y, x - one, c] + dx[y, x - one, c])
                if xs[k] + 1 < columns:
                    pull += east * (h[y, x + one, c] - dx[y, x, c])
                if ys[k] > 0:
                    pull += north * (h[y - one, x, c] + dy[y - one, x, c])
                if ys[k] + 1 < rows:
                    pull += south * (h[y + one, x, c] - dy[y, x, c])
                h[y, x, c] += factor * pull - over * h[y, x, c]
