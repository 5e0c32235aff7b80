"""Sizes that models work at, and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.frames import answered, check_shape, shown_mask, working
from tollbrush.errors import BadImage

_SIDES = st.integers(1, 4096)


@given(_SIDES, _SIDES, st.sampled_from([8, 16, 32]), st.sampled_from([512 * 512, 1024 * 1024]))
def test_multiples_within_the_area_and_near_the_shape(width: int, height: int, multiple: int, pixels: int) -> None:
    found = working(Size(width, height), multiple, pixels)
    assert found.width % multiple == found.height % multiple == 0
    assert min(found.width, found.height) >= 64
    if max(width, height) <= 8 * min(width, height):
        assert found.pixels <= pixels
        # Rounding moves each side by half a multiple, and fitting the area by one more.
        slack = 2 * multiple / min(found.width, found.height)
        assert abs(math.log(found.width * height / (found.height * width))) <= math.log1p(slack) * 2


@pytest.mark.parametrize(
    ("size", "multiple", "found"),
    [
        (Size(1024, 1024), 16, Size(1024, 1024)),
        (Size(1000, 750), 16, Size(1008, 752)),
        (Size(4096, 4096), 16, Size(1024, 1024)),
        (Size(1536, 1024), 16, Size(1248, 832)),
        (Size(40, 30), 8, Size(88, 64)),
    ],
)
def test_sizes_that_are_asked_for(size: Size, multiple: int, found: Size) -> None:
    assert working(size, multiple, 1024 * 1024) == found


def test_a_result_measures_what_was_asked() -> None:
    pixels = np.zeros((64, 88, 3), np.uint8)
    assert answered(pixels, Size(40, 30)).shape == (30, 40, 3)
    assert answered(pixels, Size(88, 64)) is pixels


def test_a_hairline_mask_survives_shrinking() -> None:
    mask = np.zeros((1000, 1000), np.bool_)
    mask[500, 100:900] = True
    assert np.asarray(shown_mask(mask, Size(104, 104))).max() == 255


def test_a_strip_is_refused() -> None:
    check_shape((np.zeros((100, 800, 3), np.uint8),))
    with pytest.raises(BadImage, match=r"image\[1\] measures 801x100"):
        check_shape((np.zeros((100, 100, 3), np.uint8), np.zeros((100, 801, 3), np.uint8)))
