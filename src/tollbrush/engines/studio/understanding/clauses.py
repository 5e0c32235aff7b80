"""A prompt's clauses, and the ways in which people say less than a whole one: what is left out is filled in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from tollbrush.engines.studio.plans.abilities import RemoveBackground, ReplaceBackground
from tollbrush.engines.studio.plans.treatments import ReplaceSky
from tollbrush.engines.studio.understanding.dictionary import dictionary
from tollbrush.engines.studio.understanding.reading import Reading
from tollbrush.engines.studio.understanding.sentence_lexicon import PARTICIPLES
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term

VERBS: Final = (
    "CHANGE", "PAINT", "ADD", "MOVE", "REMOVE", "TAKE", "CUT", "ISOLATE", "HEAL", "BLUR", "TONEVERB", "UPWARDS",
    "DOWNWARDS", "KEEP", "NOT", "WEARS", "WRITE", "ROTATE", "FLIP", "CROP", "ZOOM", "EXTEND", "ENLARGE", "SHARPEN",
    "DENOISE", "STRAIGHTEN", "SOFTEN", "STYLEVERB", "REPAIR", "LIFT", "LOWER", "TAME", "INVERT", "SWAP", "AUTO",
)  # fmt: skip
_TAKEN_AWAY: Final = ("REMOVE", "CUT", "TAKE", "ISOLATE", "HEAL")


_NO_THINGS: Final = ("TRANSPARENT", "ASPECT", "ER", "LOOK", "PORTRAITMODE")


@dataclass(frozen=True)
class Clause:
    """`runs_on`: only a comma ends it; `ends`: what does."""

    terms: list[Term]
    runs_on: bool = False
    ends: str = ""


def clauses(terms: Sequence[Term]) -> list[Clause]:
    found: list[Clause] = []
    clause: list[Term] = []
    for term, after in zip_longest(terms, terms[1:]):
        if clause and after and term.plays("PAUSE") and _is_same_weather(clause[-1], after):
            clause.pop()  # a misty, foggy scene
            continue
        if clause and term.key == "factor :":
            clause.append(known("by"))
            continue
        if len(clause) > 1 and term.plays(*VERBS) and term.key != "do" and term.text.startswith(_BEGS):
            found.append(Clause(_trimmed(clause)))  # I sell shoes can you make it brighter
            clause = []
        if clause and (term.plays("OFWISH") or (term.plays("JOINT") and after and after.plays("OFWISH"))):
            continue  # enlarge; scale: 4x
        if term.plays("JOINT") and not (clause and _holds(clause, term, after)):
            if clause:
                found.append(Clause(_trimmed(clause), term.plays("PAUSE") and after is not None, term.key))
            clause = []
        else:
            clause.append(term)
    return [*found, Clause(_trimmed(clause))] if clause else found


def is_order(term: Term) -> bool:
    """A verb of what should be done, where it names no thing: `frame it`, not `the frame`."""
    return term.plays(*VERBS) and not term.named


_BEGS: Final = ("can you ", "could you ", "can u ", "could u ", "would you ", "please ", "pls ", "plz ", "kindly ")


def _is_same_weather(one: Term, other: Term) -> bool:
    return one.plays("WEATHER") and one.roles["WEATHER"] in (other.roles.get("WEATHER"), other.roles.get("SCENE"))


def _holds(clause: Sequence[Term], joint: Term, after: Term | None) -> bool:
    """`everything but the cat`, `swap red and blue`, `a gradient of pink and white` are one thing each."""
    if joint.plays("EXCEPT"):
        verb = after is None or after.plays(*VERBS)
        return clause[-1].plays("EVERYTHING") or (not verb and any(t.plays("EVERYTHING") for t in clause))
    hues = joint.key in ("and", "&") and clause[-1].plays("HUE") and after is not None and after.plays("HUE")
    return hues and (clause[0].plays("SWAP") or any(t.plays("GRADIENT") for t in clause))


def orders(terms: Sequence[Term]) -> int:
    """How many of its clauses begin with what should be done: one of `make it brighter, it looks dark`."""
    return sum(clause.terms[0].plays(*VERBS) for clause in clauses(terms))


def _trimmed(clause: list[Term]) -> list[Term]:
    """Without the `too` of `add a hat too`, and what a picture is for."""
    purpose = len(clause)
    while purpose > 0 and clause[purpose - 1].plays("PURPOSE"):
        purpose -= 1
    if 1 < purpose < len(clause) and clause[purpose - 1].key == "for":
        clause = clause[: purpose - 1]
    return clause[:-1] if len(clause) > 1 and clause[-1].key == "too" else clause


def completions(clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading]) -> Iterator[Sequence[Term]]:
    """The clause as it stands, then with what a person leaves unsaid the second time, then in the active voice."""
    mood = any(term.plays("LOOK") for term in clause) and bool(found) and isinstance(found[-1], ReplaceSky)
    if (
        not mood
        and any(term.plays("SKY") for term in before)
        and any(term.plays("SCENE", "SKYLOOK") for term in clause)
    ):
        yield [_SKY, *(term for term in clause if not term.plays("INSTEAD", "CHANGE", "ADD", "IN", "IT"))]
    verb = before[0] if before and before[0].plays(*VERBS) else None
    leans = verb is not None and not clause[0].plays(*VERBS)
    if verb is not None and verb.plays("DOWNWARDS") and clause[0].key.endswith(" of"):
        leans = False  # pull down saturation, touch of grain
    taken = leans and verb is not None and verb.plays(*_TAKEN_AWAY)
    if (
        not taken
        or any(term.plays("TRANSPARENT") for term in clause)
        or (clause[0].plays(*_NO_THINGS) and not clause[0].plays(*_TAKEN_AWAY))
    ):
        yield clause
    # "remove the cup and write sale": a removal passes on only to what an article or the lexicon shows to be a thing.
    if leans and verb is not None and (not clause[0].plays(UNKNOWN) or clause[0].named):
        yield [verb, *clause]
        if len(before) > 1 and before[1].plays("PICTURE", "IT"):
            yield [verb, before[1], *clause]  # make it rainy and dark
    if any(term.plays("BG") for term in before):
        yield [_BACKGROUND if term.key == "it" else term for term in clause]
        replaced = bool(found) and isinstance(found[-1], ReplaceBackground) and clause[-1].plays("SCENE")
        if replaced or (found and found[-1] == RemoveBackground()):
            yield [*clause, _INSTEAD]
    if any(term.plays("COLOURS") for term in before):
        yield [_COLOURS if term.key in ("it", "them") else term for term in clause]
    yield from _active(clause)


def _active(clause: Sequence[Term]) -> Iterator[Sequence[Term]]:
    """`the picture shall be rotated`, `I want that the sky is blue`."""
    for at, term in enumerate(clause):
        base = PARTICIPLES.get(term.key)
        if base is not None and at > 0:
            thing = list(clause[:at])
            while thing and thing[-1].plays("BE", "IS", "HAVING"):
                thing.pop()
            if thing and thing[0].key in _WISHED:
                thing.pop(0)
            yield [known(base), *thing, *clause[at + 1 :]]
    if clause[0].plays("WISHTHAT"):
        yield [known("make"), *(term for term in clause[1:] if not term.plays("IS", "BE"))]
        yield clause[1:]


_WISHED: Final = ("have", "get", "make", "let", "i want that", "make sure")


_LONGEST_UNPARTED: Final = 14  # terms


def halves(clause: Sequence[Term]) -> Iterator[tuple[Sequence[Term], Sequence[Term]]]:
    """Two wishes with nothing between them: `flip it its mirrored`."""
    for at in range(1, len(clause)) if len(clause) <= _LONGEST_UNPARTED else ():
        if (
            is_order(clause[at])
            or clause[at].plays("TELLS")
            or clause[at].key in ("i", "we")
            or (clause[at].plays("IS", "IT") and clause[at - 1].plays("IT", "PICTURE"))
        ):
            yield clause[:at], clause[at:]


def known(word: str) -> Term:
    return Term(word, word, dictionary()[word])


_BACKGROUND: Final = known("background")
_SKY: Final = known("sky")
_INSTEAD: Final = known("instead")
_COLOURS: Final = known("colours")
