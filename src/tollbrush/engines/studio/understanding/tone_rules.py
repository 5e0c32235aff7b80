"""How tones are asked for, and what each way means: see `grammar.py`."""

from __future__ import annotations

from typing import Final, Literal, cast

from tollbrush.engines.studio.plans.abilities import Tone
from tollbrush.engines.studio.plans.kinds import OPPOSITE, ToneKind
from tollbrush.engines.studio.understanding.reading import Builder, Complaint, Found, Reading, always


def toned(role: str) -> Builder:
    def build(found: Found) -> Reading | None:
        kind = cast(ToneKind, found.value("tone", role))
        if found.part("tone")[0].plays("WASHED") and found.terms[0].plays("PICTURE", "IT", "COLOURS", "LOOKS", "IS"):
            return None  # a complaint
        sign = found.part("sign")
        if sign and found.part("tone")[0].key.startswith("not "):
            return None  # less not bright
        if sign and sign[0].plays("LESS"):
            kind = OPPOSITE[kind]
        return Tone(kind, found.amount(), found.where())

    return build


def too_much(role: str) -> Builder:
    return lambda found: Complaint(Tone(OPPOSITE[cast(ToneKind, found.value("tone", role))], 1.0, found.where()))


def cast_or_tint(found: Found) -> Reading | None:
    """`add a blue tint`; `there's a blue cast` complains of it."""
    asked = any(t.plays("ADD", "CHANGE", "MORE") for t in found.terms)
    told = found.terms[0].plays("THERE") or (not asked and any("cast" in t.key for t in found.terms))
    return too_much("TINT")(found) if told else toned("TINT")(found)


def seen_cast(found: Found) -> Reading | None:
    """`it has a blue cast`, `I see a green tint`."""
    return too_much("TINT")(found) if found.part("has")[0].key in ("has", "see", "got", "notice") else None


def without_cast(found: Found) -> Reading:
    """`remove the yellow tint`."""
    return Tone(OPPOSITE[cast(ToneKind, found.value("tone", "TINT"))], found.amount(), found.where())


def but_for(found: Found) -> Reading | None:
    """`everything black and white except the girl`, who is the subject; not her dress."""
    return None if found.terms[-1].key in _WORN else toned("LOOK")(found)


_WORN: Final = (
    "dress", "shirt", "skirt", "jacket", "coat", "shoes", "shoe", "scarf", "tie", "pants", "jeans", "sweater", "suit",
    "bag", "umbrella", "hat", "cap", "gloves", "boots", "sneakers", "blouse", "lipstick", "rose", "balloon", "flower",
)  # fmt: skip


def as_tone(kind: ToneKind) -> Builder:
    return lambda found: Tone(kind, found.amount(), found.where())


def measured(found: Found) -> Reading | None:
    """`increase the contrast`, `less saturation`: a noun and which way it should go."""
    signs = [t for t in found.part("signs") if not t.plays("DEGREE")]
    down = any(t.plays("LESS", "DOWNWARDS") for t in signs)
    if not signs or (down and any(t.plays("UPWARDS", "MORE") for t in signs)):
        return None
    noun = found.part("tone")[0]
    kind = cast(ToneKind, noun.roles.get("TONENOUN", "more_saturation"))
    return Tone(OPPOSITE[kind] if down else kind, found.amount(), found.where())


def stepped(found: Found) -> Reading | None:
    """`contrast +20 %`."""
    step = float(found.part("step")[0].roles["STEP"])
    kind = cast(ToneKind, found.value("tone", "TONENOUN"))
    amount = min(max(abs(step) / 25.0, 0.2), 2.0)
    return Tone(kind if step > 0 else OPPOSITE[kind], amount) if step else None


def exposed(found: Found) -> Reading | None:
    """`+0.7 EV`: a stop is what the word alone means."""
    stops = float(found.part("stops")[0].roles["STOPS"])
    amount = min(max(abs(stops), 0.2), 2.0)
    return Tone("brighter" if stops > 0 else "darker", amount) if stops else None


