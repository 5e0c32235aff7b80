"""What an edit may ask of the pixels: an operation outside this set is understood, and refused by name.

A test walks every value in here through `perform`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from tollbrush.engines.studio.plans.abilities import (
    BlurBackground,
    Operation,
    RemoveBackground,
    RemoveMasked,
    ReplaceBackground,
    Tone,
    Wear,
)
from tollbrush.engines.studio.plans.framings import Framing
from tollbrush.engines.studio.plans.kinds import Accessory, Scene
from tollbrush.engines.studio.plans.treatments import Treatment

TYPES: Final[frozenset[type[Operation]]] = frozenset(
    {ReplaceBackground, RemoveBackground, BlurBackground, RemoveMasked, Wear, Tone}
    | set(get_args(Treatment))
    | set(get_args(Framing))
)
KINDS: Final[Mapping[type[Operation], frozenset[str]]] = {
    ReplaceBackground: frozenset(get_args(Scene)),
    Wear: frozenset(get_args(Accessory)),
}
"""Of a type that is not done in every kind: the scenes and accessories there are."""


def is_performed(operation: Operation) -> bool:
    match operation:
        case ReplaceBackground(scene) if scene is not None:
            return scene in KINDS[ReplaceBackground]
        case Wear(kind):
            return kind in KINDS[Wear]
    return type(operation) in TYPES
