"""The sizes of a picture that its completion works at: what is known at each, and what each source costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.fill.sketch import sketched
from tollbrush.engines.studio.fill.surround import strange, variety
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

Floats = NDArray[np.float32]

R = 3  # patch radius: 7×7
PATCH = 2 * R + 1
SMALLER = "Mark less: a third of the picture is the most that fills well."
_FEATURES = 5  # channels: Lab, and the gradients of L
_GRADIENT = 0.6  # weight of lightness gradients against Lab in the patch distance
_FEWEST_SOURCES = 10
_SKETCH_WIDTH = 72  # pixels: of the hole where it is sketched, and up to which the sketch is followed
_PLAIN = 6.0  # Lab: where the sketch varies by less there is nothing to follow
_SKETCH = 2.0  # weight of its colours against the picture's
_PRICED_SIDE = 160  # pixels: longer side at which sources are priced
_STRANGE = 50.0**2  # price per pixel of a colour that is not seen at the rim, squared Lab
_EXCLUDED = 60.0**2  # and of what must not be copied


@dataclass
class Level:
    """One size of the picture, padded by R. `features` H×(W·C) float32 are painted in place where `hole`: Lab, the
    gradients of L, and the column where things keep their place or the sketch; at full size the picture's own channels.
    `sources` says where a source patch may be centred, `price` what it costs beyond its distance. `sketch`: its planes,
    H×W×3, which stay as they are in the hole."""

    features: Floats
    channels: int
    hole: Mask
    sources: Mask
    price: Floats
    sketch: Floats | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Without the padding."""
        return self.hole.shape[0] - 2 * R, self.hole.shape[1] - 2 * R

    @property
    def rows(self) -> tuple[int, int]:
        """First and last row + 1 of the hole, padded frame."""
        marked = np.flatnonzero(self.hole.any(axis=1))
        return int(marked[0]), int(marked[-1]) + 1

    def follow_sketch(self) -> None:
        """Paints the hole as it is sketched."""
        assert self.sketch is not None
        self.planes[self.hole, :3] = self.sketch[self.hole] / _SKETCH
        self.repainted()

    def repainted(self) -> None:
        """After the hole was painted: its gradients and the padding anew."""
        planes = self.planes
        if self.sketch is not None:
            planes[..., _FEATURES:] = self.sketch
        elif self.channels > _FEATURES:
            planes[..., _FEATURES] = planes[-R - 1, :, _FEATURES]
        if self.channels >= _FEATURES:
            first, last = max(R, self.rows[0] - 2), min(self.hole.shape[0] - R, self.rows[1] + 2)
            light = np.pad(np.ascontiguousarray(planes[first:last, R:-R, 0]), 1, mode="reflect")
            for i, plane in enumerate(_gradients(light)):
                planes[first + 1 : last - 1, R:-R, 3 + i] = plane[2:-2, 1:-1]
        for view in (planes, planes.swapaxes(0, 1)):
            view[:R] = view[2 * R : R : -1]
            view[-R:] = view[-R - 2 : -2 * R - 2 : -1]

    @property
    def planes(self) -> Floats:
        """The features as H×W×C."""
        return self.features.reshape(*self.hole.shape, self.channels)


