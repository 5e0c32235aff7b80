"""Continue a picture beyond a side: where it is plain by what is smooth there, elsewhere by patches of the picture.

Grass, leaves, boards, clouds, a skyline go on; what the side cuts in two (a person, a cup) is not made whole, and a
side that patches would continue badly is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.fill.completion import grow, misfit
from tollbrush.engines.studio.fill.plain import TURNS, continued, plain_depths
from tollbrush.engines.studio.plans.framings import Extend
from tollbrush.engines.studio.subject.find import SURE, Subject, find_subject
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.plans.framings import Side

_OPPOSITE: Final[tuple[tuple[Side, Side], ...]] = (
    ("left", "right"), ("right", "left"), ("top", "bottom"), ("bottom", "top"),
)  # fmt: skip
_LEAST_SIDE: Final = 48  # pixels
_TOUCH: Final = 0.02  # share of a side that a subject may touch
_LIKELY: Final = 0.2  # confidence from which something that fills a side may be a subject
_MISFIT: Final = 640.0  # squared Lab by which patches may miss what they are to continue
_SOURCE: Final = 2.5  # margins: how deep the part of the picture is that patches are taken from


def extended(pixels: Pixels, framing: Extend, seed: int) -> Pixels:
    """H×W×3|4 `pixels`, untouched, in a picture of `framing.size`, the margins painted. Raises CannotHonour where a
    side cannot be continued. An aspect is reached on one of two sides if the other cannot."""
    height, width = pixels.shape[:2]
    margins = dict(zip(TURNS, framing.margins(Size(width, height)), strict=True))
    if not any(margins.values()):
        raise CannotHonour("The picture has that shape already, so there is nothing to extend.", advice="Name a side.")
    if min(height, width) < _LEAST_SIDE:
        raise CannotHonour(
            "The picture is too small to be continued.", advice=f"Use one of at least {_LEAST_SIDE} pixels a side."
        )
    found = find_subject(pixels)
    subject = found.mask if found.confidence >= SURE else np.zeros_like(found.mask)
    whole = uncut_sides(found)
    depths = {side: depth for side, depth in plain_depths(pixels).items() if side in whole}
    opaque = pixels.shape[2] == 3 or bool((pixels[..., 3] == 255).all())

    def goes_on(side: Side) -> bool:
        if side in depths or side not in whole or not opaque:
            return side in depths
        turned, spared = np.rot90(pixels, TURNS[side]), np.rot90(subject, TURNS[side])
        return misfit(*_window(turned, spared, margins[side] or round(0.25 * len(turned)))) < _MISFIT

    wanted = [side for side, margin in margins.items() if margin]
    able = [side for side in wanted if goes_on(side)]
    if framing.aspect:
        margins = _moved(margins, able)
    rough = [side for side, margin in margins.items() if margin and side not in able]
    if rough:
        others = (side for side in TURNS if side in able or (side not in wanted and goes_on(side)))
        _refuse(rough, next(others, None))
    random = np.random.default_rng(seed)
    result = pixels
    for side, margin in margins.items():
        if not margin:
            continue
        turned, spared = np.rot90(result, TURNS[side]), np.rot90(subject, TURNS[side])
        if side in depths:
            beyond = continued(turned[: depths[side]].astype(np.float32), margin, random)
        else:
            canvas = _window(turned, spared, margin)
            beyond = grow(*canvas, int(random.integers(2**31)))[:margin]
        result = np.rot90(np.concatenate([beyond, turned]), -TURNS[side])
        subject = np.rot90(np.pad(spared, ((margin, 0), (0, 0))), -TURNS[side])
    return np.ascontiguousarray(result)


def _window(turned: Pixels, spared: Mask, margin: int) -> tuple[Pixels, int, Mask]:
    """What `grow` works on: the upper part of a picture with a margin above it, and what is not to be copied."""
    deep = max(round(_SOURCE * margin), _LEAST_SIDE)
    above = ((margin, 0), (0, 0))
    return np.pad(turned[:deep], (*above, (0, 0)), mode="edge"), margin, np.pad(spared[:deep], above)


def uncut_sides(found: Subject) -> list[Side]:
    """The sides that cut no subject. One that is only likely must fill half of a side, and not the opposite one too, as
    ground does that reaches from side to side."""
    touch = {side: float(np.rot90(found.mask, turn)[0].mean()) for side, turn in TURNS.items()}
    if found.confidence >= SURE:
        return [side for side in TURNS if touch[side] <= _TOUCH]
    likely = found.confidence >= _LIKELY
    return [side for side, other in _OPPOSITE if not (likely and touch[side] > 0.5 > 2 * touch[other])]


def _moved(margins: dict[Side, int], able: list[Side]) -> dict[Side, int]:
    """With all of what two opposite sides were to get on the one that goes on."""
    moved = dict(margins)
    for side, other in _OPPOSITE:
        if side in able and other not in able:
            moved |= {side: margins[side] + margins[other], other: 0}
    return moved


def _refuse(rough: list[Side], instead: Side | None) -> NoReturn:
    *others, last = rough
    edges = f"{', '.join(others)} and {last} edges" if others else f"{last} edge"
    hint = f'Its {instead} goes on: say "{Extend((instead,))}". Or crop' if instead else "Crop"
    raise CannotHonour(
        f"Something is cut off at the picture's {edges}, and the studio cannot make up the rest of it; it continues "
        "skies, walls, ground and other textures.",
        advice=f"{hint} it, or add a border.",
    )
