"""Gradient-domain correction of a painted hole (Pérez et al. 2003; screened and robust as in Darabi et al. 2012).

Patches copied side by side agree in texture but may differ in brightness, among themselves and with the rim. The
copies' own gradients say how colours ought to change from pixel to pixel; the smooth correction h that makes them do
so is min Σ w·|∇h − d|² + λ·h², with d = wanted gradient − the painted one, and h = 0 outside the hole.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.kernels import kernel

Floats = NDArray[np.float32]

_EDGE = 8.0  # levels of 0…255: a step as high as this is taken for a true edge, half believed
_SCREEN = 1e-5  # λ: how much the copied colours themselves count, per pixel
_COARSEST = 24  # pixels
_SWEEPS = 24
_OVER = 1.75  # over-relaxation


def corrected(colours: Floats, across: Floats, down: Floats, hole: NDArray[np.bool_]) -> Floats:
    """H×W×C colours with those in `hole` corrected. `across` and `down` (H×W×C) are the wanted differences
    to the pixel on the right and below."""
    dx, dy = np.zeros_like(colours), np.zeros_like(colours)
    dx[:, :-1] = across[:, :-1] - np.diff(colours, axis=1)
    dy[:-1] = down[:-1] - np.diff(colours, axis=0)
    h = _solve(dx, dy, _belief(dx), _belief(dy), hole, np.float32(_SCREEN))
    return np.where(hole[..., None], colours + h, colours)


def _belief(d: Floats) -> Floats:
    """Geman–McClure weight: a small step is a mismatch to even out, a big one an edge to leave."""
    return np.asarray(1 / (1 + np.square(d).mean(axis=2) / (_EDGE * _EDGE)) ** 2, np.float32)


def _solve(dx: Floats, dy: Floats, wx: Floats, wy: Floats, hole: NDArray[np.bool_], screen: np.float32) -> Floats:
    """Cascadic multigrid (Bornemann and Deuflhard 1996): the half-size solution, enlarged, is the first guess."""
    h = np.zeros_like(dx)
    rows, columns = hole.shape
    if min(rows, columns) >= 2 * _COARSEST and hole.any():
        size = (columns // 2, rows // 2)
        half = _half(dx, 1), _half(dy, 0), _shrunk(wx, size), _shrunk(wy, size), _shrunk_hole(hole, size)
        coarse = _solve(*half, np.float32(4 * screen))
        h[hole] = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR).reshape(dx.shape)[hole]
    _relax(h, dx, dy, wx, wy, hole, screen, _SWEEPS, np.float32(_OVER))
    return h


def _half(d: Floats, axis: int) -> Floats:
    """Differences between the centres of 2×2 blocks: along a row ½d₀ + d₁ + ½d₂, the mean of the block's two rows."""
    rows, columns = d.shape[0] // 2 * 2, d.shape[1] // 2 * 2
    d = d[:rows, :columns]
    if axis == 0:
        return _half(d.swapaxes(0, 1), 1).swapaxes(0, 1)
    first, second = d[:, 0::2], d[:, 1::2]
    third = np.concatenate([first[:, 1:], np.zeros_like(first[:, :1])], axis=1)
    path = 0.5 * first + second + 0.5 * third
    return np.ascontiguousarray(0.5 * (path[0::2] + path[1::2]))


def _shrunk(plane: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _shrunk_hole(hole: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    return _shrunk(hole.astype(np.float32), size) > 0.5


@kernel
def _relax(
    h: Floats,
    dx: Floats,
    dy: Floats,
    wx: Floats,
    wy: Floats,
    hole: NDArray[np.bool_],
    screen: np.float32,
    sweeps: int,
    over: np.float32,
) -> None:
    """Successive over-relaxation in place, forwards and backwards in turns."""
    rows, columns, channels = h.shape
    ys, xs = np.nonzero(hole)
    for sweep in range(sweeps):
        for q in range(len(ys)):
            k = q if sweep % 2 == 0 else len(ys) - 1 - q
            y, x = ys[k], xs[k]
            west = wx[y, x - 1] if x > 0 else np.float32(0)
            east = wx[y, x] if x + 1 < columns else np.float32(0)
            north = wy[y - 1, x] if y > 0 else np.float32(0)
            south = wy[y, x] if y + 1 < rows else np.float32(0)
            total = west + east + north + south + screen
            for c in range(channels):
                pull = np.float32(0)
                if x > 0:
                    pull += west * (h[y, x - 1, c] + dx[y, x - 1, c])
                if x + 1 < columns:
                    pull += east * (h[y, x + 1, c] - dx[y, x, c])
                if y > 0:
                    pull += north * (h[y - 1, x, c] + dy[y - 1, x, c])
                if y + 1 < rows:
                    pull += south * (h[y + 1, x, c] - dy[y, x, c])
                h[y, x, c] += over * (pull / total - h[y, x, c])
