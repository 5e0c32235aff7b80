"""What people wrote, as the network learns it: tokens, wishes, and the part that each word plays in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tollbrush.engines.studio.understanding.second_reading.sentences import FRAMED, PLAIN, PLAIN_OF_ONE_COLOUR
from tollbrush.engines.studio.understanding.second_reading.tokens import QUOTED, Token, tokens

DATA: Final = Path(__file__).parent.parent / "data"
LISTS: Final = DATA / "prompts"
EXAMS: Final = DATA / "exams"
OWN: Final = "the tests' own"
WISHES: Final = sorted(
    {
        *PLAIN,
        *PLAIN_OF_ONE_COLOUR,
        *FRAMED,
        "enlarge",
        "extend sides",
        "rotate N",
        "border",
        "recolour",
        "swap",
        "write",
        "watermark",
    }
)
PARTS: Final = ("", "background", "wear", "border", "write", "from", "into", "swap", "keepcolour", "text")

Prompts = Mapping[str, tuple[str, ...]]
"""Prompt → the plans in short that are right; none for what must be refused."""


@dataclass(frozen=True)
class Example:
    """`wishes`: none if it must be refused; `parts`: by token, places in PARTS; -1 where nobody can tell."""

    tokens: Sequence[Token]
    wishes: frozenset[str]
    parts: Sequence[int]


def authors() -> dict[str, Prompts]:
    """All lists: the tests' own are one."""
    return {OWN: _of_tests(), **written_for_it()}


def written_for_it() -> dict[str, Prompts]:
    """By author."""
    return {path.stem: _list(path) for path in sorted(LISTS.glob("*.json"))}


def exams() -> dict[str, Prompts]:
    """Of lists that nothing is ever learnt from, what no list that is learnt from holds too (`make it brighter` is
    everybody's): what a stranger's prompt may expect."""
    taught = {_bare(prompt) for prompts in authors().values() for prompt in prompts}
    whole = {path.stem: _list(path) for path in sorted(EXAMS.glob("*.json"))}
    return {name: {p: w for p, w in prompts.items() if _bare(p) not in taught} for name, prompts in whole.items()}


def _bare(prompt: str) -> str:
    return prompt.lower().strip(" .!?")


def _list(path: Path) -> Prompts:
    cases = json.loads(path.read_text("utf-8"))
    return {case["prompt"]: tuple(map(_spelt, case["want"])) for case in cases}


def _spelt(want: str) -> str:
    """As the tests tell a plan."""
    edits = [" ".join(_SPELT.get(word, word) for word in edit.split(" ")) if edit[:3] in ("ext", "ton") else edit
             for edit in want.split("; ")]  # fmt: skip
    return "; ".join(edits)


_SPELT: Final = {"up": "top", "down": "bottom", "less_yellow": "more_blue", "less_blue": "more_yellow"}


def examples(prompts: Prompts) -> list[Example]:
    """Without those that wish for what has no plain words."""
    found = [example(prompt, wants[0] if wants else "") for prompt, wants in prompts.items()]
    return [one for one in found if one is not None]


def example(prompt: str, want: str) -> Example | None:
    edits = want.split("; ") if want else []
    wishes = frozenset(map(wish_of, edits))
    seen = tokens(prompt)
    if not seen or not wishes <= set(WISHES):
        return None
    parts = [0] * len(seen)
    found = [_mark(parts, seen, edit) for edit in edits]
    return Example(seen, wishes, parts if all(found) else [part or -1 for part in parts])


def wish_of(edit: str) -> str:
    """`background navy blue` → `background plain`."""
    words = edit.split()
    if edit in PLAIN:
        return edit
    match words:
        case ["background", *_, ("gradient" | "studio") as kind]:
            return f"background {kind}"
        case ["background", *_]:
            return "background plain"
        case ["wear", worn, *_]:
            return f"wear {worn}"
        case ["crop", _]:
            return "crop ratio"
        case ["rotate", _]:
            return "rotate N"
        case ["extend", *_]:
            return "extend ratio" if ":" in edit else "extend sides"
        case ["tone", "less_yellow"]:
            return "tone more_blue"
        case ["border" | "recolour" | "swap" | "keepcolour" | "write" | "watermark" | "enlarge", *_]:
            return words[0]
    return edit


def _mark(parts: list[int], seen: Sequence[Token], edit: str) -> bool:
    """Whether all words that play a part in it could be found."""
    kind, *rest = edit.split()
    match kind:
        case "background" if wish_of(edit) not in PLAIN:
            return _mark_words(parts, seen, [word for word in rest if word not in ("gradient", "studio")], kind)
        case "wear":
            return _mark_words(parts, seen, rest[1:], kind)
        case "border":
            colour = [word for word in rest if word not in ("thin", "wide")]
            return _mark_words(parts, seen, colour, kind) or colour == ["white"]
        case "keepcolour":
            return _mark_words(parts, seen, rest, kind)
        case "recolour" | "swap" if len(rest) == 2:
            names = ("from", "into") if kind == "recolour" else ("swap", "swap")
            marked = [_mark_words(parts, seen, [word], name) for word, name in zip(rest, names, strict=True)]
            return all(marked)
        case "recolour" | "swap":
            return False
        case "write" | "watermark":
            return _mark_written(parts, seen, edit)
    return True


