"""The second reading: its plain words mean what they should, and its network is the one that learnt."""

from __future__ import annotations

from collections import Counter

import pytest
from bench.quality.grammar import counted
from bench.second_reading.examples import PARTS, WISHES, example, exams, wish_of
from hypothesis import given, settings
from hypothesis import strategies as st

from support.studio_plans import by_rules, understood
from tollbrush.engines.studio.understanding import second_reading
from tollbrush.engines.studio.understanding.second_reading import MOST_TOKENS, read_again
from tollbrush.engines.studio.understanding.second_reading.colours import TwiceError
from tollbrush.engines.studio.understanding.second_reading.degrees import degrees
from tollbrush.engines.studio.understanding.second_reading.network import Read, network
from tollbrush.engines.studio.understanding.second_reading.restating import restated
from tollbrush.engines.studio.understanding.second_reading.sentences import PLAIN, PLAIN_OF_ONE_COLOUR
from tollbrush.engines.studio.understanding.second_reading.tokens import QUOTED, tokens
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.engines.studio.understanding.words import read
from tollbrush.errors import CannotHonour


@pytest.mark.parametrize("wish", sorted(PLAIN))
def test_plain_words_mean_the_wish(wish: str) -> None:
    assert by_rules(PLAIN[wish]) == wish


@pytest.mark.parametrize("wish", sorted(PLAIN_OF_ONE_COLOUR))
def test_plain_words_take_a_colour(wish: str) -> None:
    plan = by_rules(PLAIN_OF_ONE_COLOUR[wish].format("purple"))
    assert plan is not None
    assert wish_of(plan) == wish
    assert "purple" in plan


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
        ("I want Happy Birthday Mia at the top", "write", {"happy": "text", "birthday": "text", "mia": "text"},
         'write "Happy Birthday Mia" at the top'),
        ('in white and big, bottom right: "Soup!"', "write", {"white": "write"},
         'write "Soup!" at the bottom right in white, large'),
        ("a red party hat, and a bow tie in blue", "wear party_hat; wear bow_tie", {"red": "wear", "blue": "wear"},
         "add a blue bow tie and add a red party hat"),
        ("the photo leans, 3 degrees to the left", "rotate N", {}, "rotate it by 3.0 degrees counterclockwise"),
        ("stamp Tom's on it", "write", {"tom": "text"}, "write \"Tom's\""),
        ("write LIMITED - 50%", "write", {"limited": "text"}, 'write "LIMITED - 50%"'),
        ("put DO NOT COPY all over", "watermark", {"do": "text", "not": "text", "copy": "text"},
         'add the watermark "DO NOT COPY"'),
        ("four by five for insta", "crop ratio", {}, "crop it to 4:5"),
        ("#003366 as background colour, our corporate blue", "background plain", {},
         "change the background to #003366"),
        ("upscale by factor three", "enlarge", {}, "enlarge it 3 times"),
        ("three times the size", "enlarge", {}, "enlarge it 3.0 times"),
        ("more room on the left and at the bottom", "extend sides", {}, "extend it to the left and downwards"),
        ("a touch, it's all so cold", "tone warmer", {}, "make the picture warmer a little"),
    ],
)  # fmt: skip
def test_parts_are_put_in_their_places(prompt: str, wishes: str, parts: dict[str, str], plain: str) -> None:
    seen = tokens(prompt)
    told = Read(frozenset(wishes.split("; ")), 1.0, 1.0, tuple(parts.get(token.word, "") for token in seen))
    assert restated(prompt, seen, told) == plain
    assert by_rules(plain) is not None


