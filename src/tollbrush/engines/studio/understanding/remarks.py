"""Sentences that only tell: `I'm selling this lamp`, `you can hardly see her`. They ask for nothing by themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tollbrush.engines.studio.understanding.asides import is_telling
from tollbrush.engines.studio.understanding.clauses import VERBS, is_order
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term

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
    if not is_telling(clause) or gives_order(clause):
        return False
    if first.plays("TELLS"):
        if first.text.endswith("like") and any(t.plays("MORE", "LESS", "ER") for t in rest):
            return False  # I like more contrast
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


def gives_order(clause: Sequence[Term]) -> bool:
    """`I'm selling it: remove the background`, `it is mirrored flip it back`: a wish after what is told."""
    for before, verb, what in zip(clause, clause[1:], clause[2:], strict=False):
        if before.key == ":" and is_order(verb):
            return True  # since it was dark: lift the shadows
        led = before.key != ":" and before.plays("TO", "NOT", "SUBJ", "SELF", "TELLS", "WHICHIS", "NOBODY")
        if verb.plays(*VERBS) and not (verb.named or led) and what.plays("BG", "IT", "SKY", "COLOURS"):
            return True
    return False


def is_statement(clause: Sequence[Term]) -> bool:
    """`marketplace keeps rejecting my pic`, `I just finished my degree`: somebody, and what they do or did."""
    if not is_telling(clause) or gives_order(clause) or any(term.plays(*_TO_BE_MADE) for term in clause):
        return False
    first = clause[0]
    if _MODAL.search(" ".join(term.text for term in clause)) or first.lead.startswith(_WISHES):
        return False  # its horizon should be straightened; I would like the trombones in silver
    if first.key in _PRONOUNS or first.plays("THERE") or first.key in _THERE:
        return len(clause) > 1 and (first.key in _OURSELVES or not _is_wished(clause))
    verb = next((i for i, term in enumerate(clause) if i and _is_finite(term)), 0)
    subject, told = clause[:verb], clause[verb + 1 :]
    if not subject or len(subject) > _LONGEST_SUBJECT or (first.plays(*VERBS) and not first.named):
        return False
    if first.plays(UNKNOWN) and not first.named and not clause[verb].plays("IS") and clause[verb].plays(UNKNOWN):
        return False  # steam the creases out
    if first.plays("LOOK", "STYLE", "ER") and clause[verb].key == "like":
        return False  # faded like a bad memory
    if all(term.plays("HUE", "SIZE", "MORE", "LESS") for term in subject) or first.key in ("one", "ones"):
        return False  # red hearts all over; the ones shaped like hearts
    if clause[verb].plays(UNKNOWN) and (subject[-1].plays("OF", "HUE", "FROM") or _is_placed(subject, told)):
        return False  # a close-up of hands; light leaks at the side
    if any(term.plays("BG", "SKY") for term in subject) and not first.text.startswith(_OURS):
        return False  # the background is a forest: a wish?
    if all(term.plays(*_OF_LIGHT) for term in subject) and any(term.plays(UNKNOWN) for term in told):
        return False  # a complaint that is not understood
    known = (UNKNOWN, *_AROUND, "ROOM", "LAND", "SCENE", "AGED", "EDGES")
    return bool(told or not clause[verb].plays(UNKNOWN)) and all(term.plays(*known) for term in subject)


def _is_placed(subject: Sequence[Term], told: Sequence[Term]) -> bool:
    """What follows neither an article nor somebody."""
    if any(term.named or term.plays("PERSON", "SUBJ", "IT", "PICTURE") for term in subject):
        return False
    return bool(told) and told[0].plays("AT", "IN", "ON", "OF", "FALLS")


def _is_wished(clause: Sequence[Term]) -> bool:
    """What others must do, or what colour something is: `he must smile`, `there's a red car`."""
    return any(term.plays("HUE") for term in clause) or bool(_MUST.search(" ".join(term.text for term in clause)))


_MUST: Final = re.compile(r"\b(?:must|should|shall|has to|have to|ought|may|can|will|needs?|wants?)\b")
_MODAL: Final = re.compile(r"\b(?<!it )(?:should|must|shall|ought)\b(?! have)|\b(?:he|she|it|they)'d be\b")
_WISHES: Final = ("i would like", "i'd like", "we would like", "we'd like")
_OF_LIGHT: Final = ("BALANCE", "TONENOUN", "COLOURS", "SHADOWS", "HIGHLIGHTS", "ABSTRACT")
_OURSELVES: Final = (
    "i",
    "i'm",
    "im",
    "i am",
    "i've",
    "ive",
    "i was",
    "i had",
    "we",
    "we're",
    "we are",
    "we've",
    "mine",
)
_TO_BE_MADE: Final = ("WEAR", "STYLE", "QUOTE", "ASPECT", "VIGNETTE", "BORDER", "WATERMARK", "NOT")
_PRONOUNS: Final = (
    "i", "i'm", "im", "i am", "i've", "ive", "i was", "i had", "we", "we're", "we are", "we've", "we were", "he", "she",
    "they", "they're", "that's", "that is", "this is", "which is", "he's", "she's", "nobody", "mine", "ours",
)  # fmt: skip
_THERE: Final = ("there is", "there are", "there's", "there was", "there were")
_OURS: Final = ("my ", "our ", "this ", "current ")
_LONGEST_SUBJECT: Final = 5
_FINITE: Final = re.compile(
    r"(?:needs|wants|requires|demands|expects|asked for|asks for|insists on)\b|.*[a-z]{2}(?:ed|[^s']s)$"
)


def _is_finite(term: Term) -> bool:
    """Whether it is the verb of a statement."""
    if term.plays("IS", "LOOKS", "TELLING", "HAVING") or term.key in ("has", "had", "made", "makes"):
        return True
    return bool(_FINITE.match(term.text if not term.plays(UNKNOWN) else term.key)) and (
        term.plays(UNKNOWN) or (term.text != term.key and not term.named)
    )


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
    return bool(verb) and clause[verb - 1].plays("THING", "PERSON", "HEAD", "ROOM", "LAND", UNKNOWN)
