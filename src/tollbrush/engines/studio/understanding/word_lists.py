"""The long word lists, which are data: more names of all that the lexicons define, what photographs show, what they are
for, what people say around their wishes; real words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

_BY_ROLE: Final = ("subjects.txt", "purposes.txt", "said.txt", "doing.txt")

_MEASURED: Final = ("DEGREE", "CLOCK", "TIMES", "SIZE", "WIDTH", "DEGREES")


def roles() -> Iterator[tuple[str, str]]:
    """Phrase, role."""
    for name in _BY_ROLE:
        for heads, phrases in _sections(name):
            yield from ((phrase, role) for phrase in phrases for role in heads)


def meanings() -> Iterator[tuple[str, str, str | float]]:
    """Phrase, role, and what it means in it."""
    for (role, *said), phrases in _sections("meanings.txt"):
        value = " ".join(said)
        yield from ((phrase, role, float(value) if role in _MEASURED else value) for phrase in phrases)


@cache
def not_slips() -> frozenset[str]:
    """English words one slip of the finger away from the studio's own: never read as typing errors."""
    return frozenset(" ".join(_lines("real_words.txt")).split())


def _sections(name: str) -> Iterator[tuple[list[str], list[str]]]:
    """Under `[A B]`: A and B, and the phrases, which commas part."""
    for section in "\n".join(_lines(name)).split("[")[1:]:
        head, text = section.split("]", 1)
        yield head.split(), [phrase for phrase in re.split(r",\s+", " ".join(text.split()).rstrip(",")) if phrase]


def _lines(name: str) -> list[str]:
    text = (files("tollbrush.engines.studio.understanding") / "data" / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
