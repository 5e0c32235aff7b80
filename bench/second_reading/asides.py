"""What people tell beside a wish (`it's for my Etsy shop`, `the band on stage`), taken from the lists and put beside
other wishes: it spoils none, and makes none possible. A wish that only looks like it (`my eyes open`) spoils all.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import Final

from bench.second_reading.examples import DATA, Example, Prompts, example
from tollbrush.engines.studio.understanding.clauses import VERBS
from tollbrush.engines.studio.understanding.words import read

Wished = tuple[str, tuple[str, ...]]


def told_beside(prompts: Prompts, number: int, chance: Random) -> list[Example]:
    """Two in three are doable; whatever points at something told before (`blur it`) is left as it is."""
    asides = sorted({aside for prompt, wants in prompts.items() if wants for aside in asides_of(prompt, wants[0])})
    doable, others = _by_kind({p: wants for p, wants in prompts.items() if not _POINTS.search(p)})
    made = []
    for at in range(number if asides and doable and others else 0):
        prompt, wants = chance.choice(doable if at % 3 else others)
        wish, aside = prompt.rstrip(".!? "), chance.choice(asides)
        text = chance.choice((f"{aside}{chance.choice(_LEADS)}{wish}", f"{wish}{chance.choice(_TAILS)}{aside}"))
        made.append(example(text, wants[0] if wants else ""))
    return [one for one in made if one is not None]


def captioned(prompts: Prompts, number: int, chance: Random) -> list[Example]:
    """What the picture shows, before a wish; of one in four it is something that cannot be done."""
    captions, fragments = (_lines(name) for name in ("captions.txt", "fragments.txt"))
    doable, others = _by_kind(prompts)
    made = []
    for at in range(number if captions and doable and others else 0):
        prompt, wants = chance.choice(doable if at % 4 else others)
        shown = chance.choice(fragments if at % 4 == 1 else captions)
        want = wants[0] if wants and at % 4 != 1 else ""
        made.append(example(f"{shown}{chance.choice(_AFTER_CAPTIONS)}{prompt}", want))
    return [one for one in made if one is not None]


def told_around(prompts: Prompts, number: int, chance: Random) -> list[Example]:
    """Sentences, and parts of them, that people tell before and after a wish; two in three are doable."""
    told: dict[str, list[str]] = defaultdict(list)
    for line in _lines("told.txt"):
        kind, _, words = line.partition("| ")
        told[kind].append(words)
    doable, others = _by_kind(prompts)
    made = []
    for at in range(number if told and doable and others else 0):
        prompt, wants = chance.choice(doable if at % 3 else others)
        before, after = chance.choice(_AROUND)
        if before == "lead" and prompt[:1].isupper() and prompt[1:2].islower():
            prompt = prompt[0].lower() + prompt[1:]
        ends = " " if prompt[-1] in ".!?" else chance.choice((". ", ". ", "! ", " "))
        text = f"{chance.choice(told[before])} {prompt}" if before else prompt
        if after == "tail":
            tail = chance.choice(told[after])
            text = text.rstrip(".!? ") + ("" if tail[0] in ",.;:" else " ") + tail
        elif after:
            text += ends + chance.choice(told[after])
        made.append(example(text, wants[0] if wants else ""))
    return [one for one in made if one is not None]


def _by_kind(prompts: Prompts) -> tuple[list[Wished], list[Wished]]:
    """Short ones: the doable, and those that are not."""
    short = [(prompt, wants) for prompt, wants in prompts.items() if 5 < len(prompt) < 90]
    return [one for one in short if one[1]], [one for one in short if not one[1]]


def _lines(name: str) -> list[str]:
    return (DATA / name).read_text("utf-8").splitlines()


def asides_of(prompt: str, want: str) -> Iterator[str]:
    """The parts that ask for nothing: they name nothing that can be asked for, and without them the rules read what
    is wanted."""
    from support.studio_plans import by_rules

    parts = _PARTS.split(prompt)
    for at, part in enumerate(parts if len(parts) > 1 and '"' not in prompt else ()):
        aside = part.strip(" ,.!?;")
        terms = read(aside)
        if not _TELLS.match(aside) or _WISHES.search(aside) or any(t.plays(*VERBS, *_ASKED_FOR) for t in terms):
            continue
        rest = " ".join((*parts[:at], *parts[at + 1 :])).rstrip(" ,;")
        if by_rules(aside) is None and by_rules(rest) == want:
            yield aside


_PARTS: Final = re.compile(r"(?<=[,.!?;])\s+")
_TELLS: Final = re.compile(r"(?:(?:i|we|he|she|it)(?:'[ms]|'re)?|im|they|its|this|that's|my|our|for)\b.* .", re.I)
_WISHES: Final = re.compile(
    r"\b(?:want|need|wish|should|must|please|let|can|could|would|not|\w+n't|never|nobody|nothing|like|as|if|mean|also"
    r"|too|so)\b",
    re.I,
)
_ASKED_FOR: Final = (
    "WEAR", "STYLE", "QUOTE", "ASPECT", "WEATHER", "VIGNETTE", "BORDER", "SKY", "LOOK", "ER", "SCENE", "SKYLOOK",
    "WHOLESKY", "DEGREES", "TIMES", "BG", "TINT", "PLAIN", "TONENOUN", "COMPLAINT", "STATE", "LESS", "MORE", "TOO",
    "DEGREE", "DULL", "NO", "EXCEPT", "ONLY", "KEEPONLY", "INSTEAD", "COLOURS", "HIGHLIGHTS", "SHADOWS", "NOISY",
    "BEHIND", "CROOKED", "MIRRORED", "WASHED", "EFFECT", "SAME", "HUE", "EVERYTHING",
)  # fmt: skip
_AFTER_CAPTIONS: Final = (", ", ". ", ", ", "; ", ": ", " - ", "... ", "! ", ", can you ", ". please ")
_AROUND: Final = (
    ("before", ""), ("lead", ""), ("", "tail"), ("", "after"), ("before", "after"), ("before", "tail"),
    ("lead", "after"), ("lead", "tail"),
)  # fmt: skip
_POINTS: Final = re.compile(r"\b(?:it|its|them|that|those|these|one|ones|there|he|she|his|her|him)\b", re.I)
_LEADS: Final = (", ", ". ", "; ", ": ", " - ", ", so ")
_TAILS: Final = (", ", ". ", "; ", " - ", " because ", ", ")
