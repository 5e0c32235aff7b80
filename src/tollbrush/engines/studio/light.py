"""Colour arithmetic and the light that a backdrop throws on what stands before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]


@dataclass(frozen=True)
class Light:
    """How a subject takes on its backdrop's light. `strength` 0..1; `night` makes it dimmer and paler, as eyes and
    film see by night; `wrap` 0..1 is how much of the backdrop's glow creeps over the subject's rim."""

    strength: float = 0.6
    night: bool = False
    wrap: float = 0.35


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


@dataclass(frozen=True)
class Relight:
    """A tone curve and a tint that bring a subject's Lab colours into its backdrop's light. The curve is a power, so
    that black and white stay where they are."""

    power: float
    saturation: float
    tint: float

    @classmethod
    def towards(cls, subject_lightness: float, backdrop_lightness: float, light: Light) -> Relight:
        goal = float(np.clip(backdrop_lightness + 14, 22, 72))
        now = float(np.clip(subject_lightness / 100, 0.05, 0.95))
        then = float(np.clip(now + (goal / 100 - now) * 0.62 * light.strength, 0.08, 0.92))
        power = float(np.clip(np.log(then) / np.log(now), 0.6, 2.0))
        return cls(power, 0.82 if light.night else 1.0, 0.30 * light.strength)

    def apply(self, colours: Map, ambient: Map) -> Map:
        """`colours` and the `ambient` light around them, both sRGB 0..1 and of one shape."""
        lab, around = to_lab(colours), to_lab(ambient)
        lab[..., 0] = 100 * np.clip(lab[..., 0] / 100, 1e-3, 1) ** self.power
        lab[..., 1:] = lab[..., 1:] * self.saturation + around[..., 1:] * self.tint
        return from_lab(lab)
