"""Reading words: slips mended, numbers and quotations kept, and never one meaning for another."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.studio_plans import understood
from tollbrush.engines.studio.understanding import lexicon
from tollbrush.engines.studio.understanding.dictionary import vocabulary
from tollbrush.engines.studio.understanding.sentence_lexicon import MISSPELT
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.engines.studio.understanding.word_lists import not_slips
from tollbrush.engines.studio.understanding.words import read
from tollbrush.errors import CannotHonour

_KNOWN = sorted(word for word in vocabulary() if word.isalpha() and len(word) >= 5)
_REAL = sorted(not_slips())
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_KNOWN), st.integers(1, 14), st.sampled_from(_LETTERS), st.sampled_from("+-~%"))
def test_a_slip_is_mended_to_its_own_word_or_left_alone(word: str, at: int, letter: str, kind: str) -> None:
    at = min(at, len(word) - 1)
    head, tail = word[:at], word[at:]
    slip = {
        "+": head + letter + tail,
        "-": head + tail[1:],
        "~": head + letter + tail[1:],
        "%": head + tail[1:2] + tail[:1] + tail[2:],
    }[kind]
    assume(slip not in vocabulary() and slip not in MISSPELT)
    got = mended(slip)
    once = undoubled(slip)
    near = undoubled(got) == once or (len(got) == len(slip) + 1 and is_within(slip, got))
    near |= once != slip and got == mended(once)  # grayy, snoooo
    two_words = slip in {a + b for article in ("a", "an", "the", "my") for a, b in ((got, article), (article, got))}
    two_words |= any(slip == article + meant for article in ("a", "an") for meant in vocabulary())  # angray
    swapped = sorted(got) == sorted(slip)  # "raound" is nearer to "around" than to "round"
    assert got in (slip, lexicon.SPELLINGS.get(word, word), mended(word)) or near or two_words or swapped


def test_a_real_word_is_no_slip() -> None:
    assert [word for word in _REAL if mended(word) != word] == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bakcground", "background"), ("remvoe", "remove"), ("makeit", "make it"), ("lbur", "blur"),
        ("pleaseeee", ""), ("brighterrr", "brighter"), ("hahaha", ""), ("grn", "green"),
        ("altar", "altar"), ("carton", "carton"), ("towell", "towell"), ("broand", "broand"),
        ("later", "later"), ("reserved", "reserved"), ("farming", "farming"), ("booth", "booth"), ("coats", "coats"),
    ],
)  # fmt: skip
def test_slips_runs_and_lost_spaces(typed: str, meant: str) -> None:
    assert " ".join(term.key for term in read(f"{typed} tail")) == f"{meant} tail".strip()


def mended(word: str) -> str:
    return " ".join(term.key for term in read(f"{word} tail"))[: -len(" tail")] or word


def is_within(short: str, long: str) -> bool:
    """A letter left out is the likeliest slip."""
    rest = iter(long)
    return all(letter in rest for letter in short)


def undoubled(word: str) -> str:
    return "".join(letter for i, letter in enumerate(word) if letter != word[i - 1 : i])


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("rotate -90", "rotate -90"),
        ("rotate - 90", "rotate -90"),
        ("rotate 12.5° to the left", "rotate -12.5"),
        ("rotate 400 degrees", None),
        ("enlarge it 5 times", None),
        ("upscale to 4k", None),
        ("crop it to 16:9", "crop 16:9"),
        ("make it 1:100", None),
        ("contrast +20%", "tone more_contrast"),
        ("contrast -20%", "tone less_contrast"),
    ],
)
def test_numbers_mean_what_they_say_or_nothing(prompt: str, plan: str | None) -> None:
    assert understood(prompt) == plan


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("write 'don't panic' at the top", 'write "don\'t panic" top'),
        ('write "Remove the BACKGROUND"', 'write "Remove the BACKGROUND" bottom'),
        ('change the background to "sunset"', "background sunset"),
        ('make him say "remove the background"', None),
        ('add "hello"', 'write "hello" bottom'),
        ('write "x" in red and blue', None),
        ('replace "hello" with "bye"', None),
    ],
)
def test_quotations_are_written_as_they_stand(prompt: str, plan: str | None) -> None:
    assert understood(prompt) == plan


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"“”'), min_size=1, max_size=40
    )
)
@settings(max_examples=80, deadline=None)
def test_any_quoted_text_is_written_or_refused(text: str) -> None:
    answer = understood(f'write "{text}" at the top')
    assert answer is None or answer.endswith(" top")


@pytest.mark.parametrize(
    ("prompt", "advice"),
    [
        ("write hello", "in quotes"),
        ("make the car red", "Send a mask"),
        ("blur the license plate", "Send a mask"),
        ("change the background to a beach with palm trees", "Nearest: change the background to a beach"),
    ],
)
def test_a_refusal_says_how_to_get_nearer(prompt: str, advice: str) -> None:
    with pytest.raises(CannotHonour) as refused:
        understand(prompt, masked=False)
    assert advice in refused.value.hint


def test_what_is_for_the_whole_picture_goes_with_no_mask() -> None:
    with pytest.raises(CannotHonour, match="for the whole picture"):
        understand("crop it to a square", masked=True)
    assert understood("make the car dark blue", masked=True) == "recolour dark blue"


@pytest.mark.parametrize(
    "prompt",
    [
        "make it a cartoon and a watercolour",
        "sharpen it and blur it",
        "crop 16:9 and extend to 16:9",
        "darken the background and blur it",
        "replace the sky with a sunset and remove the background",
        "add snow and add snow a lot",
    ],
)
def test_what_contradicts_itself_is_refused(prompt: str) -> None:
    assert understood(prompt) is None


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("crown, golden please, and background navy blue", "background navy blue; wear crown gold"),
        ("add a top hat, red, and blur the background", "blur background; wear top_hat red"),
        ("put a hat on him, blue background", "background blue; wear top_hat"),
        ("drain all colour except for red, like in that movie", "keepcolour red"),
    ],
)
def test_a_colour_belongs_to_what_it_is_named_after(prompt: str, plan: str) -> None:
    assert understood(prompt) == plan


def test_a_complaint_is_a_wish_unless_a_wish_follows() -> None:
    assert understood("the photo is blurry") == "sharpen"
    assert understood("too bright, make it a bit darker") == "tone darker"
    assert understood("it's too dark, can you fix it") == "tone brighter"
    assert understood("fix it") is None


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("crop for instagram story", "crop 9:16"),
        ("crop this for TikTok please", "crop 9:16"),
        ("crop it for my youtube thumbnail", "crop 16:9"),
        ("crop for my profile picture", "crop 1:1"),
        ("crop it to 4:5 for an instagram post", "crop 4:5"),
        ("crop closer to the dog for my instagram story", "crop"),
    ],
)
def test_a_crop_takes_the_shape_of_what_it_is_for(prompt: str, plan: str) -> None:
    assert understood(prompt) == plan


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [("blue sky pls!", "sky blue_sky"), ("blue sky, green grass", None), ("blue sky?", None)],
)
def test_a_blue_sky_is_wished_for_where_nothing_else_is_said(prompt: str, plan: str | None) -> None:
    assert understood(prompt) == plan


def test_what_a_picture_is_for_asks_for_nothing() -> None:
    assert understood("pastel pink background for my lip gloss listing") in (None, "background pastel pink")


def test_what_a_picture_is_already_is_not_wished_for() -> None:
    assert understood("It's a bit faded from the sun, boost the contrast.") in (None, "tone more_contrast")
