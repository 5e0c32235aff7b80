"""Which terms may stand together: the rules of the studio's language.

A rule is a regular expression over roles instead of letters: `REMOVE BG` takes any two terms that can play those roles.
A rule must take its clause whole. When two rules read one clause differently, the clause is ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from tollbrush.engines.studio.plans.abilities import RemoveBackground
from tollbrush.engines.studio.understanding.reading import (
    Builder,
    Found,
    Keep,
    Reading,
    TooMuchError,
    always,
    blurred,
    cut_out,
    erased,
    left_alone,
    replaced,
    two_toned,
    wished,
    worn,
)
from tollbrush.engines.studio.understanding.retouch_rules import BOTH, MACROS, WHOLE, WITH_MASK
from tollbrush.engines.studio.understanding.tone_rules import TONES
from tollbrush.engines.studio.understanding.words import Term


def readings(terms: Sequence[Term], *, masked: bool) -> set[Reading]:
    """Everything the clause may mean. Raises TooMuchError when its only reading asks for more than is offered."""
    if len(terms) > LONGEST:
        return set()
    text = encoded(terms)
    found: set[Reading] = set()
    excess: TooMuchError | None = None
    for pattern, build in _rules(masked):
        if match := pattern.fullmatch(text):
            try:
                reading = build(Found(terms, match))
            except TooMuchError as error:
                excess = error
                continue
            if reading is not None:
                found.add(reading)
    if not found and excess is not None:
        raise excess
    return found


def encoded(terms: Sequence[Term]) -> str:
    """Terms as their roles, which the rules' expressions take."""
    return "".join(f",{','.join(term.roles)},;" for term in terms)


def compiled(pattern: str) -> re.Pattern[str]:
    return _compiled(pattern, _MACROS | MACROS)


def with_mask(terms: Sequence[Term]) -> Reading | None:
    """What the clause asks for where a mask says which thing is meant."""
    try:
        meanings = readings(terms, masked=True)
    except TooMuchError:
        return None
    return meanings.pop() if len(meanings) == 1 else None


LONGEST: Final = 24  # terms; longer clauses are not ours, and would take long to turn down


@cache
def _rules(masked: bool) -> tuple[tuple[re.Pattern[str], Builder], ...]:
    macros = _MACROS | MACROS | (_OF_MASK if masked else {})
    rules = (*_BOTH, *TONES, *BOTH, *WHOLE, *((*_WITH_MASK, *WITH_MASK) if masked else _WITHOUT_MASK))
    return tuple((_compiled(pattern, macros), build) for pattern, build in rules)


def _compiled(pattern: str, macros: dict[str, str]) -> re.Pattern[str]:
    before = ""
    while before != pattern:
        before, pattern = pattern, _NAME.sub(lambda m: macros.get(m[0], m[0]), pattern)
    return re.compile(_CHOICE.sub(lambda m: _one_term(m[1] or m[2]), pattern).replace(" ", ""))


def _one_term(roles: str) -> str:
    """Takes one term that plays one of `roles`. Atomic: a term with many roles is still taken in one way only, or a
    long run of such terms would be tried in exponentially many."""
    return f"(?>[^;]*,(?:{roles}),[^;]*;)"


_NAME: Final = re.compile(r"[A-Z]{2,}")  # of a role or a macro; the P of `(?P<` is neither
_CHOICE: Final = re.compile(r"\(\?:((?:[A-Z]{2,}\|)*[A-Z]{2,})\)|([A-Z]{2,})")

_MACROS: Final = {
    "WHOLE": "(?:WHO? PICTURE | PICTURE OF WHO | IT | EVERYTHING | PICTURE COLOURS "
    "| COLOURS (?:(?:OF|IN) (?:PICTURE|IT))?)",
    "WHO": "(?:PERSON|THING)",
    "POINTER": "(?:WHO? PICTURE|IT)",
    "ANY": "(?:PICTURE|IT|PERSON|THING)",
    "BACK": "(?: GROUND | EVERYTHING (?:BEHIND|EXCEPT) WHO | REST )",
    "GROUND": "(?:HUE|PLAIN|FLAT|STATE|NICE)* ANY? (?:HUE|PLAIN|FLAT|STATE|NICE)* BG(?:(?:OF|FROM|IN|BEHIND) ANY){0,2}",
    "TARGET": "(?:WHOLE | (?P<back>BACK))",
    "SCENERY": "(?P<traits>(?:NICE|MOOD|HUE)*) (?P<scene>SCENE) EFFECT? HUEWORD?",
    "NEW": "(?: SCENERY | PAINTED | (?P<within>SCENE) BG? (?:OF|IN)? (?P<tinge>(?:LIGHTEN|DEEPEN)* HUE) )",
    "HUEPAIR": "HUE (?:TO|JOINT) HUE",
    "PAINTED": "(?P<shades>(?:FLAT|NICE|LIGHTEN|DEEPEN|DEGREE)*) (?P<hue>HUE) HUEWORD?",
    "WORN": "PAIR? (?P<style>(?:NICE|PLAIN|MOOD|HUE|LIGHTEN|DEEPEN|FLAT)*) PAIR? (?P<wear>WEAR)",
    "BEARER": "(?:PERSON? HEAD | PERSON)",
    "NOUNISH": "(?:UNKNOWN|WEAR|PERSON|THING|HEAD|AREA|IT|HUE|PLAIN|NICE|DEGREE|OF|FROM|IN|ON|BEHIND|BG|PICTURE|OUT|"
    "TEXT|WATERMARK|SKY|BORDER|PLACE|SIDE|SIZE|PURPOSE|FLIP|STYLE|WEATHER|PAINTING|NUMBER|AT|SPACE|SELF|"
    "SUBJ|COMPLAINT|TAKEN|TELLING|USE|STATE|EDGES|FALLS|FILM|STANDS|ROOM|GREY|THEM|UPDOWN|LAND|REST|HERE)",
    "PART": "WHOLE",
}
_OF_MASK: Final = {
    "BACK": "(?: GROUND | EVERYTHING BEHIND WHO )",  # all but the cat: what the mask shows, or what it hides?
    "WHOLE": "(?:AREA | IT AREA |" + _MACROS["WHOLE"][3:],
    "TARGET": "(?:WHOLE | (?P<back>BACK) | SPOT)",
    "PART": "(?:WHOLE | SPOT)",
}

