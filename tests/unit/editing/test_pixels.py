"""From request bytes to the engine and back: what is promised about size, pixels, transparency and limits."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from support.imagery import FOREIGN, Pixels, animated, bomb_png, exif, photo, saved
from tollbrush.domain.edits import FITS, EditRequest, Fit, OutputFormat, Size
from tollbrush.editing.pixels import Finished, Prepared, check_sources, finish, prepare
from tollbrush.engines.interface import Capabilities, EditedImage
from tollbrush.errors import BadImage, BadMask, BadRequest, EngineFailed, UnsupportedParameter
from tollbrush.imaging.geometry import Transform
from tollbrush.settings import LimitSettings

LIMITS = LimitSettings()
STUDIO = Capabilities(generative=False, alpha=True)
OPAQUE = Capabilities(generative=False)
FIXED = (Size(96, 96), Size(144, 96), Size(96, 144))
GENERATIVE = Capabilities(fixed_sizes=FIXED)


def ask(source: Pixels, *, mask: Pixels | None = None, **fields: Any) -> EditRequest:
    fields = {"size": None, "seed": 7} | fields
    encoded = None if mask is None else saved(mask, "PNG")
    return EditRequest(None, "do it", (saved(source, "PNG"),), mask=encoded, **fields)


def left_half(width: int, height: int) -> Pixels:
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = 255
    return mask


def noise(prepared: Prepared, channels: int = 3) -> EditedImage:
    """An engine that ignores everything it was given."""
    size = prepared.input.size
    return EditedImage(photo(size.width, size.height, channels=channels, seed=99), "drew noise")


def seen(finished: Finished) -> Pixels:
    with Image.open(io.BytesIO(finished.data)) as image:
        return np.array(image)


# ── before the price ────────────────────────────────────────────────────────────────────────────────────


def test_headers_come_back_in_order() -> None:
    request = EditRequest(None, "x", (saved(photo(20, 12), "PNG"), saved(photo(8, 9), "JPEG", exif=exif(6))))
    assert [h.upright for h in check_sources(request, LIMITS)] == [Size(20, 12), Size(9, 8)]


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_bytes_are_refused_by_field(name: str) -> None:
    good, bad = saved(photo(8, 8), "PNG"), FOREIGN[name][0]
    for request, path in (
        (EditRequest(None, "x", (bad,)), "image"),
        (EditRequest(None, "x", (good, bad)), "image[1]"),
        (EditRequest(None, "x", (good,), mask=bad), "mask"),
    ):
        with pytest.raises(BadImage) as refused:
            check_sources(request, LIMITS)
        assert refused.value.path == path


def test_no_source_at_all_is_refused() -> None:
    with pytest.raises(BadRequest, match="image is required"):
        check_sources(EditRequest(None, "x", ()), LIMITS)


@pytest.mark.parametrize("data", [bomb_png(), animated("WEBP")])
def test_bombs_and_animations_are_refused(data: bytes) -> None:
    with pytest.raises(BadImage):
        check_sources(EditRequest(None, "x", (data,)), LIMITS)


def test_the_three_caps() -> None:
    data = saved(photo(20, 10), "PNG")
    one, two = EditRequest(None, "x", (data,)), EditRequest(None, "x", (data, data))
    assert check_sources(two, LimitSettings(image_bytes=len(data), image_pixels=200, request_pixels=400))
    with pytest.raises(BadImage, match="bytes; at most"):
        check_sources(one, LimitSettings(image_bytes=len(data) - 1))
    with pytest.raises(BadImage, match="200 pixels; at most 199"):
        check_sources(one, LimitSettings(image_pixels=199))
    with pytest.raises(BadImage, match="400 pixels together; at most 399"):
        check_sources(two, LimitSettings(request_pixels=399))
    with pytest.raises(BadImage, match="400 pixels together"):
        check_sources(EditRequest(None, "x", (data,), mask=data), LimitSettings(request_pixels=399))


def test_a_mask_of_another_size_is_refused_by_its_header() -> None:
    with pytest.raises(BadMask, match="mask measures 21x10, the picture 20x10"):
        check_sources(ask(photo(20, 10), mask=left_half(21, 10)), LIMITS)


def test_upright_sizes_are_compared() -> None:
    lying = saved(photo(20, 12), "JPEG", exif=exif(6))
    request = EditRequest(None, "x", (lying,), mask=saved(left_half(12, 20), "PNG"), size=None, seed=1)
    assert check_sources(request, LIMITS)[0].upright == Size(12, 20)
    assert prepare(request, STUDIO, None, LIMITS).input.size == Size(12, 20)


# ── what the engine gets ────────────────────────────────────────────────────────────────────────────────


def test_auto_on_a_free_engine_changes_nothing() -> None:
    source = photo(50, 31, channels=4)
    prepared = prepare(ask(source), STUDIO, None, LIMITS)
    assert np.array_equal(prepared.input.sources[0], source)
    assert prepared.input.size == Size(50, 31)
    assert prepared.input.seed == 7
    assert np.array_equal(seen(finish(prepared, EditedImage(source))), source)


def test_a_generative_engine_without_mask_and_fit_gets_the_source_as_it_is() -> None:
    source = photo(50, 31)
    prepared = prepare(ask(source, size=Size(96, 96)), GENERATIVE, Size(96, 96), LIMITS)
    assert np.array_equal(prepared.input.sources[0], source)
    assert prepared.input.size == Size(96, 96)
    done = finish(prepared, noise(prepared))
    assert (done.width, done.height, done.preserved, done.edited_fraction) == (96, 96, None, None)


def test_within_its_limits() -> None:
    prepared = prepare(ask(photo(4000, 40), size=Size(96, 96)), GENERATIVE, Size(96, 96), LIMITS)
    assert prepared.input.sources[0].shape == (20, 2048, 3)


def test_references_come_along() -> None:
    data = tuple(saved(photo(w, 30, channels=4), "PNG") for w in (40, 50))
    request = EditRequest(None, "x", data, size=Size(96, 96), seed=1)
    prepared = prepare(request, GENERATIVE, Size(96, 96), LIMITS)
    assert [s.shape for s in prepared.input.sources] == [(30, 40, 3), (30, 50, 3)]


@pytest.mark.parametrize("fit", FITS)
def test_a_named_fit_is_honoured(fit: Fit) -> None:
    source = photo(50, 31)
    prepared = prepare(ask(source, size=Size(96, 96), fit=fit), GENERATIVE, Size(96, 96), LIMITS)
    assert prepared.input.sources[0].shape == (96, 96, 3)
    if fit != "crop":
        expected = Transform.plan(Size(50, 31), Size(96, 96), fit).apply(source)
        assert np.array_equal(prepared.input.sources[0], expected)


def test_a_crop_keeps_what_is_edited() -> None:
    mask = np.zeros((40, 200), np.uint8)
    mask[10:20, 170:180] = 255
    prepared = prepare(ask(photo(200, 40), mask=mask, size=Size(40, 40)), GENERATIVE, Size(40, 40), LIMITS)
    assert prepared.input.mask is not None
    assert np.count_nonzero(prepared.input.mask) == 100


def test_an_engine_without_alpha_sees_white_paper() -> None:
    source = np.zeros((10, 10, 4), np.uint8)
    source[5:] = (10, 20, 30, 255)
    prepared = prepare(ask(source), OPAQUE, None, LIMITS)
    assert prepared.input.sources[0][0, 0].tolist() == [255, 255, 255]
    assert prepared.input.sources[0][9, 9].tolist() == [10, 20, 30]


def test_the_engine_cannot_spoil_the_base() -> None:
    prepared = prepare(ask(photo(10, 10)), STUDIO, None, LIMITS)
    with pytest.raises(ValueError, match="read-only"):
        prepared.input.sources[0][0] = 0


def test_what_only_pixels_tell_comes_late() -> None:
    truncated = saved(photo(80, 80), "PNG")[:3000]
    request = EditRequest(None, "x", (truncated,), size=None, seed=1)
    assert check_sources(request, LIMITS)
    with pytest.raises(BadImage, match="image is a broken PNG"):
        prepare(request, STUDIO, None, LIMITS)
    black = ask(photo(8, 8), mask=np.zeros((8, 8), np.uint8))
    assert check_sources(black, LIMITS)
    with pytest.raises(BadMask, match="all black"):
        prepare(black, STUDIO, None, LIMITS)


# ── what comes back ─────────────────────────────────────────────────────────────────────────────────────

sides = st.integers(16, 90)


@given(
    st.builds(Size, sides, sides),
    st.sampled_from([*FIXED, Size(70, 41)]),
    st.sampled_from([None, *FITS]),
    st.sampled_from(["png", "webp"]),
    st.sampled_from([3, 4]),
    st.sampled_from([3, 4]),
    st.sampled_from([STUDIO, OPAQUE, GENERATIVE]),
)
@settings(max_examples=60, deadline=None)
def test_outside_the_mask_the_answer_is_t_of_the_source(
    own: Size, size: Size, fit: Fit | None, fmt: OutputFormat, of_source: int, of_edit: int, caps: Capabilities
) -> None:
    source, mask = photo(own.width, own.height, channels=of_source), left_half(own.width, own.height)
    request = ask(source, mask=mask, size=size, fit=fit, output_format=fmt)
    prepared = prepare(request, caps, size, LIMITS)
    done = finish(prepared, noise(prepared, of_edit))
    assert done.preserved is True
    assert (done.width, done.height) == (size.width, size.height)
    out = seen(done)
    assert prepared.mask is not None
    outside = ~prepared.mask
    if out.shape[2] == 3:
        assert np.array_equal(out[outside], prepared.base[outside][:, :3])
        assert prepared.base.shape[2] == 3 or (prepared.base[outside][:, 3] == 255).all()
    else:
        assert np.array_equal(out[outside][:, : prepared.base.shape[2]], prepared.base[outside])
    if own == size:
        assert np.array_equal(prepared.base, source if prepared.base.shape[2] == of_source else source[..., :3])
    assert done.edited_fraction == pytest.approx(np.count_nonzero(prepared.mask) / size.pixels)


@pytest.mark.parametrize("size", [Size(120, 96), Size(200, 75), Size(37, 90)])
def test_auto_on_a_fixed_size_engine_comes_back_at_the_sources_resolution(size: Size) -> None:
    source, mask = photo(size.width, size.height), left_half(size.width, size.height)
    prepared = prepare(ask(source, mask=mask), GENERATIVE, Size(96, 96), LIMITS)
    assert prepared.input.size == Size(96, 96)
    assert prepared.input.sources[0].shape == (96, 96, 3)
    assert prepared.input.mask is not None
    assert prepared.input.mask.shape == (96, 96)
    done = finish(prepared, noise(prepared))
    assert (done.width, done.height, done.preserved) == (size.width, size.height, True)
    right = slice(size.width // 2, None)
    assert np.array_equal(seen(done)[:, right], source[:, right])
    assert not np.array_equal(seen(done), source)


def test_auto_brings_the_edit_back_to_its_place() -> None:
    source = np.full((60, 120, 3), 80, np.uint8)
    source[20:40, 70:90] = (200, 30, 30)
    prepared = prepare(ask(source), GENERATIVE, Size(96, 96), LIMITS)
    out = seen(finish(prepared, EditedImage(255 - prepared.input.sources[0])))
    assert out.shape == source.shape
    assert np.abs(out[25:35, 75:85].astype(int) - (55, 225, 225)).max() <= 8
    assert np.abs(out[:10].astype(int) - 175).max() <= 8


def test_an_answer_of_another_size_is_fitted() -> None:
    prepared = prepare(ask(photo(50, 50), size=Size(96, 96)), GENERATIVE, Size(96, 96), LIMITS)
    done = finish(prepared, EditedImage(photo(120, 96)))
    assert (done.width, done.height) == (96, 96)
    for width, height in ((1, 1), (60, 60), (192, 96)):  # not what was paid for
        with pytest.raises(EngineFailed, match=f"answered {width}x{height} instead of 96x96"):
            finish(prepared, EditedImage(photo(width, height)))


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((5, 5, 3), np.uint8), np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32)],
)
def test_no_answer_to_the_input_is_the_engines_fault(pixels: Any) -> None:
    prepared = prepare(ask(photo(8, 8)), STUDIO, None, LIMITS)
    with pytest.raises(EngineFailed, match="the engine answered"):
        finish(prepared, EditedImage(pixels))


def test_alpha_is_reattached_where_the_engine_has_none() -> None:
    source = photo(30, 20, channels=4)
    prepared = prepare(ask(source), OPAQUE, None, LIMITS)
    out = seen(finish(prepared, noise(prepared)))
    assert np.array_equal(out[..., 3], source[..., 3])


def test_jpeg_with_a_mask_preserves_nothing_and_says_so() -> None:
    request = ask(photo(40, 30), mask=left_half(40, 30), output_format="jpeg")
    prepared = prepare(request, STUDIO, None, LIMITS)
    done = finish(prepared, noise(prepared))
    assert (done.preserved, done.mime_type) == (False, "image/jpeg")


def test_jpeg_cannot_hold_a_transparent_result() -> None:
    prepared = prepare(ask(photo(30, 20), output_format="jpeg"), STUDIO, None, LIMITS)
    with pytest.raises(UnsupportedParameter, match="transparent, which JPEG cannot hold") as refused:
        finish(prepared, noise(prepared, 4))
    assert refused.value.path == "output_format"
    opaque = np.dstack((photo(30, 20), np.full((20, 30), 255, np.uint8)))
    assert finish(prepared, EditedImage(opaque)).mime_type == "image/jpeg"


@pytest.mark.parametrize("fmt", [None, "png", "jpeg", "webp"])
def test_the_receipt_describes_the_file(fmt: OutputFormat | None) -> None:
    prepared = prepare(ask(photo(30, 20), output_format=fmt), STUDIO, None, LIMITS)
    done = finish(prepared, noise(prepared))
    assert done.sha256 == hashlib.sha256(done.data).hexdigest()
    assert done.mime_type == f"image/{fmt or 'png'}"
    assert (done.width, done.height, done.seed, done.revised_prompt) == (30, 20, None, "drew noise")
    assert finish(prepared, EditedImage(photo(30, 20), seed=11)).seed == 11
