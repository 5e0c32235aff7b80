"""Exit codes, and nothing that a terminal obeys."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbrush.cli.terminal import Terminal, exit_code, fail, safe
from tollbrush.errors import (
    BadImage,
    BadRequest,
    EditTimeout,
    InternalError,
    NoFunds,
    RateLimited,
    SpendingPolicy,
    TollbrushError,
    Unavailable,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpendingPolicy("x"), 3),
        (BadRequest("x"), 4),
        (BadImage("x"), 4),
        (RateLimited("x", retry_after=1, source="gateway"), 4),
        (InternalError("x"), 5),
        (Unavailable("x"), 5),
        (EditTimeout("x"), 6),
        (NoFunds("x"), 7),
    ],
)
def test_exit_codes(error: TollbrushError, code: int) -> None:
    assert exit_code(error) == code == fail(error, as_json=False)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_safe_text_is_one_visible_line(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable()
    assert shown == text if text.isprintable() else shown != text


def test_attacks_on_the_terminal_are_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    attack = "\x1b]0;owned\x07\x1b[2J\r\n\u202egnp.exe\u200b"
    fail(BadRequest(attack), as_json=True)
    Terminal(as_json=False).table([], ("A",), [(attack,)])
    Terminal(as_json=False).result({}, attack)
    Terminal(as_json=False).note(attack)
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert not {"\x1b", "\x07", "\r", "\u202e", "\u200b"} & set(text)
        assert "\\x1b]0;owned" in text or "\\u001b]0;owned" in text


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(as_json=True).table({"rows": [1]}, ("A",), [("1",)])
    assert json.loads(capsys.readouterr().out) == {"rows": [1]}
    fail(NoFunds("empty"), as_json=True)
    said = capsys.readouterr()
    assert json.loads(said.out)["code"] == "no_funds" and said.err.startswith("tollbrush: empty Fund the wallet")
