"""Wishes and the words that play a part in them, put as the rules take them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, cast

from tollbrush.engines.studio.plans.kinds import OPPOSITE, ToneKind
from tollbrush.engines.studio.understanding.clauses import clauses
from tollbrush.engines.studio.understanding.second_reading.colours import (
    TwiceError,
    clause_numbers,
    colours,
    gives_it_to_another,
    leaves_a_colour,
    only,
    runs,
    worn_colours,
)
from tollbrush.engines.studio.understanding.second_reading.degrees import degrees
from tollbrush.engines.studio.understanding.second_reading.network import Read
from tollbrush.engines.studio.understanding.second_reading.sentences import FRAMED, PLAIN, PLAIN_OF_ONE_COLOUR
from tollbrush.engines.studio.understanding.second_reading.tokens import Token
from tollbrush.engines.studio.understanding.unquoted import whole
from tollbrush.engines.studio.understanding.words import Term, read


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
    if (
        leaves_a_colour(tokens, told)
        or gives_it_to_another(tokens, told)
        or (_is_negated(terms) and not told.wishes & {"write", "watermark"})
        or _spares_the_background(terms)
        or _is_of_a_thing(terms)
        or _is_what_it_is_for(tokens, told)
        or _replaces_someone(terms)
        or _is_there(terms, told)
        or _is_so_already(tokens, told)
        or _is_of_another_tint(terms, told)
        or _is_of_the_background(tokens, told)
    ):
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
        value = only(_values(terms, FRAMED[wish].role))
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
        two = colours("swap", tokens, told)
        return f"swap {two[0]} and {two[1]}" if len(two) == 2 else None
    old, new = (only(colours(part, tokens, told)) for part in ("from", "into"))
    return f"change the {old} to {new}" if old and new else None


def _written(kind: str, prompt: str, tokens: Sequence[Token], terms: Sequence[Term], told: Read) -> str | None:
    text = _text(prompt, tokens, terms, told.parts)
    if text is None or {"write", "watermark"} <= told.wishes:
        return None
    if kind == "watermark":
        return f'add the watermark "{text}"'
    colour, size = only(colours("write", tokens, told)), only(_values(terms, "SIZE"))
    return f'write "{text}"{_place(terms)}{f" in {colour}" if colour else ""}{_SIZES.get(size or "", "")}'


def _text(prompt: str, tokens: Sequence[Token], terms: Sequence[Term], played: Sequence[str]) -> str | None:
    """Quoted, or else in the writer's own letters."""
    quoted = [str(term.roles["QUOTE"]) for term in terms if term.plays("QUOTE")]
    if quoted:
        return None if '"' in quoted[0] else only(quoted)
    told = [run for _, run in runs(tokens, played, "text")]
    if len(told) != 1:
        return None
    words = r"\W*?".join(map(re.escape, told[0]))
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


def _is_negated(terms: Sequence[Term]) -> bool:
    """In every clause, so that what is not wished cannot be told from what is; or by one of nothing else: `… not!`."""
    told = [[term.key for term in clause.terms] for clause in clauses(terms)]
    return all(any(map(_NEGATION.search, keys)) for keys in told) or ["not"] in told or ["never"] in told


def _spares_the_background(terms: Sequence[Term]) -> bool:
    """`remove everything except the background`; `blur me, not the background`."""
    return any((one.plays("EXCEPT") or one.key == "not") and other.plays("BG") for one, other in pairwise(terms))


def _is_what_it_is_for(tokens: Sequence[Token], told: Read) -> bool:
    """A second wish in words that say what the first is for: `… for my lip gloss listing`."""
    words = [token.word for token in tokens]
    for at in (at for at, pair in enumerate(pairwise(words)) if pair[0] == "for" and pair[1] in _WHOSE):
        ends = next((end for end in range(at, len(words)) if words[end] in _PARTED), len(words))
        inside = [at < place < ends for place in told.places.values()]
        if any(inside) and not all(inside):
            return True
    return False


def _is_of_a_thing(terms: Sequence[Term]) -> bool:
    """`the colours of the sneakers`: not the picture's."""
    return any(
        one.plays("COLOURS", "TONES") and of.plays("OF") and thing.plays("UNKNOWN", "THING", "WEAR")
        for one, of, thing in zip(terms, terms[1:], terms[2:], strict=False)
    )


def _replaces_someone(terms: Sequence[Term]) -> bool:
    """`mountains instead of the dog`."""
    of = zip(terms, terms[1:], terms[2:], strict=False)
    return any(a.plays("INSTEAD") and b.plays("OF") and c.plays("PERSON", "ANIMAL") for a, b, c in of)


