"""Tonal edits: black and white, sepia, warmth, brightness, contrast, saturation. Colour only; nothing moves.

Looks and warmth are tables of 256 values per channel. Lightness and colour strength are changed in CIELAB, where one
does not shift the other, strip by strip so that a 4096² picture needs no gigabyte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import encoded, linear, to_bytes, to_lab
from tollbrush.engines.studio.pixels.strips import strips
from tollbrush.engines.studio.retouch.grades import GRADES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.plans.kinds import ToneKind

    Map = NDArray[np.float32]

_LEVELS: Final = np.linspace(0, 1, 256, dtype=np.float32)
_FILM: Final = np.array([0.36, 0.50, 0.14], np.float32)  # how strongly panchromatic film sees red, green and blue
_SEPIA: Final = ((0.0, (0.07, 0.045, 0.03)), (0.5, (0.60, 0.47, 0.34)), (1.0, (1.0, 0.955, 0.86)))


def tone(pixels: Pixels, kind: ToneKind, amount: float = 1.0) -> Pixels:
    """H×W×3|4 `pixels` with the tone changed; transparency stays. `amount` 1 is a clear but natural change, 0.5 a bit,
    2 the most."""
    changed = _TONES[kind](np.ascontiguousarray(pixels[..., :3]), amount)
    if pixels.shape[2] == 3:
        return changed
    return np.dstack([changed, pixels[..., 3]])


def in_mood(pixels: Pixels, moods: Sequence[ToneKind]) -> Pixels:
    """A painted scene in the tones that its adjectives ask for."""
    for mood in moods:
        pixels = tone(pixels, mood, 1.2)
    return pixels


def _black_and_white(pixels: Pixels, amount: float) -> Pixels:
    return _blended(pixels, _grey(pixels), amount)


def _sepia(pixels: Pixels, amount: float) -> Pixels:
    levels, tints = [level for level, _ in _SEPIA], np.array([tint for _, tint in _SEPIA])
    table = np.stack([np.interp(_LEVELS, levels, tints[:, channel]) for channel in range(3)], axis=-1).astype(
        np.float32
    )
    return _blended(pixels, _through(_grey(pixels), table), amount)


def _grey(pixels: Pixels) -> Pixels:
    """H×W×3, with the gentle S-curve of a print."""
    mixed = np.asarray(cv2.transform(pixels, np.repeat(_FILM[None], 3, axis=0)), np.uint8)
    curve = _LEVELS - 0.05 * np.sin(2 * np.pi * _LEVELS)
    return _through(mixed, np.asarray(curve, np.float32))


def _warmer(pixels: Pixels, amount: float) -> Pixels:
    return _tempered(pixels, amount)


def _cooler(pixels: Pixels, amount: float) -> Pixels:
    return _tempered(pixels, -amount)


def _tempered(pixels: Pixels, amount: float) -> Pixels:
    """Another white balance in linear light, at constant luminance (Rec. 709). It fades towards white, so that paper
    and highlights do not turn yellow or clip."""
    gain = np.array([1 + 0.22 * amount, 1 + 0.015 * amount, 1 - 0.26 * amount], np.float32)
    gain /= float(gain @ np.array([0.2126, 0.7152, 0.0722], np.float32))
    light = linear(_LEVELS)[:, None]
    return _through(pixels, encoded(light * (1 + (gain - 1) * (1 - light**2))))


def _brighter(pixels: Pixels, amount: float) -> Pixels:
    return _in_lab(pixels, lambda t: 1 - (1 - t) ** (1 + 0.5 * amount), 1 + 0.06 * amount)


def _darker(pixels: Pixels, amount: float) -> Pixels:
    return _in_lab(pixels, lambda t: t ** (1 + 0.45 * amount), 1 + 0.02 * amount)


def _more_contrast(pixels: Pixels, amount: float) -> Pixels:
    """Bent away from the picture's own middle, so that as a whole it grows neither brighter nor darker. Black and
    white stay where they are."""
    middle, power = _middle(pixels), 1 + 0.5 * amount

    def curve(t: Map) -> Map:
        below = middle * (t / middle) ** power
        above = 1 - (1 - middle) * ((1 - t) / (1 - middle)) ** power
        return np.where(t < middle, below, above)

    return _in_lab(pixels, curve, 1 + 0.1 * amount)


def _less_contrast(pixels: Pixels, amount: float) -> Pixels:
    middle = _middle(pixels)
    return _in_lab(pixels, lambda t: middle + (t - middle) * (1 - 0.3 * amount), 1 - 0.05 * amount)


def _more_saturation(pixels: Pixels, amount: float) -> Pixels:
    return _in_lab(pixels, lambda t: t, 1 + 0.5 * amount)


def _less_saturation(pixels: Pixels, amount: float) -> Pixels:
    return _in_lab(pixels, lambda t: t, 1 - 0.45 * amount)


def _middle(pixels: Pixels) -> float:
    """Median lightness, 0..1, kept away from the ends."""
    small = np.asarray(cv2.resize(pixels, (64, 64), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    return float(np.clip(np.median(to_lab(small)[..., 0]) / 100, 0.35, 0.65))


def _in_lab(pixels: Pixels, curve: Callable[[Map], Map], chroma: float) -> Pixels:
    """Lightness 0..1 through `curve`, colour strength times `chroma`; strong colours take less of an increase."""
    steps = np.linspace(0, 1, 1025, dtype=np.float32)
    table = np.asarray(100 * np.clip(curve(steps), 0, 1), np.float32)
    result = np.empty_like(pixels)
    for rows in strips(len(pixels)):
        # Planes by themselves: numpy goes through the three of a pixel at a third of the speed.
        light, a, b = cv2.split(to_lab(pixels[rows] * np.float32(1 / 255)))
        light = table[(np.clip(light, 0, 100) * 10.24 + 0.5).astype(np.int32)]
        gain = _gain(np.asarray(cv2.magnitude(a, b), np.float32), chroma) if chroma > 1 else np.float32(chroma)
        result[rows] = to_bytes(np.asarray(cv2.merge([light, a * gain, b * gain]), np.float32))
    return result


def _gain(strength: Map, chroma: float) -> Map:
    """What a colour so far from grey is multiplied by."""
    calm = np.clip(strength * np.float32(-1 / 110) + 1, 0.1, 1)
    return np.asarray(calm * np.float32(chroma - 1) + 1, np.float32)


def _through(pixels: Pixels, table: Map) -> Pixels:
    """Each channel through its own column of `table` (256 or 256×3, 0..1)."""
    bytes_ = np.asarray(np.clip(table, 0, 1) * 255 + 0.5, np.uint8).reshape(256, 1, -1)
    return np.asarray(cv2.LUT(pixels, bytes_), np.uint8)


def _blended(before: Pixels, after: Pixels, amount: float) -> Pixels:
    share = min(amount, 1.0)
    return after if share == 1 else np.asarray(cv2.addWeighted(before, 1 - share, after, share, 0), np.uint8)


_TONES: Final[dict[ToneKind, Callable[[Pixels, float], Pixels]]] = {
    "black_and_white": _black_and_white,
    "sepia": _sepia,
    "warmer": _warmer,
    "cooler": _cooler,
    "brighter": _brighter,
    "darker": _darker,
    "more_contrast": _more_contrast,
    "less_contrast": _less_contrast,
    "more_saturation": _more_saturation,
    "less_saturation": _less_saturation,
    **GRADES,
}
