"""What a clause may ask for when the words around a wish are passed over: the wish's own parts, wherever they stand.

Whether they may be passed over is judged in `likely.py`; what no judgement may pass over is told here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, get_args

from tollbrush.engines.studio.abilities import Operation, RemoveBackground, Wear
from tollbrush.engines.studio.asked import Wish
from tollbrush.engines.studio.framings import Border
from tollbrush.engines.studio.grammar import LONGEST, readings
from tollbrush.engines.studio.loose import Gathered, value_of
from tollbrush.engines.studio.reading import Complaint, Keep, Reading, TooMuchError
from tollbrush.engines.studio.retouch_readings import is_undone
from tollbrush.engines.studio.retouch_wishes import ON_PICTURE
from tollbrush.engines.studio.treatments import Blur, Denoise, Sharpen, Style, Weather
from tollbrush.engines.studio.wishes import ON_SUBJECT
from tollbrush.engines.studio.words import UNKNOWN, Term


@dataclass(frozen=True)
class Proposal:
    """`used`: the places of the terms that `reading` is made of; of a remark there are none."""

    reading: Reading
    used: frozenset[int]


REMARK: Final = Proposal(Keep("remark"), frozenset())


def proposals(terms: Sequence[Term]) -> list[Proposal]:
    """Each reading once, made of as many of the terms as it can be."""
    best: dict[Reading, Proposal] = {}
    for one in (*_from_wishes(terms), *_from_rules(terms)) if len(terms) <= LONGEST else ():
        if not isinstance(one.reading, (*get_args(Operation), Complaint)) or _leaves_a_bound(terms, one):
            continue
        known = best.get(one.reading)
        if known is None or len(one.used) > len(known.used):
            best[one.reading] = one
    return list(best.values())


def may_be_remark(terms: Sequence[Term], joint: str) -> bool:
    """Whether a clause beside others may ask for nothing at all. `joint`: the word that leads to it."""
    if (len(terms) < _TOLD and any(term.plays(UNKNOWN) for term in terms)) or any(
        _WISH.search(term.text) for term in terms
    ):
        return False
    if joint in _CARRIES_ON and not terms[0].plays(*_SUBJECTS):
        return False  # a crown and a cape
    return not any(term.plays(*_BOUNDS, *_WISHED, *_DONE) or term.key in _CONDITIONS for term in terms)


def _from_wishes(terms: Sequence[Term]) -> Iterator[Proposal]:
    for wish in (*ON_SUBJECT, *ON_PICTURE):
        with suppress(TooMuchError):
            if (one := _gathered(terms, wish)) is not None:
                yield one


def _gathered(terms: Sequence[Term], wish: Wish) -> Proposal | None:
    parts: dict[str, Sequence[Term]] = {}
    left = list(range(len(terms)))
    for name, roles in wish.needs.items():
        fit = [at for at in left if terms[at].plays(*roles)]
        if not fit:
            return None
        parts[name] = [terms[fit[0]]]
        left = [at for at in left if at not in fit or value_of(terms[at], roles) != value_of(terms[fit[0]], roles)]
    for name, roles in wish.some.items():
        parts[name] = [terms[at] for at in left if terms[at].plays(*roles)]
        left = [at for at in left if not terms[at].plays(*roles)]
    if not all(ask(terms, parts) for ask in wish.when):
        return None
    reading = wish.build(Gathered(terms, parts))
    return None if reading is None else Proposal(reading, frozenset(range(len(terms))) - frozenset(left))


def _from_rules(terms: Sequence[Term]) -> Iterator[Proposal]:
    for first in range(len(terms)):
        for after in range(first + 1, min(len(terms), first + _SPAN) + 1):
            part = terms[first:after]
            if not any(term.plays(*_TELLING) for term in part):
                continue
            with suppress(TooMuchError):
                meanings = readings(part, masked=False)
                if len(meanings) == 1:
                    yield Proposal(meanings.pop(), frozenset(range(first, after)))


def _leaves_a_bound(terms: Sequence[Term], one: Proposal) -> bool:
    """Whether something is passed over that no judgement may pass over."""
    said = {role: value for at in one.used for role, value in terms[at].roles.items()}
    worn = isinstance(one.reading, Wear)
    for at, term in enumerate(terms):
        if at in one.used:
            continue
        if (
            term.plays(*_BOUNDS)
            or term.key in _CONDITIONS
            or _NEGATION.search(term.text)
            or (at == 0 and term.plays(UNKNOWN) and not term.named)
        ):
            return True  # shave off the beard
        if any(role in term.roles and said.get(role) != term.roles[role] for role in _WISHED):
            return True
        if term.plays("THING", UNKNOWN) if worn else term.plays("HEAD"):
            return True  # a hat on the dog; pixelate her face
        if term.plays(UNKNOWN) and at + 1 in one.used and terms[at + 1].plays("SCENE", "STYLE"):
            return True  # a Venetian sunset
        if term.plays(UNKNOWN, "THING") and not _hangs(terms, at, one.used):
            return True  # the dragon background
    return _is_undone(terms, one) or (_takes_away(terms) and not isinstance(one.reading, _LESS))


def _is_undone(terms: Sequence[Term], one: Proposal) -> bool:
    """What is there already, or lies in one place: `the drawing should become a photo`, `a frame from a film`."""
    around = [term for at, term in enumerate(terms) if at not in one.used]
    if isinstance(one.reading, Style):
        return any(is_undone(terms, term) for term in terms if term.plays("STYLE", "STYLEVERB"))
    if isinstance(one.reading, Border):
        return any(term.plays("FROM", "OF", "LOOKS", "LIKE") for term in around)
    return isinstance(one.reading, Weather) and any(term.plays("AROUND") for term in around)


def _hangs(terms: Sequence[Term], at: int, used: frozenset[int]) -> bool:
    """Whether the words from a preposition to this one are all passed over: `over the old lighthouse`."""
    while at > 0:
        at -= 1
        if terms[at].plays(*_PREPOSITIONS):
            return True
        if at in used:
            return False
    return terms[0].named


def _takes_away(terms: Sequence[Term]) -> bool:
    """`take the rain out`, `turn the cartoon back into a photo`."""
    return any(term.key in ("out", "off", "back", "away", "undo") for term in terms[1:])


_PREPOSITIONS: Final = (
    "OF",
    "ON",
    "IN",
    "AT",
    "WITH",
    "FOR",
    "BEHIND",
    "AROUND",
    "FROM",
    "TO",
    "LIKE",
    "AS",
    "IS",
    "SO",
)
_LESS: Final = (RemoveBackground, Blur, Denoise, Sharpen)
_WISH: Final = re.compile(r"\b(?:want|need|wish|should|must|prefer|please|let|like to|shall)\b")
_TOLD: Final = 3  # terms at least, of what tells of strange things
_SPAN: Final = 12  # terms of a wish
_NEGATION: Final = re.compile(r"\b(?:not|never|no|nothing|without|cannot)\b|n['’]?t\b")
_BOUNDS: Final = (
    "ONLY", "KEEPONLY", "EXCEPT", "NOT", "NO", "REMOVE", "CUT", "TAKE", "HEAL", "REMOVED", "LESS", "SWAP", "INVERT",
    "NUMBER", "PERCENT", "STEP", "STOPS",
)  # fmt: skip
_CONDITIONS: Final = ("if", "unless", "until", "whether", "otherwise", "already", "than", "or", "maybe", "else")
_WISHED: Final = (
    "QUOTE", "WEAR", "STYLE", "WEATHER", "ASPECT", "DEGREES", "TIMES", "LOOK", "SCENE", "GRAIN", "VIGNETTE", "BORDER",
    "ENLARGE", "DENOISE", "FLIP", "ROTATE", "CROP", "EXTEND", "STRAIGHTEN", "WRITE", "SHARPEN", "GRADIENT", "SIDE",
    "SKYLOOK", "TINT", "GRAINY", "TONENOUN", "ER", "TONEVERB",
)  # fmt: skip
_DONE: Final = ("STYLEVERB", "ADD", "KEEP", "WEARS", "INSTEAD", "MOVE")
_CARRIES_ON: Final = ("and", "&", "plus", "+", "with", "also", "then")
_SUBJECTS: Final = ("SUBJ", "IT", "IS", "TELLS", "TELLING")
_TELLING: Final = (
    "BG", "SCENE", "HUE", "REMOVE", "CUT", "BLUR", "BLURRY", "WEAR", "STYLE", "STYLEVERB", "WEATHER", "SKY", "ER",
    "LOOK", "TONEVERB", "TONENOUN", "QUOTE", "WATERMARK", "ASPECT", "ROTATE", "FLIP", "CROP", "EXTEND", "ENLARGE",
    "SHARPEN", "DENOISE", "STRAIGHTEN", "VIGNETTE", "BORDER", "PLAIN", "GRAIN", "KEEPONLY", "SWAP", "ISOLATE", "NOISE",
    "NOISY", "TINT", "SHADOWS", "HIGHLIGHTS", "BALANCE", "INVERT", "MIRRORED", "SHARPER", "ZOOM", "CLOSER",
    "TRANSPARENT",
)  # fmt: skip
