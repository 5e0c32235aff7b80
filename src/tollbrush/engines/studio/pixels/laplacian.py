"""The matting Laplacian of Levin, Lischinski and Weiss (A closed-form solution to natural image matting, PAMI 2008),
built and solved only where the answer is unknown.

A row of the Laplacian touches the 5×5 pixels around its own, so it is kept as 25 numbers: no sparse matrix is
assembled, which is what takes the time elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tollbrush.engines.studio.pixels.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Index = NDArray[np.int32]

_EPSILON = 1e-6  # how much a window's colours may stray from one line in colour space
_TOLERANCE = 1e-3  # of the residual
_STEPS = 300


def solve_alpha(image: Map, known: Map, unknown: NDArray[np.bool_], start: Map, guess: Map, trust: Map) -> Map:
    """Alpha of `image` (h×w×3, 0..1): `known` (h×w, 0 or 1) outside `unknown`, solved inside from `start`, drawn to
    `guess` with the weight `trust`."""
    # A 3×3 window must fit around each pixel: the picture's own rim is repeated around it.
    image, known, start, guess, trust = (_framed(plane) for plane in (image, known, start, guess, trust))
    unknown = np.pad(unknown, 1, mode="edge")
    rows, columns = np.nonzero(unknown)
    if not rows.size:
        return known[1:-1, 1:-1]
    number = np.full(unknown.shape, -1, np.int32)
    number[rows, columns] = np.arange(rows.size, dtype=np.int32)
    weights = _stencils(image, number, rows.size, _EPSILON)
    neighbours, right = _split(weights, number, known, rows.astype(np.int32), columns.astype(np.int32))
    pull = trust[rows, columns].astype(np.float64)
    weights[:, 12] += pull
    right += pull * guess[rows, columns]
    light = weights.astype(np.float32)  # they are read in every step, and half as wide are read faster
    solved = _conjugate_gradients(light, neighbours, right, start[rows, columns], _TOLERANCE, _STEPS)
    known[rows, columns] = np.clip(solved, 0, 1)
    return np.ascontiguousarray(known[1:-1, 1:-1])


def _framed(plane: Map) -> Map:
    return np.pad(plane, ((1, 1), (1, 1), (0, 0))[: plane.ndim], mode="edge")


@kernel
def _stencils(image: Map, number: Index, count: int, epsilon: float) -> NDArray[np.float64]:
    """count×25: the Laplacian's row of every numbered pixel, by place in its 5×5 surroundings."""
    height, width = number.shape
    weights = np.zeros((count, 25))
    window = np.zeros((9, 3))
    for cy in range(1, height - 1):
        for cx in range(1, width - 1):
            near = False
            for k in range(9):
                if number[cy + k // 3 - 1, cx + k % 3 - 1] >= 0:
                    near = True
            if not near:
                continue
            mean = np.zeros(3)
            for k in range(9):
                for c in range(3):
                    window[k, c] = image[cy + k // 3 - 1, cx + k % 3 - 1, c]
                    mean[c] += window[k, c] / 9
            a = b = c_ = d = e = f = 0.0  # the covariance's upper triangle
            for k in range(9):
                x, y, z = window[k, 0] - mean[0], window[k, 1] - mean[1], window[k, 2] - mean[2]
                window[k, 0], window[k, 1], window[k, 2] = x, y, z
                a += x * x / 9
                b += x * y / 9
                c_ += x * z / 9
                d += y * y / 9
                e += y * z / 9
                f += z * z / 9
            a, d, f = a + epsilon / 9, d + epsilon / 9, f + epsilon / 9
            i00, i01, i02 = d * f - e * e, c_ * e - b * f, b * e - c_ * d
            i11, i12, i22 = a * f - c_ * c_, b * c_ - a * e, a * d - b * b
            det = a * i00 + b * i01 + c_ * i02
            for k in range(9):
                row = number[cy + k // 3 - 1, cx + k % 3 - 1]
                if row < 0:
                    continue
                x, y, z = window[k, 0], window[k, 1], window[k, 2]
                u = (x * i00 + y * i01 + z * i02) / det
                v = (x * i01 + y * i11 + z * i12) / det
                w = (x * i02 + y * i12 + z * i22) / det
                for m in range(9):
                    affinity = (1 + u * window[m, 0] + v * window[m, 1] + w * window[m, 2]) / 9
                    weights[row, (m // 3 - k // 3 + 2) * 5 + m % 3 - k % 3 + 2] -= affinity
                    weights[row, 12] += affinity
    return weights


@kernel
def _split(
    weights: NDArray[np.float64], number: Index, known: Map, rows: Index, columns: Index
) -> tuple[Index, NDArray[np.float64]]:
    """The numbers of each row's neighbours, and the right side that the known pixels make. Their weights become 0."""
    height, width = number.shape
    count = rows.size
    neighbours = np.zeros((count, 25), np.int32)
    right = np.zeros(count)
    for i in range(count):
        for k in range(25):
            y, x = rows[i] + k // 5 - 2, columns[i] + k % 5 - 2
            neighbours[i, k] = i
            if weights[i, k] == 0 or y < 0 or x < 0 or y >= height or x >= width:
                continue
            if number[y, x] >= 0:
                neighbours[i, k] = number[y, x]
            else:
                right[i] -= weights[i, k] * known[y, x]
                weights[i, k] = 0
    return neighbours, right


@kernel
def _conjugate_gradients(
    weights: Map,
    neighbours: Index,
    right: NDArray[np.float64],
    start: Map,
    tolerance: float,
    steps: int,
) -> NDArray[np.float64]:
    """Preconditioned by symmetric Gauss-Seidel in Eisenstat's form (Efficient implementation of a class of
    preconditioned conjugate gradient methods, 1981): two half sweeps a step, no product with the matrix. With A = L +
    D + U it solves (L+D)⁻¹ A (D+U)⁻¹ y = (L+D)⁻¹ r, and the answer is `start` + (D+U)⁻¹ y."""
    count = right.size
    diagonal = weights[:, 12].astype(np.float64) + 1e-7
    residual = right - 1e-7 * start
    for i in range(count):
        for k in range(25):
            residual[i] -= weights[i, k] * start[neighbours[i, k]]
    residual = _down(weights, neighbours, diagonal, residual)
    whole = _down(weights, neighbours, diagonal, right)
    goal = tolerance * tolerance * max((whole * whole * diagonal).sum(), 1e-12)
    found = np.zeros(count)
    step = diagonal * residual
    energy = (residual * step).sum()
    for _ in range(steps):
        if energy <= goal:
            break
        moved = _up(weights, neighbours, diagonal, step)
        moved += _down(weights, neighbours, diagonal, step - diagonal * moved)
        length = energy / (step * moved).sum()
        found += length * step
        residual -= length * moved
        ready = diagonal * residual
        grown = (residual * ready).sum()
        step = ready + grown / energy * step
        energy = grown
    return start + _up(weights, neighbours, diagonal, found)


@kernel
def _down(
    weights: Map, neighbours: Index, diagonal: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(L+D)⁻¹ of `right`; pixels are numbered row by row, so those before are the stencil's first twelve."""
    solved = np.zeros(right.size)
    for i in range(right.size):
        total = right[i]
        for k in range(12):
            total -= weights[i, k] * solved[neighbours[i, k]]
        solved[i] = total / diagonal[i]
    return solved


@kernel
def _up(
    weights: Map, neighbours: Index, diagonal: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(D+U)⁻¹ of `right`."""
    solved = np.zeros(right.size)
    for i in range(right.size - 1, -1, -1):
        total = right[i]
        for k in range(13, 25):
            total -= weights[i, k] * solved[neighbours[i, k]]
        solved[i] = total / diagonal[i]
    return solved
