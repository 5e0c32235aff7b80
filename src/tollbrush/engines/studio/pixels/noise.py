"""Random textures and gradients, in linear light, from which scenes are painted a few rows at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.pixels.kernels import kernel
from tollbrush.engines.studio.pixels.light import encoded, linear
from tollbrush.engines.studio.pixels.strips import enlarged, strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]
    Places = NDArray[np.floating]
    Painting = Callable[[slice], Map]
    Painter = Callable[["Frame", np.random.Generator], Painting]

_MOST_PIXELS: Final = 4096 * 4096


@dataclass(frozen=True)
class Frame:
    """A canvas whose places do not depend on its resolution. A painter draws its random numbers once for a frame; its
    painting then gives any rows in linear light, n×width×3, so that a large canvas never lies in memory as floats."""

    height: int
    width: int

    @property
    def side(self) -> int:
        return max(self.height, self.width)

    def x(self) -> Map:
        """Column centres in units of the longer side, 0 in the middle, 1×width."""
        return (((np.arange(self.width) + 0.5) - self.width / 2) / self.side).astype(np.float32)[None]

    def y(self, rows: slice) -> Map:
        """Row centres, 0 at the top and 1 at the foot, n×1."""
        return ((np.arange(rows.start, rows.stop) + 0.5) / self.height).astype(np.float32)[:, None]

    @property
    def tall(self) -> float:
        """Its height in units of the longer side."""
        return self.height / self.side


def painted(painter: Painter, size: Size, seed: int) -> Pixels:
    """What a painter makes, as H×W×3 bytes, dithered by one step so that dark gradients do not band. What is larger
    than 4096×4096 is painted as large as that and enlarged, so that its cost hardly grows any more."""
    random = np.random.default_rng(seed)
    scale = min(1.0, math.sqrt(_MOST_PIXELS / (size.width * size.height)))
    frame = Frame(max(1, round(size.height * scale)), max(1, round(size.width * scale)))
    painting = painter(frame, random)
    whole = _whole(painting, frame) if scale < 1 else None
    result = np.empty((size.height, size.width, 3), np.uint8)
    for rows in strips(size.height):
        grain = random.random((rows.stop - rows.start, size.width, 1), np.float32)
        if whole is None:
            colours = encoded(painting(rows)) * 255
        else:
            colours = enlarged(whole, rows, size.height, size.width) * np.float32(255 / 65535)
        result[rows] = np.clip(colours + grain, 0, 255)
    return result


def _whole(painting: Painting, frame: Frame) -> NDArray[np.uint16]:
    """All of it in sRGB, finer than bytes: what is enlarged must not band."""
    whole = np.empty((frame.height, frame.width, 3), np.uint16)
    for rows in strips(frame.height):
        whole[rows] = encoded(painting(rows)) * 65535 + 0.5
    return whole


@dataclass(frozen=True)
class Texture:
    """A square tile of values that repeats without a seam."""

    tile: Map

    @classmethod
    def spectral(cls, random: np.random.Generator, *, side: int = 512, fall: float = 1.8, lowest: float = 1) -> Texture:
        """Fractal noise of mean 0 and variance 1 that knows no lattice: random phases under a power law (Saupe 1988).
        `fall`: amplitude falls as frequency^−fall; 2.4 is smooth as hills, 1.5 rough as rock. `lowest`: waves to a tile
        below which there is nothing."""
        down, along = np.fft.fftfreq(side, 1 / side)[:, None], np.fft.rfftfreq(side, 1 / side)[None]
        frequency = np.hypot(down, along).astype(np.float32)
        power = np.where(frequency >= lowest, np.maximum(frequency, 1), np.inf) ** np.float32(-fall)
        power[frequency > side / 2] = 0
        noise = random.standard_normal((2, side, side // 2 + 1), np.float32)
        tile = np.asarray(np.fft.irfft2((noise[0] + np.complex64(1j) * noise[1]) * power, s=(side, side)), np.float32)
        return cls(np.ascontiguousarray((tile - tile.mean()) / max(float(tile.std()), 1e-6)))

    def at(self, x: Places, y: Places) -> Map:
        """Values at places in units of the tile; `x` and `y` are broadcast to rows and columns."""
        side = np.float32(len(self.tile))
        x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
        # remap takes places up to 2¹⁵ only, so they are wrapped first.
        across, down = np.broadcast_arrays((x - np.floor(x)) * side, (y - np.floor(y)) * side)
        return np.asarray(
            cv2.remap(
                self.tile,
                np.ascontiguousarray(across),
                np.ascontiguousarray(down),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_WRAP,
            ),
            np.float32,
        )


class Fractal:
    """Fractal noise fine enough for any picture: one tile laid large, and again small for what is finer."""

    def __init__(self, random: np.random.Generator, *, fall: float = 1.8, lowest: float = 1) -> None:
        self._tile = Texture.spectral(random, fall=fall, lowest=lowest)
        self._start = random.uniform(0, 1, 4).astype(np.float32)
        self._fine = np.float32(_FINER ** -(fall - 1))

    def at(self, x: Places, y: Places) -> Map:
        """At places in tiles: variance about 1, detail down to 1/8000 of a tile."""
        a, b, c, d = self._start
        coarse = self._tile.at(x + a, y + b)
        return coarse + self._fine * self._tile.at(_FINER * y + c, _FINER * x + d)


_FINER = 17.3


def fractal(
    height: int, width: int, random: np.random.Generator, *, detail: float = 3, octaves: int = 7, gain: float = 0.5
) -> Map:
    """Fractional Brownian motion, h×w, mean 0 and variance about 1: `octaves` of value noise, the coarsest with
    `detail` cells along the longer side, each finer one `gain` times as strong."""
    total = np.zeros((height, width), np.float32)
    strength, power = 1.0, 0.0
    for _ in range(octaves):
        cells = (
            max(2, int(np.ceil(detail * height / max(height, width))) + 3),
            max(2, int(np.ceil(detail * width / max(height, width))) + 3),
        )
        if cells[0] > 2 * height:
            break
        grid = random.standard_normal(cells, np.float32)
        layer = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        total += strength * np.asarray(layer, np.float32)
        power += strength * strength
        strength, detail = strength * gain, detail * 2
    return total / np.float32(np.sqrt(max(power, 1e-9)))


def colour(code: str) -> Map:
    """`#rrggbb` → linear light, 3."""
    steps = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    return linear(steps / np.float32(255))


def gradient(stops: Sequence[tuple[float, str]]) -> Callable[[Map], Map]:
    """Heights n×1, 0 at the top → linear light n×1×3, blended on a cube root scale, where equal steps look equal."""
    ends = np.cbrt(np.stack([colour(code) for _, code in stops]))
    places = [place for place, _ in stops]

    def at(y: Map) -> Map:
        steps = np.stack([np.interp(y[:, 0], places, ends[:, i]) for i in range(3)], axis=1) ** 3
        return steps[:, None].astype(np.float32)

    return at


def blend(a: Map, b: Map, share: Map) -> Map:
    """`a` where `share` (h×w) is 0, `b` where it is 1."""
    return np.asarray(a + (b - a) * share[..., None], np.float32)


@kernel
def bilinear(tile: Map, x: float, y: float) -> float:
    """Of a tile that repeats, at a place in samples; for other kernels."""
    side = tile.shape[0]
    column, row = int(np.floor(x)), int(np.floor(y))
    across, down = x - column, y - row
    left, right, top, foot = column % side, (column + 1) % side, row % side, (row + 1) % side
    upper = tile[top, left] + (tile[top, right] - tile[top, left]) * across
    lower = tile[foot, left] + (tile[foot, right] - tile[foot, left]) * across
    return float(upper + (lower - upper) * down)
