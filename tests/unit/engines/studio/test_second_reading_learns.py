"""The second reading's network learns, is kept, and answers without torch what it answered with it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bench.second_reading.asides import asides_of, told_around, told_beside  # noqa: E402
from bench.second_reading.examples import WISHES, Example, example, intruded, joined  # noqa: E402
from bench.second_reading.further import halfway, kept_committee  # noqa: E402
from bench.second_reading.learning import committee, keep, learnt, lesson, vectors  # noqa: E402
from bench.second_reading.model import Model, batch, coded, known  # noqa: E402

from tollbrush.engines.studio.understanding.second_reading.network import kept_network, network  # noqa: E402


def test_two_prompts_make_one_and_what_cannot_be_done_spoils_it() -> None:
    prompts = {"make it warmer": ("tone warmer",), "add a crown": ("wear crown",), "make him smile": ()}
    found = joined(prompts, 60, Random(5))
    assert {one.wishes for one in found} == {frozenset(), frozenset({"tone warmer", "wear crown"})}
    assert all(("smile" in {token.word for token in one.tokens}) == (not one.wishes) for one in found)


def _some() -> list[Example]:
    told = {"make it warmer": "tone warmer", "warm it up": "tone warmer", "a crown for me": "wear crown",
            "crown me": "wear crown", "make me smile": "", "a smile for me": "", "open my eyes": ""}  # fmt: skip
    return [one for prompt, want in told.items() if (one := example(prompt, want)) is not None]


def test_a_committee_learns_and_is_kept_as_it_was(tmp_path: Path) -> None:
    found = _some()
    rows, words = vectors()
    names = known([*found] * 3, words)
    lessons = [lesson(one, names) for one in found]
    members = committee(lambda seed: learnt(names, rows, 150, seed, lambda _: lessons), 2)
    keep(members, names, tmp_path / "kept.npz")
    kept = kept_network(tmp_path / "kept.npz")
    for one in found:
        with torch.no_grad():
            answers = [member(batch([coded(one.tokens, names)])) for member in members]
        wishes, only, parts, told = kept.likelihoods(one.tokens)
        assert np.allclose(wishes, np.mean([torch.sigmoid(a[0][0]).numpy() for a in answers], 0), atol=0.02)
        assert only == pytest.approx(np.mean([float(torch.sigmoid(a[1][0])) for a in answers]), abs=0.02)
        assert np.allclose(parts, np.mean([a[2][0].softmax(-1).numpy() for a in answers], 0), atol=0.02)
        assert told.shape == (len(one.tokens), len(wishes))
        read = kept.read(one.tokens)
        assert (read.sureness > 0.5) == bool(one.wishes)
        assert not one.wishes or read.wishes == one.wishes


def test_a_model_has_no_more_weights_than_are_kept() -> None:
    rows, words = vectors()
    names = known(_some(), words)
    assert {name for name, _ in Model(names, rows).named_parameters()} == {*network().weights.halves, *network().tables}


def test_a_thing_from_elsewhere_spoils_a_prompt() -> None:
    found = intruded({"change the background to a sunset": ("background sunset",)}, 20, Random(3))
    assert found
    for one in found:
        words = [token.word for token in one.tokens]
        assert not one.wishes
        assert words[-1] == "sunset"
        assert words[-2] not in ("a", "to")


def test_what_is_told_beside_a_wish_is_found_and_spoils_nothing() -> None:
    assert [*asides_of("it's for my shop in Vienna, blur the background", "blur background")] == [
        "it's for my shop in Vienna"
    ]
    assert not [*asides_of("it's too dark here, make it brighter", "tone brighter")]
    prompts = {"my mum bakes bread, add a crown": ("wear crown",), "mirror the photo": ("flip horizontal",),
               "make Tom smile": ()}  # fmt: skip
    found = told_beside(prompts, 30, Random(4))
    assert {one.wishes for one in found} >= {frozenset(), frozenset({"flip horizontal"})}
    assert all(("smile" in {token.word for token in one.tokens}) == (not one.wishes) for one in found)
    assert all("bread" in {token.word for token in one.tokens} for one in found)


def test_what_is_told_around_a_wish_leaves_it_as_it_is() -> None:
    prompts = {"add a crown": ("wear crown",), "make Tom smile": ()}
    found = told_around(prompts, 60, Random(6))
    words = [[token.word for token in one.tokens] for one in found]
    assert all(("crown" in said) == bool(one.wishes) for one, said in zip(found, words, strict=True))
    assert sum(bool(one.wishes) for one in found) == 40
    assert all(len(said) > 3 for said in words)


def test_the_kept_committee_learns_on_from_what_it_answers(tmp_path: Path) -> None:
    rows, words = vectors()
    names, members = kept_committee(rows, words)
    keep(members, names, tmp_path / "again.npz")
    one = example("a bit warmer, it's for my shop", "tone warmer")
    assert one is not None
    wishes, only, parts, _ = kept_network(tmp_path / "again.npz").likelihoods(one.tokens)
    before = network().likelihoods(one.tokens)
    assert np.allclose(wishes, before[0], atol=0.01)
    assert only == pytest.approx(before[1], abs=0.01)
    assert np.allclose(parts, before[2], atol=0.01)


def test_a_wish_that_is_new_to_the_kept_committee_is_unlikely(tmp_path: Path) -> None:
    names, members = known(_some(), {}), []
    for _ in range(2):
        members.append(Model(names, torch.zeros(1, 100)))
        members[-1].load_state_dict({**members[-1].state_dict(), "wish.bias": torch.full((len(WISHES),), -9.0)})
    keep(members, names, tmp_path / "kept.npz")
    _, again = kept_committee(torch.zeros(1, 100), {}, tmp_path / "kept.npz")
    assert torch.allclose(again[0].wish.bias, torch.full((len(WISHES),), -9.0))
    mean = halfway(*again).state_dict()["word"]
    kept = [member.state_dict()["word"] for member in members]
    assert torch.allclose(mean, (kept[0] + kept[1]) / 2, atol=0.02)


def test_a_member_that_fails_is_not_waited_for() -> None:
    def fails(_: int) -> Model:
        raise SystemExit(3)

    with pytest.raises(EOFError):
        committee(fails, 1)
