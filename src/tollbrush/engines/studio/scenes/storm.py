"""A stormy sky painted by rule: the underside of a deck of cloud in layers, dark where it is thick, lit from a pale gap
above the horizon, with torn low cloud before that.

A deck seen from below is a plane in perspective, so its thickness is drawn on that plane; noise that bends noise makes
its drifts, and the slope of what hangs down takes the light. Worked out at _SIDE; what is finer is added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.noise import Fractal, Frame, blend, colour, gradient
from tollbrush.engines.studio.pixels.strips import enlarged
from tollbrush.engines.studio.scenes.clouds import FOCAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.studio.pixels.noise import Painting

    Map = NDArray[np.float32]

_SIDE: Final = 1024
_AIR: Final = ((0, "#3c454e"), (0.45, "#59636c"), (0.80, "#9aa3a6"), (0.95, "#cdcfc8"), (1, "#dcd9cc"))
_DECK: Final = ("#1b2127", "#a3adb4")  # where it is thick, where it is thin
_TORN: Final = ("#12171c", "#39434c")
_SCALES: Final = ((2, 0.5), (6, 0.8), (16, 1.0))  # of what hangs down, in pixels at _SIDE, and how much each tells
_DETAIL: Final = 0.05  # of what only a larger picture shows


def stormy(frame: Frame, random: np.random.Generator, horizon: float) -> Painting:
    """Heavy cloud in drifts, dark below, with a pale gap towards the horizon."""
    share = min(1.0, _SIDE / frame.side)
    small = Frame(max(1, round(frame.height * share)), max(1, round(frame.width * share)))
    scene = _underside(small, random, horizon)
    fine = Fractal(random, fall=1.6, lowest=8)

    def painting(rows: slice) -> Map:
        painted = enlarged(scene, rows, frame.height, frame.width)
        if share == 1:
            return painted
        along, far = _on_deck(frame.x(), _rise(frame, rows, horizon), soft=0.22, scale=0.6)
        return np.asarray(painted * (1 + _DETAIL * fine.at(along, far))[..., None], np.float32)

    return painting


def _underside(frame: Frame, random: np.random.Generator, horizon: float) -> Map:
    """All of the sky, height×width×3 in linear light."""
    whole = slice(0, frame.height)
    x, y, rise = frame.x(), frame.y(whole), _rise(frame, whole, horizon)
    lean = random.choice([-1, 1])  # to which side the gap is brighter
    deep = _Drifts(random, bend=0.16).at(*_on_deck(x, rise, soft=0.30, scale=0.13))
    thick = 0.8 * deep + 0.55 * _Drifts(random, bend=0.12).at(*_on_deck(x, rise, soft=0.22, scale=0.21))
    thick = (thick - thick.mean()) / max(float(thick.std()), 1e-6)
    hanging = _hanging(thick, frame.side / _SIDE, lean)
    near = np.clip(rise / 0.30, 0, 1) ** 0.7
    lit = 1 / (1 + np.exp(thick * (0.45 + 0.55 * near) - 1.9 * hanging * (0.4 + 0.6 * near) + 0.35))
    body = _between(_DECK, np.asarray(lit**1.25 * (1 - 0.25 * near), np.float32))
    # Towards the horizon the deck is thin, and the light below it shows.
    aside = 0.75 + 0.35 * np.exp(-np.square((x - lean * random.uniform(0.1, 0.35)) / 0.35))
    gap = gradient([(place * horizon, code) for place, code in _AIR] + [(1.001, _AIR[-1][1])])(y) * aside[..., None]
    thin = 0.95 * np.exp(-rise / 0.16) * np.clip(0.95 - 0.4 * thick, 0.2, 1)
    sky = blend(np.asarray(gap, np.float32), body, np.clip(1 - thin, 0, 1).astype(np.float32))
    torn, there = _torn(x, y * frame.tall, rise, random)
    return np.ascontiguousarray(blend(sky, 0.3 * sky + 0.7 * torn, there), np.float32)


def _torn(x: Map, down: Map, rise: Map, random: np.random.Generator) -> tuple[Map, Map]:
    """Low cloud that drifts before the gap: its linear light, and where it is, 0..1."""
    drifts = _Drifts(random, bend=0.10, fall=1.6).at(0.66 * x, 1.92 * down)
    band = np.exp(-np.square((rise - random.uniform(0.11, 0.17)) / 0.05))
    there = np.clip((0.5 * drifts + 1.9 * band - 1.1) / 0.9, 0, 1) * np.sqrt(band) * np.clip(rise / 0.05, 0, 1)
    light = _between(_TORN, np.clip(0.30 + 0.28 * drifts, 0, 1))
    return light, np.asarray(0.9 * there * there * (3 - 2 * there), np.float32)


def _hanging(thick: Map, scale: float, lean: float) -> Map:
    """−1..1: how far each place faces the light, which comes from below the deck and a little from one side."""
    total = np.zeros_like(thick)
    for reach, weight in _SCALES:
        soft = cv2.GaussianBlur(thick, (0, 0), max(reach * scale, 0.3))
        down, across = (cv2.Sobel(soft, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=0.125) for dx in (0, 1))
        total -= np.float32(weight * reach * scale * 1.2) * (down + 0.5 * lean * across)
    return np.tanh(total)


class _Drifts:
    """Cloud drawn out and curled: noise whose places other noise has bent, with round lumps."""

    def __init__(self, random: np.random.Generator, *, bend: float, fall: float = 1.75) -> None:
        self._body, self._lumps = Fractal(random, fall=fall, lowest=2), Fractal(random, fall=1.9, lowest=5)
        self._wind, self._bend = Fractal(random, fall=2.1), np.float32(bend)

    def at(self, u: Map, v: Map) -> Map:
        across, along = self._wind.at(0.8 * u, 0.8 * v), self._wind.at(0.8 * v + 0.37, 0.8 * u + 0.61)
        u, v = u + self._bend * across, v + self._bend * along
        return np.asarray(self._body.at(u, v) + 0.45 * (1 - np.abs(self._lumps.at(u, v))), np.float32)


def _between(ends: tuple[str, str], share: Map) -> Map:
    return blend(colour(ends[0]), colour(ends[1]), share)


def _rise(frame: Frame, rows: slice, horizon: float) -> Map:
    """Of the lines of sight above the horizon, n×1: their slope."""
    return np.asarray(np.maximum((horizon - frame.y(rows)) * frame.tall, 0) / FOCAL, np.float32)


def _on_deck(x: Map, rise: Map, *, soft: float, scale: float) -> tuple[Map, Map]:
    """Places on a deck overhead; `soft` keeps it from shrinking to nothing at the horizon."""
    far = np.asarray(scale / (rise + soft), np.float32)
    return np.asarray(x * far, np.float32), far
