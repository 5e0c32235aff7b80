"""Wishes and the words that play a part in them, put as the rules take them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Final

from tollbrush.engines.studio.understanding.clauses import clauses
from tollbrush.engines.studio.understanding.second_reading.network import Read
from tollbrush.engines.studio.understanding.second_reading.sentences import FRAMED, PLAIN, PLAIN_OF_ONE_COLOUR
from tollbrush.engines.studio.understanding.second_reading.tokens import QUOTED, Token
from tollbrush.engines.studio.understanding.words import Term, read


def restated(prompt: str, tokens: Sequence[Token], told: Read) -> str | None:
    """None where a wish lacks what it needs, or there are two of it."""
    try:
        return _restated(prompt, tokens, told)
    except _TwiceError:
        return None


class _TwiceError(Exception):
    """Two colours, sizes or places where there can be one."""


def _restated(prompt: str, tokens: Sequence[Token], told: Read) -> str | None:
    terms = read(prompt)
    if any(term.plays("STOPS", "STEP", "PERCENT") for term in terms):
        return None  # what it says of an amount must not be lost
    if (
        _leaves_a_colour(tokens, told)
        or (_is_negated(terms) and not told.wishes & {"write", "watermark"})
        or _spares_the_background(terms)
    ):
        return None
    sentences = [_sentence(wish, prompt, tokens, terms, told) for wish in sorted(told.wishes)]
    if any(sentence is None for sentence in sentences):
        return None
    graded = len(told.wishes) == 1 and any(wish.split(" ")[0] in _GRADED for wish in told.wishes)
    return " and ".join(map(str, sentences)) + (_degree(terms) if graded else "")


def _sentence(wish: str, prompt: str, tokens: Sequence[Token], terms: Sequence[Term], told: Read) -> str | None:
    if wish in PLAIN:
        return PLAIN[wish]
    if wish in FRAMED:
        value = _only(_values(terms, FRAMED[wish].role))
        return None if value is None else FRAMED[wish].sentence.format(value)
    if wish in _FROM_TERMS:
        return _FROM_TERMS[wish](terms)
    kind = wish.split(" ", maxsplit=1)[0]
    if kind in ("write", "watermark"):
        return _written(kind, prompt, tokens, terms, told)
    colours = _colours(tokens, told.parts)
    if kind == "wear" and sum(one.startswith("wear") for one in told.wishes) > 1:
        colours = {"wear": _worn_colours(wish, tokens, told)}
    if kind == "border":
        return f"add a {_width(terms)} {_only(colours.get('border', [])) or 'white'} border"
    if kind in ("recolour", "swap"):
        return _two_colours(kind, colours)
    one = _only(colours.get(kind, []) or [term.text for term in terms if term.text[0] == "#"])
    if one is None and (colours.get(kind) or wish in ("background plain", "keepcolour")):
        return None
    return " ".join(PLAIN_OF_ONE_COLOUR[wish].format(one or "").split())


def _two_colours(kind: str, colours: Mapping[str, Sequence[str]]) -> str | None:
    if kind == "swap":
        two = colours.get("swap", [])
        return f"swap {two[0]} and {two[1]}" if len(two) == 2 else None
    old, new = _only(colours.get("from", [])), _only(colours.get("into", []))
    return f"change the {old} to {new}" if old and new else None


def _written(kind: str, prompt: str, tokens: Sequence[Token], terms: Sequence[Term], told: Read) -> str | None:
    text = _text(prompt, tokens, terms, told.parts)
    if text is None or {"write", "watermark"} <= told.wishes:
        return None
    if kind == "watermark":
        return f'add the watermark "{text}"'
    colours, size = _colours(tokens, told.parts).get("write", []), _only(_values(terms, "SIZE"))
    colour = _only(colours)
    if colours and not colour:
        return None
    return f'write "{text}"{_place(terms)}{f" in {colour}" if colour else ""}{_SIZES.get(size or "", "")}'


def _text(prompt: str, tokens: Sequence[Token], terms: Sequence[Term], played: Sequence[str]) -> str | None:
    """Quoted, or else in the writer's own letters."""
    quoted = [str(term.roles["QUOTE"]) for term in terms if term.plays("QUOTE")]
    if quoted:
        return None if '"' in quoted[0] else _only(quoted)
    runs = [run for _, run in _runs(tokens, played, "text")]
    if len(runs) != 1:
        return None
    words = r"\W*?".join(map(re.escape, runs[0]))
    found = list(re.finditer(rf"{_BEGINS}(?i:{words})[!?.]*{_ENDS}", prompt))
    if len(found) != 1 or '"' in found[0][0] or _goes_on_in_capitals(prompt, found[0]):
        return None
    return found[0][0].strip().rstrip(".")


def _goes_on_in_capitals(prompt: str, found: re.Match[str]) -> bool:
    """`NOT` of `big white NOT TODAY`."""
    before, after = prompt[: found.start()].split()[-1:], prompt[found.end() :].split()[:1]
    beside = any(len(word) > 1 and word.isupper() for word in (*before, *after))
    return beside and found[0].isupper() and not prompt.isupper()


def _leaves_a_colour(tokens: Sequence[Token], told: Read) -> bool:
    """`a purple sunset`: the colour of what has none to choose."""
    takes = {wish.split(" ")[0] for wish in told.wishes - {*PLAIN}}
    takes |= {"from", "into"} if "recolour" in takes else set()
    if "background" in told.parts and "background" not in takes:
        return True
    return any(
        "HUE" in token.roles and part not in takes and not {*token.roles} & _WISHED and {*after.roles} & _WISHED
        for token, part, after in zip(tokens, told.parts, tokens[1:], strict=False)
    )


