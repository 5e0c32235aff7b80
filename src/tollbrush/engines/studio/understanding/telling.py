"""What a prompt tells of the picture as it is, or of its use, in words that could be a wish: `me in a santa hat,
brighten it`, `crop it for my black and white wall`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tollbrush.engines.studio.plans.abilities import BlurBackground, Operation, Tone
from tollbrush.engines.studio.plans.framings import Border
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import Blur, Sharpen, Vignette, Weather
from tollbrush.engines.studio.understanding.clauses import VERBS, Clause, clauses, is_order
from tollbrush.engines.studio.understanding.refusals import told_or_wished
from tollbrush.engines.studio.understanding.second_reading import SURE, read_again
from tollbrush.engines.studio.understanding.words import UNKNOWN, Term, read

Part = Sequence[Term]


def wished_for(prompt: str, plan: Plan) -> Plan:
    """The plan without what the prompt only tells of. Raises NotHonouredError where that may be wished all the same,
    and where nothing is left."""
    found = clauses(read(prompt))
    tells, sure = _telling(found), _is_as_sure(prompt, plan)
    kept = list(plan.operations)
    for operation in plan.operations:
        said = [(at, i) for at, part in enumerate(found) for i, t in enumerate(part.terms) if says(t, operation)]
        own = operation == _GREY and _IS_GREY.search(prompt) is not None
        own |= _is_drama(operation, plan) and not _DRAMATIC.search(prompt)
        told = [tells[at] and not (sure and _is_ordered(found[at].terms[: i + 1])) for at, i in said]
        if own or (said and all(one or i in _use(found[at].terms) for one, (at, i) in zip(told, said, strict=True))):
            kept.remove(operation)
            if not kept or DOES_SO.search(prompt) or any(_is_label(found[at], found[at + 1 :]) for at, _ in said):
                words = " ".join(term.text for term in found[said[0][0]].terms) if said else prompt
                raise told_or_wished(words, plan.told)
    if all(tells):
        raise told_or_wished(prompt, plan.told)
    return Plan(tuple(kept))


def _is_as_sure(prompt: str, plan: Plan) -> bool:
    """Whether the second reading surely finds as many wishes as the plan."""
    again = read_again(prompt)
    return again is not None and again.wishes == len(plan.operations) and again.sureness >= SURE


def _is_ordered(before: Part) -> bool:
    """`he's on holiday stick some shades on him n …`: by a verb within the clause, or by what follows from it."""
    if before[0].text.startswith(_PRESENTS):
        return False
    orders = any(term.plays(*_ORDERS) and not term.text.endswith("ing") for term in before)  # no dad putting on a hat
    return orders or any(term.key == "so" or term.lead.startswith("so ") for term in before)


def _is_drama(operation: Operation, plan: Plan) -> bool:
    """A storm or rain is the drama that `this view needs`."""
    stormy = any(getattr(one, "kind", None) in ("stormy", "rain") for one in plan.operations)
    return stormy and getattr(operation, "kind", None) == "dramatic"


def _telling(found: Sequence[Clause]) -> list[bool]:
    """By clause. What an `and` adds to one that tells does, too."""
    tells: list[bool] = []
    for at, one in enumerate(found):
        goes_on = at > 0 and tells[-1] and found[at - 1].ends in ("and", "&") and not _begins_with_verb(one.terms)
        likens = at > 0 and one.terms[0].key.startswith("like in")  # …, like in that movie
        tells.append(goes_on or likens or _tells(one, found[at + 1 :]))
    praises = [bool(_PRAISES.match(one.terms[0].text)) and not _begins_with_verb(one.terms) for one in found]
    return praises if len(found) > 1 and all(praises) else tells  # nice boss, nice clown nose, great party


def _tells(one: Clause, after: Sequence[Clause]) -> bool:
    if _is_praise(one, after) or _is_label(one, after) or [term.key for term in one.terms[:2]] in _WILL_BE:
        return True
    return _was(one.terms) or (asks(after) and _is_description(one.terms))


def _was(part: Part) -> bool:
    """`the sky above the church was so pretty`, `mountains are blue`."""
    if len(part) > 1 and part[0].plays("SCENE", "LAND") and part[1].plays("IS"):
        return True
    nice = any(term.plays("NICE") for term in part) and not any(_WISHES.search(term.text) for term in part)
    return part[0].named and nice and any(term.key in ("was", "were") for term in part)


def asks(found: Sequence[Clause]) -> bool:
    """Whether one of them begins with what should be done."""
    return any(is_order(one.terms[0]) for one in found)


def says(term: Term, operation: Operation) -> bool:
    """Whether the word is the operation's."""
    if roles := _SAID.get(type(operation)):
        return term.plays(*roles)
    if isinstance(operation, Weather):
        return term.roles.get("WEATHER") == operation.kind  # a snowy landscape, but no falling snow
    name = name_of(operation)
    return name is not None and name in term.roles.values()


def name_of(operation: Operation) -> str | None:
    """Its kind, or the scene that it paints, as the lexicon's roles have it."""
    return getattr(operation, "kind", None) or getattr(operation, "scene", None)


def _is_praise(one: Clause, after: Sequence[Clause]) -> bool:
    """`I love the warm tones`, `great contrast`, `lovely fog! crop it`."""
    words = " ".join(term.text for term in one.terms)
    if is_liked(one.terms):
        return True
    if not _PRAISES.match(words) or any(term.plays(*VERBS) for term in one.terms):
        return False
    bare = len(one.terms) == _BARE and one.terms[1].plays("TONENOUN", "VIGNETTE")
    return bare or (bool(after) and one.ends in (".", "!"))


def is_liked(part: Part) -> bool:
    """`I love the warm tones`."""
    return bool(_LIKES.match(" ".join(term.text for term in part)))


