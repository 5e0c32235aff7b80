"""Compile every kernel and load every table and module before the first edit: on a small made-up picture."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.accessories.sprites.mesh import Buffer, Light, Surface, draw
from tollbrush.engines.studio.faces.find import find_faces
from tollbrush.engines.studio.fill.removal import fill
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.plans.abilities import Operation, Tone
from tollbrush.engines.studio.plans.framings import Crop, Enlarge, Rotate, Straighten
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import (
    Blur,
    Denoise,
    KeepColour,
    Sharpen,
    Style,
    Vignette,
    Weather,
    Write,
)
from tollbrush.engines.studio.scenes import backdrops
from tollbrush.engines.studio.subject.find import find_subject
from tollbrush.engines.studio.subject.matting import matte
from tollbrush.errors import CannotHonour

_SIDE: Final = 160
_EACH: Final[tuple[Operation, ...]] = (
    Tone("dreamy"), Style("oil"), Style("pop_art"), Style("pixel_art"), Weather("snow"), KeepColour("red"), Sharpen(),
    Denoise(), Blur(), Vignette(), Write("A"), Straighten(), Rotate(7), Crop((1, 1)), Enlarge(),
)  # fmt: skip
"""One of each kind that loads or builds something of its own; what finds subjects, faces and skies is below."""


def warm_up() -> None:
    rows, columns = np.indices((_SIDE, _SIDE))
    disc = np.hypot(rows - _SIDE / 2, columns - _SIDE / 2) < _SIDE / 4
    pixels = np.random.default_rng(0).integers(0, 60, (_SIDE, _SIDE, 3)).astype(np.uint8)
    pixels[disc] += 150
    find_subject(pixels)
    find_faces(pixels)
    matte(pixels, disc)
    fill(pixels, disc, 0)
    for operation in _EACH:
        with suppress(CannotHonour):  # the picture shows little
            list(perform(Plan((operation,)), pixels, None, [0]))
    for scene in backdrops.SCENES:
        backdrops.paint(scene, Size(_SIDE, _SIDE), 0)
    sheet = np.dstack([*np.indices((4, 4)), np.zeros((4, 4))]).astype(np.float32)
    surface = Surface(sheet, np.full((4, 4, 3), 0.5, np.float32))
    draw(Buffer.of(8, 8), surface, sheet, sheet, Light())
