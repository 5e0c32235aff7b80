"""Two edits around a `with`, in one clause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tollbrush.engines.studio.plans.abilities import ReplaceBackground, Tone, Wear
from tollbrush.engines.studio.plans.framings import Border
from tollbrush.engines.studio.plans.treatments import Style, Vignette, Write
from tollbrush.engines.studio.understanding.clauses import known
from tollbrush.engines.studio.understanding.grammar import readings
from tollbrush.engines.studio.understanding.loose import loosely
from tollbrush.engines.studio.understanding.reading import Reading, TooMuchError
from tollbrush.engines.studio.understanding.words import Term


def with_pair(clause: Sequence[Term], *, masked: bool) -> Sequence[Reading]:
    """`a starry sky with a hat on him`, `black and white with more contrast`: two edits around a `with`. Not after a
    noun that the `with` could describe (`the man with a hat`)."""
    for at, term in enumerate(clause):
        if 0 < at < len(clause) - 1 and (
            (term.plays("WITH") and clause[at - 1].plays(*_DESCRIBED)) or _is_new_ground(clause, at)
        ):
            try:
                parts = (clause[:at], clause[at + 1 :])
                first, second = (readings(part, masked=masked) or loosely(part) for part in parts)
                second = second or loosely([_ADD, *parts[1]])
            except TooMuchError:
                continue
            apart = clause[at - 1].plays(*_DESCRIBED) or any(isinstance(one, Style | Wear) for one in first)
            if apart and len(first) == len(second) == 1 and isinstance(next(iter(second)), _BESIDES):
                return [*first, *second]
    return []


def _is_new_ground(clause: Sequence[Term], at: int) -> bool:
    """`a sketch of my dog on a white background`; `on the white background` tells which dog."""
    ground = clause[at + 1 :]
    new = not ground[0].named or ground[0].text.startswith(("a ", "an ", "some "))
    return clause[at].plays("WITH", "ON") and ground[-1].plays("BG", "BORDER", "VIGNETTE") and new


_ADD: Final = known("add")
_DESCRIBED: Final = ("SCENE", "HUE", "LOOK", "ER", "STYLE", "EFFECT", "ASPECT", "RATIO")
_BESIDES: Final = (Wear, Tone, Border, Vignette, Write, ReplaceBackground)
