"""Word orders that no rule foresaw: a clause made of nothing but the parts of one wish, in whatever order.

Tried only where no rule of the grammar takes the clause. Every term must be a part of the wish or a word that holds
sentences together, so that still nothing is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from tollbrush.engines.studio.abilities import BlurBackground, RemoveBackground, ReplaceBackground, Wear
from tollbrush.engines.studio.lexicon import COLOURED_SCENES, TINGES, Accessory, Scene
from tollbrush.engines.studio.reading import Reading, TooMuchError, moods, shaded
from tollbrush.engines.studio.treatments import Style, StyleKind
from tollbrush.engines.studio.words import Term

Part = Sequence[Term]
_GLUE: Final = ("TO", "AS", "WITH", "BE", "IN", "ON", "OF", "FOR", "AT", "PICTURE", "IT", "EFFECT", "HUEWORD", "OUT")
_PUT: Final = ("CHANGE", "ADD", "MOVE", "PAINT")
_TOWARDS: Final = ("TO", "AS", "WITH", "BE", "IN", "OF", "FOR", "HUEWORD", "LOOKS", *_PUT)


@dataclass(frozen=True)
class _Wish:
    """`needs`: groups of roles, of each group exactly one term; `may`: what may stand around them."""

    needs: tuple[tuple[str, ...], ...]
    may: tuple[str, ...]
    build: Callable[[Part, Part, Part], Reading | None]
    """From the terms, the needed ones in the order of `needs`, and the others."""


def loosely(terms: Sequence[Term]) -> set[Reading]:
    """All that the terms may mean in any order."""
    found: set[Reading] = set()
    for wish in _WISHES:
        with suppress(TooMuchError):
            if (parts := _sorted(terms, wish)) and (reading := wish.build(terms, *parts)) is not None:
                found.add(reading)
    return found


def _sorted(terms: Sequence[Term], wish: _Wish) -> tuple[list[Term], list[Term]] | None:
    needed: list[Term] = []
    for roles in wish.needs:
        fit = [term for term in terms if term.plays(*roles) and not any(term is other for other in needed)]
        if len(fit) != 1:
            return None
        needed.append(fit[0])
    others = [term for term in terms if not any(term is other for other in needed)]
    return (needed, others) if all(term.plays(*wish.may) for term in others) else None


def _at(terms: Sequence[Term], term: Term) -> int:
    return next(i for i, other in enumerate(terms) if other is term)


def _is_goal(terms: Sequence[Term], goal: Term, ground: Term) -> bool:
    """`a blue background` may be what is there: what is wanted comes after it, or after a word that leads to it."""
    at = _at(terms, goal)
    while at > 0 and terms[at - 1].plays("LIGHTEN", "DEEPEN", "FLAT", "NICE", "MOOD"):
        at -= 1
    return at > _at(terms, ground) or (at > 0 and terms[at - 1].plays(*_TOWARDS) and not terms[at - 1].plays("CHANGE"))


def _coloured(terms: Part, needed: Part, others: Part) -> Reading | None:
    ground, hue = needed
    shades = [t for t in others if t.plays("LIGHTEN", "DEEPEN", "FLAT")]
    return ReplaceBackground(None, shaded(hue, shades)) if _is_goal(terms, hue, ground) else None


def _painted(terms: Part, needed: Part, others: Part) -> Reading | None:
    ground, term = needed
    scene = cast(Scene, term.roles["SCENE"])
    traits = [t for t in others if t.plays("MOOD", "HUE") and not t.plays("NICE", *_GLUE)]
    if scene in COLOURED_SCENES or not _is_goal(terms, term, ground):
        return None
    return ReplaceBackground(scene, moods=moods(traits, TINGES.get(scene, {})))


def _worn(terms: Part, needed: Part, others: Part) -> Reading | None:
    kind = cast(Accessory, needed[0].roles["WEAR"])
    bearers = [t for t in others if t.plays("PERSON")]
    asked = any(t.plays("ADD", "MOVE", "CHANGE", "WEARS") for t in others)
    return Wear(kind) if asked and len(bearers) == 1 else None


def _styled(terms: Part, needed: Part, others: Part) -> Reading | None:
    """`a drawing of my dog`, which is there, but not `a drawing of a dog`, which is to be invented."""
    things = [i for i, t in enumerate(terms) if t.plays("PERSON", "THING")]
    there = all(i and terms[i - 1].plays("OF") and terms[i].text.split()[0] not in ("a", "an", "some") for i in things)
    shown = things or any(t.plays("PICTURE", "IT") for t in others)
    return Style(cast(StyleKind, needed[0].roles["STYLE"])) if there and shown else None


def _cut_out(terms: Part, needed: Part, others: Part) -> Reading | None:
    return RemoveBackground() if _is_around(terms, needed[1], others) else None


def _is_around(terms: Part, ground: Term, others: Part) -> bool:
    """`remove the people in the background` and `the background people` mean them."""
    things = [_at(terms, t) for t in others if t.plays("PERSON", "THING")]
    return all(_at(terms, ground) < at - 1 for at in things)


def _blurred(terms: Part, needed: Part, others: Part) -> Reading | None:
    if needed[1].plays("BG") and not _is_around(terms, needed[1], others):
        return None
    return BlurBackground(min(2.0, max([float(t.roles["DEGREE"]) for t in others if t.plays("DEGREE")], default=1.0)))


_WISHES: Final = (
    _Wish((("BG",), ("HUE",)), (*_GLUE, *_PUT, "FLAT", "LIGHTEN", "DEEPEN", "NICE", "INSTEAD"), _coloured),
    _Wish((("BG",), ("SCENE",)), (*_GLUE, *_PUT, "NICE", "MOOD", "LOOKS", "INSTEAD"), _painted),
    _Wish((("WEAR",),), (*_GLUE, *_PUT, "NICE", "PERSON", "HEAD", "WEARS"), _worn),
    _Wish((("STYLE",),), (*_GLUE, "CHANGE", "ADD", "MOVE", "NICE", "PERSON", "THING", "FROM", "AGED"), _styled),
    _Wish(
        (("REMOVE", "CUT", "TAKE"), ("BG",)), (*_GLUE, "FROM", "AROUND", "BEHIND", "PERSON", "THING", "PLAIN"),
        _cut_out,
    ),
    _Wish(
        (("BLUR", "BLURRY"), ("BG",)),
        (*_GLUE, *_PUT, "DEGREE", "MORE", "SOFT", "AROUND", "BEHIND", "PERSON", "THING"), _blurred,
    ),
    _Wish(
        (("BLUR", "BLURRY"), ("BEHIND",), ("PERSON", "THING")), (*_GLUE, "WHICHIS", "EVERYTHING", "DEGREE"), _blurred
    ),
)  # fmt: skip
