"""Thin pieces of a mask, and what they share with thick ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import skimage.data
from bench.quality.fills import psnr, scratches

from tollbrush.engines.studio.fill.removal import fill, is_thin
from tollbrush.engines.studio.fill.thin import closed
from tollbrush.engines.studio.pixels.parts import bands

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels


@pytest.fixture
def photo() -> Pixels:
    return np.ascontiguousarray(skimage.data.coffee()[100:340, 100:400])


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = cv2.getNumThreads()
    yield cv2.setNumThreads
    cv2.setNumThreads(before)


def blotch(pixels: Pixels) -> Mask:
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.circle(mask, (230, 150), 30, (1,), -1)
    return mask > 0


def test_scratches_close_nearer_to_the_truth_than_by_opencv(photo: Pixels) -> None:
    hole = scratches(photo.shape[:2])
    marked = photo.copy()
    marked[hole] = (255, 0, 255)
    ours = psnr(fill(marked, hole), photo, hole)
    for way in (cv2.INPAINT_TELEA, cv2.INPAINT_NS):
        peer = np.asarray(cv2.inpaint(marked, hole.astype(np.uint8), 3, way), np.uint8)
        assert ours > psnr(peer, photo, hole) + 1


def test_a_scratch_beside_a_blotch_is_closed_as_if_alone(photo: Pixels) -> None:
    line = np.zeros(photo.shape[:2], np.bool_)
    line[20:60, 40:43] = True
    alone = fill(photo, line)
    both = fill(photo, line | blotch(photo))
    assert np.array_equal(both[line], alone[line])


def test_a_mask_is_thin_when_all_of_its_pieces_are(photo: Pixels) -> None:
    lines = scratches(photo.shape[:2])
    assert is_thin(lines)
    assert not is_thin(blotch(photo))
    assert not is_thin(lines | blotch(photo))


def test_no_thread_changes_a_byte(photo: Pixels, threads: Callable[[int], None]) -> None:
    mask = blotch(photo) | scratches(photo.shape[:2])
    results = []
    for count in (1, 2, 5):
        threads(count)
        results.append(fill(photo, mask, 4))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_what_is_calm_stays_calm() -> None:
    wall = np.full((60, 60, 3), (120, 80, 40), np.uint8)
    hole = np.zeros((60, 60), np.bool_)
    hole[:, 30:33] = True
    marked = wall.copy()
    marked[hole] = 0
    assert np.abs(closed(marked, hole).astype(int) - wall).max() <= 1


def test_alpha_is_closed_along(photo: Pixels) -> None:
    clear = np.dstack([photo, np.full(photo.shape[:2], 200, np.uint8)])
    hole = scratches(photo.shape[:2])
    clear[hole] = 0
    assert np.abs(closed(clear, hole)[..., 3].astype(int) - 200).max() <= 1


@pytest.mark.parametrize(("first", "last"), [(0, 1), (3, 100), (7, 23)])
def test_bands_cover_every_row_once(first: int, last: int) -> None:
    rows = [row for top, bottom in bands(first, last) for row in range(top, bottom)]
    assert rows == list(range(first, last))
