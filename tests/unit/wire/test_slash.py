"""The slash grammar, word for word."""

from __future__ import annotations

import shlex
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tollbrush.errors import BadRequest
from tollbrush.wire.slash import FLAGS, SlashCommand, is_command, parse, parse_words

THREE = [
    (
        "/img2img --image ~/photo.png change the background to a starry sky",
        SlashCommand("change the background to a starry sky", ("~/photo.png",)),
    ),
    (
        "/img2img --image ./cat.jpg --mask ./mask.png remove the background",
        SlashCommand("remove the background", ("./cat.jpg",), mask="./mask.png"),
    ),
    (
        "/img2img --image /tmp/portrait.png --size 1536x1024 add a hat",
        SlashCommand("add a hat", ("/tmp/portrait.png",), size="1536x1024"),
    ),
]


@pytest.mark.parametrize(("text", "command"), THREE)
def test_the_three_published_lines(text: str, command: SlashCommand) -> None:
    assert parse(text) == command
    assert parse_words(text.split()) == command
    assert parse_words(text.split()[1:]) == command


def test_flags_anywhere_and_both_spellings() -> None:
    want = SlashCommand("add a hat", ("a.png",), None, "studio", "auto", 2, 7, Decimal("0.05"), True)
    before = "/img2img --image a.png --model studio --size auto --n 2 --seed 7 --max-price 0.05 --again add a hat"
    after = "/img2img add a hat --image=a.png --model=studio --size=auto --n=2 --seed=7 --max-price=$0.05 --again"
    around = "  /img2img\n--n 2 add --model studio a --image a.png --again hat --seed=7 --size=auto --max-price=0.05 "
    assert parse(before) == parse(after) == parse(around) == want


@pytest.mark.parametrize(
    ("typed", "image"),
    [
        ('"my photo.png"', "my photo.png"),
        ("'my photo.png'", "my photo.png"),
        ("“my photo.png”", "my photo.png"),
        ("‘my photo.png’", "my photo.png"),
        ("„my photo.png“", "my photo.png"),
        ("«my photo.png»", "my photo.png"),
        ("'my \"best\" photo.png'", 'my "best" photo.png'),
        ("'it's me.png'", "it's me.png"),
        ('"two\nlines.png"', "two\nlines.png"),
        ('"--odd.png"', "--odd.png"),
        ("dog's.png", "dog's.png"),
        ("5\"x7\".png", '5"x7".png'),
        ("http://x.example/?a=b&c=d", "http://x.example/?a=b&c=d"),
        ("фото.png", "фото.png"),
    ],
)  # fmt: skip
def test_quoted_paths(typed: str, image: str) -> None:
    assert parse(f"/img2img --image {typed} add a hat") == SlashCommand("add a hat", (image,))
    assert parse(f"/img2img add a hat --image={typed}") == SlashCommand("add a hat", (image,))


@pytest.mark.parametrize(
    ("typed", "prompt"),
    [
        ("don't touch the dogs' bowl", "don't touch the dogs' bowl"),
        ("'tis a 'nice hat", "'tis a 'nice hat"),
        ("write “hello --seed 5” on it", "write “hello --seed 5” on it"),
        ('"add a hat"', "add a hat"),
        ('a 5" border', 'a 5" border'),
        ('an unclosed "quote here', 'an unclosed "quote here'),
        ("rock 'n' roll", "rock 'n' roll"),
        ("a hat - blue -ish", "a hat - blue -ish"),
        ("a hat – blue — and red", "a hat – blue — and red"),
        ("-- --n is a letter", "--n is a letter"),
        ("  many   blanks\n\there ", "many blanks here"),
    ],
)
def test_the_prompt_keeps_its_letters(typed: str, prompt: str) -> None:
    assert parse(f"/img2img --image a.png {typed}").prompt == prompt


def test_dashes_of_phones_are_flags() -> None:
    assert parse("/img2img —image a.png –n=2 add a hat") == SlashCommand("add a hat", ("a.png",), n=2)


