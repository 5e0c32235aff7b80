from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbrush.domain.edits import EditRequest, Size, check_choice, check_int, check_prompt, parse_size
from tollbrush.errors import BadRequest

REQUEST = EditRequest("studio", "add a hat", (b"picture",))


@given(st.integers(1, 99_999), st.integers(1, 99_999))
def test_sizes_read_back(width: int, height: int) -> None:
    assert Size.parse(str(Size(width, height))) == Size(width, height)


@pytest.mark.parametrize(
    "text",
    ["1024X1024", "1024x", "x1024", "01x1", "1024×1024", "١٠٢٤x1024", "1024x1024\n", " 1x1", "0x5", "1e3x5", "",
     "123456x1", "-1x5", "1024x1024x3", "AUTO"],
)  # fmt: skip
def test_other_sizes_are_refused_with_their_value(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_size(text)
    assert refused.value.details[0].path == "size"
    assert repr(text)[1:6] in str(refused.value)


def test_auto_is_none() -> None:
    assert parse_size("auto") is None


@pytest.mark.parametrize("value", [0, 11, "two", "2", 2.0, True, None, [1], 10**30])
def test_n_is_a_whole_number_from_1_to_10(value: object) -> None:
    with pytest.raises(BadRequest) as refused:
        check_int(value, "n", 1, 10)
    assert "1 to 10" in refused.value.message
    assert len(refused.value.message) < 120


def test_prompts() -> None:
    assert check_prompt("x" * 32_000) == "x" * 32_000
    for bad in ("", "   ", None, 7, "x" * 32_001):
        with pytest.raises(BadRequest):
            check_prompt(bad)


def test_a_choice_names_the_choices() -> None:
    with pytest.raises(BadRequest, match="crop, pad, stretch"):
        check_choice("squash", "fit", ("crop", "pad", "stretch"))


def test_digest_follows_every_field() -> None:
    variants = [
        REQUEST,
        replace(REQUEST, model="gpt-image"),
        replace(REQUEST, prompt="add a hat "),
        replace(REQUEST, sources=(b"picture", b"")),
        replace(REQUEST, sources=(b"pictur", b"e")),
        replace(REQUEST, mask=b""),
        replace(REQUEST, mask=b"m"),
        replace(REQUEST, size=None),
        replace(REQUEST, n=2),
        replace(REQUEST, seed=0),
        replace(REQUEST, fit="pad"),
        replace(REQUEST, mask_mode="luma"),
        replace(REQUEST, output_format="png"),
    ]
    assert len({v.digest() for v in variants}) == len(variants)
    assert REQUEST.digest() == replace(REQUEST).digest()


@pytest.mark.parametrize(
    ("found", "wanted", "passes"),
    [((1024, 1024), (1024, 1024), True), ((1248, 832), (1536, 1024), True), ((1024, 1024), (1280, 1024), True),
     ((1000, 900), (1024, 1024), True), ((4096, 4096), (1024, 1024), True), ((1, 1), (1024, 1024), False),
     ((512, 512), (1024, 1024), False), ((1024, 1024), (1536, 1024), False), ((1024, 512), (1024, 1024), False)],
)  # fmt: skip
def test_what_passes_for_a_size(found: tuple[int, int], wanted: tuple[int, int], passes: bool) -> None:
    assert Size(*found).passes_for(Size(*wanted)) == passes
    assert Size(*found[::-1]).passes_for(Size(*wanted[::-1])) == passes
