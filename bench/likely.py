"""Learn the weights of the studio's second reading: `python -m bench.likely`.

Prints, author by author, what the weights learnt from all the others do with the author's prompts, then writes those
learnt from all to `data/likely.json`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import optimize, sparse  # type: ignore[import-untyped]

from tollbrush.engines.studio import likely
from tollbrush.engines.studio.asides import without_asides
from tollbrush.engines.studio.chunks import chunked
from tollbrush.engines.studio.clauses import clauses
from tollbrush.engines.studio.likely import SCALE, features, options
from tollbrush.engines.studio.proposals import REMARK, Proposal
from tollbrush.engines.studio.reading import Complaint
from tollbrush.engines.studio.words import Term, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HERE: Final = Path(__file__).parent
_OWN: Final = "the tests' own"
_WEIGHTS: Final = Path(likely.__file__).parent / "data" / "likely.json"
_EASE: Final = 0.7  # of the penalty on large weights (C)
_SMALLEST: Final = 0.03  # a weight below it is not kept

_INTRUDERS: Final = 2  # a prompt
_FOREIGN: Final = (
    "elephant", "volcano", "guitar", "robot", "paris", "zorple", "laugh", "dance", "melting", "flying", "wooden",
    "castle", "necklace", "tractor", "sword", "angry", "glowing", "broken", "run", "explode", "pizza", "forest",
    "younger", "naked", "second", "three", "mickey", "ferrari", "underwater", "exactly",
)  # fmt: skip

Prompts = Mapping[str, tuple[str, ...]]
"""Prompt → the plans in short that are right; none for what must be refused."""


@dataclass(frozen=True)
class Example:
    seen: frozenset[str]
    right: bool


def authors() -> dict[str, Prompts]:
    """All lists: the tests' own are one."""
    return {_OWN: _of_tests(), **written_for_it()}


def written_for_it() -> dict[str, Prompts]:
    """By author."""
    return {path.stem: _list(path) for path in sorted((_HERE / "data" / "prompts").glob("*.json"))}


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


def _list(path: Path) -> Prompts:
    return {case["prompt"]: tuple(case["want"]) for case in json.loads(path.read_text("utf-8"))}


def examples(prompts: Prompts) -> Iterator[Example]:
    """What may and what may not be passed over, with and without the asides that the rules know."""
    chance = Random(1)
    for prompt, wants in prompts.items():
        for _ in range(_INTRUDERS if wants else 0):
            yield from _with_intruder(prompt.split(), chance)
        terms = read(prompt)
        ways = [[(c.joint, chunked(c.terms)) for c in clauses(without_asides(terms))]]
        ways.append([(c.joint, c.terms) for c in clauses(terms)])
        for way in ways if ways[0] != ways[1] else ways[:1]:
            yield from _of_prompt(way, wants)


def _with_intruder(words: list[str], chance: Random) -> Iterator[Example]:
    """A word from elsewhere may not be passed over, wherever it stands."""
    at, intruder = chance.randrange(len(words) + 1), chance.choice(_FOREIGN)
    terms = read(" ".join([*words[:at], intruder, *words[at:]]))
    for clause in clauses(without_asides(terms)):
        shown = chunked(clause.terms)
        places = [i for i, term in enumerate(shown) if intruder in term.text.split()]
        for one in options(shown, clause.joint, alone=True):
            if places and places[0] not in one.used:
                yield Example(frozenset(features(shown, one, clause.joint)), right=False)


def _of_prompt(way: Sequence[tuple[str, Sequence[Term]]], wants: Sequence[str]) -> Iterator[Example]:
    wanted = {operation for want in wants for operation in want.split("; ")}
    offered = [options(terms, joint, alone=len(way) == 1) for joint, terms in way]
    told = [{short_of(one) for one in found if one is not REMARK} for found in offered]
    for at, ((joint, terms), found) in enumerate(zip(way, offered, strict=True)):
        others = set().union(*told[:at], *told[at + 1 :])
        elsewhere = not told[at] & wanted and any(set(want.split("; ")) <= others for want in wants)
        for one in found:
            if one is REMARK and not (elsewhere or told[at] & wanted or (not wants and others)):
                continue  # nobody can tell
            if len(one.used) < len(terms):
                right = elsewhere if one is REMARK else short_of(one) in wanted
                yield Example(frozenset(features(terms, one, joint)), right)


def short_of(one: Proposal) -> str:
    from support.studio_plans import short

    reading = one.reading.remedy if isinstance(one.reading, Complaint) else one.reading
    return short(reading)  # type: ignore[arg-type]


def learnt(found: Sequence[Example]) -> dict[str, int]:
    """Logistic regression with a quadratic penalty; features seen once are left out: at use they would be new."""
    counts = Counter(feature for example in found for feature in example.seen)
    names = sorted(name for name, count in counts.items() if count > 1)
    place = {name: at for at, name in enumerate(names)}
    rows = [sorted(place[name] for name in example.seen if name in place) for example in found]
    ends = np.cumsum([0, *map(len, rows)])
    table = sparse.csr_matrix((np.ones(ends[-1]), np.concatenate(rows), ends), shape=(len(rows), len(names)))
    right = np.array([example.right for example in found], float)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        score = table @ weights[:-1] + weights[-1]
        off = 1 / (1 + np.exp(-score)) - right
        penalty = weights[:-1] @ weights[:-1] / (2 * _EASE)
        slope = np.append(table.T @ off + weights[:-1] / _EASE, off.sum())
        return float(np.logaddexp(0, np.where(right > 0, -score, score)).sum() + penalty), slope

    best = optimize.minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 400}).x
    kept = {name: round(SCALE * best[at]) for name, at in place.items() if abs(best[at]) >= _SMALLEST}
    return {"bias": round(SCALE * best[-1]), **kept}


def keep(weights: Mapping[str, int]) -> None:
    _WEIGHTS.write_text(json.dumps(weights, indent=0) + "\n")
    likely.weights.cache_clear()


def judged(prompts: Prompts) -> str:
    from bench.quality.grammar import counted

    return ", ".join(f"{number} {what}" for what, number in sorted(counted(prompts).items()))


def main() -> None:
    sys.path.insert(0, str(_HERE.parent / "tests"))
    lists = authors()
    found = {name: list(examples(prompts)) for name, prompts in lists.items()}
    for name, prompts in written_for_it().items():
        weights = learnt([one for other, those in found.items() if other != name for one in those])
        keep(weights)
        print(name, judged(prompts))
    keep(learnt([one for those in found.values() for one in those]))


if __name__ == "__main__":
    main()