def test_several_images_and_attached_ones() -> None:
    assert parse("/img2img --image a.png mix --image b.png", ["data:c"]).images == ("a.png", "b.png", "data:c")
    assert parse("/img2img add a hat", ["data:c"]).images == ("data:c",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/img2img --image a.png --sizes 1x1 hat", "unknown flag '--sizes'. Known: --image, --mask"),
        ("/img2img --image a.png --strength=2 hat", "unknown flag '--strength'"),
        ("/img2img —imgae a.png hat", "unknown flag '--imgae'"),
        ("/img2img --image", "--image needs a value"),
        ("/img2img hat --mask --image a.png", "--mask needs a value"),
        ('/img2img hat --image ""', "--image has an empty value"),
        ("/img2img hat --image=", "--image has an empty value"),
        ("/img2img hat", "no picture was given"),
        ("/img2img --image a.png", "prompt is empty"),
        ("/img2img --image a.png --size 1024X1024 hat", "size '1024X1024' is not WIDTHxHEIGHT"),
        ("/img2img --image a.png --size 1x1 --size 2x2 hat", "--size is given 2 times"),
        ("/img2img --image a.png --n two hat", "n must be a whole number"),
        ("/img2img --image a.png --n 11 hat", "n is 11; it must be 1 to 10"),
        ("/img2img --image a.png --n ٢ hat", "n must be a whole number"),
        ("/img2img --image a.png --seed -1 hat", "seed must be a whole number"),
        ("/img2img --image a.png --max-price 0 hat", "'0' is not an amount"),
        ("/img2img --image a.png --max-price 1e9 hat", "'1e9' is not an amount"),
        ("/img2img --image a.png --again=yes hat", "--again takes no value"),
        ("/img2imgs --image a.png hat", "must begin with /img2img"),
        ("please /img2img --image a.png hat", "must begin with /img2img"),
        (f"/img2img --image a.png {'x' * 32_001}", "32,001 characters"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(text)
    assert says in caught.value.sentence()


def test_words_of_a_shell_are_taken_as_they_are() -> None:
    line = """--image 'my "odd" photo.png' --mask="it's.png" -- --n is "a letter" """
    want = SlashCommand("--n is a letter", ('my "odd" photo.png',), mask="it's.png")
    assert parse_words(shlex.split(line)) == want
    assert parse_words(["--image", "a b.png", "add a hat"]).prompt == "add a hat"
    with pytest.raises(BadRequest, match="unknown flag '--sise'"):
        parse_words(["--image", "a.png", "--sise", "hat"])


def test_only_the_word_itself_is_the_command() -> None:
    assert is_command(" \n/img2img\nx") and is_command("/img2img")
    assert not is_command("/img2imgx") and not is_command("say /img2img") and not is_command("")


WORDS = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"], exclude_characters="\"'“”„‘’«»—–-="), min_size=1)
PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"”'), min_size=1)


@settings(max_examples=100, deadline=None)
@given(
    words=st.lists(WORDS, min_size=1, max_size=6),
    images=st.lists(PATHS, min_size=1, max_size=3),
    mask=st.none() | PATHS,
    size=st.none() | st.just("1536x1024"),
    n=st.none() | st.integers(1, 10),
    where=st.integers(0, 6),
    equals=st.booleans(),
)
def test_what_is_written_is_read(
    words: list[str],
    images: list[str],
    mask: str | None,
    size: str | None,
    n: int | None,
    where: int,
    equals: bool,
) -> None:
    join = "=" if equals else " "
    flags = [f'--image{join}"{image}"' for image in images]
    flags += [f'--mask{join}"{mask}"'] if mask is not None else []
    flags += [f"--size{join}{size}"] if size else []
    flags += [f"--n{join}{n}"] if n else []
    assume(not any(w.isspace() for w in words))
    line = ["/img2img", *words[:where], *flags, *words[where:]]
    assert parse(" ".join(line)) == SlashCommand(" ".join(words), tuple(images), mask, size=size, n=n)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab \n\"'“”‘’=-—/.--n5$"), max_size=60))
def test_any_text_is_read_or_refused(tail: str) -> None:
    try:
        command = parse(f"/img2img --image a.png {tail}")
    except BadRequest as refused:
        assert refused.message
    else:
        assert command.images[0] == "a.png" and command.prompt.strip()


def test_odd_quotes_take_linear_work() -> None:
    assert parse("/img2img --image a.png " + "\"a 'b " * 5000).prompt.count('"') == 5000


def test_the_flags_are_those_of_the_help() -> None:
    import tollbrush.wire.slash as module

    assert module.__doc__ is not None and all(flag in module.__doc__ for flag in FLAGS)
