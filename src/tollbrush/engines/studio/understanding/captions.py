"""What a picture shows, said before what is wished of it: `the band on stage, crop it to 4:5`.

No rule knows what all pictures show. What is taken for a caption names nothing that the studio does, and is put so that
it is hardly a wish: none of `longer hair`, `a dragon on my shoulder`, `the other kids away`.
"""

from __future__ import annotations

import re
from typing import Final

from tollbrush.engines.studio.understanding.clauses import VERBS
from tollbrush.engines.studio.understanding.words import read


def without_caption(prompt: str) -> str | None:
    """What follows the caption; None where none begins the prompt."""
    ends = _ENDS.search(prompt)
    if ends is None or not _is_caption(prompt[: ends.start()]):
        return None
    rest = prompt[ends.end() :]
    return None if _POINTS.search(rest) else rest


def _is_caption(words: str) -> bool:
    if not 1 < len(words.split()) <= _LONGEST or '"' in words or _OPENS.match(words) or _WISHES.search(words):
        return False
    terms = read(words)
    if any(term.plays(*DONE) for term in terms):
        return False
    return not any(term.plays(*VERBS) and not term.plays("PICTURE", "PERSON") for term in terms)


def least_likely(prompt: str) -> float:
    """How likely the second reading must find it that nothing but what it tells is asked for: `our band on stage` is
    there, `elf ears` may be a wish."""
    return 0.0 if _PLACED.match(prompt) else _BARE


_BARE: Final = 0.15
_PLACED: Final = re.compile(
    r"(?:me|us|my|our|the|this|his|her|their|these|\w+'s)\b"
    r"(?:(?!\b(?:is|are|was|were|be|on the (?:left|right))\b)[^,.;:!…])*"
    r"\b(?:in|on|at|with|from|of|by|during|near)\b",
    re.IGNORECASE,
)
_LONGEST: Final = 10  # words
_ENDS: Final = re.compile(r"[,.;:!…]+\s+|\s+[-–—]\s+")
_OPENS: Final = re.compile(r"(?:an?|some|i|we|it|he|she|they)\b", re.IGNORECASE)
_WISHES: Final = re.compile(
    r"\b(?:\w+(?:ier|nger|rter|aller|igger|inner|atter|ighter|immer|ower|igher)|no|not|without|like|as|if|should|must|"
    r"could|would|can|want|wish|need|please|pls|let|also|too|so|instead|open|closed|shut|gone|off|away|out|give|"
    r"next to|around|behind|another|extra|more|less|few|fewer)\b",
    re.IGNORECASE,
)
_POINTS: Final = re.compile(r"\b(?:there|that|those|these|them|one|ones)\b", re.IGNORECASE)
# The roles of what the studio does: a caption with one of them may be a wish.
DONE: Final = (
    "WEAR", "STYLE", "QUOTE", "ASPECT", "WEATHER", "VIGNETTE", "BORDER", "SKY", "LOOK", "ER", "SCENE", "SKYLOOK",
    "WHOLESKY", "DEGREES", "TIMES", "BG", "TINT", "PLAIN", "TONENOUN", "COMPLAINT", "LESS", "MORE", "TOO", "DULL", "NO",
    "EXCEPT", "ONLY", "KEEPONLY", "INSTEAD", "COLOURS", "HIGHLIGHTS", "SHADOWS", "NOISY", "BEHIND", "CROOKED",
    "MIRRORED", "WASHED", "EFFECT", "SAME", "HUE", "EVERYTHING", "TEXT", "WATERMARK", "PAINTING", "REMOVED", "NOT",
    "LIKE", "SOFTENED", "BLURRY", "SHARPER",
)  # fmt: skip
