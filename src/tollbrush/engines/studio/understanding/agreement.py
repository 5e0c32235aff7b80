"""Whether the operations of a prompt go together, and in which order they are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
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
from tollbrush.engines.studio.plans.framings import Border, Crop, Extend, Flip, Framing, Rotate, Side
from tollbrush.engines.studio.plans.kinds import OPPOSITE
from tollbrush.engines.studio.plans.treatments import (
    Blur,
    Denoise,
    KeepColour,
    Recolour,
    ReplaceSky,
    Sharpen,
    Style,
    Vignette,
    Weather,
    Write,
)
from tollbrush.engines.studio.understanding.reading import Complaint, Keep, KeepHue, Reading
from tollbrush.engines.studio.understanding.refusals import NotHonouredError, shortened
from tollbrush.engines.studio.understanding.topics import SAY_WHAT

# What sits in the same place.
_WORN: Final = (
    ("top_hat", "cowboy_hat", "santa_hat", "party_hat", "crown", "flower_crown", "witch_hat", "baseball_cap",
     "graduation_cap", "cat_ears", "bunny_ears"),
    ("glasses", "sunglasses", "heart_glasses"), ("glasses", "eye_patch"), ("sunglasses", "eye_patch"),
)  # fmt: skip


def reconciled(found: Sequence[Reading], prompt: str, *, masked: bool) -> tuple[Operation, ...]:
    """The operations without repeats, in working order. Raises NotHonouredError when they contradict each other."""
    operations = _with_hue(_settled(found, prompt), found, prompt)
    if any(isinstance(o, ReplaceBackground) for o in operations):
        operations = [o for o in operations if o != RemoveBackground()]  # away, and another one instead
    if not operations:
        raise NotHonouredError(f'The studio finds nothing to do in "{shortened(prompt)}".', prompt)
    if masked and (whole := [o for o in operations if isinstance(o, _OF_WHOLE)]):
        message = f"With a mask the studio cannot {' or '.join(map(str, whole))}: that is for the whole picture."
        raise NotHonouredError(message, prompt, "Send no mask.")
    _check_agreement(operations, prompt)
    if Keep("subject") in found:
        if not all(_spares_subject(o) for o in operations):
            raise NotHonouredError(f'"{shortened(prompt)}" both keeps the subject and changes it.', prompt)
        operations = [replace(o, relight=False) if isinstance(o, ReplaceBackground) else o for o in operations]
    # A hat is put on last: before a new background, it would be cut out with the subject.
    last = max((i for i, o in enumerate(operations) if isinstance(o, _OF_BACKGROUND)), default=-1)
    early = [o for o in operations[: last + 1] if isinstance(o, Wear)]
    kept = [o for o in operations[: last + 1] if not isinstance(o, Wear)]
    return tuple(sorted((*kept, *early, *operations[last + 1 :]), key=_turn))


def _with_hue(operations: list[Operation], found: Sequence[Reading], prompt: str) -> list[Operation]:
    """Black and white but for one colour."""
    kept = [r.source for r in found if isinstance(r, KeepHue)]
    grey = Tone("black_and_white")
    if not kept:
        return operations
    if grey not in operations or len(kept) > 1:
        raise NotHonouredError(f'The studio cannot keep {" and ".join(kept)} in "{shortened(prompt)}".', prompt)
    return [KeepColour(kept[0]) if o == grey else o for o in operations]


def _settled(found: Sequence[Reading], prompt: str) -> list[Operation]:
    """Without repeats, and without the complaints that a wish answers."""
    wishes = [r for r in dict.fromkeys(found) if not isinstance(r, Keep | KeepHue | Complaint)]
    complaints = [*{_what(r.remedy): r.remedy for r in reversed(found) if isinstance(r, Complaint)}.values()][::-1]
    turned = any(isinstance(o, Rotate | Flip) for o in complaints)
    unsure = not complaints or Keep("told") in found
    if (Keep("mend") in found and unsure) or (Keep("turn") in found and not turned):
        raise NotHonouredError(f'"{shortened(prompt)}" does not say what to mend.', prompt, SAY_WHAT)
    vignettes = [o for o in wishes if isinstance(o, Vignette)]
    wishes = [o for o in wishes if o not in vignettes[:-1]]  # dark edges, a soft vignette
    last = {(o.kind, o.where): o for o in wishes if isinstance(o, Tone)}  # darker, much darker
    wishes = [o for o in wishes if not isinstance(o, Tone) or last[o.kind, o.where] is o]
    if any(isinstance(o, Crop) and o.aspect for o in wishes):
        wishes = [o for o in wishes if o != Crop()]  # crop it, 16:9
    if Flip("vertical") in wishes:
        wishes = [o for o in wishes if o != Rotate(180.0)]  # upside down, like a reflection
    if any(isinstance(o, KeepColour) for o in wishes):
        grey = [(kind, where) for kind in ("black_and_white", "less_saturation") for where in _WHERE]
        wishes = [o for o in wishes if not isinstance(o, Tone) or (o.kind, o.where) not in grey]  # the rest is already
    answered = {_what(o) for o in wishes}
    return _joined([o for o in complaints if _what(o) not in answered] + wishes)


def _what(operation: Operation) -> tuple[type, str | None]:
    """What a complaint and the wish that answers it have in common: a cast is answered by warmth."""
    kind = getattr(operation, "kind", None)
    return type(operation), "balance" if isinstance(operation, Tone) and kind in _OF_BALANCE else kind


_OF_BALANCE: Final = (
    "warmer", "cooler", "balanced", "more_red", "less_red", "more_orange", "less_orange", "more_yellow", "more_blue",
    "more_green", "more_pink",
)  # fmt: skip


def _joined(operations: list[Operation]) -> list[Operation]:
    """Two sides to extend are one extension."""
    parts = [o for o in operations if isinstance(o, Extend) and o.aspect is None]
    if len(parts) < 2:
        return operations
    parts = [o for o in parts if len(o.sides) < _ALL_SIDES] or parts  # to the left; I need space
    whole = Extend(tuple(side for side in get_args(Side) if any(side in o.sides for o in parts)))
    first = next(o for o in operations if isinstance(o, Extend) and o.aspect is None)
    others = [o for o in operations if not isinstance(o, Extend) or o.aspect is not None or o is first]
    return [whole if o is first else o for o in others]


_ALL_SIDES: Final = len(get_args(Side))


def _turn(operation: Operation) -> int:
    """What must be found in the picture is found before its frame changes; what is laid on it, after."""
    if isinstance(operation, Vignette | Write | Border):
        return 2
    return 1 if isinstance(operation, Framing) else 0


_OF_WHOLE: Final = (Vignette, Write, *get_args(Framing))
_OF_BACKGROUND: Final = (ReplaceBackground, RemoveBackground, BlurBackground)


def _spares_subject(operation: Operation) -> bool:
    return isinstance(operation, _OF_BACKGROUND) or (isinstance(operation, Tone) and operation.where == "background")


_ONCE: Final = (Style, ReplaceSky, Sharpen, Denoise, Blur, Vignette, *get_args(Framing))


_WHERE: Final = ("picture", "background")
# Beside the opposites: what has no colours has neither more nor others of them.
_EXCLUDE: Final = (
    ("warmer", "more_blue"),
    ("cooler", "more_yellow"),
    ("cooler", "more_orange"),
    *(
        ("black_and_white", kind)
        for kind in ("more_saturation", "sepia", *(kind for kind in _OF_BALANCE if kind.startswith(("more", "less"))))
    ),
)


def _check_agreement(operations: Sequence[Operation], prompt: str) -> None:
    tones = [(o.kind, o.where) for o in operations if isinstance(o, Tone)]
    hues = [o for o in operations if isinstance(o, Recolour)]  # red to blue, then blue to red
    once = [type(o) for o in operations if isinstance(o, _ONCE)]
    clash = (
        len(set(once)) < len(once)
        or (Sharpen in once and Blur in once)
        or (Blur in once and any(isinstance(o, BlurBackground) for o in operations))
        or (Crop in once and Extend in once)
        or (ReplaceSky in once and any(isinstance(o, ReplaceBackground | RemoveBackground) for o in operations))
        or len({o.kind for o in operations if isinstance(o, Weather)}) < sum(isinstance(o, Weather) for o in operations)
        or sum(isinstance(o, _OF_BACKGROUND) for o in operations) > 1
        or any(sum(isinstance(o, Wear) and o.kind in place for o in operations) > 1 for place in _WORN)
        or len({o.kind for o in operations if isinstance(o, Wear)}) < sum(isinstance(o, Wear) for o in operations)
        or len(set(tones)) < len(tones)
        or any((OPPOSITE.get(kind), where) in tones for kind, where in tones)
        or any({(one, where), (other, where)} <= set(tones) for one, other in _EXCLUDE for where in _WHERE)
        or any(a.source == b.colour.name for a, b in permutations(hues, 2) if a.source)
        or (Denoise in once and any(kind == "grainy" for kind, _ in tones))
        or (len(operations) > 1 and RemoveMasked() in operations)
    )
    if clash:
        done = " and ".join(f'"{o}"' for o in operations)
        message = f"The studio cannot do {done} in one edit."
        raise NotHonouredError(message, prompt, "Ask for them one at a time.", final=True)
