"""How much of what people type is understood: the lists of prompts that the tests keep.

`understood` is the part of the doable, `wrong` that on which something else was done, `refused` the part of the
impossible. The frozen lists were tried once before anything was learnt from them: that first trial is what a stranger's
prompt may expect.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.quality.line import Line

TITLE = "understanding (parts: understood and refused should be 1, wrong 0)"
# What the first trial gave, by hand: a list can be tried for the first time only once.
_FIRST = {
    "first blind list": {"understood": 96 / 147, "wrong": 0.0, "refused": 1.0},
    "second blind list": {"understood": 53 / 82, "wrong": 0.0, "refused": 1.0},
    "third blind list": {"understood": 33 / 37, "wrong": 0.0, "refused": 1.0},
    # Written by others, each tried after what the ones before had taught; of the fourth one, one wrongly.
    "ten voices, first": {"understood": 26 / 70, "wrong": 0.0, "refused": 1.0},
    "ten voices, second": {"understood": 43 / 70, "wrong": 0.0, "refused": 29 / 30},
    "ten voices, third": {"understood": 36 / 70, "wrong": 2 / 70, "refused": 29 / 30},
    "ten voices, fourth": {"understood": 41 / 70, "wrong": 1 / 70, "refused": 1.0},
    "ten voices, fifth": {"understood": 35 / 70, "wrong": 0.0, "refused": 1.0},
    "ten voices, sixth": {"understood": 34 / 70, "wrong": 2 / 70, "refused": 29 / 30},
    "an app's log": {"understood": 62 / 70, "wrong": 0.0, "refused": 1.0},
    "many voices, first": {"understood": 96 / 150, "wrong": 3 / 150, "refused": 1.0},
    "many voices, second": {"understood": 103 / 150, "wrong": 2 / 150, "refused": 1.0},
    # With a regression for a second reading, that they had not taught; by the rules alone 72 and 50 of 100.
    "learnt from: fourth": {"understood": 76 / 100, "wrong": 2 / 100, "refused": 1.0},
    "learnt from: fifth": {"understood": 59 / 100, "wrong": 3 / 100, "refused": 1.0},
    # With the network, whole lists; by the rules alone 171, 98, 193, 99, 186, 95 of 200. The gate was chosen on the
    # second pair; "now" tells of those prompts alone that no list holds from which was learnt.
    "learnt from: log": {"understood": 194 / 200, "wrong": 0.0, "refused": 0.99},
    "learnt from: wide": {"understood": 172 / 200, "wrong": 5 / 200, "refused": 0.96},
    # Adversaries' lists, each tried after the one before was mended: two full of what is told and not wished, one of
    # what people ask for in vain, one of sentences of which one cannot be done.
    "learnt from: tricks": {"understood": 162 / 310, "wrong": 24 / 310, "refused": 788 / 840},
    # Long stories, the first six lists of thirteen.
    "learnt from: tale": {"understood": 830 / 1449, "wrong": 66 / 1449, "refused": 907 / 951},
    "exam log_a": {"understood": 197 / 200, "wrong": 0.0, "refused": 1.0},
    "exam wide_a": {"understood": 182 / 200, "wrong": 4 / 200, "refused": 0.98},
    "exam log_b": {"understood": 197 / 200, "wrong": 1 / 200, "refused": 1.0},
    "exam wide_b": {"understood": 172 / 200, "wrong": 3 / 200, "refused": 1.0},
    # The third pair came when all was settled; what it showed of words without quotation marks was mended after.
    "exam log_c": {"understood": 188 / 200, "wrong": 4 / 200, "refused": 0.98},
    "exam wide_c": {"understood": 152 / 200, "wrong": 4 / 200, "refused": 0.99},
    # The fourth one after that mending: a log, and customers who write sentences.
    "exam log_d": {"understood": 188 / 200, "wrong": 1 / 200, "refused": 1.0},
    "exam people_d": {"understood": 175 / 200, "wrong": 3 / 200, "refused": 0.99},
    # The fifth one, of the same kinds; then what stands before a wish was learnt, and told from wishes by rule.
    "exam log_e": {"understood": 187 / 200, "wrong": 2 / 200, "refused": 1.0},
    "exam people_e": {"understood": 151 / 200, "wrong": 2 / 200, "refused": 0.98},
    "exam log_f": {"understood": 187 / 200, "wrong": 1 / 200, "refused": 1.0},
    "exam people_f": {"understood": 178 / 200, "wrong": 4 / 200, "refused": 0.97},
    # After both adversaries' first two.
    "exam log_g": {"understood": 190 / 200, "wrong": 0.0, "refused": 1.0},
    "exam people_g": {"understood": 187 / 200, "wrong": 0.0, "refused": 0.94},
    # The eighth pair's authors tell long stories; then whole sentences that only tell were passed over.
    "exam log_h": {"understood": 174 / 192, "wrong": 1 / 192, "refused": 1.0},
    "exam people_h": {"understood": 125 / 193, "wrong": 4 / 193, "refused": 106 / 107},
    "exam log_i": {"understood": 193 / 200, "wrong": 2 / 200, "refused": 0.98},
    "exam people_i": {"understood": 166 / 200, "wrong": 3 / 200, "refused": 0.98},
    # After thirteen lists of stories and of agents' requests had taught; each after the one before was mended.
    "exam log_j": {"understood": 189 / 200, "wrong": 2 / 200, "refused": 1.0},
    "exam people_j": {"understood": 173 / 200, "wrong": 0.0, "refused": 1.0},
    "exam agent_j": {"understood": 180 / 200, "wrong": 0.0, "refused": 1.0},
    "exam log_k": {"understood": 154 / 160, "wrong": 0.0, "refused": 1.0},
    "exam people_k": {"understood": 135 / 160, "wrong": 1 / 160, "refused": 79 / 80},
    "exam agent_k": {"understood": 139 / 160, "wrong": 0.0, "refused": 1.0},
    "exam log_l": {"understood": 127 / 135, "wrong": 1 / 135, "refused": 1.0},
    "exam people_l": {"understood": 116 / 135, "wrong": 0.0, "refused": 1.0},
    "exam agent_l": {"understood": 128 / 135, "wrong": 0.0, "refused": 1.0},
}


def run() -> list[Line]:
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # the lists are the tests' own
    from bench.second_reading.examples import exams, written_for_it
    from support.studio_blind import AGAIN, BLIND, LATEST
    from support.studio_evaluation import cases
    from support.studio_voices_a import LIST_A1, LIST_A2
    from support.studio_voices_b import LIST_B1, LIST_B2
    from support.studio_voices_c import LIST_C1, LIST_C2
    from support.studio_voices_d import LIST_D
    from support.studio_voices_e import LIST_E
    from support.studio_voices_f import LIST_F

    lists: dict[str, Mapping[str, str | tuple[str, ...] | None]] = {
        "evaluation, open half": {c.prompt: c.want for c in cases("open") if not c.masked},
        "evaluation, frozen half": {c.prompt: c.want for c in cases("frozen") if not c.masked},
        "first blind list": BLIND,
        "second blind list": AGAIN,
        "third blind list": LATEST,
        "ten voices, first": LIST_A1,
        "ten voices, second": LIST_B1,
        "ten voices, third": LIST_A2,
        "ten voices, fourth": LIST_B2,
        "ten voices, fifth": LIST_C1,
        "ten voices, sixth": LIST_C2,
        "an app's log": LIST_D,
        "many voices, first": LIST_E,
        "many voices, second": LIST_F,
        **{f"exam {name}": prompts for name, prompts in exams().items()},
        **{f"learnt from: {name}": prompts for name, prompts in _by_author(written_for_it()).items()},
    }
    lines = []
    for name, prompts in lists.items():
        if name in _FIRST:
            lines.append(Line(name, "at the first trial", _FIRST[name]))
        lines.append(Line(name, "now", judged(prompts)))
    return lines


def _by_author(lists: Mapping[str, Mapping[str, tuple[str, ...]]]) -> dict[str, Mapping[str, tuple[str, ...]]]:
    """An author's lists (`phone_a`, `phone_b`) are one."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, prompts in lists.items():
        found.setdefault(name.split("_")[0], {}).update(prompts)
    return {**found}


def judged(prompts: Mapping[str, str | tuple[str, ...] | None]) -> dict[str, float]:
    """Of each prompt the plan that is right, or those that are; none for what must be refused."""
    count = counted({p: (want,) if isinstance(want, str) else want or () for p, want in prompts.items()})
    doable = count["right"] + count["wrong"] + count["lost"]
    return {
        "understood": count["right"] / doable,
        "wrong": count["wrong"] / doable,
        "refused": count["refused"] / max(1, count["refused"] + count["acted"]),
    }


def counted(prompts: Mapping[str, tuple[str, ...]]) -> Counter[str]:
    """`right`, `wrong`, `lost` of what can be done; `refused`, `acted` of what cannot."""
    from support.studio_plans import understood

    return Counter(outcome(understood(prompt), wants) for prompt, wants in prompts.items())


def outcome(got: str | None, wants: Sequence[str]) -> str:
    """`got`: the plan in short; None for a refusal."""
    if not wants:
        return "refused" if got is None else "acted"
    if got is None:
        return "lost"
    return "right" if any(sorted(got.split("; ")) == sorted(want.split("; ")) for want in wants) else "wrong"