_BOTH: Final[tuple[tuple[str, Builder], ...]] = (
    # a new background
    ("(?:CHANGE|PAINT|ADD)? BACK HUEWORD? (?:CHANGE IT?)? (?:TO|AS|WITH|FOR|BE|LOOKS|IN|ON|OF)* NEW BG?", replaced),
    ("BACK HUEWORD IS PAINTED", replaced),
    (
        (
            "(?:CHANGE|ADD|PAINT)? (?:BACK HUEWORD? CHANGE?)? (?:TO|AS|WITH|FOR|BE|FROM|IN)* NICE*"
            "(?: HUEPAIR GRADIENT? BG? | GRADIENT BG? (?:FROM|OF|IN|WITH|TO|HUEWORD)* HUEPAIR )"
            "(?: GRADIENT? BEHIND ANY | AS BACK | (?:IN|ON) BACK | INSTEAD)?"
        ),
        two_toned,
    ),
    ("(?:CHANGE|PAINT) HUEWORD OF BACK (?:TO|AS|BE)* PAINTED", replaced),
    (
        (
            "(?:CHANGE|ADD|MOVE)? ANY? (?:WITH|ON|IN|TO|BE)* NEW BG"
            "(?:BEHIND ANY | (?:TO|IN|ON|FOR) POINTER | INSTEAD (?:OF IT)?)?"
        ),
        replaced,
    ),
    (
        "(?:MOVE|ADD|CHANGE)? (?:PERSON|THING|IT)? BE? ON SCENERY",
        replaced,
    ),
    (
        "(?:MOVE|ADD|CHANGE)? (?:PERSON|THING|IT) BE? IN SCENERY",
        replaced,
    ),
    ("MOVE (?:PERSON|THING) TO SCENERY", replaced),
    ("BE IN SCENERY", replaced),
    ("(?:MOVE|ADD)? ANY{0,2} ON PAINTED", replaced),
    ("BEHIND ANY (?:CHANGE|ADD)? BE? NEW", replaced),
    (
        (
            "(?:ADD|MOVE|CHANGE)? (?:PERSON | IT LOOKS)? NEW"
            "(?:BEHIND (?:ANY|WEAR|PURPOSE) INSTEAD? | AS BACK | INSTEAD (?:OF BACK)?)"
        ),
        replaced,
    ),
    ("(?:ADD|MOVE)? SCENERY (?:IN|ON|TO|FOR) BACK INSTEAD?", replaced),
    # no background
    ("(?:REMOVE|CUT) ONLY? BACK OUT? ONLY?", always(RemoveBackground())),
    ("TAKE BACK OUT", always(RemoveBackground())),
    ("(?:CHANGE|ADD)? ANY{0,2} (?:WITH|TO)* NO BG", always(RemoveBackground())),
    ("CHANGE? BACK (?:BE|IS)? REMOVED", always(RemoveBackground())),
    ("(?:CHANGE|ADD)? BACK (?:TO|AS|BE|WITH|FOR|LOOKS)* TRANSPARENT", always(RemoveBackground())),
    (
        "(?:CHANGE|ADD|MOVE)? ANY{0,2} (?:WITH|ON|TO|AS|IN|BE)* TRANSPARENT BG (?:PICTURE|TO POINTER)?",
        always(RemoveBackground()),
    ),
    ("CHANGE? POINTER? (?:TO|AS|BE|WITH|ON|IN)* TRANSPARENT PICTURE?", always(RemoveBackground())),
    ("(?:CHANGE|ADD)? POINTER? (?:TO|AS|BE|IS|WITH)* TRANSPARENT (?:BEHIND|AROUND) ANY?", always(RemoveBackground())),
    # a soft background
    ("DEGREE* BLUR DEGREE* ONLY? BACK DEGREE*", blurred),
    ("CHANGE BACK BE? DEGREE* SOFTER DEGREE*", blurred),
    ("(?:ADD|CHANGE)? (?:SOFT|DEGREE|NICE|MORE)* BLUR EFFECT? (?:TO|ON|OF|IN) BACK", blurred),
    ("(?:ADD|CHANGE)? (?:SOFT|DEGREE|NICE)* BG BLUR EFFECT? (?:TO POINTER)? (?:SOFT|DEGREE)*", blurred),
    ("CHANGE? BACK (?:BE|LOOKS)* (?:MORE|DEGREE|SOFT|NICE)* BLURRY DEGREE* (?:LIKE PICTURE)?", blurred),
    ("(?:CHANGE|ADD)? ANY? (?:WITH|ON|TO)* (?:MORE|DEGREE|SOFT|NICE)* BLURRY BG EFFECT?", blurred),
    (
        "(?:ADD|CHANGE)? POINTER? (?:TO|WITH|IN)* (?:SOFT|DEGREE|NICE)* PORTRAITMODE EFFECT? (?:(?:TO|ON) POINTER)?",
        blurred,
    ),
    # things to wear
    ("ADD? ON? WORN (?:(?:ON|TO|FOR|IN) BEARER | (?:TO|IN|ON) PICTURE | TO IT)? ON?", worn),
    ("ADD PERSON (?:WEARS|WITH|IN|ON)* WORN ON?", worn),
    ("(?:CHANGE|ADD) PERSON BE? (?:WEARS|WITH) WORN", worn),
    ("PERSON BE WEARS WORN", worn),
    ("PERSON (?P<bare>WEARS) WORN", wished),
    ("(?:BE? WEARS|WITH) WORN (?:ON BEARER)?", worn),
    ("CHANGE PERSON LOOKS (?:NICE|PLAIN|DEGREE)* WITH WORN", worn),
    # bounds
    ("FOCUS ON WHO", always(Keep("remark"))),
    ("KEEP (?:WHO | PERSON? HEAD) (?:IN COLOURS | BE? (?:SAME|SHARPER))?", always(Keep("subject"))),
    ("NOT CHANGE (?:WHO | PERSON? HEAD)", always(Keep("subject"))),
    ("WHO BE? STANDS (?:IN COLOURS | SAME | SHARPER)", always(Keep("subject"))),
    ("(?:EVERYTHING|REST) ELSE? BE? STANDS SAME?", always(Keep("rest"))),
    ("KEEP (?:EVERYTHING|REST) (?:OF PICTURE)? ELSE? (?:BE? SAME)?", always(Keep("rest"))),
    ("NOT CHANGE (?:EVERYTHING|REST) (?:OF PICTURE | ELSE)?", always(Keep("rest"))),
)
# With a mask, `cut out the cat` may mean the cat or what is around it; without one there is only one cat to find.
_WITHOUT_MASK: Final[tuple[tuple[str, Builder], ...]] = (
    (
        "CHANGE? PURPOSE? (?:CUT|ISOLATE) OF? WHO (?:FROM BACK)? (?:(?:ON|WITH) TRANSPARENT BG?)?",
        cut_out,
    ),
    ("(?:CHANGE|ADD)? PERSON? TRANSPARENT PICTURE? OF WHO", always(RemoveBackground())),
    ("OUT WHO FROM BACK", always(RemoveBackground())),  # free it
    ("CUT (?:WHO|IT) OUT (?:(?:OF|FROM) (?:BACK|PICTURE))?", always(RemoveBackground())),
    ("ONLY (?:WHO|SHOWN) (?:IS|BE)* (?P<left>(?:SIDE|SEEN|STANDS))", left_alone),
    ("(?:KEEPONLY | ONLY) WHO", always(RemoveBackground())),
    ("(?:KEEP WHO | WHO) ONLY", always(RemoveBackground())),
    ("(?:KEEP|ONLY|KEEPONLY)? WHO REST (?:BE|IS)? (?:TRANSPARENT|REMOVED)", always(RemoveBackground())),
)
_WITH_MASK: Final[tuple[tuple[str, Builder], ...]] = (
    ("(?:REMOVE|HEAL) (?P<named>(?:IT|AREA)*) (?:OUT|IN)?", erased),
    ("TAKE (?P<named>(?:IT|AREA)+) OUT", erased),
    ("CHANGE (?P<named>SPOT) (?:BE|IS)? REMOVED", erased),
    ("(?:REMOVE|HEAL) (?P<named>(?:IT|AREA)*) (?:WITH|FROM) BG", erased),
    ("REMOVE (?P<named>(?!BG|PICTURE) NOUNISH (?:NOUNISH){0,7})", erased),
    ("TAKE (?P<named>(?!BG|PICTURE) NOUNISH (?:NOUNISH){0,6}) OUT", erased),
)
