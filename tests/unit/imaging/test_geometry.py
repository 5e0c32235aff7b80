"""The one transform: exact where nothing is scaled, invertible, and one for picture and mask alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.imagery import photo
from tollbrush.domain.edits import FITS, Fit, Size
from tollbrush.imaging.geometry import Transform, resize

sizes = st.builds(Size, st.integers(1, 70), st.integers(1, 70))
fits = st.sampled_from(FITS)
foci = st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1))


@given(sizes, sizes, fits, foci)
@settings(max_examples=150, deadline=None)
def test_picture_and_mask_come_out_at_the_target(
    source: Size, target: Size, fit: Fit, focus: tuple[float, float] | None
) -> None:
    plan = Transform.plan(source, target, fit, focus)
    out = plan.apply(photo(source.width, source.height))
    assert out.shape == (target.height, target.width, 3)
    assert out.dtype == np.uint8
    mask = np.zeros((source.height, source.width), np.bool_)
    assert plan.apply_mask(mask).shape == (target.height, target.width)
    assert not plan.apply_mask(mask).any()
    assert plan.apply_mask(~mask).all()
    region = plan.region
    assert 0 <= region.left <= region.left + region.width <= source.width
    assert 0 <= region.top <= region.top + region.height <= source.height
    assert plan.invert(out).shape == (region.height, region.width, 3)


@given(sizes, fits, foci, st.sampled_from([3, 4]))
@settings(max_examples=40, deadline=None)
def test_the_same_size_is_the_identity(size: Size, fit: Fit, focus: tuple[float, float] | None, channels: int) -> None:
    pixels = photo(size.width, size.height, channels=channels)
    plan = Transform.plan(size, size, fit, focus)
    assert plan.identity
    assert np.array_equal(plan.apply(pixels), pixels)
    assert np.array_equal(plan.invert(pixels), pixels)


@given(sizes, st.integers(0, 200), st.booleans(), st.sampled_from([3, 4]))
@settings(max_examples=80, deadline=None)
def test_padding_inverts_bit_for_bit(size: Size, more: int, wide: bool, channels: int) -> None:
    target = Size(size.width + more, size.height) if wide else Size(size.width, size.height + more)
    pixels = photo(size.width, size.height, channels=channels)
    plan = Transform.plan(size, target, "pad")
    assert np.array_equal(plan.invert(plan.apply(pixels)), pixels)


@given(st.integers(8, 60), st.integers(1, 4), foci)
@settings(max_examples=60, deadline=None)
def test_a_crop_that_does_not_scale_keeps_every_bit(side: int, times: int, focus: tuple[float, float] | None) -> None:
    pixels = photo(side * times, side)
    plan = Transform.plan(Size(side * times, side), Size(side, side), "crop", focus)
    out = plan.apply(pixels)
    assert np.array_equal(out, pixels[plan.region.window])
    assert np.array_equal(plan.invert(out), out)


@pytest.mark.parametrize(("focus", "left"), [((0.0, 0.5), 0), ((0.5, 0.5), 100), ((0.6, 0.5), 130), ((1.0, 0.5), 200)])
def test_crop_follows_the_focus(focus: tuple[float, float], left: int) -> None:
    plan = Transform.plan(Size(300, 100), Size(64, 64), "crop", focus)
    assert (plan.region.left, plan.region.top, plan.region.width, plan.region.height) == (left, 0, 100, 100)


def test_padding_reflects_without_doubling_the_edge() -> None:
    row = np.arange(5, dtype=np.uint8)
    pixels = np.repeat(row[None, :, None], 3, axis=2)
    out = Transform.plan(Size(5, 1), Size(13, 1), "pad").apply(pixels)
    assert out[0, :, 0].tolist() == [4, 3, 2, 1, 0, 1, 2, 3, 4, 3, 2, 1, 0]


def test_the_mask_is_reflected_with_its_picture() -> None:
    pixels = np.zeros((10, 6, 3), np.uint8)
    pixels[2:5, 1:3] = 255
    plan = Transform.plan(Size(6, 10), Size(30, 10), "pad")
    assert np.array_equal(plan.apply_mask(pixels[..., 0] == 255), plan.apply(pixels)[..., 0] == 255)


def test_a_thin_mask_does_not_vanish() -> None:
    mask = np.zeros((400, 400), np.bool_)
    mask[200, 100:300] = True
    small = Transform.plan(Size(400, 400), Size(64, 64), "crop").apply_mask(mask)
    assert small.any()
    assert small.mean() < 0.05


@given(sizes, sizes)
@settings(max_examples=40, deadline=None)
def test_a_plain_colour_stays_that_colour(source: Size, target: Size) -> None:
    pixels = np.full((source.height, source.width, 4), (10, 200, 90, 130), np.uint8)
    assert np.abs(resize(pixels, target).astype(int) - (10, 200, 90, 130)).max() <= 1


def test_invisible_colour_does_not_bleed() -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[..., 0] = 255  # invisible red
    pixels[:, 20:] = (0, 0, 255, 255)
    out = resize(pixels, Size(15, 15))
    seen = out[..., 3] > 16
    assert seen.any()
    assert (out[seen][:, 0] <= 8).all()