def _is_negated(terms: Sequence[Term]) -> bool:
    """In every clause, so that what is not wished cannot be told from what is; or by one of nothing else: `… not!`."""
    told = [[term.key for term in clause.terms] for clause in clauses(terms)]
    return all(any(map(_NEGATION.search, keys)) for keys in told) or ["not"] in told or ["never"] in told


def _spares_the_background(terms: Sequence[Term]) -> bool:
    """`remove everything except the background`."""
    return any(one.plays("EXCEPT") and other.plays("BG") for one, other in pairwise(terms))


def _colours(tokens: Sequence[Token], played: Sequence[str]) -> dict[str, list[str]]:
    """By the part they play, each once."""
    found: dict[str, list[str]] = {}
    for part in set(played) - {"", "text"}:
        found[part] = list(dict.fromkeys(" ".join(run) for _, run in _runs(tokens, played, part)))
    return found


def _worn_colours(wish: str, tokens: Sequence[Token], told: Read) -> list[str]:
    """Of several things worn each colour is of the nearest; of two as near, of the one that it stands before."""
    worn = [(at, one) for at, token in enumerate(tokens) for one in told.wishes if _role_of(one) in token.roles]
    if {one for _, one in worn} != {one for one in told.wishes if one.startswith("wear")}:
        raise _TwiceError
    found = []
    for first, run in _runs(tokens, told.parts, "wear"):
        nearest = min(worn, key=lambda place: (abs(place[0] - first), place[0] < first))
        if nearest[1] == wish:
            found.append(" ".join(run))
    return found


def _role_of(wish: str) -> str:
    return f"WEAR={wish.removeprefix('wear ')}"


def _runs(tokens: Sequence[Token], played: Sequence[str], part: str) -> Iterator[tuple[int, list[str]]]:
    """Words side by side that play the part, and where; of a colour with the shade before it."""
    at = 0
    for one, run in groupby(zip(tokens, played, strict=True), key=lambda pair: pair[1]):
        words = [token.word for token, _ in run]
        if one == part and words != [QUOTED]:
            shade = tokens[at - 1] if at and part != "text" else None
            yield at, [shade.word, *words] if shade and {"LIGHTEN", "DEEPEN"} & {*shade.roles} else words
        at += len(words)


def _values(terms: Sequence[Term], *roles: str) -> list[str]:
    return [f"{term.roles[role]}" for term in terms for role in roles if role in term.roles]


def _only(values: Sequence[str]) -> str | None:
    """None of none. Raises _TwiceError of several."""
    if len(set(values)) > 1:
        raise _TwiceError
    return values[0] if values else None


def _place(terms: Sequence[Term]) -> str:
    """`at the top left`; nothing where none is told."""
    told = {word for value in _values(terms, "PLACE", "SIDE") for word in value.split()}
    words = [word for word in ("top", "bottom", "centre", "left", "right") if word in told]
    return f" at the {' '.join(words)}" if words else ""


def _sides(terms: Sequence[Term]) -> str | None:
    told = {word for value in _values(terms, "SIDE") for word in value.split()}
    words = [_WAYS[side] for side in ("left", "right", "top", "bottom") if side in told]
    return f"extend it {' and '.join(words)}" if words else None


def _turn(terms: Sequence[Term]) -> str | None:
    degrees, clock = _only(_values(terms, "DEGREES")), _only(_values(terms, "CLOCK"))
    if degrees is None or any(term.key in ("minus", "negative", "other", "opposite") for term in terms):
        return None
    left = clock == "-1.0" or degrees.startswith("-")
    return f"rotate it by {degrees.lstrip('-')} degrees{' counterclockwise' if left else ''}"


def _times(terms: Sequence[Term]) -> str | None:
    words = [_NUMBERS[term.key] for term in terms if term.key in _NUMBERS]
    times = _only(_values(terms, "TIMES", "NUMBER") or words)
    return None if times is None else f"enlarge it {times} times"


def _width(terms: Sequence[Term]) -> str:
    share = _only(_values(terms, "WIDTH"))
    return {None: "", "0.02": "thin"}.get(share, "wide")


def _degree(terms: Sequence[Term]) -> str:
    degree = _only(_values(terms, "DEGREE"))
    return "" if degree is None else " a little" if float(degree) < 1 else " a lot"


_NUMBERS: Final = {"two": "2", "three": "3", "four": "4"}
_FROM_TERMS: Final = {"extend sides": _sides, "rotate N": _turn, "enlarge": _times}
_WAYS: Final = {"left": "to the left", "right": "to the right", "top": "upwards", "bottom": "downwards"}
# What is written must be all of it: not `Tom` of `Tom's`, nor `5` of `9-5`.
_BEGINS: Final = r"(?<![^\s:(])"
_ENDS: Final = r"(?=\s*$|[,;:)]|\s+[^\W\d]|\s*[,;)])"
_WISHED: Final = {"SCENE", "SKYLOOK", "WEAR", "STYLE", "WEATHER"}
_NEGATION: Final = re.compile(r"\b(?:not|never|cannot|(?:do|ca|wo|did|is|does|was|should|would|could)nt)\b|n't$")
_GRADED: Final = ("tone", "blur", "sharpen", "denoise", "vignette", "weather")
_SIZES: Final = {"1.8": ", large", "0.6": ", small"}
