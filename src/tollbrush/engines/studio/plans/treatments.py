"""What the studio can do to a whole picture, or to what a mask covers, without finding anything in it: as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tollbrush.engines.studio.plans.colours import Colour
from tollbrush.engines.studio.plans.kinds import ToneKind

StyleKind = Literal["watercolour", "oil", "sketch", "cartoon", "vintage", "hdr", "pixel_art", "pop_art"]
WeatherKind = Literal["snow", "rain", "fog"]
SkyKind = Literal["sunset", "blue_sky", "starry", "night", "stormy"]
Place = Literal["top", "bottom", "centre", "top left", "top right", "bottom left", "bottom right"]

_STYLE_NAMES: Final[dict[StyleKind, str]] = {
    "watercolour": "a watercolour", "oil": "an oil painting", "sketch": "a pencil sketch", "cartoon": "a cartoon",
    "vintage": "a vintage photograph", "hdr": "an HDR photograph", "pixel_art": "pixel art", "pop_art": "pop art",
}  # fmt: skip
_SKY_NAMES: Final[dict[SkyKind, str]] = {
    "sunset": "sunset sky", "blue_sky": "blue sky with clouds", "starry": "starry sky", "night": "moonlit sky",
    "stormy": "stormy sky",
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    kind: StyleKind

    def __str__(self) -> str:
        return f"turn it into {_STYLE_NAMES[self.kind]}"


@dataclass(frozen=True)
class Weather:
    """`amount`: 1 is what the word alone means, 0.5 a little."""

    kind: WeatherKind
    amount: float = 1.0

    def __str__(self) -> str:
        return f"add {much(self.amount, 'a little ', 'heavy ')}{self.kind}"


@dataclass(frozen=True)
class ReplaceSky:
    """`moods`: tones of the sky, as in a warm sunset."""

    kind: SkyKind
    moods: tuple[ToneKind, ...] = ()

    def __str__(self) -> str:
        return f"change the sky to a {in_mood(self.moods)}{_SKY_NAMES[self.kind]}"


@dataclass(frozen=True)
class Recolour:
    """`source` None: what the mask covers; else everything of that hue. `source` is a colour's name."""

    colour: Colour
    source: str | None = None

    def __str__(self) -> str:
        what = "what the mask covers" if self.source is None else f"what is {self.source}"
        return f"make {what} {self.colour.name}"


@dataclass(frozen=True)
class SwapColours:
    """What is of one colour takes the other, and the other way round; both by name."""

    first: Colour
    second: Colour

    def __str__(self) -> str:
        return f"swap {self.first.name} and {self.second.name}"


@dataclass(frozen=True)
class KeepColour:
    """Everything black and white but what is of this colour, by name."""

    source: str

    def __str__(self) -> str:
        return f"keep only {self.source} in colour"


@dataclass(frozen=True)
class Sharpen:
    amount: float = 1.0

    def __str__(self) -> str:
        return f"{much(self.amount)}sharpen it"


@dataclass(frozen=True)
class Denoise:
    amount: float = 1.0

    def __str__(self) -> str:
        return f"{much(self.amount)}remove the noise"


@dataclass(frozen=True)
class Blur:
    """The whole picture, or what the mask covers."""

    amount: float = 1.0

    def __str__(self) -> str:
        return f"{much(self.amount)}blur it"


@dataclass(frozen=True)
class Vignette:
    amount: float = 1.0

    def __str__(self) -> str:
        return f"add a {much(self.amount, 'slight ', 'strong ')}vignette"


@dataclass(frozen=True)
class Write:
    """`scale`: 1 is a line's usual height, a fourteenth of the picture's. `watermark`: faint, and repeated."""

    text: str
    place: Place = "bottom"
    scale: float = 1.0
    colour: Colour | None = None
    watermark: bool = False

    def __str__(self) -> str:
        if self.watermark:
            return f'add the watermark "{self.text}"'
        colour = f" in {self.colour.name}" if self.colour else ""
        size = "" if self.scale == 1 else " large" if self.scale > 1 else " small"
        return f'write{size} "{self.text}" at the {self.place}{colour}'


Treatment = (
    Style | Weather | ReplaceSky | Recolour | SwapColours | KeepColour | Sharpen | Denoise | Blur | Vignette | Write
)


def much(amount: float, less: str = "slightly ", more: str = "strongly ") -> str:
    """In front of what an amount of 1 needs no word for."""
    return "" if amount == 1.0 else less if amount < 1 else more


def in_mood(moods: tuple[ToneKind, ...]) -> str:
    """In front of a scene's name."""
    return "".join(f"{_MOOD_NAMES.get(mood, mood)} " for mood in moods)


_MOOD_NAMES: Final[dict[ToneKind, str]] = {
    "warmer": "warm", "cooler": "cold", "brighter": "bright", "darker": "dark", "more_saturation": "vivid",
    "more_contrast": "crisp", "faded": "soft", "more_orange": "orange", "more_red": "red", "more_pink": "pink",
    "more_blue": "blue",
}  # fmt: skip
