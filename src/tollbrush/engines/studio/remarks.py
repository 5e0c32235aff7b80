"""Sentences that only tell: `I'm selling this lamp`, `you can hardly see her`. They ask for nothing by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tollbrush.engines.studio.asides import is_telling
from tollbrush.engines.studio.words import UNKNOWN, Term

_STATES: Final = (
    "STATE", "PLAIN", "DULL", "SOFTENED", "WASHED", "NOISY", "CROOKED", "OFF", "AGED", "ROUND", "MIRRORED", "NICE",
    "SIZE", "COMPLAINT",
)  # fmt: skip
_AROUND: Final = (
    *_STATES,
    "PICTURE", "IT", "PERSON", "THING", "BG", "SKY", "COLOURS", "HUEWORD", "TONES", "BALANCE", "HORIZON", "PURPOSE",
    "DEGREE", "TOO", "IS", "LOOKS", "OF", "IN", "ON", "AT", "FOR", "WITH", "BEHIND", "FROM", "SUBJ", "MORE",
    "EVERYTHING", "HUE", "ABSTRACT", "TAKEN", "BE", "AREA", "HERE", "TO", "SELF", "HEAD", "TONENOUN",
    "SHADOWS", "HIGHLIGHTS",
)  # fmt: skip


_HIDES: Final = ("i don't want", "i dont want", "we don't want", "nobody", "no one")  # … to see my face: a wish


def is_remark(clause: Sequence[Term]) -> bool:
    first, rest = clause[0], clause[1:]
    if not is_telling(clause):
        return False
    if first.plays("TELLS"):
        return not (first.text.startswith(_HIDES) and any(t.plays("HEAD", "PERSON") for t in rest))
    if not rest:
        return False
    if first.plays("TAKEN") and rest[0].plays("IN", "ON", "AT", "WITH", "FROM", "BY", "TIME"):
        return True
    if first.plays("PICTURE", "PURPOSE") and rest[0].plays("TAKEN") and rest[0].plays("TELLING"):
        return True
    if first.plays("SUBJ", "PERSON") and any(term.plays("TELLS", "TELLING") for term in rest[:2]):
        return True
    if (
        first.plays("IT", "PICTURE")
        and rest[0].plays("IS")
        and (rest[1:2] and rest[1].plays("TAKEN", "PURPOSE", "FOR", "PERSON", "THING"))
    ):
        return True
    if first.plays("IS") and first.key in ("its", "it's") and rest[0].plays("PICTURE", "PERSON", "THING", "PURPOSE"):
        return all(term.plays(*_AROUND) for term in rest)
    if first.key in ("its", "it's") and all(term.plays("TOO", "DEGREE", *_STATES) for term in rest):
        return True
    if first.key in ("its", "it's") and len(rest) == 1 and rest[0].plays(UNKNOWN):
        return True  # it's december
    return _describes(clause) or _names(clause)


def _names(clause: Sequence[Term]) -> bool:
    """`corporate headshot look`, `he's a pirate tonight`: what is there, and no more."""
    kinds = ("PICTURE", "PURPOSE", "NICE", "EFFECT", "SUBJ", "IS", "BE", "PERSON")
    known = any(term.plays("PICTURE", "PURPOSE", "PERSON") for term in clause)
    return known and all(
        term.plays(*kinds) and not term.plays("FLIP", "ADD", "REMOVE", "WEAR", "ONLY") for term in clause
    )


def _describes(clause: Sequence[Term]) -> bool:
    """`the stitching looks soft`, `my background is too messy`: a thing, and a state that it is in."""
    verb = next((i for i, term in enumerate(clause) if term.plays("IS", "LOOKS")), 0)
    bare = clause[0].plays("LOOKS", "TOO") and not verb
    subject, state = (clause[:1] if bare else clause[:verb]), clause[verb + 1 :]
    strangers = sum(term.plays(UNKNOWN) for term in subject)
    return (
        bool(subject)
        and strangers <= 2
        and (bare or all(term.plays(UNKNOWN, *_AROUND) for term in subject))
        and any(term.plays(*_STATES, "PURPOSE") for term in state)
        and all(term.plays(*_AROUND) for term in _before_place(state))
    )


def _before_place(state: Sequence[Term]) -> Sequence[Term]:
    """`yellowish under my lamp`: where, after how."""
    at = next(
        (i for i, term in enumerate(state) if i and term.plays("IN", "ON", "AT") and not term.plays(*_STATES)),
        len(state),
    )
    return state[:at] if any(term.plays(*_STATES) for term in state[:at]) else state


def is_of_a_thing(clause: Sequence[Term]) -> bool:
    """`the lamp is too bright`: an `it` after that is the lamp."""
    verb = next((i for i, term in enumerate(clause) if term.plays("IS", "LOOKS")), 0)
    subject = clause[verb - 1] if verb else clause[0]
    return bool(verb) and subject.plays("THING", "PERSON", "HEAD", "ROOM", "LAND", UNKNOWN)
