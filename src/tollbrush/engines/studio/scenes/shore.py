"""A beach painted by rule: a fair sky, water in perspective, foam, wet and dry sand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tollbrush.engines.studio.pixels.noise import Fractal, Frame, Texture, blend, colour
from tollbrush.engines.studio.scenes import skies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.studio.pixels.noise import Painting

    Map = NDArray[np.float32]

_HORIZON: Final = 0.50
_SHORE: Final = 0.77  # where the water ends, of the picture's height
_LINES: Final = (  # of foam: how far behind the edge, how wide, how white
    (0.0, 0.006, 1.0), (0.042, 0.010, 0.85), (0.095, 0.007, 0.65), (0.15, 0.004, 0.4),
)  # fmt: skip


def beach(frame: Frame, random: np.random.Generator, _: str | None) -> Painting:
    """Turquoise water between a fair sky and wet sand, with lines of foam."""
    sky = skies.blue_sky(frame, random, _HORIZON)
    shore = _Shore(frame, random)

    def painting(rows: slice) -> Map:
        y = frame.y(rows)
        scene = np.array(np.broadcast_to(sky(rows), (len(y), frame.width, 3)))
        low = slice(int(np.searchsorted(y[:, 0], _HORIZON - 1 / frame.height)), len(y))
        if low.start < len(y):
            below = np.clip((y[low] - _HORIZON) * frame.height + 0.5, 0, 1)
            scene[low] = blend(
                scene[low], shore.at(frame.x(), y[low]), np.broadcast_to(below, (len(below), frame.width))
            )
        return scene

    return painting


class _Shore:
    """Sea and sand, on a plane as far below the eye as 1; places on it are told by `along` and `far`."""

    def __init__(self, frame: Frame, random: np.random.Generator) -> None:
        self._tall = np.float32(frame.tall)
        self._near = np.float32((_SHORE - _HORIZON) * frame.tall)  # 1 / how far away the water's edge is
        self._swell, self._chop = Fractal(random, fall=1.9, lowest=2), Fractal(random, fall=1.6, lowest=3)
        self._lace, self._dunes = Fractal(random, fall=1.5, lowest=4), Fractal(random, fall=1.9)
        self._tide, self._calm = Fractal(random, fall=1.9, lowest=2), Texture.spectral(random, fall=2.8)
        self._grit = Texture.spectral(random, fall=1.0, lowest=30)
        self._tilt = np.float32(random.uniform(-0.07, 0.07))

    def at(self, x: Map, y: Map) -> Map:
        far = np.asarray(1 / np.maximum((y - _HORIZON) * self._tall, 1e-4), np.float32)
        along = np.asarray(x * far, np.float32)
        edge = np.asarray(_SHORE + self._tilt * x + 0.020 * self._tide.at(0.35 * x, _row(0.5)), np.float32)
        film = np.asarray(np.clip((edge - y) / 0.06, 0, 1) ** 0.6, np.float32)  # the water thins out over the sand
        ground = blend(self._sand(along, far, edge, y), self._sea(along, far, y), film)
        return blend(ground, colour("#f7fafa"), self._foam(x, y, along, far, edge))

    def _sea(self, along: Map, far: Map, y: Map) -> Map:
        """Long crests, more to the row the farther away; what is finer than a row fades into sheen."""
        near = np.clip((y - _HORIZON) / (_SHORE - _HORIZON), 0, 1)
        faint = np.clip(60 / far, 0.12, 1)
        ripple = 0.6 * self._swell.at(along / 60, far / 14) + 0.6 * self._chop.at(along / 16, far / 5)
        whole = np.ones_like(ripple)
        sea = blend(colour("#14618f"), colour("#2f9fb0"), whole * np.clip(near * 1.3, 0, 1) ** 1.3)
        sea = blend(sea, colour("#8fdcd0"), whole * np.clip((near - 0.45) / 0.6, 0, 1) ** 1.6)
        sea = sea * (1 + 0.20 * faint * np.clip(ripple, -2, 2))[..., None]
        sea = sea + (0.16 * np.clip(ripple - 0.9, 0, 1.5) * faint)[..., None] * colour("#dcecf5")
        return blend(np.asarray(sea, np.float32), colour("#a9cbe2"), whole * 0.45 * np.exp(-near / 0.05))

    def _sand(self, along: Map, far: Map, edge: Map, y: Map) -> Map:
        grain = self._grit.at(6 * along * self._near, 6 * far * self._near)
        mound = self._dunes.at(0.25 * along, 0.5 * far)
        wet = np.exp(-np.maximum(y - edge, 0) / 0.045)
        dry = colour("#dcc49c") * (1 + 0.07 * grain + 0.06 * mound)[..., None]
        shine = (0.10 * np.square(wet))[..., None] * colour("#b9d8e8")
        return np.asarray(dry * (1 - 0.45 * wet)[..., None] + shine, np.float32)

    def _foam(self, x: Map, y: Map, along: Map, far: Map, edge: Map) -> Map:
        """0..1: at the edge, and in lines behind it that come and go."""
        holes = np.clip(0.62 + 0.45 * self._lace.at(2.7 * along * self._near, 6.4 * far * self._near), 0, 1)
        foam = np.zeros_like(holes)
        for i, (back, wide, white) in enumerate(_LINES):
            line = edge - back * (1 + 0.25 * self._tide.at(0.3 * x, _row(0.1 * i)))
            line = line + 0.006 * self._tide.at(2.0 * x, _row(0.2 * i))
            there = np.clip(0.9 + 1.1 * self._calm.at(0.9 * x, _row(0.63 + 0.21 * i)), 0, 1) if i else 1.0
            behind = np.exp(-np.maximum(line - y, 0) / (3.5 * wide)) * np.clip((line - y) / (0.18 * wide) + 0.5, 0, 1)
            foam = np.maximum(foam, white * there * behind * holes)
        return np.asarray(np.clip(foam, 0, 0.96), np.float32)


def _row(at: float) -> Map:
    """One place down a texture, for a line of it."""
    return np.full((1, 1), at, np.float32)
