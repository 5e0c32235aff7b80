"""How much of what people type is understood: the lists of prompts that the tests keep.

`understood` is the part of the doable, `wrong` that on which something else was done, `refused` the part of the
impossible. The frozen lists were tried once before anything was learnt from them: that first trial is what a stranger's
prompt may expect.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.quality.line import Line

TITLE = "understanding (parts: understood and refused should be 1, wrong 0)"
# What the first trial gave, by hand: a list can be tried for the first time only once.
_FIRST = {
    "first blind list": {"understood": 96 / 147, "wrong": 0.0, "refused": 1.0},
    "second blind list": {"understood": 53 / 82, "wrong": 0.0, "refused": 1.0},
    "third blind list": {"understood": 33 / 37, "wrong": 0.0, "refused": 1.0},
}


def run() -> list[Line]:
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # the lists are the tests' own
    from support.studio_blind import AGAIN, BLIND, LATEST
    from support.studio_evaluation import cases

    lists = {
        "evaluation, open half": {c.prompt: c.want for c in cases("open") if not c.masked},
        "evaluation, frozen half": {c.prompt: c.want for c in cases("frozen") if not c.masked},
        "first blind list": BLIND,
        "second blind list": AGAIN,
        "third blind list": LATEST,
    }
    lines = []
    for name, prompts in lists.items():
        if name in _FIRST:
            lines.append(Line(name, "at the first trial", _FIRST[name]))
        lines.append(Line(name, "now", judged(prompts)))
    return lines


def judged(prompts: dict[str, str | None]) -> dict[str, float]:
    from support.studio_plans import understood

    answers = [(want, understood(prompt)) for prompt, want in prompts.items()]
    doable = [(want, got) for want, got in answers if want is not None]
    right = sum(got is not None and sorted(got.split("; ")) == sorted(want.split("; ")) for want, got in doable)
    done = sum(got is not None for _, got in doable)
    impossible = [got for want, got in answers if want is None]
    return {
        "understood": right / len(doable),
        "wrong": (done - right) / len(doable),
        "refused": sum(got is None for got in impossible) / len(impossible),
    }
