"""Styles by name: each turns a photograph into another kind of picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2

from tollbrush.engines.studio.retouch import drawings, looks, painterly

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels
    from tollbrush.engines.studio.plans.treatments import StyleKind
    from tollbrush.engines.studio.retouch.painterly import Painter

_PAINTERS: Final[dict[StyleKind, Painter]] = {
    "watercolour": painterly.watercolour,
    "oil": painterly.oil,
    "sketch": drawings.sketch,
    "cartoon": drawings.cartoon,
    "vintage": looks.vintage,
    "hdr": looks.hdr,
    "pixel_art": looks.pixel_art,
    "pop_art": looks.pop_art,
}


def style(pixels: Pixels, kind: StyleKind, seed: int) -> Pixels:
    """H×W×3 pixels in a style. Same seed, same bytes."""
    enlarging = cv2.INTER_NEAREST if kind == "pixel_art" else cv2.INTER_CUBIC
    return painterly.by_hand(pixels, _PAINTERS[kind], seed, enlarging)
