"""Whole sentences that only tell, around the one that wishes: `We won on a grey day. Could you add a blue sky?`.

No rule knows all that people tell. A sentence is taken for telling where it orders nothing and the second reading,
asked of it alone, finds no wish in it that it would believe.
"""

from __future__ import annotations

import re
from typing import Final

from tollbrush.engines.studio.understanding.clauses import is_order
from tollbrush.engines.studio.understanding.second_reading import read_again
from tollbrush.engines.studio.understanding.words import QUOTATION, read

Span = tuple[int, int]


def without_statements(prompt: str) -> str | None:
    """What is left without the sentences before it, and after it, that only tell; None where none does, or nothing is
    left that asks."""
    parts = sentences(prompt)
    tells = [_tells(prompt[start:end]) for start, end in parts]
    if all(tells) or not (tells[0] or tells[-1]):
        return None
    first, last = tells.index(False), len(tells) - tells[::-1].index(False)
    wish = prompt[parts[first][0] : parts[last - 1][1]]
    return None if _STATES.match(wish) and not _ASKS.search(wish) else wish


def only_states(prompt: str) -> bool:
    """Whether there are several sentences, and all of them tell how something is, or was."""
    said = [prompt[start:end] for start, end in sentences(prompt)]
    if len(said) < 2 or not all(_IS.search(one) and not _orders(one) for one in said):
        return False
    return not any(term.plays(*_COMPLAINS) for term in read(prompt))


def _orders(sentence: str) -> bool:
    return bool(_ASKS.search(sentence)) or any(map(is_order, read(sentence)[:1]))


def sentences(prompt: str) -> list[Span]:
    """Where they stand. What is quoted ends none."""
    text = QUOTATION.sub(lambda found: "x" * len(found[0]), prompt)
    cuts = [0, *(place for found in _ENDS.finditer(text) for place in found.span()), len(text)]
    return [(start, end) for start, end in zip(cuts[::2], cuts[1::2], strict=True) if start < end]


def _tells(sentence: str) -> bool:
    again = read_again(sentence)
    if again is None or len(sentence.split()) < _SHORTEST or _orders(sentence):
        return False
    return again.only < _BELIEVED


_SHORTEST: Final = 3  # words
_BELIEVED: Final = 0.5
_ENDS: Final = re.compile(
    r"(?<=[.!?;:…])\s+|\s+[-–—]\s+"
    # …, so please …; …, I just want …
    r"|,\s+(?=(?:(?:so|and|but) )?(?:please|pls|plz|kindly|(?:can|could|would) (?:you|u|we|i)"
    r"|(?:i|we)(?:'d| would)? (?:just )?(?:like|want|need))\b)"
    # …, and my fingers should …
    r"|,\s+(?=and (?:my|our|his|her|their|the) \w+ (?:should|must|needs?|has to|have to)\b)"
    # …, he's from Norway after all
    r"|,\s+(?=(?:and )?(?:he|she|they|we|i|you|it|that)(?:'(?:s|re|ll|ve|m)"
    r"| (?:is|are|was|were|had|have|can|will|did|do|should))\b)",
    re.IGNORECASE,
)
_COMPLAINS: Final = (
    "COMPLAINT", "TOO", "DULL", "NOISY", "CROOKED", "WASHED", "BLURRY", "MIRRORED", "SOFTENED", "PLAIN",
)  # fmt: skip
_IS: Final = re.compile(
    r"\b(?:is|are|was|were|came|went|had|hung|made|took|lost|won|fell|found|got|gave|left|bought|wore|said|told)\b"
    r"|\b\w{2,}ed\b"
    r"|\b(?:he|she)'s\b|^look at\b",
    re.IGNORECASE,
)
_STATES: Final = re.compile(r"(?:my|our|his|her|their|i|we|he|she|they|it|this|that|these)\b", re.IGNORECASE)
_ASKS: Final = re.compile(
    r"\?|\b(?:please|pls|plz|kindly|(?:can|could|would|will) (?:you|u|we|i)|(?:i|we)(?:'d| would)? (?:want|need|wish"
    r"|like)|should|must|shall|let|has to|have to|ought|ideally|instead|prefer|leave|keep|stays?|except|unless|if|no"
    r"|not|undo|deserves?|(?:asks?|asked|begs?|begged|wants?|wanted|needs?) (?:for|to be|a|an|the|me|us))\b",
    re.IGNORECASE,
)
