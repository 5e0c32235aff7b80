"""What people say around a wish: what the picture is for, why they ask, what it shows. Asides ask for nothing, so any
words may stand in them; what is left of the prompt must still be understood whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tollbrush.engines.studio.understanding.clauses import VERBS
from tollbrush.engines.studio.understanding.purposes import (
    LINKS,
    MODIFIERS,
    MOST_STRANGERS,
    purpose_end,
    shape_of,
    use_end,
)
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term

_NAMED_ANEW: Final = ("WEAR", "STYLE", "QUOTE", "ASPECT", "WEATHER", "VIGNETTE", "BORDER", "BG", "SKY", "LOOK", "ER")
_CONTENT: Final = (
    *_NAMED_ANEW, "SCENE", "HUE", "TONEVERB", "SKYLOOK", "WHOLESKY", "STYLEVERB", "DEGREES", "TIMES", "REMOVE", "CUT",
    "WEARS",
)  # fmt: skip
_BOUND: Final = ("EXCEPT", "ONLY", "KEEPONLY", "INSTEAD")
_WISH: Final = re.compile(r"\b(?:want|need|wish|should|must|prefer|please|let)\b")
_STOPS: Final = (".", "!", "?", ";")


def without_asides(terms: Sequence[Term]) -> list[Term]:
    """The terms of the wishes alone."""
    kept: list[Term] = []
    at = _label(terms, 0)
    while at < len(terms):
        starts = not kept or kept[-1].plays("JOINT")
        after = max(_label(terms, at), _wisher(terms, at)) if starts else at
        if after > at or (after := _aside(terms, at)) > at:
            if kept and kept[-1].key == "like":
                kept.pop()  # like for a school card
            kept += shape_of(terms, kept, terms[at:after])
            at = after
        elif not kept and terms[at].plays("SO") and any(term.plays(*VERBS) for term in terms[at + 1 : at + 2]):
            at += 1  # ok so make it …
        elif kept and kept[-1].plays("JOINT") and terms[at].key == "so" and _leads_on(terms, at):
            at += 1  # …, so a halo
        elif kept and terms[at].plays("SO") and _asks_on(terms[at + 1 :]):
            kept.append(Term(terms[at].text, ".", {"JOINT": ""}))
            at += 1
        else:
            kept.append(terms[at])
            at += 1
    return kept


def _asks_on(after: Sequence[Term]) -> bool:
    """`so make it warmer`, `so a bit brighter`; `so much brighter than before` tells."""
    if any(term.plays(*VERBS) for term in after[:1]):
        return True
    wish = next((i for i, term in enumerate(after) if (term.degree or 1) > 1 or not term.plays("DEGREE", "MORE")), 0)
    return any(term.plays("ER", *(["TONENOUN"] if wish else [])) for term in after[wish : wish + 1])


def _aside(terms: Sequence[Term], at: int) -> int:
    """Where the aside that begins at `at` ends."""
    return (
        _reason(terms, at)
        or use_end(terms, at)
        or purpose_end(terms, at)
        or _match(terms, at)
        or _likeness(terms, at)
        or _only(terms, at)
    )


def _leads_on(terms: Sequence[Term], at: int) -> bool:
    return any(term.plays(*_NAMED_ANEW) for term in terms[at + 1 : at + 2])


def _match(terms: Sequence[Term], at: int) -> int:
    """`would match our slides`, `to suit the poem`: why, and with what."""
    if not terms[at].plays("MATCHES"):
        return 0
    end = _end(terms, at + 1)
    part = terms[at + 1 : end]
    if any(t.plays("WEAR") for t in terms) and any(t.plays("THING") for t in part):
        return 0  # a hat would look good on the cat
    strangers = sum(term.plays(UNKNOWN) for term in part)
    return end if strangers <= MOST_STRANGERS and all(t.plays(UNKNOWN, *_MATCHED) for t in part) else 0


_AS_IN_PRAISE: Final = (
    "boss", "gentleman", "lady", "king", "queen", "prince", "princess", "star", "superstar", "diva", "angel",
)  # fmt: skip


def _likeness(terms: Sequence[Term], at: int) -> int:
    """`a top hat on me like a gentleman`."""
    after = terms[at + 1] if at + 1 < len(terms) else None
    ends = at + 2 == len(terms) or terms[at + 2].plays("JOINT") if after else False
    praise = after is not None and after.key in _AS_IN_PRAISE and terms[at].key == "like"
    return at + 2 if praise and ends and any(t.plays("WEAR") for t in terms[:at]) else 0


def _only(terms: Sequence[Term], at: int) -> int:
    """`it is for a PAN card only`."""
    ends = at + 1 == len(terms) or terms[at + 1].plays("JOINT")
    return at + 1 if at and terms[at].key == "only" and ends and terms[at - 1].plays(*_ONLY_AFTER) else 0


_ONLY_AFTER: Final = ("PURPOSE", "ASPECT", "SHADOWS", "HIGHLIGHTS")
_WANTS: Final = re.compile(r"(?:wants?|needs?|requires?|demands?|prefers?|expects?|asked for|asks for|insists on)\b")


def _wisher(terms: Sequence[Term], at: int) -> int:
    """`our school wants`, `the client needs`: whoever it is, unless it is who shall wear something."""
    end = at
    while (
        end < len(terms)
        and terms[end].plays("PERSON", "THING", "PURPOSE", "SUBJ", "ROOM")
        and not _WANTS.match(terms[end].text)
    ):
        end += 1
    if not at < end < len(terms) or not _WANTS.match(terms[end].text):
        return at
    worn = any(term.plays("WEAR") for term in terms[end:])
    if worn and any(term.plays("THING") for term in terms[at:end]):
        return at
    return end + 1 if _WANTS.fullmatch(terms[end].key) else end


def _end(terms: Sequence[Term], at: int) -> int:
    """Where the part of the sentence that begins at `at` ends: before the joint that leads to another wish."""
    for i in range(at, len(terms)):
        if terms[i].plays("JOINT"):
            after = terms[i + 1] if i + 1 < len(terms) else None
            if terms[i].plays("PAUSE", "EXCEPT") or terms[i].key in _STOPS:
                return i
            if after is None or after.plays(*VERBS, *_NAMED_ANEW):
                return i
    return len(terms)


def _reason(terms: Sequence[Term], at: int) -> int:
    """`because you can't see her`, `so I can print it`."""
    opens = terms[at].plays("BECAUSE") or (
        terms[at].key == "as" and any(t.plays("TELLING") for t in terms[at + 2 : at + 4])
    )
    told = at + 1 < len(terms) and terms[at].plays("SO") and terms[at + 1].plays("SUBJ")
    end = _end(terms, at + 1)
    if terms[at].plays("SO") and _is_result(terms[at + 1 : end]):
        return end
    if not (opens or told):
        return 0
    return end if end > at + 1 and is_telling(terms[at + 1 : end]) else 0


_CONDITIONS: Final = ("if", "unless", "whether", "until", "provided", "assuming", "otherwise")


def _is_result(part: Sequence[Term]) -> bool:
    """`so the chair stands out`, `so that it looks nice`, `so there is room for text`."""
    if part and part[0].plays("THERE"):
        return any(term.plays("SPACE") for term in part[:3])
    if part and part[-1].plays("SEEN") and not any(t.plays(*_BOUND, *_NAMED_ANEW, "HUE") for t in part):
        return sum(term.plays(UNKNOWN) for term in part) <= MOST_STRANGERS
    return any(term.plays("POPS", "NICE", "SEEN", "COMPLAINT") for term in part) and all(
        term.plays(*_RESULT) for term in part
    )


_RESULT: Final = (
    "PERSON", "THING", "PICTURE", "IT", "POPS", "NICE", "LOOKS", "IS", "BE", "DEGREE", "MORE", "PURPOSE", "SEEN",
    "COLOURS", "EVERYTHING", "TO", "IN", "ON", "OF", "SUBJ", "TEXT", "COMPLAINT",
)  # fmt: skip
_MATCHED: Final = (*_RESULT, "HERE", "HEAD", "EFFECT", "ROOM", "TOO")


def is_telling(part: Sequence[Term]) -> bool:
    """Whether the words only tell: no bound on a wish, and no wish of their own."""
    wishes = any(_WISH.search(term.text) for term in part) and any(term.plays(*_CONTENT) for term in part)
    bound = any((term.plays(*_BOUND) and term.key != "there") or term.key in _CONDITIONS for term in part)
    return not wishes and not bound


def _label(terms: Sequence[Term], at: int) -> int:
    """`Headshot for my badge: …`: what the picture is, before a colon."""
    for end in range(at, min(at + 7, len(terms))):
        term = terms[end]
        if term.key == ":":
            part = terms[at:end]
            known = any(t.plays("PICTURE", "PURPOSE", "PERSON", "THING") for t in part) and not any(
                t.plays("ADD", "REMOVE") for t in part
            )
            return end + 1 if known and sum(t.plays(UNKNOWN) for t in part) <= MOST_STRANGERS else at
        if not term.plays(UNKNOWN, "PICTURE", "EFFECT", *MODIFIERS, *LINKS) or term.plays("JOINT"):
            break
    return at
