"""OpenAI's shape of an edit: what is read, what is refused, what is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from tollbrush.errors import BadRequest, ContentRefused, PaymentRefused, RateLimited, TollbrushError, Unavailable
from tollbrush.wire import openai

URI = "data:image/png;base64,AAAA"


def read(**fields: Any) -> openai.Wish:
    body = {"prompt": "add a hat", "image": URI} | fields
    return openai.read(json.dumps({k: v for k, v in body.items() if v is not ...}).encode(), "application/json")


def read_form(**fields: str) -> openai.Wish:
    parts = {"prompt": "add a hat", "image": URI} | fields
    body = "".join(f'--b\r\ncontent-disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in parts.items())
    return openai.read(f"{body}--b--\r\n".encode(), "multipart/form-data; boundary=b")


def test_defaults() -> None:
    for wish in (read(), read_form(), read(user=None, stream=None, quality=None, partial_images=None)):
        assert (wish.response_format, wish.stream, wish.user, wish.form.fields.previews) == ("b64_json", False, "", 0)
        assert (wish.form.fields.quality, wish.form.fields.background) == (None, None)


def test_a_form_says_the_same_as_json() -> None:
    said = {"stream": True, "partial_images": 2, "n": 2, "quality": "low", "background": "auto", "user": "u"}
    assert read(**said) == read_form(**{k: str(v).lower() for k, v in said.items()})
    assert read(**said).form.fields.previews == 2


@pytest.mark.parametrize("written", ["02", "+2", "2.0", "2 ", "-0", "٢", "1_0", "0x2", "00"])
@pytest.mark.parametrize("field", ["n", "seed", "partial_images"])
def test_a_form_writes_numbers_as_json_does(field: str, written: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_form(**{"stream": "true", field: written})
    assert refused.value.details[0].path == field


def test_how_it_is_delivered_is_no_part_of_what_is_paid_for() -> None:
    plain = read().form.fields.digest()
    assert read(stream=True, partial_images=3, user="u", response_format="b64_json").form.fields.digest() == plain
    assert read(quality="auto", background="auto").form.fields.digest() == plain
    digests = {
        read(**f).form.fields.digest() for f in ({"quality": "low"}, {"quality": "high"}, {"background": "opaque"})
    }
    assert len(digests | {plain}) == 4


def test_the_identifier_wins_over_the_user() -> None:
    assert read(user="u", safety_identifier="s").user == "s"
    assert read(user="u", safety_identifier="").user == "u"


def test_references() -> None:
    wish = read(image=..., images=[{"image_url": URI}, URI], mask={"image_url": URI})
    assert (wish.form.images, wish.form.mask) == ((URI, URI), URI)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        *(({name: "1"}, name) for name in openai.REFUSED),
        ({"svg": {"model": "m"}}, "svg"),
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"partial_images": "many", "stream": True}, "partial_images"),
        ({"partial_images": 4, "stream": True}, "partial_images"),
        ({"partial_images": 1}, "partial_images"),
        ({"stream": True, "response_format": "url"}, "response_format"),
        ({"response_format": "gif"}, "response_format"),
        ({"user": "x" * 513}, "user"),
        ({"safety_identifier": 7}, "safety_identifier"),
        ({"images": [URI]}, "images"),
        ({"image": ..., "images": [{"file_id": "f"}]}, "images"),
        ({"image": ..., "images": [{"image_url": 1}]}, "images"),
        ({"image": ..., "images": [{"image_url": URI, "more": 1}]}, "images"),
        ({"image": ..., "images": {}}, "image"),
        ({"mask": {"url": URI}}, "mask"),
        ({"quality": "hd"}, "quality"),
        ({"background": "red"}, "background"),
        ({"style": "vivid"}, "style"),
    ],
)
def test_what_is_not_honoured_is_named(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(**fields)
    assert (refused.value.path, refused.value.details[0].path) == (path, path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.text(max_size=12) | st.just(URI),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = st.sampled_from([*openai.REFUSED, "images", "image", "mask", "stream", "partial_images", "user", "n", "size"])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_FIELDS, _JSON, max_size=5))
def test_whatever_comes_is_read_or_refused(fields: dict[str, Any]) -> None:
    try:
        wish = read(**fields)
    except BadRequest as refused:
        assert refused.sentence()
    else:
        assert wish.form.images


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BadRequest("no.", path="size"), "invalid_request_error"),
        (ContentRefused("no."), "image_generation_user_error"),
        (RateLimited("no.", retry_after=1, source="upstream"), "rate_limit_error"),
        (PaymentRefused("no.", reason="expired"), "payment_required"),
        (Unavailable("no."), "server_error"),
    ],
)
def test_errors(error: TollbrushError, kind: str) -> None:
    told = openai.error_body(error)["error"]
    assert (told["type"], told["message"], told["code"]) == (kind, error.sentence(), error.code)
    assert told["param"] == ("size" if isinstance(error, BadRequest) else None)
    if isinstance(error, PaymentRefused):
        assert told["reason"] == "expired"


def test_usage() -> None:
    none = openai.usage({})
    assert (none["total_tokens"], none["input_tokens_details"]) == (0, {"image_tokens": 0, "text_tokens": 0})
    told = openai.usage({"input_tokens": 3, "input_tokens_details.image_tokens": 2, "output_tokens_details.x": 1})
    assert (told["input_tokens"], told["output_tokens"]) == (3, 0)
    assert told["input_tokens_details"] == {"image_tokens": 2, "text_tokens": 0}
    assert told["output_tokens_details"] == {"x": 1}


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=5).filter(lambda name: name != "type"), st.text(max_size=20), max_size=3))
def test_events_are_read_by_the_sdk(content: dict[str, str]) -> None:
    (event,) = SSEDecoder().iter_bytes(iter([b": at work\n\n", openai.event("image_edit.completed", content)]))
    assert event.event == "image_edit.completed"
    assert event.json() == {"type": "image_edit.completed", **content}
