"""Hair and what is worn: pressed down by hats, falling over the foot of what stands in it, and of which colour."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.accessories.head import Head
from tollbrush.engines.studio.accessories.sprites.mesh import Colour
from tollbrush.engines.studio.accessories.sprites.stage import Layer
from tollbrush.engines.studio.fill.removal import fill

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

Floats = NDArray[np.float32]

_HAT_LINE = (-0.98, -0.50)  # units: hair above a line between these, outside the hat, is pressed away
_ROUNDING = 0.55  # units over which hair that comes out from under a hat rounds to its full width
_LEAST_HAIR = 0.25  # square units from which hair has a colour
_REDDER = (1.05, 0.98, 0.94)  # a beard's hair against that of the head
_STEPS = 6  # at which it is looked how deep in an item a pixel lies


def whiskers_colour(pixels: Pixels, head: Head, exposure: float) -> Colour | None:
    """What colour whiskers have beside this hair, in even light of strength 1; None where little hair is seen."""
    at = head.hair > 0.9
    if at.sum() < _LEAST_HAIR * head.unit**2:
        return None
    tones = np.asarray(pixels[..., :3][at], np.float32) / np.float32(255)
    middle = np.percentile(tones, 45, axis=0) / max(exposure, 0.3)
    r, g, b = np.clip(middle * _REDDER, 0.02, 0.85).tolist()
    return (r, g, b)


def locks_over(layer: Layer, pixels: Pixels, head: Head, sunk: float) -> Layer:
    """The layer without what the hair hides of it: its lower rim is `sunk` units deep in the hair, whose own lighter
    strands lie over it."""
    hair = head.hair[layer.rows, layer.columns]
    if not (hair > 0.5).any():
        return layer
    cover, step = layer.rgba[..., 3], sunk * head.unit / _STEPS
    down = np.array([-np.sin(head.roll), np.cos(head.roll)]) * step
    deep = np.zeros_like(cover)
    for i in range(1, _STEPS + 1):
        move = np.array([[1, 0, i * down[0]], [0, 1, i * down[1]]], np.float32)
        deep += cv2.warpAffine(cover, move, cover.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) / _STEPS
    window = np.ascontiguousarray(pixels[layer.rows, layer.columns, :3])
    grey = np.asarray(cv2.cvtColor(window, cv2.COLOR_RGB2GRAY), np.float32)
    fine = cv2.GaussianBlur(grey, (0, 0), 0.5) - cv2.GaussianBlur(grey, (0, 0), 0.07 * head.unit)
    strands = 1 / (1 + np.exp(-1.6 * fine / max(float(fine[hair > 0.5].std()), 0.5)))
    shown = np.clip((deep - 0.85 * strands) / 0.22 + 0.5, 0, 1)
    return replace(layer, rgba=layer.rgba * (1 - hair * (1 - shown))[..., None])


def press_hair(pixels: Pixels, head: Head, layer: Layer) -> Head:
    """Fills the hair that stands out beside and above the hat with what is behind it, in place. The head without it."""
    outline = head.outline[layer.rows, layer.columns]
    cover = layer.rgba[..., 3] > 0.5
    across, height = _in_units(layer, head)
    above = height < _pressed(across, height, outline, cover, 0.95 * head.half_width)
    hair = (outline > 0.08) & above & ~cover
    if not hair.any():
        return head
    # Some of what the hat covers too: beside hair that stays, hair would be continued.
    shown, hidden = (_grown(hair, reach * head.unit) for reach in (0.06, 0.35))
    grown = shown | (hidden & (outline > 0.02) & cover)
    hole: Mask = np.zeros(pixels.shape[:2], np.bool_)
    hole[layer.rows, layer.columns] = grown & above
    behind = fill(np.ascontiguousarray(pixels[..., :3]), hole, exclude=head.outline > 0.02, behind=True)
    gone = _softened(hole, 0.03 * head.unit, layer)
    window = pixels[layer.rows, layer.columns]
    mixed = window[..., :3] + (behind[layer.rows, layer.columns].astype(np.float32) - window[..., :3]) * gone[..., None]
    window[..., :3] = np.asarray(mixed + 0.5, np.uint8)
    return replace(head, outline=np.where(hole, np.float32(0), head.outline))


def _pressed(across: Floats, height: Floats, outline: Floats, cover: Mask, edge: float) -> Floats:
    """The height above which no hair stands beside a hat that ends `edge` units from the middle: at its lower rim, and
    rounded from there to the hair's full width at either side."""
    rim = height[cover & (np.abs(np.abs(across) - edge) < 0.06)]
    line = np.float32(np.clip(np.percentile(rim, 97) - 0.12, *_HAT_LINE) if len(rim) else _HAT_LINE[0])
    beside = np.where((outline > 0.5) & (np.abs(height - line) < _ROUNDING), across, np.float32(0))
    left, right = (max(float(far), edge + 0.05) - edge for far in (-beside.min(), beside.max()))
    out = np.clip((np.abs(across) - edge) / np.where(across < 0, np.float32(left), np.float32(right)), 0, 1)
    return np.asarray(line + _ROUNDING * (1 - np.sqrt(1 - out**2)), np.float32)


def _softened(hole: Mask, sigma: float, layer: Layer) -> Floats:
    """How far the hair is gone in the layer's window, 0…1: it ends softly where it comes out from under the hat."""
    window = hole[layer.rows, layer.columns].astype(np.float32)
    return np.asarray(cv2.GaussianBlur(window, (0, 0), max(sigma, 0.5)), np.float32)


def _in_units(layer: Layer, head: Head) -> tuple[Floats, Floats]:
    """Where the layer's pixels lie in the head's frame: across and downwards."""
    x = np.arange(layer.columns.start, layer.columns.stop, dtype=np.float32)[None, :] - head.origin.x
    y = np.arange(layer.rows.start, layer.rows.stop, dtype=np.float32)[:, None] - head.origin.y
    c, s = np.cos(head.roll) / head.unit, np.sin(head.roll) / head.unit
    return np.asarray(x * c + y * s, np.float32), np.asarray(y * c - x * s, np.float32)


def _grown(mask: Mask, reach: float) -> Mask:
    side = 2 * max(1, round(reach)) + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0, np.bool_)