def _is_there(terms: Sequence[Term], told: Read) -> bool:
    """`there's a crown on her head`."""
    tells = [clause.terms for clause in clauses(terms) if clause.terms[0].plays("THERE")]
    return any(f"wear {term.roles.get('WEAR')}" in told.wishes for clause in tells for term in clause)


def _is_so_already(tokens: Sequence[Token], told: Read) -> bool:
    """`it's a bit faded from the sun, boost the contrast` wishes for no fading."""
    for wish, at in told.places.items() if len(told.wishes) > 1 else ():
        kind = wish.split(" ")[-1]
        said = next(
            (one for one in reversed(tokens[:at]) if not {"DEGREE", "TOO", "SO", "COURTESY"} & {*one.roles}), None
        )
        if said and "IS" in said.roles and any(role.endswith(f"={kind}") for role in tokens[at].roles):
            return True
    return False


def _is_of_another_tint(terms: Sequence[Term], told: Read) -> bool:
    """Less yellow, of a green cast."""
    named = {*_values(terms, "TINT")}
    tints = {wish.removeprefix("tone ") for wish in told.wishes} & _TINTS
    return bool(named) and any(not named & {tint, OPPOSITE[cast(ToneKind, tint)]} for tint in tints)


def _is_of_the_background(tokens: Sequence[Token], told: Read) -> bool:
    """A tone of the picture, of `the background should get more contrast`."""
    if any("background" in wish or wish == "cut out" for wish in told.wishes):
        return False
    clause = clause_numbers(tokens)
    toned = {clause[at] for wish, at in told.places.items() if wish.startswith("tone ")}
    grounds = {number for number, token in zip(clause, tokens, strict=True) if "BG" in token.roles}
    whole = {number for number, token in zip(clause, tokens, strict=True) if {"PICTURE", "FOR"} & {*token.roles}}
    return bool(toned & grounds - whole)


def _values(terms: Sequence[Term], *roles: str) -> list[str]:
    return [f"{term.roles[role]}" for term in terms for role in roles if role in term.roles]


def _place(terms: Sequence[Term]) -> str:
    """`at the top left`; nothing where none is told."""
    told = {word for value in _values(terms, "PLACE", "SIDE") for word in value.split()}
    words = [word for word in ("top", "bottom", "centre", "left", "right") if word in told]
    return f" at the {' '.join(words)}" if words else ""


def _sides(terms: Sequence[Term]) -> str | None:
    told = {word for value in _values(terms, "SIDE") for word in value.split()}
    words = [_WAYS[side] for side in ("left", "right", "top", "bottom") if side in told]
    return f"extend it {' and '.join(words)}" if words else None


def _turn(terms: Sequence[Term]) -> str | None:
    degrees, clock = only(_values(terms, "DEGREES")), only(_values(terms, "CLOCK"))
    if degrees is None or any(term.key in ("minus", "negative", "other", "opposite") for term in terms):
        return None
    left = clock == "-1.0" or degrees.startswith("-")
    return f"rotate it by {degrees.lstrip('-')} degrees{' counterclockwise' if left else ''}"


def _times(terms: Sequence[Term]) -> str | None:
    if len(terms) > 1 and not any(_OF_SIZE.search(term.key) for term in terms):
        return None  # twice as bright
    words = [_NUMBERS[term.key] for term in terms if term.key in _NUMBERS]
    times = only(_values(terms, "TIMES", "NUMBER") or words)
    return None if times is None else f"enlarge it {times} times"


def _width(terms: Sequence[Term]) -> str:
    share = only(_values(terms, "WIDTH"))
    return {None: "", "0.02": "thin"}.get(share, "wide")


_TINTS: Final = {"more_red", "more_orange", "more_yellow", "more_blue", "more_green", "more_pink"}
_WHOSE: Final = ("my", "our", "his", "her", "their", "the", "a", "an")
_PARTED: Final = (",", ".", ";", ":", "and", "with", "plus", "then", "&", "+", "!", "-", "–")
_OF_SIZE: Final = re.compile(r"\b(?:larg|big|siz|enlarg|upscal|scal|resol|res\b|pixel|zoom|upsiz|blow)")
_NUMBERS: Final = {"two": "2", "three": "3", "four": "4"}
_FROM_TERMS: Final = {"extend sides": _sides, "rotate N": _turn, "enlarge": _times}
_WAYS: Final = {"left": "to the left", "right": "to the right", "top": "upwards", "bottom": "downwards"}
# Not `5` of `9-5`.
_BEGINS: Final = r"(?<![^\s:(])"
_NEGATION: Final = re.compile(r"\b(?:not|never|cannot|(?:do|ca|wo|did|is|does|was|should|would|could)nt)\b|n't$")
_SIZES: Final = {"1.8": ", large", "0.6": ", small"}
