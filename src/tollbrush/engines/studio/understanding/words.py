"""From a prompt to terms: the phrases of the lexicon it is made of, typing errors mended, and every other word kept as
unknown. No rule of the grammar takes an unknown word; only the second reading judges what may be passed over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tollbrush.engines.studio.understanding import slips
from tollbrush.engines.studio.understanding.dictionary import Value, dictionary, spellings, vocabulary
from tollbrush.engines.studio.understanding.unquoted import end


@dataclass(frozen=True)
class Term:
    """`text` as the user wrote it, with the articles and courtesies before it (`lead`); `key` as the lexicon spells
    it; `roles`: tag → value; `named`: an article stands before it, so it names a thing."""

    text: str
    key: str
    roles: Mapping[str, Value] = field(default_factory=dict)
    named: bool = False
    lead: str = ""

    def plays(self, *tags: str) -> bool:
        return any(tag in self.roles for tag in tags)

    @property
    def degree(self) -> float | None:
        """0.5 of `a bit`, and of `a bit more`."""
        head, _, last = self.key.rpartition(" ")
        roles = dictionary().get(head, {}) if last in ("more", "less") else self.roles
        return float(roles["DEGREE"]) if "DEGREE" in roles else None


UNKNOWN: Final = "UNKNOWN"
_LONGEST: Final = 6  # words in a phrase
_TOKEN: Final = re.compile(
    r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b|\d{1,2}\s?[:x]\s?\d{1,2}\b|[+-]?\d+(?:\.\d+)?\s?(?:%|percent\b|°|degrees?\b|deg\b)"
    r"|[+-]\d+(?:\.\d+)?\s?(?:ev|stops?)\b"
    r"|\bf\s?/\s?\d(?:\.\d)?\b|\b35\s?mm\b|\b\d0s\b|\d{1,2} by \d{1,2}\b|x\s?\d\b|w/o?\b|\d\s?(?:x|times)\b|b&w|b/w|->"
    r"|[^\W\d_]+(?:'[^\W\d_]+)?|-?\d+(?:\.\d+)?|\S"
)
# Courtesies with many forms.
_COURTESY: Final = re.compile(
    r"\b(?:(?:i|we|it|that)(?:'?d| would| should) be|i'm|i am) "
    r"(?:(?:most|so|very|really|ever so|much|super|quite|more than) )*"
    r"(?:grateful|glad|happy|thankful|delighted|obliged|pleased|great|nice|lovely|awesome|amazing|cool|perfect|wonderful"
    r"|kind)"
    r"(?: of you)?(?: (?:if (?:you|u) (?:could|would|can|might)|if|to have|to get|to see|of|for|to))?\b"
)
_HYPHEN: Final = re.compile(r"-(?!>)(?!(?<!\w-)\s?\d)")  # neither an arrow's nor a number's sign
_SMILES: Final = re.compile(
    "[\U0001f600-\U0001f64f\U0001f44b-\U0001f44f\U0001f90d-\U0001f91f\U0001f970\U0001f493-\U0001f49f\u2728\u2764\ufe0f]"
    r"|(?<!\w)[:;]-?[)(dp]+(?!\w)|\^\^|<3"
)
# Where a point of a list begins: its number or its bullet, and a new line.
_LISTED: Final = re.compile(r"(?:^|\s)(?:[1-9][.)]|[-*•])\s+(?=[a-z])|[\r\n]+")
QUOTATION: Final = re.compile(r"[\"“”][^\"“”]*[\"“”]")
"""In a prompt as it was typed."""
_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "—": ",", "…": "."})
_POINTED_AT: Final = (
    "PICTURE", "BG", "PERSON", "THING", "AREA", "EFFECT", "COLOURS", "SKY", "OLDSKY", "STATE",
    "NOISE", "HIGHLIGHTS", "SHADOWS",
)  # fmt: skip


def read(prompt: str, *, quotes: bool = True) -> list[Term]:
    """The prompt's terms in order; courtesies and articles are left out. What stands in quotes is one term, to be
    written as it is; with `quotes` False it is read like the rest."""
    text, quoted = _quoted(prompt, keep=quotes)
    terms: list[Term] = []
    passed: list[str] = []
    for term in _phrases([meant for word in _words(text) for meant in slips.mended(word)]):
        if term.plays("QUOTE"):
            words = quoted[_MARKS.index(term.key)]
            term = Term(f'"{words}"', term.key, {"QUOTE": words})
        if "FILLER" in term.roles and not (term.plays("PERSON") and passed and passed[-1] in _ARTICLES):
            passed.append(term.text)
            continue
        named = bool(passed) and passed[-1] in _ARTICLES
        terms.append(replace(term, text=" ".join([*passed, term.text]), named=named, lead=" ".join(passed)))
        passed = []
    # "this photo": the pronoun only points at the noun that follows.
    return [t for i, t in enumerate(terms) if not (t.key in _DEMONSTRATIVES and _points_at_noun(terms[i + 1 : i + 3]))]


_ARTICLES: Final = ("a", "an", "the", "my", "our", "your", "their", "some")
_DEMONSTRATIVES: Final = ("this", "that", "all", "these", "those")


def _points_at_noun(after: Sequence[Term]) -> bool:
    """`this photo`, but not the whole `this` of `make this white`."""
    ends = len(after) == 1 or (len(after) > 1 and after[1].plays("JOINT"))
    return bool(after) and after[0].plays(*_POINTED_AT) and not (ends and after[0].plays("HUE"))


_MARKS: Final = "".join(map(chr, range(0xE000, 0xE008)))  # each stands for one quotation
# Words to be written that bear no quotation marks: after a colon or `write`; else a handle or a run of capitals.
_ANNOUNCED: Final = re.compile(
    r"\b(?:[Tt]ext|[Cc]aption|[Tt]itle|[Ww]rite|[Ww]atermark):\s*(?=\S)"
    r"|\b[Ww]ater ?mark (?:it|this|that|them|(?:the|this|my|our) \w+) with\s(?=[A-Z0-9@©])"
    r"|\b[Ww]rite\s(?!(?:A|An|The|My|Me|It|I)\b)(?=[A-Z0-9])"
)
_UNQUOTED: Final = re.compile(
    r"(?<!\w)(@\w[\w.]*\w)"
    r"|\b((?:[A-Z]{2,} )*[A-Z]{3,}(?: [A-Z]{2,})*)(?<!ON IT)(?= (?:as (?:an? |the |my |our )?)?[Ww]ater ?mark)"
)
_QUOTED: Final = re.compile(r"\"([^\"]+)\"|(?<!\w)'((?:[^']|(?<=\w)'(?=\w))+)'(?!\w)")

_IN_CAPITALS: Final = re.compile(
    r"\b(?:(?:in|all|use|with) (?:all |block |big |large |white |black |bold )*"
    r"(?:caps|capitals|capital letters|upper ?case)|(?:all|block) (?:caps|capitals|letters))\b",
    re.IGNORECASE,
)


def _quoted(prompt: str, *, keep: bool) -> tuple[str, list[str]]:
    """The prompt with a mark for each quotation, and the quotations in the writer's own letters."""
    text = re.sub(f"[{_MARKS}]", "\N{REPLACEMENT CHARACTER}", unicodedata.normalize("NFKC", prompt))
    text = text.translate(_QUOTES).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text.count(text[0]) == 2:
        text = text[1:-1]
    quoted: list[str] = []
    capitals = bool(_IN_CAPITALS.search(_QUOTED.sub(" ", text)))

    def quote(said: str) -> str:
        words = " ".join(said.upper().split() if capitals else said.split())
        if not keep or not words or len(quoted) == len(_MARKS):
            return f" {words} "
        quoted.append(words)
        return f" {_MARKS[len(quoted) - 1]} "

    def mark(match: re.Match[str]) -> str:
        return quote(match[match.lastindex or 0])

    if _QUOTED.search(text):
        return _QUOTED.sub(mark, text), quoted
    if (found := _ANNOUNCED.search(text)) and (ends := end(text, found.end())):
        return text[: found.end()] + quote(text[found.end() : ends]) + text[ends:], quoted
    return _UNQUOTED.sub(mark, text), quoted


