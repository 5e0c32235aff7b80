"""Word orders that no rule foresaw: a clause made of nothing but the parts of one wish, in whatever order.

Tried only where no rule of the grammar takes the clause. Every term must be a part of the wish or a word that holds
sentences together, so that still nothing is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from tollbrush.engines.studio.understanding.asked import Wish
from tollbrush.engines.studio.understanding.grammar import LONGEST
from tollbrush.engines.studio.understanding.reading import Found, Reading, TooMuchError
from tollbrush.engines.studio.understanding.retouch_wishes import ON_PICTURE
from tollbrush.engines.studio.understanding.wishes import ON_SUBJECT
from tollbrush.engines.studio.understanding.words import Term


class Gathered(Found):
    """A clause whose parts stand anywhere in it."""

    def __init__(self, terms: Sequence[Term], parts: Mapping[str, Sequence[Term]]) -> None:
        self.terms, self._parts = terms, parts

    def part(self, name: str) -> Sequence[Term]:
        return self._parts.get(name, ())


def loosely(terms: Sequence[Term]) -> set[Reading]:
    """All that the terms may mean in any order."""
    found: set[Reading] = set()
    for wish in (*ON_SUBJECT, *ON_PICTURE) if len(terms) <= LONGEST else ():
        with suppress(TooMuchError):
            parts = _gathered(terms, wish)
            if parts and all(ask(terms, parts) for ask in wish.when):
                reading = wish.build(Gathered(terms, parts))
                if reading is not None:
                    found.add(reading)
    return found


def _gathered(terms: Sequence[Term], wish: Wish) -> dict[str, Sequence[Term]] | None:
    """The terms by the part they play: of every needed part exactly one."""
    parts: dict[str, Sequence[Term]] = {}
    left = list(terms)
    for name, roles in wish.needs.items():
        fit = [term for term in left if term.plays(*roles)]
        if not fit or len({value_of(term, roles) for term in fit}) > 1:
            return None
        parts[name] = fit[:1]  # a beach with the sea: two words for one thing
        left = [term for term in left if term not in fit]
    for name, roles in wish.some.items():
        parts[name] = [term for term in left if term.plays(*roles)]
        left = [term for term in left if not term.plays(*roles)]
    takes_away = [role for role in _TAKE_AWAY if role not in wish.may]
    return parts if all(term.plays(*wish.may) and not term.plays(*takes_away) for term in left) else None


_TAKE_AWAY: Final = ("REMOVE", "CUT", "TAKE", "NOT", "NO", "EXCEPT")


def value_of(term: Term, roles: Sequence[str]) -> str | float:
    """What tells two of them apart: two verbs are two."""
    return next(term.roles[role] for role in roles if role in term.roles) or term.key
