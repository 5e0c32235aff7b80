"""How much of what people ask is understood: measured on prompts that were written before the rules."""

from __future__ import annotations

from typing import Literal

import pytest

from support.studio_blind import BLIND, BLIND_MASKED
from support.studio_evaluation import MASKED, WHOLE, Case, cases
from support.studio_plans import understood

LEAST_UNDERSTOOD = 0.9


def alike(got: str, want: str) -> bool:
    """The plan's own order is not the prompt's."""
    return sorted(got.split("; ")) == sorted(want.split("; "))


@pytest.mark.parametrize("half", ["open", "frozen"])
def test_what_can_be_done_is_understood_and_nothing_else_is_done(half: Literal["open", "frozen"]) -> None:
    judge(list(cases(half)))


def test_ten_voices_are_understood() -> None:
    """Frozen before the rules were tried on it: 96 of 147 were understood then, none wrongly, and 82 of 82 refused."""
    judge(
        [Case(p, want, False) for p, want in BLIND.items()] + [Case(p, want, True) for p, want in BLIND_MASKED.items()]
    )


def judge(asked: list[Case]) -> None:
    answers = [(case, understood(case.prompt, masked=case.masked)) for case in asked]
    assert [(case.prompt, got) for case, got in answers if case.want is None and got is not None] == []
    doable = [(case.prompt, case.want, got) for case, got in answers if case.want is not None]
    assert [(p, got) for p, want, got in doable if got is not None and not alike(got, want or "")] == []
    refused = [prompt for prompt, _, got in doable if got is None]
    assert len(refused) <= (1 - LEAST_UNDERSTOOD) * len(doable), refused


def test_the_halves_are_halves() -> None:
    sizes = [len(list(cases(half))) for half in ("open", "frozen")]
    assert sum(sizes) == len(WHOLE) + len(MASKED)
    assert min(sizes) >= 110