# As on a phone: "4 me", "2 my dog", "an ad", but "ad a hat".
_WHOM: Final = r"(?=(?:me|my|him|her|us|our|ur|your|u|you)\b)"
_ONES: Final = (
    "", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen",
)  # fmt: skip
_TENS: Final = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_DEGREES: Final = re.compile(
    rf"(?<!hundred )(?<!and )\b(?:({'|'.join(_TENS[2:])})(?:[ -]?({'|'.join(_ONES[1:10])}))?|({'|'.join(_ONES[1:])}))"
    r"(?=[ -]degrees?\b)"
)
_PHONE: Final = (
    (re.compile(rf"(?<!by )(?<!of )\b4 {_WHOM}"), "for "),
    (re.compile(rf"\b(closer|tighter|zoom in|zoom|hat|crown|glasses|halo) 2 {_WHOM}"), r"\1 to "),
    (re.compile(r"\bad(?= (?:a|an|the|some|more|my|sum)\b)"), "add"),
    (re.compile(r"\bblack ?/ ?white\b"), "b/w"),
    (re.compile(r"\b(trim|crop) the frame(?= (?:to|at|so|tight|closer)\b)"), r"\1 the picture"),
)
# What decorates a prompt's end.
_EMOJI: Final = re.compile(
    r"(?<!\band)(?<!\badd)(?<!\bwith)(?<!\bput)(?<!\bof)(?<!\ba)(?<!\ban)(?<!\bthe)(?<!\bto)(?<!\bsome)(?<=[\w!?.])"
    "\\s*[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f\u200d\\s]+$"
)


