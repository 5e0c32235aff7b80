"""Large pictures a few rows at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tollbrush.engines.studio.pixels.strips import enlarged, strips


@given(st.integers(0, 3000), st.integers(1, 5_000_000))
def test_every_row_is_in_one_strip_and_none_holds_more_than_two_million_pixels(height: int, width: int) -> None:
    taken = list(strips(height, width))
    assert [y for rows in taken for y in range(rows.start, rows.stop)] == list(range(height))
    assert all((rows.stop - rows.start) * width <= 2**21 or rows.stop - rows.start == 1 for rows in taken)


def test_a_panorama_is_taken_in_shorter_strips_than_a_photograph() -> None:
    assert next(strips(1000, 40_000)).stop == 52
    assert next(strips(4000, 6000)).stop == 256


@given(st.integers(1, 40), st.integers(1, 40))
def test_rows_enlarged_by_strips_are_those_enlarged_at_once(height: int, width: int) -> None:
    small = np.random.default_rng(height * 41 + width).random((height, width)).astype(np.float32)
    whole = enlarged(small, slice(0, 97), 97, 131)
    parts = [enlarged(small, slice(top, min(top + 30, 97)), 97, 131) for top in range(0, 97, 30)]
    assert np.abs(np.vstack(parts) - whole).max() < 0.05, "up to how finely the library places a sample"
