"""A portrait whose head is turned and bent: the pixels put on a rough head and looked at from elsewhere."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import skimage.data

from tollbrush.engines.studio.accessories.head import Head, measure
from tollbrush.engines.studio.faces.find import Face, find_faces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels

    Floats = NDArray[np.float32]

_EYES, _UNIT = (224.7, 182.4), 45.0  # in the portrait


@cache
def portrait() -> Pixels:
    """The astronaut to her chest, with a little air above her head: 420×440."""
    chest = skimage.data.astronaut()[:360, :420]
    air = np.asarray(cv2.copyMakeBorder(chest, 80, 0, 0, 0, cv2.BORDER_REPLICATE), np.uint8)
    air.flags.writeable = False
    return air


@cache
def her_face() -> Face:
    """The portrait's."""
    return find_faces(portrait())[0]


@cache
def her_head() -> Head:
    """The portrait's."""
    return measure(portrait(), her_face())


@cache
def looking(right: float = 0.0, down: float = 0.0) -> Pixels:
    """The portrait as if she turned her head to the picture's right and bent it down, in degrees."""
    h, w = portrait().shape[:2]
    rows, columns = np.mgrid[0:h, 0:w].astype(np.float32)
    across, below = (columns - _EYES[0]) / _UNIT, (rows - _EYES[1]) / _UNIT
    (st, ct), (sn, cn) = ((np.sin(angle), np.cos(angle)) for angle in np.radians((right, down)))
    fade = np.exp(-2.5 * np.maximum(0, np.hypot(across / 1.6, (below + 0.1) / 2.4) - 1))
    x, y = across.copy(), below.copy()
    for _ in range(30):
        depth = _depth(x, y)
        bent, back = y * cn + depth * sn, depth * cn - y * sn
        x += (across - x - fade * (x * (ct - 1) + back * st)) / 2
        y += (below - y - fade * (bent - y)) / 2
    at = (x * _UNIT + _EYES[0]).astype(np.float32), (y * _UNIT + _EYES[1]).astype(np.float32)
    return np.asarray(cv2.remap(portrait(), *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _depth(x: Floats, y: Floats) -> Floats:
    """How far before the eyes a head is, in distances between them: a skull, a nose, and lips over teeth."""
    skull = 1.35 * np.sqrt(np.clip(1 - (x / 1.75) ** 2 - ((y - 0.35) / 2.40) ** 2, 0, 1)) - 1.34
    nose = 0.30 * np.exp(-((x / 0.20) ** 2) - ((y - 0.58) / 0.30) ** 2)
    lips = 0.22 * np.exp(-((x / 0.45) ** 2) - ((y - 1.15) / 0.45) ** 2)
    return np.asarray(skull + nose + lips, np.float32)
