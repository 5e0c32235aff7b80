"""Do a plan: typed operations on pixels, bounded by a mask.

With a mask, white is what may change. `remove the background` then means the background inside it, so the rest is the
subject's rough outline, which is refined; outside the mask every pixel stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio import scenes
from tollbrush.engines.studio.abilities import (
    BlurBackground,
    Operation,
    RemoveBackground,
    RemoveMasked,
    ReplaceBackground,
    Tone,
    Wear,
)
from tollbrush.engines.studio.accessories import wear
from tollbrush.engines.studio.backdrop import blur_background, remove_background, replace_background
from tollbrush.engines.studio.fill import fill
from tollbrush.engines.studio.light import Light
from tollbrush.engines.studio.matting import Matte, matte
from tollbrush.engines.studio.subject import find_subject
from tollbrush.engines.studio.tones import tone
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.plan import Plan

    Map = NDArray[np.float32]

_SURE: Final = 0.6  # confidence below which an automatic subject is not acted on
_AS_IT_IS: Final = Light(strength=0.0, wrap=0.0)
_BLUR: Final = 0.5  # of the lens's widest opening: what `blur the background` means


def perform(plan: Plan, pixels: Pixels, mask: Mask | None, seeds: Sequence[int]) -> Iterator[Pixels]:
    """One picture for each seed, H×W×3|4 as `pixels`, equal to it outside `mask`. `pixels` is not changed.
    Raises CannotHonour when the picture shows no clear subject or no face."""
    bench = _Bench(pixels, None if mask is not None and mask.all() else mask)
    drawn = any(isinstance(o, ReplaceBackground | RemoveMasked) for o in plan.operations)
    result = pixels
    for i, seed in enumerate(seeds):
        if drawn or i == 0:
            result = pixels
            for operation in plan.operations:
                result = bench.bounded(result, bench.apply(operation, result, seed))
        yield result


class _Bench:
    """One picture under work. What is found in the source (its subject, its matte) serves every operation and seed."""

    def __init__(self, source: Pixels, mask: Mask | None) -> None:
        self.source, self.mask = source, mask
        self.size = Size(source.shape[1], source.shape[0])
        self._subject: Mask | None = None
        self._matte: Matte | None = None

    def apply(self, operation: Operation, pixels: Pixels, seed: int) -> Pixels:
        match operation:
            case ReplaceBackground():
                return self._replace(operation, pixels, seed)
            case RemoveBackground():
                return remove_background(pixels, self.matte(pixels))
            case BlurBackground(amount):
                blurred = blur_background(pixels, self.matte(pixels), min(1.0, _BLUR * amount))
                return np.dstack([blurred, pixels[..., 3:]])
            case RemoveMasked():
                return self._erase(pixels, seed)
            case Wear():
                return self._wear(pixels, operation)
            case Tone(kind, amount, where):
                changed = tone(pixels, kind, amount)
                return changed if where == "picture" else _mixed(changed, pixels, self.matte(pixels).alpha[..., None])
            case _:
                raise CannotHonour(f'The studio cannot "{operation}" yet.')

    def bounded(self, before: Pixels, after: Pixels) -> Pixels:
        """`after` inside the mask, `before` outside."""
        if self.mask is None:
            return after
        channels = max(before.shape[2], after.shape[2])
        return np.where(self.mask[..., None], _with_channels(after, channels), _with_channels(before, channels))

    def matte(self, pixels: Pixels) -> Matte:
        if pixels is not self.source:
            return matte(pixels, self._found_subject())
        if self._matte is None:
            self._matte = matte(pixels, self._found_subject())
        return self._matte

    def _found_subject(self) -> Mask:
        if self._subject is None:
            if self.mask is None:
                found = find_subject(self.source)
                if found.confidence < _SURE:
                    raise CannotHonour(
                        "The picture shows no clear subject to separate from its background.", advice=_PAINT
                    )
                self._subject = found.mask
            else:
                self._subject = find_subject(self.source, hint=~self.mask).mask
        return self._subject

    def _replace(self, operation: ReplaceBackground, pixels: Pixels, seed: int) -> Pixels:
        colour = None if operation.colour is None else operation.colour.rgb
        if operation.scene is None:
            backdrop, light = scenes.plain(self.size, colour or (255, 255, 255)), scenes.PLAIN_LIGHT
        else:
            backdrop = scenes.paint(operation.scene, self.size, seed, colour)
            light = scenes.SCENES[operation.scene].light
        # Inside a mask only the rim of the subject is ours to change: relighting that alone would draw its outline.
        light = light if operation.relight and self.mask is None else _AS_IT_IS
        return replace_background(pixels, self.matte(pixels), backdrop, light=light)

    def _erase(self, pixels: Pixels, seed: int) -> Pixels:
        if self.mask is None:
            raise CannotHonour("The mask covers the whole picture, so nothing is left to fill it from.", advice=_LESS)
        subject = find_subject(self.source)
        others = subject.mask & ~self.mask
        # A subject that the mask leaves alone must not be copied into the hole.
        spare = subject.confidence >= _SURE and others.sum() > 0.5 * subject.mask.sum()
        return fill(pixels, self.mask, seed, exclude=others if spare else None)

    def _wear(self, pixels: Pixels, operation: Wear) -> Pixels:
        colour = None if operation.colour is None else "#{:02x}{:02x}{:02x}".format(*operation.colour.rgb)
        worn = wear(pixels, operation.kind, colour)
        if self.mask is not None and not (worn != pixels)[self.mask].any():
            name = operation.kind.replace("_", " ")
            raise CannotHonour(f"The {name} would lie outside the mask.", advice=_OVER_FACE)
        return worn


_PAINT: Final = "Send a mask, white over the background and black over what should stay."
_LESS: Final = "Mark only what should go."
_OVER_FACE: Final = "Send no mask, or one that is white where it should sit."


def _mixed(inside: Pixels, outside: Pixels, share: Map) -> Pixels:
    """`outside` where `share` is 1, `inside` where it is 0."""
    return (inside + (outside.astype(np.float32) - inside) * share + 0.5).astype(np.uint8)


def _with_channels(pixels: Pixels, channels: int) -> Pixels:
    if pixels.shape[2] == channels:
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
