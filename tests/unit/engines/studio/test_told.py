"""What a prompt tells of the picture, praises, takes back or leaves in doubt is not done."""

from __future__ import annotations

import pytest

from support.studio_plans import understood
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.errors import CannotHonour


def edits(plan: str | None) -> list[str]:
    """The plan's own order is not the prompt's."""
    return sorted((plan or "refused").split("; "))


@pytest.mark.parametrize(
    ("prompt", "wished"),
    [
        ("me in a santa hat, brighten it", "tone brighter"),
        ("picture of me on the beach, brighten it", "tone brighter"),
        ("my rainy day photo, make it cozy", "tone cosy"),
        ("this is a sketch, make it darker", "tone darker"),
        ("this is my dog in the snow, make it warmer", "tone warmer"),
        ("snow photo, make it warmer", "tone warmer"),
        ("storm over the harbour, mirror it", "flip horizontal"),
        ("love the contrast, add a white border", "border white"),
        ("cute bunny ears on her! make everything look like a watercolor", "style watercolour"),
        ("bday card for grandma who collects watercolours, add a border in pink", "border pink"),
        ("make it sepia, we want to frame it", "tone sepia"),
    ],
)
def test_what_is_only_told_is_left_out(prompt: str, wished: str) -> None:
    assert edits(understood(prompt)) == edits(wished)


@pytest.mark.parametrize(
    ("prompt", "wished"),
    [
        ("santa hat on my son, and brighten it", "tone brighter; wear santa_hat"),
        ("make it a sketch and a bit darker", "style sketch; tone darker"),
        ("I'd love warm tones", "tone warmer"),
        ("a black and white photo please", "tone black_and_white"),
        ("put a crown on my mum, and blur the background", "blur background; wear crown"),
        ("add a white frame", "border white"),
        ("I would like the photo with more contrast and less yellow", "tone more_contrast; tone more_blue"),
    ],
)
def test_what_is_wished_in_like_words_is_done(prompt: str, wished: str) -> None:
    assert edits(understood(prompt)) == edits(wished)


@pytest.mark.parametrize(
    "prompt",
    [
        "I love the warm tones",
        "great contrast",
        "great vignette!",
        "I like it blurry",
        "it's too dark but I like it that way",
        "Really cinematic, well done",
        "man with beard, wearing glasses; give him a bow tie",
        "darken only the wall behind the sofa",
        "headphones on my husband, large speakers next to him",
        "The black frame on this photo is too heavy for my taste.",
        "make the whole photo blurry, I need a backdrop for slides",
        "make it look less vintage, like a modern photo again",
        "the colours on my old postcard have faded",
        "pencil sketch in colour",
        "Nice boss, nice clown nose, great party",
        "The sky above the church was so pretty that evening.",
        "mountains are blue, water is calm, we're happy",
        "the black frame needs to go",
        "colour this old black and white picture",
        "cat ears on our bulldog",
        "glasses with green frames for me",
        "make it 16:9 without cutting anything off, just add more at the sides",
        "put Sunset Boulevard behind me",
        "make it warmer in here, I'm freezing at my desk",
        "thanks for the blue sky!",
        "write at the top in red",
        "lift the shadows under my eyes, I look so tired",
        "cut the vase out of the picture, I only want to see the table",
        "black and white except her dress",
        "Selfie with headphones on, 9:16 please",
        "a black and white picture of my great-grandmother, colour it in",
        "we want to frame it",
        "this will hang between a sepia photo and an oil painting",
        "it's for a halloween party where everybody wears witch hats",
        "me with my first real beard, pretty proud of it",
        "She already looks like an angel with that halo",
        "put a party hat on two of them",
        "for my dog's birthday, put a party hat on him",
        'write "MENU" upside down at the bottom',
    ],
)
def test_what_may_be_told_or_wished_is_refused(prompt: str) -> None:
    with pytest.raises(CannotHonour):
        understand(prompt, masked=False)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("blur it, never mind", "never mind"),
        ("put a green border, sorry, I meant gold", "sorry"),
        ("rotate left, oops, right, by 90", "oops"),
        ("mirror it vertically, I mean horizontally", "I mean horizontally"),
        ("add a red, no, blue border", "no"),
        ("snow, oh wait it's july, rain then", "oh wait"),
        ("blur the background, actually wait, I'll do it myself", "I'll do it myself"),
        ("crop it the way you did for my sister", "the way you did"),
        ("as bright as the last one", "as the last one"),
        ("do visa photos need a white background?", "do visa photos need a white background"),
        ("should the background be blurred?", "should the background be blurred"),
    ],
)
def test_second_thoughts_are_refused_by_their_words(prompt: str, words: str) -> None:
    with pytest.raises(CannotHonour) as refused:
        understand(prompt, masked=False)
    assert f'"{words}"' in str(refused.value)


@pytest.mark.parametrize(
    "prompt",
    ["less noise, please", "sorry, can you make it brighter?", 'write "Oops, my mistake" at the top'],
)
def test_the_words_of_second_thoughts_elsewhere_are_none(prompt: str) -> None:
    assert understood(prompt) is not None


@pytest.mark.parametrize(
    ("prompt", "wished"),
    [
        ("too dark, grainy", "tone brighter; denoise"),
        ("too dark, blurry", "tone brighter; sharpen"),
        ("too dark and too blurry", "tone brighter; sharpen"),
        ("too dark and yellow", "tone brighter; tone more_blue"),
        ("its tilted and dark", "tone brighter; straighten"),
        ("too bright, too yellow", "tone darker; tone more_blue"),
        ("too dark, warm", "tone brighter; tone warmer"),
        ("it's too dark and a bit blurry", "tone brighter; sharpen"),
    ],
)
def test_every_complaint_counts(prompt: str, wished: str) -> None:
    assert edits(understood(prompt)) == edits(wished)


@pytest.mark.parametrize(
    ("prompt", "wished"),
    [
        ("is it possible to get rid of the background?", "cut out"),
        ("What about a santa hat for grandpa?", "wear santa_hat"),
        ("could the sky be starry?", "sky starry"),
    ],
)
def test_wishes_are_asked_for_too(prompt: str, wished: str) -> None:
    assert understood(prompt) == wished


@pytest.mark.parametrize(
    ("prompt", "wished"),
    [
        ("the band on stage, crop to 4:5 for the feed please", "crop 4:5"),
        ("me and Joss on the roof in Brooklyn, film grain and a faded look", "tone faded; tone grainy"),
        ("my saxophone on the bed. I want it on black", "background black"),
        ("Macarons on my stove... a mint green background would look fresh", "background mint green"),
        ("our boat in the harbour at Lerwick, give it a cinematic look", "tone cinematic"),
    ],
)
def test_a_caption_is_passed_over(prompt: str, wished: str) -> None:
    assert edits(understood(prompt)) == edits(wished)


@pytest.mark.parametrize(
    "prompt",
    [
        "longer hair, make it warmer",
        "a dragon on my shoulder, black and white",
        "the other kids away, crop it square",
        "the dog is a cat, make it warmer",
        "new curtains, warmer",
        "rust on the car, plus grain",
        "elf ears, green hat",
        "our labrador Milo by the tree, a santa hat on him would be adorable",
        "my forehead is shiny, tame the highlights there",
    ],
)
def test_a_wish_that_cannot_be_done_is_no_caption(prompt: str) -> None:
    assert understood(prompt) is None
