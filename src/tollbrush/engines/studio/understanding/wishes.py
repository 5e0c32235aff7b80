"""What is worn, behind and around the subject, in any word order: see `loose.py`."""

from __future__ import annotations

from typing import Final

from tollbrush.engines.studio.plans.abilities import RemoveBackground
from tollbrush.engines.studio.understanding import retouch_readings as read
from tollbrush.engines.studio.understanding import sky_readings as sky_read
from tollbrush.engines.studio.understanding.asked import (
    ASKED,
    BACK,
    GLUE,
    LANDS,
    PUT,
    WHO,
    Wish,
    blurred,
    coloured,
    falls_on_land,
    has,
    hue_before_wear,
    is_alone,
    is_around,
    is_goal,
    is_no_report,
    is_placed,
    is_put_on,
    lacks,
    one_bearer,
    painted,
    shows_it,
)
from tollbrush.engines.studio.understanding.reading import always, worn

ON_SUBJECT: Final = (
    # backgrounds
    Wish(
        {**BACK, "goal": ("HUE",)},
        coloured,
        (*GLUE, *PUT, "NICE", "INSTEAD", "EVERYTHING"),
        {"shades": ("FLAT", "LIGHTEN", "DEEPEN")},
        (is_goal,),
    ),
    Wish(
        {**BACK, "goal": ("SCENE",)},
        painted,
        (*GLUE, *PUT, "LOOKS", "INSTEAD", "SO"),
        {"traits": ("NICE", "MOOD")},
        (is_goal,),
    ),
    Wish(
        {"cut": ("REMOVE", "CUT", "TAKE", "REMOVED", "ISOLATE"), **BACK},
        always(RemoveBackground()),
        (*GLUE, "FROM", "AROUND", "BEHIND", "PLAIN", "STATE", "CHANGE", "COMPLETELY", *WHO),
        when=(is_around,),
    ),
    Wish(
        {"blur": ("BLUR", "BLURRY", "SOFTENED"), **BACK},
        blurred,
        (*GLUE, *PUT, "DEGREE", "MORE", "SOFT", "AROUND", "BEHIND", "LOOKS", "SO", *WHO),
        when=(is_around,),
    ),
    Wish(
        {"blur": ("BLUR", "BLURRY"), "at": ("BEHIND",), "who": WHO}, blurred, (*GLUE, "WHICHIS", "EVERYTHING", "DEGREE")
    ),
    Wish(
        {"goal": ("SCENE",), "ground": ("BEHIND",)},
        painted,
        (*GLUE, *PUT, "LOOKS", "SO", *WHO),
        {"traits": ("NICE", "MOOD")},
        (is_alone,),
    ),
    Wish(
        {"goal": ("HUE",), "ground": ("BEHIND",)},
        coloured,
        (*GLUE, *PUT, "NICE", "WEAR", *WHO),
        {"shades": ("FLAT", "LIGHTEN", "DEEPEN")},
        (is_alone,),
    ),
    Wish({"blur": ("BLUR", "BLURRY"), "ground": ("ROOM",)}, blurred, (*GLUE, *PUT, "DEGREE", "SOFT", "OUT")),
    Wish({"who": WHO, "only": ("ONLY", "KEEPONLY")}, always(RemoveBackground()), (*GLUE, "CHANGE", "TRANSPARENT")),
    Wish(
        {"cut": ("ISOLATE",), "who": WHO, "from": ("FROM", "OF")}, always(RemoveBackground()), (*GLUE, *BACK["ground"])
    ),
    Wish({"no": ("NO",), **BACK}, always(RemoveBackground()), (*GLUE, "CHANGE", "ADD", "NO", *WHO)),
    Wish(
        {"cut": ("ISOLATE", "CUT"), "on": ("ON",), "goal": ("HUE",)},
        coloured,
        (*GLUE, "CUT", "OUT", *WHO),
        {"shades": ("FLAT", "LIGHTEN", "DEEPEN")},
    ),
    Wish(
        {"goal": ("SCENE",)},
        painted,
        (*GLUE, *PUT, "LOOKS", "SUBJ", "IS", "STANDS", "SELF", "SO", "INSTEAD", *WHO),
        {"traits": ("NICE", "MOOD")},
        (is_placed, has("SUBJ", "SELF", *WHO)),
    ),
    Wish(
        {"room": ("ROOM",), "verb": ("CHANGE",), "ground": ("FOR", "TO", "WITH"), "goal": ("SCENE",)},
        painted,
        ("STATE", "NICE", "COMPLAINT"),
        {"traits": ("NICE", "MOOD")},
        (is_goal,),
    ),
    Wish(
        {"kind": ("WEATHER",), **BACK},
        sky_read.weather_scene,
        (*GLUE, *PUT, "NICE", "EFFECT", "LOOKS", "SO", "INSTEAD", "BEHIND", *WHO),
        when=(is_around,),
    ),
    Wish({"soft": ("SOFTEN", "SOFTER"), **BACK}, blurred, (*GLUE, "DEGREE", "CHANGE", *WHO), when=(is_around,)),
    Wish({"mode": ("PORTRAITMODE",)}, blurred, (*ASKED, "DEGREE", "SOFT", "BLUR", *BACK["ground"], *WHO)),
    # what is worn, styles, weather
    Wish(
        {"wear": ("WEAR",)},
        worn,
        (*GLUE, *PUT, "PERSON", "HEAD", "WEARS", "PAIR"),
        {"style": ("NICE", "HUE", "LIGHTEN", "DEEPEN", "FLAT")},
        (one_bearer, hue_before_wear, lacks("OUT", "IS"), is_put_on, has("PERSON", "HEAD", "WEARS")),
    ),
    Wish(
        {"kind": ("STYLE",)},
        read.styled,
        (*ASKED, "PERSON", "THING", "FROM", "AGED", "DEGREE", "SOFT", "PAINTING", "SELF", "COLOURS", "WEATHER", "LIKE"),
        when=(shows_it, lacks("SKY", "BG")),
    ),
    Wish(
        {"kind": ("WEATHER",)},
        sky_read.weathered,
        (*ASKED, "DEGREE", "MORE", "LIGHTEN", "SOFT", "FALLS", "AROUND", *LANDS),
        when=(lacks("SKY", "BG", "OUT"), falls_on_land, is_no_report, has("FALLS", *PUT, "PICTURE", "IT")),
    ),
)
