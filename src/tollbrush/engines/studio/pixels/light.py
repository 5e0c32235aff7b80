"""Colour arithmetic and the light that a backdrop throws on what stands before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Map = NDArray[np.float32]


_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
_GAMMA: Final = 2.2
_ABOVE: Final = 28  # how much lighter than its backdrop a subject's lit parts should be, in L
_GOALS: Final = (34, 80)
_DIMMEST: Final = 0.6
_LIFT: Final = 0.5  # of the way up: shadows may stay darker than a bright backdrop makes one expect
_SOFTEST: Final = 0.75
_DAY: Final = 80  # mean L of a backdrop in full daylight


@dataclass(frozen=True)
class Light:
    """How a subject takes on its backdrop's light. `strength` 0..1; `night` makes it paler, as eyes and film see by
    night; `wrap` 0..1 is how much of the backdrop's glow creeps over the subject's rim. Where the backdrop has a
    ground, from the row `ground` (0..1 of its height) down, what stands there throws a soft shadow: `shadow` 0..1."""

    strength: float = 0.6
    night: bool = False
    wrap: float = 0.35
    shadow: float = 0.0
    ground: float = 0.0


def linear(encoded: Map) -> Map:
    """sRGB 0..1 → linear light (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


@cache
def _encoding() -> Map:
    light = np.linspace(0, 1, 1 << 16, dtype=np.float32)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return curve.astype(np.float32)


def encoded(light: Map) -> Map:
    """Linear light, clipped to 0..1 → sRGB 0..1."""
    steps = np.clip(light, 0, 1) * np.float32(65535)
    return _encoding()[steps.astype(np.uint16)]


def to_lab(colours: Map) -> Map:
    """sRGB 0..1 → CIELAB, L 0..100."""
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2LAB), np.float32)


def from_lab(lab: Map) -> Map:
    """CIELAB → sRGB, clipped to 0..1."""
    return np.clip(np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.float32), 0, 1)


def to_bytes(lab: Map) -> Pixels:
    """CIELAB → sRGB bytes."""
    return np.asarray(cv2.convertScaleAbs(from_lab(lab), alpha=255), np.uint8)


@dataclass(frozen=True)
class Relight:
    """What brings a subject's sRGB colours into its backdrop's light. Before a dark backdrop its exposure falls by
    `gain`, whites too; before a bright one its tones rise by a `power`, so that black and white stay where they are.
    `tint` is how far the ambient light's colour becomes the subject's. A gain in light is one of sRGB values to the
    power 1/γ, so nothing is decoded."""

    gain: float
    power: float
    saturation: float
    tint: float

    @classmethod
    def towards(cls, key: float, backdrop: float, light: Light) -> Relight:
        """`key`: lightness of the subject's lit parts, `backdrop`: mean lightness, both CIELAB L."""
        key = float(np.clip(key, 10, 95))
        goal = key + (float(np.clip(backdrop + _ABOVE, *_GOALS)) - key) * light.strength
        gain = float(np.clip(goal / key, _DIMMEST, 1)) if goal < key else 1.0
        lift = min(key + (goal - key) * _LIFT, 95)
        power = float(np.clip(np.log(lift / 100) / np.log(key / 100), _SOFTEST, 1)) if goal > key else 1.0
        # By day the sun's white light outweighs the sky's.
        coloured = float(np.clip((_DAY - backdrop) / 40, 0.2, 1))
        return cls(gain, power, 0.75 if light.night else 1.0, 0.65 * light.strength * coloured)

    def gains(self, ambient: Map) -> Map:
        """What each channel of a subject is multiplied by where this linear light surrounds it; of the same shape."""
        bright = (ambient @ _LUMINANCE)[..., None]
        colour = np.clip((ambient + 0.004) / (bright + 0.004), 0.4, 2.2) ** self.tint
        even = colour / (colour @ _LUMINANCE)[..., None]
        return np.asarray(self.gain * even ** (1 / _GAMMA), np.float32)

    def apply(self, colours: Map, gains: Map) -> Map:
        """`colours`: sRGB 0..1, `gains` as above, enlarged. Not clipped."""
        lit = colours**self.power if self.power != 1 else colours
        if self.saturation != 1:
            grey = (lit @ _LUMINANCE)[..., None]
            lit = grey + (lit - grey) * np.float32(self.saturation)
        return np.asarray(lit * gains, np.float32)