class Levels:
    """All of one picture's, H×W×3|4 with `hole` and `excluded` (True = do not copy, unless nothing else is left)."""

    def __init__(self, pixels: Pixels, hole: Mask, excluded: Mask, work: float, place: float = 0) -> None:
        """`place`: Lab that a column costs, a picture's longer side away."""
        self._pixels, self._hole, self._place = pixels, hole, place
        h, w = _scaled(hole.shape, work)
        known = np.ascontiguousarray(~hole, np.float32)
        rgb = pixels[..., :3].astype(np.float32)
        if (h, w) != hole.shape:
            # Colours of the hole must not bleed into the smaller picture: only what is known is averaged.
            rgb, known = _mean(rgb, known, h, w)
        self._lab, self._known = _lab(rgb), known
        self._priced, self._excluded = self._price(excluded), excluded
        self._sketch: Floats | None = None

    def sketch(self) -> None:
        """From now on coarse levels have a sketch to follow, in which what must not be copied does not go on either;
        unless it shows nothing but one plain ground."""
        colours, hole = self._reduced(self._sketch_scale)
        barred = hole | (_shrink(self._excluded.astype(np.float32), *hole.shape) > 0)
        unknown = hole if barred.all() else barred
        if hole.all():
            return
        sketch = sketched(colours, unknown)
        if np.sqrt(sketch[hole].var(axis=0).sum()) > _PLAIN:
            self._sketch = sketch

    @property
    def _sketch_scale(self) -> float:
        return _SKETCH_WIDTH / math.sqrt(np.count_nonzero(self._hole))

    def coarse(self, scale: float) -> Level:
        """Lab, the gradients of L, and the column where that counts."""
        colours, hole = self._reduced(scale)
        h, w = hole.shape
        planes = [colours, *_gradients(colours[..., 0])]
        if self._place:
            column = np.linspace(0, self._place * w / max(h, w), w, dtype=np.float32)
            planes.append(np.tile(column, (h, 1)))
        if self._sketch is None or scale > self._sketch_scale:
            return self._level(np.dstack(planes), hole)
        sketch = np.float32(_SKETCH) * _shrink(self._sketch, h, w)
        level = self._level(np.dstack([*planes, sketch]), hole)
        level.sketch = _pad(sketch)
        return level

    def _reduced(self, scale: float) -> tuple[Floats, Mask]:
        """Lab and hole, no larger than the work size."""
        h, w = (min(sides) for sides in zip(_scaled(self._hole.shape, scale), self._known.shape, strict=True))
        colours, known = self._lab, self._known
        if (h, w) != known.shape:
            colours, known = _mean(colours, known, h, w)
        return colours, known < 0.98

    def variety(self) -> float:
        """Of what surrounds the hole; above 1 there are several things."""
        return variety(self._lab, self._known < 0.98)

    def full(self) -> Level:
        """The picture itself."""
        return self._level(self._pixels.astype(np.float32), self._hole)

    def _level(self, planes: Floats, hole: Mask) -> Level:
        sources = cv2.erode((~hole).astype(np.uint8), np.ones((PATCH, PATCH), np.uint8), borderValue=0) > 0
        if np.count_nonzero(sources) < _FEWEST_SOURCES:
            raise CannotHonour("The mask leaves too little of the picture to fill it from.", advice=SMALLER)
        h, w = hole.shape
        price = cv2.boxFilter(cv2.resize(self._priced, (w, h)), -1, (PATCH, PATCH), normalize=False)
        flat, dear = _pad(planes).reshape(h + 2 * R, -1), np.pad(np.asarray(price, np.float32), R)
        return Level(flat, planes.shape[2], np.pad(hole, R), np.pad(sources, R), dear)

    def _price(self, excluded: Mask) -> Floats:
        """Per pixel, of a small copy: what is unlike everything at the rim is likely some other thing."""
        h, w = _scaled(self._hole.shape, min(1.0, _PRICED_SIDE / max(self._hole.shape)))
        colours, known = _mean(self._lab, self._known, h, w)
        price = _STRANGE * strange(colours, known < 0.98)
        if excluded.any():
            price += _EXCLUDED * _shrink(excluded.astype(np.float32), h, w)
        return np.asarray(price, np.float32)


def _scaled(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    h, w = (max(PATCH, round(side * scale)) for side in shape)
    return h, w


def _lab(rgb: Floats) -> Floats:
    """Of 0…255."""
    return np.asarray(cv2.cvtColor(np.clip(rgb * np.float32(1 / 255), 0, 1), cv2.COLOR_RGB2LAB), np.float32)


def _gradients(light: Floats) -> list[Floats]:
    return [np.asarray(cv2.Sobel(light, cv2.CV_32F, x, 1 - x, ksize=1, scale=_GRADIENT)) for x in (1, 0)]


def _pad(plane: NDArray[Any]) -> NDArray[Any]:
    return np.pad(plane, ((R, R), (R, R)) + ((0, 0),) * (plane.ndim - 2), mode="reflect")


def _mean(planes: Floats, weight: Floats, h: int, w: int) -> tuple[Floats, Floats]:
    """Smaller planes, and their weight."""
    share = _shrink(weight, h, w)
    total = _shrink(planes * weight[..., None], h, w)
    return np.asarray(total / np.maximum(share, 1e-3)[..., None], np.float32), share


def _shrink(plane: Floats, h: int, w: int) -> Floats:
    return np.asarray(cv2.resize(plane, (w, h), interpolation=cv2.INTER_AREA), np.float32)
