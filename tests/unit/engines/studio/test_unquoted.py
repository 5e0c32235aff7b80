"""Words to be written that nobody put in quotes are written whole, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.studio_plans import understood
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.engines.studio.understanding.unquoted import end, spans, with_quotes
from tollbrush.errors import CannotHonour


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("write In loving memory at the bottom in white", "In loving memory"),
        ("add a watermark saying © J. Miller Photography", "© J. Miller Photography"),
        ("write Meet me at the top of the hill at the bottom", "Meet me at the top of the hill"),
        ("write Happy Birthday Rose in pink", "Happy Birthday Rose"),
        ("write Over the top at the bottom", "Over the top"),
        ("write Top Right Hotel at the bottom", "Top Right Hotel"),
        ("write Slow down", "Slow down"),
        ("write Lisbon, Portugal at the bottom", "Lisbon, Portugal"),
        ("write Salt and Pepper at the top", "Salt and Pepper"),
        ("meme: WHEN THE WIFI DIES, top, white, large", "WHEN THE WIFI DIES"),
        ("put my name on it: Sofia Reyes, top left, white", "Sofia Reyes"),
        ("write it's a boy! at the top in light blue", "it's a boy!"),
        ("watermark it with @wildlife.tom", "@wildlife.tom"),
        ("put VOID as a watermark over the ticket", "VOID"),
        ("write VENDU in large white capital letters in the centre", "VENDU"),
    ],
)
def test_a_text_ends_where_its_place_colour_or_the_prompt_does(prompt: str, text: str) -> None:
    assert text in [prompt[first:last] for first, last in spans(prompt)]


@pytest.mark.parametrize(
    "prompt",
    [
        "at the top write Lost since Tuesday and at the bottom Call 0161 555 0199",
        "write LOL top and OMG bottom",
        "TOP: teacher: the test is easy BOTTOM: the test:",
        "write VENDU on the sign in the garden",
        "write Bon voyage, then delete it",
        "write Hello in Comic Sans at the top",
        "write Happy Birthday Mom and sharpen",
        "write Happy Birthday Mom, brighter",
        "write Happy Birthday Mom :)",
        "write Happy Birthday Mom\nmake it black and white",
        "write Rex but not in red",
        "the SHUTTERSTOCK watermark is in the way",
        "there is a DRAFT watermark on it",
        "no DRAFT watermark please, blur the background",
        "make it twice as bright",
        "mirror it 2 times",
    ],
)
def test_where_it_is_doubtful_nothing_is_done(prompt: str) -> None:
    with pytest.raises(CannotHonour):
        understand(prompt, masked=False)


@given(text=st.from_regex(r"[A-Z][a-z]{2,8}( (of|for|my|the|[A-Z]?[a-z]{3,8})){0,4} [A-Z][a-z]{2,8}", fullmatch=True))
def test_no_text_is_written_in_part(text: str) -> None:
    written = understood(f"write {text} at the bottom")
    assert written in (None, f'write "{text}" bottom')


@given(st.text(max_size=60), st.integers(0, 59))
def test_any_prompt_has_an_end_or_none(prompt: str, first: int) -> None:
    last = end(prompt, min(first, len(prompt)))
    assert last is None or first <= last <= len(prompt)


@pytest.mark.parametrize("prompt", ["word " * 119 + "x", "text: " * 99, "write at the top " * 35])
def test_no_prompt_has_many_texts_to_try(prompt: str) -> None:
    assert len([*spans(prompt)]) <= 36


@given(st.text(max_size=60))
def test_quotation_marks_change_no_letter(prompt: str) -> None:
    assert (with_quotes(prompt) or prompt).replace('"', "") == prompt.replace('"', "")


@pytest.mark.parametrize(
    "prompt", ["blur the background, never mind", "mirror it nvm", "add a hat, nah", "sepia... nope"]
)
def test_what_is_taken_back_is_not_done(prompt: str) -> None:
    with pytest.raises(CannotHonour, match="takes back"):
        understand(prompt, masked=False)


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("old western feel: sepia and a vignette", "tone sepia; vignette"),
        ("write Happy Birthday Mom. Blur the background.", 'blur background; write "Happy Birthday Mom" bottom'),
        ("looks washed out. more pop in the colours and more contrast", "tone more_contrast; tone more_saturation"),
    ],
)
def test_no_wish_is_dropped_that_the_second_reading_is_sure_of(prompt: str, plan: str) -> None:
    assert understood(prompt) == plan