@pytest.mark.parametrize(
    ("prompt", "wishes", "parts"),
    [
        ("another colour behind me", "background plain", {}),
        ("red or blue behind me", "background plain", {"red": "background", "blue": "background"}),
        ("write something", "write", {}),
        ("blur me, not the background", "blur background", {}),
        ("make the colors of the sneakers more vivid", "tone more_saturation", {}),
        ("pink and white around it", "border", {"pink": "border", "white": "border"}),
        ("stamp VOID ON IT as a watermark", "watermark", {"void": "text"}),
        ("twist it by minus 15 degrees", "rotate N", {}),
        ("+2 EV of brightness", "tone brighter", {}),
        ("a golden one like queens have, and sunglasses", "wear crown; wear sunglasses", {"golden": "wear"}),
        ('write "a" and "b"', "write", {}),
        ("everything red in another colour", "recolour", {"red": "from"}),
        ("make it larger", "enlarge", {}),
    ],
)
def test_a_wish_without_its_part_has_no_plain_words(prompt: str, wishes: str, parts: dict[str, str]) -> None:
    seen = tokens(prompt)
    told = Read(frozenset(wishes.split("; ")), 1.0, 1.0, tuple(parts.get(token.word, "") for token in seen))
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


@pytest.mark.parametrize(
    "prompt",
    [
        "change the background to a purple sunset",
        "remove everything except the background",
        "the background should be not out of focus",
        "I not want a transparent background",
        "Replace the background with a beautiful warm sunset. not",
        "make it look less vintage, like a modern photo again",
        "there's a crown on her head, sharpen it",
        "mountains in the background instead of the dog",
    ],
)
def test_what_no_judgement_may_pass_over(prompt: str) -> None:
    again = read_again(prompt)
    assert again is not None
    assert again.plain is None


@pytest.mark.parametrize(
    ("prompt", "plan"),
    [
        ("can you do that iPhone thing where the background goes blurry", "blur background"),
        ("all the green in this picture should be orange", "recolour green orange"),
        ("can the whole picture lean a bit more towards yellow", "tone more_yellow"),
    ],
)
def test_words_that_no_rule_foresaw_are_understood(prompt: str, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_rules(prompt) is None
    assert understood(prompt) == plan
    monkeypatch.setattr(second_reading, "SURE", 1.1)
    monkeypatch.setattr(second_reading, "SURE_OF_ONE", 1.1)
    assert understood(prompt) is None


def test_of_what_strangers_ask_nine_tenths_are_understood_and_next_to_nothing_wrongly() -> None:
    """Nothing was learnt from these prompts."""
    count = sum((counted(prompts) for prompts in exams().values()), Counter[str]())
    doable = count["right"] + count["wrong"] + count["lost"]
    assert doable >= 400
    assert count["right"] >= 0.9 * doable
    assert count["wrong"] <= 0.01 * doable
    assert count["refused"] >= 0.99 * (count["refused"] + count["acted"])


@pytest.mark.parametrize(
    ("prompt", "wishes", "amounts"),
    [
        ("a bit brighter, and the kitchen behind me strongly blurred",
         {"tone brighter": "brighter", "blur background": "blurred"},
         {"tone brighter": " a little", "blur background": " a lot"}),
        ("a little more contrast and a crown", {"tone more_contrast": "contrast", "wear crown": "crown"},
         {"tone more_contrast": " a little"}),
        ("a very big crown and warmer", {"wear crown": "crown", "tone warmer": "warmer"}, {}),
        ("warmer and sharper, just a bit", {"tone warmer": "warmer", "sharpen": "sharper"},
         {"sharpen": " a little"}),
        ("it is really my favourite, make it warmer", {"tone warmer": "warmer"}, {}),
    ],
)  # fmt: skip
def test_each_wish_keeps_its_degree(prompt: str, wishes: dict[str, str], amounts: dict[str, str]) -> None:
    seen = tokens(prompt)
    words = [token.word for token in seen]
    places = {wish: words.index(word) for wish, word in wishes.items()}
    told = Read(frozenset(wishes), 1.0, 1.0, ("",) * len(seen), places)
    assert degrees(read(prompt), seen, told) == amounts


def test_a_wish_of_two_degrees_is_not_put_in_plain_words() -> None:
    prompt = "slightly warmer warmer strongly"
    seen = tokens(prompt)
    with pytest.raises(TwiceError):
        degrees(read(prompt), seen, Read(frozenset({"tone warmer"}), 1.0, 1.0, ("",) * 3, {"tone warmer": 1}))


@pytest.mark.parametrize("gold", ["write", "wear"])
def test_a_colour_stays_with_what_it_stands_beside(gold: str) -> None:
    prompt = 'Crown in gold, pink background and "Mia" at the top'
    seen = tokens(prompt)
    wishes = {"wear crown": 0, "background plain": 5, "write": 7}
    parts = tuple({"gold": gold, "pink": "background"}.get(token.word, "") for token in seen)
    told = restated(prompt, seen, Read(frozenset(wishes), 1.0, 1.0, parts, wishes))
    plain = 'change the background to pink and add a gold crown and write "Mia" at the top'
    assert told == (None if gold == "write" else plain)


def test_a_tone_of_the_background_is_not_one_of_the_picture() -> None:
    prompt = "the background should get more contrast"
    seen = tokens(prompt)
    told = Read(frozenset({"tone more_contrast"}), 1.0, 1.0, ("",) * len(seen), {"tone more_contrast": len(seen) - 1})
    assert restated(prompt, seen, told) is None


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("please crop it to a 16:9", ["16", ":", "9"]),
        ("a jet black background", ["jet", "black"]),
        ("the #ff8800 background", ["#ff8800"]),
    ],
)
def test_what_means_itself_is_no_courtesy(prompt: str, words: list[str]) -> None:
    roles = {token.word: token.roles for token in tokens(prompt)}
    assert all(roles[word] and "COURTESY" not in roles[word] for word in words)
    assert "COURTESY" in roles["a" if "a" in roles else "the"]


