"""A refusal in words: what could not be honoured, the nearest that can be done, and where all of it is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, get_args

from tollbrush.engines.studio.plans.abilities import Operation, RemoveMasked
from tollbrush.engines.studio.plans.performed import is_performed
from tollbrush.engines.studio.understanding.grammar import readings, with_mask
from tollbrush.engines.studio.understanding.reading import TooMuchError
from tollbrush.engines.studio.understanding.repertoire import Offer
from tollbrush.engines.studio.understanding.topics import KINDS, Kind, about
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term
from tollbrush.errors import CannotHonour


class NotHonouredError(Exception):
    """What is wrong with `asked`, before the user is told what works. `kind`: of what all there is should be told;
    `final`: it was understood, but in two ways or as a contradiction: only a reading that is certain helps."""

    def __init__(
        self, message: str, asked: str, advice: str = "", kind: Kind | None = None, *, final: bool = False
    ) -> None:
        super().__init__(message)
        self.message, self.asked, self.advice, self.kind, self.final = message, asked, advice, kind, final

    def told(self, prompt: str, offers: tuple[Offer, ...]) -> CannotHonour:
        """As the user hears it, in the letters of the prompt."""
        near = self.advice or _several(self.kind, offers) or _SUMMARY
        return CannotHonour(_as_typed(self.message, prompt), path="prompt", advice=f"{near} {_EVERY}")


def _as_typed(message: str, prompt: str) -> str:
    def typed(quoted: re.Match[str]) -> str:
        found = re.search(re.escape(quoted[1]), prompt, re.IGNORECASE)
        return f'"{found[0]}"' if found else quoted[0]

    return re.sub(r'"([^"]+)"', typed, message)


def not_understood(clause: Sequence[Term], excess: TooMuchError | None, *, masked: bool) -> NotHonouredError:
    text = _spoken(clause)
    if not masked and (wanted := with_mask(clause)) is not None:
        what, where = ("remove", "go") if wanted == RemoveMasked() else ("change", "change")
        advice = f"Send a mask, white over what should {where}."
        return NotHonouredError(f'The studio cannot find what to {what} in "{text}" by itself.', text, advice)
    strangers = excess.words if excess else _strangers(clause)
    words = list(dict.fromkeys(_bare(term, clause) for term in strangers))[:6]
    advice = _unquoted(clause) or _without(clause, strangers, masked=masked)
    kind = None if advice or masked else next((k for k in KINDS if any(t.plays(*k.roles) for t in clause)), None)
    advice = advice or about({word for term in clause for word in (term.key, *term.key.split())}, clause, kind)
    named = ", ".join(f'"{word[:30]}"' for word in words)
    message = f'The studio cannot do "{text}"' + (f": it cannot honour {named}." if words else ".")
    return NotHonouredError(message, text, advice, kind)


def _strangers(clause: Sequence[Term]) -> Sequence[Term]:
    """The words that no rule takes: the unknown ones, or else the things and places that nothing can be done with."""
    unknown = [term for term in clause if term.plays(UNKNOWN)]
    for roles in (("LAND", "ROOM", "PURPOSE"), ("THING",)):
        unknown = unknown or [t for t in clause[1:] if t.plays(*roles) and not t.plays(*_ELSE) and t.key not in _US]
    return unknown


_ELSE: Final = ("PICTURE", "BG", "PERSON", "HUE", "TEXT", "WATERMARK", "SCENE", "WEAR", "CHANGE")
_US: Final = ("us", "them", "both", "everyone", "everybody", "people", "thing", "it")


def unclear(clause: Sequence[Term]) -> NotHonouredError:
    text = _spoken(clause)
    advice = "Say whether the picture or the background is meant."
    return NotHonouredError(f'"{text}" can be meant in two ways.', text, advice, final=True)


def more_is_asked(prompt: str, told: str) -> NotHonouredError:
    """Of words that hold a wish, and that the second reading all but rules out to wish for it. `told`: the plan."""
    message = f'The studio is not sure that "{shortened(prompt)}" asks for no more than to {told}.'
    return NotHonouredError(message, prompt, f'If it does, ask: "{told}".')


def not_held(said: str, told: str) -> NotHonouredError:
    """Of a sentence that wishes for something beside the plan. `told`: the plan."""
    words = said.strip(" ,.;!?").removeprefix("and ").removeprefix("And ")
    return NotHonouredError(f'The studio cannot do "{shortened(words)}".', said, f"Nearest: {told}.")


def told_or_wished(said: str, told: str) -> NotHonouredError:
    """Of words that may tell of the picture as it is. `told`: the plan."""
    message = f'The studio is not sure whether "{shortened(said)}" is a wish, or what is there.'
    return NotHonouredError(message, said, f'If it is a wish, ask: "{told}"; else leave it out.')


def shortened(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"


def _bare(term: Term, clause: Sequence[Term]) -> str:
    if term.plays("QUOTE"):
        return str(term.roles["QUOTE"])
    before = next((one for one, other in pairwise(clause) if other is term), None)
    unit = before is not None and before.plays("NUMBER") and len(term.key) <= _UNIT
    return f"{before.key}{term.key}" if unit and before else term.key  # 4k


def _spoken(clause: Sequence[Term]) -> str:
    text = " ".join(term.text for term in clause).replace(" :", ":")
    return shortened(re.sub(r"(?<=\d) (?=[a-wyz]\b)", "", text))


def _unquoted(clause: Sequence[Term]) -> str:
    asked = clause[0].plays("WRITE", "ADD", "TEXT", "WATERMARK") and not clause[0].plays("REMOVE")
    written = any(t.plays("WRITE", "TEXT", "WATERMARK") for t in clause) and not any(t.plays("QUOTE") for t in clause)
    return 'Put words to be written in quotes: write "hello" at the top.' if asked and written else ""


def _without(clause: Sequence[Term], strangers: Sequence[Term], *, masked: bool) -> str:
    """What is left when the strangers are taken out: `a beach with palm trees` without the palms."""
    if any(term.plays("ASPECT") for term in strangers):
        return ""
    known = [term for term in clause if term not in strangers]
    first = next((i for i, term in enumerate(clause) if term in strangers), len(clause))
    for rest in (known, list(clause[:first])):
        while rest and rest[-1].plays(*_LOOSE):
            rest = rest[:-1]
        try:
            meanings = readings(rest, masked=masked)
        except TooMuchError:
            continue
        for meaning in meanings if len(meanings) == 1 else ():
            if isinstance(meaning, get_args(Operation)) and is_performed(meaning):
                return f"Nearest: {meaning}."
    return ""


_LOOSE: Final = ("WITH", "IN", "ON", "OF", "TO", "FOR", "LIKE", "AS", "AT", "FROM", "NO", "BEHIND", "MORE", "LESS")


def _several(kind: Kind | None, offers: tuple[Offer, ...]) -> str:
    """A few of what there is of a kind: the advice of a refusal is no catalogue."""
    if kind is None:
        return ""
    able = {offer.example for offer in offers}
    ends = [end for end in kind.group.endings.values() if f"{kind.group.lead} {end}".strip() in able]
    more = " and others" if len(ends) > _A_FEW else ""
    return f"{kind.what}: {', '.join(ends[:_A_FEW])}{more}."


_A_FEW: Final = 5
_UNIT: Final = 2  # letters
_SUMMARY: Final = (
    "It can: change or remove backgrounds and skies, add hats and glasses, weather, text and borders, retouch light, "
    "colours and sharpness, apply styles, crop and turn."
)
_EVERY: Final = "All that it can do, with examples: GET /api/v1/models or `tollbrush models --verbose`."
