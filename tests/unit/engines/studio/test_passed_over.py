"""What the rules pass over: no wish, and nothing that makes one doubtful."""

from __future__ import annotations

import pytest

from support.studio_plans import by_rules, understood
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.errors import CannotHonour


@pytest.mark.parametrize(
    "prompt",
    [
        "red hearts all over, pink backdrop, heart glasses on me",
        "darker, more green in the tones",
        "dreamy, faded, slightly pink light leaks at the side",
        "a close-up of just their hands from this, HDR",
        "specs for me... the ones shaped like hearts",
        "less saturated and faded like a bad memory",
        "a wide black border, and before that its horizon should be straightened",
        "She'd be in sepia, with a vignette round it, and a top hat.",
        "I'd like the photo of our band with the trombones in silver rather than gold. Then a navy blue frame.",
        "Add a beach background and matching wet sand reflections under her feet.",
        "Make it warmer. And grandad should be looking into the camera.",
        "We localise our app for winter: show snow falling across the picture and cool the colours down.",
        "can u blur out the bin behind my gran on the bench",
        "soften the entire image with a blur",
    ],
)
def test_half_a_prompt_is_not_done_by_rule(prompt: str) -> None:
    assert by_rules(prompt) is None


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("crop the dog to 4:5", "crop 4:5"),
        ("Crop us to 3:2 and add film grain", "tone grainy; crop 3:2"),
        ("mirror it upside down", "flip vertical"),
        ("turn it upside down", "rotate 180"),
        ("warm it up, pull down saturation, touch of grain", "tone warmer; tone less_saturation; tone grainy"),
        ("grey all but the reds", "keepcolour red"),
    ],
)
def test_all_of_a_prompt_is_done_by_rule(prompt: str, plan: str) -> None:
    assert by_rules(prompt) == plan


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("Put a party hat on our statue of the founder.", "statue of"),
        ("There's a stone angel by the gate. Give it a golden halo.", "stone angel"),
        ("soft focus behind her please", "soft focus behind"),
        ("a little older, black and white, soft dark corners", "a little older"),
        ("colour the black and white picture in, and add a border", "black and white"),
        ("full colours like now but please in sepia", "full colours"),
        ("his tie hangs crooked, straighten that", "tie hangs crooked"),
        ("Zoom portrait, my bedroom is a tip. Put a smooth gradient behind me.", "Zoom portrait"),
        ("make it grainy like old film, my face excluded", "face excluded"),
        ("blur the whole background, all but the church", "all but the church"),
        ("this one is sharper than the last", "than the last"),
        ("The bears go on a page with a pale blue background. Do that please, and a thin white border.", "pale blue"),
        ("make it more blue, warm it up", "warmer"),
    ],
)
def test_what_is_doubtful_is_refused_by_its_words(prompt: str, named: str) -> None:
    with pytest.raises(CannotHonour) as refused:
        understand(prompt, masked=False)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("he's literally in his kitchen 😂 stick some shades on him and put a beach behind him",
         "background beach; wear sunglasses"),
        ("bestie turns 21 n she calls herself the queen so gold crown on her n make it all pink behind her",
         "background pink; wear crown gold"),
        ("Anna in a crown, brighten it", "tone brighter"),
        ("He wants a clear blue sky instead, so do that.", "sky blue_sky"),
        ("dark grey backdrop and 'The Quiet Ones' in white in the bottom left, quite large",
         'background dark grey; write "The Quiet Ones" bottom left white large'),
        ("this is my dad putting on a santa hat, crop it square", "crop 1:1"),
        ('add "a crown"', "wear crown"),
        ("Background removed. It's for my shop.", "cut out"),
        ("I need your help. Please do this, make it warmer.", "tone warmer"),
        ("colour it in sepia", "tone sepia"),
        ("denoise it for our podcast cover", "denoise"),
        ("Our picture looks dull. More saturation and a warmer feel please.", "tone more_saturation; tone warmer"),
        ("Put sunglasses on the man, everything else stays.", "wear sunglasses"),
        ("Replace the dull sky with one at sunset and keep the building as it is.", "sky sunset"),
        ("Boost the contrast and leave the geometry unchanged.", "tone more_contrast"),
        ("For our page: grey studio backdrop, crop to the person, slightly cooler colors",
         "background grey studio; tone cooler; crop"),
    ],
)  # fmt: skip
def test_what_is_wished_after_what_is_told_is_done(prompt: str, plan: str) -> None:
    assert understood(prompt) == plan


@pytest.mark.parametrize(
    "prompt",
    [
        "make it warmer and leave the sky as it is",
        "make it sepia, keep the faces unchanged",
        "replace the sky with a sunset, keep the left half as it is",
        "darken the background, leave the fountain behind the couple as it is",
        "eye patch for the boy in the striped shirt, the others stay as they are",
        "put a crown on her, leave him as he is",
        "add sunglasses to me and keep my brother unchanged",
        "replace the background with a beach but keep the mountains as they are",
        "replace the sky with a sunset but leave the clouds as they are",
        "make it 1:1 while keeping the aspect ratio",
        "flip it but keep the composition",
        "blur the background, leave the man and delete the woman alone",
        "blur the background and leave her face but remove the pimple intact",
    ],
)
def test_what_is_changed_all_the_same_cannot_be_left_as_it_is(prompt: str) -> None:
    assert understood(prompt) is None


def test_a_wish_with_nothing_before_it_is_read_without_a_crash() -> None:
    with pytest.raises(CannotHonour):
        understand("I look like shot on the moon, everything has this icy tint, bring me back to earth", masked=False)
