"""JSON bodies: the same as the standard library's where it is right, and refused where it is lenient."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.errors import BadRequest
from tollbrush.wire.jsonbody import parse

LONG = "data:image/png;base64," + "iVBORw0KGgo+/" * 1000

texts = st.text(max_size=30).map(lambda s: s.encode("utf-8", "replace").decode()) | st.sampled_from(
    [LONG, LONG + "é", LONG + '"', "NaN", '"NaN"', "a\\", "\\", '\\"', LONG + "\\", "\n", LONG + "\n"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(-1e9, 1e9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts.filter(lambda t: len(t) < 99), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts.filter(lambda t: len(t) < 99), values, max_size=4)


@given(objects, st.booleans(), st.sampled_from([None, 1]))
@settings(max_examples=150, deadline=None)
def test_what_json_writes_is_read(value: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()) == value


def test_slashes_may_be_escaped() -> None:
    body = json.dumps({"image": LONG, "prompt": "a/b"}).replace("/", "\\/")
    assert parse(body.encode()) == {"image": LONG, "prompt": "a/b"}


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse(b'\xef\xbb\xbf{"n": 1}') == {"n": 1}


@pytest.mark.parametrize("wrap", ["\n", "\r\n"])
@pytest.mark.parametrize("width", [76, 4000])
def test_wrapped_base64_is_joined(wrap: str, width: int) -> None:
    wrapped = wrap.join(LONG[i : i + width] for i in range(0, len(LONG), width))
    body = f'{{\n  "prompt": "a sky",{wrap}  "image": "{wrapped}",\n  "n": 1\n}}'
    assert parse(body.encode()) == {"prompt": "a sky", "image": LONG, "n": 1}


def test_long_strings_keep_their_places() -> None:
    value = {"image": [LONG + "1", "short", LONG + "2"], "mask": LONG + "3", "prompt": 'say "NaN"'}
    assert parse(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"n": 1, "n": 2}', "'n' is given twice"),
        ('{"a": {"b": 1, "b": 1}}', "'b' is given twice"),
        (f'{{"image": "{LONG}", "image": "{LONG}"}}', "'image' is given twice"),
        ('{"n": NaN}', "NaN is not JSON"),
        (f'{{"n": NaN, "image": "{LONG}"}}', "NaN is not JSON"),
        (f'{{"image": "{LONG}", "n": NaN}}', "NaN is not JSON"),
        ('{"n": Infinity}', "Infinity is not JSON"),
        ('{"n": -Infinity}', "-Infinity is not JSON"),
        ('{"n": 1e400}', "out of range"),
        ('{"n": ' + "9" * 4300 + "}", "The number 999999999999… is out of range"),
        ('{"n": -' + "9" * 4301 + "}", "out of range"),
        ('{"n": 0.' + "1" * 5000 + "}", "out of range"),
        ('{"prompt": "\\ud800"}', "lone surrogate"),
        ('{"image": ["ok", "\\udfff"]}', "lone surrogate"),
        ('{"\\ud800": 1}', "lone surrogate"),
        (f'{{"image": "{LONG}\\ud800"}}', "is malformed"),
        ("[1]", "a JSON array, not an object"),
        ('"text"', "a JSON string, not an object"),
        (f'"{LONG}"', "a JSON string, not an object"),
        ("null", "a JSON null, not an object"),
        ("true", "a JSON boolean, not an object"),
        ("7", "a JSON number, not an object"),
        ("", "The body is not JSON"),
        ("{", "The body is not JSON"),
        ('{"a": 1,}', "The body is not JSON"),
        ("{'a': 1}", "The body is not JSON"),
        ('{"a": 1} {}', "The body is not JSON: extra data"),
        ('{"a": "b', "The body is not JSON"),
        (f'{{"{LONG}": 1}}', "The body is not JSON"),
        (f'{{"a": "{LONG}', "The body is not JSON"),
        ('{"a": "tab\there"}', "The body is not JSON: invalid control character"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"a": [' + '"",' * 100_000 + '""]}', "more than 100,000 quotes"),
        ('{"a": "' + '\\"' * 200_000 + '"}', "more than 100,000 quotes"),
        ('{"a": [' + "1," * 600_000 + "1]}", "over 1 MB"),
    ],
)
def test_the_rest_is_refused_with_words(body: str, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(body.encode())
    assert said in refused.value.message
    assert len(refused.value.sentence()) < 300


@pytest.mark.parametrize("body", [b'{"a": "\xff"}', b'{"a": "' + b"x" * 5000 + b'\xff"}', b"\xff\xfe{\0}\0"])
def test_other_encodings_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="The body is not JSON"):
        parse(body)


@given(st.binary(max_size=60) | st.text('{}[]":,\\nu019eE.- NaInfity', max_size=60).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_an_object_or_a_refusal(body: bytes) -> None:
    try:
        assert isinstance(parse(body), dict)
    except BadRequest as refused:
        assert refused.sentence()


@given(st.text('{}[]":,\\nu019eE.- \n', max_size=40))
@settings(max_examples=300, deadline=None)
def test_never_more_lenient_than_the_standard_library(text: str) -> None:
    try:
        value = parse(text.encode())
    except BadRequest:
        return
    assert value == json.loads(text.replace("\n", ""))


def test_a_bomb_does_not_reach_the_parser_whatever_the_recursion_limit() -> None:
    bomb = b'{"a":' + b"[" * 100_000
    script = f"""
import sys; sys.setrecursionlimit(10**6)
from tollbrush.errors import BadRequest
from tollbrush.wire import jsonbody
try:
    jsonbody.parse({bomb!r})
except BadRequest as refused:
    print(refused)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, "too deeply" in ran.stdout) == (0, True), ran.stderr
