"""What the studio tells people it can do: a name, and a prompt that asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Offer:
    name: str
    example: str
    needs: Literal["", "mask"] = ""


@dataclass(frozen=True)
class Group:
    """Prompts that begin alike: `change the background to` a beach, a sunset, …; by name, what follows."""

    lead: str
    endings: dict[str, str]
    needs: Literal["", "mask"] = ""

    def offers(self) -> tuple[Offer, ...]:
        return tuple(Offer(name, f"{self.lead} {end}".strip(), self.needs) for name, end in self.endings.items())


BACKGROUNDS: Final = Group(
    "change the background to",
    {
        "Starry sky": "a starry sky", "Sunset": "a sunset", "Blue sky": "a blue sky", "Cloudy sky": "a cloudy sky",
        "Moonlit night": "a moonlit night", "Beach": "a beach", "Mountains": "mountains",
        "Snowy landscape": "a snowy landscape", "Foggy landscape": "a foggy landscape",
        "Bokeh lights": "bokeh lights", "Studio backdrop": "a studio", "Gradient": "a gradient",
        "Plain colour": "white",
    },
)  # fmt: skip
SKIES: Final = Group(
    "change the sky to",
    {
        "Sunset in the sky": "a sunset", "Clear day in the sky": "a blue sky", "Stars in the sky": "a starry sky",
        "Moonlight in the sky": "a moonlit sky", "Storm in the sky": "a stormy sky",
    },
)  # fmt: skip
ACCESSORIES: Final = Group(
    "add",
    {
        "Top hat": "a hat", "Cowboy hat": "a cowboy hat", "Santa hat": "a santa hat", "Party hat": "a party hat",
        "Witch hat": "a witch hat", "Baseball cap": "a baseball cap", "Graduation cap": "a graduation cap",
        "Crown": "a crown", "Flower crown": "a flower crown", "Halo": "a halo", "Cat ears": "cat ears",
        "Bunny ears": "bunny ears", "Devil horns": "devil horns", "Headphones": "headphones",
        "Sunglasses": "sunglasses", "Glasses": "glasses", "Heart glasses": "heart glasses",
        "Eye patch": "an eye patch", "Clown nose": "a clown nose", "Moustache": "a moustache", "Beard": "a beard",
        "Bow tie": "a bow tie",
    },
)  # fmt: skip
STYLES: Final = Group(
    "turn it into",
    {
        "Watercolour": "a watercolour", "Oil painting": "an oil painting", "Pencil sketch": "a pencil sketch",
        "Cartoon": "a cartoon", "Vintage": "a vintage photo", "HDR": "an HDR photo", "Pixel art": "pixel art",
        "Pop art": "pop art",
    },
)  # fmt: skip
GROUPS: Final = (
    Group("", {"Remove background": "remove the background", "Blur background": "blur the background"}),
    BACKGROUNDS,
    SKIES,
    ACCESSORIES,
    Group(
        "add",
        {
            "Snow": "snow", "Rain": "rain", "Fog": "fog", "Vignette": "a vignette", "Border": "a white border",
        },
    ),
    STYLES,
    Group(
        "make it",
        {
            "Black and white": "black and white", "Sepia": "sepia", "Warmer": "warmer", "Cooler": "cooler",
            "Brighter": "brighter", "Darker": "darker", "Moody": "moody", "Dramatic": "dramatic",
            "Cinematic": "cinematic", "Faded": "faded", "Dreamy": "dreamy", "Cosy": "cosy",
            "Less yellow": "less yellow",
        },
    ),
    Group(
        "",
        {
            "More contrast": "more contrast", "Less contrast": "less contrast", "More saturation": "more saturation",
            "Less saturation": "less saturation", "Automatic light and colours": "fix the light",
            "Lift shadows": "lift the shadows", "Tame highlights": "tame the highlights",
            "Film grain": "add film grain", "Negative": "invert the colours",
            "Recolour by hue": "change the red to blue", "Swap colours": "swap red and blue",
            "One colour only": "keep only red in colour", "Sharpen": "sharpen it",
            "Remove noise": "remove the noise", "Blur": "blur it", "Text": 'write "hello" at the top',
            "Watermark": 'add the watermark "draft"', "Crop": "crop it to a square",
            "Crop closer": "crop closer to the subject", "Straighten": "straighten it",
            "Rotate": "rotate it by 90 degrees", "Mirror": "mirror it", "Extend": "extend the sky upwards",
            "Enlarge": "enlarge it 2 times",
        },
    ),
    Group("", {"Remove anything": "remove this", "Recolour anything": "make this red"}, needs="mask"),
)  # fmt: skip
