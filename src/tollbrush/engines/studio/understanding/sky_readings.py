"""From the terms of a clause to a weather or another sky: see `reading.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from tollbrush.engines.studio.plans.abilities import ReplaceBackground
from tollbrush.engines.studio.plans.treatments import (
    ReplaceSky,
    SkyKind,
    Weather,
    WeatherKind,
)
from tollbrush.engines.studio.understanding.reading import (
    Found,
    Reading,
    is_sky_instead,
    moods,
)
from tollbrush.engines.studio.understanding.retouch_lexicon import SKY_TINGES, WEATHER_SCENES
from tollbrush.engines.studio.understanding.words import Term

_SCENE_SKIES: Final[dict[str, SkyKind]] = {
    "sunset": "sunset", "blue_sky": "blue_sky", "starry": "starry", "night": "night", "clouds": "blue_sky",
}  # fmt: skip


def weathered(found: Found) -> Reading | None:
    if any(t.plays("OUT") for t in found.terms):
        return None  # the snowflakes off
    light = any(t.plays("LIGHTEN") for t in found.terms)
    return Weather(cast(WeatherKind, found.value("kind", "WEATHER")), 0.5 if light else found.amount())


def weather_scene(found: Found) -> Reading | None:
    """`make the background foggy`."""
    scene = WEATHER_SCENES.get(cast(WeatherKind, found.value("kind", "WEATHER")))
    return ReplaceBackground(scene) if scene else None


def skied_anyhow(found: Found) -> Reading | None:
    """`the sky so that it's full of stars`."""
    return _sky_of(found.part("goal")[0], ())


def skied(found: Found) -> Reading | None:
    return _sky_of(found.part("sky")[0], found.part("traits"))


def _sky_of(term: Term, adjectives: Sequence[Term]) -> Reading | None:
    kind = term.roles.get("SKYLOOK") or term.roles.get("WHOLESKY") or _SCENE_SKIES.get(str(term.roles.get("SCENE")))
    if kind is None:
        return None
    sky = cast(SkyKind, kind)
    traits = [t for t in adjectives if not t.plays("NICE", "FLAT") or t.plays("MOOD")]
    return ReplaceSky(sky, moods(traits, SKY_TINGES.get(sky, {})))


def bare_sky(found: Found) -> Reading | None:
    """`a starry sky`; `a sunset` alone may be behind the subject or above it, `a grey sky` what is there."""
    term = found.part("sky")[0]
    key = term.key
    if len(found.terms) == 1 and term.text == key:
        return None  # what is there, or what is wanted?
    there = found.part("sky")[0].roles.get("SCENE") == "clouds"
    return skied(found) if "sky" in key.split() and not there else None


def let_fall(found: Found) -> Reading | None:
    """`let it snow on my dog`; `snow on the dog` is to lie there."""
    return weathered(found) if found.terms[0].key == "let" else None


def sky_instead(found: Found) -> Reading | None:
    """`a sunset sky instead of this one`."""
    return skied(found) if is_sky_instead(found) else None


def sky_blue(found: Found) -> Reading | None:
    """`make the sky blue` reads like the colour of that name."""
    return ReplaceSky("blue_sky") if found.part("named")[0].text == "the sky blue" else None
