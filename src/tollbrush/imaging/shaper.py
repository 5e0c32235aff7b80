"""Colour profiles made of three curves and a matrix (Display P3, Adobe RGB, most cameras and screens), to sRGB.

The same arithmetic as a colour engine's, four times faster: ICC.1:2022, 8.3 (three-component matrix-based profiles),
10.6 (curv) and 10.18 (para); sRGB's curve from IEC 61966-2-1.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_TO_LINEAR_SRGB: Final = np.linalg.inv(
    ((0.4360747, 0.3850649, 0.1430804), (0.2225045, 0.7168786, 0.0606169), (0.0139322, 0.0971045, 0.7141733))
)
"""From XYZ under D50."""
_ROWS: Final = 16
_TABLES: Final = (b"A2B0", b"A2B1", b"D2B0", b"D2B1")


@dataclass(frozen=True)
class Shaper:
    """`curves`: what each byte means in linear light, 0…65535: 1×256×3, or 1×256 where the channels share one;
    `matrix`: 3×3, from there to linear sRGB."""

    curves: NDArray[np.uint16]
    matrix: NDArray[np.float32]

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """H×W×3 sRGB, out-of-gamut colours clipped. A few rows at a time, so that they stay in the cache."""
        out = np.empty_like(pixels)
        for top in range(0, len(pixels), _ROWS):
            rows = slice(top, top + _ROWS)
            light = cv2.transform(cv2.LUT(pixels[rows], self.curves), self.matrix)  # rounds and clips
            cv2.LUT(light, _encoding(), dst=out[rows])
        return out


def read_shaper(profile: bytes) -> Shaper | None:
    """None where the profile is something else, or broken: a colour engine must see it."""
    try:
        tags = _tags(profile)
        if profile[16:24] != b"RGB XYZ " or any(table in tags for table in _TABLES):
            return None
        primaries = np.column_stack([_point(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")])
        curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")], axis=-1)
    except (KeyError, struct.error, ValueError):
        return None
    if not np.isfinite(curves).all() or curves[0].any():
        return None  # a black that is not black: black point compensation is the engine's business
    table = np.rint(curves[None] * 65535).astype(np.uint16)
    shared = (table == table[..., :1]).all()
    matrix = (_TO_LINEAR_SRGB @ primaries).astype(np.float32)
    return Shaper(np.ascontiguousarray(table[..., 0]) if shared else table, matrix)


def _tags(profile: bytes) -> Mapping[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    if count > 100:
        raise ValueError(f"{count} tags")
    rows = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count)]
    return {name: profile[at : at + length] for name, at, length in rows}


def _point(tag: bytes) -> tuple[float, ...]:
    if tag[:4] != b"XYZ ":
        raise ValueError("no XYZ")
    return tuple(part / 65536 for part in struct.unpack_from(">3i", tag, 8))


def _curve(tag: bytes) -> NDArray[np.float64]:
    """Linear light, 0…1, of the 256 bytes."""
    x = np.arange(256) / 255
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return x
        if count == 1:
            (gamma,) = struct.unpack_from(">H", tag, 12)
            return np.asarray(x ** (gamma / 256))
        table = np.frombuffer(tag, ">u2", count, 12) / 65535
        return np.interp(x, np.linspace(0, 1, count), table)
    if tag[:4] != b"para":
        raise ValueError("no curve")
    (kind,) = struct.unpack_from(">H", tag, 8)
    if kind > 4:
        raise ValueError(f"parametric curve of kind {kind}")
    values = [part / 65536 for part in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)]
    return _parametric(kind, x, *values)


def _parametric(kind: int, x: NDArray[np.float64], g: float, *rest: float) -> NDArray[np.float64]:
    """ICC.1:2022, table 68; a power below the break, a line beneath."""
    a, b, c, d, e, f = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    if kind in (1, 2):
        a, b = rest[:2]
        e = f = rest[2] if kind == 2 else 0.0
        d = -b / a if a else np.inf
    elif kind in (3, 4):
        a, b, c, d = rest[:4]
        e, f = rest[4:] if kind == 4 else (0.0, 0.0)
    power = np.maximum(a * x + b, 0) ** g + e
    return np.clip(np.where(x >= d, power, c * x + f), 0, 1)


@cache
def _encoding() -> NDArray[np.uint8]:
    """1×65536: the sRGB byte of every linear value."""
    light = np.arange(65536) / 65535
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    table: NDArray[np.uint8] = np.rint(curve * 255).astype(np.uint8)
    return table[None]
