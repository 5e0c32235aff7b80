"""Understand a prompt: words in, a plan of typed operations out, or a refusal that names the words and says what works.

Light on purpose (no pixels, no OpenCV): it runs before any price is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, get_args

from rapidfuzz import fuzz, process

from tollbrush.engines.studio.abilities import (
    BlurBackground,
    Operation,
    RemoveBackground,
    RemoveMasked,
    ReplaceBackground,
    Tone,
    Wear,
)
from tollbrush.engines.studio.framings import Border, Crop, Extend, Framing
from tollbrush.engines.studio.grammar import readings, with_mask
from tollbrush.engines.studio.lexicon import OPPOSITE
from tollbrush.engines.studio.performed import is_performed
from tollbrush.engines.studio.reading import Complaint, Keep, Reading, TooMuchError
from tollbrush.engines.studio.repertoire import GROUPS, Offer
from tollbrush.engines.studio.treatments import Blur, Denoise, ReplaceSky, Sharpen, Style, Vignette, Weather, Write
from tollbrush.engines.studio.words import UNKNOWN, Term, dictionary, read
from tollbrush.errors import CannotHonour

_MOST_CHARACTERS: Final = 600
_VERBS: Final = (
    "CHANGE", "PAINT", "ADD", "MOVE", "REMOVE", "TAKE", "CUT", "ISOLATE", "HEAL", "BLUR", "TONEVERB", "UPWARDS",
    "DOWNWARDS", "KEEP", "NOT", "WEARS", "WRITE", "ROTATE", "FLIP", "CROP", "ZOOM", "EXTEND", "ENLARGE", "SHARPEN",
    "DENOISE", "STRAIGHTEN", "SOFTEN", "STYLEVERB", "REPAIR",
)  # fmt: skip
_TAKEN_AWAY: Final = ("REMOVE", "CUT", "TAKE", "ISOLATE", "HEAL")
_WORN_ON_HEAD: Final = ("top_hat", "cowboy_hat", "santa_hat", "party_hat", "crown")


@dataclass(frozen=True)
class Plan:
    """At least one operation, in the order in which they are done."""

    operations: tuple[Operation, ...]

    def describe(self) -> str:
        """In words, as `revised_prompt`."""
        text = ", then ".join(str(operation) for operation in self.operations)
        return f"{text[0].upper()}{text[1:]}."


def understand(prompt: str, *, masked: bool) -> Plan:
    """The plan of a prompt. Raises CannotHonour when any part of it is not understood, or cannot be done."""
    if len(prompt) > _MOST_CHARACTERS:
        raise _refusal(f"The studio takes prompts of up to {_MOST_CHARACTERS} characters, not {len(prompt):,}.", "")
    plan = _read_quotes(prompt, masked=masked)
    if missing := [o for o in plan.operations if not is_performed(o)]:
        raise _refusal(f"The studio cannot {' or '.join(map(str, missing))}.", prompt)
    return plan


@cache
def offers() -> tuple[Offer, ...]:
    """Of the repertoire, what is performed."""
    every = [offer for group in GROUPS for offer in group.offers()]
    return tuple(offer for offer in every if _is_offered(offer))


def _is_offered(offer: Offer) -> bool:
    return all(map(is_performed, _planned(read(offer.example), "", masked=bool(offer.needs)).operations))


def _read_quotes(prompt: str, *, masked: bool) -> Plan:
    """Quoted to be written as it stands, or else for emphasis ("sunset")."""
    terms = read(prompt)
    try:
        return _planned(terms, prompt, masked=masked)
    except CannotHonour:
        if any(term.plays("QUOTE") for term in terms):
            with suppress(CannotHonour):
                return _planned(read(prompt, quotes=False), prompt, masked=masked)
        raise


def _planned(terms: Sequence[Term], prompt: str, *, masked: bool) -> Plan:
    found: list[Reading] = []
    before: Sequence[Term] = ()
    # What is masked is here.
    for clause in _clauses([term for term in terms if not (masked and term.key == "here")]):
        found += _meaning(clause, before, found, masked=masked)
        before = clause
    return Plan(_reconciled(found, prompt, masked=masked))


def _clauses(terms: Sequence[Term]) -> Iterator[list[Term]]:
    clause: list[Term] = []
    for term in terms:
        # `everything but the cat` is one thing; elsewhere `but` begins another.
        excepts = term.plays("EXCEPT") and clause and clause[-1].plays("EVERYTHING")
        if term.plays("JOINT") and not excepts:
            if clause:
                yield _trimmed(clause)
            clause = []
        else:
            clause.append(term)
    if clause:
        yield _trimmed(clause)


def _trimmed(clause: list[Term]) -> list[Term]:
    """Without the `too` of `add a hat too`, and what a picture is for."""
    if len(clause) > 2 and clause[-1].plays("PURPOSE") and clause[-2].key == "for":
        clause = clause[:-2]
    return clause[:-1] if len(clause) > 1 and clause[-1].key == "too" else clause


def _meaning(
    clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading], *, masked: bool
) -> Sequence[Reading]:
    """One clause after another one, whose verb and background it may lean on. Raises CannotHonour."""
    excess: TooMuchError | None = None
    for attempt in _completions(clause, before, found):
        try:
            meanings = readings(attempt, masked=masked)
        except TooMuchError as error:
            excess = excess or error
            continue
        if len(meanings) == 1:
            meaning = meanings.pop()
            if _points_nowhere(meaning, clause, before, found):
                raise _unclear(clause)
            return [meaning]
        if meanings:
            raise _unclear(clause)
    if excess is None and (pair := _with_pair(clause, masked=masked)):
        return pair
    raise _not_understood(clause, excess, masked=masked)


def _completions(clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading]) -> Iterator[Sequence[Term]]:
    """The clause as it stands, then with what a person leaves unsaid the second time."""
    if any(term.plays("SKY") for term in before) and any(term.plays("SCENE", "SKYLOOK") for term in clause):
        yield [_SKY, *(term for term in clause if not term.plays("INSTEAD", "CHANGE", "ADD", "IN", "IT"))]
    verb = before[0] if before and before[0].plays(*_VERBS) else None
    leans = verb is not None and not clause[0].plays(*_VERBS)
    if not (leans and verb is not None and verb.plays(*_TAKEN_AWAY)):
        yield clause
    # "remove the cup and write sale": a removal passes on only to what an article or the lexicon shows to be a thing.
    if leans and verb is not None and (not clause[0].plays(UNKNOWN) or clause[0].named):
        yield [verb, *clause]
    if any(term.plays("BG") for term in before):
        yield [_BACKGROUND if term.key == "it" else term for term in clause]
        if found and found[-1] == RemoveBackground():
            yield [*clause, _INSTEAD]


_BACKGROUND: Final = Term("background", "background", dictionary()["background"])
_SKY: Final = Term("sky", "sky", dictionary()["sky"])
_INSTEAD: Final = Term("instead", "instead", dictionary()["instead"])


def _points_nowhere(meaning: Reading, clause: Sequence[Term], before: Sequence[Term], found: Sequence[Reading]) -> bool:
    """`blur the background and make it darker`: is it the picture, or the background?"""
    if not isinstance(meaning, Tone | Blur | Sharpen | Denoise):
        return False
    if getattr(meaning, "where", "picture") == "background" or not any(t.plays("BG") for t in before):
        return False
    if any(t.plays("PICTURE", "EVERYTHING", "AREA") for t in clause):
        return False
    if found[-1] == RemoveBackground() and isinstance(meaning, Tone):
        return False
    bare = not clause[0].plays(*_VERBS) or any(t.key == "it" for t in clause)
    return bare or isinstance(found[-1], Tone)


def _with_pair(clause: Sequence[Term], *, masked: bool) -> Sequence[Reading]:
    """`a starry sky with a hat on him`, `black and white with more contrast`: two edits around a `with`. Not after a
    noun that the `with` could describe (`the man with a hat`)."""
    for at, term in enumerate(clause):
        if term.plays("WITH") and 0 < at < len(clause) - 1 and clause[at - 1].plays("SCENE", "HUE", "LOOK", "ER"):
            try:
                first, second = (readings(part, masked=masked) for part in (clause[:at], clause[at + 1 :]))
            except TooMuchError:
                continue
            if len(first) == len(second) == 1 and isinstance(next(iter(second)), Wear | Tone):
                return [*first, *second]
    return []


def _reconciled(found: Sequence[Reading], prompt: str, *, masked: bool) -> tuple[Operation, ...]:
    """The operations without repeats, in working order. Raises CannotHonour when they contradict each other."""
    operations = _settled(found, prompt)
    if any(isinstance(o, ReplaceBackground) for o in operations):
        operations = [o for o in operations if o != RemoveBackground()]  # away, and another one instead
    if not operations:
        raise _refusal(f'The studio finds nothing to do in "{_short(prompt)}".', prompt)
    if masked and (whole := [o for o in operations if isinstance(o, _OF_WHOLE)]):
        message = f"With a mask the studio cannot {' or '.join(map(str, whole))}: that is for the whole picture."
        raise _refusal(message, prompt, "Send no mask.")
    _check_agreement(operations, prompt)
    if Keep("subject") in found:
        if not all(_spares_subject(o) for o in operations):
            raise _refusal(f'"{_short(prompt)}" both keeps the subject and changes it.', prompt)
        operations = [replace(o, relight=False) if isinstance(o, ReplaceBackground) else o for o in operations]
    # A hat is put on last: before a new background, it would be cut out with the subject.
    last = max((i for i, o in enumerate(operations) if isinstance(o, _OF_BACKGROUND)), default=-1)
    early = [o for o in operations[: last + 1] if isinstance(o, Wear)]
    kept = [o for o in operations[: last + 1] if not isinstance(o, Wear)]
    return tuple(sorted((*kept, *early, *operations[last + 1 :]), key=_turn))


def _settled(found: Sequence[Reading], prompt: str) -> list[Operation]:
    """Without repeats, and without the complaints that a wish answers."""
    wishes = [r for r in dict.fromkeys(found) if not isinstance(r, Keep | Complaint)]
    complaints = [r.remedy for r in dict.fromkeys(found) if isinstance(r, Complaint)]
    if Keep("mend") in found and not complaints:
        raise _refusal(f'"{_short(prompt)}" does not say what to mend.', prompt)
    answered = {(type(o), getattr(o, "kind", None)) for o in wishes}
    return [o for o in complaints if (type(o), getattr(o, "kind", None)) not in answered] + wishes


def _turn(operation: Operation) -> int:
    """What must be found in the picture is found before its frame changes; what is laid on it, after."""
    if isinstance(operation, Vignette | Write | Border):
        return 2
    return 1 if isinstance(operation, Framing) else 0


_OF_WHOLE: Final = (Vignette, Write, *get_args(Framing))
_OF_BACKGROUND: Final = (ReplaceBackground, RemoveBackground, BlurBackground)


def _spares_subject(operation: Operation) -> bool:
    return isinstance(operation, _OF_BACKGROUND) or (isinstance(operation, Tone) and operation.where == "background")


_ONCE: Final = (Style, ReplaceSky, Sharpen, Denoise, Blur, Vignette, *get_args(Framing))


def _check_agreement(operations: Sequence[Operation], prompt: str) -> None:
    tones = [(o.kind, o.where) for o in operations if isinstance(o, Tone)]
    once = [type(o) for o in operations if isinstance(o, _ONCE)]
    clash = (
        len(set(once)) < len(once)
        or (Sharpen in once and Blur in once)
        or (Crop in once and Extend in once)
        or (ReplaceSky in once and any(isinstance(o, ReplaceBackground | RemoveBackground) for o in operations))
        or len({o.kind for o in operations if isinstance(o, Weather)}) < sum(isinstance(o, Weather) for o in operations)
        or sum(isinstance(o, _OF_BACKGROUND) for o in operations) > 1
        or sum(isinstance(o, Wear) and o.kind in _WORN_ON_HEAD for o in operations) > 1
        or len({o.kind for o in operations if isinstance(o, Wear)}) < sum(isinstance(o, Wear) for o in operations)
        or len(set(tones)) < len(tones)
        or any((OPPOSITE.get(kind), where) in tones for kind, where in tones)
        or (len(operations) > 1 and RemoveMasked() in operations)
    )
    if clash:
        done = " and ".join(f'"{o}"' for o in operations)
        raise _refusal(f"The studio cannot do {done} in one edit.", prompt, "Ask for them one at a time.")


def _not_understood(clause: Sequence[Term], excess: TooMuchError | None, *, masked: bool) -> CannotHonour:
    text = _short(" ".join(term.text for term in clause))
    if not masked and (wanted := with_mask(clause)) is not None:
        what, where = ("remove", "go") if wanted == RemoveMasked() else ("change", "change")
        advice = f"Send a mask, white over what should {where}."
        return _refusal(f'The studio cannot find what to {what} in "{text}" by itself.', text, advice)
    strangers = excess.words if excess else [term for term in clause if term.plays(UNKNOWN)]
    words = list(dict.fromkeys(_bare(term) for term in strangers))[:6]
    written = any(t.plays("WRITE", "TEXT", "WATERMARK") for t in clause) and not any(t.plays("QUOTE") for t in clause)
    advice = 'Put words to be written in quotes: write "hello" at the top.' if written else ""
    if not words:
        return _refusal(f'The studio cannot do "{text}".', text, advice)
    named = ", ".join(f'"{word[:30]}"' for word in words)
    return _refusal(f'The studio cannot do "{text}": it cannot honour {named}.', text, advice)


def _bare(term: Term) -> str:
    return str(term.roles["QUOTE"]) if term.plays("QUOTE") else term.key


def _unclear(clause: Sequence[Term]) -> CannotHonour:
    text = _short(" ".join(term.text for term in clause))
    return _refusal(f'"{text}" can be meant in two ways.', text, "Say whether the picture or the background is meant.")


def _refusal(message: str, asked: str, advice: str = "") -> CannotHonour:
    examples = [offer.example for offer in offers()]
    near = process.extractOne(asked.lower(), examples, scorer=fuzz.token_set_ratio, score_cutoff=40)
    nearest = f"Nearest: {near[0]}." if near and not advice else advice
    return CannotHonour(message, path="prompt", advice=f"{nearest} {_works()}".strip())


@cache
def _works() -> str:
    """All that the studio can do, in one sentence."""
    able = {offer.example for offer in offers()}
    told: dict[str, list[str]] = {"": [], "mask": []}
    for group in GROUPS:
        ends = [end for end in group.endings.values() if f"{group.lead} {end}".strip() in able]
        if ends:
            told[group.needs].append(f"{group.lead} {', '.join(ends)}".strip())
    return f"It can: {'; '.join(told[''])}; with a mask: {'; '.join(told['mask'])}."


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"
