"""Moods, tints and repairs of light: what a colourist does to a whole picture. See `tones.py` for the plain ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from tollbrush.engines.studio.pixels.light import to_bytes, to_lab
from tollbrush.engines.studio.pixels.strips import reduced, strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.plans.kinds import ToneKind

    Map = NDArray[np.float32]
    Grade = Callable[[Pixels, float], Pixels]

_SIDE: Final = 256  # longer side at which a picture is measured, and blurred widely
_STEPS: Final = np.linspace(0, 1, 1025, dtype=np.float32)


def graded(
    pixels: Pixels,
    curve: Map,
    chroma: float = 1.0,
    shadows: tuple[float, float] = (0, 0),
    highlights: tuple[float, float] = (0, 0),
) -> Pixels:
    """Lightness through `curve` (1025 values 0..1), colour strength times `chroma`, and a shift in CIELAB's a and b
    that fades from `shadows` to `highlights`. Pure black and white keep no tint."""
    dark, light = (np.array(shift, np.float32) for shift in (shadows, highlights))
    at = _STEPS[:, None]
    tints = (dark + (light - dark) * at) * (1 - (2 * at - 1) ** 4)
    result = np.empty_like(pixels)
    for rows in strips(len(pixels)):
        lab = to_lab(pixels[rows] * np.float32(1 / 255))
        step = (np.clip(lab[..., 0], 0, 100) * 10.24 + 0.5).astype(np.int32)
        lab[..., 0] = 100 * curve[step]
        lab[..., 1:] *= np.float32(chroma)
        if tints.any():
            lab[..., 1:] += tints[step]
        result[rows] = to_bytes(lab)
    return result


def moody(pixels: Pixels, amount: float) -> Pixels:
    """Low key: darker, muted, cold in the shadows."""
    curve = _STEPS ** (1 + 0.55 * amount)
    return graded(pixels, _bent(curve, 0.35 * amount), 1 - 0.25 * min(amount, 1.6), (-6 * amount, -13 * amount))


def dramatic(pixels: Pixels, amount: float) -> Pixels:
    """Deep shadows, bright lights, and the local contrast of clarity."""
    share = 0.45 * amount
    clear = np.asarray(cv2.addWeighted(pixels, 1 + share, _soft(pixels, 0.020), -share, 0), np.uint8)
    return graded(clear, _bent(_STEPS ** (1 + 0.12 * amount), 0.9 * amount), 1 - 0.08 * amount)


def cinematic(pixels: Pixels, amount: float) -> Pixels:
    """Teal shadows, orange lights."""
    return graded(pixels, _bent(_STEPS, 0.4 * amount), 0.95, (-13 * amount, -17 * amount), (8 * amount, 17 * amount))


def faded(pixels: Pixels, amount: float) -> Pixels:
    """A matte print: black lifted, white lowered."""
    share = min(amount, 2.0)
    return graded(pixels, _ranged(_STEPS, 0.13 * share, 1 - 0.05 * share), 1 - 0.22 * share)


def dreamy(pixels: Pixels, amount: float) -> Pixels:
    """A soft-focus glow (Orton): the picture screened with its own blur."""
    return graded(_glowing(pixels, 0.42 * min(amount, 2.0)), _STEPS**1.08, 1.05)


def cosy(pixels: Pixels, amount: float) -> Pixels:
    """Lamp light: warm, a little soft."""
    soft = _glowing(pixels, 0.12 * min(amount, 1.0))
    return graded(soft, _ranged(_STEPS, 0.03 * amount, 1), 1.04, (4 * amount, 9 * amount), (4 * amount, 14 * amount))


def grain(pixels: Pixels, amount: float) -> Pixels:
    """Film grain, strongest in the middle tones."""
    height, width = pixels.shape[:2]
    size = max(height, width) / 1500
    noise = np.random.default_rng(0).standard_normal((height, width), np.float32)
    if size > 0.5:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.6 * size), np.float32)
    noise *= np.float32(11 * amount / max(float(noise.std()), 1e-6))
    result = np.empty_like(pixels)
    for rows in strips(height):
        grey = cv2.cvtColor(pixels[rows], cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
        weight = 0.35 + 0.65 * 4 * grey * (1 - grey)
        result[rows] = np.clip(pixels[rows] + (noise[rows] * weight)[..., None] + 0.5, 0, 255)
    return result


def negative(pixels: Pixels, _: float) -> Pixels:
    return np.asarray(255 - pixels, np.uint8)


def balanced(pixels: Pixels, amount: float) -> Pixels:
    """What an automatic button does: the cast taken out of the greys, light brought to a usual middle, the ends
    stretched. A picture that is right already hardly changes."""
    lab = to_lab(reduced(pixels, _SIDE))
    light = np.clip(lab[..., 0] / 100, 0, 1)
    strength = np.hypot(lab[..., 1], lab[..., 2])
    greys = lab[(strength < max(14.0, float(np.percentile(strength, 30)))) & (light > 0.15) & (light < 0.95)]
    cast = np.median(greys[:, 1:], axis=0) if len(greys) > 50 else np.zeros(2)
    cast = cast * min(1.0, 16 / max(float(np.hypot(*cast)), 1e-6))
    low, high = np.percentile(light, [0.6, 99.4])
    low, high = min(float(low), 0.12), max(float(high), 0.80)
    curve = np.clip((_STEPS - low) / (high - low), 0, 1)
    middle = float(np.clip((float(np.median(light)) - low) / (high - low), 0.08, 0.92))
    wanted = float(np.clip(middle, 0.42, 0.62))
    curve = curve ** (np.log(middle + 0.6 * (wanted - middle)) / np.log(middle))
    shift = (-0.7 * amount * float(cast[0]), -0.7 * amount * float(cast[1]))
    share = min(amount, 1.0)
    return graded(pixels, np.asarray(_STEPS + share * (curve - _STEPS), np.float32), 1 + 0.06 * share, shift, shift)


def lighter_shadows(pixels: Pixels, amount: float) -> Pixels:
    return graded(pixels, _STEPS + 0.55 * amount * _STEPS * (1 - _STEPS) ** 3, 1.04)


def darker_shadows(pixels: Pixels, amount: float) -> Pixels:
    return graded(pixels, np.clip(_STEPS - 0.45 * amount * _STEPS * (1 - _STEPS) ** 4, 0, 1), 1.0)


def lighter_highlights(pixels: Pixels, amount: float) -> Pixels:
    return graded(pixels, np.clip(_STEPS + 0.5 * amount * (1 - _STEPS) * _STEPS**3, 0, 1), 1.0)


def darker_highlights(pixels: Pixels, amount: float) -> Pixels:
    return graded(pixels, _STEPS - 0.45 * amount * (1 - _STEPS + 0.12) * _STEPS**4, 1.0)


def tinted(a: float, b: float) -> Grade:
    """Towards a colour, as directions in CIELAB."""
    return lambda pixels, amount: graded(pixels, _STEPS, 1.0, (a * amount, b * amount), (a * amount, b * amount))


def _bent(curve: Map, amount: float) -> Map:
    """With an S-curve's contrast around the middle."""
    return np.asarray(np.clip(curve - 0.06 * amount * np.sin(2 * np.pi * curve), 0, 1), np.float32)


