"""Every error that a gateway of ours answers comes back as itself; strangers' are understood by status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush import errors
from tollbrush.client.problems import _tree, build, from_answer, from_code
from tollbrush.client.transport import Answer
from tollbrush.errors import (
    BadRequest,
    Detail,
    EditTimeout,
    EngineFailed,
    NotFound,
    PaymentRefused,
    PaymentRequired,
    RateLimited,
    TollbrushError,
    TooLarge,
    Unavailable,
    UpstreamFailed,
)

KINDS = sorted(_tree(TollbrushError), key=lambda kind: kind.__name__)


def answer(status: int, body: Any, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, raw)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_our_own_errors_come_back_as_themselves(kind: type[TollbrushError]) -> None:
    thrown = build(
        kind, "it is wrong", "do this", details=(Detail("size", "too big"),), reason="expired", retry_after=9
    )
    body = {
        "error": thrown.message, "code": thrown.code, "message": thrown.sentence(), "reason": "expired",
        "details": [{"path": d.path, "message": d.message} for d in thrown.details],
    }  # fmt: skip
    caught = from_answer(answer(thrown.status, body, retry_after="9"), "http://g")
    assert type(caught) is kind
    assert (caught.sentence(), caught.details) == ("it is wrong do this", thrown.details)
    if isinstance(caught, PaymentRefused):
        assert caught.reason == "expired"
    if isinstance(caught, RateLimited | Unavailable):
        assert caught.retry_after == 9


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest), (401, BadRequest), (402, PaymentRequired), (403, UpstreamFailed), (404, NotFound),
        (409, errors.PaymentBusy), (413, TooLarge), (418, BadRequest), (421, errors.WrongHost), (422, BadRequest),
        (429, RateLimited), (500, UpstreamFailed), (502, UpstreamFailed), (503, Unavailable), (504, EditTimeout),
        (200, UpstreamFailed), (302, UpstreamFailed),
    ],
)  # fmt: skip
def test_strangers_are_understood_by_status(status: int, kind: type[TollbrushError]) -> None:
    caught = from_answer(answer(status, {"error": {"message": "their words", "code": "their_code"}}), "http://g")
    assert (type(caught), caught.message) == (kind, "their words")


def test_a_code_that_does_not_fit_the_status_is_not_believed() -> None:
    assert type(from_answer(answer(500, {"error": "x", "code": "no_funds"}), "http://g")) is UpstreamFailed


def test_what_is_not_json_is_named() -> None:
    caught = from_answer(answer(502, b"<html>", content_type="text/html"), "http://g")
    assert caught.message == "http://g answered HTTP 502 with text/html where JSON belongs."


def test_foreign_text_is_made_safe_and_short() -> None:
    caught = from_answer(answer(400, {"error": "\x1b[31mred\n" + "x" * 10_000, "details": [5, {"path": "\x07"}]}), "g")
    assert "\x1b" not in caught.message
    assert len(caught.message) <= 500
    assert caught.details == (Detail("", ""),)


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "9" * 9, "²"])
def test_a_retry_after_that_is_no_number_is_our_default(text: str) -> None:
    caught = from_answer(answer(503, {"error": "busy"}, retry_after=text), "g")
    assert isinstance(caught, Unavailable)
    assert caught.retry_after == 5


def test_failed_jobs_have_codes() -> None:
    assert type(from_code("timeout", "too slow", EngineFailed)) is EditTimeout
    assert type(from_code("no such code", "broken", EngineFailed)) is EngineFailed
    assert from_code(None, None, EngineFailed).message == "the edit failed"


@given(st.integers(200, 599), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["error", "code", "message", "details", "reason", "source", "path"]), inner, max_size=4),
    max_leaves=8,
))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_answer_is_some_error(status: int, body: Any) -> None:
    assert from_answer(answer(status, body), "http://g").message
