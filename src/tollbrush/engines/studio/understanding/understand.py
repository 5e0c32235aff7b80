"""Understand a prompt: words in, a plan of typed operations out, or a refusal that names the words and says what works.

Light on purpose (no pixels, no OpenCV): it runs before any price is asked.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from typing import Final

from tollbrush.engines.studio.plans.performed import is_performed
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import Write
from tollbrush.engines.studio.understanding.by_rule import by_rule, planned
from tollbrush.engines.studio.understanding.clauses import orders
from tollbrush.engines.studio.understanding.refusals import (
    NotHonouredError,
    more_is_asked,
    taken_back,
)
from tollbrush.engines.studio.understanding.repertoire import GROUPS, Offer
from tollbrush.engines.studio.understanding.second_reading import Reread, read_again
from tollbrush.engines.studio.understanding.unquoted import with_quotes
from tollbrush.engines.studio.understanding.words import read

_MOST_CHARACTERS: Final = 600


def understand(prompt: str, *, masked: bool) -> Plan:
    """The plan of a prompt. Raises CannotHonour when any part of it is not understood, or cannot be done."""
    try:
        if len(prompt) > _MOST_CHARACTERS:
            message = f"The studio takes prompts of up to {_MOST_CHARACTERS} characters, not {len(prompt):,}."
            raise NotHonouredError(message, "", "Ask for one or two edits at a time.")
        if back := taken_back(prompt):
            raise back
        plan = _read_with_quotes(prompt, masked=masked)
        if missing := [o for o in plan.operations if not is_performed(o)]:
            raise NotHonouredError(f"The studio cannot {' or '.join(map(str, missing))}.", prompt)
    except NotHonouredError as refused:
        raise refused.told(prompt, offers()) from None
    return plan


@cache
def offers() -> tuple[Offer, ...]:
    """Of the repertoire, what is performed."""
    every = [offer for group in GROUPS for offer in group.offers()]
    return tuple(offer for offer in every if _is_offered(offer))


def _is_offered(offer: Offer) -> bool:
    return all(map(is_performed, planned(read(offer.example), "", masked=bool(offer.needs)).operations))


def _read_with_quotes(prompt: str, *, masked: bool) -> Plan:
    """As it stands, or else with the quotation marks that it lacks."""
    try:
        return _read_twice(prompt, masked=masked)
    except NotHonouredError:
        again = None if masked else read_again(prompt)
        if again and again.is_text and (quoted := with_quotes(prompt)):
            with suppress(NotHonouredError):
                return _read_twice(quoted, masked=masked)
        raise


def _read_twice(prompt: str, *, masked: bool) -> Plan:
    """By rule. What no rule takes is put in plain words, if it is sure what they are, and certain of what the rules
    take for a contradiction, unless it is one of orders. Of two plans that differ in one wish more the plain words'
    is done; what cannot be what the rules take it for is refused."""
    again = None if masked else read_again(prompt)
    try:
        plan = by_rule(prompt, masked=masked)
    except NotHonouredError as refused:
        certain = again is not None and again.is_certain and again.wishes >= orders(read(prompt))
        other = _in_plain_words(again) if again and (certain or not refused.final) else None
        if other and not _tells_of_a_mark(prompt, other):
            return other
        raise
    if again and again.wishes != len(plan.operations) and (other := _in_plain_words(again)):
        one, both = sorted(({*plan.operations}, {*other.operations}), key=len)
        if one < both:
            return other
    if _tells_of_a_mark(prompt, plan):
        raise more_is_asked(prompt, plan.told)
    if again and again.is_at_odds and _says_more(prompt, plan):
        raise more_is_asked(prompt, plan.told)
    return plan


def _in_plain_words(again: Reread) -> Plan | None:
    """Of what the second reading is sure of, with each of its wishes."""
    if again.plain and again.is_sure:
        with suppress(NotHonouredError):
            plan = planned(read(again.plain), again.plain, masked=False)
            return plan if len(plan.operations) == again.wishes else None
    return None


def _tells_of_a_mark(prompt: str, plan: Plan) -> bool:
    """`the DRAFT watermark is ugly` speaks of one that is there."""
    marks = any(isinstance(one, Write) and one.watermark for one in plan.operations)
    return marks and bool(_THERE.search(prompt)) and not _PUTS.search(prompt)


_THERE: Final = re.compile(
    r"\b(?:the|this|that|no|without|hide|hate|love|like|is|was|there's)\b[^.,;\"]*\bwater ?mark|"
    r"water ?mark[^.,;:\"]*\b(?:is|was)\b",
    re.IGNORECASE,
)
_PUTS: Final = re.compile(
    r"\b(?:add|put|stamp|apply|place|overlay|slap|insert|include|use|write|as (?:a |my |our )?water)", re.IGNORECASE
)


def _says_more(prompt: str, plan: Plan) -> bool:
    """Than the plan's own words: `make this black and white` does not, nor does "sunset", quoted for emphasis."""
    known, terms = {*plan.told.split()}, read(prompt)
    if any(term.plays("QUOTE") for term in terms) and not any(isinstance(one, Write) for one in plan.operations):
        return False
    return any(not term.plays("IT", "PICTURE") and not {*term.key.split()} <= known for term in terms)
