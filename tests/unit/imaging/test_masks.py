"""Reading masks, feathering inwards, and the forms that engines want."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from support.imagery import FOREIGN, exif, photo, saved
from tollbrush.domain.edits import MaskMode, Size
from tollbrush.errors import BadImage, BadMask
from tollbrush.imaging.masks import Mask, edited_fraction, feather, read_mask, to_alpha_png, to_luma_png

CAP = 40_000_000


def read(data: bytes, mode: MaskMode = "auto", *, width: int = 4) -> list[bool]:
    mask: list[bool] = read_mask(data, Size(width, 1), mode, max_pixels=CAP)[0].tolist()
    return mask


def grey(*values: int) -> bytes:
    return saved(np.array([values], np.uint8), "PNG")


def rgba(*pixels: tuple[int, int, int, int]) -> bytes:
    return saved(np.array([pixels], np.uint8), "PNG")


def test_luma_128_and_above_is_edited() -> None:
    assert read(grey(0, 127, 128, 255)) == [False, False, True, True]


def test_colours_count_by_their_luma() -> None:
    data = saved(np.array([[(255, 255, 255), (0, 255, 0), (255, 0, 0), (0, 0, 255)]], np.uint8), "PNG")
    assert read(data) == [True, True, False, False]


def test_varying_alpha_decides_and_only_zero_is_edited() -> None:
    data = rgba((255, 255, 255, 255), (255, 255, 255, 1), (0, 0, 0, 0), (255, 255, 255, 0))
    assert read(data) == [False, False, True, True]
    assert read(data, "alpha") == [False, False, True, True]


def test_luma_mode_overrides_alpha() -> None:
    data = rgba((255, 255, 255, 255), (255, 255, 255, 1), (0, 0, 0, 0), (0, 0, 0, 255))
    assert read(data, "luma") == [True, True, False, False]


@pytest.mark.parametrize("alpha", [255, 90])
def test_constant_alpha_decides_nothing(alpha: int) -> None:
    data = rgba(*[(v, v, v, alpha) for v in (0, 255, 0, 255)])
    assert read(data) == [False, True, False, True]


def test_alpha_mode_needs_alpha() -> None:
    with pytest.raises(BadMask, match="nothing in the mask is transparent"):
        read(grey(0, 255, 0, 255), "alpha")


def test_alpha_that_never_reaches_zero_is_refused() -> None:
    data = rgba(*[(255, 255, 255, a) for a in (255, 200, 100, 1)])
    with pytest.raises(BadMask, match="No pixel of the mask is fully transparent"):
        read(data)
    assert read(data, "luma") == [True] * 4


@pytest.mark.parametrize("mode", ["auto", "luma"])
def test_an_all_black_mask_is_refused(mode: MaskMode) -> None:
    with pytest.raises(BadMask, match="all black: there is nothing to edit"):
        read(grey(0, 10, 100, 127), mode)


def test_an_all_white_mask_edits_everything() -> None:
    assert read(grey(255, 255, 255, 255)) == [True] * 4


def test_another_size_is_refused() -> None:
    with pytest.raises(BadMask, match="mask measures 4x1, the picture 5x1"):
        read(grey(0, 255, 0, 255), width=5)


def test_orientation_comes_before_the_comparison() -> None:
    tall = np.zeros((4, 1), np.uint8)
    tall[0] = 255
    data = saved(tall, "PNG", exif=exif(6))  # turned clockwise: the top becomes the right end
    assert read(data) == [False, False, False, True]


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_masks_are_refused_as_masks(name: str) -> None:
    with pytest.raises(BadImage) as refused:
        read(FOREIGN[name][0])
    assert refused.value.path == "mask"


def test_the_caps_hold_for_masks() -> None:
    with pytest.raises(BadImage, match="at most 3"):
        read_mask(grey(0, 255, 0, 255), Size(4, 1), max_pixels=3)


masks = arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)))


@given(masks)
@settings(max_examples=60, deadline=None)
def test_both_forms_read_back_as_the_same_mask(mask: Mask) -> None:
    size = Size(mask.shape[1], mask.shape[0])
    for data, mode in ((to_alpha_png(mask), "RGBA"), (to_luma_png(mask), "L")):
        with Image.open(io.BytesIO(data)) as image:
            assert image.mode == mode
    if mask.any():
        assert np.array_equal(read_mask(to_luma_png(mask), size, "luma", max_pixels=CAP), mask)
        assert np.array_equal(read_mask(to_alpha_png(mask), size, "alpha", max_pixels=CAP), mask)


@given(masks, st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_feathering_stays_inside_and_reaches_one(mask: Mask, radius: int) -> None:
    weights = feather(mask, radius)
    assert weights.dtype == np.float32
    assert (weights[~mask] == 0).all()
    assert (weights[mask] > 0).all()
    assert weights.max() <= 1
    if mask.any():
        assert weights.max() == 1


def test_feathering_rises_over_the_radius() -> None:
    mask = np.zeros((21, 21), np.bool_)
    mask[:, 10:] = True
    assert feather(mask, 3)[10, 8:16].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert feather(mask, 0)[10, 8:12].tolist() == [0, 0, 1, 1]


def test_a_hairline_is_edited_in_full() -> None:
    mask = np.zeros((21, 21), np.bool_)
    mask[10] = True
    assert (feather(mask, 4)[10] == 1).all()


@given(masks)
@settings(max_examples=30, deadline=None)
def test_the_fraction_counts_pixels(mask: Mask) -> None:
    assert edited_fraction(mask) == pytest.approx(mask.mean())


def test_a_photo_is_a_mask_by_its_brightness() -> None:
    pixels = photo(40, 30)
    mask = read_mask(saved(pixels, "PNG"), Size(40, 30), max_pixels=CAP)
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    clear = np.abs(luma - 127.5) > 1
    assert np.array_equal(mask[clear], luma[clear] >= 128)
