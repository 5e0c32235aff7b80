"""Light, colours, sharpness, words and frames, in any word order: see `loose.py`."""

from __future__ import annotations

from typing import Final

from tollbrush.engines.studio.plans.framings import Straighten
from tollbrush.engines.studio.understanding import framing_readings as frame_read
from tollbrush.engines.studio.understanding import retouch_readings as read
from tollbrush.engines.studio.understanding import sky_readings as sky_read
from tollbrush.engines.studio.understanding.asked import (
    ASKED,
    BACK,
    GLUE,
    GRADED,
    PUT,
    WHO,
    Wish,
    doubled,
    has,
    is_added,
    is_goal,
    is_some,
    is_written_anew,
    lacks,
    moved,
    number_after,
    on_back,
    too_plain,
)
from tollbrush.engines.studio.understanding.reading import always
from tollbrush.engines.studio.understanding.tone_rules import as_tone, measured, of_part, toned, without_cast

ON_PICTURE: Final = (  # light and colours
    Wish({"tone": ("ER",)}, toned("ER"), GRADED),
    Wish({"tone": ("ER",), **BACK}, lambda found: on_back(toned("ER")(found)), GRADED),
    Wish({"tone": ("TONEVERB",), "only": ("ONLY",), **BACK}, lambda found: on_back(toned("TONEVERB")(found)), GRADED),
    Wish({"tone": ("ER",), "only": ("ONLY",), **BACK}, lambda found: on_back(toned("ER")(found)), GRADED),
    Wish(
        {"tone": ("TINT",), "less": ("TAKE", "REMOVE", "DOWNWARDS", "LESS")},
        without_cast,
        (*GRADED, "CAST", "TAKE", "REMOVE", "FROM", "THING"),
        when=(is_some,),
    ),
    Wish({"tone": ("PLAIN",), "sign": ("MORE", "LESS")}, moved, GRADED),
    Wish(
        {"tone": ("PLAIN",), "too": ("TOO",)},
        lambda found: too_plain(found),
        ("PICTURE", "IT", "IS", "LOOKS", "COLOURS", "DEGREE", "TONES", "EVERYTHING", "BALANCE"),
    ),
    Wish({"tone": ("TONEVERB",)}, toned("TONEVERB"), (*GRADED, "UPWARDS", "BALANCE")),
    Wish(
        {"tone": ("TONENOUN",)},
        measured,
        (*GRADED, "BALANCE"),
        {"signs": ("UPWARDS", "DOWNWARDS", "MORE", "LESS", "ADD", "REMOVE")},
        (lacks("REMOVE"),),
    ),
    Wish({"tone": ("LOOK",)}, toned("LOOK"), (*GRADED, "SELF", "UPWARDS", "AGED", "FILM")),
    Wish({"tone": ("ER",), "noun": ("TONENOUN",)}, doubled, GRADED),
    Wish({"lift": ("LIFT", "RECOVER"), "part": ("SHADOWS",)}, as_tone("lighter_shadows"), GRADED),
    Wish({"lower": ("TAME", "RECOVER"), "part": ("HIGHLIGHTS",)}, as_tone("darker_highlights"), GRADED),
    Wish({"tone": ("ER",), "part": ("SHADOWS",)}, of_part("shadows"), GRADED),
    Wish({"tone": ("ER",), "part": ("HIGHLIGHTS",)}, of_part("highlights"), GRADED),
    Wish(
        {"grain": ("GRAIN", "GRAINY")},
        as_tone("grainy"),
        (*GRADED, "SOFT", "OLDPHOTO", "FILM", "PLACE", "LIKE"),
        when=(is_added, lacks("REMOVE", "LESS")),
    ),
    Wish(
        {"mend": ("REPAIR", "BALANCING", "AUTO"), "light": ("BALANCE",)},
        as_tone("balanced"),
        (*GLUE, "UPDOWN", "CHANGE", "REPAIR", "BALANCING", "AUTO", "BALANCE", "SO"),
    ),
    Wish(
        {"source": ("SOURCE",), "splash": ("SPLASH",)},
        read.splashed,
        (*GLUE, "ADD", "CHANGE", "COLOURS", "THINGS", "GREY"),
    ),
    Wish(
        {"source": ("SOURCE",), "but": ("EXCEPT", "ONLY", "KEEPONLY", "KEEP")},
        read.splashed,
        (
            *GLUE,
            "GREY",
            "LOOK",
            "EVERYTHING",
            "REST",
            "CHANGE",
            "KEEP",
            "ONLY",
            "EXCEPT",
            "COLOURS",
            "SAME",
            "IS",
            "THINGS",
            "SPLASH",
            "STANDS",
        ),
        when=(has("GREY", "COLOURS", "SPLASH", "LOOK"),),
    ),
    # sharpness and noise
    Wish({"sharp": ("SHARPEN", "SHARPER")}, read.sharpened, (*GRADED, "SHARPNESS")),
    Wish({"sharp": ("SHARPNESS",), "sign": ("UPWARDS", "MORE", "ADD")}, read.sharpened, GRADED),
    Wish(
        {"less": ("REMOVE", "DOWNWARDS", "LESS", "REPAIR", "TAME"), "blur": ("BLURNESS",)},
        read.sharpened,
        (*GRADED, "FROM"),
        when=(lacks("SOFTEN"),),
    ),
    Wish({**BACK, "tone": ("LOOK",)}, lambda found: on_back(toned("LOOK")(found)), GRADED),
    Wish(
        {"ground": ("SKY",), "goal": ("SCENE", "SKYLOOK", "WHOLESKY")},
        sky_read.skied_anyhow,
        (*GLUE, *PUT, "STATE", "INSTEAD", "LOOKS", "SO", "IS", "DULL", "NICE"),
        when=(is_goal,),
    ),
    Wish({"get": ("PULL",), "out": ("OUT",), "noise": ("NOISE",)}, read.denoised, (*GRADED, "FROM")),
    Wish({"noise": ("DENOISE",)}, read.denoised, (*GRADED, "FROM", "REPAIR")),
    Wish(
        {"less": ("REMOVE", "DOWNWARDS", "LESS", "HEAL", "REPAIR", "TAME"), "noise": ("NOISE", "NOISY")},
        read.denoised,
        (*GRADED, "FROM"),
    ),
    Wish(
        {"blur": ("BLUR", "BLURRY")}, read.blurred_whole, (*GRADED, "SOFT"), when=(has("PICTURE", "IT", "EVERYTHING"),)
    ),
    # frames, words
    Wish(
        {"v": ("VIGNETTE",)}, read.vignetted, (*ASKED, "DEGREE", "SOFT", "LIGHTEN", "DEEPEN", "AROUND", "EDGES", "MORE")
    ),
    Wish(
        {"b": ("BORDER",)},
        frame_read.bordered,
        (*ASKED, "WIDTH", "HUE", "FLAT", "LIGHTEN", "DEEPEN", "AROUND", "EDGES"),
        when=(has("ADD", "CHANGE", "HUE", "WIDTH", "AROUND"),),
    ),
    Wish(
        {"quote": ("QUOTE",)},
        read.lettered,
        (
            *ASKED,
            "WRITE",
            "TEXT",
            "PLACE",
            "SIZE",
            "HUE",
            "SAYS",
            "LIGHTEN",
            "DEEPEN",
            "FLAT",
            "AROUND",
            "SIDE",
            "EDGES",
        ),
        when=(is_written_anew,),
    ),
    Wish({"quote": ("QUOTE",), "mark": ("WATERMARK",)}, read.watermarked, (*ASKED, "WRITE", "TEXT", "SAYS", "AROUND")),
    Wish(
        {"verb": ("ROTATE", "MOVE")},
        frame_read.rotated,
        (*GLUE, "AROUND", "UPDOWN"),
        {"turn": ("CLOCK", "DEGREES", "NUMBER", "BYFACTOR", "SIDE")},
        (has("ROTATE"),),
    ),
    Wish({"verb": ("FLIP", "MIRRORED"), "axis": ("AXIS",)}, frame_read.flipped, (*ASKED, "UPDOWN", "FROM")),
    Wish(
        {"aspect": ("ASPECT",)},
        frame_read.cropped,
        (*ASKED, "CROP", "CUT", "RATIO", "UPDOWN", "SIZE", "PURPOSE"),
        when=(has("CROP", "RATIO", "CUT", "CHANGE", "PICTURE", "IT"),),
    ),
    Wish(
        {"crop": ("CROP", "ZOOM")},
        frame_read.closer,
        (*GLUE, "CLOSER", "DEGREE", "MORE", "AROUND", "UPDOWN", "CENTRAL", *WHO),
        when=(has("CLOSER", "ZOOM", *WHO), lacks("OUT")),
    ),
    Wish(
        {"closer": ("CLOSER",), "at": ("ON", "TO", "AROUND"), "who": WHO},
        frame_read.closer,
        (*GLUE, "CHANGE", "CROP", "DEGREE", "MORE"),
    ),
    Wish(
        {"verb": ("STRAIGHTEN", "REPAIR")},
        always(Straighten()),
        (*GLUE, "HORIZON", "CROOKED", "UPDOWN", "DEGREE", "SO", "STRAIGHT"),
        when=(has("STRAIGHTEN", "HORIZON", "CROOKED"),),
    ),
    Wish(
        {"verb": ("EXTEND",)},
        frame_read.extended,
        (*GLUE, "CANVAS", "DEGREE", "MORE", "SPACE", "BIT", "SKY"),
        {"sides": ("SIDE",), "aspect": ("ASPECT",)},
    ),
    Wish(
        {"verb": ("ENLARGE", "LARGER", "RESOLUTION")},
        frame_read.enlarged,
        (*ASKED, "BYFACTOR", "UPDOWN", "RESOLUTION", "SCALE", "IS", "LARGER"),
        {"factor": ("TIMES", "NUMBER")},
        (
            has("TIMES", "NUMBER", "ENLARGE"),
            number_after,
        ),
    ),
)
