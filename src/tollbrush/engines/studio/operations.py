"""Do a plan: typed operations on pixels, bounded by a mask.

With a mask, white is what may change. `remove the background` then means the background inside it, so the rest is the
subject's rough outline, which is refined; outside the mask every pixel stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, get_args

import numpy as np

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.accessories.wear import wear
from tollbrush.engines.studio.fill.removal import fill, is_thin
from tollbrush.engines.studio.pixels.light import Light
from tollbrush.engines.studio.pixels.strips import strips
from tollbrush.engines.studio.plans.abilities import (
    BlurBackground,
    Operation,
    RemoveBackground,
    RemoveMasked,
    ReplaceBackground,
    Tone,
    Wear,
)
from tollbrush.engines.studio.plans.colours import COLOURS
from tollbrush.engines.studio.plans.framings import Extend, Framing
from tollbrush.engines.studio.plans.treatments import (
    Blur,
    Denoise,
    KeepColour,
    Recolour,
    ReplaceSky,
    Sharpen,
    Style,
    SwapColours,
    Vignette,
    Weather,
    Write,
)
from tollbrush.engines.studio.retouch.detail import blurred, denoised, sharpened, vignetted
from tollbrush.engines.studio.retouch.frames import framed
from tollbrush.engines.studio.retouch.lettering import written
from tollbrush.engines.studio.retouch.recolour import coloured_like, exchanged, recoloured, splashed
from tollbrush.engines.studio.retouch.styles import style
from tollbrush.engines.studio.retouch.tones import in_mood, tone
from tollbrush.engines.studio.scenes import backdrops
from tollbrush.engines.studio.scenes.sky import replace_sky
from tollbrush.engines.studio.scenes.weather import weather
from tollbrush.engines.studio.subject.backdrop import blur_background, remove_background, replace_background
from tollbrush.engines.studio.subject.find import SURE, find_subject
from tollbrush.engines.studio.subject.marked import marked
from tollbrush.engines.studio.subject.matting import Matte, matte
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels
    from tollbrush.engines.studio.plans.plan import Plan

    Map = NDArray[np.float32]

P = ParamSpec("P")
_AS_IT_IS: Final = Light(strength=0.0, wrap=0.0)
_BLUR: Final = 0.5  # of the lens's widest opening: what `blur the background` means


def perform(plan: Plan, pixels: Pixels, mask: Mask | None, seeds: Sequence[int]) -> Iterator[Pixels]:
    """One picture for each seed, H×W×3|4, equal to `pixels` outside `mask`; of another size where the plan reframes.
    `pixels` is not changed. Raises CannotHonour when the picture does not show what the plan needs: a clear subject,
    a face, a sky, a colour."""
    bench = _Bench(pixels, None if mask is not None and mask.all() else mask)
    drawn = any(isinstance(o, _DRAWN) for o in plan.operations)
    result = pixels
    for i, seed in enumerate(seeds):
        if drawn or i == 0:
            result, at = pixels, bench
            for operation in plan.operations:
                if isinstance(operation, get_args(Framing)):
                    result = at.reframed(result, operation, seed)
                    at = _Bench(result, None)
                else:
                    result = at.bounded(result, at.apply(operation, result, seed))
        yield result


_DRAWN: Final = (ReplaceBackground, RemoveMasked, Style, Weather, ReplaceSky, Extend)  # each seed gives another one
_FINDING: Final = (ReplaceBackground, RemoveBackground, BlurBackground, RemoveMasked, Wear, ReplaceSky)


class _Bench:
    """One picture under work. What is found in the source (its subject, its matte) serves every operation and seed."""

    def __init__(self, source: Pixels, mask: Mask | None) -> None:
        self.source, self.mask = source, mask
        self.size = Size(source.shape[1], source.shape[0])
        self._subject: Mask | None = None
        self._matte: Matte | None = None

    def apply(self, operation: Operation, pixels: Pixels, seed: int) -> Pixels:
        if isinstance(operation, _FINDING) and pixels.shape[2] == 4 and not pixels[..., 3].any():
            raise CannotHonour("The picture is transparent all over: there is nothing to be found in it.", advice=_SEEN)
        match operation:
            case ReplaceBackground():
                return self._replace(operation, pixels, seed)
            case RemoveBackground():
                return remove_background(pixels, self.matte(pixels))
            case BlurBackground(amount):
                defocused = blur_background(pixels, self.matte(pixels), min(1.0, _BLUR * amount))
                return np.dstack([defocused, pixels[..., 3:]])
            case RemoveMasked():
                return self._erase(pixels, seed)
            case Wear():
                return self._wear(pixels, operation)
            case Tone(kind, amount, where):
                changed = tone(pixels, kind, amount)
                return changed if where == "picture" else _mixed(changed, pixels, self.matte(pixels).alpha)
            case Style():
                return _on_colours(pixels, style, operation.kind, seed)
            case Weather():
                return _on_colours(pixels, weather, operation.kind, operation.amount, seed)
            case ReplaceSky():
                return _on_colours(pixels, replace_sky, operation.kind, seed, self.mask, operation.moods)
            case Recolour():
                return _on_colours(pixels, self._recolour, operation)
            case SwapColours(first, second):
                return _on_colours(pixels, exchanged, (first.name, first.rgb), (second.name, second.rgb))
            case KeepColour(source):
                return _on_colours(pixels, splashed, source, _rgb(COLOURS[source]))
            case Sharpen():
                return _on_colours(pixels, sharpened, operation.amount)
            case Denoise():
                return _on_colours(pixels, denoised, operation.amount)
            case Blur():
                return blurred(pixels, operation.amount)
            case Vignette():
                return _on_colours(pixels, vignetted, operation.amount)
            case Write():
                return written(pixels, operation)
            case _:
                raise CannotHonour(f'The studio cannot "{operation}" there.')

    def reframed(self, pixels: Pixels, framing: Framing, seed: int) -> Pixels:
        if self.mask is not None:
            raise CannotHonour(f'The studio cannot "{framing}" within a mask.', advice="Send no mask.")
        return framed(pixels, framing, seed)

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
                if found.confidence < SURE:
                    raise CannotHonour(
                        "The picture shows no clear subject to separate from its background.", advice=_PAINT
                    )
                self._subject = found.mask
            else:
                self._subject = find_subject(self.source, hint=~self.mask).mask
        return self._subject

    def _replace(self, operation: ReplaceBackground, pixels: Pixels, seed: int) -> Pixels:
        colour = None if operation.colour is None else operation.colour.rgb
        towards = None if operation.towards is None else operation.towards.rgb
        if operation.scene is None:
            backdrop, light = backdrops.plain(self.size, colour or (255, 255, 255)), backdrops.PLAIN_LIGHT
        else:
            backdrop = backdrops.paint(operation.scene, self.size, seed, colour, towards)
            light = backdrops.SCENES[operation.scene].light
        backdrop = in_mood(backdrop, operation.moods)
        # Inside a mask only the rim of the subject is ours to change: relighting that alone would draw its outline.
        light = light if operation.relight and self.mask is None else _AS_IT_IS
        return replace_background(pixels, self.matte(pixels), backdrop, light=light)

    def _erase(self, pixels: Pixels, seed: int) -> Pixels:
        if self.mask is None:
            raise CannotHonour("The mask covers the whole picture, so nothing is left to fill it from.", advice=_LESS)
        if is_thin(self.mask):
            return fill(pixels, self.mask, seed)
        subject = find_subject(self.source)
        others = subject.mask & ~self.mask
        # A subject that the mask leaves alone must not be copied into the hole.
        spare = subject.confidence >= SURE and others.sum() > 0.5 * subject.mask.sum()
        return fill(pixels, self.mask, seed, exclude=others if spare else None)

    def _recolour(self, colours: Pixels, operation: Recolour) -> Pixels:
        rgb = operation.colour.rgb
        if operation.source is None:
            if self.mask is None:
                raise CannotHonour("Nothing says what should get another colour.", advice=_WHAT)
            return recoloured(colours, rgb, marked(colours, self.mask))
        source = COLOURS.get(operation.source)
        if source is None:
            raise CannotHonour(f"'{operation.source}' is not a colour known here.", advice=_WHAT)
        try:
            share = coloured_like(colours, operation.source, _rgb(source))
        except CannotHonour:
            if self.mask is None:
                raise
            share = marked(colours, self.mask)  # the mask says it better
        if self.mask is not None:
            share = share * self.mask
        return recoloured(colours, rgb, share)

    def _wear(self, pixels: Pixels, operation: Wear) -> Pixels:
        colour = None if operation.colour is None else "#{:02x}{:02x}{:02x}".format(*operation.colour.rgb)
        worn = wear(pixels, operation.kind, colour)
        if self.mask is not None and not (worn != pixels)[self.mask].any():
            name = operation.kind.replace("_", " ")
            raise CannotHonour(f"The {name} would lie outside the mask.", advice=_OVER_FACE)
        return worn


_SEEN: Final = "Send a picture in which something is seen."
_PAINT: Final = "Send a mask, white over the background and black over what should stay."
_LESS: Final = "Mark only what should go."
_OVER_FACE: Final = "Send no mask, or one that is white where it should sit."
_WHAT: Final = "Send a mask, white over it, or name its colour."


def _rgb(code: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(code)
    return red, green, blue


def _on_colours(
    pixels: Pixels, change: Callable[Concatenate[Pixels, P], Pixels], *args: P.args, **kwargs: P.kwargs
) -> Pixels:
    """The first three channels changed; transparency stays."""
    changed = change(np.ascontiguousarray(pixels[..., :3]), *args, **kwargs)
    return changed if pixels.shape[2] == 3 else np.dstack([changed, pixels[..., 3]])


def _mixed(inside: Pixels, outside: Pixels, share: Map) -> Pixels:
    """`outside` where `share` (H×W) is 1, `inside` where it is 0."""
    result = np.empty_like(inside)
    for rows in strips(len(inside)):
        before = inside[rows].astype(np.float32)
        result[rows] = before + (outside[rows] - before) * share[rows, :, None] + 0.5
    return result


def _with_channels(pixels: Pixels, channels: int) -> Pixels:
    if pixels.shape[2] == channels:
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
