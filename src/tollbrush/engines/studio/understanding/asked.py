"""Wishes whose words may stand in any order: what one is made of, and what must hold of their order all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from tollbrush.engines.studio.plans.abilities import BlurBackground, ReplaceBackground, Tone
from tollbrush.engines.studio.plans.kinds import OPPOSITE, Scene, ToneKind
from tollbrush.engines.studio.understanding.lexicon import COLOURED_SCENES, TINGES
from tollbrush.engines.studio.understanding.reading import Builder, Complaint, Found, Reading, moods, shaded
from tollbrush.engines.studio.understanding.tone_rules import toned
from tollbrush.engines.studio.understanding.words import Term

Parts = Mapping[str, Sequence[Term]]
Ask = Callable[[Sequence[Term], Parts], bool]


@dataclass(frozen=True)
class Wish:
    """`needs`: by name, what the clause has exactly one of; `some`: what it may have; `may`: what may stand around
    them; `when`: what must hold besides."""

    needs: Mapping[str, tuple[str, ...]]
    build: Builder
    may: tuple[str, ...] = ()
    some: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    when: tuple[Ask, ...] = ()


def index_of(terms: Sequence[Term], term: Term) -> int:
    return next(i for i, other in enumerate(terms) if other is term)


def is_goal(terms: Sequence[Term], parts: Parts) -> bool:
    """`a blue background` may be what is there: what is wanted comes after it, or after a word that leads to it."""
    (goal,), (ground,) = parts["goal"], parts["ground"]
    at = index_of(terms, goal)
    while at > 0 and terms[at - 1].plays("LIGHTEN", "DEEPEN", "FLAT", "NICE", "MOOD"):
        at -= 1
    return at > index_of(terms, ground) or (
        at > 0 and terms[at - 1].plays(*TOWARDS) and not terms[at - 1].plays("CHANGE")
    )


def is_around(terms: Sequence[Term], parts: Parts) -> bool:
    """`remove the people in the background` and `the background people` mean them."""
    things = [i for i, term in enumerate(terms) if term.plays("PERSON", "THING")]
    return all(index_of(terms, parts["ground"][0]) < at - 1 for at in things)


def is_placed(terms: Sequence[Term], parts: Parts) -> bool:
    """`we stand on a beach`; not `a starry sky over us`."""
    at = index_of(terms, parts["goal"][0])
    while at > 0 and terms[at - 1].plays("NICE", "MOOD"):
        at -= 1
    who = next((i for i, term in enumerate(terms) if term.plays("SUBJ", "SELF", *WHO)), len(terms))
    return at > 1 and who < at - 1 and terms[at - 1].plays("ON", "IN") and terms[at - 1].key not in ("above", "over")


def is_alone(terms: Sequence[Term], parts: Parts) -> bool:
    """`white behind`, `behind her a beach`; not `behind the white dog`."""
    at = index_of(terms, parts["ground"][0])
    if at and terms[at - 1].plays(*WHO):
        return False  # the sofa behind me
    return at == len(terms) - 1 or index_of(terms, parts["goal"][0]) < at or not terms[-1].plays(*WHO)


def shows_it(terms: Sequence[Term], parts: Parts) -> bool:
    """`a drawing of my dog`, which is there, but not `a drawing of a dog`, which is to be invented."""
    things = [i for i, t in enumerate(terms) if t.plays("PERSON", "THING")]
    there = all(i and terms[i - 1].plays("OF") and terms[i].text.split()[0] not in ("a", "an", "some") for i in things)
    return there and bool(things or any(t.plays("PICTURE", "IT", "EFFECT", "SELF", "LOOKS") for t in terms))


def has(*roles: str) -> Ask:
    return lambda terms, _parts: any(term.plays(*roles) for term in terms)


def lacks(*roles: str) -> Ask:
    return lambda terms, _parts: not any(term.plays(*roles) for term in terms)


def is_added(terms: Sequence[Term], _parts: Parts) -> bool:
    """`some grain`; grain alone may be a complaint."""
    return any(t.plays("ADD", "MORE", "EFFECT", "FILM", "DEGREE") or t.text.startswith("some ") for t in terms)


def is_some(terms: Sequence[Term], _parts: Parts) -> bool:
    """`take some yellow out`; `remove the yellow` may be a thing."""
    return any(t.plays("OUT", "DEGREE", "CAST", "LESS") or " some " in f" {t.text} " for t in terms)


def is_no_report(terms: Sequence[Term], _parts: Parts) -> bool:
    """`it has snow`, `there's snow on it` tell."""
    return not terms[0].plays("THERE") and all(t.key != "has" for t in terms)


def falls_on_land(terms: Sequence[Term], _parts: Parts) -> bool:
    """`mist rolling over the fields` is everywhere; `snow on the house` is to lie there."""
    return not any(t.plays("LAND") for t in terms) or any(t.plays("FALLS") for t in terms)


def number_after(terms: Sequence[Term], parts: Parts) -> bool:
    """`by 2`."""
    return all(terms[index_of(terms, t) - 1].plays("BYFACTOR", "TO") for t in parts["factor"] if t.plays("NUMBER"))


def one_bearer(terms: Sequence[Term], _parts: Parts) -> bool:
    return sum(term.plays("PERSON") for term in terms) <= 1


def is_put_on(terms: Sequence[Term], _parts: Parts) -> bool:
    """`he is wearing a hat` only tells."""
    return any(t.plays("ADD", "MOVE") or (t.plays("WEARS") and t.key == "wear") for t in terms) and not any(
        t.plays("IS") or t.key in ("wearing", "wears")
        for t in terms
        if not t.plays("ADD", "CHANGE") or t.key == "wearing"
    )


def is_written_anew(terms: Sequence[Term], _parts: Parts) -> bool:
    """`change the text to "SALE"` means a text that is there."""
    return all(t.key in _MAKE for t in terms if t.plays("CHANGE"))


_MAKE: Final = ("make", "have", "get", "let", "set", "render", "do")


def hue_before_wear(terms: Sequence[Term], parts: Parts) -> bool:
    """`make his hat red` paints a hat that is there."""
    return all(index_of(terms, term) < index_of(terms, parts["wear"][0]) for term in parts["style"])


def coloured(found: Found) -> Reading:
    return ReplaceBackground(None, shaded(found.part("goal")[0], found.part("shades")))


def painted(found: Found) -> Reading | None:
    scene = cast(Scene, found.value("goal", "SCENE"))
    traits = [t for t in found.part("traits") if not t.plays("NICE")]
    return None if scene in COLOURED_SCENES else ReplaceBackground(scene, moods=moods(traits, TINGES.get(scene, {})))


def blurred(found: Found) -> Reading:
    return BlurBackground(
        min(2.0, max([float(t.roles["DEGREE"]) for t in found.terms if t.plays("DEGREE")], default=1.0))
    )


def doubled(found: Found) -> Reading | None:
    """`punchier contrast`, `warmer light`: the comparative of a noun that it is said of."""
    kind, noun = found.value("tone", "ER"), found.value("noun", "TONENOUN")
    light = noun == "brighter" and kind in ("warmer", "cooler", "darker")
    return toned("ER")(found) if light or noun in (kind, OPPOSITE.get(cast(ToneKind, kind))) else None


def moved(found: Found) -> Reading | None:
    """`make more warm the colours`."""
    kind = cast(ToneKind, found.part("tone")[0].roles["PLAIN"])
    if found.part("tone")[0].key.startswith("not "):
        return None  # less not bright
    return Tone(OPPOSITE[kind] if found.part("sign")[0].plays("LESS") else kind, found.amount(), found.where())


GLUE: Final = ("TO", "AS", "WITH", "BE", "IN", "ON", "OF", "FOR", "AT", "PICTURE", "IT", "EFFECT", "HUEWORD", "OUT")
PUT: Final = ("CHANGE", "ADD", "MOVE", "PAINT")
TOWARDS: Final = ("TO", "AS", "WITH", "BE", "IN", "OF", "FOR", "HUEWORD", "LOOKS", *PUT)
ASKED: Final = (*GLUE, *PUT, "NICE", "LOOKS", "EVERYTHING", "SO")
GRADED: Final = (*ASKED, "DEGREE", "MORE", "COLOURS", "TONES", "UPDOWN", "PERCENT", "BALANCE")
WHO: Final = ("PERSON", "THING")
LANDS: Final = ("LAND",)
BACK: Final[Mapping[str, tuple[str, ...]]] = {"ground": ("BG",)}


def on_back(reading: Reading | None) -> Reading | None:
    return Tone(reading.kind, reading.amount, "background") if isinstance(reading, Tone) else None


def too_plain(found: Found) -> Reading:
    return Complaint(Tone(OPPOSITE[cast(ToneKind, found.value("tone", "PLAIN"))]))
