"""Wishes and the words that play a part in them, put as the rules take them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tollbrush.engines.studio.understanding.second_reading.colours import (
    TwiceError,
    colours,
    gives_it_to_another,
    leaves_a_colour,
    only,
    runs,
    worn_colours,
)
from tollbrush.engines.studio.understanding.second_reading.degrees import degrees
from tollbrush.engines.studio.understanding.second_reading.network import Read
from tollbrush.engines.studio.understanding.second_reading.reservations import reserved, values
from tollbrush.engines.studio.understanding.second_reading.sentences import FRAMED, PLAIN, PLAIN_OF_ONE_COLOUR
from tollbrush.engines.studio.understanding.second_reading.tokens import Token
from tollbrush.engines.studio.understanding.unquoted import whole
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term, read


def restated(prompt: str, tokens: Sequence[Token], told: Read) -> str | None:
    """None where a wish lacks what it needs, or there are two of it."""
    try:
        return _restated(prompt, tokens, told)
    except TwiceError:
        return None


def _restated(prompt: str, tokens: Sequence[Token], told: Read) -> str | None:
    terms = read(prompt)
    if any(term.plays("STOPS", "STEP", "PERCENT") for term in terms):
        return None  # what it says of an amount must not be lost
    if leaves_a_colour(tokens, told) or gives_it_to_another(tokens, told) or reserved(tokens, terms, told):
        return None
    sentences = {wish: _sentence(wish, prompt, tokens, terms, told) for wish in sorted(told.wishes)}
    if None in sentences.values():
        return None
    degree = degrees(terms, tokens, told)
    return " and ".join(f"{sentence}{degree.get(wish, '')}" for wish, sentence in sentences.items())


def _sentence(wish: str, prompt: str, tokens: Sequence[Token], terms: Sequence[Term], told: Read) -> str | None:
    if wish in PLAIN:
        return PLAIN[wish]
    if wish in FRAMED:
        value = only(values(terms, FRAMED[wish].role))
        return None if value is None else FRAMED[wish].sentence.format(value)
    if wish in _FROM_TERMS:
        return _FROM_TERMS[wish](terms)
    kind = wish.split(" ", maxsplit=1)[0]
    if kind in ("write", "watermark"):
        return _written(kind, prompt, tokens, terms, told)
    if kind in ("recolour", "swap"):
        return _two_colours(kind, tokens, told)
    several = kind == "wear" and sum(one.startswith("wear") for one in told.wishes) > 1
    found = worn_colours(wish, tokens, told) if several else colours(kind, tokens, told)
    codes = [term.key for term in terms if term.key[0] == "#"] if len(told.wishes - {*PLAIN}) == 1 else []
    one = only(found or codes)
    if kind == "border":
        return f"add a {_width(terms)} {one or 'white'} border"
    if one is None and wish in ("background plain", "keepcolour"):
        return None
    return " ".join(PLAIN_OF_ONE_COLOUR[wish].format(one or "").split())


def _two_colours(kind: str, tokens: Sequence[Token], told: Read) -> str | None:
    if kind == "swap":
        two = [one.removesuffix("s") for one in colours("swap", tokens, told)]
        return f"swap {two[0]} and {two[1]}" if len(two) == 2 else None
    old, new = (only(colours(part, tokens, told)) for part in ("from", "into"))
    return f"change the {old.removesuffix('s')} to {new.removesuffix('s')}" if old and new else None


def _written(kind: str, prompt: str, tokens: Sequence[Token], terms: Sequence[Term], told: Read) -> str | None:
    text = _text(prompt, tokens, terms, told.parts)
    if text is None or {"write", "watermark"} <= told.wishes:
        return None
    if kind == "watermark":
        if colours("write", tokens, told) or values(terms, "SIZE", "PLACE"):
            return None  # it has its own
        return f'add the watermark "{text}"'
    colour, size = only(colours("write", tokens, told)), only(values(terms, "SIZE"))
    return f'write "{text}"{_place(terms)}{f" in {colour}" if colour else ""}{_SIZES.get(size or "", "")}'


def _text(prompt: str, tokens: Sequence[Token], terms: Sequence[Term], played: Sequence[str]) -> str | None:
    """Quoted, or else in the writer's own letters."""
    quoted = [str(term.roles["QUOTE"]) for term in terms if term.plays("QUOTE")]
    if quoted:
        return None if '"' in quoted[0] else only(quoted)
    told = [run for _, run in runs(tokens, played, "text")]
    if len(told) != 1:
        return None
    first = next((at for at, word in enumerate(told[0]) if word not in _ANNOUNCES), 0)
    words = r"\W*?".join(map(re.escape, told[0][first:]))
    found = list(re.finditer(rf"{_BEGINS}(?i:{words})", prompt))
    if len(found) != 1 or _goes_on_in_capitals(prompt, found[0]):
        return None
    text = whole(prompt, *found[0].span())
    return None if text is None else prompt[slice(*text)]


