"""How far an edit is, and what is shown of it on the way."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from support.engines import Inverter
from support.pictures import half_mask, photo
from tollbrush.domain.catalog import STUDIO, Catalog
from tollbrush.domain.edits import EditRequest, OutputFormat, Size
from tollbrush.editing.orders import OrderDesk
from tollbrush.editing.pixels import prepare
from tollbrush.editing.progress import SIDE, Preview, Track, Watch, thumbnail
from tollbrush.engines.interface import Capabilities
from tollbrush.errors import BadRequest, UnsupportedParameter
from tollbrush.settings import LimitSettings

FREE = Capabilities(generative=False, alpha=True)
FIXED = Capabilities(fixed_sizes=(Size(1024, 1024),), generative=True)
REQUEST = EditRequest(None, "invert", (photo(640, 480),), size=None)


@given(st.lists(st.none() | st.floats(), max_size=20))
def test_a_fraction_only_rises_and_stays_within_bounds(told: list[float | None]) -> None:
    track, before = Track(), 0.0
    for fraction in told:
        track.advance(fraction)
        if track.fraction is not None:
            assert before <= track.fraction <= 1.0
            before = track.fraction
    assert (track.fraction is None) == (not any(f is not None and f >= 0 for f in told))


async def test_a_late_watch_sees_what_was_shown_before() -> None:
    track, early, late = Track(2), Watch(), Watch()
    end = track.watch(early)
    shown = [Preview(0, n, b"x", Size(1, 1)) for n in range(2)]
    track.show(shown[0])
    track.watch(late)
    end()
    track.show(shown[1])
    assert [late.previews.get_nowait() for _ in range(2)] == shown
    assert (early.previews.get_nowait(), early.previews.empty()) == (shown[0], True)
    assert track.newest == shown[1]


def test_no_more_is_shown_than_was_wanted() -> None:
    track = Track(2)
    assert [track.number(image) for image in (0, 0, 1, 0, 1, 1)] == [0, 1, 0, None, 1, None]
    assert Track().number(0) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from([3, 4]))
def test_a_thumbnail_is_small_whatever_the_engine_shows(width: int, height: int, channels: int) -> None:
    prepared = prepare(REQUEST, FREE, None, LimitSettings())
    data, size = thumbnail(prepared, np.zeros((height, width, channels), np.uint8))
    assert size == Size(SIDE, 192)
    assert Image.open(io.BytesIO(data)).size == (SIDE, 192)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 600), st.integers(2, 600))
def test_a_thumbnail_is_at_most_half_of_what_is_sold(width: int, height: int) -> None:
    sold = Size(width, height)
    request = replace(REQUEST, sources=(photo(width, height),), size=sold)
    prepared = prepare(request, Capabilities(fixed_sizes=(sold,)), sold, LimitSettings())
    _, size = thumbnail(prepared, np.zeros((1024, 1024, 3), np.uint8))  # it shows more than was asked for
    assert max(size.width, size.height) <= min(SIDE, (max(width, height) + 1) // 2)


@pytest.mark.parametrize(("format_", "name"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
@pytest.mark.parametrize("caps", [FREE, FIXED])
def test_a_thumbnail_is_bounded_by_the_mask(caps: Capabilities, format_: OutputFormat, name: str) -> None:
    """Of a model that works at another size too: the source's own pixels outside, where it comes back to them."""
    request = replace(REQUEST, mask=half_mask(640, 480), output_format=format_)
    works_at = caps.fixed_sizes[0] if caps.fixed_sizes else None
    prepared = prepare(request, caps, works_at, LimitSettings())
    shown = np.full((*prepared.input.sources[0].shape[:2], 3), (255, 0, 255), np.uint8)
    data, _ = thumbnail(prepared, shown)
    image = Image.open(io.BytesIO(data))
    pixels = np.asarray(image.convert("RGB")).astype(int)
    source = np.asarray(Image.open(io.BytesIO(photo(640, 480))).convert("RGB").resize((256, 192))).astype(int)
    assert (image.format, image.size) == (name, (256, 192))
    assert np.abs(pixels[:, 140:] - source[:, 140:]).mean() < 12
    assert np.abs(pixels[:, :110] - (255, 0, 255)).mean() < 12


class Chooser(Inverter):
    """Has choices of its own."""

    def capabilities(self, upstream: str) -> Capabilities:
        return replace(super().capabilities(upstream), qualities=("low", "medium"), backgrounds=("transparent",))


def test_quality_and_background_are_what_the_model_sells_or_a_400_that_says_so() -> None:
    desks = [OrderDesk(Catalog.build(frozenset({STUDIO})), [engine]) for engine in (Chooser(), Inverter())]
    asked = replace(REQUEST, quality="medium", background="transparent")
    assert desks[0].plan(asked, masked=False, sources=1).model.id == STUDIO
    with pytest.raises(UnsupportedParameter, match="quality medium") as none:
        desks[1].plan(asked, masked=False, sources=1)
    assert none.value.path == "quality"
    assert none.value.hint == "Leave it out."
    with pytest.raises(UnsupportedParameter, match="quality high") as dear:
        desks[0].plan(replace(asked, quality="high"), masked=False, sources=1)
    assert "low, medium" in dear.value.hint
    with pytest.raises(UnsupportedParameter, match="background opaque"):
        desks[0].plan(replace(asked, background="opaque"), masked=False, sources=1)
    with pytest.raises(BadRequest, match="JPEG"):
        desks[0].plan(replace(asked, output_format="jpeg"), masked=False, sources=1)


@pytest.mark.parametrize("change", [{"quality": "low"}, {"background": "opaque"}, {"seed": 1}])
def test_what_is_bought_has_a_digest_of_its_own(change: dict[str, object]) -> None:
    assert replace(REQUEST, **change).digest() != REQUEST.digest()  # type: ignore[arg-type]
    assert replace(REQUEST, previews=3).digest() == REQUEST.digest()
