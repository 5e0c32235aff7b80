"""What a matched clause asks for: from the terms in a rule's groups to an operation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from tollbrush.engines.studio.plans.abilities import (
    BlurBackground,
    Operation,
    RemoveBackground,
    RemoveMasked,
    ReplaceBackground,
    Wear,
)
from tollbrush.engines.studio.plans.colours import Colour
from tollbrush.engines.studio.plans.kinds import Accessory, Scene, ToneKind
from tollbrush.engines.studio.understanding.lexicon import COLOURED_SCENES, TINGES
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term


@dataclass(frozen=True)
class Keep:
    """Not an edit but a bound on it: `subject` (keep the cat as it is) or `rest` (change nothing else); or a remark
    that asks for nothing by itself: `remark` (it is for a shop), `mend` (fix it: what was complained of), `turn` (turn
    it round: it stands on its head, or is mirrored), `told` (a remark of which not every word is known)."""

    what: Literal["subject", "rest", "remark", "mend", "turn", "told"]


@dataclass(frozen=True)
class Complaint:
    """`the photo is blurry`: a wish only where no other clause says what to do about it."""

    remedy: Operation


@dataclass(frozen=True)
class KeepHue:
    """`… but keep the red`: what loses its colour elsewhere keeps it there."""

    source: str


Reading = Operation | Keep | KeepHue | Complaint


class TooMuchError(Exception):
    """A rule fits, but these words promise more than it does."""

    def __init__(self, words: Sequence[Term]) -> None:
        super().__init__(" ".join(term.text for term in words))
        self.words = tuple(words)


class Found:
    """A matched clause. `terms` are all of its terms, `part(name)` those of a named group."""

    def __init__(self, terms: Sequence[Term], match: re.Match[str]) -> None:
        self.terms, self._match = terms, match

    def part(self, name: str) -> Sequence[Term]:
        if self._match.groupdict().get(name) is None:
            return ()
        start, end = (self._match.string.count(";", 0, at) for at in self._match.span(name))
        return self.terms[start:end]

    def value(self, name: str, role: str) -> str:
        return str(self.part(name)[0].roles[role])

    def amount(self) -> float:
        """The strengths named in the clause, multiplied; 25 % is what a word alone means."""
        amount = 1.0
        for term in self.terms:
            amount *= (term.degree or 1.0) * float(term.roles.get("PERCENT", 25.0)) / 25.0
        return min(max(amount, 0.2), 2.0)

    def where(self) -> Literal["picture", "background"]:
        return "background" if self.part("back") else "picture"


Builder = Callable[[Found], Reading | None]


def replaced(found: Found) -> Reading | None:
    grounds = sum(t.plays("BG") for t in found.terms)
    if any(t.key in ("above", "over") for t in found.terms):
        return None  # a tower above a starry sky
    if is_sky_instead(found) or (grounds > 1 and not any(t.plays("CHANGE", "TO", "INSTEAD") for t in found.terms)):
        return None  # a black background on a white backdrop
    at = next((i for i, t in enumerate(found.terms) if t.plays("BG")), 0)
    if not found.terms[0].plays("CHANGE") and any(t.plays("HUE") for t in found.terms[:at]) and found.part("scene"):
        after = found.terms[at + 1 : at + 2]
        if any(t.plays("WITH") or t.key.startswith("with ") for t in after):
            return None  # a pink background with stars on it
    if tinge := found.part("tinge"):
        within = cast(Scene, found.value("within", "SCENE"))
        if within not in COLOURED_SCENES:
            raise TooMuchError(tinge)
        return ReplaceBackground(within, shaded(tinge[-1], tinge[:-1]))
    if hue := found.part("hue"):
        return ReplaceBackground(None, shaded(hue[0], found.part("shades")))
    scene = cast(Scene, found.value("scene", "SCENE"))
    traits = [t for t in found.part("traits") if not t.plays("NICE")]
    hues = [t for t in traits if t.plays("HUE")]
    if scene in COLOURED_SCENES and len(hues) == 1:
        shades = [t for t in traits if t is not hues[0]]
        return ReplaceBackground(scene, shaded(hues[0], shades))
    return ReplaceBackground(scene, moods=moods(traits, TINGES.get(scene, {})))


def is_sky_instead(found: Found) -> bool:
    """`a sunset sky instead of this one` replaces a sky, where no background is spoken of."""
    skies = any(t.plays("SCENE") and t.key.endswith(("sky", "skies")) for t in found.terms)
    instead = any(t.plays("INSTEAD") and " of " in f"{t.text} " for t in found.terms) or any(
        t.plays("OF") for t in found.terms
    )
    return (
        skies
        and instead
        and any(t.plays("INSTEAD") for t in found.terms)
        and not any(t.plays("BG", "BEHIND") for t in found.terms)
    )


def two_toned(found: Found) -> Reading | None:
    """`a pink to blue gradient`, behind the subject."""
    behind = any(t.plays("BG", "BEHIND") for t in found.terms)
    if not behind or not any(t.plays("GRADIENT") for t in found.terms):
        return None
    first, second = (shaded(t, ()) for t in found.terms if t.plays("HUE"))
    return ReplaceBackground("gradient", first, towards=second)


def moods(traits: Sequence[Term], tinges: Mapping[str, ToneKind]) -> tuple[ToneKind, ...]:
    """The tones that adjectives give to a scene. `tinges`: the colours it may take on."""
    kinds = [tinges.get(term.key) or term.roles.get("MOOD") for term in traits]
    if None in kinds:
        raise TooMuchError([term for term, kind in zip(traits, kinds, strict=True) if kind is None])
    return tuple(dict.fromkeys(cast(list[ToneKind], kinds)))


def shaded(hue: Term, shades: Sequence[Term]) -> Colour:
    """`deep blue`: the colour moved towards black, white or full strength by the words before it."""
    if hue.named and hue.key in _ALSO_THINGS:
        raise TooMuchError([hue])  # `a rose`
    code = str(hue.roles["HUE"])
    rgb = [int(code[i : i + 2], 16) for i in (0, 2, 4)]
    said: dict[str, str] = {}
    for term in shades:
        if term.plays("LIGHTEN", "DEEPEN"):
            said["LIGHTEN" if term.plays("LIGHTEN") else "DEEPEN"] = term.key  # `soft pastel pink` is light once
        elif term.key == "bright":
            said["BRIGHT"] = term.key
        elif not term.plays("FLAT", "NICE", "DEGREE"):
            raise TooMuchError([term])
    for role in said:
        rgb = _SHADES[role](rgb)
    return Colour(" ".join([*said.values(), hue.key]), (rgb[0], rgb[1], rgb[2]))


def _blended(rgb: list[int], towards: int, share: float) -> list[int]:
    return [round(c + (towards - c) * share) for c in rgb]


def _full(rgb: list[int]) -> list[int]:
    """At full strength: the largest channel at its end, the smallest lowered."""
    low, high = min(rgb), max(rgb)
    return [round((c - 0.5 * low * (high - c) / (high - low)) * 255 / high) for c in rgb] if low < high else rgb


_SHADES: Final[dict[str, Callable[[list[int]], list[int]]]] = {
    "LIGHTEN": lambda rgb: _blended(rgb, 255, 0.5),
    "DEEPEN": lambda rgb: _blended(rgb, 0, 0.4),
    "BRIGHT": _full,
}
_ALSO_THINGS: Final = ("rose", "orange", "peach", "lavender", "lilac", "violet", "olive", "coral", "lime", "tan")


def blurred(found: Found) -> Reading:
    return BlurBackground(found.amount())


def worn(found: Found) -> Reading | None:
    style = found.part("style")
    if found.terms[0].key == "drop" and (found.part("wear")[0].text.startswith("the ") or found.terms[1].key in _WHOSE):
        return None  # off with it
    if found.terms[0].plays("THERE"):
        return None  # there's a crown on her head
    if any(term.key == "hat" and term.lead.endswith("the") for term in found.part("wear")):
        return None  # she's a witch, give her the hat
    wear = found.part("wear")[0]
    at = next(i for i, term in enumerate(found.terms) if term is wear)
    kind_of = found.terms[at - 1] if at else wear
    if not wear.named and kind_of.plays("PERSON") and kind_of.text.startswith(("a ", "an ")):
        raise TooMuchError([kind_of])  # a pirate hat
    hues = [t for t in style if t.plays("HUE")]
    others = [t for t in style if t not in hues and not t.plays("NICE") and t.key != "cool"]
    if len(hues) > 1 or (others and not hues):
        raise TooMuchError(others or hues[1:])
    kind = cast(Accessory, found.value("wear", "WEAR"))
    return Wear(kind, shaded(hues[0], others) if hues else None)


_WHOSE: Final = ("his", "her")


def wished(found: Found) -> Reading | None:
    """`(can) he wear a hat`; `he wears a hat` only tells what is there."""
    return worn(found) if found.part("bare")[0].key == "wear" else None


def erased(found: Found) -> Reading | None:
    """Whatever the mask covers, if it is a thing: `the noise` covers no place, `so that …` is not a name."""
    named = found.part("named")
    if any(t.plays("ABSTRACT") or t.key in _NOT_A_NAME for t in named):
        return None
    return RemoveMasked() if not named or is_thing(named) else None


def is_thing(named: Sequence[Term]) -> bool:
    """Something that a mask can cover."""
    return any(t.plays(*_THINGS) for t in named) and not any(t.key in _NOT_A_NAME for t in named)


_THINGS: Final = (
    UNKNOWN, "WEAR", "PERSON", "THING", "HEAD", "AREA", "IT", "TEXT", "WATERMARK", "BORDER", "PURPOSE", "FLIP", "STYLE",
    "PAINTING", "SPACE", "SELF", "ROOM", "LAND",
)  # fmt: skip
_NOT_A_NAME: Final = (
    "so", "if", "when", "unless", "until", "because", "like", "than", "making", "replacing", "adding", "half",
    "outside", "nothing", "part", "say", "hold", "look", "smile", "which", "whatever", "who", "or", "maybe",
)  # fmt: skip


def cut_out(found: Found) -> Reading | None:
    """`lift the vase from its background`; `lift the vase` is no edit."""
    lifted = found.terms[0].key in ("lift", "pull", "knock", "detach")
    return RemoveBackground() if not lifted or any(t.plays("BG") for t in found.terms) else None


def left_alone(found: Found) -> Reading | None:
    """`only my portrait is left`."""
    return RemoveBackground() if found.part("left")[0].key in ("left", "stay", "stays", "visible", "seen") else None


def always(reading: Reading) -> Builder:
    return lambda _found: reading
