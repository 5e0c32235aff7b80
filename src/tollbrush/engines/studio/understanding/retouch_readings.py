"""From the terms of a clause to a treatment: see `reading.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from tollbrush.engines.studio.plans.colours import COLOURS, Colour
from tollbrush.engines.studio.plans.treatments import (
    Blur,
    Denoise,
    KeepColour,
    Place,
    Recolour,
    Sharpen,
    Style,
    StyleKind,
    SwapColours,
    Vignette,
    Write,
)
from tollbrush.engines.studio.understanding.reading import (
    Found,
    Keep,
    KeepHue,
    Reading,
    TooMuchError,
    is_thing,
    shaded,
)
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term, read

_LONGEST_LINE: Final = 80  # characters


def styled(found: Found) -> Reading | None:
    term = found.part("kind")[0]
    if is_undone(found.terms, term):
        return None
    if term.roles.get("STYLE") == "sketch" and any(t.plays("COLOURS") for t in found.terms):
        raise TooMuchError([t for t in found.terms if t.plays("COLOURS")])  # it is drawn in grey
    return Style(cast(StyleKind, term.roles.get("STYLE") or term.roles["STYLEVERB"]))


def is_undone(terms: Sequence[Term], style: Term) -> bool:
    """`turn this drawing into a photo`, `the cartoon should become a real photo`."""
    at = next(i for i, term in enumerate(terms) if term is style)
    source = all(term.plays("CHANGE", "IT") and not term.plays("ADD") for term in terms[:at])
    towards = next((i for i in range(at + 1, len(terms)) if terms[i].plays("TO", "BE")), len(terms))
    return source and any(term.plays("PICTURE") for term in terms[towards + 1 :])


def cleaned(found: Found) -> Reading | None:
    """`it's noisy, clean it up`."""
    return Keep("mend") if found.part("clean")[0].key in ("clean", "clean up") else None


def sharpened(found: Found) -> Reading:
    return Sharpen(found.amount())


def denoised(found: Found) -> Reading:
    return Denoise(found.amount())


def softened(found: Found) -> Reading:
    return Blur(found.amount() * 0.5)


def blurred_whole(found: Found) -> Reading:
    return Blur(found.amount())


def vignetted(found: Found) -> Reading:
    light = any(t.plays("LIGHTEN") for t in found.terms)
    return Vignette(0.5 if light else found.amount())


def recoloured(found: Found) -> Reading | None:
    """By hue in the whole picture; by the mask where it covers a named thing."""
    colour = shaded(found.part("hue")[0], found.part("shades"))
    if source := found.part("source"):
        if is_exchange(found):
            return None
        named = str(source[0].roles["SOURCE"])
        return Recolour(colour, named) if named != colour.name else None
    if (last := found.part("named")[-1]).plays("HUE"):
        raise TooMuchError([last])  # two colours, side by side
    return Recolour(colour) if is_thing(found.part("named")) else None


def exchanged(found: Found) -> Reading | None:
    """`swap red and blue`, `exchange red with blue`; with `for` or `to` one replaces the other: another rule's."""
    if not is_exchange(found):
        return None
    names = [str(found.part(part)[0].roles["SOURCE"]) for part in ("first", "second")]
    return SwapColours(*map(named_colour, names)) if names[0] != names[1] else None


def is_exchange(found: Found) -> bool:
    after = found.terms[[t.plays("SOURCE") for t in found.terms].index(True) :]
    return found.terms[0].plays("SWAP") and any(t.plays("JOINT", "WITH") for t in after)


def named_colour(name: str) -> Colour:
    code = COLOURS[name]
    return Colour(name, (int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)))


def mended(found: Found) -> Reading | None:
    """`sharpness is less, please increase`: what was complained of."""
    return Keep("mend") if found.terms[0].key in _MENDING else None


_MENDING: Final = (
    "increase",
    "raise",
    "boost",
    "lift",
    "recover",
    "rescue",
    "tame",
    "reduce",
    "low",
    "lower",
    "decrease",
)


def splashed(found: Found) -> Reading:
    return KeepColour(found.value("source", "SOURCE"))


def kept_hue(found: Found) -> Reading:
    return KeepHue(found.value("source", "SOURCE"))


def lettered(found: Found) -> Reading | None:
    """A line of text: its place, size and colour are said in any order around it."""
    around = [t for t in found.terms if not t.plays("QUOTE")]
    places = [str(t.roles["PLACE"]) for t in around if t.plays("PLACE")]
    if not places:
        places = [str(t.roles["SIDE"]) for t in around if t.plays("SIDE")]
        if any(place not in ("top", "bottom") for place in places):
            return None
    bare = [t.key for t in around] == ["add"] and _is_no_ability(str(found.value("quote", "QUOTE")))  # "hello"
    if len(places) > 1 or not (bare or any(t.plays("WRITE", "TEXT", "PLACE", "SAYS") for t in around)):
        return None
    return _line(found, cast(Place, places[0]) if places else "bottom", _ink(around))


def _is_no_ability(text: str) -> bool:
    """Not of `add "a crown"`."""
    return all(term.plays(UNKNOWN) for term in read(text))


def _ink(terms: Sequence[Term]) -> tuple[float, Colour | None]:
    """Size and colour."""
    sizes = [float(t.roles["SIZE"]) for t in terms if t.plays("SIZE")]
    hues = [t for t in terms if t.plays("HUE")]
    if len(sizes) > 1 or len(hues) > 1:
        raise TooMuchError([t for t in terms if t.plays("SIZE", "HUE")])
    shades = [t for t in terms if t.plays("LIGHTEN", "DEEPEN")]
    if shades and not hues:
        raise TooMuchError(shades)
    return (sizes[0] if sizes else 1.0, shaded(hues[0], shades) if hues else None)


def _line(found: Found, place: Place, ink: tuple[float, Colour | None]) -> Reading:
    (quote,) = found.part("quote")
    text = str(quote.roles["QUOTE"])
    if len(text) > _LONGEST_LINE:
        raise TooMuchError([quote])
    return Write(text, place, *ink)


def watermarked(found: Found) -> Reading:
    (quote,) = found.part("quote")
    return Write(str(quote.roles["QUOTE"])[:_LONGEST_LINE], watermark=True)
