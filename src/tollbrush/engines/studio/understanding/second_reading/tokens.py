"""A prompt as the network sees it: words, typing errors mended, with the roles that the lexicon knows for them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from tollbrush.engines.studio.understanding.words import Term, read

QUOTED: Final = "<quoted>"  # what is to be written: its words are no request
_WORD: Final = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b|[^\W\d_]+|\d+|\S")
_OPEN: Final = ("QUOTE", "UNKNOWN", "ASPECT", "HUE")  # of these the value is one of very many
MOST_LETTERS: Final = 12  # runs of a word
MOST_ROLES: Final = 10  # of a phrase
BUCKETS: Final = 4096  # of runs of letters


@dataclass(frozen=True)
class Token:
    """`roles`: of the phrase that the word ends, with what they stand for (`WEAR`, `WEAR=crown`)."""

    word: str
    roles: tuple[str, ...]


def tokens(prompt: str) -> list[Token]:
    return [token for term in read(prompt) for token in _of_term(term)]


def starts(terms: Sequence[Term]) -> list[int]:
    """Where the tokens of each begin."""
    return [0, *accumulate(len(_of_term(term)) for term in terms)][:-1]


def _of_term(term: Term) -> list[Token]:
    roles = tuple(one for tag, value in term.roles.items() for one in _told(tag, value))[:MOST_ROLES]
    if term.plays("QUOTE"):
        return [Token(QUOTED, roles)]
    words = _WORD.findall(term.text.lower())
    before = len(_WORD.findall(term.lead.lower()))  # articles and courtesies
    return [Token(word, roles if at >= before else (_COURTESY,)) for at, word in enumerate(words)]


_COURTESY: Final = "COURTESY"


def _told(tag: str, value: object) -> tuple[str, ...]:
    return (tag, f"{tag}={value}") if isinstance(value, str) and value and tag not in _OPEN else (tag,)


def letters(word: str) -> list[int]:
    """The buckets of its runs of three and four letters (Bojanowski et al. 2017): a word misspelt shares most; the
    digits of a colour are no letters."""
    framed = f"<{word[0] if word[0] == '#' else word}>"
    runs = [framed[at : at + n] for n in (3, 4) for at in range(len(framed) - n + 1)]
    return [zlib.crc32(run.encode("utf-8", "surrogatepass")) % BUCKETS for run in runs[:MOST_LETTERS]]
