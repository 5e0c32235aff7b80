"""Stars as a camera sees them: points whose light the lens and the air spread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tollbrush.engines.studio.pixels.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.studio.pixels.noise import Frame

    Map = NDArray[np.float32]

_FAINTEST = 0.004  # linear light below which a star's halo is cut off
_ROW = 512  # places asked of a density at once


class Stars:
    """About `count` stars to a square frame, where `density` (of x and y as Frame tells them, 0..1) lets them be.

    Brightness follows a power law, as star counts do; colour runs from the blue-white of hot stars to the orange of
    cool ones."""

    def __init__(
        self,
        frame: Frame,
        random: np.random.Generator,
        count: int,
        *,
        density: Callable[[Map, Map], Map],
        brightness: float,
    ) -> None:
        scale = frame.side / 1024
        count = round(count * frame.height * frame.width / frame.side**2 * min(1.0, scale) ** 2 / _ROW) * _ROW + _ROW
        x, y, kept = random.random((3, count // _ROW, _ROW), np.float32)
        here = density((x - np.float32(0.5)) * np.float32(frame.width / frame.side), y)
        seen = kept < here
        self._x, self._y = x[seen] * frame.width, y[seen] * frame.height
        power = np.minimum(random.pareto(1.30, x.shape)[seen] * 0.020 + 0.012, 2.6) * brightness
        warmth = np.clip(random.normal(-0.15, 0.9, x.shape)[seen], -2, 2.2)
        tint = np.stack([1 + 0.24 * warmth, 1 - 0.03 * np.abs(warmth), 1 - 0.27 * warmth], axis=1)
        self._light = (power[:, None] * np.clip(tint, 0.45, 1.6)).astype(np.float32)
        self._core = max(0.85 * scale**0.8, 0.75)  # a smaller star would fall between pixels

    def shine(self, canvas: Map, rows: slice) -> None:
        """Adds them to `canvas`, which is these rows of the frame in linear light."""
        _splat(canvas, self._x, self._y - np.float32(rows.start), self._light, self._core, _FAINTEST)


@kernel
def _splat(canvas: Map, x: Map, y: Map, light: Map, core: float, faintest: float) -> None:
    """Adds a Moffat profile (Moffat 1969) per star: a tight core, and wings that only bright stars show."""
    height, width, _ = canvas.shape
    for i in range(x.size):
        peak = 2.2 * max(light[i, 0], light[i, 1], light[i, 2])
        # Where the wings fall below `faintest`: peak · (1 + r²/core²)^−1.9 = faintest.
        reach = core * np.sqrt(max((peak / faintest) ** (1 / 1.9) - 1, 1.0)) + 1
        if y[i] + reach < 0 or y[i] - reach > height:
            continue
        top, bottom = max(0, int(y[i] - reach)), min(height, int(y[i] + reach) + 2)
        left, right = max(0, int(x[i] - reach)), min(width, int(x[i] + reach) + 2)
        for row in range(top, bottom):
            for column in range(left, right):
                far = ((row - y[i]) ** 2 + (column - x[i]) ** 2) / (core * core)
                value = 2.2 * (1 + far) ** -1.9
                for c in range(3):
                    canvas[row, column, c] += light[i, c] * value
