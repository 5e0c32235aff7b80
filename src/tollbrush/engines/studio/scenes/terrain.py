"""Land seen from a standing point: a height field marched over column by column, with how far away each pixel is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tollbrush.engines.studio.pixels.kernels import kernel
from tollbrush.engines.studio.pixels.noise import Frame, Texture, bilinear
from tollbrush.engines.studio.scenes.clouds import FOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tollbrush.engines.studio.pixels.noise import Painting

    Map = NDArray[np.float32]

_FOLD: Final = 9.7  # folds to a relief's tile


@dataclass(frozen=True)
class Ground:
    """Heights by place, in kilometres: `relief` is a tile of `span` km, `rough` a finer one of `grain` km; `swell`,
    `lift`, `bumps` and `folds` tell by distance how high the relief is, what the land rises to, and how high the
    roughness and the relief's smaller copy are: (distance, value) pairs. Roughness stops above `limit`, as woods do."""

    relief: Texture
    span: float
    rough: Texture
    grain: float
    swell: tuple[tuple[float, float], ...]
    lift: tuple[tuple[float, float], ...]
    bumps: tuple[tuple[float, float], ...]
    folds: tuple[tuple[float, float], ...] = ((0, 0.0),)
    limit: float = 1e9

    def height(self, x: Map, z: Map) -> tuple[Map, Map]:
        """The ground and what stands on it, at places right of and away from the viewer."""
        level = _by(self.swell, z) * self.relief.at(x / self.span, z / self.span) + _by(self.lift, z)
        if any(value for _, value in self.folds):
            span = self.span / _FOLD
            level = level + _by(self.folds, z) * self.relief.at(x / span, z / span)
        wooded = np.clip((self.limit - level) / (0.05 * abs(self.limit) + 1e-6), 0, 1)
        return level, _by(self.bumps, z) * wooded * self.rough.at(x / self.grain, z / self.grain)


class View:
    """`ground` over a frame, seen from `eye` km above what is near, the horizon at `horizon` of the frame's height;
    each sample of a line of sight is `step` times as far as the one before."""

    def __init__(
        self, frame: Frame, ground: Ground, *, eye: float, horizon: float, far: float, step: float = 1.006
    ) -> None:
        self._frame, self._ground = frame, ground
        near = 0.4 * eye
        about = np.linspace(0, 4 * eye, 24, dtype=np.float32)
        eye += float(np.max(ground.height(about[None] - 2 * about.mean(), about[:, None])[0]))
        away = np.asarray(near * step ** np.arange(int(np.log(far / near) / np.log(step)) + 1), np.float64)
        tables = np.stack([_by(pairs, away) for pairs in (ground.swell, ground.lift, ground.bumps, ground.folds)])
        self._distance = np.full((frame.height, frame.width), np.inf, np.float32)
        self._solid = np.full((frame.height, frame.width), 255, np.uint8)
        _look(
            ground.relief.tile, len(ground.relief.tile) / ground.span, ground.rough.tile,
            len(ground.rough.tile) / ground.grain, away, tables, ground.limit, frame.x()[0].astype(np.float64) / FOCAL,
            eye, horizon * frame.height, FOCAL * frame.side, self._distance, self._solid,
        )  # fmt: skip

    def before(self, sky: Painting, land: Callable[[Map, Map], Map]) -> Painting:
        """The land before `sky`; `land` paints places right of and away from the viewer (km). A crest's edge is
        smoothed into what is behind it, one row up."""

        def painting(rows: slice) -> Map:
            more = slice(max(rows.start - 1, 0), rows.stop)
            whole, z = sky(more), self._distance[more]
            there = np.isfinite(z)
            if there.any():
                first = int(there.any(axis=1).argmax())
                z = np.where(there, z, np.float32(1))[first:]
                painted = land(np.asarray(self._frame.x() / FOCAL * z, np.float32), z)
                whole = np.array(np.broadcast_to(whole, (*there.shape, 3)), np.float32)
                whole[first:] = np.where(there[first:, :, None], painted, whole[first:])
                behind = np.concatenate([whole[:1], whole[:-1]])
                solid = self._solid[more, :, None].astype(np.float32) / np.float32(255)
                whole = np.asarray(behind + (whole - behind) * solid, np.float32)
            return np.asarray(whole[rows.start - more.start :], np.float32)

        return painting

    def slopes(self, x: Map, z: Map, *, least: float = 0.0) -> tuple[Map, Map, Map, Map]:
        """Height of the ground, of what stands on it, and how both together rise to the right and away, measured over
        a pixel's width there, or `least` km."""
        reach = np.maximum(z * np.float32(1.3 / FOCAL / self._frame.side), np.float32(least))
        level, bumps = self._ground.height(x, z)
        aside, beyond = self._ground.height(x + reach, z), self._ground.height(x, z + reach)
        here = level + bumps
        return level, bumps, (aside[0] + aside[1] - here) / reach, (beyond[0] + beyond[1] - here) / reach


