"""What changes a picture's frame: as values that say which size comes out. None of them goes with a mask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.plans.colours import Colour
from tollbrush.errors import CannotHonour

Side = Literal["left", "right", "top", "bottom"]
_LARGEST: Final = 4096


@dataclass(frozen=True)
class Rotate:
    """`degrees` clockwise. A quarter turn keeps every pixel; any other angle crops to what is whole."""

    degrees: float

    def __str__(self) -> str:
        return f"rotate it by {abs(self.degrees):g} degrees{'' if self.degrees >= 0 else ' to the left'}"

    def size(self, source: Size) -> Size:
        if self.degrees % 90:
            return inscribed(source, self.degrees)
        return source if self.degrees % 180 == 0 else Size(source.height, source.width)


@dataclass(frozen=True)
class Straighten:
    """By the picture's own lines; its size is kept."""

    def __str__(self) -> str:
        return "straighten it"

    def size(self, source: Size) -> Size:
        return source


@dataclass(frozen=True)
class Flip:
    axis: Literal["horizontal", "vertical"] = "horizontal"

    def __str__(self) -> str:
        return "mirror it" if self.axis == "horizontal" else "turn it upside down as in water"

    def size(self, source: Size) -> Size:
        return source


@dataclass(frozen=True)
class Crop:
    """To an aspect (width : height) around the subject; without one, a fifth closer to the subject."""

    aspect: tuple[int, int] | None = None

    def __str__(self) -> str:
        return f"crop it to {self.aspect[0]}:{self.aspect[1]}" if self.aspect else "crop closer to the subject"

    def size(self, source: Size) -> Size:
        if self.aspect is None:
            return Size(max(1, round(source.width * 0.8)), max(1, round(source.height * 0.8)))
        scale = min(source.width / self.aspect[0], source.height / self.aspect[1])
        return Size(max(1, round(self.aspect[0] * scale)), max(1, round(self.aspect[1] * scale)))


@dataclass(frozen=True)
class Border:
    """`share` of the shorter side, on each side."""

    colour: Colour
    share: float = 0.05

    def __str__(self) -> str:
        return (
            f"add a {'thin ' if self.share < 0.05 else 'wide ' if self.share > 0.05 else ''}{self.colour.name} border"
        )

    def size(self, source: Size) -> Size:
        width = self.pixels(source)
        return Size(source.width + 2 * width, source.height + 2 * width)

    def pixels(self, source: Size) -> int:
        return max(1, round(min(source.width, source.height) * self.share))


@dataclass(frozen=True)
class Extend:
    """Continues the picture beyond these sides, or to an aspect, where nothing is cut off."""

    sides: tuple[Side, ...] = ("left", "right", "top", "bottom")
    aspect: tuple[int, int] | None = None

    def __str__(self) -> str:
        if self.aspect:
            return f"extend it to {self.aspect[0]}:{self.aspect[1]}"
        return "extend it on every side" if len(self.sides) == 4 else f"extend it to the {' and '.join(self.sides)}"

    def size(self, source: Size) -> Size:
        left, top, right, bottom = self.margins(source)
        return Size(source.width + left + right, source.height + top + bottom)

    def margins(self, source: Size) -> tuple[int, int, int, int]:
        """Pixels added left, top, right, bottom: a quarter of the side, or what the aspect lacks, in two halves."""
        if self.aspect is None:
            wide, high = round(source.width * 0.25), round(source.height * 0.25)
            return (
                wide * ("left" in self.sides), high * ("top" in self.sides),
                wide * ("right" in self.sides), high * ("bottom" in self.sides),
            )  # fmt: skip
        scale = max(source.width / self.aspect[0], source.height / self.aspect[1])
        wide = max(0, round(self.aspect[0] * scale) - source.width)
        high = max(0, round(self.aspect[1] * scale) - source.height)
        return (wide // 2, high // 2, wide - wide // 2, high - high // 2)


@dataclass(frozen=True)
class Enlarge:
    """By resampling and sharpening: larger, with no detail invented."""

    factor: int = 2

    def __str__(self) -> str:
        return f"enlarge it {self.factor} times, inventing no detail"

    def size(self, source: Size) -> Size:
        return Size(source.width * self.factor, source.height * self.factor)


Framing = Rotate | Straighten | Flip | Crop | Border | Extend | Enlarge


def inscribed(source: Size, degrees: float) -> Size:
    """The largest upright rectangle within `source` turned by an angle."""
    angle = math.radians(abs(degrees) % 180)
    angle = math.pi - angle if angle > math.pi / 2 else angle
    long, short = max(source.width, source.height), min(source.width, source.height)
    sine, cosine = math.sin(angle), math.cos(angle)
    if short <= 2 * sine * cosine * long or abs(sine - cosine) < 1e-9:
        half = 0.5 * short
        wide, high = (half / sine, half / cosine) if source.width >= source.height else (half / cosine, half / sine)
    else:
        double = cosine * cosine - sine * sine
        wide = (source.width * cosine - source.height * sine) / double
        high = (source.height * cosine - source.width * sine) / double
    return Size(max(1, math.floor(wide)), max(1, math.floor(high)))


def fits(size: Size) -> bool:
    """Whether the studio sells a picture of this size."""
    return max(size.width, size.height) <= _LARGEST


def result_size(operations: Sequence[object], source: Size) -> Size | None:
    """What a picture of `source` measures after these; None where none of them reframes. Raises CannotHonour for what
    is larger than the studio sells."""
    framings = [o for o in operations if isinstance(o, get_args(Framing))]
    if not framings:
        return None
    size = source
    for framing in framings:
        size = framing.size(size)
        if not fits(size) and size != source:
            raise CannotHonour(
                f'"{framing}" would make a picture of {size}; at most {_LARGEST} a side.',
                path="prompt",
                advice="Use a smaller picture.",
            )
    return size
