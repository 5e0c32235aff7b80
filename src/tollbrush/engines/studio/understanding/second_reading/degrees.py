"""How much of a wish is wished for: `a bit brighter, and blur the background a lot`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tollbrush.engines.studio.understanding.second_reading.colours import TwiceError, clause_numbers
from tollbrush.engines.studio.understanding.second_reading.network import Read
from tollbrush.engines.studio.understanding.second_reading.tokens import Token, starts
from tollbrush.engines.studio.understanding.words import Term

_GRADED: Final = ("tone", "blur", "sharpen", "denoise", "vignette", "weather")


def degrees(terms: Sequence[Term], tokens: Sequence[Token], told: Read) -> dict[str, str]:
    """Wish → what is said after it. Raises TwiceError of one that has two."""
    found: dict[str, str] = {}
    for at, term in zip(starts(terms), terms, strict=True):
        wish = None if term.degree is None else _of(at, tokens, told)
        if wish is not None and term.degree is not None:
            degree = " a little" if term.degree < 1 else " a lot"
            if found.setdefault(wish, degree) != degree:
                raise TwiceError
    return found


def _of(at: int, tokens: Sequence[Token], told: Read) -> str | None:
    """The wish that the word there grades: the nearest of its clause, or, if it stands by itself, the one before it."""
    clause = clause_numbers(tokens)
    places = {wish: told.places.get(wish, 0) for wish in told.wishes}
    here = [wish for wish, place in places.items() if clause[place] == clause[at]]
    if here:
        nearest = min(here, key=lambda wish: abs(places[wish] - at))
        return nearest if _is_graded(nearest) else None
    beside = [token for token, number in zip(tokens, clause, strict=True) if number == clause[at]]
    if not all({*token.roles} & {"DEGREE", "JOINT", "COURTESY", "MORE"} for token in beside):
        return None
    graded = sorted(filter(_is_graded, told.wishes), key=lambda wish: (places[wish] > at, abs(places[wish] - at)))
    return graded[0] if graded else None


def _is_graded(wish: str) -> bool:
    return wish.split(" ")[0] in _GRADED
