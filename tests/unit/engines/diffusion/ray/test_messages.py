"""What gateway and replica say to each other: frames of any cut, and bytes that nobody should have sent."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.ray.failures import error, failed, hidden
from tollbrush.engines.diffusion.ray.frames import LENGTH, Frames, FrameTooLong, frame
from tollbrush.engines.diffusion.ray.messages import (
    BadMessage,
    Began,
    Done,
    Edit,
    Event,
    Failed,
    Made,
    Picture,
    Step,
    Waiting,
    decode_edit,
    decode_event,
    encode_edit,
    encode_event,
)
from tollbrush.engines.interface import EditInput
from tollbrush.errors import (
    BadMask,
    BadRequest,
    BadSettings,
    ContentRefused,
    EditTimeout,
    EngineFailed,
    TollbrushError,
    Unavailable,
)

few = settings(max_examples=60, deadline=None)


def pixels(height: int, width: int, channels: int = 3) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    count = height * width * channels
    return (np.arange(count) % 251).astype(np.uint8).reshape(height, width, channels)


@few
@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_messages_come_out_however_the_stream_is_cut(messages: list[bytes], cuts: list[int]) -> None:
    stream, frames, found = b"".join(map(frame, messages)), Frames(300), list[bytes]()
    start = 0
    while start < len(stream):
        step = cuts[start % len(cuts)]
        found += frames.feed(stream[start : start + step])
        start += step
    assert found == messages


@few
@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_truncated_message_never_comes_out(message: bytes, data: st.DataObject) -> None:
    whole = frame(message)
    end = data.draw(st.integers(0, len(whole) - 1))
    frames = Frames(100)
    assert list(frames.feed(whole[:end])) == []
    assert list(frames.feed(whole[end:])) == [message]


@few
@given(st.integers(1, 2**32 - 1), st.integers(0, 2**20))
def test_a_message_too_long_is_refused_before_it_is_there(length: int, most: int) -> None:
    frames = Frames(most)
    head = length.to_bytes(LENGTH, "big")
    if length > most:
        with pytest.raises(FrameTooLong, match=f"{length:,}"):
            list(frames.feed(head))
    else:
        assert list(frames.feed(head)) == []


@few
@given(st.binary(max_size=400))
def test_garbage_is_no_message(garbage: bytes) -> None:
    for decode in (decode_edit, decode_event):
        try:
            decode(garbage)
        except BadMessage as wrong:
            assert str(wrong)
        else:
            pytest.fail("garbage was understood")


@few
@given(
    st.integers(1, 24), st.integers(1, 24), st.sampled_from([3, 4]), st.booleans(), st.integers(1, 10),
    st.integers(0, 2**31 - 1), st.text(max_size=80).filter(lambda text: text.isprintable()), st.integers(0, 3),
)  # fmt: skip
def test_an_edit_arrives_as_it_was_sent(
    height: int, width: int, channels: int, masked: bool, n: int, seed: int, prompt: str, previews: int
) -> None:
    mask = (pixels(height, width)[:, :, 0] % 3 == 0) if masked else None
    sent = EditInput(
        (pixels(height, width, channels), pixels(width, height)),
        prompt,
        Size(7, 9),
        mask,
        n,
        seed,
        "high",
        None,
        previews,
    )
    edit = decode_edit(encode_edit(Edit.of("acme/model", sent, 12.5)))
    got = edit.input()
    assert (edit.model, edit.seconds) == ("acme/model", 12.5)
    assert (got.prompt, got.size, got.n, got.seed) == (prompt, sent.size, n, seed)
    assert (got.quality, got.background, got.previews) == ("high", None, previews)
    assert all(np.array_equal(a, b) for a, b in zip(got.sources, sent.sources, strict=True))
    assert all(source.flags.writeable for source in got.sources)
    assert (got.mask is None) if mask is None else np.array_equal(got.mask, mask)  # type: ignore[arg-type]


def test_a_view_of_a_picture_travels_as_it_looks() -> None:
    view = pixels(10, 12)[::2, ::-1]
    assert np.array_equal(Picture.of(view).pixels(), view)


@pytest.mark.parametrize(
    "event",
    [
        Began("a replica"), Waiting(), Step(None), Step(0.5, 3, Picture.of(pixels(2, 3))),
        Made(Picture.of(pixels(3, 2, 4)), "words", 5), Done({"steps": 4}),
        Failed("bad_request", "no", "yes", "mask", 7),
    ],
    ids=lambda event: type(event).__name__,
)  # fmt: skip
def test_events_arrive_as_they_were_sent(event: Event) -> None:
    (message,) = Frames(10_000).feed(encode_event(event))
    assert decode_event(message) == event


def test_a_picture_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(BadMessage, match="5 bytes instead of 12"):
        Picture(2, 2, 3, bytearray(5)).pixels()


def test_a_mask_that_contradicts_its_picture_is_refused() -> None:
    edit = Edit("m", "p", 4, 4, [Picture.of(pixels(4, 4))], 1.0, mask=b"\xff")
    with pytest.raises(BadMessage, match="1 bytes instead of 2"):
        edit.input()


@pytest.mark.parametrize(
    "change",
    [
        {"n": 0}, {"n": 11}, {"seconds": 0.0}, {"sources": []}, {"width": 0}, {"width": 2**20}, {"seed": -1},
        {"previews": 4}, {"prompt": "x" * 32_001}, {"sources": [[1, 1, 2, b"xx"]]}, {"colour": "red"},
    ],
    ids=str,
)  # fmt: skip
def test_what_no_gateway_asks_for_is_refused(change: dict[str, object]) -> None:
    good = msgspec.to_builtins(Edit("m", "p", 4, 4, [Picture.of(pixels(4, 4))], 1.0), builtin_types=(bytes, bytearray))
    assert decode_edit(msgspec.msgpack.encode(good)).n == 1
    with pytest.raises(BadMessage):
        decode_edit(msgspec.msgpack.encode(good | change))


@pytest.mark.parametrize(
    "kept",
    [
        BadRequest("the prompt is too long.", path="prompt", advice="Shorten it."), BadMask("no mask.", path="mask"),
        ContentRefused("refused."), EngineFailed("it broke."), EditTimeout("too slow."),
        Unavailable("no room.", retry_after=20, advice="Later."),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_the_caller_may_hear_arrives(kept: TollbrushError) -> None:
    failure = failed(kept)
    found = error(failure)
    assert type(found) is type(kept)
    assert (found.message, found.hint, found.details) == (kept.message, kept.hint, kept.details)
    assert getattr(found, "retry_after", None) == getattr(kept, "retry_after", None)
    assert not hidden(failure)


def test_what_is_the_operators_stays_with_the_operator() -> None:
    failure = failed(BadSettings("/srv/secret/model lacks its weights."))
    found = error(failure)
    assert isinstance(found, Unavailable)
    assert "/srv" not in found.sentence()
    assert hidden(failure)
