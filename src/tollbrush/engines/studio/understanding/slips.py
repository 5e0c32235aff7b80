"""Slips of the finger: a word that is none is read as the only one of ours that it can have been meant as."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from tollbrush.engines.studio.understanding import sentence_lexicon as sentence
from tollbrush.engines.studio.understanding.dictionary import mendable, vocabulary
from tollbrush.engines.studio.understanding.word_lists import not_slips

_LONG: Final = 8  # letters; such words may hold two slips
_NOISES: Final = re.compile(r"(?:ha|he|hi|ah|xo)+h?|lo+l+|hm+|um+|aw+|wo+w+|yay+|x+|oo+h*|a+r*gh+|p+w*l+e+a+s+e+")
_RUN: Final = re.compile(r"(\w)\1{2,}")


def mended(word: str) -> list[str]:
    """The word the user meant, where its letters lead to exactly one of ours; two where a space was left out."""
    if word in sentence.MISSPELT:
        return sentence.MISSPELT[word].split()
    if word in vocabulary() or not word.isalpha():
        return [word]
    if len(word) > 1 and _NOISES.fullmatch(word):
        return ["lol"]
    if _RUN.search(word):
        for short in (_RUN.sub(r"\1\1", word), _RUN.sub(r"\1", word)):  # sooo, pleaseee
            if short in vocabulary() or short in sentence.MISSPELT:
                return mended(short)
    if len(word) < 4 or word in not_slips():
        return [word]
    nearest = _nearest(word)
    return [nearest] if nearest != word else _parted(word)


def _nearest(word: str) -> str:
    near = process.extract(word, _spelt(), scorer=OSA.distance, score_cutoff=1 if len(word) < _LONG else 2)
    best = [known for known, distance, _ in near if distance == near[0][1]]
    best = [known for known in best if sorted(known) == sorted(word)] or best  # nosie is noise, not nose
    # A letter too few or too many of a double one is the likeliest slip of all.
    best = [known for known in best if _undoubled(known) == _undoubled(word)] or best
    best = [known for known in best if _left_out(word, known)] or best
    if len(best) != 1 or best[0] not in mendable() or word.rstrip("s") == best[0].rstrip("s"):
        return word
    swapped = sorted(word) == sorted(best[0])
    if len(word) == 4 and not swapped:
        return word
    return best[0] if best[0][0] == word[0] or swapped else word


def _parted(word: str) -> list[str]:
    """`makeit`, `thebackground`; not `anthing` and `towell`, which are nearer to one word than to two."""
    if process.extractOne(word, _spelt(), scorer=OSA.distance, score_cutoff=1):
        return [word]
    ways = [
        [word[:at], word[at:]]
        for at in range(2, len(word) - 1)
        if {word[:at], word[at:]} & _OFTEN and _is_known(word[:at]) and _is_known(word[at:])
    ]
    return ways[0] if len(word) >= 6 and len(ways) == 1 else [word]


def _is_known(part: str) -> bool:
    return part in vocabulary() and (len(part) > 2 or part in _OFTEN)


# The words that others run into.
_OFTEN: Final = {
    "it", "me", "my", "the", "to", "in", "on", "of", "an", "bg", "and", "make", "add", "put", "remove", "blur",
    "background", "photo", "picture",
}  # fmt: skip


def _left_out(word: str, known: str) -> bool:
    """Whether a letter of `known` is missing."""
    rest = iter(known)
    return len(word) < len(known) and all(letter in rest for letter in word)


def _undoubled(word: str) -> str:
    return re.sub(r"(.)\1", r"\1", word)


@cache
def _spelt() -> tuple[str, ...]:
    return tuple(sorted(word for word in vocabulary() if len(word) >= 4))
