"""Understand a prompt: words in, a plan of typed operations out, or a refusal that names the words and says what works.

Light on purpose (no pixels, no OpenCV): it runs before any price is asked.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Final

from tollbrush.engines.studio.plans.abilities import Wear
from tollbrush.engines.studio.plans.framings import Border, Crop, Enlarge, Extend, Flip, Rotate
from tollbrush.engines.studio.plans.performed import is_performed
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import Write
from tollbrush.engines.studio.understanding.assurances import leaves, without_assurances
from tollbrush.engines.studio.understanding.by_rule import by_rule, planned
from tollbrush.engines.studio.understanding.captions import least_likely, without_caption
from tollbrush.engines.studio.understanding.clauses import orders
from tollbrush.engines.studio.understanding.doubts import check_doubts
from tollbrush.engines.studio.understanding.refusals import (
    NotHonouredError,
    more_is_asked,
    not_held,
    told_or_wished,
)
from tollbrush.engines.studio.understanding.repertoire import GROUPS, Offer
from tollbrush.engines.studio.understanding.second_reading import SURE, Reread, read_again
from tollbrush.engines.studio.understanding.second_thoughts import unsettled
from tollbrush.engines.studio.understanding.statements import only_states, without_statements
from tollbrush.engines.studio.understanding.telling import name_of, wished_for
from tollbrush.engines.studio.understanding.unmet import pointed_at, unmet
from tollbrush.engines.studio.understanding.unquoted import with_quotes
from tollbrush.engines.studio.understanding.words import read

_MOST_CHARACTERS: Final = 600
_NOT_RULED_OUT: Final = 0.3
_MADE: Final = ("SCENE", "WEATHER", "STYLE", "WEAR", "LOOK", "SKYLOOK", "WHOLESKY")
_OF_NO_WISH: Final = ("IT", "PICTURE", "STEP", "PERCENT", "FOR", "PURPOSE")
_SELDOM_IN_PASSING: Final = (Crop, Rotate, Flip, Extend, Enlarge, Border, Write)


def understand(prompt: str, *, masked: bool) -> Plan:
    """The plan of a prompt. Raises CannotHonour when any part of it is not understood, or cannot be done."""
    try:
        if len(prompt) > _MOST_CHARACTERS:
            message = f"The studio takes prompts of up to {_MOST_CHARACTERS} characters, not {len(prompt):,}."
            raise NotHonouredError(message, "", "Ask for one or two edits at a time.")
        if refused := unsettled(prompt):
            raise refused
        plan = _read_in_several_ways(prompt, masked=masked)
        if missing := [o for o in plan.operations if not is_performed(o)]:
            raise NotHonouredError(f"The studio cannot {' or '.join(map(str, missing))}.", prompt)
    except NotHonouredError as error:
        raise error.told(prompt, offers()) from None
    return plan


@cache
def offers() -> tuple[Offer, ...]:
    """Of the repertoire, what is performed."""
    every = [offer for group in GROUPS for offer in group.offers()]
    return tuple(offer for offer in every if _is_offered(offer))


def _is_offered(offer: Offer) -> bool:
    return all(map(is_performed, planned(read(offer.example), "", masked=bool(offer.needs)).operations))


def _read_in_several_ways(prompt: str, *, masked: bool) -> Plan:
    """As it stands, or else with the quotation marks that it lacks, without what it says of the picture before, or
    without the sentences around it that only tell."""
    try:
        return _read_twice(prompt, masked=masked)
    except NotHonouredError:
        again = None if masked else read_again(prompt)
        if again and again.is_text and (quoted := with_quotes(prompt)):
            with suppress(NotHonouredError):
                return _read_twice(quoted, masked=masked)
        if again and (plan := _after_caption(prompt, again) or _among_statements(prompt, again)):
            return plan
        if again and (plan := _assured(prompt, again)):
            return plan
        raise


def _assured(prompt: str, again: Reread) -> Plan | None:
    """What is wished beside what shall be left as it is."""
    for rest, kept in without_assurances(prompt) if again.only >= _NOT_RULED_OUT else ():
        with suppress(NotHonouredError):
            plan = _without_doubt(prompt, _read_twice(rest, masked=False))
            if leaves(kept, plan):
                return plan
    return None


def _after_caption(prompt: str, again: Reread) -> Plan | None:
    """What is wished after it, if the second reading finds no other wish; nothing to wear, which may be for somebody
    or something that only the caption names."""
    rest = without_caption(prompt) if again.only >= least_likely(prompt) else None
    with suppress(NotHonouredError):
        if rest is not None:
            plan = _read_twice(rest, masked=False)
            check_doubts(prompt, plan)
            worn = any(isinstance(one, Wear) for one in plan.operations)
            return plan if again.wishes == len(plan.operations) and not worn else None
    return None


def _among_statements(prompt: str, again: Reread) -> Plan | None:
    """What is wished between them, if the second reading finds as many wishes and does not rule out that they are
    all."""
    wish = without_statements(prompt) if again.only >= _NOT_RULED_OUT else None
    with suppress(NotHonouredError):
        if wish is not None:
            plan = _without_doubt(prompt, _read_twice(wish, masked=False))
            return plan if again.wishes == len(plan.operations) else None
    return None


def _read_twice(prompt: str, *, masked: bool) -> Plan:
    """By rule. What no rule takes is put in plain words, if it is sure what they are, and certain of what the rules
    take for a contradiction, unless it is one of orders. Where the plain words surely hold more wishes than theirs, or
    fewer, they are done; what cannot be what the rules take it for is refused."""
    again = None if masked else read_again(prompt)
    try:
        plan = by_rule(prompt, masked=masked)
    except NotHonouredError as refused:
        certain = again is not None and again.is_certain and again.wishes >= orders(read(prompt))
        other = _in_plain_words(again) if again and (certain or not refused.final) else None
        if again and other and (again.sureness >= SURE or not _names_another(prompt, other)):
            return _without_doubt(prompt, other)
        raise
    if again and again.sureness >= SURE and again.wishes != len(plan.operations) and (other := _in_plain_words(again)):
        ruled, plain = {*plan.operations}, {*other.operations}
        in_passing = not any(isinstance(one, _SELDOM_IN_PASSING) for one in ruled - plain)
        if ruled < plain or (plain < ruled and in_passing):
            return _without_doubt(prompt, other)
    if again and again.is_at_odds and _says_more(prompt, plan):
        raise more_is_asked(prompt, plan.told)
    return _without_doubt(prompt, plan)


def _without_doubt(prompt: str, plan: Plan) -> Plan:
    check_doubts(prompt, plan)
    if only_states(prompt):
        raise told_or_wished(prompt, plan.told)
    for said in unmet(prompt, plan):
        raise not_held(said, plan.told)
    for said in pointed_at(prompt, plan):
        raise told_or_wished(said, plan.told)
    return wished_for(prompt, plan)


def _in_plain_words(again: Reread) -> Plan | None:
    """Of what the second reading is sure of, with each of its wishes."""
    if again.plain and again.is_sure:
        with suppress(NotHonouredError):
            plan = planned(read(again.plain), again.plain, masked=False)
            return plan if len(plan.operations) == again.wishes else None
    return None


def _names_another(prompt: str, plan: Plan) -> bool:
    """`storm over the harbour, mirror it`: a second wish?"""
    named = {*map(name_of, plan.operations)}
    return any(term.plays(*_MADE) and not named & {*term.roles.values()} for term in read(prompt))


def _says_more(prompt: str, plan: Plan) -> bool:
    """Than the plan's own words: `make this black and white` does not, nor does "sunset", quoted for emphasis."""
    known, terms = {*plan.told.split()}, read(prompt)
    if any(term.plays("QUOTE") for term in terms) and not any(isinstance(one, Write) for one in plan.operations):
        return False
    return any(not term.plays(*_OF_NO_WISH) and not {*term.key.split()} <= known for term in terms)
