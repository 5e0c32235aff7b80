"""A picture's few dozen colours, and which of them tell one area from another: everywhere, or near a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.pixels.regions import Map

_COUNT = 48
_ALIKE = 7.0  # distance in Lab within which a colour counts for its neighbours too
# Of an area's pixels: of any colour, though none was seen. The background shows itself all around, so that a colour
# which is not there is rather the subject's.
_DOUBT_INSIDE, _DOUBT_OUTSIDE = 0.02, 0.005
_CELL = 8  # pixels a side: how finely a colour's whereabouts are counted
_HEARSAY = 2.0  # pixels per cell for which the whole picture's colours count where few are near
_SAMPLE = 4000  # pixels that k-means sees
_GRAIN = 6.0  # steps of Lab that a doubling of detail counts for


@dataclass(frozen=True)
class Palette:
    """`names`: each pixel's colour, h×w, 0 to count-1. `alike`: what a pixel of one colour says of each other one."""

    names: NDArray[np.intp]
    alike: Map

    @property
    def count(self) -> int:
        return len(self.alike)

    def odds(self, inside: Map, outside: Map) -> Map:
        """ln of how much commoner each pixel's colour is inside than outside; the areas are weights, h×w."""
        counts = [np.bincount(self.names.ravel(), area.ravel(), self.count) for area in (inside, outside)]
        return self._compared(*(count.astype(np.float32) for count in counts))[self.names]

    def odds_nearby(self, inside: Map, outside: Map, reach: float) -> Map:
        """The same, asked of the neighbourhood: a Gaussian window of `reach` pixels."""
        height, width = self.names.shape
        rows, columns = -(-height // _CELL), -(-width // _CELL)
        y, x = np.indices((height, width)) // _CELL
        places = ((y * columns + x) * self.count + self.names).ravel()
        counted = []
        for area in (inside, outside):
            counts = np.bincount(places, area.ravel(), rows * columns * self.count).astype(np.float32)
            total = counts.reshape(-1, self.count).sum(axis=0)
            near = _blurred(counts.reshape(rows, columns, self.count), reach / _CELL)
            near += _HEARSAY * total / (total.sum() + 1e-9)
            counted.append(near)
        return np.asarray(self._compared(*counted).ravel()[places].reshape(height, width), np.float32)

    def _compared(self, inside: Map, outside: Map) -> Map:
        """Counts of each colour, in the last axis → ln of how much commoner it is inside."""
        shares = []
        for counts, doubt in ((inside, _DOUBT_INSIDE), (outside, _DOUBT_OUTSIDE)):
            share = counts / (counts.sum(axis=-1, keepdims=True) + np.float32(1e-9))
            shares.append(share @ self.alike + np.float32(doubt / self.count))
        return np.asarray(np.log(shares[0] / shares[1]), np.float32)


def palette_of(pixels: Pixels, grain: Map | None = None) -> Palette:
    """By k-means in Lab, and in `grain` (h×w, see grain_of) where colours of different texture are to count apart.
    The same picture gives the same palette."""
    features = np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    if grain is not None:
        features = np.dstack([features, _GRAIN * grain])
    flat = np.ascontiguousarray(features.reshape(-1, features.shape[2]))
    sample = np.ascontiguousarray(flat[:: max(1, len(flat) // _SAMPLE)])
    count = min(_COUNT, len(np.unique(sample, axis=0)))
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 8, 0.5)
    cv2.setRNGSeed(1)  # the generator is this thread's own
    centres = np.asarray(cv2.kmeans(sample, count, None, stop, 1, cv2.KMEANS_PP_CENTERS)[2], np.float32)  # type: ignore[call-overload]
    names = (np.square(centres).sum(axis=1) - 2 * flat @ centres.T).argmin(axis=1).reshape(pixels.shape[:2])
    alike = np.exp(-np.square(centres[:, None] - centres[None]).sum(axis=2) / (2 * _ALIKE**2))
    return Palette(names, (alike / alike.sum(axis=1, keepdims=True)).astype(np.float32))


def grain_of(view: Pixels, height: int, width: int) -> Map:
    """How fine the view's detail is around each pixel of a copy of this size, in powers of two of grey levels."""
    grey = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.float32)
    detail = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5))
    spread = cv2.GaussianBlur(detail, (0, 0), max(view.shape) / 80)
    small = cv2.resize(spread, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(np.log2(small + 1), np.float32)


def _blurred(planes: NDArray[np.float32], spread: float) -> NDArray[np.float32]:
    """A Gaussian over each plane of h×w×n, nothing beyond the border."""
    parts = [
        cv2.GaussianBlur(np.ascontiguousarray(planes[..., i : i + 4]), (0, 0), spread, borderType=cv2.BORDER_CONSTANT)
        for i in range(0, planes.shape[2], 4)
    ]
    return np.asarray(np.concatenate([part.reshape(*planes.shape[:2], -1) for part in parts], axis=2), np.float32)
