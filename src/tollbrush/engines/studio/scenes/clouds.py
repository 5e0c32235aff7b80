"""Heaped cloud: a layer with flat bases and round heads, marched through by each line of sight and lit by its sun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.kernels import kernel
from tollbrush.engines.studio.pixels.noise import Fractal, Frame, Texture, bilinear
from tollbrush.engines.studio.pixels.strips import enlarged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

FOCAL: Final = 0.85  # of the lens, in units of the picture's longer side: about 60° of view
_SPAN: Final = 20.0  # a tile of cover, in heights of the cloud base
_GRAIN: Final = 1.1  # a tile of billows
_REACH: Final = 26.0  # beyond which haze has swallowed every cloud


@dataclass(frozen=True)
class Weather:
    """A layer of cloud: how much of the sky is covered (0 little … 1 all), how tall its heads are in heights of its
    base, how dense it is, and how torn its edges are."""

    cover: float
    tall: float = 0.5
    dense: float = 14.0
    torn: float = 0.75


class Clouds:
    """`weather` over a frame whose horizon lies at `horizon` of its height, lit from the direction `sun` (right, up,
    away from the viewer). Worked out at `side` pixels; what is finer is added where a cloud's edge is."""

    def __init__(
        self,
        frame: Frame,
        random: np.random.Generator,
        weather: Weather,
        *,
        horizon: float,
        sun: tuple[float, float, float],
    ) -> None:
        self._frame, self._horizon = frame, horizon
        side = min(frame.side, 512 if frame.side <= 1280 else 1024)
        small = Frame(max(1, round(frame.height / frame.side * side)), max(1, round(frame.width / frame.side * side)))
        lines = max(1, min(small.height, int(np.ceil(horizon * small.height)) + 1))
        rise = (horizon - small.y(slice(0, lines))[:, 0]) * small.tall / FOCAL
        ground = (
            Texture.spectral(random, side=512, fall=1.75, lowest=13).tile
            + 0.4 * Texture.spectral(random, side=512, fall=1.9).tile
        )
        ground /= ground.std()
        # A painter's sky holds the weather it was asked for, wherever in the world it is painted.
        heaps = np.clip((ground - np.quantile(ground, 1 - weather.cover)) / 1.3, 0, 1).astype(np.float32)
        found = np.zeros((4, lines, small.width), np.float32)
        start, (speckle,) = random.uniform(0, len(ground), 2), random.spawn(1)  # its draws depend on the resolution
        towards = np.asarray(sun, np.float64) / np.linalg.norm(sun)
        _march(
            heaps**0.6 * weather.tall, _billows(random), rise.astype(np.float64), small.x()[0] / FOCAL, start,
            towards, weather.tall, weather.dense, weather.torn,
            speckle.random((lines, small.width), np.float32), found,
        )  # fmt: skip
        soft = [np.asarray(cv2.GaussianBlur(layer, (0, 0), 0.8), np.float32) for layer in found]
        rest = ((0, small.height - lines), (0, 0))
        self._layers = [np.pad(layer, rest, mode="edge") for layer in soft]
        self._fine = Fractal(random, fall=1.6, lowest=6)

    def at(self, rows: slice) -> tuple[Map, Map, Map, Map]:
        """Of these rows: cover 0..1, light of the sun and of the sky that the clouds send on, and how near they are,
        1 here and 0 at the horizon."""
        frame = self._frame
        cover, lit, sky, near = (enlarged(layer, rows, frame.height, frame.width) for layer in self._layers)
        y = frame.y(rows)
        grain = self._fine.at(frame.x() * 1.6, y * frame.tall * 2.2)
        torn = cover * (1 - cover) * (0.35 + near)
        cover = np.clip(cover + 0.5 * torn * grain, 0, 1)
        above = np.clip((self._horizon - y) * frame.height + 0.5, 0, 1)
        return cover * above, lit * (1 + 0.035 * near * grain), sky, near


