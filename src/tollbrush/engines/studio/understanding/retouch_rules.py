"""How treatments and framings are asked for: see `grammar.py`."""

from __future__ import annotations

from typing import Final

from tollbrush.engines.studio.plans.framings import Extend, Flip, Rotate, Straighten
from tollbrush.engines.studio.plans.treatments import Denoise, Sharpen, Style
from tollbrush.engines.studio.understanding import framing_readings as frame_read
from tollbrush.engines.studio.understanding import retouch_readings as read
from tollbrush.engines.studio.understanding import sky_readings as sky_read
from tollbrush.engines.studio.understanding.reading import Builder, Complaint, Keep, always

MACROS: Final = {
    "SHOWN": "(?:PICTURE|IT)",
    "SPOT": "(?!BG|PICTURE) NOUNISH (?:NOUNISH){0,5}",
    "NAMED": "(?!BG|PICTURE) NOUNISH (?:NOUNISH){0,5}?",  # leaves the shades to the colour
    "QUALITIES": "MORE? (?P<traits>(?:NICE|MOOD|HUE|FLAT)*)",
    "GRADE": "(?:DEGREE | FOR? PERCENT)*",
    "INTO": "(?:TO|AS|IN|LOOKS|BE|WITH)*",
}

BOTH: Final[tuple[tuple[str, Builder], ...]] = (
    # styles
    (
        (
            "(?:CHANGE|PAINT)? (?:PART|SELF)? INTO (?:EFFECT OF)? (?:NICE|DEGREE|AGED)* (?P<kind>STYLE)"
            "(?:PAINTING|EFFECT|TONES|COLOURS)* (?:(?:TO|ON) PART)?"
        ),
        read.styled,
    ),
    ("ADD PART? (?:NICE|DEGREE)* (?P<kind>STYLE) EFFECT+ (?:(?:TO|ON) PART)?", read.styled),
    ("CHANGE? PART? (?:LOOKS|TO|AS)+ OLDPHOTO", always(Style("vintage"))),
    ("(?P<kind>STYLEVERB) (?:PART|SELF)?", read.styled),
    ("(?P<kind>STYLE) SELF", read.styled),
    # weather
    (
        (
            "(?:CHANGE|ADD) SHOWN? (?:TO|BE|LOOKS|WITH|AS|LIGHTEN|DEGREE|NICE|MORE|OF)* (?P<kind>WEATHER)"
            "(?:DEGREE|EFFECT)* (?:(?:TO|ON|IN) SHOWN)?"
        ),
        sky_read.weathered,
    ),
    ("(?:NICE|DEGREE)* (?P<kind>WEATHER) EFFECT+", sky_read.weathered),
    ("(?:LIGHTEN|DEGREE)* (?P<kind>WEATHER) (?:(?:TO|ON|IN) (?:SHOWN|EFFECT))?", sky_read.weathered),
    ("CHANGE BACK (?:TO|BE|LOOKS|WITH|DEGREE)* (?P<kind>WEATHER) EFFECT?", sky_read.weather_scene),
    ("(?:ADD|CHANGE)? (?P<kind>WEATHER) BG", sky_read.weather_scene),
    # another sky
    (
        (
            "(?:CHANGE|ADD)? (?:NICE|STATE)* SKY (?:CHANGE IT?)? (?:TO|AS|WITH|FOR|BE|LOOKS|IN|OF)*"
            "QUALITIES (?P<sky>(?:SCENE|SKYLOOK|WHOLESKY))"
            "SKY?"
        ),
        sky_read.skied,
    ),
    ("(?:CHANGE|ADD|MOVE)? ANY? (?:WITH|IN|TO)* QUALITIES (?P<sky>WHOLESKY) EFFECT? INSTEAD?", sky_read.skied),
    ("(?:CHANGE|ADD|MOVE) QUALITIES (?P<sky>(?:SCENE|SKYLOOK)) (?:IN|TO|AS|ON) SKY", sky_read.skied),
    ("QUALITIES (?P<sky>(?:SCENE|SKYLOOK|WHOLESKY)) (?:FOR|AS) SKY", sky_read.skied),
    ("(?:CHANGE|ADD)? QUALITIES (?P<sky>SCENE) INSTEAD (?:OF IT)?", sky_read.sky_instead),
    ("CHANGE (?P<named>HUE)", sky_read.sky_blue),
    (
        "CHANGE (?:NICE|STATE)* OLDSKY (?:TO|AS|WITH|FOR|BE|IN)+ QUALITIES (?P<sky>(?:SCENE|SKYLOOK|WHOLESKY)) SKY?",
        sky_read.skied,
    ),
    ("SKY (?:IS|LOOKS)+ (?:TOO|DEGREE)* DULL", always(Keep("remark"))),
    # sharpness, noise, blur
    ("DEGREE* SHARPEN DEGREE* PART? GRADE", read.sharpened),
    ("CHANGE? PART? (?:BE|LOOKS)* (?:DEGREE|MORE)* SHARPER DEGREE*", read.sharpened),
    ("(?:UPWARDS|MORE|ADD|DEGREE)+ PICTURE? SHARPNESS (?:(?:OF|IN|TO) PART)? GRADE", read.sharpened),
    ("SHOWN? (?:IS|LOOKS)+ (?:TOO|DEGREE)* SOFTENED", always(Complaint(Sharpen()))),
    ("TOO SOFTENED", always(Complaint(Sharpen()))),
    ("(?:REMOVE|DOWNWARDS|LESS|REPAIR) DEGREE* BLURNESS (?:(?:OF|IN|FROM|ON) PART)? GRADE", read.sharpened),
    ("DEGREE* DENOISE DEGREE* PART? GRADE", read.denoised),
    ("(?:REMOVE|DOWNWARDS|LESS|HEAL) DEGREE* NOISE (?:(?:OF|IN|FROM|ON) PART)? GRADE", read.denoised),
    ("CHANGE WHOLE BE? DEGREE* LESS NOISY", read.denoised),
    ("(?:SHOWN? (?:IS|LOOKS)+)? (?:TOO|DEGREE)+ NOISY", always(Complaint(Denoise()))),
    ("SHOWN? (?:IS|LOOKS)+ NOISY", always(Complaint(Denoise()))),
    ("DEGREE* BLUR DEGREE* PART? GRADE", read.blurred_whole),
    ("CHANGE PART (?:BE|LOOKS)* (?:MORE|DEGREE)* BLURRY DEGREE*", read.blurred_whole),
    ("DEGREE* SOFTEN DEGREE* PART DEGREE*", read.softened),
    ("CHANGE PART BE? DEGREE* SOFTER DEGREE*", read.softened),
    # colours by their hue
    (
        (
            "(?:CHANGE|PAINT) (?:EVERYTHING|HUEWORD)? WHICHIS? (?P<source>SOURCE) THINGS?"
            "(?:(?:IN|OF) PICTURE)? (?:TO|WITH|BE|FOR|AS|IN)* PAINTED"
        ),
        read.recoloured,
    ),
    ("CHANGE FROM (?P<source>SOURCE) THINGS? PAINTED", read.recoloured),
    ("(?:IN|ON|AT) PICTURE", always(Keep("remark"))),
    ("(?:CHANGE|ADD|MOVE)? SHOWN? WITH? QUALITIES (?P<sky>SCENE)", sky_read.bare_sky),
    ("CHANGE LAND (?:BE|LOOKS)* (?P<kind>WEATHER)", sky_read.weathered),
    ("CHANGE IT (?P<kind>WEATHER) ON WHO", sky_read.let_fall),
    ("(?:SUBJ|PERSON) (?:TAKEN|IS)+ SHOWN ROUND", always(Complaint(Rotate(180.0)))),
    ("SWAP (?P<first>SOURCE) THINGS? (?:JOINT|WITH|FOR|TO) (?P<second>SOURCE) THINGS? AROUND?", read.exchanged),
    ("CHANGE? EVERYTHING (?:TO|BE|IN|AS)* LOOK EXCEPT (?P<source>SOURCE) THINGS?", read.splashed),
    ("(?:KEEPONLY | KEEP ONLY | ONLY) (?P<source>SOURCE) THINGS? BE? STANDS? IN? COLOURS", read.splashed),
    ("REMOVE EVERYTHING? COLOURS EXCEPT (?P<source>SOURCE) THINGS?", read.splashed),
    ("SWAP COLOURS (?P<first>SOURCE) (?:JOINT|WITH) (?P<second>SOURCE)", read.exchanged),
    ("(?:ADD|CHANGE)? SPLASH (?:IN|TO|OF|WITH|FOR|ON|KEEPONLY|KEEP|ONLY)* (?P<source>SOURCE)", read.splashed),
    ("(?P<source>SOURCE) SPLASH", read.splashed),
    ("(?:KEEPONLY | KEEP ONLY?) (?P<source>SOURCE) THINGS? (?:OF WHO | BE? SAME)?", read.kept_hue),
    ("KEEP (?P<source>SOURCE) THINGS? IN COLOURS", read.kept_hue),
    # remarks
    ("REPAIR IT?", always(Keep("mend"))),
    ("(?P<clean>(?:REMOVE|TAKE)) IT (?:OUT|UPDOWN)?", read.cleaned),
    ("(?:LIFT|TAME) THEM", read.mended),
    ("UPWARDS", read.mended),
    ("SHARPNESS (?:IS|LOOKS)+ (?:TOO|DEGREE)* LESS", always(Complaint(Sharpen()))),
    ("PULL THEM UPDOWN DEGREE*", always(Keep("mend"))),
    ("SHOWN? IS? FOR PURPOSE", always(Keep("remark"))),
)
# The whole picture's: they say so themselves when a mask comes with them.
WHOLE: Final[tuple[tuple[str, Builder], ...]] = (
    (
        (
            "(?:ADD|CHANGE|MOVE)? (?:SHOWN TO?)? (?:DEGREE|NICE|SOFT|LIGHTEN|DEEPEN)* VIGNETTE EFFECT?"
            "(?:(?:TO|ON|AROUND|IN) SHOWN)?"
        ),
        read.vignetted,
    ),
    # words written on it
    (
        (
            "(?:AT PLACE (?:(?:OF|IN) SHOWN)?)? (?:ADD|WRITE|MOVE)? IT? (?:AT PLACE)?"
            "(?:SIZE|NICE|FLAT|LIGHTEN|DEEPEN|HUE)* TEXT?"
            "(?:AT|IN|ON|PLACE)* (?:SAYS|TO)? (?P<quote>QUOTE)"
            "(?:AT|IN|ON|OF|TO|PLACE|SHOWN|SIZE|HUE|LIGHTEN|DEEPEN|FLAT|TEXT)*"
        ),
        read.lettered,
    ),
    (
        (
            "(?:ADD|WRITE|MOVE)? SHOWN? WITH? TEXT? WATERMARK SHOWN? (?:SAYS|TO|WITH|TEXT|OF)* (?P<quote>QUOTE)"
            "(?:(?:TO|ON|OVER) SHOWN)?"
        ),
        read.watermarked,
    ),
    ("WRITE SHOWN? (?P<quote>QUOTE) (?:WITH|AS|IN) WATERMARK", read.watermarked),
    ("(?:ADD|WRITE|MOVE)? TEXT? (?P<quote>QUOTE) AS? WATERMARK (?:(?:TO|ON) SHOWN)?", read.watermarked),
    # its frame
    ("ROTATE SHOWN? (?P<turn>(?:FOR|BYFACTOR|TO|CLOCK|DEGREES|NUMBER)+)", frame_read.rotated),
    ("(?P<turn>DEGREES TO? CLOCK)", frame_read.rotated),
    ("(?:ROTATE|CHANGE|FLIP)? SHOWN? ROUND", frame_read.turned_over),
    ("SHOWN? (?:IS|LOOKS)+ ROUND", always(Complaint(Rotate(180.0)))),
    ("(?:ROTATE|FLIP) SHOWN? (?:AROUND|UPDOWN) (?:CLOCK DEGREE)?", always(Keep("turn"))),
    ("STRAIGHTEN (?:SHOWN|HORIZON)? (?:(?:OF|IN) SHOWN)?", always(Straighten())),
    ("CHANGE (?:SHOWN|HORIZON) (?:BE|LOOKS)* STRAIGHT", always(Straighten())),
    ("REPAIR CROOKED? HORIZON (?:(?:OF|IN) SHOWN)?", always(Straighten())),
    ("(?:SHOWN|HORIZON) CROOKED", frame_read.not_level),
    ("(?:SHOWN|HORIZON)? (?:IS|LOOKS)+ (?:TOO|DEGREE)* CROOKED", always(Complaint(Straighten()))),
    ("HORIZON (?:IS|LOOKS|TOO|DEGREE)* CROOKED (?:TO? CLOCK)?", always(Complaint(Straighten()))),
    ("FLIP SHOWN? (?:TO|IN)? (?P<axis>AXIS)", frame_read.flipped),
    ("(?P<axis>AXIS) FLIP SHOWN?", frame_read.flipped),
    ("(?:ADD|CHANGE) SHOWN? (?P<axis>AXIS) FLIP", frame_read.flipped),
    ("FLIP SHOWN?", frame_read.flipped),
    ("CHANGE? SHOWN? (?:TO|BE|AS)* MIRRORED", frame_read.flipped),
    ("(?:SHOWN IS|IS) MIRRORED", always(Complaint(Flip()))),
    ("(?:CROP|CUT) SHOWN? (?:TO|AS|IN|BE|RATIO)* (?P<aspect>ASPECT) (?:RATIO|PICTURE)*", frame_read.cropped),
    ("CROP WHO (?:TO|AS|IN)* (?P<aspect>ASPECT) RATIO*", frame_read.cropped),
    ("(?:CHANGE|ADD)? SHOWN? (?:TO|AS|IN|BE|WITH)* (?P<aspect>ASPECT) RATIO*", frame_read.cropped),
    ("CHANGE RATIO (?:OF SHOWN)? (?:TO|AS|BE)* (?P<aspect>ASPECT)", frame_read.cropped),
    ("(?:CHANGE|ADD)? DEGREE* CLOSER CROP (?:(?:TO|ON|IN|AROUND|FOR|OF) WHO)?", frame_read.closer),
    ("CROP SHOWN? DEGREE* CLOSER? (?:(?:TO|ON|IN|AROUND|FOR) WHO)?", frame_read.closer),
    ("ZOOM (?:(?:TO|ON) (?:SHOWN|WHO))? DEGREE*", frame_read.closer),
    ("EXTEND CANVAS? (?:SHOWN|SKY)? (?:AT)? (?P<sides>SIDE) (?:(?:OF|IN) SHOWN)?", frame_read.extended),
    ("EXTEND CANVAS? SHOWN? (?:TO|AS|IN|BE)* (?P<aspect>ASPECT) RATIO*", frame_read.extended),
    ("EXTEND (?:CANVAS|SHOWN)?", frame_read.extended),
    ("(?:EXTEND|ADD MORE) SKY", always(Extend(("top",)))),
    ("(?:ADD|CHANGE|UPWARDS) (?:MORE|DEGREE)* SPACE AT? (?P<sides>SIDE) (?:(?:OF|IN) SHOWN)?", frame_read.extended),
    ("CHANGE SHOWN DEGREE* (?P<sides>WIDER)", frame_read.extended),
    (
        (
            "(?:ADD|CHANGE|MOVE)? (?:SHOWN (?:WITH|IN)?)? (?:WIDTH|NICE|FLAT|LIGHTEN|DEEPEN|HUE)* BORDER"
            "(?:IN (?:FLAT|LIGHTEN|DEEPEN)* HUE HUEWORD?)?"
            "(?:(?:AROUND|TO|ON) (?:SHOWN|EVERYTHING))?"
        ),
        frame_read.bordered,
    ),
    ("BORDER SHOWN", frame_read.bordered),
    ("SCALE SHOWN UPDOWN (?:BYFACTOR|TO|FOR)* (?P<factor>TIMES)", frame_read.enlarged),
    ("ENLARGE SHOWN? (?:(?:BYFACTOR|TO|FOR)* (?P<factor>(?:TIMES|NUMBER)) LARGER?)?", frame_read.enlarged),
    ("(?P<factor>TIMES) (?:ENLARGE|LARGER)", frame_read.enlarged),
    ("CHANGE SHOWN (?P<factor>TIMES) LARGER", frame_read.enlarged),
    (
        (
            "(?:UPWARDS|MORE) RESOLUTION (?:OF SHOWN)?"
            "(?:(?: (?:BYFACTOR|TO|FOR)+ | (?=TIMES) ) (?P<factor>(?:TIMES|NUMBER)))?"
        ),
        frame_read.enlarged,
    ),
    ("CHANGE PICTURE LARGER", frame_read.enlarged),
)
# What the mask covers, by whatever name.
WITH_MASK: Final[tuple[tuple[str, Builder], ...]] = (
    ("(?:CHANGE|PAINT) (?:HUEWORD OF)? (?P<named>NAMED) (?:TO|BE|AS|IN|LOOKS)* PAINTED", read.recoloured),
    ("(?P<named>NAMED) TO? BE PAINTED", read.recoloured),
)
