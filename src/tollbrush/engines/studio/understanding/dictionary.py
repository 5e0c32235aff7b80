"""Every phrase the studio knows, by the roles it plays; the words these are made of, and which of them are mended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from tollbrush.engines.studio.plans.colours import COLOURS
from tollbrush.engines.studio.understanding import lexicon as lex
from tollbrush.engines.studio.understanding import retouch_lexicon as retouch
from tollbrush.engines.studio.understanding import sentence_lexicon as sentence
from tollbrush.engines.studio.understanding import word_lists

Value = str | float
"""A scene, accessory or tone by its id; a colour as rrggbb; a strength."""


@cache
def dictionary() -> dict[str, dict[str, Value]]:
    """phrase → tag → value."""
    entries: dict[str, dict[str, Value]] = {}

    def enter(phrases: str, tag: str, value: Value = "") -> None:
        for phrase in re.split(r", (?=\S)", phrases):
            entries.setdefault(phrase, {})[tag] = value

    valued: Mapping[str, Mapping[str, Value]] = {
        "SCENE": lex.SCENES, "WEAR": lex.ACCESSORIES, "LOOK": lex.LOOKS, "ER": lex.COMPARATIVES, "PLAIN": lex.PLAIN,
        "TONEVERB": lex.TONE_VERBS, "TONENOUN": lex.TONE_NOUNS, "DEGREE": lex.DEGREES, "HUE": COLOURS,
        "STYLE": retouch.STYLES, "STYLEVERB": retouch.STYLE_VERBS, "WEATHER": retouch.WEATHERS,
        "SKYLOOK": retouch.SKIES, "WHOLESKY": retouch.WHOLE_SKIES, "PLACE": retouch.PLACES, "SIZE": retouch.SIZES,
        "SOURCE": retouch.SOURCES,
        "MOOD": lex.MOODS, "TINT": lex.TINTS, "SIDE": retouch.SIDES, "CLOCK": retouch.CLOCK, "AXIS": retouch.AXES,
        "TIMES": retouch.TIMES, "DEGREES": retouch.TURNS, "WIDTH": retouch.WIDTHS, "ASPECT": retouch.ASPECTS,
    }  # fmt: skip
    for tag, table in valued.items():
        for phrases, value in table.items():
            enter(phrases, tag, value)
    for spelling, colour in spellings().items():
        enter(spelling, "HUE", COLOURS[colour])
    said = {"FILLER": sentence.FILLER, "JOINT": sentence.JOINTS}
    for tag, phrases in (*sentence.ROLES.items(), *retouch.ROLES.items(), *said.items()):
        enter(phrases, tag)
    for phrase, tag in word_lists.roles():
        entries.setdefault(phrase, {})[tag] = ""
    for phrase, tag, value in word_lists.meanings():
        entries.setdefault(phrase, {}).setdefault(tag, value)
    for roles in entries.values():
        if roles.get("LOOK") == "black_and_white":
            roles["GREY"] = ""
    for phrase in list(entries):
        if (american := _american(phrase)) != phrase:
            entries[american] = entries[phrase] | entries.get(american, {})
    entries[sentence.PAUSE] = {"JOINT": "", "PAUSE": ""}
    return entries


def _american(phrase: str) -> str:
    for british, american in (("colour", "color"), ("grey", "gray"), ("moustache", "mustache"), ("cosy", "cozy")):
        phrase = phrase.replace(british, american)
    return phrase


@cache
def spellings() -> dict[str, str]:
    """Other names of colours, the American ones among them."""
    american = {name.replace("grey", "gray"): name for name in COLOURS if "grey" in name}
    return {**american, **lex.SPELLINGS}


@cache
def vocabulary() -> frozenset[str]:
    return frozenset(word for phrase in dictionary() for word in phrase.split())


@cache
def mendable() -> frozenset[str]:
    """Words whose meaning shows in the plan. Adjectives that change nothing are not among them: mended into one of
    those, a word would be lost."""
    carriers = [phrase for phrase, roles in dictionary().items() if roles.keys() & {*sentence.MENDED, *retouch.MENDED}]
    return frozenset(word for phrase in carriers for word in phrase.split() if len(word) >= 4)
