"""Which of a prompt's colours belongs to which of its wishes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from typing import Final

from tollbrush.engines.studio.understanding.second_reading.network import Read
from tollbrush.engines.studio.understanding.second_reading.sentences import PLAIN
from tollbrush.engines.studio.understanding.second_reading.tokens import QUOTED, Token


class TwiceError(Exception):
    """Two colours, sizes or places where there can be one."""


def only(values: Sequence[str]) -> str | None:
    """None of none. Raises TwiceError of several."""
    if len(set(values)) > 1:
        raise TwiceError
    return values[0] if values else None


def colours(part: str, tokens: Sequence[Token], told: Read) -> list[str]:
    """Those that play the part, each once: a code's name (`#003366, our blue`) is left out."""
    found = list(dict.fromkeys(" ".join(run) for _, run in runs(tokens, told.parts, part)))
    codes = [colour for colour in found if colour[0] == "#"]
    return codes if part in _OF_ONE and len(codes) == 1 else found


def worn_colours(wish: str, tokens: Sequence[Token], told: Read) -> list[str]:
    """Of several things worn each colour is of the nearest; of two as near, of the one that it stands before."""
    worn = [(at, one) for at, token in enumerate(tokens) for one in told.wishes if _role_of(one) in token.roles]
    if {one for _, one in worn} != {one for one in told.wishes if one.startswith("wear")}:
        raise TwiceError
    found = []
    for first, run in runs(tokens, told.parts, "wear"):
        nearest = min(worn, key=lambda place: (abs(place[0] - first), place[0] < first))
        if nearest[1] == wish:
            found.append(" ".join(run))
    return found


def _role_of(wish: str) -> str:
    return f"WEAR={wish.removeprefix('wear ')}"


def runs(tokens: Sequence[Token], played: Sequence[str], part: str) -> Iterator[tuple[int, list[str]]]:
    """Words side by side that play the part, and where; of a colour with the shade before it."""
    at = 0
    for one, run in groupby(zip(tokens, played, strict=True), key=lambda pair: pair[1]):
        words = [token.word for token, _ in run]
        if one == part and words != [QUOTED]:
            shade = tokens[at - 1] if at and part != "text" else None
            yield at, [shade.word, *words] if shade and {"LIGHTEN", "DEEPEN"} & {*shade.roles} else words
        at += len(words)


def leaves_a_colour(tokens: Sequence[Token], told: Read) -> bool:
    """`a purple sunset`: the colour of what has none to choose."""
    takes = {wish.split(" ")[0] for wish in told.wishes - {*PLAIN}}
    takes |= {"from", "into"} if "recolour" in takes else set()
    if {*told.parts} & {*_OF_ONE} - takes:
        return True
    return any(
        "HUE" in token.roles and part not in takes and not {*token.roles} & _WISHED and {*after.roles} & _WISHED
        for token, part, after in zip(tokens, told.parts, tokens[1:], strict=False)
    )


def gives_it_to_another(tokens: Sequence[Token], told: Read) -> bool:
    """A colour that stands beside one wish and is taken for that of another: `a crown in gold, and "Mia"`."""
    clause = clause_numbers(tokens)
    takers = {(clause[at], wish.split(" ")[0]) for wish, at in told.places.items() if wish not in PLAIN}
    takers |= {(clause[at], "write") for at, token in enumerate(tokens) if token.word == QUOTED}
    return any(
        (clause[at], part) not in takers and any(number == clause[at] and kind in _OF_ONE for number, kind in takers)
        for part in _OF_ONE
        for at, _ in runs(tokens, told.parts, part)
    )


def clause_numbers(tokens: Sequence[Token]) -> list[int]:
    """By token."""
    return list(accumulate(int("JOINT" in token.roles) for token in tokens))


_OF_ONE: Final = ("background", "wear", "border", "write")
_WISHED: Final = {"SCENE", "SKYLOOK", "WEAR", "STYLE", "WEATHER"}