def _words(text: str) -> list[str]:
    text = _EMOJI.sub(" ", text)
    for pattern, meant in _PHONE:
        text = pattern.sub(meant, text.lower())
    text = _DEGREES.sub(_in_digits, text)
    text = _COURTESY.sub(" ", _SMILES.sub(" ", _LISTED.sub(" . ", text.lower()).replace("_", " ")))
    return [_without_possessive(word) for word in _TOKEN.findall(_HYPHEN.sub(" ", text))]


def _in_digits(found: re.Match[str]) -> str:
    """`forty-five` degrees."""
    tens, ones, alone = (word or "" for word in found.groups())
    return str(10 * _TENS.index(tens) + _ONES.index(ones or alone))


def _without_possessive(word: str) -> str:
    return word.removesuffix("'s") if word not in vocabulary() else word


def _phrases(words: list[str]) -> Iterator[Term]:
    """Longest known phrase first."""
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST, len(words) - at), 0, -1):
            key = " ".join(words[at : at + length])
            if (roles := dictionary().get(key) or _literal(key)) is not None:
                yield Term(key, spellings().get(key, key), roles)
                break
        else:
            length = 1
            base = words[at].removesuffix("'s")  # my mother's album, where a mother's day is known
            yield Term(words[at], base, dictionary().get(base) or {UNKNOWN: words[at]})
        at += length


def _literal(key: str) -> dict[str, Value] | None:
    """`#f80`, `20 %`, `16:9`, `90°`, `2x` and what stands in quotes mean themselves."""
    if len(key) == 1 and key in _MARKS:
        return {"QUOTE": key}
    if key[0] == "#" and len(key) in (4, 7):
        digits = key[1:] if len(key) == 7 else "".join(2 * digit for digit in key[1:])
        return {"HUE": digits}
    if aspect := re.fullmatch(r"(\d+)\s?(?:[:x]|by)\s?(\d+)", key):
        return {"ASPECT": f"{aspect[1]}:{aspect[2]}"}
    if times := re.fullmatch(r"x\s?(\d)", key):
        return {"TIMES": float(times[1])}
    if re.fullmatch(r"f\s?/\s?\d(?:\.\d)?", key):
        return {"PORTRAITMODE": ""}
    if stops := re.fullmatch(r"([+-]\d+(?:\.\d+)?)\s?(?:ev|stops?)", key):
        return {"STOPS": float(stops[1])}
    if step := re.fullmatch(r"([+-]\d+(?:\.\d+)?)\s?(?:%|percent)", key):
        return {"STEP": float(step[1])}
    if number := re.fullmatch(r"(-?\d+(?:\.\d+)?)\s?(\S*)", key):
        return {_UNITS[number[2]]: float(number[1])} if number[2] in _UNITS else None
    return None


_UNITS: Final = {
    "": "NUMBER", "%": "PERCENT", "percent": "PERCENT", "°": "DEGREES", "deg": "DEGREES", "degree": "DEGREES",
    "degrees": "DEGREES", "x": "TIMES", "times": "TIMES",
}  # fmt: skip
