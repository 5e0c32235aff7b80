"""Every wish that the second reading knows, in words that the rules take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Framed:
    """`role`: of the term whose value stands in the sentence."""

    role: str
    sentence: str


_SCENES: Final = {
    "starry": "a starry sky", "sunset": "a sunset", "blue_sky": "a blue sky", "clouds": "a cloudy sky",
    "night": "a moonlit night", "beach": "a beach", "mountains": "mountains", "snow": "a snowy landscape",
    "fog": "a foggy landscape", "bokeh": "bokeh lights",
}  # fmt: skip
_SKIES: Final = {
    "sunset": "a sunset", "blue_sky": "a blue sky", "starry": "a starry sky", "night": "a moonlit sky",
    "stormy": "a stormy sky",
}  # fmt: skip
_STYLES: Final = {
    "watercolour": "a watercolour", "oil": "an oil painting", "sketch": "a pencil sketch", "cartoon": "a cartoon",
    "vintage": "a vintage photo", "hdr": "an HDR photo", "pixel_art": "pixel art", "pop_art": "pop art",
}  # fmt: skip
_LOOKS: Final = {
    "black_and_white": "black and white", "more_blue": "less yellow", "more_red": "redder", "less_red": "less red",
    "more_orange": "more orange", "less_orange": "less orange", "more_yellow": "yellower", "more_green": "greener",
    "more_pink": "pinker",
    **{look: look for look in ("sepia", "warmer", "cooler", "brighter", "darker", "moody", "dramatic", "cinematic",
                               "faded", "dreamy", "cosy")},
}  # fmt: skip
_OF_BACKGROUND: Final = {
    "black_and_white": "black and white",
    **{look: look for look in ("sepia", "warmer", "cooler", "brighter", "darker")},
}
_TONES: Final = {
    **{look: f"make the picture {words}" for look, words in _LOOKS.items()},
    "more_contrast": "more contrast", "less_contrast": "less contrast", "more_saturation": "more saturation",
    "less_saturation": "less saturation", "balanced": "fix the light", "lighter_shadows": "lift the shadows",
    "darker_shadows": "darken the shadows", "lighter_highlights": "lift the highlights",
    "darker_highlights": "tame the highlights", "grainy": "add film grain", "negative": "invert the colours",
    "more_contrast background": "more contrast in the background",
    "less_contrast background": "less contrast in the background",
    "more_saturation background": "make the background more saturated",
    "less_saturation background": "make the background less saturated",
    **{f"{look} background": f"make the background {words}" for look, words in _OF_BACKGROUND.items()},
}  # fmt: skip

PLAIN: Final = {
    "cut out": "remove the background", "blur background": "blur the background", "blur": "blur the whole picture",
    "vignette": "add a vignette", "sharpen": "sharpen the picture", "denoise": "remove the noise",
    "straighten": "straighten the picture",
    "crop": "crop closer to the subject", "rotate 90": "rotate it by 90 degrees",
    "rotate -90": "rotate it by 90 degrees counterclockwise", "rotate 180": "rotate it by 180 degrees",
    "flip horizontal": "mirror it", "flip vertical": "flip it vertically", "extend all": "extend it on all sides",
    **{f"background {scene}": f"change the background to {words}" for scene, words in _SCENES.items()},
    **{f"sky {look}": f"change the sky to {words}" for look, words in _SKIES.items()},
    **{f"style {style}": f"turn the picture into {words}" for style, words in _STYLES.items()},
    **{f"tone {tone}": words for tone, words in _TONES.items()},
    **{f"weather {weather}": f"add {weather}" for weather in ("snow", "rain", "fog")},
}  # fmt: skip

_WORN: Final = {
    "top_hat": "a {} top hat", "cowboy_hat": "a {} cowboy hat", "santa_hat": "a {} santa hat",
    "party_hat": "a {} party hat", "witch_hat": "a {} witch hat", "baseball_cap": "a {} baseball cap",
    "graduation_cap": "a {} graduation cap", "crown": "a {} crown", "flower_crown": "a {} flower crown",
    "halo": "a {} halo", "cat_ears": "{} cat ears", "bunny_ears": "{} bunny ears", "devil_horns": "{} devil horns",
    "headphones": "{} headphones", "sunglasses": "{} sunglasses", "glasses": "{} glasses",
    "heart_glasses": "{} heart glasses", "eye_patch": "a {} eye patch", "clown_nose": "a {} clown nose",
    "moustache": "a {} moustache", "beard": "a {} beard", "bow_tie": "a {} bow tie",
}  # fmt: skip

PLAIN_OF_ONE_COLOUR: Final = {
    "background plain": "change the background to {}",
    "background gradient": "change the background to a {} gradient",
    "background studio": "change the background to a {} studio",
    "keepcolour": "keep only {} in colour",
    **{f"wear {worn}": f"add {words}" for worn, words in _WORN.items()},
}

FRAMED: Final = {
    "crop ratio": Framed("ASPECT", "crop it to {}"),
    "extend ratio": Framed("ASPECT", "extend it to {}"),
}
