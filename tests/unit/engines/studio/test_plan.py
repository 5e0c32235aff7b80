"""The studio's language: what it understands, what it refuses, and that it ignores nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.studio_plans import understood
from support.studio_prompts import (
    DOABLE,
    FRESH,
    FRESH_IMPOSSIBLE,
    FRESH_IMPOSSIBLE_MASKED,
    FRESH_MASKED,
    IMPOSSIBLE,
    IMPOSSIBLE_MASKED,
    MASKED,
)
from tollbrush.engines.studio.plans.abilities import RemoveBackground, ReplaceBackground, Tone, Wear
from tollbrush.engines.studio.plans.performed import KINDS, TYPES
from tollbrush.engines.studio.understanding.clauses import clauses
from tollbrush.engines.studio.understanding.dictionary import dictionary, vocabulary
from tollbrush.engines.studio.understanding.repertoire import Offer
from tollbrush.engines.studio.understanding.understand import offers, understand
from tollbrush.engines.studio.understanding.words import read
from tollbrush.errors import CannotHonour


def test_what_people_type_is_understood_and_never_misunderstood() -> None:
    answers = [(p, want, understood(p)) for p, want in (DOABLE | FRESH).items()]
    answers += [(p, want, understood(p, masked=True)) for p, want in (MASKED | FRESH_MASKED).items()]
    assert [(p, got) for p, want, got in answers if got is not None and got != want] == []
    missed = [p for p, _, got in answers if got is None]
    assert len(missed) <= 0.05 * len(answers), missed


@pytest.mark.parametrize("prompt", IMPOSSIBLE + FRESH_IMPOSSIBLE)
def test_what_cannot_be_done_is_refused(prompt: str) -> None:
    assert understood(prompt) is None


@pytest.mark.parametrize("prompt", IMPOSSIBLE_MASKED + FRESH_IMPOSSIBLE_MASKED)
def test_what_cannot_be_done_inside_a_mask_is_refused(prompt: str) -> None:
    assert understood(prompt, masked=True) is None


@pytest.mark.parametrize("offer", offers(), ids=lambda offer: offer.name)
def test_every_advertised_example_is_one_operation(offer: Offer) -> None:
    masked = bool(offer.needs)
    plan = understand(offer.example, masked=masked)
    assert len(plan.operations) == 1
    assert understand(plan.describe(), masked=masked) == plan, "a plan in words means itself"
    if masked:
        with pytest.raises(CannotHonour, match="cannot find what to"):
            understand(offer.example, masked=False)


def test_no_two_abilities_share_a_name_or_do_the_same() -> None:
    plans = [understand(offer.example, masked=bool(offer.needs)) for offer in offers()]
    assert len(set(plans)) == len({offer.name for offer in offers()}) == len(offers())


def test_whatever_is_performed_is_told_of() -> None:
    told = [o for offer in offers() for o in understand(offer.example, masked=bool(offer.needs)).operations]
    assert {type(o) for o in told} == TYPES
    assert {o.scene for o in told if isinstance(o, ReplaceBackground)} == KINDS[ReplaceBackground] | {None}
    assert {o.kind for o in told if isinstance(o, Wear)} == KINDS[Wear]


def test_a_refusal_names_the_words_the_nearest_prompt_and_where_all_is_told() -> None:
    with pytest.raises(CannotHonour) as refused:
        understand("make it warmer and add a purple dragon", masked=False)
    assert '"dragon"' in refused.value.message
    assert refused.value.path == "prompt"
    assert "adds nothing new" in refused.value.hint
    assert "`tollbrush models --verbose`" in refused.value.hint


@pytest.mark.parametrize("prompt", IMPOSSIBLE + FRESH_IMPOSSIBLE)
def test_the_advice_of_a_refusal_is_short(prompt: str) -> None:
    with pytest.raises(CannotHonour) as refused:
        understand(prompt, masked=False)
    assert 60 < len(refused.value.hint) <= 300


def test_a_promise_beyond_the_scene_is_named() -> None:
    with pytest.raises(CannotHonour, match='cannot honour "purple"'):
        understand("change the background to a purple sunset", masked=False)


def test_adverbs_and_percentages_set_the_amount() -> None:
    def amount(prompt: str) -> float:
        (tone,) = understand(prompt, masked=False).operations
        assert isinstance(tone, Tone)
        return tone.amount

    assert amount("make it a bit warmer") < amount("make it warmer") < amount("make it much warmer")
    assert amount("increase the contrast by 10%") < amount("increase the contrast by 50%")


def test_shades_move_a_colour() -> None:
    def rgb(prompt: str) -> tuple[int, int, int]:
        (operation,) = understand(prompt, masked=False).operations
        assert isinstance(operation, ReplaceBackground)
        assert operation.colour is not None
        return operation.colour.rgb

    assert rgb("make the background #ff8000") == (255, 128, 0)
    assert sum(rgb("dark blue background")) < sum(rgb("blue background")) < sum(rgb("light blue background"))
    assert rgb("make the background grey") == rgb("make the background gray")


def test_a_subject_that_should_stay_is_not_relit() -> None:
    free, kept = (understand(p, masked=False).operations for p in (_STARRY, f"{_STARRY} but keep the cat unchanged"))
    assert free == (ReplaceBackground("starry"),)
    assert kept == (ReplaceBackground("starry", relight=False),)


def test_a_hat_is_put_on_after_the_background_has_changed() -> None:
    plan = understand("add a hat and remove the background", masked=False)
    assert plan.operations == (RemoveBackground(), Wear("top_hat"))
    assert plan.describe() == "Remove the background, then add a top hat."


_STARRY = "change the background to a starry sky"
_PROMPTS = sorted(prompt for prompt, want in (DOABLE | FRESH).items() if "write" not in want)
_FOREIGN = ("dragon", "tokyo", "smile", "burning", "2")
_STRANGE = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=10).filter(lambda w: w not in vocabulary())


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(_PROMPTS),
    st.integers(0, 12),
    st.sampled_from(_FOREIGN),
)
def test_a_word_from_elsewhere_changes_nothing(prompt: str, at: int, word: str) -> None:
    words = prompt.split()
    assume(words[:at][-1:] != ["this"])  # this dragon photo: what it shows
    plan = understood(" ".join([*words[:at], word, *words[at:]]))
    assert plan is None or sorted(plan.split("; ")) == sorted(str(understood(prompt)).split("; "))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_PROMPTS), st.integers(0, 12), st.sampled_from(("not", "never")))
def test_a_negation_is_never_passed_over(prompt: str, at: int, word: str) -> None:
    words = prompt.split()
    changed = " ".join([*words[:at], word, *words[at:]])
    assume(len(clauses(read(changed))) == 1 and "not a lot" not in changed)  # which is a little
    assert understood(changed) is None


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(sorted(dictionary())), _STRANGE), max_size=9), st.booleans())
def test_any_words_are_understood_or_refused(words: list[str], masked: bool) -> None:
    try:
        plan = understand(" ".join(words), masked=masked)
    except CannotHonour as refused:
        assert refused.sentence()
    else:
        assert plan.operations


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=700), st.booleans())
def test_any_text_is_understood_or_refused(text: str, masked: bool) -> None:
    assert understood(text, masked=masked) is None or text.strip()


def test_a_long_run_of_any_word_is_turned_down_at_once() -> None:
    """A rule that could take a word in two ways would try exponentially many; pytest's own limit ends the test then."""
    words = {tuple(sorted(roles)): word for word, roles in sorted(dictionary().items())}  # of a quarter of the kinds
    for word in list(words.values())[::4]:
        run = " ".join([word] * 20)
        for prompt in (f"{run} hat", f"make it {run}", f"{run} {run} {run}"):
            for masked in (False, True):
                understood(prompt[:600], masked=masked)


def test_planning_loads_no_pixels() -> None:
    code = (
        "import sys; from tollbrush.engines.studio.understanding.understand import understand;"
        "understand('add a hat', masked=False);"
        "print([m for m in ('cv2', 'numba', 'scipy', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
