"""Understand a prompt: words in, a plan of typed operations out, or a refusal that names the words and says what works.

Light on purpose (no pixels, no OpenCV): it runs before any price is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Final

from tollbrush.engines.studio.abilities import Operation, RemoveBackground, Tone, Wear
from tollbrush.engines.studio.agreement import reconciled
from tollbrush.engines.studio.grammar import readings
from tollbrush.engines.studio.performed import is_performed
from tollbrush.engines.studio.reading import Reading, TooMuchError
from tollbrush.engines.studio.refusals import NotHonouredError, not_understood, unclear
from tollbrush.engines.studio.repertoire import GROUPS, Offer
from tollbrush.engines.studio.treatments import Blur, Denoise, Sharpen
from tollbrush.engines.studio.words import UNKNOWN, Term, dictionary, read

_MOST_CHARACTERS: Final = 600
_VERBS: Final = (
    "CHANGE", "PAINT", "ADD", "MOVE", "REMOVE", "TAKE", "CUT", "ISOLATE", "HEAL", "BLUR", "TONEVERB", "UPWARDS",
    "DOWNWARDS", "KEEP", "NOT", "WEARS", "WRITE", "ROTATE", "FLIP", "CROP", "ZOOM", "EXTEND", "ENLARGE", "SHARPEN",
    "DENOISE", "STRAIGHTEN", "SOFTEN", "STYLEVERB", "REPAIR",
)  # fmt: skip
_TAKEN_AWAY: Final = ("REMOVE", "CUT", "TAKE", "ISOLATE", "HEAL")


@dataclass(frozen=True)
class Plan:
    """At least one operation, in the order in which they are done."""

    operations: tuple[Operation, ...]

    def describe(self) -> str:
        """In words, as `revised_prompt`."""
        text = ", then ".join(str(operation) for operation in self.operations)
        return f"{text[0].upper()}{text[1:]}."


def understand(prompt: str, *, masked: bool) -> Plan:
    """The plan of a prompt. Raises CannotHonour when any part of it is not understood, or cannot be done."""
    try:
        if len(prompt) > _MOST_CHARACTERS:
            message = f"The studio takes prompts of up to {_MOST_CHARACTERS} characters, not {len(prompt):,}."
            raise NotHonouredError(message, "", "Ask for one or two edits at a time.")
        plan = _read_quotes(prompt, masked=masked)
        if missing := [o for o in plan.operations if not is_performed(o)]:
            raise NotHonouredError(f"The studio cannot {' or '.join(map(str, missing))}.", prompt)
    except NotHonouredError as refused:
        raise refused.told(offers()) from None
    return plan


@cache
def offers() -> tuple[Offer, ...]:
    """Of the repertoire, what is performed."""
    every = [offer for group in GROUPS for offer in group.offers()]
    return tuple(offer for offer in every if _is_offered(offer))


def _is_offered(offer: Offer) -> bool:
    return all(map(is_performed, _planned(read(offer.example), "", masked=bool(offer.needs)).operations))


def _read_quotes(prompt: str, *, masked: bool) -> Plan:
    """Quoted to be written as it stands, or else for emphasis ("sunset")."""
    terms = read(prompt)
    try:
        return _planned(terms, prompt, masked=masked)
    except NotHonouredError:
        if any(term.plays("QUOTE") for term in terms):
            with suppress(NotHonouredError):
                return _planned(read(prompt, quotes=False), prompt, masked=masked)
        raise


def _planned(terms: Sequence[Term], prompt: str, *, masked: bool) -> Plan:
    found: list[Reading] = []
    before: Sequence[Term] = ()
    # What is masked is here.
    for clause in _clauses([term for term in terms if not (masked and term.key == "here")]):
        found += _meaning(clause, before, found, masked=masked)
        before = clause
    return Plan(reconciled(found, prompt, masked=masked))


def _clauses(terms: Sequence[Term]) -> Iterator[list[Term]]:
    clause: list[Term] = []
    for term, after in zip_longest(terms, terms[1:]):
        if term.plays("JOINT") and not (clause and _holds(clause, term, after)):
            if clause:
                yield _trimmed(clause)
            clause = []
        else:
            clause.append(term)
    if clause:
        yield _trimmed(clause)


def _holds(clause: Sequence[Term], joint: Term, after: Term | None) -> bool:
    """`everything but the cat`, `swap red and blue`, `a gradient of pink and white` are one thing each."""
    if joint.plays("EXCEPT"):
        verb = after is None or after.plays(*_VERBS)
        return clause[-1].plays("EVERYTHING") or (not verb and any(t.plays("EVERYTHING") for t in clause))
    hues = joint.key in ("and", "&") and clause[-1].plays("HUE") and after is not None and after.plays("HUE")
    return hues and (clause[0].plays("SWAP") or any(t.plays("GRADIENT") for t in clause))


def _trimmed(clause: list[Term]) -> list[Term]:
    """Without the `too` of `add a hat too`, and what a picture is for."""
    purpose = len(clause)
    while purpose > 0 and clause[purpose - 1].plays("PURPOSE"):
        purpose -= 1
    if 1 < purpose < len(clause) and clause[purpose - 1].key == "for":
        clause = clause[: purpose - 1]
    return clause[:-1] if len(clause) > 1 and clause[-1].key == "too" else clause


def _meaning(
    clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading], *, masked: bool
) -> Sequence[Reading]:
    """One clause after another one, whose verb and background it may lean on. Raises NotHonouredError."""
    excess: TooMuchError | None = None
    for attempt in _completions(clause, before, found):
        try:
            meanings = readings(attempt, masked=masked)
        except TooMuchError as error:
            excess = excess or error
            continue
        if len(meanings) == 1:
            meaning = meanings.pop()
            if _points_nowhere(meaning, clause, before, found):
                raise unclear(clause)
            return [meaning]
        if meanings:
            raise unclear(clause)
    if excess is None and (pair := _with_pair(clause, masked=masked)):
        return pair
    raise not_understood(clause, excess, masked=masked)


def _completions(clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading]) -> Iterator[Sequence[Term]]:
    """The clause as it stands, then with what a person leaves unsaid the second time."""
    if any(term.plays("SKY") for term in before) and any(term.plays("SCENE", "SKYLOOK") for term in clause):
        yield [_SKY, *(term for term in clause if not term.plays("INSTEAD", "CHANGE", "ADD", "IN", "IT"))]
    verb = before[0] if before and before[0].plays(*_VERBS) else None
    leans = verb is not None and not clause[0].plays(*_VERBS)
    if not (leans and verb is not None and verb.plays(*_TAKEN_AWAY)):
        yield clause
    # "remove the cup and write sale": a removal passes on only to what an article or the lexicon shows to be a thing.
    if leans and verb is not None and (not clause[0].plays(UNKNOWN) or clause[0].named):
        yield [verb, *clause]
        if len(before) > 1 and before[1].plays("PICTURE", "IT"):
            yield [verb, before[1], *clause]  # make it rainy and dark
    if any(term.plays("BG") for term in before):
        yield [_BACKGROUND if term.key == "it" else term for term in clause]
        if found and found[-1] == RemoveBackground():
            yield [*clause, _INSTEAD]


_BACKGROUND: Final = Term("background", "background", dictionary()["background"])
_SKY: Final = Term("sky", "sky", dictionary()["sky"])
_INSTEAD: Final = Term("instead", "instead", dictionary()["instead"])


def _points_nowhere(meaning: Reading, clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading]) -> bool:
    """`blur the background and make it darker`: is it the picture, or the background?"""
    if not isinstance(meaning, Tone | Blur | Sharpen | Denoise):
        return False
    if getattr(meaning, "where", "picture") == "background" or not any(t.plays("BG") for t in before):
        return False
    if any(t.plays("PICTURE", "EVERYTHING", "AREA") for t in clause):
        return False
    if found[-1] == RemoveBackground() and isinstance(meaning, Tone):
        return False
    bare = not clause[0].plays(*_VERBS) or any(t.key == "it" for t in clause)
    return bare or isinstance(found[-1], Tone)


def _with_pair(clause: Sequence[Term], *, masked: bool) -> Sequence[Reading]:
    """`a starry sky with a hat on him`, `black and white with more contrast`: two edits around a `with`. Not after a
    noun that the `with` could describe (`the man with a hat`)."""
    for at, term in enumerate(clause):
        if term.plays("WITH") and 0 < at < len(clause) - 1 and clause[at - 1].plays("SCENE", "HUE", "LOOK", "ER"):
            try:
                first, second = (readings(part, masked=masked) for part in (clause[:at], clause[at + 1 :]))
            except TooMuchError:
                continue
            if len(first) == len(second) == 1 and isinstance(next(iter(second)), Wear | Tone):
                return [*first, *second]
    return []
