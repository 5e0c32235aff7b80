"""Words beside which a plan that is understood is doubtful all the same: they may mean something else, or more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tollbrush.engines.studio.plans.abilities import Operation, ReplaceBackground, Wear
from tollbrush.engines.studio.plans.framings import Border, Flip, Rotate
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import KeepColour, Write
from tollbrush.engines.studio.understanding.clauses import clauses
from tollbrush.engines.studio.understanding.doubtful_words import BESIDE, OF_ANY
from tollbrush.engines.studio.understanding.refusals import more_is_asked, told_or_wished
from tollbrush.engines.studio.understanding.telling import asks
from tollbrush.engines.studio.understanding.words import Term, read

Kinds = set[type[Operation]]


def check_doubts(prompt: str, plan: Plan) -> None:
    """Raises NotHonouredError with the words that make the plan doubtful."""
    kinds, terms = {*map(type, plan.operations)}, read(prompt)
    for words in _of_what_is_there(prompt, terms, kinds):
        raise told_or_wished(words, plan.told)
    for words in _of_something_else(prompt, terms, plan.operations):
        raise more_is_asked(words, plan.told)


def _of_what_is_there(prompt: str, terms: list[Term], kinds: Kinds) -> Iterator[str]:
    if {Border, Write} & kinds and _THERE.search(prompt) and not _PUTS.search(prompt):
        yield prompt
    parts = clauses(terms)
    if not asks(parts) and (liked := _LIKED_SO.search(prompt)):
        yield liked[0]
    if Wear in kinds:
        yield from (words for part in parts for words in _of_ones_own(part.terms))


def _of_something_else(prompt: str, terms: list[Term], operations: Sequence[Operation]) -> Iterator[str]:
    kinds = {*map(type, operations)}
    if KeepColour not in kinds:
        yield from (found[0] for found in OF_ANY.finditer(prompt))
    yield from (found[0] for kind, pattern in BESIDE.items() if kind in kinds and (found := pattern.search(prompt)))
    if Wear in kinds:
        yield from _on_an_animal(terms)
    if any(isinstance(one, ReplaceBackground) and one.scene in _COLOURABLE and not one.colour for one in operations):
        yield from (words for part in clauses(terms) for words in _in_a_colour(part.terms))
    if Write in kinds and {Rotate, Flip} & kinds:
        yield from (words for part in clauses(terms) for words in _of_the_words(part.terms))


def _on_an_animal(terms: list[Term]) -> Iterator[str]:
    """`for my dog's birthday, put a hat on him`, `sunglasses on the scarecrow`: hats are for people."""
    people = [term.key for term in terms if term.plays("PERSON", "SELF") and not term.plays("WEAR")]
    if {*people} <= _POINTING:
        yield from (term.text for term in terms if term.plays("ANIMAL") or _FIGURES.search(term.key))


def _in_a_colour(part: list[Term]) -> Iterator[str]:
    """`a soft gradient in mauve`, of which the colour would be lost."""
    if any(t.plays("SCENE") for t in part) and any(t.plays("HUE") and not t.plays("SCENE") for t in part):
        yield " ".join(term.text for term in part)


def _of_ones_own(part: list[Term]) -> Iterator[str]:
    """`me with my first real beard`, `an angel with that halo`: somebody has it on."""
    worn = next((at for at, term in enumerate(part) if term.plays("WEAR")), 0)
    bears = next((at for at in range(worn - 1, 0, -1) if part[at].plays("WITH", "IN")), worn)
    words = {word for term in part[bears + 1 : worn + 1] for word in (*term.lead.split(), term.key)}
    if words & _OWNED and not any(term.plays("ADD", "MOVE", "CHANGE") for term in part):
        yield " ".join(term.text for term in part)


def _of_the_words(part: list[Term]) -> Iterator[str]:
    """`write "MENU" upside down`: they are to be turned, not the picture."""
    if any(term.plays("QUOTE") for term in part):
        yield from (term.text for term in part if term.plays("ROUND", "AXIS", "MIRRORED", "DEGREES", "CLOCK"))


# The DRAFT watermark is ugly; the black frame is too heavy
_THERE: Final = re.compile(
    r"\b(?:the|this|that|no|without|hide|hate|love|like|is|was|there's)\b[^.,;\"]*\bwater ?mark|"
    r"water ?mark[^.,;:\"]*\b(?:is|was)\b|"
    r"\b(?:the|this|that) (?:\w+ ){0,2}(?:frame|border)\b[^.,;]*\b(?:is|looks|seems|was|needs?|has|must|off|away)\b",
    re.IGNORECASE,
)
_PUTS: Final = re.compile(
    r"\b(?:add|put|stamp|apply|place|overlay|slap|insert|include|use|write|as (?:a |my |our )?water|"
    r"(?:need|want) (?:a|the|my|our)|water ?mark (?:it|this))",
    re.IGNORECASE,
)
# … dark, but I like it that way
_LIKED_SO: Final = re.compile(
    r"\b(?:i|we) (?:really |just |do |rather )?(?:like|love) (?:it|this|that)"
    r"(?: (?:that way|so|this way|like (?:this|that)|dark|bright|blurry|tilted|as it is))?(?: actually| though)?\W*$"
    r"|^\W*(?:thanks|thank you|thx) for .*|\b(?:well done|good job|great job|nice work|nailed it)\W*$",
    re.IGNORECASE,
)
_OWNED: Final = frozenset(("my", "his", "her", "their", "that", "those", "this", "these"))
_COLOURABLE: Final = ("gradient", "studio")
_FIGURES: Final = re.compile(
    r"^(?:statues?|snowm[ae]n|scarecrow|gnome|robot(?: vacuum)?|dolls?|teddy(?: bear)?|mannequin|puppet|figurine|"
    r"sculpture|dummy|cactus|pumpkin|tree|tomcat|stallion|mare)$"
)
_POINTING: Final = frozenset(("him", "her", "his", "he", "she", "santa"))