def _goes_on_in_capitals(prompt: str, found: re.Match[str]) -> bool:
    """`NOT` of `big white NOT TODAY`."""
    before, after = prompt[: found.start()].split()[-1:], prompt[found.end() :].split()[:1]
    beside = any(len(word) > 1 and word.isupper() for word in (*before, *after))
    return beside and found[0].isupper() and not prompt.isupper()


def _place(terms: Sequence[Term]) -> str:
    """`at the top left`; nothing where none is told."""
    told = {word for value in values(terms, "PLACE", "SIDE") for word in value.split()}
    words = [word for word in ("top", "bottom", "centre", "left", "right") if word in told]
    return f" at the {' '.join(words)}" if words else ""


def _sides(terms: Sequence[Term]) -> str | None:
    """Those that are named; of `wider on the right` only the right one."""
    places = [at for at, term in enumerate(terms) if term.plays("SIDE")]
    if places and any(term.plays(UNKNOWN) for term in terms[places[0] : places[-1]]):
        return None  # on the left hand, we read from right
    sides = [value.split() for value in values(terms, "SIDE")]
    single = [side for side in sides if len(side) == 1]
    told = {word for side in single or sides for word in side}
    told |= {_OVER[term.key] for term in terms if not sides and term.key in _OVER}
    words = [_WAYS[side] for side in ("left", "right", "top", "bottom") if side in told]
    return f"extend it {' and '.join(words)}" if words else None


def _turn(terms: Sequence[Term]) -> str | None:
    degrees, clock = only(values(terms, "DEGREES")), only(values(terms, "CLOCK"))
    if degrees is None or any(term.key in ("minus", "negative", "other", "opposite") for term in terms):
        return None
    left = clock == "-1.0" or degrees.startswith("-")
    return f"rotate it by {degrees.lstrip('-')} degrees{' counterclockwise' if left else ''}"


def _times(terms: Sequence[Term]) -> str | None:
    if len(terms) > 1 and not any(_OF_SIZE.search(term.key) for term in terms):
        return None  # twice as bright
    words = [_NUMBERS[term.key] for term in terms if term.key in _NUMBERS]
    times = only(values(terms, "TIMES", "NUMBER") or words)
    return None if times is None else f"enlarge it {times} times"


def _width(terms: Sequence[Term]) -> str:
    """`a thin gold frame`; not of `our little gallery`."""
    places = [at for at, term in enumerate(terms) if term.plays("BORDER")]
    told = [
        term
        for at, term in enumerate(terms)
        if term.key not in _OF_ANY_SIZE or any(abs(at - place) <= _BESIDE for place in places)
    ]
    share = only(values(told, "WIDTH"))
    return {None: "", "0.02": "thin"}.get(share, "wide")


_OF_ANY_SIZE: Final = ("little", "small", "big", "large", "tiny", "huge")
_BESIDE: Final = 6  # terms
_OVER: Final = {"above": "top", "below": "bottom", "beneath": "bottom", "underneath": "bottom"}
_ANNOUNCES: Final = ("saying", "says", "reading", "reads")
_OF_SIZE: Final = re.compile(r"\b(?:larg|big|siz|enlarg|upscal|scal|resol|res\b|pixel|zoom|upsiz|blow)")
_NUMBERS: Final = {"two": "2", "three": "3", "four": "4"}
_FROM_TERMS: Final = {"extend sides": _sides, "rotate N": _turn, "enlarge": _times}
_WAYS: Final = {"left": "to the left", "right": "to the right", "top": "upwards", "bottom": "downwards"}
# Not `5` of `9-5`.
_BEGINS: Final = r"(?<![^\s:(])"
_SIZES: Final = {"1.8": ", large", "0.6": ", small"}
