"""Outside the mask not one bit changes, whatever the engine did."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from support.imagery import photo
from tollbrush.imaging.composite import composite, preserved, with_channels
from tollbrush.imaging.masks import Mask, feather

masks = arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)))
channels = st.sampled_from([3, 4])


@given(masks, channels, channels, st.integers(0, 4))
@settings(max_examples=150, deadline=None)
def test_outside_the_mask_every_bit_is_the_bases(mask: Mask, of_base: int, of_edit: int, radius: int) -> None:
    height, width = mask.shape
    base = photo(width, height, channels=of_base, seed=1)
    edited = photo(width, height, channels=of_edit, seed=2)
    before = base.copy()
    out = composite(base, edited, mask, radius)
    assert out.shape[2] == max(of_base, of_edit)
    assert np.array_equal(out[~mask], with_channels(base, out.shape[2])[~mask])
    assert preserved(base, out, mask)
    assert np.array_equal(base, before)


@given(masks, channels, channels)
@settings(max_examples=60, deadline=None)
def test_without_feathering_the_inside_is_the_edit(mask: Mask, of_base: int, of_edit: int) -> None:
    height, width = mask.shape
    base, edited = (photo(width, height, channels=c, seed=c) for c in (of_base, of_edit))
    out = composite(base, edited, mask, 0)
    assert np.array_equal(out[mask], with_channels(edited, out.shape[2])[mask])


@given(st.integers(130, 420), st.integers(130, 420), st.integers(0, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_tiles_leave_no_seams(width: int, height: int, radius: int, seed: int) -> None:
    """Blobs, hairlines and specks over many tiles: as if the picture had been blended in one piece."""
    random = np.random.default_rng(seed)
    blobs = cv2.resize(random.random((6, 6), np.float32), (width, height), interpolation=cv2.INTER_CUBIC) > 0.55
    blobs[int(random.integers(height))] = True
    mask: Mask = blobs | (random.random((height, width)) > 0.9995)
    base, edited = (photo(width, height, seed=seed) for seed in (1, 2))
    out = composite(base, edited, mask, radius)
    weights = feather(mask, radius)[..., None]
    assert np.array_equal(out, np.rint(base + (edited.astype(np.float32) - base) * weights))
    assert np.array_equal(out[~mask], base[~mask])


def test_the_edge_fades_in() -> None:
    base, edited = np.zeros((20, 20, 3), np.uint8), np.full((20, 20, 3), 200, np.uint8)
    mask = np.zeros((20, 20), np.bool_)
    mask[:, 8:] = True
    assert composite(base, edited, mask, 3)[10, 6:14, 0].tolist() == [0, 0, 50, 100, 150, 200, 200, 200]


def test_invisible_colour_does_not_tint_the_edge() -> None:
    base = np.zeros((20, 20, 4), np.uint8)
    base[..., 0] = 255  # invisible red
    edited = np.full((20, 20, 3), (0, 0, 255), np.uint8)
    mask = np.zeros((20, 20), np.bool_)
    mask[:, 8:] = True
    edge = composite(base, edited, mask, 3)[10, 8]
    assert edge.tolist() == [0, 0, 255, 64]


def test_a_change_outside_is_found() -> None:
    base = photo(12, 10)
    mask = np.zeros((10, 12), np.bool_)
    mask[2:5, 2:5] = True
    inside, outside = base.copy(), base.copy()
    inside[3, 3] ^= 1
    outside[7, 7, 2] ^= 1
    assert preserved(base, inside, mask)
    assert not preserved(base, outside, mask)


def test_lost_transparency_outside_is_found() -> None:
    base = photo(12, 10, channels=4)
    assert not preserved(base, base[..., :3], np.zeros((10, 12), np.bool_))


def test_other_shapes_are_a_defect() -> None:
    with pytest.raises(ValueError, match="composite of"):
        composite(photo(4, 4), photo(5, 4), np.ones((4, 4), np.bool_), 0)
