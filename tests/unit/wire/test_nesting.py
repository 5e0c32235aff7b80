"""Depth is told without recursion, exactly, and whatever stands in strings."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.wire.nesting import is_too_deep

JSON = st.recursive(
    st.integers() | st.text(st.sampled_from('[]{}"\\a'), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('[{"\\'), max_size=3), inner),
    max_leaves=12,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(JSON, st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_exactly_what_a_parser_finds(value: Any, limit: int) -> None:
    assert is_too_deep(json.dumps(value).encode(), limit) == (depth(value) > limit)


@pytest.mark.parametrize("bomb", [b"[" * 1_000_000, b'{"a":' * 200_000, b'["\\\\",' + b"[" * 100_000])
def test_bombs_are_deep(bomb: bytes) -> None:
    assert is_too_deep(bomb)


def test_a_string_without_its_end_takes_no_quadratic_time() -> None:
    assert not is_too_deep(b"[]" * 100 + b'"' + b'\\"' * 500_000)
    assert not is_too_deep(b"[]" * 100 + b'"[[' + b"\\")


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert not is_too_deep(json.dumps([[]] * 100_000).encode())
    assert not is_too_deep(json.dumps(["[" * 100_000]).encode())


def test_a_bomb_does_not_end_the_process_whose_limit_was_raised() -> None:
    code = (
        "import sys; sys.setrecursionlimit(100_000)\n"
        "from tollbrush.client.transport import Answer\n"
        "from tollbrush.errors import UpstreamFailed\n"
        "from tollbrush.wire.offers import read_402\n"
        "bomb = b'[' * 100_000\n"
        "assert Answer(200, {}, bomb).json() is None\n"
        "try: read_402({}, bomb)\n"
        "except UpstreamFailed: print('survived')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "survived\n", done
