"""Words beside which a plan that is understood is doubtful all the same: they may mean something else, or more."""

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
from tollbrush.engines.studio.plans.framings import Border, Crop, Enlarge, Flip, Rotate
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import ReplaceSky, Style, Write
from tollbrush.engines.studio.understanding.clauses import clauses
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
    yield from (found[0] for kind, pattern in _BESIDE.items() if kind in kinds and (found := pattern.search(prompt)))
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


_ONLY_SOME: Final = r"\b(?:only|just) (?:the|my|our|his|her) (?!back)\w+ (?:behind|in the back)\b"  # … wall behind me
_WHOLE: Final = r"(?:picture|photo|image|pic|shot|whole|colou?rs?|tones?|background|light|sky|shadows|highlights)\b"
_BESIDE: Final[dict[type[Operation], re.Pattern[str]]] = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        # make the whole photo blurry, I need a backdrop for slides
        BlurBackground: rf"{_ONLY_SOME}|\b(?:whole|entire) \w+ (?:\w+ )?(?:blur\w*|out of focus)",
        # lift the shadows under my eyes; make it warmer in here, I'm freezing
        Tone: rf"{_ONLY_SOME}|\b(?:warmer|cooler|brighter|darker) in here\b|"
        # the barn less red; warmer by ten degrees; black and white, but all colours have to stay
        rf"\b(?:the|my|his|her) (?!{_WHOLE})\w+ (?:a bit |much )?(?:less|more) "
        r"(?:red|blue|green|yellow|orange|pink)\b|"
        r"\b(?:warm|cool|cold|hott)er\b[^,.;]* degrees?\b|"
        r"\b(?:white|b ?& ?w|b/w|monochrome)\b.*\bcolou?rs (?:have to|must|should|need to) (?:stay|remain)\b|"
        r"\bshadows? (?:under|around|on|below) (?:my|his|her|their|the) (?:eyes?|nose|chin|face|neck)\b",
        # give the poster behind me a yellow background
        ReplaceBackground: r"(?-i:\b[A-Z]\w+ (?:Boulevard|Street|Avenue|Road|Square)\b)|"
        r"\bgive (?:the|this|that|my|his|her) \w+ (?:behind|on|in|next to|beside) .*\bbackground\b",
        ReplaceSky: r"\b(?:not just|not only) the sky\b|\b(?:it|them) sky ?blue\b",
        # one hand is missing, draw it in; my fringe …, brush it aside
        Style: r"\bdraw (?:it|them|him|her|that|one) (?:in|on|back)\W*$|"
        r"\bbrush \w+ (?:\w+ )?(?:aside|away|off|back|out)\b",
        Rotate: r"\bshow(?:s|ing)? [-\d]",
        # the moon came out tiny, make it three times as big, the rest stays
        Enlarge: r"\bthe rest (?:stays?|should stay|as it is)\b",
        RemoveBackground: r"\bcut (?:the|my|his|her|that|this) \w+ out of \w+ (?:picture|photo|image|pic)\b",
        # make it 16:9 without cutting anything off: to be extended
        # … the hedge. Could you trim it?
        Crop: r"^(?!.*\bcrop).*\bwithout (?:cutting|losing|chopping)\b|\w[.!;]\s.*\btrim (?:it|them)\W*$",
        Border: r"\b(?:glasses|shades) with\b[^.,;]*\bframes?\b",
        # make him say "hello": in a bubble?
        Write: r"\b(?:make|have|let) (?:him|her|them|it|me|us|(?:the|my|our) \w+) (?:say|saying|speak)\b",
        # headphones on him, large speakers next to him; a party hat on two of them; a cap with our logo
        Wear: r"\bwith (?:the|my|our|his|her|a|an) (?:names?|words?|logo|letters?|initials?|text)\b|"
        r"\b(?:next to|beside) (?:me|him|her|us|them|it)\b|"
        r"\bon (?:just |only )?(?:one|two|three|four|five|six|half|some|most) of (?:them|us|the|my|our)\b",
    }.items()
}
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
