"""What people often ask for that cannot be done, and what to tell them instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from tollbrush.engines.studio.plans.abilities import ReplaceBackground
from tollbrush.engines.studio.plans.kinds import Scene
from tollbrush.engines.studio.understanding.repertoire import ACCESSORIES, BACKGROUNDS, SKIES, STYLES, Group
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term


@dataclass(frozen=True)
class Kind:
    """A clause with one of `roles` asks for something of a group's kind."""

    roles: tuple[str, ...]
    what: str
    group: Group


KINDS: Final = (
    Kind(("BG", "BEHIND"), "Backgrounds it can paint", BACKGROUNDS),
    Kind(("SKY",), "Skies it can paint", SKIES),
    Kind(("STYLE", "PAINTING"), "Styles it knows", STYLES),
    Kind(("WEARS", "WEAR"), "What it can put on a face", ACCESSORIES),
)

SAY_WHAT: Final = "Say what should change: fix the light, make it brighter, more contrast, sharpen it."
FORMATS: Final = "Send the `output_format` you want with the request: png, jpeg or webp."
_FACE: Final = """
    smile smiling laugh laughing eye eyes eyelashes lashes teeth tooth skin wrinkle wrinkles pimple pimples acne hair
    hairstyle haircut bald younger older age aged slimmer thinner fatter thin slim muscles abs body face faces head
    expression lips nose chin makeup lipstick blink blinked pose taller shorter naked nude undress dress clothes suit
"""
_TELLING: Final = (
    (_FACE, "It changes no faces, bodies or clothes; it can put things on a face: add a crown, add sunglasses."),
    (
        "anime manga ghibli pixar disney picasso gogh monet banksy warhol simpsons lego 3d claymation",
        f"It imitates no artist or studio. Styles it knows: {', '.join(STYLES.endings.values())}.",
    ),
    (
        "px pixels k kb mb resolution resize smaller dpi megapixels compress 800 1080",
        "Send the `size` you want with the request; in words it can: enlarge it 2 times (up to 4).",
    ),
    (
        "better beautiful professional nicer improve fix amazing best perfect ugly interesting prettier cleaner clear",
        SAY_WHAT,
    ),
    (
        "colorize colourise colourize colorise restore repair scratches damaged torn unblur unpixelate missing",
        "It invents no colours or details that are not in the picture.",
    ),
    ("who what why where when which how translate read detect describe say", "It answers no questions: it edits."),
    ("video gif animate animation move moving reel", "It makes still pictures only."),
    ("png jpg jpeg webp pdf svg format", FORMATS),
    ("undo redo revert reset previous original", "It remembers no edits: send the picture as it was before."),
)
# What a clause plays, and what goes for it where no word tells more.
_OF_ROLES: Final = (
    (("ONLY", "KEEPONLY", "EXCEPT", "AREA"), "For a part of the picture send a mask, white over what should change."),
    (("TRANSPARENT",), "It can make the background transparent: remove the background."),
    (("DEGREES",), "It turns a picture by up to 360 degrees: rotate it by 90 degrees."),
    (("TIMES",), "It enlarges 2, 3 or 4 times: enlarge it 2 times."),
)
_NEW: Final = "It adds nothing new to a picture but things to wear, weather, words, borders and painted backgrounds."


def about(words: set[str], clause: Sequence[Term], kind: Kind | None) -> str:
    """Advice on what these words are about."""
    for term in clause:
        if term.plays("SCENE") and not kind:
            return f"Nearest: {ReplaceBackground(cast(Scene, term.roles['SCENE']))}."
    for about_, advice in _TELLING:
        if words & set(about_.split()):
            return advice
    adds = clause[0].plays("ADD", "MOVE") or (clause[0].plays("CHANGE") and any(t.plays("WITH", "TO") for t in clause))
    things = any(t.plays(UNKNOWN, "THING", "PERSON") for t in clause[1:])
    if adds and things and not kind:
        return _NEW
    told = next((advice for roles, advice in _OF_ROLES if any(term.plays(*roles) for term in clause)), "")
    if not told and not kind and clause[0].plays("REMOVE", "HEAL"):
        return 'Send a mask, white over what should go, and ask: "remove this".'
    if not told and not kind and clause[-1].plays("HUE") and len(clause) > 1:
        return "It takes one colour for one thing: add a red border, change the background to blue."
    return told
