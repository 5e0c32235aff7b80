"""From the terms of a clause to a treatment or a framing: see `reading.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from tollbrush.engines.studio.plans.abilities import ReplaceBackground
from tollbrush.engines.studio.plans.colours import COLOURS, Colour
from tollbrush.engines.studio.plans.framings import Border, Crop, Enlarge, Extend, Flip, Rotate, Side, Straighten
from tollbrush.engines.studio.plans.treatments import (
    Blur,
    Denoise,
    KeepColour,
    Place,
    Recolour,
    ReplaceSky,
    Sharpen,
    SkyKind,
    Style,
    StyleKind,
    SwapColours,
    Vignette,
    Weather,
    WeatherKind,
    Write,
)
from tollbrush.engines.studio.understanding.reading import (
    Complaint,
    Found,
    Keep,
    KeepHue,
    Reading,
    TooMuchError,
    is_sky_instead,
    is_thing,
    moods,
    shaded,
)
from tollbrush.engines.studio.understanding.retouch_lexicon import SKY_TINGES, WEATHER_SCENES
from tollbrush.engines.studio.understanding.words import Term

_WHITE: Final = Colour("white", (255, 255, 255))
_LONGEST_LINE: Final = 80  # characters
_MOST_TIMES: Final = 4
_WIDEST_RATIO: Final = 32
_SCENE_SKIES: Final[dict[str, SkyKind]] = {
    "sunset": "sunset", "blue_sky": "blue_sky", "starry": "starry", "night": "night", "clouds": "blue_sky",
}  # fmt: skip


def styled(found: Found) -> Reading | None:
    term = found.part("kind")[0]
    if is_undone(found.terms, term):
        return None
    return Style(cast(StyleKind, term.roles.get("STYLE") or term.roles["STYLEVERB"]))


def is_undone(terms: Sequence[Term], style: Term) -> bool:
    """`turn this drawing into a photo`, `the cartoon should become a real photo`."""
    at = next(i for i, term in enumerate(terms) if term is style)
    source = all(term.plays("CHANGE", "IT") and not term.plays("ADD") for term in terms[:at])
    towards = next((i for i in range(at + 1, len(terms)) if terms[i].plays("TO", "BE")), len(terms))
    return source and any(term.plays("PICTURE") for term in terms[towards + 1 :])


def weathered(found: Found) -> Reading | None:
    if any(t.plays("OUT") for t in found.terms):
        return None  # the snowflakes off
    light = any(t.plays("LIGHTEN") for t in found.terms)
    return Weather(cast(WeatherKind, found.value("kind", "WEATHER")), 0.5 if light else found.amount())


def weather_scene(found: Found) -> Reading | None:
    """`make the background foggy`."""
    scene = WEATHER_SCENES.get(cast(WeatherKind, found.value("kind", "WEATHER")))
    return ReplaceBackground(scene) if scene else None


def skied_anyhow(found: Found) -> Reading | None:
    """`the sky so that it's full of stars`."""
    return _sky_of(found.part("goal")[0], ())


def skied(found: Found) -> Reading | None:
    return _sky_of(found.part("sky")[0], found.part("traits"))


def _sky_of(term: Term, adjectives: Sequence[Term]) -> Reading | None:
    kind = term.roles.get("SKYLOOK") or term.roles.get("WHOLESKY") or _SCENE_SKIES.get(str(term.roles.get("SCENE")))
    if kind is None:
        return None
    sky = cast(SkyKind, kind)
    traits = [t for t in adjectives if not t.plays("NICE", "FLAT") or t.plays("MOOD")]
    return ReplaceSky(sky, moods(traits, SKY_TINGES.get(sky, {})))


def bare_sky(found: Found) -> Reading | None:
    """`a starry sky`; `a sunset` alone may be behind the subject or above it, `a grey sky` what is there."""
    term = found.part("sky")[0]
    key = term.key
    if len(found.terms) == 1 and term.text == key:
        return None  # what is there, or what is wanted?
    there = found.part("sky")[0].roles.get("SCENE") == "clouds"
    return skied(found) if "sky" in key.split() and not there else None


def not_level(found: Found) -> Reading | None:
    """`the picture isn't level`."""
    return Complaint(Straighten()) if found.terms[-1].key.startswith(("isn't", "ain't")) else None


def let_fall(found: Found) -> Reading | None:
    """`let it snow on my dog`; `snow on the dog` is to lie there."""
    return weathered(found) if found.terms[0].key == "let" else None


def cleaned(found: Found) -> Reading | None:
    """`it's noisy, clean it up`."""
    return Keep("mend") if found.part("clean")[0].key in ("clean", "clean up") else None


def sky_instead(found: Found) -> Reading | None:
    """`a sunset sky instead of this one`."""
    return skied(found) if is_sky_instead(found) else None


def sky_blue(found: Found) -> Reading | None:
    """`make the sky blue` reads like the colour of that name."""
    return ReplaceSky("blue_sky") if found.part("named")[0].text == "the sky blue" else None


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
    if len(places) > 1 or not any(t.plays("WRITE", "TEXT", "PLACE", "SAYS") for t in around):
        return None
    return _line(found, cast(Place, places[0]) if places else "bottom", _ink(around))


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


_LEAST_BARE: Final = 5  # degrees that are told by a number alone


def rotated(found: Found) -> Reading | None:
    turn = found.part("turn")
    angles = [float(t.roles.get("DEGREES", t.roles.get("NUMBER", 0))) for t in turn if t.plays("DEGREES", "NUMBER")]
    clocks = [float(t.roles["CLOCK"]) for t in turn if t.plays("CLOCK")]
    if len(angles) > 1 or len(clocks) > 1 or not (angles or clocks):
        return None
    if len(turn) == 1 and turn[0].plays("NUMBER") and abs(angles[0]) < _LEAST_BARE:
        return None  # turn 2 …
    degrees = (angles[0] if angles else 90.0) * (clocks[0] if clocks else 1.0)
    if not 0 < abs(degrees) <= 360 or degrees % 360 == 0:
        raise TooMuchError([t for t in turn if t.plays("DEGREES", "NUMBER")])
    return Rotate(degrees if abs(degrees) <= 180 else degrees - 360 * (1 if degrees > 0 else -1))


def flipped(found: Found) -> Reading:
    axis = found.part("axis")
    return Flip("vertical" if axis and axis[0].roles["AXIS"] == "vertical" else "horizontal")


def cropped(found: Found) -> Reading:
    return Crop(_aspect(found))


def closer(_found: Found) -> Reading:
    return Crop()


def extended(found: Found) -> Reading:
    if found.part("aspect"):
        return Extend(aspect=_aspect(found))
    sides = found.part("sides")
    return Extend(cast(tuple[Side, ...], tuple(str(sides[0].roles["SIDE"]).split()))) if sides else Extend()


def _aspect(found: Found) -> tuple[int, int]:
    (term,) = found.part("aspect")
    wide, high = (int(number) for number in str(term.roles["ASPECT"]).split(":"))
    # `1080 x 1080` asks for pixels, `put it in a landscape` for a place.
    other = max(wide, high) > _WIDEST_RATIO or (term.named and term.key == "landscape")
    if other or not (wide and high) or not 1 / 4 <= wide / high <= 4:
        raise TooMuchError([term])
    return wide, high


def bordered(found: Found) -> Reading | None:
    ink = found.terms
    frame = next(i for i, term in enumerate(ink) if term.plays("BORDER"))
    if ink[frame].text.startswith("my ") or (frame and ink[frame - 1].key == "fit"):
        return None  # it has one, at home
    if frame + 1 < len(ink) and ink[frame + 1].plays("FROM", "OF"):
        return None  # a frame from a film
    widths = [float(t.roles["WIDTH"]) for t in ink if t.plays("WIDTH")]
    hues = [t for t in ink if t.plays("HUE")]
    if len(widths) > 1 or len(hues) > 1:
        raise TooMuchError([t for t in ink if t.plays("WIDTH", "HUE")])
    others = [t for t in ink if t.plays("LIGHTEN", "DEEPEN") and not t.plays("HUE")]
    if others and not hues:
        raise TooMuchError(others)
    colour = shaded(hues[0], others) if hues else _WHITE
    return Border(colour, widths[0]) if widths else Border(colour)


def enlarged(found: Found) -> Reading | None:
    at = next((i for i, t in enumerate(found.terms) if t.plays("NUMBER") and not t.plays("TIMES")), 0)
    if at and not found.terms[at - 1].plays("BYFACTOR", "TO", "FOR"):
        return None  # increase the size 2
    factor = found.part("factor")
    times = float(next(iter(factor[0].roles[r] for r in ("TIMES", "NUMBER") if r in factor[0].roles))) if factor else 2
    if times not in range(2, _MOST_TIMES + 1):
        raise TooMuchError(factor)
    return Enlarge(int(times))
