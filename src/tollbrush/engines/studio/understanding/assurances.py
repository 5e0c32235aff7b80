"""What a prompt asks to leave as it is, where that is left anyhow: `add a crown, everything else stays the same`.

People seldom say it, software agents nearly always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tollbrush.engines.studio.plans.abilities import (
    BlurBackground,
    RemoveBackground,
    ReplaceBackground,
    Tone,
    Wear,
)
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import ReplaceSky


def without_assurances(prompt: str) -> Iterator[tuple[str, bool]]:
    """What is left of the prompt without what is never touched, and without what a new background, sky or hat does not
    touch; whether it is the second."""
    rest = _OF_ALL.sub("", prompt)
    if rest != prompt and rest.strip(_MARKS):
        yield rest, False
    less = _OF_SOME.sub("", rest)
    if less != rest and less.strip(_MARKS):
        yield less, True


def spares_the_rest(plan: Plan) -> bool:
    """Whether it changes only what is around the subject, or puts something on."""
    return all(
        isinstance(one, _AROUND) or (isinstance(one, Tone) and one.where == "background") for one in plan.operations
    )


_MARKS: Final = " ,.;:!?–—-"
_AROUND: Final = (BlurBackground, RemoveBackground, ReplaceBackground, ReplaceSky, Wear)
_KEEP: Final = r"(?:keep|keeping|leave|leaving|preserve|preserving|maintain|maintaining)"
_ALL: Final = (
    r"(?:the )?(?:rest(?: of (?:it|the (?:picture|photo|image|scene)))?|everything else|all else|anything else|"
    r"(?:original |whole |overall )?(?:composition|geometry|framing|proportions|layout|aspect ratio|arrangement))"
)
# Never what is to be changed itself, a part of it or of the picture, or others than who is meant.
_NEVER: Final = r"(?![\w' ]*\b(?:background|backdrop|behind|sky|left|right|top|bottom|upper|lower|others?|half)\b)"
_SOME: Final = rf"(?:the |my |his |her |their |our |all )?{_NEVER}[\w' ]+?"
_AS: Final = (
    r"(?: exactly| just)?(?: as (?:it is|it was|is|are|they are|they were|she is|he is|i am|we are|shot|before|"
    r"delivered|in the original)| unchanged| unaltered| untouched| alone| intact| the same)"
)
_STAYS: Final = r"(?: (?:should|must|shall|has to|have to|can|is to|are to))? (?:stays?|remains?)"
_BEFORE: Final = r"(?:^|[,;.–—-]\s+|,?\s+(?:and|but|while|with)\s+)(?:please )?"
_ENDS: Final = r"(?=\s*(?:[.!;,]|$))"
_UNTOUCHED: Final = (
    r"(?:do not|don't|dont|without|never) (?:chang|alter|touch|modify)\w* (?:anything|everything|all) else|nothing else"
    r"(?: please| changes| should change)?"
)
_OF_ALL: Final = re.compile(
    rf"{_BEFORE}(?:{_KEEP} {_ALL}(?:{_AS})?|{_ALL}{_STAYS}(?:{_AS})?|{_UNTOUCHED}){_ENDS}", re.IGNORECASE
)
_ITS: Final = rf"(?:the |my |his |her |their |our ){_NEVER}[\w' ]+?"
_OF_SOME: Final = re.compile(rf"{_BEFORE}(?:{_KEEP} {_SOME}{_AS}|{_ITS}{_STAYS}{_AS}){_ENDS}", re.IGNORECASE)