def _is_label(one: Clause, after: Sequence[Clause]) -> bool:
    """`snow photo`, `a storm over the harbour`, `kid with a crown`: what it is, or what it shall become?"""
    part = one.terms
    if not after or len(part) == 1 or _begins_with_verb(part):
        return False
    if not asks(after):
        return part[0].plays(*_SHOWN) and _in_a_row(part, _SHOWN, ("WITH", "IN", "WEARS"), ("WEAR",))
    if part[0].text.startswith(_OURS):
        return False
    return (
        (one.runs_on and bool(_PRAISES.match(part[0].text)))
        or _in_a_row(part, _OF_LABELS, ("PICTURE",))
        or _in_a_row(part, _SCENERY, ("ON", "IN"), ("LAND", "ROOM", "THING", UNKNOWN))
    )


def _in_a_row(part: Part, *kinds: Sequence[str]) -> bool:
    """Whether terms side by side play them, each one of its own."""
    rows = zip(*(part[at:] for at in range(len(kinds))), strict=False)
    return any(all(term.plays(*roles) for term, roles in zip(row, kinds, strict=True)) for row in rows)


def _is_description(part: Part) -> bool:
    """`she is wearing a crown`, `this is a sketch`, `my rainy day photo`, `me on the beach`."""
    if part[0].key == "wearing":
        return True
    if _begins_with_verb(part) or any(term.key == ":" or _WISHES.search(term.text) for term in part):
        return False
    if part[0].text.startswith(_PRESENTS) or (part[0].text.startswith(_OURS) and part[-1].plays("PICTURE")):
        return True
    if _in_a_row(part, (UNKNOWN,), ("IN", "WITH"), ("WEAR",)):
        return True  # Anna in a crown
    kinds = ("PICTURE", "PERSON", "SUBJ", "IT", "EVERYTHING", *(("PURPOSE",) if part[0].plays("PURPOSE") else ()))
    who = next((at for at, term in enumerate(part) if term.plays(*kinds)), None)
    return who is not None and any(term.plays("IN", "ON", "WITH", "WEARS", "IS", "OF") for term in part[who + 1 :])


def _use(part: Part) -> set[int]:
    """`for our black and white gallery wall`, `who collects watercolours`, `no snow`: where words wish for nothing."""
    told: set[int] = set()
    for at, term in enumerate(part):
        someone = any(one.plays("SUBJ", "PERSON", "THING", "IT") for one in part[at + 1 : at + 2])
        if term.key in ("who", "whose") or (term.key == "where" and someone):
            told |= {*range(at, len(part))}
        if term.key.endswith("for"):
            ends = [i for i in range(at + 1, len(part)) if part[i].plays("PURPOSE", "ROOM")]
            told |= {*range(at, ends[-1] if ends else at)}
        if term.text.lower().endswith(_TO_FRAME):
            told.add(at)
        if term.key == "no":
            told.add(at + 1)  # but no falling snow
    return told


def _begins_with_verb(part: Part) -> bool:
    return is_order(part[0]) and not part[0].plays("PICTURE", "PERSON")


_SAID: Final[Mapping[type[Operation], tuple[str, ...]]] = {
    Blur: ("BLURRY", "BLUR"), BlurBackground: ("BLURRY", "BLUR", "PORTRAITMODE"), Border: ("BORDER",),
    Sharpen: ("SHARPER", "SHARPEN"), Vignette: ("VIGNETTE",),
}  # fmt: skip
_WISHES: Final = re.compile(r"\b(?:would|want|need|wish|please|can|could|should|must|let)\b|'d\b", re.IGNORECASE)
_ORDERS: Final = ("ADD", "CHANGE", "MOVE", "PAINT", "TONEVERB", "SHARPEN")
_BARE: Final = 2  # terms
_SHOWN: Final = ("PICTURE", "PERSON")
_SCENERY: Final = ("SCENE", "WEATHER", "SKYLOOK", "WHOLESKY")
_OF_LABELS: Final = ("LOOK", "STYLE", "WEATHER", "SCENE")
_PRAISES: Final = re.compile(
    r"(?:great|beautiful|lovely|amazing|gorgeous|awesome|stunning|perfect|cute|nice|what an?)\b", re.IGNORECASE
)
_LIKES: Final = re.compile(
    r"(?:(?:i|we) (?:really |just )?(?:love|loved|like|liked|adore|enjoy)|love|loved|loving) (?!to\b)", re.IGNORECASE
)
_PRESENTS: Final = (
    "this is", "that is", "that's", "it was", "this was", "these are", "here is", "here's", "it's my", "it's our",
)  # fmt: skip
_OURS: Final = ("my ", "our ", "his ", "her ", "their ", "this ")
_WILL_BE: Final = (["this", "will"], ["it", "will"], ["this", "goes"])
_GREY: Final = Tone("black_and_white")
_IS_GREY: Final = re.compile(
    r"\b(?:this|that|my|our) (?:old )?(?:black (?:and|&|n) white|b ?& ?w|b/w) "
    r"(?:picture|photo|image|pic|portrait|print|shot)\b",
    re.IGNORECASE,
)
_DRAMATIC: Final = re.compile(r"\bdramatic|\band (?:some |more |a bit of )?drama\b", re.IGNORECASE)
# they want it in black and white. So please do that
DOES_SO: Final = re.compile(
    r"(?:^|\b(?:so|please|then|now|just|pls),? )do (?:that|so)\b(?=(?: please)?\W*(?:$|and\b|then\b|[,.;!]))",
    re.IGNORECASE,
)
_TO_FRAME: Final = ("want to frame", "going to frame", "like to frame", "plan to frame", "hope to frame", "will frame")
