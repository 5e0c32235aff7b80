"""Sentences beside a plan that wish for something which it does not hold: `Make it warmer. And grandad should look into
the camera.`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tollbrush.engines.studio.plans.abilities import Tone
from tollbrush.engines.studio.plans.framings import Crop, Enlarge, Extend, Flip, Rotate
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import Write
from tollbrush.engines.studio.understanding.captions import DONE
from tollbrush.engines.studio.understanding.statements import sentences
from tollbrush.engines.studio.understanding.telling import DOES_SO, says
from tollbrush.engines.studio.understanding.words import read


def unmet(prompt: str, plan: Plan) -> Iterator[str]:
    """Sentences with a modal verb, or another word of wishing, that name nothing of what is done."""
    parts = sentences(prompt)
    if len(parts) < 2:
        return
    coloured = any(getattr(one, "colour", None) or isinstance(one, Tone) for one in plan.operations)
    named = {*DONE} - {*_OF_ANYTHING} - {*(() if coloured else _COLOURED)}
    for said in (prompt[start:end] for start, end in parts):
        if _WISHES.search(said) and not any(term.plays(*named) for term in read(said)):
            yield said


def pointed_at(prompt: str, plan: Plan) -> Iterator[str]:
    """Sentences of which the next one says `so please do that`, and the plan does nothing that they name."""
    said = [prompt[start:end] for start, end in sentences(prompt)]
    for one, after in pairwise(said):
        if DOES_SO.search(after) and not _holds(plan, one):
            yield one


def _holds(plan: Plan, said: str) -> bool:
    """Whether something that is done may be what is told there."""
    framed = any(isinstance(one, Crop | Rotate | Flip | Extend | Enlarge | Write) for one in plan.operations)
    return framed or any(says(term, one) for term in read(said) for one in plan.operations)


_OF_ANYTHING: Final = ("NOT", "NO", "TOO", "MORE", "LESS", "INSTEAD", "EXCEPT", "LIKE", "ONLY", "SAME")
_COLOURED: Final = ("HUE", "TINT", "SKYLOOK")
_WISHES: Final = re.compile(
    r"\b(?<!\bit )(?<!\bthis )(?<!\bthat )(?<!\bi )(?<!\bpicture )(?<!\bphoto )(?<!\bwe )(?<!\byou )"
    r"(?:(?:also|really|still|just) )?(?:should(?! have|'ve| stay)|must(?! have| stay)|ought to"
    r"|needs? (?:an?|the|its|his|her|to be)\b)|\bwe should(?! have|'ve)"
    r"|\b(?:i'd|we'd|i would|we would) rather (?:have|see)\b",
    re.IGNORECASE,
)
