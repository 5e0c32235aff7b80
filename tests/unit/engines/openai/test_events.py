"""Server-sent events, wherever the chunks end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.engines.openai.events import Events, TooLong

DATA = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1), min_size=1, max_size=3)
NOISE = st.sampled_from([": keep-alive", "event: image_edit.completed", "id: 7", "retry: 10", "strange"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream with comments and any line ends, and the data in it."""
    events = draw(st.lists(DATA, max_size=4))
    text, end = "\ufeff" if draw(st.booleans()) else "", draw(st.sampled_from(["\n", "\r\n", "\r"]))
    for lines in events:
        for line in lines:
            text += f"{draw(NOISE)}{end}data: {line}{end}"
        text += end + draw(st.sampled_from(["", f": {end}{end}", end]))
    return text.encode(), ["\n".join(lines).encode() for lines in events]


@settings(max_examples=100)
@given(streams(), st.data())
def test_chunks_may_end_anywhere(stream: tuple[bytes, list[bytes]], data: st.DataObject) -> None:
    raw, expected = stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    events = Events(10_000)
    found: list[bytes] = []
    for start, stop in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        found += events.feed(raw[start:stop])
    assert found == expected


def test_what_breaks_off_is_no_event() -> None:
    assert list(Events(100).feed(b"data: half")) == []
    assert list(Events(100).feed(b"data: half\n")) == []


def test_the_space_after_the_colon_is_no_data() -> None:
    assert list(Events(100).feed(b"data:a\n\ndata: b\n\ndata:  c\n\ndata\n\n")) == [b"a", b"b", b" c", b""]


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 60, b"x" * 60, b"data: x\n" * 8])
def test_an_event_has_a_limit(piece: bytes) -> None:
    events = Events(100)
    list(events.feed(piece))
    with pytest.raises(TooLong):
        list(events.feed(piece))


def test_the_limit_is_for_one_event() -> None:
    events = Events(100)
    for _ in range(10):
        assert list(events.feed(b"data: " + b"x" * 60 + b"\n\n")) == [b"x" * 60]
