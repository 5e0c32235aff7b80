"""What the studio can do, as values: one class for each ability, with its name in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tollbrush.engines.studio.plans.colours import Colour
from tollbrush.engines.studio.plans.framings import Framing
from tollbrush.engines.studio.plans.kinds import Accessory, Scene, ToneKind
from tollbrush.engines.studio.plans.treatments import Treatment, in_mood, much


@dataclass(frozen=True)
class ReplaceBackground:
    """By a painted scene, a plain colour, or a scene in a colour. `towards`: the other end of a gradient; `moods`:
    tones of the scene, as in a warm sunset; `relight`: the subject takes on the new light."""

    scene: Scene | None
    colour: Colour | None = None
    relight: bool = True
    moods: tuple[ToneKind, ...] = ()
    towards: Colour | None = None

    def __str__(self) -> str:
        if self.scene is None:
            return f"change the background to {self.colour.name if self.colour else 'nothing'}"
        if self.colour and self.towards:
            return f"change the background to a {self.colour.name} to {self.towards.name} gradient"
        colour = f"{self.colour.name} " if self.colour else ""
        article = "" if self.scene == "bokeh" and not colour else "a "
        return f"change the background to {article}{colour}{in_mood(self.moods)}{_SCENE_NAMES[self.scene]}"


@dataclass(frozen=True)
class RemoveBackground:
    def __str__(self) -> str:
        return "remove the background"


@dataclass(frozen=True)
class BlurBackground:
    """`amount`: 1 is what `blur the background` means, 0.5 a bit."""

    amount: float = 1.0

    def __str__(self) -> str:
        return f"{much(self.amount)}blur the background"


@dataclass(frozen=True)
class RemoveMasked:
    """What the mask covers goes, and what is around it is continued."""

    def __str__(self) -> str:
        return "remove what the mask covers"


@dataclass(frozen=True)
class Wear:
    kind: Accessory
    colour: Colour | None = None

    def __str__(self) -> str:
        thing = f"{f'{self.colour.name} ' if self.colour else ''}{self.kind.replace('_', ' ')}"
        article = "" if self.kind.endswith("s") else "an " if thing[0] in "aeiou" else "a "
        return f"add {article}{thing}"


@dataclass(frozen=True)
class Tone:
    """`amount`: 1 is what the word alone means. `where`: the whole picture, or all of it but the subject."""

    kind: ToneKind
    amount: float = 1.0
    where: Literal["picture", "background"] = "picture"

    def __str__(self) -> str:
        if self.kind in _MEASURES:
            of = "" if self.where == "picture" else " of the background"
            return f"{much(self.amount)}{_MEASURES[self.kind]}{of}"
        if self.kind in _WHOLE_WORDS and self.where == "picture":
            return f"{much(self.amount)}{_WHOLE_WORDS[self.kind]}"
        return f"make the {self.where} {much(self.amount)}{self.kind.replace('_', ' ')}"


Operation = ReplaceBackground | RemoveBackground | BlurBackground | RemoveMasked | Wear | Tone | Treatment | Framing

_SCENE_NAMES: Final[dict[Scene, str]] = {
    "starry": "starry sky", "sunset": "sunset", "blue_sky": "blue sky", "night": "moonlit night",
    "bokeh": "bokeh lights", "gradient": "gradient", "studio": "studio backdrop", "beach": "beach",
    "snow": "snowy landscape", "fog": "foggy landscape", "mountains": "mountain landscape", "clouds": "cloudy sky",
}  # fmt: skip
_WHOLE_WORDS: Final[dict[ToneKind, str]] = {
    "grainy": "add film grain", "negative": "invert the colours", "balanced": "fix the colours and the light",
    "lighter_shadows": "lift the shadows", "darker_shadows": "darken the shadows",
    "lighter_highlights": "lift the highlights", "darker_highlights": "tame the highlights",
}  # fmt: skip
_MEASURES: Final[dict[ToneKind, str]] = {
    "more_contrast": "increase the contrast", "less_contrast": "reduce the contrast",
    "more_saturation": "increase the saturation", "less_saturation": "reduce the saturation",
}  # fmt: skip