def _by(pairs: tuple[tuple[float, float], ...], z: NDArray[np.floating]) -> Map:
    return np.asarray(np.interp(z, [at for at, _ in pairs], [value for _, value in pairs]), np.float32)


def ridged(random: np.random.Generator, *, side: int = 768, lowest: int = 2) -> Texture:
    """A tile of mountains: creases where noise crosses nought, rougher towards the crests (Musgrave 1993)."""
    base = Texture.spectral(random, side=side, fall=2.4)
    lines = (np.arange(side, dtype=np.float32) + 0.5) / side
    total, weight = np.zeros((side, side), np.float32), np.ones((side, side), np.float32)
    strength, wave = 1.0, lowest
    warp = 0.010 * base.tile
    for octave in range(6):
        shift = np.float32(octave * 0.37)
        noise = base.at(lines[None] * wave + shift + warp, lines[:, None] * wave + shift)
        crest = 1 - np.abs(np.tanh(noise))
        total += np.float32(strength) * crest * weight
        weight = np.clip(1.3 * crest, 0.15, 1).astype(np.float32)
        strength, wave = strength * 0.40, wave * 2
    total += 0.5 * np.tanh(base.tile)
    return Texture(np.ascontiguousarray((total - total.min()) / np.ptp(total)))


def firs(random: np.random.Generator, *, side: int = 512, between: float = 5, broad: float = 1.1) -> Texture:
    """A tile of conifers, 0..1 high: cones `between` samples apart, `broad` times as wide."""
    count = int((side / between) ** 2)
    places, tall = random.uniform(0, side, (count, 2)), random.uniform(0.45, 1, count) ** 1.3
    tile = np.zeros((side, side), np.float32)
    _plant(tile, places, tall, between * broad)
    return Texture(tile)


@kernel
def _plant(tile: Map, places: NDArray[np.float64], tall: NDArray[np.float64], radius: float) -> None:
    side, reach = tile.shape[0], int(radius) + 1
    for i in range(len(tall)):
        y, x = places[i]
        for row in range(int(y) - reach, int(y) + reach + 1):
            for column in range(int(x) - reach, int(x) + reach + 1):
                away = np.sqrt((row - y) ** 2 + (column - x) ** 2) / radius
                value = tall[i] * (1.0 - away)
                if value > tile[row % side, column % side]:
                    tile[row % side, column % side] = value


@kernel
def _look(
    relief: Map, per_relief: float, rough: Map, per_rough: float, away: NDArray[np.float64],
    tables: Map, limit: float, slants: NDArray[np.float64], eye: float, horizon: float, focal: float, distance: Map,
    solid: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Fills `distance` from near to far: each sample that stands above all before it is seen (as voxel landscapes
    are drawn), and `solid` with how much of a crest's pixel the crest covers."""
    height = distance.shape[0]
    swell, lift, bumps, folds = tables[0], tables[1], tables[2], tables[3]
    for column in range(slants.size):
        filled, top, before, was = height, float(height), float(height), away[0]
        for k in range(away.size):
            z = away[k]
            x = slants[column] * z
            level = swell[k] * bilinear(relief, x * per_relief, z * per_relief) + lift[k]
            if folds[k] > 0.0:
                level += folds[k] * bilinear(relief, x * per_relief * _FOLD, z * per_relief * _FOLD)
            if bumps[k] > 0.0 and level < limit:
                wooded = min((limit - level) / (0.05 * abs(limit) + 1e-6), 1.0)
                level += bumps[k] * wooded * bilinear(rough, x * per_rough, z * per_rough)
            row = horizon - (level - eye) / z * focal
            if row < top:
                first = max(0, int(np.floor(row)))
                if first < filled:
                    if before > top + 0.01 and filled < height:
                        solid[filled, column] = int(255 * min(max(filled + 1 - top, 0.0), 1.0))
                    for y in range(first, filled):
                        share = (before - y - 0.5) / max(before - row, 1e-6)
                        distance[y, column] = was + (z - was) * min(max(share, 0.0), 1.0)
                    filled = first
                top = row
            before, was = row, z
            if filled == 0:
                break
        if 0 < filled < height:
            solid[filled, column] = int(255 * min(max(filled + 1 - top, 0.0), 1.0))
