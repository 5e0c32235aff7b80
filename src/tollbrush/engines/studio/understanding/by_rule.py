"""What the rules make of a prompt: clause by clause, each one read whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from tollbrush.engines.studio.plans.abilities import Wear
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import KeepColour, ReplaceSky, Write
from tollbrush.engines.studio.understanding.agreement import reconciled
from tollbrush.engines.studio.understanding.asides import without_asides
from tollbrush.engines.studio.understanding.chunks import chunked
from tollbrush.engines.studio.understanding.clauses import Clause, clauses, completions, halves
from tollbrush.engines.studio.understanding.grammar import readings
from tollbrush.engines.studio.understanding.loose import loosely
from tollbrush.engines.studio.understanding.pairs import with_pair
from tollbrush.engines.studio.understanding.pointing import points_nowhere
from tollbrush.engines.studio.understanding.reading import Complaint, Keep, Reading, TooMuchError
from tollbrush.engines.studio.understanding.refusals import NotHonouredError, not_understood, unclear
from tollbrush.engines.studio.understanding.remarks import is_remark, is_statement
from tollbrush.engines.studio.understanding.telling import is_liked
from tollbrush.engines.studio.understanding.trailing import (
    complained_on,
    goes_on_telling,
    is_carried_on,
    tail_of_complaint,
    tails,
)
from tollbrush.engines.studio.understanding.words import Term, read


def by_rule(prompt: str, *, masked: bool) -> Plan:
    """What the rules alone make of it. Quoted to be written as it stands, or else for emphasis ("sunset")."""
    terms = read(prompt)
    if terms and all(t.key in ".!" for t in terms[1:]) and terms[0].roles.get("SCENE") == "blue_sky":
        return Plan((ReplaceSky("blue_sky"),))  # among other words it may be what is there
    try:
        return planned(terms, prompt, masked=masked)
    except NotHonouredError:
        if any(term.plays("QUOTE") for term in terms):
            with suppress(NotHonouredError):
                return planned(read(prompt, quotes=False), prompt, masked=masked)
        raise


def planned(terms: Sequence[Term], prompt: str, *, masked: bool) -> Plan:
    found: list[Reading] = []
    before: Sequence[Term] = ()
    after_comma = False
    # What is masked is here.
    ahead = clauses([t for t in without_asides(terms) if not (masked and t.key == "here")])
    while ahead:
        clause, *ahead = ahead
        if found and (worse := complained_on(clause.terms, found[-1], after_comma=after_comma)):
            found, before, after_comma = [*found, worse], clause.terms, clause.runs_on
            continue
        if found and not after_comma and goes_on_telling(clause.terms, before, found[-1]):
            continue
        if after_comma and _is_its_colour(clause.terms, found):
            clause, found = Clause(_coloured(before, clause.terms), clause.runs_on), found[:-1]  # a crown, golden
        try:
            meanings = _meaning(clause.terms, before, found, masked=masked)
        except NotHonouredError as refused:
            wish = [*clause.terms, *ahead[0].terms] if clause.runs_on and ahead else None
            if wish is not None and (joined := _wished(wish, before, found, masked=masked)):
                meanings, clause, ahead = joined, ahead[0], ahead[1:]
            elif after_comma and (whole := _wished([*before, *clause.terms], (), found[:-1], masked=masked)):
                found, meanings = found[:-1], whole  # film grain, subtle
                clause = Clause([*before, *clause.terms], clause.runs_on)
            elif not (meanings := _as_halves(clause.terms, before, found, masked=masked)):
                raise refused from None
        found += meanings
        before, after_comma = clause.terms, clause.runs_on and len(meanings) == 1
    return Plan(reconciled(found, prompt, masked=masked))


def _is_its_colour(clause: Sequence[Term], found: Sequence[Reading]) -> bool:
    """Of what is worn, named after it."""
    worn = found[-1] if found else None
    return isinstance(worn, Wear) and worn.colour is None and all(term.plays("HUE") for term in clause)


def _coloured(worn: Sequence[Term], colour: Sequence[Term]) -> list[Term]:
    at = next((at for at, term in enumerate(worn) if term.plays("WEAR")), 0)
    return [*worn[:at], *colour, *worn[at:]]


def _meant(
    clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading], *, masked: bool
) -> Sequence[Reading]:
    """What the clause means, if anything."""
    with suppress(NotHonouredError):
        return _meaning(clause, before, found, masked=masked)
    return []


def _wished(
    clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading], *, masked: bool
) -> Sequence[Reading]:
    """What the clause asks for: `I took it` and a wish not understood are no remark together."""
    meant = _meant(clause, before, found, masked=masked)
    return [] if Keep("remark") in meant else meant


def _as_halves(
    clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading], *, masked: bool
) -> Sequence[Reading]:
    """Both of two wishes that nothing parts, where they can be parted in one way only."""
    ways = []
    for first, second in halves(clause):
        if (one := _meant(first, before, found, masked=masked)) and (
            other := _meant(second, first, [*found, *one], masked=masked)
        ):
            told = (
                second[0].plays("TELLS") or second[0].key in ("i", "we") or first[0].key in ("its", "it's")
            )  # its sideways | turn it
            if (Keep("remark") in (*one, *other) and not told) or (second[0].plays("IS") and not told):
                continue  # he | is wearing a hat
            ways.append([*one, *other])
    return ways[0] if ways and all(way == ways[0] for way in ways) else []


def _meaning(
    clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading], *, masked: bool
) -> Sequence[Reading]:
    """One clause after another one, whose verb and background it may lean on. Raises NotHonouredError."""
    try:
        return _direct(clause, before, found, masked=masked)
    except NotHonouredError as refused:
        if not masked and not refused.final:
            if trailed := _trailed(clause, before, found):
                return trailed
            if is_statement(clause) or is_liked(clause):
                return [Keep("told"), Keep("remark")]
            if found and is_carried_on(clause, found[-1]):
                return [Keep("remark")]
        raise


def _direct(
    clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading], *, masked: bool
) -> Sequence[Reading]:
    """The same, of the clause as it stands."""
    if (
        found
        and isinstance(found[-1], KeepColour)
        and any(t.plays("REST") for t in clause)
        and any(t.plays("GREY") for t in clause)
    ):
        return [Keep("remark")]
    if found and isinstance(found[-1], Wear) and clause[0].plays("LOOKS") and all(t.plays("NICE") for t in clause[1:]):
        return [Keep("remark")]  # I want to look cool
    excess: TooMuchError | None = None
    shorter = clause if masked else chunked(clause)
    attempts = [
        *completions(clause, before, found),
        *(completions(shorter, before, found) if shorter != clause else ()),
    ]
    for attempt in attempts:
        try:
            meanings = readings(attempt, masked=masked)
        except TooMuchError as error:
            excess = excess or error
            continue
        if len(meanings) == 1:
            meaning = meanings.pop()
            if points_nowhere(meaning, clause, before, found):
                raise unclear(clause)
            return [meaning]
        if meanings:
            raise unclear(clause)
    if excess is None and (pair := with_pair(clause, masked=masked)):
        return pair
    for attempt in () if masked else attempts:
        if len(meanings := loosely(attempt)) == 1:
            if any(points_nowhere(meaning, clause, before, found) for meaning in meanings):
                raise unclear(clause)
            return list(meanings)
    written = bool(found) and isinstance(found[-1], Write)
    if is_remark(clause) and not (written and clause[-1].plays("SIZE")):  # …, quite large
        return [Keep("remark")]
    raise not_understood(clause, excess, masked=masked)


def _trailed(clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading]) -> Sequence[Reading]:
    """A wish, and words after it that ask for nothing more: `so it looks expensive`, `so it's transparent behind`."""
    for wish, tail, harmless in tails(clause):
        meant: Sequence[Reading] = []
        with suppress(NotHonouredError):
            meant = _direct(wish, before, found, masked=False)
        if not meant or any(isinstance(one, Keep) for one in meant):
            continue
        if harmless and (tail_of_complaint(clause[len(wish)]) <= isinstance(meant[0], Complaint)):
            return meant
        with suppress(NotHonouredError):
            if tail and [*map(_kind, _direct(tail, wish, meant, masked=False))] == [*map(_kind, meant)]:
                return meant
    return []


def _kind(reading: Reading) -> tuple[object, ...]:
    kind = getattr(reading, "kind", getattr(reading, "scene", None))
    return type(reading), kind, getattr(reading, "colour", None), getattr(reading, "aspect", None)
