"""Data URIs: what is forgiven, and that nothing else is."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.errors import BadImage
from tollbrush.wire.datauri import decode, encode

MB = 2**20
BYTES = bytes(range(256)) * 3 + b"\xfb\xff\xfe"  # encodes with + and /
PLAIN = base64.b64encode(BYTES).decode()

heads = st.sampled_from(
    [
        "data:image/png;base64,",
        "data:;base64,",
        "DATA:image/PNG;BASE64,",
        "Data:image/svg+xml;charset=utf-8;Base64,",
        "data:image/jpeg;name=a.jpg;q=1;base64,",
        " data:image/png; charset=utf-8 ; base64,",
        "data:application/octet-stream;base64,",
    ]
)
DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "unpadded": lambda text: text.rstrip("="),
    "url-safe": lambda text: text.replace("+", "-").replace("/", "_"),
    "wrapped at 76": lambda text: "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76)),
    "spaced": lambda text: " ".join(text),
    "trailing newline": lambda text: text + "\n",
    "percent-encoded": lambda text: text.replace("+", "%2B").replace("/", "%2f").replace("=", "%3D"),
    "everything": lambda text: "\t" + text.rstrip("=").replace("+", "-").replace("/", "%2F") + "%0A ",
}
disguises = st.sampled_from([*DISGUISES.values()])


@given(st.binary(min_size=1, max_size=200), heads, disguises)
@settings(max_examples=200, deadline=None)
def test_every_disguise_means_the_same_bytes(data: bytes, head: str, disguise: Callable[[str], str]) -> None:
    text = head + disguise(base64.b64encode(data).decode())
    assert decode(text, path="image", max_bytes=MB) == data


@given(st.binary(min_size=1, max_size=500))
@settings(max_examples=50, deadline=None)
def test_what_we_write_we_read(data: bytes) -> None:
    text = encode(data, "image/webp")
    assert text.startswith("data:image/webp;base64,")
    assert decode(text, path="image", max_bytes=len(data)) == data


@pytest.mark.parametrize("name", DISGUISES)
def test_each_disguise_with_every_byte(name: str) -> None:
    assert decode(f"data:image/png;base64,{DISGUISES[name](PLAIN)}", path="image", max_bytes=MB) == BYTES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins ''"),
        ("https://example.com/cat.png", "is not a base64 data URI: it begins 'https://example.com/cat.png'"),
        ("/home/me/cat.png", "is not a base64 data URI"),
        (PLAIN, "is not a base64 data URI"),
        ("data:image/png,raw", "is not a base64 data URI"),
        ("data:image/png;base64", "is not a base64 data URI"),
        ("data:png;base64,QUJD", "is not a base64 data URI"),
        ("data:image/png;base64;charset=utf-8,QUJD", "is not a base64 data URI"),
        ("data:image/png;hex,4142", "is not a base64 data URI"),
        ("xdata:image/png;base64,QUJD", "is not a base64 data URI"),
        ("data:image/png;base64,", "is an empty data URI"),
        ("data:image/png;base64, \n", "is an empty data URI"),
        ("data:image/png;base64,QUJDR", "is cut short"),
        ("data:image/png;base64,QUJD====", "is cut short"),
        ("data:image/png;base64,QU=JD", "character '=' at position 2"),
        ("data:image/png;base64,QU!D", "character '!' at position 2"),
        ("data:image/png;base64,QUJé", "character '\\xc3' at position 3"),
        ("data:image/png;base64,QU%00D", "character '\\x00' at position 2"),
        ("data:image/png;base64,\ud800UJD", "character '\\xed' at position 0"),
    ],
)
def test_everything_else_is_refused_with_words(text: str, said: str) -> None:
    with pytest.raises(BadImage) as refused:
        decode(text, path="image[2]", max_bytes=MB)
    assert said in refused.value.message
    assert refused.value.path == "image[2]"
    assert "data:image/png;base64" in refused.value.hint


def test_the_limit_is_inclusive() -> None:
    text = encode(b"x" * 300, "image/png")
    assert decode(text, path="mask", max_bytes=300) == b"x" * 300
    for too_long in (text, text.replace(",", "," + " " * 9000)):
        with pytest.raises(BadImage, match="mask is larger than"):
            decode(too_long, path="mask", max_bytes=299)


@given(st.text(max_size=80), st.sampled_from(["", "data:", "data:image/png;base64,", "data:;base64,QUJD"]))
@settings(max_examples=200, deadline=None)
def test_any_text_is_bytes_or_a_refusal(text: str, head: str) -> None:
    try:
        assert decode(head + text, path="image", max_bytes=MB)
    except BadImage as refused:
        assert refused.sentence()
