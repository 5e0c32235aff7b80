"""The second reading: what is passed over, what never is, and that its weights are learnt, not written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from bench.likely import Example, examples, learnt
from hypothesis import given, settings
from hypothesis import strategies as st

from support.studio_plans import understood
from tollbrush.engines.studio import likely
from tollbrush.engines.studio.clauses import clauses
from tollbrush.engines.studio.likely import most_likely, probability
from tollbrush.engines.studio.proposals import Proposal, may_be_remark, proposals
from tollbrush.engines.studio.reading import Keep
from tollbrush.engines.studio.words import Term, read


def _clause(prompt: str) -> Sequence[Term]:
    (clause,) = clauses(read(prompt))
    return clause.terms


@pytest.mark.parametrize(
    "prompt",
    [
        "take the rain out of the shot",
        "the drawing should become a photograph",
        "make it look like a frame from a movie",
        "a santa hat on the snowman",
        "pixelate the face of the woman",
        "fog just around the trees",
        "if it rains make it black and white",
    ],
)
def test_what_is_never_passed_over_leaves_no_proposal(prompt: str) -> None:
    assert [one.reading for one in proposals(_clause(prompt))] == []
    assert understood(prompt) is None


@pytest.mark.parametrize(
    ("told", "joint", "may_be"),
    [
        ("the walls of our kitchen are so boring", "", True),
        ("he must smile", ",", False),
        ("a cape for the king", "and", False),
        ("never mind the dog", ".", False),
    ],
)
def test_a_remark_tells_and_wishes_nothing(told: str, joint: str, may_be: bool) -> None:
    assert may_be_remark(_clause(told), joint) is may_be


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("hey i want mountains behind us instead of the parking lot", "background mountains"),
        ("I'd like to look smarter: glasses on my face and a studio background", "background studio; wear glasses"),
    ],
)
def test_words_around_a_wish_are_passed_over(prompt: str, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert understood(prompt) == plan
    monkeypatch.setattr(likely, "SURE", 2.0)
    assert understood(prompt) is None


def test_a_proposal_with_a_rival_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = _clause("lovely sepia of the harbour")
    (one,) = proposals(terms)
    monkeypatch.setattr(likely, "weights", lambda: {"bias": 300})
    assert most_likely(terms, "", alone=True) == one.reading
    rival = Proposal(Keep("remark"), frozenset())
    monkeypatch.setattr(likely, "options", lambda *_, **__: [one, rival])
    assert most_likely(terms, "", alone=True) is None


def test_a_weight_moves_the_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likely, "weights", lambda: {"bias": 0, "good": 250, "bad": -400})
    assert probability(set()) == 0.5
    assert probability({"good"}) == pytest.approx(0.924, abs=0.001)
    assert probability({"good", "bad"}) < 0.5


def test_weights_are_learnt_from_examples() -> None:
    found = [Example(frozenset({"kind", "fine"}), right=True)] * 20
    found += [Example(frozenset({"kind", "foul"}), right=False)] * 20
    found += [Example(frozenset({"once"}), right=True)]
    weights = learnt(found)
    assert weights["fine"] > 50
    assert weights["foul"] < -50
    assert "once" not in weights  # at use it would be new


def test_a_prompt_tells_what_may_be_passed_over() -> None:
    right = [one.right for one in examples({"a sepia of the harbour": ("tone sepia",)})]
    wrong = [one.right for one in examples({"a sepia of the harbour": ()})]
    assert True in right
    assert wrong
    assert not any(wrong)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(("never", "not", "except", "unless", "if", "only")), st.integers(0, 4))
def test_a_bound_is_never_passed_over(bound: str, at: int) -> None:
    words = ["make", "the", "backgroud", "red", "like", "for", "school", "id", "card"]
    plan = understood(" ".join([*words[:at], bound, *words[at:]]))
    assert plan is None
