"""What a prompt asks to leave as it is, where that is left anyhow: `add a crown, everything else stays the same`.

People seldom say it, software agents nearly always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tollbrush.engines.studio.plans.abilities import (
    BlurBackground,
    Operation,
    RemoveBackground,
    ReplaceBackground,
    Tone,
    Wear,
)
from tollbrush.engines.studio.plans.framings import Crop, Enlarge, Extend, Flip, Rotate, Straighten
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import ReplaceSky


def without_assurances(prompt: str) -> Iterator[tuple[str, Sequence[str]]]:
    """What is left of the prompt, and what it wants left as it is: at first what few edits touch, then more."""
    for pattern in (_OF_ALL, _OF_EITHER):
        rest, kept = pattern.sub("", prompt), [found[0] for found in pattern.finditer(prompt)]
        if kept and rest.strip(" ,.;:!?–—-"):
            yield rest, kept


def leaves(kept: Sequence[str], plan: Plan) -> bool:
    """Whether none of the operations touches it."""
    return all(_is_left(words, one) for words in kept for one in plan.operations)


def _is_left(words: str, operation: Operation) -> bool:
    if _FRAMED.search(words):
        return not isinstance(operation, Crop | Enlarge | Extend | Flip | Rotate | Straighten)
    if _OF_ALL.fullmatch(words):
        return True
    if isinstance(operation, Wear):
        return _OF_SOMEBODY.search(words) is not None
    if isinstance(operation, ReplaceSky):
        return _IN_FRONT.search(words) is not None or _UNDER_SKY.search(words) is not None
    around = isinstance(operation, BlurBackground | RemoveBackground | ReplaceBackground)
    around = around or (isinstance(operation, Tone) and operation.where == "background")
    return around and _IN_FRONT.search(words) is not None


_THE: Final = r"(?:the |my |his |her |their |our |all )?(?:\w+(?:'s)? )?"
_PARTS: Final = r"(?:faces?|hair|skin|pose|posture|expression|smile|cloth(?:es|ing)|outfit|features)"
_SUBJECTS: Final = (
    r"(?:subject|person|people|m[ae]n|wom[ae]n|girls?|boys?|kids?|child(?:ren)?|baby|couple|bride|groom|model|family|dog|"
    r"cat|pet|product|bottle|car|bike|cake|bag|shoes?|item|object|her|him|me|us|them|foreground)"
)
_LAND: Final = (
    r"(?:buildings?|houses?|church|villa|castle|valley|land(?:scape)?|ground|boats?|tent|bridge|city|harbour)"
)
_FRAMES: Final = (
    r"(?:original |whole |overall )?(?:composition|geometry|framing|proportions|layout|aspect ratio|arrangement)"
)
_FRAMED: Final = re.compile(_FRAMES, re.IGNORECASE)
_OF_SOMEBODY: Final = re.compile(rf"\b{_PARTS}\b", re.IGNORECASE)
_IN_FRONT: Final = re.compile(rf"\b(?:{_PARTS}|{_SUBJECTS})\b", re.IGNORECASE)
_UNDER_SKY: Final = re.compile(rf"\b{_LAND}\b", re.IGNORECASE)
_KEEP: Final = r"(?:keep|keeping|leave|leaving|preserve|preserving|maintain|maintaining)"
_REST: Final = (
    r"(?:the )?(?:rest(?: of (?:it|the (?:picture|photo|image|scene)))?|everything else|all else|anything else)"
)
_ALL: Final = rf"(?:{_REST}|(?:the )?{_FRAMES})"
_ONE: Final = rf"{_THE}(?:{_PARTS}|{_SUBJECTS}|{_LAND})(?: below)?"
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
_ALL_KEPT: Final = rf"{_KEEP} {_ALL}(?:{_AS})?|{_ALL}{_STAYS}(?:{_AS})?|{_UNTOUCHED}"
_OF_ALL: Final = re.compile(rf"{_BEFORE}(?:{_ALL_KEPT}){_ENDS}", re.IGNORECASE)
_OF_EITHER: Final = re.compile(
    rf"{_BEFORE}(?:{_ALL_KEPT}|{_KEEP} {_ONE}{_AS}|{_ONE}{_STAYS}{_AS}){_ENDS}", re.IGNORECASE
)
