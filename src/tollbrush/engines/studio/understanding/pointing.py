"""What a wish points at when it only says `it`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tollbrush.engines.studio.plans.abilities import BlurBackground, RemoveBackground, ReplaceBackground, Tone
from tollbrush.engines.studio.plans.treatments import Blur, Denoise, Sharpen
from tollbrush.engines.studio.understanding.clauses import VERBS
from tollbrush.engines.studio.understanding.reading import Keep, Reading
from tollbrush.engines.studio.understanding.remarks import is_of_a_thing
from tollbrush.engines.studio.understanding.words import Term


def points_nowhere(meaning: Reading, clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading]) -> bool:
    """`blur the background and make it darker`: is it the picture, or the background?"""
    if not isinstance(meaning, Tone | Blur | Sharpen | Denoise):
        return False
    points = bool(found) and found[-1] == Keep("remark") and any(t.plays("IT") for t in clause)
    if points and (is_of_a_thing(before) or any(t.plays("BEHIND") for t in before)):
        return True
    if getattr(meaning, "where", "picture") == "background" or not any(t.plays("BG", "BEHIND") for t in before):
        return False
    if any(t.plays("PICTURE", "EVERYTHING", "AREA") for t in clause):
        return False
    if found[-1] == RemoveBackground() and isinstance(meaning, Tone):
        return False
    if isinstance(found[-1], BlurBackground) and isinstance(meaning, Tone) and meaning.kind not in _OF_LIGHT:
        return False  # a blurred background is made no warmer than what is before it
    if isinstance(found[-1], ReplaceBackground) and not any(t.plays("IT", "COLOURS") for t in clause):
        return False
    bare = not clause[0].plays(*VERBS) or any(t.key == "it" for t in clause)
    return bare or isinstance(found[-1], Tone)


_OF_LIGHT: Final = (
    "brighter", "darker", "black_and_white", "less_saturation", "less_contrast", "sepia", "grainy", "negative",
)  # fmt: skip
