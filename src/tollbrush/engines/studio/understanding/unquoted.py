"""Words to be written that nobody put in quotes: where they begin, and where they end, which is told by what follows:
a place, a colour, a size, another wish or the prompt's end. `write In loving memory at the bottom` is all three words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from tollbrush.engines.studio.understanding.dictionary import dictionary

Span = tuple[int, int]  # the first letter, and one past the last one


def whole(prompt: str, first: int, last: int) -> Span | None:
    """The text that holds the letters from first to last; None where its ends are doubtful."""
    around = [span for span in spans(prompt) if span[0] <= first and last <= span[1]]
    if not around and prompt[first:last].isupper() and end(prompt, first) == last:
        return first, last  # big red SALE in the middle
    return min(around, key=lambda span: span[1] - span[0], default=None)


def with_quotes(prompt: str) -> str | None:
    """The prompt with quotation marks around the first text that is plainly announced."""
    for opener in _PLAIN_OPENER.finditer(prompt):
        first = opener.end()
        while more := _LEADS_ON.match(prompt, first):
            first = more.end()
        if (last := end(prompt, first)) is not None:
            return f'{prompt[:first]}"{prompt[first:last]}"{prompt[last:]}'
    return None


def spans(prompt: str) -> Iterator[Span]:
    """All that could be a text: from each word that can announce one to the earliest words that can close it."""
    begun: set[int] = set()
    for opener in _OPENER.finditer(prompt):
        first = opener.end()
        while first < len(prompt) and first not in begun:
            begun.add(first)
            if (last := end(prompt, first)) is not None:
                yield first, last
            if not (more := _ANNOUNCES_STILL.match(prompt, first)):
                break
            first = more.end()


def end(prompt: str, first: int) -> int | None:
    """Of the text that begins at first: before the earliest words that can close it; None where it is doubtful."""
    for gap in islice(_GAP.finditer(prompt, first), _LONGEST_TEXT):
        text, rest = prompt[first : gap.start()], prompt[gap.end() :]
        if '"' in text or _DOUBTFUL.search(f"{text} "):
            return None
        if _STANDS_FOR.fullmatch(text):
            continue
        if not text or (gap[0][:1] == "." and rest and _ABBREVIATED.search(text)) or _LEAVES_OPEN.search(text):
            continue
        closes = _closes(gap[0], rest, text)
        unclosed = text.count("(") > text.count(")") + (gap[0][:1] == ")")
        if closes is None or (closes and (unclosed or _ENDS_LOOSELY.search(f"{text} " if rest else text))):
            return None
        if closes:
            own = _ITS_OWN.match(gap[0]) if "(" not in text or ")" in text else re.match(r"\)", gap[0])
            return gap.start() + (own.end() if own else 0)
    return None


def _closes(gap: str, rest: str, text: str) -> bool | None:
    """None where it is doubtful: `LOL at the top and OMG …`."""
    if not rest:
        return True
    rest, also = (rest[found.end() :], True) if (found := re.match(r"(?:and|&)\s+", rest)) else (rest, False)
    after = _after_tail(rest, bare="," in gap or text.isupper())
    if after is None and text.isupper() and _ON_SOMETHING.match(rest):
        return True
    if after is not None:
        if not after.strip(" .!?,;)") or after[0] in ".;!?(" or _GOES_ON.match(after) or _GIVES_A_REASON.match(after):
            return True
        if also or re.match(r"\s*(?:[,:&]|(?:and|in|with)\b)", after):
            return None
    on = f"{' and ' if also else gap}{rest}"
    if _GIVES_A_REASON.match(on):
        return True if text.isupper() else None
    return bool(_GOES_ON.match(on))


def _after_tail(rest: str, *, bare: bool) -> str | None:
    """What follows the places, colours and sizes that it begins with, if it does; only `bare`, colours and sizes stand
    without a preposition."""
    told = [*_told(rest)]
    found = _TAIL[bare].match("".join(kind for kind, _ in told))
    return rest[told[found.end() - 1][1] :] if found else None


def _told(rest: str) -> Iterator[tuple[str, int]]:
    """The kind of each phrase, a letter, and where it ends: P place, I picture, L looks, as in `_TAIL`."""
    words = [*re.finditer(r"[\w#'-]+|\S", rest)][:_MOST_WORDS]
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST, len(words) - at), 0, -1):
            last = words[at + length - 1].end()
            phrase = " ".join(rest[words[at].start() : last].split())
            kind = "-" if phrase[0].isupper() and not phrase.isupper() else _kind(phrase.lower())  # Top Right Hotel
            if kind != "-" or length == 1:
                yield kind, last
                at += length
                break


def _kind(phrase: str) -> str:
    if phrase in _KINDS:
        return _KINDS[phrase]
    roles = dictionary().get(phrase, {}).keys()
    return next((kind for kind, played in _BY_ROLE.items() if played & roles), "-")


_LONGEST_TEXT: Final = 24  # words
_LONGEST: Final = 4  # words of a phrase
_MOST_WORDS: Final = 12  # of what follows
_BY_ROLE: Final = {"P": {"PLACE", "SIDE"}, "I": {"PICTURE"}, "L": {"HUE", "SIZE"}}
_KINDS: Final = {
    word: kind
    for kind, words in {
        "a": "at in on onto to into over along near", "B": "across under underneath below above",
        "w": "with using as",
        "t": "the a an my its this that very far some nice bold really plain simple thin fancy elegant light "
        "dark bright pale deep all",
        "-": "up down",  # Slow down
        "o": "of", "&": "and", ",": ",", "W": "watermark",
        "I": "it card poster flyer frame page shot", "O": "corner middle edge space sky",
        "S": "small large tiny huge",
        "L": "letters lettering font text caps capital capitals block writing type script outline",
    }.items()
    for word in words.split()
} | {"all over": "P"}  # fmt: skip
_MARK: Final = "wt*W(?:[aB](?:I|t+.))?"
_LED: Final = rf"(?:[aB]t*[PIO](?:ot+I)?|[PB](?:ot+I)?|[aw]t*[LS][LSt]*|{_MARK}"
_TAIL: Final = {
    bare: re.compile(rf"{_LED}{more})(?:[,&]*(?:{_LED}|[LS])))*") for bare, more in ((False, ""), (True, "|[LS]"))
}

_OPENER: Final = re.compile(
    r"\b(?:write|writing|stamp|slap|type|print|spell|says?|saying|reads|reading|words?|text|caption|title|slogan|headline|"
    r"message|watermark|put|add|name|date|year|number|need|want)\b(?::\s*|\s+)|(?<=\S):\s+",
    re.IGNORECASE,
)
_PLAIN_OPENER: Final = re.compile(
    r"\b(?:write|stamp|slap|print|saying|(?<=that )says|(?<=should )(?:say|read)|reading|"
    r"(?:the|with|add) (?:words?|text|caption|title)|(?:my|our|the) name|watermark(?=:| [^a-z]| (?:it )?with [^a-z])|"
    r"(?:text|caption|title|words)(?: (?:on|at|in) (?:the )?\w+)?(?=:))\b(?::\s*|\s+)",
    re.IGNORECASE,
)
_LEADS_ON: Final = re.compile(
    r"(?:(?:it|this|that|the (?:photo|picture|image)|on it|with|as|of|is|here|saying|says|reading|"
    r"(?:(?:at|in|on) )?(?:the )?(?:top|bottom|centre|center|middle|left|right)"
    r"(?: left| right| corner| centre| center)*(?= \w+:|:| [A-Z0-9@©#])|"
    r"(?:in )?(?:(?:large|big|huge|small|tiny|bold|white|black|red|gold|yellow|blue|green|pink) )*"
    r"(?:large|big|huge|small|tiny|white|black|red|gold|yellow|blue|green|pink)(?: letters| text)?(?= [A-Z0-9@©])|"
    r"(?:the |a |my |our )?(?:words?|text|name|date|caption|title|watermark))(?::\s*|\s+)|:\s*)"
)
_ANNOUNCES_STILL: Final = re.compile(
    r"(?:it|this|that|the|a|an|my|our|is|on|with|as|of|at|in|photo|picture|image|words?|text|name|date|caption|title|"
    r"saying|says|watermark|top|bottom|left|right|centre|corner|large|small|big|huge|red|white|black|grey|gold|letters)\b:?\s+"
)
_GAP: Final = re.compile(r"(?:[,;.!?)]+(?=\s|$)|\s|[–—-](?=\s))+|$")
# VENDU on the sign in the garden; Mom. Blur …; Mom, brighter; Mom and sharpen; Mom + a hat; Mom :)
_DOUBTFUL: Final = re.compile(
    r"[A-Z]\w*[!?.]* (?:on|in|onto|across|over|under|next|near|above|beside|behind|without|instead|using|like|where|"
    r"which|only|twice|size|font|but|not|no|as|with|or|slightly|halfway|diagonally|vertically|"
    r"sideways|upside|underlined|bold|italics?|cursive|centred|centered|curved|backwards) |"
    r"(?<!\b\w)(?<!\b(?:[DMS][rst]|No))[.!?;]+ (?=\S)|, (?=[a-z])| (?:and|then|also|plus|with|or|but|not|no) (?=[a-z])|"
    r"[+/>|] (?=[a-z])| [:;=]-? ?$|\n|\((?!c\))(?=[a-z])"
)
# write Today's date; His name; Something funny; at the top
_STANDS_FOR: Final = re.compile(
    r"(?:(?:today'?s|tomorrow'?s|his|her|their|our|your|my|its|the|current|a|some)(?: \w+)? (?:date|names?|year|time|"
    r"initials|age|title|quote|birthday|number|address|website|handle|logo|location|city|place|words?|text|caption|message|slogan|"
    r"pun|joke)|(?:at|in|on) the (?:top|bottom|centre|center|middle)(?: left| right| corner)*"
    r"(?: in \w+)?|(?:something|anything|whatever)\b.*)[.!?]*",
    re.IGNORECASE,
)
_ENDS_LOOSELY: Final = re.compile(r"\s(?:small|large|tiny|huge|big) ?$|\s(?:up|down) $")  # or `Think big`, `Slow down`
_ITS_OWN: Final = re.compile(r"[!?]+|\.{3}|…")  # of the text
_ON_SOMETHING: Final = re.compile(r"(?:on|over|across|onto)(?:\s+(?:the|my|this|that|all)(?:\s+[a-z]+){1,3})?$")
_ABBREVIATED: Final = re.compile(r"(?:^|[\s.])(?:\w|mr|mrs|ms|dr|st|no|vs)$", re.IGNORECASE)
_LEAVES_OPEN: Final = re.compile(r"(?:^|\s)(?:the|a|an|of|and|&|at|in|on|to|for|my|our|with)$")
_GOES_ON: Final = re.compile(
    r"[\s,.!]+(?:[Pp]ls|[Pp]lz|[Pp]lease|[Tt]hanks|[Tt]hx|[Tt]hank you)\W*$|"
    r"(?:\s*[,;.–—-]\s*(?:(?:and|then|and then)\s+)?|\s+(?:and|then|and then)\s+)(?:also\s+)?(?:"
    r"(?:[Mm]ake|[Aa]dd|[Rr]emove|[Bb]lur|[Ss]harpen|[Cc]rop|[Rr]otate|[Tt]urn|[Cc]hange|put|[Ww]rite|keep|give|[Ff]lip|"
    r"[Mm]irror|[Bb]righten|[Dd]arken|[Ee]xtend|[Ee]nlarge|resize|swap|convert|cut|[Ss]traighten)"
    r"\s+(?:it|the|a|an|this|that|my|everything|all|to|in|on|closer|too|\d)|it goes|it's for|that's)\b"
)
_GIVES_A_REASON: Final = re.compile(r"\s+(?:so|because|cause|for)\b")
