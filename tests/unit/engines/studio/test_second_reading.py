"""The second reading: its plain words mean what they should, its network is the one that learnt, it keeps its bounds."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from bench.quality.grammar import outcome
from bench.second_reading.examples import PARTS, WISHES, Example, example, joined, wish_of, written_for_it
from bench.second_reading.learning import keep, learnt, lesson, vectors
from bench.second_reading.model import Model, batch, coded, known
from hypothesis import given, settings
from hypothesis import strategies as st

from support.studio_plans import by_rules, understood
from tollbrush.engines.studio import second_reading
from tollbrush.engines.studio.second_reading import MOST_TOKENS, read_again
from tollbrush.engines.studio.second_reading.network import Read, kept_network, network
from tollbrush.engines.studio.second_reading.restating import restated
from tollbrush.engines.studio.second_reading.sentences import PLAIN, PLAIN_OF_ONE_COLOUR
from tollbrush.engines.studio.second_reading.tokens import QUOTED, tokens


@pytest.mark.parametrize("wish", sorted(PLAIN))
def test_plain_words_mean_the_wish(wish: str) -> None:
    assert by_rules(PLAIN[wish]) == wish


@pytest.mark.parametrize("wish", sorted(PLAIN_OF_ONE_COLOUR))
def test_plain_words_take_a_colour(wish: str) -> None:
    plan = by_rules(PLAIN_OF_ONE_COLOUR[wish].format("red"))
    assert plan is not None
    assert wish_of(plan) == wish
    assert "red" in plan


@pytest.mark.parametrize(
    ("prompt", "wishes", "parts", "plain"),
    [
        ("crimson please, that wall behind me", "background plain", {"crimson": "background"},
         "change the background to crimson"),
        ("a golden one on her head, you know, what queens have", "wear crown", {"golden": "wear"},
         "add a golden crown"),
        ("everything red should come out blue", "recolour", {"red": "from", "blue": "into"}, "change the red to blue"),
        ("let red trade places with blue", "swap", {"red": "swap", "blue": "swap"}, "swap red and blue"),
        ("thin and black all around", "border", {"black": "border"}, "add a thin black border"),
        ("I want Happy Birthday Mia up at the top", "write", {"happy": "text", "birthday": "text", "mia": "text"},
         'write "Happy Birthday Mia" at the top'),
        ('in white and big, bottom right: "Soup!"', "write", {"white": "write"},
         'write "Soup!" at the bottom right in white, large'),
        ("three times the size", "enlarge", {}, "enlarge it 3.0 times"),
        ("more room on the left and at the bottom", "extend sides", {}, "extend it to the left and downwards"),
        ("a touch, it's all so cold", "tone warmer", {}, "make it warmer a little"),
    ],
)  # fmt: skip
def test_parts_are_put_in_their_places(prompt: str, wishes: str, parts: dict[str, str], plain: str) -> None:
    seen = tokens(prompt)
    told = Read(frozenset(wishes.split("; ")), 1.0, tuple(parts.get(token.word, "") for token in seen))
    assert restated(prompt, seen, told) == plain
    assert by_rules(plain) is not None


@pytest.mark.parametrize(
    ("prompt", "wishes", "parts"),
    [
        ("another colour behind me", "background plain", {}),
        ("red or blue behind me", "background plain", {"red": "background", "blue": "background"}),
        ("write something", "write", {}),
        ('write "a" and "b"', "write", {}),
        ("everything red in another colour", "recolour", {"red": "from"}),
        ("make it larger", "enlarge", {}),
    ],
)
def test_a_wish_without_its_part_has_no_plain_words(prompt: str, wishes: str, parts: dict[str, str]) -> None:
    seen = tokens(prompt)
    told = Read(frozenset({wishes}), 1.0, tuple(parts.get(token.word, "") for token in seen))
    assert restated(prompt, seen, told) is None


def test_an_example_tells_the_part_of_every_word() -> None:
    found = example('everyone with a golden crown and a navy blue background, write "yay" in red',
                    'wear crown gold; background navy blue; write "yay" bottom red')  # fmt: skip
    assert found is not None
    assert found.wishes == {"wear crown", "background plain", "write"}
    played = {token.word: PARTS[part] for token, part in zip(found.tokens, found.parts, strict=True)}
    assert played["golden"] == "wear"
    assert played["navy"] == played["blue"] == "background"
    assert played["red"] == "write"
    assert played[QUOTED] == played["crown"] == ""


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
    members = [learnt(names, rows, 40, seed, lambda _: lessons) for seed in range(2)]
    keep(members, names, tmp_path / "kept.npz")
    kept = kept_network(tmp_path / "kept.npz")
    for one in found:
        with torch.no_grad():
            answers = [member(batch([coded(one.tokens, names)])) for member in members]
        wishes, only, parts = kept.likelihoods(one.tokens)
        assert np.allclose(wishes, np.mean([torch.sigmoid(a[0][0]).numpy() for a in answers], 0), atol=0.02)
        assert only == pytest.approx(np.mean([float(torch.sigmoid(a[1][0])) for a in answers]), abs=0.02)
        assert np.allclose(parts, np.mean([a[2][0].softmax(-1).numpy() for a in answers], 0), atol=0.02)
        read = kept.read(one.tokens)
        assert (read.sureness > 0.5) == bool(one.wishes)
        assert not one.wishes or read.wishes == one.wishes


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("can you do that iPhone thing where the background goes blurry", "blur background"),
        ("our valedictorian without her cap? add the graduation cap", "wear graduation_cap"),
        ("all the green in this picture should be orange", "recolour green orange"),
        ("yellow text top right saying NEW", 'write "NEW" top right yellow'),
        ("my colleague is such a clown. give him the nose", "wear clown_nose"),
    ],
)
def test_words_that_no_rule_foresaw_are_understood(prompt: str, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_rules(prompt) is None
    assert understood(prompt) == plan
    monkeypatch.setattr(second_reading, "SURE", 1.1)
    assert understood(prompt) is None


def test_of_what_people_wrote_most_is_understood_and_next_to_nothing_wrongly() -> None:
    """These prompts taught the weights: the figures for strangers stand in ADR 18 and in `bench.quality`."""
    every = [case for prompts in written_for_it().values() for case in prompts.items()]
    some = Random(7).sample(every, 1200)
    counts = {"right": 0, "wrong": 0, "lost": 0, "refused": 0, "acted": 0}
    for prompt, wants in some:
        counts[outcome(understood(prompt), wants)] += 1
    assert counts["right"] > 0.95 * (counts["right"] + counts["wrong"] + counts["lost"])
    assert counts["wrong"] + counts["acted"] < 0.01 * len(some)


def test_every_wish_is_known_to_the_network() -> None:
    assert list(network().wishes) == WISHES
    assert tuple(network().part_names) == PARTS


@pytest.mark.parametrize("prompt", ["", "   ", "word " * (MOST_TOKENS + 1)])
def test_nothing_and_too_much_is_not_read_again(prompt: str) -> None:
    assert read_again(prompt) == (0.0, None)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120))
def test_whatever_is_typed_is_read_without_harm(prompt: str) -> None:
    sureness, plain = read_again(prompt)
    assert 0 <= sureness <= 1
    assert plain is None or by_rules(plain) is not None or sureness < 1


def test_what_is_masked_is_never_read_again() -> None:
    prompt = "can you do that iPhone thing where the background goes blurry"
    assert understood(prompt, masked=True) is None


def test_a_model_has_no_more_weights_than_are_kept() -> None:
    rows, words = vectors()
    names = known(_some(), words)
    assert {name for name, _ in Model(names, rows).named_parameters()} == {*network().weights, *network().tables}