def too_little(found: Found) -> Reading:
    """`contrast is very less`."""
    return Complaint(Tone(cast(ToneKind, found.value("tone", "TONENOUN"))))


def colourless(found: Found) -> Reading:
    return Tone("black_and_white", 1.0, found.where())


def vivid(found: Found) -> Reading:
    return Tone("more_saturation", found.amount())


def too_dark(found: Found) -> Reading | None:
    """`the picture is dark` complains; `the picture is vivid` only tells."""
    return too_much("PLAIN")(found) if found.value("tone", "PLAIN") == "darker" else None


def grained(found: Found) -> Reading | None:
    """`film grain`, `add some grain`; grain alone may be a complaint."""
    asked = any(t.plays("ADD", "MORE", "CHANGE", "WITH") for t in found.terms)
    return Tone("grainy", found.amount()) if asked or any("film" in t.key for t in found.terms) else None


def of_part(part: Literal["shadows", "highlights"]) -> Builder:
    def build(found: Found) -> Reading | None:
        kinds: dict[str, ToneKind] = {
            "shadows brighter": "lighter_shadows", "shadows darker": "darker_shadows",
            "highlights brighter": "lighter_highlights", "highlights darker": "darker_highlights",
        }  # fmt: skip
        kind = kinds.get(f"{part} {found.value('tone', 'ER')}")
        return Tone(kind, found.amount()) if kind else None

    return build