def _mark_written(parts: list[int], seen: Sequence[Token], edit: str) -> bool:
    text, _, after = edit.partition('"')[2].partition('"')
    told = ("top", "bottom", "centre", "left", "right", "large", "small")
    coloured = _mark_words(parts, seen, [word for word in after.split() if word not in told], "write")
    if any(token.word == QUOTED for token in seen):
        return coloured
    return _mark_words(parts, seen, [token.word for token in tokens(text)], "text") and coloured


def _mark_words(parts: list[int], seen: Sequence[Token], words: Sequence[str], part: str) -> bool:
    """Wherever they stand side by side; whether they do."""
    found = not words
    for at in range(len(seen) - len(words) + 1) if words else ():
        if all(_alike(seen[at + i].word, word) for i, word in enumerate(words)):
            parts[at : at + len(words)] = [PARTS.index(part)] * len(words)
            found = True
    return found


def _alike(word: str, named: str) -> bool:
    """`golden` for gold, `reds` for red, `gray` for grey."""
    word = word.replace("gray", "grey")
    return word == named or (len(named) > 2 and word.startswith(named) and len(word) - len(named) < 4)


def joined(prompts: Prompts, number: int, chance: Random) -> list[Example]:
    """Two at once: what may be done with what may be done, and what may not be done spoils both."""
    doable = [(prompt, wants[0]) for prompt, wants in prompts.items() if wants and len(prompt) < 90]
    others = [prompt for prompt, wants in prompts.items() if not wants and 5 < len(prompt) < 90]
    made = []
    for at in range(number):
        first, want = chance.choice(doable)
        second, other = (chance.choice(others), "") if at % 3 == 0 else chance.choice(doable)
        both = f"{want}; {other}" if other else ""
        if at % 2:
            first, second = second, first
        if wish_of(want) != wish_of(other) or not other:
            made.append(example(first.rstrip(".!? ") + chance.choice(_JOINTS) + second, both))
    return [one for one in made if one is not None]


def intruded(prompts: Prompts, number: int, chance: Random) -> list[Example]:
    """A thing from elsewhere before what is wished for may not be passed over: `a castle sunset`."""
    doable = [prompt for prompt, wants in prompts.items() if wants]
    made = [_with_intruder(tokens(chance.choice(doable)), chance) for _ in range(number)]
    return [one for one in made if one is not None]


def _with_intruder(seen: list[Token], chance: Random) -> Example | None:
    places = [at for at, token in enumerate(seen) if at and {*token.roles} & {*_WISHED} and not token.word[0].isdigit()]
    if not places:
        return None
    at = chance.choice(places)
    (stranger,) = tokens(chance.choice(_THINGS))
    return Example([*seen[:at], stranger, *seen[at:]], frozenset(), [0] * (len(seen) + 1))


_WISHED: Final = ("SCENE", "SKYLOOK", "WEAR", "STYLE", "WEATHER", "GRADIENT", "BORDER", "VIGNETTE")
_THINGS: Final = (
    "dragon", "elephant", "volcano", "guitar", "robot", "paris", "tokyo", "castle", "tractor", "sword", "burning",
    "broken", "pizza", "forest", "mickey", "wooden", "diamond", "pirate", "viking", "zebra", "banana",
    "marble", "plastic", "steel", "ninja", "unicorn", "alien", "jungle", "desert", "venetian", "martian", "samurai",
    "floating", "flying", "melting", "exploding", "ancient", "futuristic", "anime", "bamboo", "football", "lego",
)  # fmt: skip
_JOINTS: Final = (" and ", ", ", ", and ", ". ", " then ", " plus ", " & ", "; ", ". Also ", ", then ", " and also ")


def _of_tests() -> Prompts:
    from support import studio_blind, studio_evaluation, studio_prompts
    from support.studio_neighbours import NEIGHBOURS
    from support.studio_voices_a import LIST_A1, LIST_A2
    from support.studio_voices_b import LIST_B1, LIST_B2
    from support.studio_voices_c import LIST_C1, LIST_C2
    from support.studio_voices_d import LIST_D
    from support.studio_voices_e import LIST_E
    from support.studio_voices_f import LIST_F

    found: dict[str, tuple[str, ...]] = dict.fromkeys(
        (*studio_prompts.IMPOSSIBLE, *studio_prompts.FRESH_IMPOSSIBLE, *NEIGHBOURS), ()
    )
    listed: tuple[Mapping[str, str | tuple[str, ...] | None], ...] = (
        studio_blind.BLIND, studio_blind.AGAIN, studio_blind.LATEST, studio_evaluation.WHOLE, studio_prompts.DOABLE,
        studio_prompts.FRESH, LIST_A1, LIST_A2, LIST_B1, LIST_B2, LIST_C1, LIST_C2, LIST_D, LIST_E, LIST_F,
    )  # fmt: skip
    for prompts in listed:
        found |= {p: (want,) if isinstance(want, str) else tuple(want or ()) for p, want in prompts.items()}
    return found
