"""The kinds there are of what comes in kinds: scenes, accessories, tones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Scene = Literal[
    "starry", "sunset", "blue_sky", "night", "bokeh", "gradient", "studio",
    "beach", "snow", "fog", "mountains", "clouds",
]  # fmt: skip
Accessory = Literal[
    "top_hat", "cowboy_hat", "santa_hat", "party_hat", "crown", "sunglasses", "moustache",
    "glasses", "beard", "bow_tie", "halo", "cat_ears", "bunny_ears", "flower_crown", "witch_hat", "clown_nose",
    "eye_patch", "headphones", "baseball_cap", "graduation_cap", "devil_horns", "heart_glasses",
]  # fmt: skip
ToneKind = Literal[
    "black_and_white", "sepia", "warmer", "cooler", "brighter", "darker",
    "more_contrast", "less_contrast", "more_saturation", "less_saturation",
    "moody", "dramatic", "cinematic", "faded", "dreamy", "cosy", "grainy", "negative", "balanced",
    "lighter_shadows", "darker_shadows", "lighter_highlights", "darker_highlights",
    "more_red", "less_red", "more_orange", "less_orange", "more_yellow", "more_blue", "more_green", "more_pink",
]  # fmt: skip
OPPOSITE: Final[Mapping[ToneKind, ToneKind]] = {
    "warmer": "cooler", "cooler": "warmer", "brighter": "darker", "darker": "brighter",
    "more_contrast": "less_contrast", "less_contrast": "more_contrast",
    "more_saturation": "less_saturation", "less_saturation": "more_saturation",
    "lighter_shadows": "darker_shadows", "darker_shadows": "lighter_shadows",
    "lighter_highlights": "darker_highlights", "darker_highlights": "lighter_highlights",
    "more_red": "less_red", "less_red": "more_red", "more_orange": "less_orange", "less_orange": "more_orange",
    "more_yellow": "more_blue", "more_blue": "more_yellow", "more_green": "more_pink", "more_pink": "more_green",
}  # fmt: skip
