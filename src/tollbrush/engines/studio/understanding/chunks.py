"""Noun phrases as one term each: `the old photo of my dog` is a picture, `everything that is behind us` a background.

Only where nothing is masked: a mask shows which thing is meant, and its name may hold any words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from tollbrush.engines.studio.understanding.grammar import LONGEST, compiled, encoded
from tollbrush.engines.studio.understanding.words import Term

Build = Callable[[Sequence[Term]], Term | None]


def chunked(terms: Sequence[Term]) -> Sequence[Term]:
    """The clause with its noun phrases shortened, or itself where there is none."""
    for pattern, build in _chunks() if len(terms) <= LONGEST else ():
        at = 0
        while match := pattern.search(encoded(terms[at:])):
            start = at + match.string.count(";", 0, match.start())
            end = at + match.string.count(";", 0, match.end())
            before = terms[start - 1] if start else None
            head = build(terms[start:end]) if before is None or not before.plays(*_DESCRIBED) else None
            if head is not None:
                terms = [*terms[:start], head, *terms[end:]]
            at = start + 1
    return terms


_DESCRIBED: Final = ("UNKNOWN", "PERSON", "THING", "WEAR", "AREA", "HEAD", "TEXT", "WATERMARK")
"""What is described by a phrase after it: `the man behind me`, `the sign behind me`."""


def _last(part: Sequence[Term]) -> Term:
    return _spoken(part, part[-1])


def _first(part: Sequence[Term]) -> Term:
    return _spoken(part, part[0])


def _spoken(part: Sequence[Term], head: Term) -> Term:
    return Term(" ".join(term.text for term in part), head.key, head.roles, head.named)


def _named(part: Sequence[Term]) -> Term | None:
    """`my friend's dog`, `my dog Bella`, but not `make her a queen`."""
    return None if part[-1].named else _last(part)


def _alone(role: str) -> Build:
    def build(part: Sequence[Term]) -> Term:
        term = next(term for term in part if term.plays(role))
        return Term(" ".join(t.text for t in part), term.key, {role: ""}, term.named)

    return build


def _several(part: Sequence[Term]) -> Term:
    return Term(" ".join(term.text for term in part), part[-1].key, {"THING": ""})


def _once(part: Sequence[Term]) -> Term | None:
    """`widescreen 16:9`."""
    ratios = {term.roles["ASPECT"] for term in part if term.plays("ASPECT")}
    return _last(part) if len(ratios) == 1 else None


def _sky_above(part: Sequence[Term]) -> Term | None:
    """`stars in the sky above our house`."""
    if part[-1].text.split()[0] not in _OF_THIS:
        return None  # above a castle, over us
    if part[0].plays("WHOLESKY"):
        return part[0]
    scene = str(part[0].roles["SCENE"])
    above = part[1].key in ("above", "over") and "sky" in part[0].key
    return Term(part[0].text, part[0].key, {"WHOLESKY": scene}) if above and scene in _SKIES else None


_OF_THIS: Final = ("the", "my", "our", "this", "his", "her", "their")
_SKIES: Final = ("starry", "sunset", "night", "blue_sky")


def _this_picture(part: Sequence[Term]) -> Term | None:
    """`this facade shot`, `this night photo`."""
    return _alone("PICTURE")(part) if part[0].key in ("this", "that") else None


def _titled(part: Sequence[Term]) -> Term | None:
    """`uncle Bob`."""
    return _first(part) if part[0].key in _TITLES else None


_TITLES: Final = (
    "uncle", "aunt", "auntie", "aunty", "cousin", "grandpa", "grandma", "granny", "nana", "nan", "grandad", "mr", "mrs",
    "miss", "dr", "captain", "sister", "brother", "queen", "king", "prince", "princess",
)  # fmt: skip


def _behind(part: Sequence[Term]) -> Term:
    return Term(" ".join(term.text for term in part), "background", {"BG": ""})


def _as_it_is(part: Sequence[Term]) -> Term | None:
    """`my messy background`; of a colour it may be the one that is wanted."""
    return None if part[0].plays("HUE") else _behind(part)


def _replaced(part: Sequence[Term]) -> Term | None:
    """`instead of my messy table`: it goes with the background, unless it is alive or worn."""
    if len(part) == 3 and part[-1].plays("IT"):
        return None  # this one: the background, or the sky?
    if any(term.plays("PERSON", "ANIMAL", "WEAR", "HEAD", "PICTURE") for term in part):
        return None
    role = "SKYGONE" if any(term.plays("SKY", "OLDSKY") for term in part) else "INSTEAD"
    return Term(" ".join(term.text for term in part), "instead", {role: "", "INSTEAD": ""})


_ADJECTIVES: Final = "(?:NICE|STATE|HUE|AGED|SIZE|LIGHTEN|DEEPEN|OFF){0,4}"
_SAID_OF_PICTURE: Final = "(?:NICE|STATE|AGED|SIZE|PERSON|THING|PURPOSE|COMPLAINT)"
_GONE: Final = "(?:UNKNOWN|THING|STATE|HUE|NICE|BG|SKY|OLDSKY|IT|COMPLAINT|OF|IN|PLAIN|AGED|PURPOSE|ROOM|LAND)"
_SHAPES: Final[tuple[tuple[str, Build], ...]] = (
    ("ASPECT RATIO* ASPECT", _once),
    (f"(?:INSTEAD OF | INSTEADOF) {_GONE}+$", _replaced),
    (f"{_ADJECTIVES} WHO (?:JOINT WHO)+", _several),
    (f"{_ADJECTIVES} WHO WHO (?!PICTURE)", _named),
    ("(?:NICE|STATE|HUE|AGED|SIZE|COMPLAINT){1,4} WHO", _last),
    (f"{_SAID_OF_PICTURE} EFFECT? {_SAID_OF_PICTURE}{{0,3}} PICTURE", _alone("PICTURE")),
    ("PICTURE (?:OF|WITH|FROM|SHOWS|IN) WHO (?:(?:WITH|IN|ON|AND) WHO)?", _alone("PICTURE")),
    ("(?:SCENE|LOOK|ROOM|LAND|WEATHER) PICTURE (?=(?:FROM|IS|LOOKS))", _alone("PICTURE")),
    ("PICTURE (?:OF|WITH|FROM) (?:IT|SELF)", _alone("PICTURE")),
    ("ROOM (?:BEHIND|AROUND) (?:WHO|IT)", _behind),
    ("(?:EVERYTHING|WHICHIS|IS|THINGS){1,3} (?:IN|FROM|AT) BG", _behind),
    ("(?:EVERYTHING|WHICHIS|IS|THINGS){0,3} (?:BEHIND|AROUND) OF? (?:WHO|IT|PICTURE)", _behind),
    ("(?:EVERYTHING|WHICHIS|IS){1,3} BEHIND$", _behind),
    ("SKY (?:ON|OF|IN|BEHIND) (?:LAND|WHO|PICTURE)", _first),
    ("(?:SCENE|WHOLESKY) ON (?:STATE|AGED|NICE|HUE)* (?:LAND|THING)", _sky_above),
    ("IT (?:UNKNOWN|SCENE|WEATHER|LAND|ROOM){1,2} PICTURE", _this_picture),
    ("(?:STATE|PLAIN|COMPLAINT|DULL|NICE){1,3} (?:HIGHLIGHTS|SHADOWS)", _last),
    ("PERSON UNKNOWN$", _titled),
    ("BG (?:OF|FROM|IN|BEHIND|AROUND|TO|FOR) (?:WHO|IT|PICTURE) (?:PICTURE|BG)?", _behind),
    ("(?:STATE|AGED|COMPLAINT|PERSON|THING|PICTURE) BG", _as_it_is),
)  # fmt: skip


@cache
def _chunks() -> tuple[tuple[re.Pattern[str], Build], ...]:
    return tuple((compiled(rf"(?<![^;]){pattern}"), build) for pattern, build in _SHAPES)