_ADVERBS = "(?:DEGREE|MORE)*"
TONES: Final[tuple[tuple[str, Builder], ...]] = (
    # tones, by adjective
    (f"(?:CHANGE|ADD)? (?:TARGET)? (?:BE|LOOKS|TO)* {_ADVERBS} (?P<tone>ER) DEGREE*", toned("ER")),
    ("(?:CHANGE|ADD|WITH)? DEGREE* (?P<tone>ER) (?P<back>BG)", toned("ER")),
    (
        "(?:CHANGE|ADD)? (?:TARGET)? (?:BE|LOOKS|TO|WITH)* DEGREE* (?P<sign>MORE|LESS) (?P<tone>PLAIN) DEGREE*",
        toned("PLAIN"),
    ),
    ("CHANGE WHOLE (?:BE|LOOKS|TO)* DEGREE* (?P<tone>PLAIN)", toned("PLAIN")),
    ("DEGREE+ (?P<tone>PLAIN)", toned("PLAIN")),
    (f"(?:CHANGE|ADD)? (?:WHOLE (?:WITH|TO)?)? WITH? {_ADVERBS} (?P<tone>ER) (?:COLOURS|TONES|EFFECT)+", toned("ER")),
    (
        "(?:CHANGE|ADD)? (?:WHOLE TO?)? WITH? DEGREE* (?P<sign>MORE|LESS)? (?P<tone>PLAIN) (?:COLOURS|TONES|EFFECT)+",
        toned("PLAIN"),
    ),
    ("(?:TARGET)? (?:IS|LOOKS)* DEGREE? TOO (?P<tone>PLAIN)", too_much("PLAIN")),
    ("SHOWN (?:IS|LOOKS)+ DEGREE (?P<tone>PLAIN)", too_much("PLAIN")),
    (
        "HIGHLIGHTS (?:IS|LOOKS)+ (?:TOO|DEGREE)* (?:PLAIN|STATE|COMPLAINT)",
        always(Complaint(Tone("darker_highlights"))),
    ),
    ("SHADOWS (?:IS|LOOKS)+ (?:TOO|DEGREE)* (?:PLAIN|STATE|COMPLAINT)", always(Complaint(Tone("lighter_shadows")))),
    ("SHOWN IS (?P<tone>PLAIN)", too_dark),
    ("SHOWN (?:IS|LOOKS)+ (?:TOO|DEGREE)* WASHED", always(Complaint(Tone("more_contrast")))),
    # tones, by verb
    ("DEGREE* (?P<tone>TONEVERB) UPDOWN? (?:TARGET)? UPDOWN? (?:FOR? DEGREE | FOR? PERCENT)*", toned("TONEVERB")),
    ("DEGREE* (?P<tone>PLAIN) (?:TARGET) UPDOWN (?:DEGREE | FOR? PERCENT)*", toned("PLAIN")),
    # tones, by noun
    (
        (
            "(?:(?:CHANGE|ADD)? WHOLE (?:TO|BE|LOOKS)*)? WITH? (?P<signs>(?:UPWARDS|DOWNWARDS|MORE|LESS|ADD|DEGREE)+)"
            "OF? PICTURE? (?P<tone>TONENOUN) (?:(?:OF|IN|TO|ON) (?:TARGET))? (?:DEGREE | FOR? PERCENT)*"
        ),
        measured,
    ),
    (
        (
            "WITH? (?P<signs>(?:UPWARDS|DOWNWARDS|MORE|LESS|DEGREE)+) (?P<tone>COLOURS) (?:(?:OF|IN|TO) (?:TARGET))?"
            "(?:DEGREE | FOR? PERCENT)*"
        ),
        measured,
    ),
    ("CHANGE DEGREE* (?P<tone>TONENOUN) (?P<signs>(?:DEGREE|UPWARDS|DOWNWARDS)+)", measured),
    ("(?P<tone>TONENOUN) (?P<signs>(?:DEGREE|UPWARDS|DOWNWARDS)+) (?:FOR? PERCENT)?", measured),
    ("(?P<tone>TONENOUN) (?:FOR|TO)? (?P<step>STEP)", stepped),
    ("(?P<step>STEP) (?:OF|MORE)? (?P<tone>TONENOUN)", stepped),
    ("(?:CHANGE|ADD|UPWARDS|DOWNWARDS)? (?:TONENOUN|SHOWN)* (?:TO|FOR)? (?P<stops>STOPS)", exposed),
    ("COLOURS (?:IS|LOOKS)+ TOO DEGREE", always(Complaint(Tone("less_saturation")))),
    ("COLOURS (?:IS|LOOKS)+ (?:TOO|DEGREE)* DULL", always(Complaint(Tone("more_saturation")))),
    ("COLOURS? (?:IS|LOOKS)+ OFF", always(Complaint(Tone("balanced")))),
    ("CHANGE COLOURS (?:MORE|DEGREE)* POPS (?:MORE|DEGREE)*", vivid),
    ("TAKE COLOURS OUT", colourless),
    ("(?:REMOVE|TAKE) CASTWORD OUT?", as_tone("balanced")),
    ("(?:ADD|MOVE) (?:DEGREE|MORE)+ COLOURS (?:TO|IN|ON) WHOLE", vivid),
    ("REMOVE COLOURS (?:(?:OF|FROM|IN) (?:TARGET))?", colourless),
    # tones, by look
    (
        (
            "(?:CHANGE|ADD|UPWARDS)? (?:TARGET)? (?:TO|AS|IN|LOOKS|BE|WITH)* (?:NICE|DEGREE|MORE)* (?P<tone>LOOK)"
            "(?:EFFECT|PICTURE|TONES|COLOURS)* (?:(?:TO|ON) WHOLE)?"
        ),
        toned("LOOK"),
    ),
    ("CHANGE? (?P<back>(?:EVERYTHING|POINTER) (?:IN|TO|BE)* (?P<tone>LOOK) EXCEPT WHO)", but_for),
    # tones, by tint and by what of the light
    (
        "(?:CHANGE|ADD)? (?:TARGET)? (?:BE|LOOKS|TO)* DEGREE* (?P<sign>MORE|LESS) (?P<tone>TINT) (?:CAST|COLOURS)*",
        toned("TINT"),
    ),
    ("(?:TARGET)? (?:IS|LOOKS)* DEGREE? TOO (?P<tone>TINT)", too_much("TINT")),
    ("(?:REMOVE|DOWNWARDS|REPAIR) (?P<tone>TINT) CAST (?:(?:OF|FROM|IN) TARGET)?", without_cast),
    (
        "(?:ADD|CHANGE)? (?:TARGET WITH?)? DEGREE* (?P<sign>MORE)? (?P<tone>TINT) CAST (?:(?:TO|ON|IN) WHOLE)?",
        cast_or_tint,
    ),
    ("(?:TOO|DEGREE|COMPLAINT)+ (?P<tone>TINT) CAST", too_much("TINT")),
    ("THERE? (?P<tone>TINT) CAST FROM WHO", too_much("TINT")),
    (
        "(?:SHOWN|SUBJ|EVERYTHING) (?P<has>(?:BE|IS|CHANGE|HAVING)) (?:TOO|DEGREE|MORE|COMPLAINT)* (?P<tone>TINT) CAST",
        seen_cast,
    ),
    ("DEGREE* (?:LIFT|RECOVER) SHADOWS GRADE", as_tone("lighter_shadows")),
    ("(?:CHANGE)? SHADOWS (?:BE|DEGREE)* (?P<tone>ER) DEGREE*", of_part("shadows")),
    ("LIFT BLACKS GRADE", as_tone("lighter_shadows")),
    ("PULL (?:SHADOWS|BLACKS) UPWARDS DEGREE*", as_tone("lighter_shadows")),
    ("PULL (?:SHADOWS|BLACKS) DOWNWARDS DEGREE*", as_tone("darker_shadows")),
    ("PULL HIGHLIGHTS UPWARDS DEGREE*", as_tone("lighter_highlights")),
    ("PULL HIGHLIGHTS DOWNWARDS DEGREE*", as_tone("darker_highlights")),
    ("PULL COLOURS UPWARDS DEGREE*", as_tone("more_saturation")),
    ("PULL COLOURS DOWNWARDS DEGREE*", as_tone("less_saturation")),
    ("(?:COMPLAINT|STATE) (?:SHADOWS|BLACKS)", always(Complaint(Tone("lighter_shadows")))),
    ("(?:COMPLAINT|STATE) HIGHLIGHTS", always(Complaint(Tone("darker_highlights")))),
    ("(?P<tone>TONENOUN) (?:IS|LOOKS)+ (?:TOO|DEGREE)* LESS", too_little),
    ("DEGREE* LOWER (?:SHADOWS|BLACKS) GRADE", as_tone("darker_shadows")),
    ("DEGREE* LIFT HIGHLIGHTS GRADE", as_tone("lighter_highlights")),
    ("DEGREE* TAME HIGHLIGHTS GRADE", as_tone("darker_highlights")),
    ("(?:CHANGE)? HIGHLIGHTS (?:BE|DEGREE)* (?P<tone>ER) DEGREE*", of_part("highlights")),
    ("(?:ADD|MORE|CHANGE|WITH|DEGREE|NICE)* GRAIN EFFECT? (?:(?:TO|ON|IN) WHOLE)?", grained),
    ("CHANGE WHOLE (?:BE|LOOKS|DEGREE|MORE)* GRAINY", as_tone("grainy")),
    ("GRAINY EFFECT", as_tone("grainy")),
    ("INVERT (?:WHOLE|COLOURS)?", as_tone("negative")),
    ("DEGREE* (?P<tone>PLAIN) UPDOWN? BALANCE DEGREE*", toned("PLAIN")),
    ("BALANCE (?:(?:IN|OF|ON) SHOWN)? (?:IS|LOOKS|DEGREE|TOO)+ OFF", always(Complaint(Tone("balanced")))),
    ("(?:REPAIR|BALANCING) BALANCE (?:(?:OF|IN) TARGET)?", as_tone("balanced")),
    ("(?:AUTO BALANCE? WHOLE? | ENHANCE WHOLE)", as_tone("balanced")),
    ("CHANGE POINTER DEGREE* POPS (?:MORE|DEGREE)*", vivid),
)
