"""A plan in short, as lists of prompts write it."""

from __future__ import annotations

from tollbrush.engines.studio.plans.abilities import (
    BlurBackground,
    Operation,
    RemoveBackground,
    RemoveMasked,
    ReplaceBackground,
    Tone,
    Wear,
)
from tollbrush.engines.studio.plans.colours import Colour
from tollbrush.engines.studio.plans.framings import Border, Crop, Enlarge, Extend, Flip, Rotate
from tollbrush.engines.studio.plans.treatments import (
    KeepColour,
    Recolour,
    ReplaceSky,
    Style,
    SwapColours,
    Weather,
    Write,
)
from tollbrush.engines.studio.understanding.by_rule import by_rule
from tollbrush.engines.studio.understanding.refusals import NotHonouredError
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.errors import CannotHonour


def understood(prompt: str, *, masked: bool = False) -> str | None:
    """The plan in short, or None for a refusal."""
    try:
        return "; ".join(short(operation) for operation in understand(prompt, masked=masked).operations)
    except CannotHonour:
        return None


def by_rules(prompt: str) -> str | None:
    """The same, by the rules alone."""
    try:
        return "; ".join(short(operation) for operation in by_rule(prompt, masked=False).operations)
    except NotHonouredError:
        return None


def short(operation: Operation) -> str:
    match operation:
        case ReplaceBackground(scene, colour):
            return _spoken("background", colour, scene)
        case RemoveBackground():
            return "cut out"
        case BlurBackground():
            return "blur background"
        case RemoveMasked():
            return "erase"
        case Wear(kind, colour):
            return _spoken("wear", kind, colour)
        case Tone(kind, _, where):
            return _spoken("tone", kind, "background" if where == "background" else None)
        case Style(kind) | Weather(kind):
            return _spoken(type(operation).__name__.lower(), kind)
        case ReplaceSky(kind):
            return f"sky {kind}"
        case Recolour(colour, source):
            return _spoken("recolour", source, colour)
        case SwapColours(first, second):
            return _spoken("swap", first, second)
        case KeepColour(source):
            return f"keepcolour {source}"
        case Write(text, watermark=True):
            return f'watermark "{text}"'
        case Write(text, place, scale, colour):
            return _spoken(
                "write", f'"{text}"', place, colour, {1.0: None}.get(scale, "large" if scale > 1 else "small")
            )
        case _:
            return _framing(operation)


def _framing(operation: Operation) -> str:
    match operation:
        case Rotate(degrees):
            return f"rotate {degrees:g}"
        case Flip(axis):
            return f"flip {axis}"
        case Crop(aspect):
            return _spoken("crop", _ratio(aspect))
        case Border(colour, share):
            return _spoken("border", colour, "thin" if share < 0.05 else "wide" if share > 0.05 else None)
        case Extend(sides, aspect):
            return _spoken("extend", _ratio(aspect) if aspect else "all" if len(sides) == 4 else " ".join(sides))
        case Enlarge(factor):
            return f"enlarge {factor}"
    return type(operation).__name__.lower()


def _ratio(aspect: tuple[int, int] | None) -> str | None:
    return f"{aspect[0]}:{aspect[1]}" if aspect else None


def _spoken(*words: str | Colour | None) -> str:
    return " ".join(word.name if isinstance(word, Colour) else word for word in words if word is not None)
