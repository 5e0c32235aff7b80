"""Stars as a camera sees them: points whose light the lens and the air spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tollbrush.engines.studio.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

_FAINTEST = 0.004  # linear light below which a star's halo is cut off


def scatter_stars(
    canvas: Map,
    random: np.random.Generator,
    count: int,
    *,
    density: NDArray[np.floating],
    brightness: float,
    scale: float,
) -> None:
    """Adds about `count` stars to `canvas` (h×w×3, linear light) where `density` (h×w, 0..1) lets them be.

    Brightness follows a power law, as star counts do; colour runs from the blue-white of hot stars to the orange of
    cool ones. `scale` is the size of a star in units of a 1024-pixel picture's."""
    height, width = density.shape
    x, y = random.uniform(0, width, count), random.uniform(0, height, count)
    here = density[y.astype(int), x.astype(int)]
    kept = random.random(count) < here
    x, y = x[kept], y[kept]
    power = np.minimum(random.pareto(1.30, x.size) * 0.020 + 0.012, 2.6) * brightness
    warmth = np.clip(random.normal(-0.15, 0.9, x.size), -2, 2.2)
    tint = np.stack([1 + 0.24 * warmth, 1 - 0.03 * np.abs(warmth), 1 - 0.27 * warmth], axis=1)
    _splat(canvas, x, y, (power[:, None] * np.clip(tint, 0.45, 1.6)).astype(np.float32), scale, _FAINTEST)


@kernel
def _splat(
    canvas: Map, x: NDArray[np.float64], y: NDArray[np.float64], light: Map, scale: float, faintest: float
) -> None:
    """Adds a Moffat profile (Moffat 1969) per star: a tight core, and wings that only bright stars show."""
    height, width, _ = canvas.shape
    core = max(0.85 * scale, 0.75)  # a smaller star would fall between pixels
    for i in range(x.size):
        peak = 2.2 * max(light[i, 0], light[i, 1], light[i, 2])
        # Where the wings fall below `faintest`: peak · (1 + r²/core²)^−1.9 = faintest.
        reach = core * np.sqrt(max((peak / faintest) ** (1 / 1.9) - 1, 1.0)) + 1
        top, bottom = max(0, int(y[i] - reach)), min(height, int(y[i] + reach) + 2)
        left, right = max(0, int(x[i] - reach)), min(width, int(x[i] + reach) + 2)
        for row in range(top, bottom):
            for column in range(left, right):
                far = ((row - y[i]) ** 2 + (column - x[i]) ** 2) / (core * core)
                value = 2.2 * (1 + far) ** -1.9
                for c in range(3):
                    canvas[row, column, c] += light[i, c] * value
