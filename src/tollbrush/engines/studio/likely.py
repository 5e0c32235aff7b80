"""What a clause that no rule takes most likely asks for, or that it asks for nothing: a logistic regression over the
words and roles that a proposal passes over, learnt from prompts that people wrote for it (`python -m bench.likely`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import exp
from typing import Final

from tollbrush.engines.studio.proposals import REMARK, Proposal, may_be_remark, proposals
from tollbrush.engines.studio.reading import Complaint, Reading
from tollbrush.engines.studio.words import UNKNOWN, Term

SURE: Final = 0.7
"""Below it a prompt is refused: see ADR 18 and `python -m bench.likely`."""
_RIVAL: Final = 0.8  # how much of the second best's likelihood is taken off the best's
SCALE: Final = 100  # of the weights as they are kept


def most_likely(terms: Sequence[Term], joint: str, *, alone: bool) -> Reading | None:
    """The reading that is likely enough. `joint`: the word that leads to the clause; `alone`: there is no other one."""
    ranked = sorted(((probability(features(terms, one, joint)), one) for one in options(terms, joint, alone=alone)),
                    key=lambda pair: -pair[0])  # fmt: skip
    if not ranked:
        return None
    rival = ranked[1][0] if len(ranked) > 1 else 0.0
    return ranked[0][1].reading if ranked[0][0] * (1 - _RIVAL * rival) >= SURE else None


def options(terms: Sequence[Term], joint: str, *, alone: bool) -> list[Proposal]:
    return [*proposals(terms), *([REMARK] if not alone and may_be_remark(terms, joint) else ())]


def probability(seen: set[str]) -> float:
    learnt = weights()
    return 1 / (1 + exp(-(learnt["bias"] + sum(learnt.get(one, 0) for one in seen)) / SCALE))


@cache
def weights() -> dict[str, int]:
    """Feature → hundredths."""
    text = (files("tollbrush.engines.studio") / "data" / "likely.json").read_text("utf-8")
    learnt: dict[str, int] = json.loads(text)
    return learnt


def features(terms: Sequence[Term], one: Proposal, joint: str) -> set[str]:
    """What is passed over, what stands beside it, and for which kind of wish."""
    left = [at for at in range(len(terms)) if at not in one.used]
    kind = _kind(one)
    passed = min(len(left), 8)
    strangers = min(sum(terms[at].plays(UNKNOWN) for at in left), 4)
    seen = {
        f"kind {kind}", f"kind {_kind(one, fine=True)}", f"left {passed}", f"left {passed} {kind}",
        f"strangers {strangers}", f"strangers {strangers} {kind}", f"joint {joint} {kind}",
        f"length {min(len(terms) // 3, 5)} {kind}",
    }  # fmt: skip
    return seen | (_of_wish(terms, one, left, kind) if one.used else _of_remark(terms, joint))


def _kind(one: Proposal, *, fine: bool = False) -> str:
    reading = one.reading
    complaint, operation = ("of ", reading.remedy) if isinstance(reading, Complaint) else ("", reading)
    detail = f" {getattr(operation, 'kind', '')}" if fine else ""
    return f"{complaint}{type(operation).__name__}{detail}"


def _of_remark(terms: Sequence[Term], joint: str) -> set[str]:
    keys = [_key(term) for term in terms]
    seen = {f"begins {keys[0]}", f"begins {' '.join(keys[:2])}", f"ends {keys[-1]}"}
    seen |= {f"says {key}" for key in keys} | {f"says {role}" for term in terms for role in term.roles}
    seen |= {f"begins {role}" for term in terms[:2] for role in term.roles}
    seen |= {f"led {joint} {role}" for role in terms[0].roles}
    return seen | {f"says {a} {b}" for one, two in pairwise(terms) for a in one.roles for b in two.roles}


def _of_wish(terms: Sequence[Term], one: Proposal, left: Sequence[int], kind: str) -> set[str]:
    edges = min(one.used), max(one.used)
    seen = {f"first {_key(terms[0])} {0 in one.used}", f"last {len(terms) - 1 in one.used}"}
    seen |= {f"first {role} {0 in one.used} {kind}" for role in terms[0].roles}
    for at in left:
        seen |= _of_term(terms, at, one, "<" if at < edges[0] else ">" if at > edges[1] else "=", kind)
    return seen


def _of_term(terms: Sequence[Term], at: int, one: Proposal, place: str, kind: str) -> set[str]:
    term, key = terms[at], _key(terms[at])
    seen = {f"word {key}", f"word {key} {kind}", f"word {key} {place}", f"word {term.key}"}
    for side, beside in (("after", at - 1), ("before", at + 1)):
        other = terms[beside] if 0 <= beside < len(terms) else None
        near = _key(other) if other else "end"
        part = f"{beside in one.used}" if other else "end"
        others = tuple(other.roles) if other else ("end",)
        seen.add(f"{side} {near} {key}")
        for role in term.roles:
            seen |= {f"{side} {near} {role}", f"{side} {part} {role} {kind}"}
            seen |= {f"{side} role {r} {role}{k}" for r in others for k in ("", f" {kind}")}
    for role in term.roles:
        seen |= {f"role {role}{k}" for k in ("", f" {kind}", f" {place}", f" {place} {kind}")}
        if term.named:
            seen |= {f"named {role} {place}", f"named {role} {kind}"}
    return seen


def _key(term: Term) -> str:
    if term.plays(UNKNOWN):
        return "a stranger" if term.named else "stranger"
    return term.key
