"""Words beside which an operation is doubtful, each with what it was seen in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tollbrush.engines.studio.plans.abilities import (
    BlurBackground,
    Operation,
    RemoveBackground,
    ReplaceBackground,
    Tone,
    Wear,
)
from tollbrush.engines.studio.plans.framings import Border, Crop, Enlarge, Rotate, Straighten
from tollbrush.engines.studio.plans.treatments import Blur, Denoise, ReplaceSky, Style, Write

_PHOTO: Final = r"(?:picture|photo|image|pic)"
_WHOLE: Final = r"(?:picture|photo|image|pic|shot|whole|colou?rs?|tones?|background|light|sky|shadows|highlights)\b"
_STONE: Final = r"(?:stone|bronze|marble|plaster|porcelain|terracotta|wax|wooden|granite|concrete)"
_SHAPED: Final = r"(?:angel|lion|m[ae]n|wom[ae]n|figures?|head|general|soldier|king|queen|buddha|saint|lady|boy|girl)"
_GREY: Final = r"\b(?:black (?:and|&|n) white|b ?& ?w|b/w|monochrome|sepia|desaturated)\b"
_FURNITURE: Final = r"(?:bed|sofa|couch|tv|desk|table|stove|sink|counter|bath|wardrobe|shel(?:f|ves)|piano|fireplace)"
_SOME_OF: Final = r"(?:one|two|three|four|five|six|half|some|most) of"
_HUNG: Final = r"(?:ties?|collar|cap|hat|crown|glasses|specs|necklace|belt|sash|wig|badge|fringe)"
_DRAWN: Final = (
    r"(?:\w+ ){0,3}(?:picture|pencil|water|oil|sketch|cartoon|comic|portrait|painting|charcoal|drawing|version|border|"
    r"frame|line|thin|thick|wide)"
)
_COLOURFUL: Final = (
    r"\b(?:(?:full|vivid|rich|strong)\w* colou?rs|colou?rs (?:a lot |much |even )?(?:full|vivid|rich|strong)\w*|"
    r"colou?ri[sz]e|colou?r (?:it|(?:the|this|that|my|our) [^.,;]*) in(?=\W*(?:$|[,.;!?]|and\b|please\b)))"
)
_ONLY_SOME: Final = r"\b(?:only|just) (?:the|my|our|his|her) (?!back)\w+ (?:behind|in the back)\b"  # … wall behind me
_PATTERNS: Final[Mapping[type[Operation], tuple[str, ...]]] = {
    BlurBackground: (
        _ONLY_SOME,
        r"\b(?:whole|entire) \w+ (?:\w+ )?(?:blur\w*|out of focus)",  # the whole photo blurry, for a backdrop of slides
    ),
    Tone: (
        _ONLY_SOME,
        r"\bsoft focus (?:behind|in the back|background)",
        r"\b(?:a (?:little|bit)|much|somewhat) (?:older|younger)\b",
        r"\b(?:warmer|cooler|brighter|darker) in here\b",  # …, I'm freezing
        # the barn less red
        rf"\b(?:the|my|his|her) (?!{_WHOLE})\w+ (?:a bit |much )?(?:less|more) (?:red|blue|green|yellow|orange|pink)\b",
        r"\b(?:warm|cool|cold|hott)er\b[^,.;]* degrees?\b",
        rf"{_GREY}.*\bcolou?rs (?:have to|must|should|need to) (?:stay|remain)\b",
        rf"\bcolou?r (?:the|this|that|my|our) (?:old )?{_GREY} [^.,;]*\bin\b",  # colour the black and white picture in
        rf"{_GREY}[^.!?]*{_COLOURFUL}|{_COLOURFUL}[^.!?]*{_GREY}",  # full colours like now, but in sepia
        r"\bshadows? (?:under|around|on|below) (?:my|his|her|their|the) (?:eyes?|nose|chin|face|neck)\b",
    ),
    ReplaceBackground: (
        r"(?-i:\b[A-Z]\w+ (?:Boulevard|Street|Avenue|Road|Square)\b)",
        rf"\bwall behind (?:the|my|our|his|her|a) {_FURNITURE}\b",
        # give the poster behind me a yellow background
        r"\bgive (?:the|this|that|my|his|her) \w+ (?:behind|on|in|next to|beside) .*\bbackground\b",
    ),
    ReplaceSky: (r"\b(?:not just|not only) the sky\b", r"\b(?:it|them) sky ?blue\b"),
    Style: (
        r"\bdraw (?:it|them|him|her|that|one) (?:in|on|back)\W*$",  # one hand is missing, draw it in
        r"\bbrush \w+ (?:\w+ )?(?:aside|away|off|back|out)\b",  # my fringe …, brush it aside
        rf"\b(?:sketch|draw|paint) (?:me |us )?an? (?!{_DRAWN})\w+",  # sketch me a floor plan from this picture
    ),
    Rotate: (r"\bshow(?:s|ing)? [-\d]",),  # the thermometer shows -5
    Blur: (
        r"\bthere(?:'s| is| are)\b[^.,;]*\b(?:blur|fuzz)",
        r"\b(?:behind|in the back)\b.*\bblur (?:it|that|this|them)\b",  # what a mess behind me - blur it
        r"\bcontrast\b.*\bsoften (?:it|that|this)\b",
        r"\bblur\w* (?:what|everything|everyone|anything|things|stuff|all)\w* [^.,;]*\b(?:back|behind)\b",
    ),
    Straighten: (
        r"\ban? (?:\w+ )?sun(?:set|rise) (?:over|on|at|above) the horizon\b",
        # his tie hangs crooked, put that straight
        rf"\b{_HUNG} (?:\w+ )?(?:hangs?|sits?|is|are|looks?)\b[^.,;]*\b(?:crooked|wonky|lopsided|askew|off|up)\b",
    ),
    Denoise: (r"\b(?:in|on|of|from) (?:my|our|the|this|a) (?:\w+ )?(?:recording|audio|podcast|voice|sound ?track)\b",),
    Enlarge: (r"\bthe rest (?:stays?|should stay|as it is)\b",),  # the moon came out tiny, make it twice as big, …
    RemoveBackground: (rf"\bcut (?:the|my|his|her|that|this) \w+ out of \w+ {_PHOTO}\b",),
    Crop: (
        r"(?:^|[.!?]) *zoom (?:portrait|picture|photo|call|meeting|profile|session|background)",
        r"^(?!.*\bcrop).*\bwithout (?:cutting|losing|chopping)\b",  # make it 16:9 without cutting anything off: wider?
        r"\w[.!;]\s.*\btrim (?:it|them)\W*$",  # … the hedge. Could you trim it?
    ),
    Border: (r"\b(?:glasses|shades) with\b[^.,;]*\bframes?\b",),
    # make him say "hello": in a bubble?
    Write: (r"\b(?:make|have|let) (?:him|her|them|it|me|us|(?:the|my|our) \w+) (?:say|saying|speak)\b",),
    Wear: (
        r"\b(?:statues?|sculptures?|busts?|bronze|marble|wax figures?) of\b",
        rf"\b{_STONE} {_SHAPED}\b",
        r"\bin the navy\b",  # … a moustache again, he had one in the navy
        r"\bones? (?:shaped|made)\b",  # specs, the ones shaped like hearts
        r"\bwith (?:the|my|our|his|her|a|an) (?:names?|words?|logo|letters?|initials?|text)\b",
        r"\b(?:next to|beside) (?:me|him|her|us|them|it)\b",  # headphones on him, large speakers next to him
        rf"\bon (?:just |only )?{_SOME_OF} (?:them|us|the|my|our)\b(?!(?: \w+'?s?)? eyes)",
    ),
}
# … grainy, my face excluded; blur it, all but the church
OF_ANY: Final = re.compile(r"\b\w+ excluded\b|\ball but (?:the|my|our|his|her|their) \w+", re.IGNORECASE)
BESIDE: Final[Mapping[type[Operation], re.Pattern[str]]] = {
    kind: re.compile("|".join(patterns), re.IGNORECASE) for kind, patterns in _PATTERNS.items()
}