def _billows(random: np.random.Generator) -> Map:
    """A cube of noise like heads of cauliflower, 0..1: round outside, creased between (Schneider 2015 uses inverted
    Worley noise; folded spectral noise looks alike and costs one transform)."""
    side = 64
    lines = np.fft.fftfreq(side, 1 / side)
    frequency = np.sqrt(
        lines[:, None, None] ** 2 + lines[None, :, None] ** 2 + np.fft.rfftfreq(side, 1 / side)[None, None] ** 2
    )
    total = np.zeros((side,) * 3, np.float32)
    for wave, strength in ((3.0, 1.0), (7.0, 0.55), (15.0, 0.3)):
        band = np.exp(-np.square(np.log(np.maximum(frequency, 1e-3) / wave) / 0.35)).astype(np.float32)
        noise = random.standard_normal((2, side, side, side // 2 + 1), np.float32)
        octave = np.asarray(
            np.fft.irfftn((noise[0] + np.complex64(1j) * noise[1]) * band, s=(side,) * 3, axes=(0, 1, 2)), np.float32
        )
        total += np.float32(strength) * np.abs(octave / octave.std())
    low, high = np.percentile(total, [1, 99])
    return np.ascontiguousarray(np.clip((total - low) / (high - low), 0, 1), np.float32)


@kernel
def _deep(cube: Map, x: float, y: float, z: float) -> float:
    side = cube.shape[0]
    i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
    a, b, c = x - i, y - j, z - k
    i0, i1, j0, j1, k0, k1 = i % side, (i + 1) % side, j % side, (j + 1) % side, k % side, (k + 1) % side
    p = cube[i0, j0, k0] + (cube[i0, j0, k1] - cube[i0, j0, k0]) * c
    q = cube[i0, j1, k0] + (cube[i0, j1, k1] - cube[i0, j1, k0]) * c
    r = cube[i1, j0, k0] + (cube[i1, j0, k1] - cube[i1, j0, k0]) * c
    s = cube[i1, j1, k0] + (cube[i1, j1, k1] - cube[i1, j1, k0]) * c
    front, back = p + (q - p) * b, r + (s - r) * b
    return float(front + (back - front) * a)


@kernel
def _density(
    heaps: Map, billows: Map, x: float, height: float, z: float, start: NDArray[np.float64], torn: float
) -> float:
    """0 outside, 1 well inside, at `height` above the base."""
    side = heaps.shape[0] / _SPAN
    top = bilinear(heaps, x * side + start[0], z * side + start[1])
    if top <= 0.0 or height < 0.0 or height > top:
        return 0.0
    grain = billows.shape[0] / _GRAIN
    noise = _deep(billows, x * grain, height * grain, z * grain)
    # Flat below, round above: the room to the upper side and to the base, gnawed at by the billows.
    room = min((top - height) * 4.5, height * 9.0 + 0.15)
    return min(max(room - torn * noise, 0.0), 1.0)


@kernel
def _march(
    heaps: Map, billows: Map, rises: NDArray[np.float64], slants: Map, start: NDArray[np.float64],
    sun: NDArray[np.float64], tall: float, dense: float, torn: float,
    jitter: Map, found: Map,
) -> None:  # fmt: skip
    """Fills `found`: cover, sunlight, skylight, nearness of rows × columns of lines of sight with slopes `rises` and
    `slants`. Beer's law along each line and from each point towards the sun, with a forward lobe at thin edges."""
    for row in range(rises.shape[0]):
        rise = max(rises[row], 0.012)
        near, far = 1.0 / rise, min((1.0 + tall) / rise, _REACH * 1.6)
        if near > _REACH * 1.6:
            continue
        step = 0.028 + 0.017 * near  # as fine as the eye sees it there
        for column in range(slants.shape[0]):
            slant = slants[column]
            stretch = np.sqrt(1.0 + slant * slant + rise * rise)
            through, lit, sky, depth = 1.0, 0.0, 0.0, 0.0
            z = near + step * jitter[row, column]
            while z < far and through > 0.02:
                x, height = slant * z, rise * z - 1.0
                here = _density(heaps, billows, x, height, z, start, torn)
                if here > 0.0:
                    shade, reach = 0.0, 0.06
                    for _ in range(3):
                        shade += reach * _density(
                            heaps,
                            billows,
                            x + sun[0] * reach,
                            height + sun[1] * reach,
                            z + sun[2] * reach,
                            start,
                            torn,
                        )
                        reach *= 2.2
                    passed = np.exp(-here * dense * step * stretch)
                    share = through * (1.0 - passed)
                    # Light scattered many times dies away more slowly than light that went straight.
                    lit += share * (0.7 * np.exp(-dense * shade * 0.9) + 0.3 * np.exp(-dense * shade * 0.2))
                    sky += share * (0.35 + 0.65 * min(height / tall, 1.0))
                    depth += share * np.exp(-z / 9.0)
                    through *= passed
                z += step
            cover = 1.0 - through
            if cover > 1e-4:
                found[0, row, column] = min(cover / 0.98, 1.0) * min(1.0, (_REACH * 1.6 - near) / _REACH)
                found[1, row, column] = lit / cover
                found[2, row, column] = sky / cover
                found[3, row, column] = depth / cover
