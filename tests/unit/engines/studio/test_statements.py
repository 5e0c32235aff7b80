"""Sentences around a wish: those that only tell are passed over, those that wish besides are not."""

from __future__ import annotations

import pytest

from support.studio_plans import by_rules, understood
from tollbrush.engines.studio.understanding.statements import sentences, without_statements
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.errors import CannotHonour


@pytest.mark.parametrize(
    ("prompt", "wished"),
    [
        (("This is my granddaughter Elsie on her first day at school, but the bins are right behind her. "
         "Could you put a plain white background there instead?"), "background white"),
        ("Grandma's eightieth was in a dingy pub, bless her. Make the photo look cosy please, like by the fire.",
         "tone cosy"),
        (("The office party photo shows things on the screens it shouldn't. Just make the entire picture blurry "
          "please, so I can use it behind the menu."), "blur"),
        (("My son made a film poster for media studies and his face fits but the look doesn't. "
         "Can you give the picture a cinematic look?"), "tone cinematic"),
        ('What a moody picture, I love that. Write "November" bottom right', 'write "November" bottom right'),
    ],
)  # fmt: skip
def test_what_others_tell_is_passed_over(prompt: str, wished: str) -> None:
    assert understood(prompt) == wished


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("Make it warmer. And grandad should be looking into the camera.", "grandad should be looking"),
        ("Add headphones to me, and my fingers should be on the DJ decks. I'm 71!", "my fingers should be"),
        ("Add a gold frame and a moustache on my brother. He should wear a kilt.", "wear a kilt"),
        ("I'd rather have a red door than this brown one. And please make the whole thing sharper.", "a red door"),
        ("I took this on the ferry to Mull. The fog came in about ten minutes later and it all went very moody.",
         "came in about ten minutes"),
        ("One hand is missing because I moved, could you draw it in?", "hand is missing"),
        ("My lad lost his baseball cap on the bus, he's inconsolable. It was a red one.", "baseball cap"),
        ("The snowman's lost his hat overnight. Give him a top hat!", "snowman"),
        ("The moon came out tiny on my phone. Make it three times as big, the rest stays.", "the rest stays"),
        ("Pixel art of this would be ace. Oh never mind, my son's done it.", "never mind"),
        ("Oh I didn't know it could do bunny ears", "asks for nothing"),
        ("I need it sharper and also as a tiff file for the print shop", "a tiff file"),
        ("I have another picture with a beautiful background, could you take that background for this one too",
         "another picture"),
        ("I want it in black and white but all of the colours have to stay exactly as they are",
         "colours have to stay"),
        ("please add a santa hat with the name Emma stitched on the white part", "with the name"),
        ("soft gradient in mauve behind me", "mauve"),
        ("My partner hates how the hedge looks in this one. Could you trim it?", "trim it"),
    ],
)  # fmt: skip
def test_what_is_wished_besides_or_only_told_is_refused(prompt: str, named: str) -> None:
    with pytest.raises(CannotHonour) as refused:
        understand(prompt, masked=False)
    assert named in f"{refused.value}"


@pytest.mark.parametrize(
    ("prompt", "wish"),
    [
        ("The sun was low. Make it warmer please.", "Make it warmer please."),
        ("add a blue sky, it was such a grey day", "add a blue sky"),
        ("make it warmer and sharper", None),
        ("He was happy there. She was elsewhere.", None),
        ("…", None),
    ],
)
def test_the_wish_between_statements(prompt: str, wish: str | None) -> None:
    assert without_statements(prompt) == wish


def test_a_quotation_ends_no_sentence() -> None:
    prompt = 'Write "Stop. Look! Listen: go" at the top. Thanks a lot'
    assert [prompt[start:end] for start, end in sentences(prompt)] == [
        'Write "Stop. Look! Listen: go" at the top.', "Thanks a lot",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("rotate it forty-five degrees", "rotate 45"),
        ("rotate it about five degrees clockwise", "rotate 5"),
        ("rotate it by one hundred and eighty degrees", "rotate 180"),
        ("make it black/white", "tone black_and_white"),
        ("watermark it with PROOF", 'watermark "PROOF"'),
        ("put PROOF as watermark", 'watermark "PROOF"'),
    ],
)
def test_numbers_in_words_and_marks_without_quotes(prompt: str, plan: str) -> None:
    assert by_rules(prompt) == plan


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("canvas wider on the right side", "extend right"),
        ("more breathing room above her head", "extend top"),
        (("It's our little gallery's opening and I'd like to see this portrait of the founder done as if in oils, "
         "with a gold frame."), "style oil; border gold"),
        ("I run a B&B in Whitby and this view needs drama. A stormy sky over the abbey, please.", "sky stormy"),
        ("For the invitation to Dad's 60th I'd like a party hat on him and a gold frame around the whole picture.",
         "wear party_hat; border gold"),
    ],
)  # fmt: skip
def test_each_word_is_of_its_own_wish(prompt: str, plan: str) -> None:
    assert understood(prompt) == plan
