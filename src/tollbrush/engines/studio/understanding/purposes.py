"""What a picture is for: `for my Etsy shop`, `to use as a profile picture`, and the shape that goes with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tollbrush.engines.studio.understanding.words import UNKNOWN, Term

MODIFIERS: Final = ("PURPOSE", "PERSON", "THING", "NICE", "NUMBER", "SIZE", "AGED", "FLAT")
LINKS: Final = ("OF", "ON", "AT", "IN", "FOR", "TO", "AS", "AND")
MOST_STRANGERS: Final = 3


def shape_of(terms: Sequence[Term], kept: Sequence[Term], purpose: Sequence[Term]) -> list[Term]:
    """`crop it for an Instagram story`: the shape that goes with what a crop is for, where no other is told."""
    start = max((i + 1 for i, term in enumerate(kept) if term.plays("JOINT")), default=0)
    wish, text = kept[start:], " ".join(term.text for term in purpose)
    crops = bool(wish) and wish[0].plays("CROP") and not any(t.plays("CLOSER", "PERSON", "THING") for t in wish[1:])
    if not crops or any(term.plays("ASPECT") for term in terms):
        return []
    shape = next((shape for words, shape in _SHAPES if re.search(rf"\b(?:{words})\b", text)), None)
    return [Term(text, "to", {"TO": ""}), Term(text, shape, {"ASPECT": shape})] if shape else []


def purpose_end(terms: Sequence[Term], at: int) -> int:
    """`for my Etsy shop`, `as a profile picture`: the noun that ends it is one of those that pictures are for."""
    if terms[at].key not in ("for", "as"):
        return 0
    if at + 2 < len(terms) and terms[at + 1].plays("WEAR") and terms[at + 2].plays("PURPOSE"):
        return at + 3  # for the headphones ad
    end = _named_end(terms, at + 1) or _beneficiary_end(terms, at)
    if end and any(t.plays("WEAR") for t in terms) and any(t.plays("THING") for t in terms[at + 1 : end]):
        return 0
    return end


def _beneficiary_end(terms: Sequence[Term], at: int) -> int:
    """`for my grandma`, at the end of a wish."""
    end = at + 1
    while end < len(terms) and terms[end].plays("PERSON", "THING", "NICE", "AGED", "PICTURE"):
        end += 1
    stranger = [t.key in ("these", "those") or t.plays(UNKNOWN) for t in terms[end : end + 2]] == [True, True]
    if end == at + 1 and stranger and not terms[end].plays(UNKNOWN):
        end += 2  # for these knives
    ends = end == len(terms) or terms[end].plays("JOINT")
    worn = any(term.plays("WEAR") for term in terms)
    whose = stranger or terms[end - 1].plays("PERSON", "THING")
    return end if ends and whose and not worn and terms[at].key == "for" else 0


def _named_end(terms: Sequence[Term], at: int) -> int:
    end, strangers = 0, 0
    for i in range(at, len(terms)):
        term = terms[i]
        if term.plays("PURPOSE", "TEXT"):
            end = i + 1
            while end < len(terms) and terms[end].plays("PICTURE"):
                end += 1
        elif term.plays(UNKNOWN):
            strangers += 1
            if strangers > MOST_STRANGERS:
                break
        elif not term.plays(*MODIFIERS, "PICTURE") and not (i > at and term.plays(*LINKS)):
            break
    return end


def use_end(terms: Sequence[Term], at: int) -> int:
    """`to use as my profile picture`, `to send to my grandma`."""
    if not (terms[at].key in ("to", "for") and at + 1 < len(terms) and terms[at + 1].plays("USE")):
        return 0
    allowed = (*MODIFIERS, *LINKS, "IT", "PICTURE", "USE", "SUBJ", UNKNOWN, "WITH")
    end = at + 2
    while end < len(terms) and terms[end].plays(*allowed) and not terms[end].plays("JOINT"):
        end += 1
    strangers = sum(term.plays(UNKNOWN) for term in terms[at:end])
    return end if strangers <= MOST_STRANGERS else 0


_SHAPES: Final = (
    ("story|stories|reels?|tik ?tok|shorts|snapchat|(?:phone|mobile) wallpaper|lock ?screen|home ?screen", "9:16"),
    ("portrait post", "4:5"),
    ("youtube|yt|video thumbnail|slides?|slide deck|presentation|powerpoint|keynote|desktop wallpaper", "16:9"),
    ("(?:insta|instagram|ig) (?:post|feed|grid)|profile (?:picture|photo|pic|image)|avatar|pfp|album cover", "1:1"),
)
