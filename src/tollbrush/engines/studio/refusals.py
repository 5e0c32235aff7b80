"""A refusal in words: what could not be honoured, the nearest thing that can be done, and all that works."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, get_args

from rapidfuzz import fuzz, process

from tollbrush.engines.studio.abilities import Operation, RemoveMasked
from tollbrush.engines.studio.grammar import readings, with_mask
from tollbrush.engines.studio.performed import is_performed
from tollbrush.engines.studio.reading import TooMuchError
from tollbrush.engines.studio.repertoire import GROUPS, Offer
from tollbrush.engines.studio.words import UNKNOWN, Term
from tollbrush.errors import CannotHonour

_ALIKE: Final = 60  # of 100: from which a prompt's words are those of an example


class NotHonouredError(Exception):
    """What is wrong with `asked`, before the user is told what works."""

    def __init__(self, message: str, asked: str, advice: str = "") -> None:
        super().__init__(message)
        self.message, self.asked, self.advice = message, asked, advice

    def told(self, offers: tuple[Offer, ...]) -> CannotHonour:
        """As the user hears it."""
        advice = self.advice
        if not advice:
            examples = [offer.example for offer in offers]
            near = process.extractOne(self.asked.lower(), examples, scorer=fuzz.token_sort_ratio, score_cutoff=_ALIKE)
            advice = f"Nearest: {near[0]}." if near else ""
        return CannotHonour(self.message, path="prompt", advice=f"{advice} {_works(offers)}".strip())


def not_understood(clause: Sequence[Term], excess: TooMuchError | None, *, masked: bool) -> NotHonouredError:
    text = shortened(" ".join(term.text for term in clause))
    if not masked and (wanted := with_mask(clause)) is not None:
        what, where = ("remove", "go") if wanted == RemoveMasked() else ("change", "change")
        advice = f"Send a mask, white over what should {where}."
        return NotHonouredError(f'The studio cannot find what to {what} in "{text}" by itself.', text, advice)
    strangers = excess.words if excess else [term for term in clause if term.plays(UNKNOWN)]
    words = list(dict.fromkeys(_bare(term) for term in strangers))[:6]
    advice = _unquoted(clause) or _without(clause, strangers, masked=masked) or _of_its_kind(clause, masked=masked)
    if not words:
        return NotHonouredError(f'The studio cannot do "{text}".', text, advice)
    named = ", ".join(f'"{word[:30]}"' for word in words)
    return NotHonouredError(f'The studio cannot do "{text}": it cannot honour {named}.', text, advice)


def unclear(clause: Sequence[Term]) -> NotHonouredError:
    text = shortened(" ".join(term.text for term in clause))
    advice = "Say whether the picture or the background is meant."
    return NotHonouredError(f'"{text}" can be meant in two ways.', text, advice)


def shortened(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"


def _bare(term: Term) -> str:
    return str(term.roles["QUOTE"]) if term.plays("QUOTE") else term.key


def _unquoted(clause: Sequence[Term]) -> str:
    written = any(t.plays("WRITE", "TEXT", "WATERMARK") for t in clause) and not any(t.plays("QUOTE") for t in clause)
    return 'Put words to be written in quotes: write "hello" at the top.' if written else ""


def _without(clause: Sequence[Term], strangers: Sequence[Term], *, masked: bool) -> str:
    """What is left when the strangers are taken out: `a beach with palm trees` without the palms."""
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
_KINDS: Final = (
    (("BG", "BEHIND"), "change the background to", "Backgrounds it can paint"),
    (("SKY",), "change the sky to", "Skies it can paint"),
    (("STYLE", "PAINTING"), "turn it into", "Styles it knows"),
    (("WEARS", "WEAR", "HEAD"), "add", "What it can put on a face"),
)


def _of_its_kind(clause: Sequence[Term], *, masked: bool) -> str:
    """All there is of the kind of thing that was asked for."""
    for roles, lead, what in _KINDS:
        if not masked and any(term.plays(*roles) for term in clause):
            ends = next(group.endings.values() for group in GROUPS if group.lead == lead)
            return f"{what}: {', '.join(ends)}."
    return ""


@cache
def _works(offers: tuple[Offer, ...]) -> str:
    """All that the studio can do, in one sentence."""
    able = {offer.example for offer in offers}
    told: dict[str, list[str]] = {"": [], "mask": []}
    for group in GROUPS:
        ends = [end for end in group.endings.values() if f"{group.lead} {end}".strip() in able]
        if ends:
            told[group.needs].append(f"{group.lead} {', '.join(ends)}".strip())
    return f"It can: {'; '.join(told[''])}; with a mask: {'; '.join(told['mask'])}."
