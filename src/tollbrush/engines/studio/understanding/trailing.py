"""What may trail a whole wish in the same breath: what it shall look like, what it is good for, what it spares.

Only tried where a clause is not understood as it stands: what is before the trailing words must be a wish by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tollbrush.engines.studio.plans.abilities import ReplaceBackground, Tone
from tollbrush.engines.studio.understanding.asides import is_telling
from tollbrush.engines.studio.understanding.clauses import known
from tollbrush.engines.studio.understanding.grammar import readings
from tollbrush.engines.studio.understanding.reading import Complaint, Keep, Reading
from tollbrush.engines.studio.understanding.remarks import is_statement
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term

_MOST_STRANGERS: Final = 3
_LONGEST: Final = 9  # terms
# What a wish is made of: none of it may stand in what trails one.
_OF_WISHES: Final = (
    "WEAR", "STYLE", "QUOTE", "ASPECT", "WEATHER", "VIGNETTE", "BORDER", "SKY", "LOOK", "ER", "SCENE", "HUE",
    "TONEVERB", "SKYLOOK", "WHOLESKY", "STYLEVERB", "DEGREES", "TIMES", "WEARS", "ONLY", "KEEPONLY", "INSTEAD",
    "EXCEPT",
)  # fmt: skip


def tails(clause: Sequence[Term]) -> Iterator[tuple[Sequence[Term], Sequence[Term], bool]]:
    """The wish, what trails it, and whether that may be passed over; the longest wish first."""
    for at in range(len(clause) - 1, 0, -1):
        wish, tail = clause[:at], clause[at:]
        if tail[0].plays("LIKE") or tail[0].key.startswith("like "):
            yield wish, tail[1:], _is_likeness(wish, tail)
        elif tail[0].plays("SO"):
            yield wish, tail[1:], _is_outcome(tail[1:])
        elif tail[0].key == "to" and len(tail) > 1 and not tail[1].named:
            yield wish, tail[1:], _is_end(tail[1:])
        elif tail[0].key in _WITHOUT:
            yield wish, (), _is_spared(tail[1:])
        elif tail_of_complaint(tail[0]) and not any(term.plays("PERSON", "HEAD") for term in tail):
            yield wish, (), _is_plain(tail[1:])


def tail_of_complaint(opening: Term) -> bool:
    """`too yellow under my kitchen light`: where or why, which only a complaint may go on with."""
    return opening.plays("IN", "FROM", "BECAUSE") and opening.key != "to"


def is_carried_on(clause: Sequence[Term], last: Reading) -> bool:
    """`…, like an old master`; `snowy, like the Alps in winter`."""
    if len(clause) < 2 or not (clause[0].plays("LIKE") or clause[0].key.startswith("like ")):
        return False
    if isinstance(last, Tone) and any(term.plays("AGED") for term in clause):
        return False  # sepia, or an old photo?
    scenes = {term.roles["SCENE"] for term in clause if term.plays("SCENE")}
    if isinstance(last, ReplaceBackground) and last.scene in scenes:
        return all(term.plays("SCENE", "IN", "ON", "WITH") for term in clause[1:])
    return _is_plain(clause[1:])


def complained_on(clause: Sequence[Term], last: Reading, *, after_comma: bool) -> Complaint | None:
    """`too dark, grainy and yellow`: one more thing that is wrong, after the first; not of `too dark, warm`."""
    if after_comma and clause[0].plays("PLAIN", "TINT"):
        return None
    state = [term for term in clause if not term.plays("TOO", "DEGREE", "IS", "IT")]
    if not isinstance(last, Complaint) or len(state) != 1 or not state[0].plays(*_WRONG):
        return None
    meanings = readings([*_IT_IS_TOO, *state], masked=False)
    return next((one for one in meanings if isinstance(one, Complaint)), None) if len(meanings) == 1 else None


_IT_IS_TOO: Final = (known("it"), known("is"), known("too"))
_WRONG: Final = ("PLAIN", "TINT", "NOISY", "SOFTENED", "CROOKED", "WASHED")


def goes_on_telling(clause: Sequence[Term], before: Sequence[Term], last: Reading) -> bool:
    """`it's cold and bluish`: more of a complaint."""
    told = isinstance(last, Complaint) or last == Keep("remark")
    bare = all(term.plays("STATE", "DULL", "COMPLAINT", "DEGREE", "TOO", "TINT", "PLAIN") for term in clause)
    return told and bare and any(term.plays("IS", "LOOKS") for term in before)


def _is_plain(part: Sequence[Term]) -> bool:
    strangers = sum(term.plays(UNKNOWN) for term in part)
    return (
        0 < len(part) <= _LONGEST
        and strangers <= _MOST_STRANGERS
        and is_telling(part)
        and not any(term.plays(*_OF_WISHES) and not term.plays("THING", "PURPOSE", "STATE") for term in part)
    )


def _is_likeness(wish: Sequence[Term], tail: Sequence[Term]) -> bool:
    """`like the big youtubers have`, `like in the app`; but `an oil painting like …` may be somebody's work, and `a hat
    like …` another hat."""
    own = any(term.plays("STYLE", "STYLEVERB", "WEAR", "LOOK") for term in wish)
    of_app = tail[0].key in ("like in", "like on") and any(t.plays("PURPOSE") for t in tail)
    a_name = (
        tail[0].key not in ("like in", "like on") and len(tail) > 1 and tail[1].plays(UNKNOWN) and not tail[1].named
    )
    return _is_plain(tail[1:]) and not a_name and (not own or of_app)


def _is_outcome(tail: Sequence[Term]) -> bool:
    """`so it looks more expensive`, but not `so he looks younger`."""
    known = not any(term.plays(UNKNOWN) for term in tail)
    gone = any(term.plays("REMOVED", "REMOVE") for term in tail)
    of_picture = bool(tail) and tail[0].plays("IT", "PICTURE", "PURPOSE", "COLOURS", "EVERYTHING", "TEXT")
    of_picture = of_picture or (bool(tail) and tail[0].plays("IS") and not tail[0].plays("PERSON"))
    return not gone and _is_plain(tail) and (of_picture or (known and is_statement(tail)))


def _is_end(tail: Sequence[Term]) -> bool:
    """`to make it look more professional`, `to fit my slide`."""
    opens = tail[0].plays("CHANGE", "BE", "LOOKS", "USE", "FIT") and not tail[0].plays("REMOVE")
    of_person = any(term.plays("PERSON", "HEAD") for term in tail)
    return opens and not of_person and _is_plain(tail)


def _is_spared(tail: Sequence[Term]) -> bool:
    """`without cutting anything off`, `without losing quality`."""
    return tail[0].key in _SPARED and _is_plain(tail) if tail else False


_WITHOUT: Final = ("without", "w/o")
_SPARED: Final = (
    "cutting", "cropping", "losing", "loosing", "touching", "altering", "distorting", "stretching", "squashing",
    "squeezing", "deforming", "damaging", "hurting", "harming", "ruining", "affecting", "overdoing", "degrading",
    "destroying", "spoiling", "chopping", "messing", "exaggerating", "clipping", "blowing", "looking", "making",
    "being", "changing",
)  # fmt: skip