def test_of_two_tellings_of_one_wish_a_certain_reading_takes_the_one_asked_for() -> None:
    assert understood("more golden warmth in the colors, the photo of our cabin looks chilly") == "tone warmer"
    assert understood("white background and make it brighter") == "background white; tone brighter"


@pytest.mark.parametrize(
    "prompt",
    ["make it warmer and make it cooler", "blur it, then sharpen it", "white background, then a black background",
     "crop it square and crop it to 16:9", "rotate it left, rotate it right", "make it brighter but make it darker",
     "add snow and add snow a lot", "black and white but keep it colourful"],
)  # fmt: skip
def test_what_is_ordered_twice_and_differently_is_refused_however_sure_a_reading_is(prompt: str) -> None:
    assert understood(prompt) is None


def test_every_wish_is_known_to_the_network() -> None:
    assert list(network().wishes) == WISHES
    assert tuple(network().part_names) == PARTS


def test_what_is_short_or_just_said_is_taken_at_its_word() -> None:
    assert understood("crop") == "crop"
    assert understood("make this black and white") == "tone black_and_white"
    assert understood("change the background to tan") == "background tan"


def test_as_many_words_as_it_takes_in_are_read() -> None:
    assert read_again("word " * MOST_TOKENS) is not None


@pytest.mark.parametrize("prompt", ["", "   ", "word " * (MOST_TOKENS + 1)])
def test_nothing_and_too_much_is_not_read_again(prompt: str) -> None:
    assert read_again(prompt) is None


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120) | st.lists(st.sampled_from(sorted(PLAIN.values())), max_size=4).map(" ".join))
def test_whatever_is_typed_is_read_without_harm(prompt: str) -> None:
    again = read_again(prompt)
    assert again is None or (0 <= again.sureness <= again.only <= 1)


@pytest.mark.parametrize("prompt", ["what about fog? no idea", "get the snowflakes off the photo"])
def test_what_the_rules_take_for_a_wish_is_refused_where_it_cannot_be_one(prompt: str) -> None:
    assert by_rules(prompt) is not None
    with pytest.raises(CannotHonour, match="is not sure that"):
        understand(prompt, masked=False)


def test_what_is_masked_is_never_read_again() -> None:
    prompt = "can you do that iPhone thing where the background goes blurry"
    assert understood(prompt, masked=True) is None
