"""From the picture asked for to one the model works at, and back: sides are multiples, areas have an end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.errors import BadImage
from tollbrush.imaging.codec import Pixels, flatten
from tollbrush.imaging.geometry import Transform, resize
from tollbrush.imaging.masks import Mask

if TYPE_CHECKING:
    from PIL.Image import Image

_SHORTEST: Final = 64
"""FLUX.2 takes no shorter side, and no model makes sense of one."""
_LONGEST: Final = 8
"""Of one side by the other, as FLUX.2 has it."""


def working(size: Size, multiple: int, pixels: int) -> Size:
    """The nearest size of at most `pixels` (and a side of at least 64) whose sides are multiples."""
    scale = min(1.0, math.sqrt(pixels / size.pixels))
    scale = max(scale, _SHORTEST / min(size.width, size.height))
    width, height = (max(_up(_SHORTEST, multiple), _near(side * scale, multiple)) for side in (size.width, size.height))
    while width * height > pixels and max(width, height) - multiple >= _SHORTEST:
        width, height = (width - multiple, height) if width >= height else (width, height - multiple)
    return Size(width, height)


def check_shape(sources: tuple[Pixels, ...]) -> None:
    """Raises BadImage for a strip no model makes anything of."""
    for i, pixels in enumerate(sources):
        height, width = pixels.shape[:2]
        if max(width, height) > _LONGEST * min(width, height):
            raise BadImage(
                f"image[{i}] measures {width}x{height}; this model takes no picture longer than {_LONGEST} times its "
                "other side.",
                path="image",
                advice="Crop it, or send it in parts. Nothing was charged.",
            )


def shown(pixels: Pixels, size: Size) -> Image:
    """A source at the size worked at."""
    from PIL import Image

    return Image.fromarray(resize(np.ascontiguousarray(flatten(pixels)), size))


def reference(pixels: Pixels, multiple: int, most: int) -> Image:
    """A further source: it keeps its own shape."""
    height, width = pixels.shape[:2]
    return shown(pixels, working(Size(width, height), multiple, most))


def shown_mask(mask: Mask, size: Size) -> Image:
    """White where to edit."""
    from PIL import Image

    own = Size(mask.shape[1], mask.shape[0])
    return Image.fromarray(np.where(Transform.plan(own, size, "stretch").apply_mask(mask), np.uint8(255), np.uint8(0)))


def answered(pixels: Pixels, size: Size) -> Pixels:
    """A result at exactly the size asked for."""
    return pixels if pixels.shape[:2] == (size.height, size.width) else resize(pixels, size)


def _near(length: float, multiple: int) -> int:
    return max(1, int(length / multiple + 0.5)) * multiple


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple
