"""Forms: fields, files, and malformed bodies."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.errors import BadRequest
from tollbrush.wire.multipart import File, Form, parse

TYPE = "multipart/form-data; boundary=----tb7MA4YWxk"


def part(name: str, data: bytes, *, filename: str | None = None, extra: str = "") -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    return f'Content-Disposition: form-data; name="{name}"{file}\r\n{extra}\r\n'.encode() + data


def body(*parts: bytes, boundary: bytes = b"----tb7MA4YWxk") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + p + b"\r\n" for p in parts) + b"--" + boundary + b"--\r\n"


def test_fields_and_files_as_clients_send_them() -> None:
    form = parse(
        body(
            part("model", b"openai/gpt-image-1"),
            part("prompt", "ein Hut für Zoë 🎩".encode()),
            part("image[]", b"\x89PNG 1", filename="a.png", extra="Content-Type: application/octet-stream\r\n"),
            part("image[]", b"\x89PNG 2", filename="b.png"),
            part("mask", b"\x89PNG 3", filename="m.png"),
        ),
        TYPE,
    )
    assert form == Form(
        {"model": "openai/gpt-image-1", "prompt": "ein Hut für Zoë 🎩"},
        [
            File("image", "a.png", b"\x89PNG 1"),
            File("image", "b.png", b"\x89PNG 2"),
            File("mask", "m.png", b"\x89PNG 3"),
        ],
    )


def test_image_without_a_file_name_is_still_a_file() -> None:
    form = parse(body(part("image", b"\x89PNG\r\n\x1a\n\xff"), part("mask", b"data:image/png;base64,QUJD")), TYPE)
    assert form.files == [File("image", "", b"\x89PNG\r\n\x1a\n\xff")]
    assert form.fields == {"mask": "data:image/png;base64,QUJD"}


def test_a_file_input_left_empty_is_absent() -> None:
    form = parse(body(part("image", b"x", filename="a.png"), part("mask", b"", filename="")), TYPE)
    assert [f.name for f in form.files] == ["image"]


def test_an_empty_file_with_a_name_is_kept_to_be_refused() -> None:
    assert parse(body(part("image", b"", filename="a.png")), TYPE).files == [File("image", "a.png", b"")]


def test_quoted_boundaries_and_other_cases() -> None:
    data = body(part("n", b"2"), boundary=b"a b:c")
    assert parse(data, 'Multipart/Form-Data; charset=utf-8; boundary="a b:c"').fields == {"n": "2"}


def test_preamble_line_breaks_and_epilogue_are_allowed() -> None:
    assert parse(b"\r\n" + body(part("n", b"2")) + b"\r\nepilogue", TYPE).fields == {"n": "2"}


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.text(max_size=40))
@settings(max_examples=80, deadline=None)
def test_any_bytes_pass_through(datas: list[bytes], prompt: str) -> None:
    text = prompt.encode("utf-8", "replace")
    files = [part("image", data, filename="a") for data in datas]
    form = parse(body(part("prompt", text), *files), TYPE)
    assert [f.data for f in form.files] == datas
    assert form.fields["prompt"] == text.decode()


ONE = part("n", b"1")


@pytest.mark.parametrize(
    ("data", "content_type", "said"),
    [
        (body(ONE), "multipart/form-data", "with a boundary"),
        (body(ONE), "text/plain", "'text/plain' is not multipart/form-data"),
        (body(ONE), "", "is not multipart/form-data"),
        (body(ONE), "multipart/form-data; boundary=other", "malformed"),
        (body(ONE), f"multipart/form-data; boundary={'x' * 300}", "malformed"),
        (b"", TYPE, "cut short"),
        (body(ONE)[:-8], TYPE, "cut short"),
        (b"not a form at all", TYPE, "malformed"),
        (body(ONE, ONE), TYPE, "'n' is given twice"),
        (body(part("mask", b"1", filename="a"), part("mask", b"2", filename="b")), TYPE, "mask is given twice"),
        (body(part("avatar", b"1", filename="a")), TYPE, "'avatar' is no file of an edit"),
        (body(part("prompt", b"\xff\xfe")), TYPE, "'prompt' is not UTF-8"),
        (body(part("prompt", b"x" * 600_000)), TYPE, "'prompt' is over 512 KB"),
        (body(part("", b"x")), TYPE, "has no name"),
        (body(b"X-Nothing: 1\r\n\r\nx"), TYPE, "has no name"),
        (body(b'Content-Disposition: attachment; name="n"\r\n\r\n1'), TYPE, "has no name"),
        (body(part("image", b"QUJD", filename="a", extra="Content-Transfer-Encoding: base64\r\n")), TYPE, "'base64'"),
        (body(*[part(f"f{i}", b"1") for i in range(70)]), TYPE, "more than 64 parts"),
        (b"------tb7MA4YWxk\r\n" + b"\r\n------tb7MA4YWxkX" * 1000, TYPE, "more than 64 parts"),
        (body(b"X: " + b"y" * 10_000 + b"\r\n\r\nx"), TYPE, "malformed"),
        (body(b"no colon\r\n\r\nx"), TYPE, "malformed"),
    ],
)
def test_malformed_forms_are_refused_with_words(data: bytes, content_type: str, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(data, content_type)
    assert said in refused.value.message


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_broken_bodies_are_refused_or_read(data: st.DataObject) -> None:
    whole = body(part("image", b"\r\n--" * 9, filename="a.png"), part("prompt", b"hello"), part("n", b"1"))
    broken = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4)) if broken else 0):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        form = parse(bytes(broken), TYPE)
    except BadRequest as refused:
        assert refused.sentence()
        return
    assert len(form.files) + len(form.fields) <= 3