def _ranged(curve: Map, low: float, high: float) -> Map:
    return np.asarray(np.clip(low + (high - low) * curve, 0, 1), np.float32)


def _glowing(pixels: Pixels, share: float) -> Pixels:
    """Screened with its own blur."""
    glow = cv2.multiply(cv2.bitwise_not(pixels), _soft(pixels, 0.018), scale=share / 255)
    return np.asarray(cv2.add(pixels, glow), np.uint8)


def _soft(pixels: Pixels, width: float) -> Pixels:
    """Blurred by a sigma of `width` of the longer side: so widely that a small copy is as good."""
    small = reduced(pixels, _SIDE) * np.float32(255)
    blurred = cv2.GaussianBlur(small, (0, 0), max(width * max(small.shape[:2]), 0.5))
    size = pixels.shape[1], pixels.shape[0]
    return np.asarray(cv2.resize((blurred + 0.5).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR), np.uint8)


GRADES: Final[dict[ToneKind, Grade]] = {
    "moody": moody, "dramatic": dramatic, "cinematic": cinematic, "faded": faded, "dreamy": dreamy, "cosy": cosy,
    "grainy": grain, "negative": negative, "balanced": balanced, "lighter_shadows": lighter_shadows,
    "darker_shadows": darker_shadows, "darker_highlights": darker_highlights,
    "lighter_highlights": lighter_highlights,
    "more_red": tinted(13, 5), "less_red": tinted(-11, -4), "more_orange": tinted(8, 13),
    "less_orange": tinted(-6, -11),
    "more_yellow": tinted(-1, 14), "more_green": tinted(-13, 5), "more_blue": tinted(-1, -14),
    "more_pink": tinted(13, -4),
}  # fmt: skip
