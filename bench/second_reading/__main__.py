"""Learn the weights of the studio's second reading, and keep them.

`python -m bench.second_reading` learns from all lists. With `--held NAME …` all prompts of these authors (`phone`) are
kept from it, what then becomes of them is printed for several gates, and nothing is kept. With `--further NAME …` the
weights that are kept learn on, from these lists, which they have not seen, and a third of the others: in a fifth of the
time. `--vectors FILE` makes the words' vectors anew from GloVe's `glove.6B.100d.txt`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from bench.second_reading.asides import captioned, told_around, told_beside
from bench.second_reading.examples import OWN, Prompts, authors, examples, intruded, joined
from bench.second_reading.learning import KEPT
from bench.second_reading.vectors import keep_vectors
from tollbrush.engines.studio.understanding.second_reading.tokens import tokens

if TYPE_CHECKING:
    from bench.second_reading.model import Model

_EPOCHS: Final = 10
_EPOCHS_FURTHER: Final = 4
_TIMES: Final = {OWN: 2}  # most of it is near to the doable, and tells where that ends
_TIMES_TALES: Final = 2  # long stories about a wish
_TIMES_NEW: Final = 3
_JOINED: Final = 0.7  # of the examples of an epoch, beside them
_GATES: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1)


def learn(lists: Mapping[str, Prompts], members: int, epochs: int, further: Collection[str] = ()) -> None:
    """`further`: the lists that are new to the weights which learn on; without any, new ones learn from all."""
    from bench.second_reading.further import halfway, kept_committee
    from bench.second_reading.learning import Lesson, committee, keep, learnt, lesson, taught_further, vectors
    from bench.second_reading.model import known

    tales = [name for name in lists if name.startswith("tale")]
    times = {**_TIMES, **dict.fromkeys(tales, _TIMES_TALES), **dict.fromkeys(further, _TIMES_NEW)}
    single = [one for name, prompts in lists.items() for one in examples(prompts) for _ in range(times.get(name, 1))]
    every = {prompt: wants for prompts in lists.values() for prompt, wants in prompts.items()}
    pairs = [
        *joined(every, len(single), Random(1)),
        *intruded(every, len(single) // 4, Random(2)),
        *told_beside(every, len(single) // 3, Random(3)),
        *captioned(every, len(single) // 3, Random(4)),
        *told_around(every, len(single), Random(5)),
    ]
    rows, words = vectors()
    names, before = kept_committee(rows, words) if further else (known([*single, *pairs], words), [])

    alone, together = ([lesson(one, names) for one in some] for some in (single, pairs))

    def drawn(chance: Random) -> Sequence[Lesson]:
        return [*alone, *chance.sample(together, int(_JOINED * len(alone)))]

    def member(seed: int) -> Model:
        if further:
            return halfway(before[seed], taught_further(deepcopy(before[seed]), epochs, seed, drawn))
        return learnt(names, rows, epochs, seed, drawn)

    print(f"{len(alone)} prompts, {len(names.words)} words, {len(names.roles)} roles", flush=True)
    keep(committee(member, len(before) or members), names)


def _third(prompts: Prompts) -> Prompts:
    """Of an older list, what is learnt again beside a new one."""
    return {prompt: wants for at, (prompt, wants) in enumerate(prompts.items()) if at % 3 == 0}


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
    ask = argparse.ArgumentParser(description=__doc__)
    lists = authors()
    ask.add_argument("--held", nargs="*", default=[], choices=sorted({name.split("_")[0] for name in lists}))
    ask.add_argument("--further", nargs="+", default=[], choices=sorted(lists))
    ask.add_argument("--vectors", type=Path)
    ask.add_argument("--members", type=int, default=3)
    ask.add_argument("--epochs", type=int)
    told = ask.parse_args()
    if told.vectors:
        keep_vectors(told.vectors, {token.word for prompts in lists.values() for p in prompts for token in tokens(p)})
        return
    held = {name: prompts for name, prompts in lists.items() if name.split("_")[0] in told.held}
    taken = {prompt for prompts in held.values() for prompt in prompts}
    rest = {name: {p: wants for p, wants in prompts.items() if p not in taken} for name, prompts in lists.items()}
    before = KEPT.read_bytes()
    if told.further:
        some = {name: prompts if name in told.further else _third(prompts) for name, prompts in rest.items()}
        learn(some, told.members, told.epochs or _EPOCHS_FURTHER, told.further)
        return
    learn({name: prompts for name, prompts in rest.items() if name not in held}, told.members, told.epochs or _EPOCHS)
    if held:
        try:
            _tell(held)
        finally:
            KEPT.write_bytes(before)


def _tell(held: Mapping[str, Prompts]) -> None:
    for name, prompts in held.items():
        print(name)
        for gate, count in by_gate(prompts).items():
            print(f"  {gate}: {', '.join(f'{number} {what}' for what, number in sorted(count.items()))}", flush=True)


def by_gate(prompts: Prompts) -> dict[float, Counter[str]]:
    """What becomes of the prompts where the second reading must be as sure as that; above 1 the rules are alone."""
    from bench.quality.grammar import outcome
    from support.studio_plans import by_rules
    from tollbrush.engines.studio.understanding.second_reading import read_again

    counts: dict[float, Counter[str]] = {gate: Counter() for gate in _GATES}
    for prompt, wants in prompts.items():
        by_rule = outcome(by_rules(prompt), wants)
        read = read_again(prompt) if by_rule in ("refused", "lost") else None
        again = outcome(by_rules(read.plain), wants) if read and read.plain else by_rule
        for gate, count in counts.items():
            count[again if read and read.sureness >= gate else by_rule] += 1
    return counts


if __name__ == "__main__":
    main()
