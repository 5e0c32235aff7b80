"""A crop keeps the subject."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from tollbrush.domain.edits import Size
from tollbrush.imaging.focus import focus_of, focus_of_mask
from tollbrush.imaging.geometry import Transform


def test_a_face_stays_with_its_hair() -> None:
    astronaut = data.astronaut()
    x, y = focus_of(astronaut)
    assert 0.35 < x < 0.52
    assert 0.05 < y < 0.25
    region = Transform.plan(Size(512, 512), Size(1536, 1024), "crop", (x, y)).region
    assert region.top == 0


@pytest.mark.parametrize(("left", "top"), [(20, 30), (250, 40), (130, 80), (30, 130), (260, 140)])
def test_what_stands_out_is_kept(left: int, top: int) -> None:
    pixels = np.full((200, 320, 3), (90, 110, 130), np.uint8)
    pixels[top : top + 40, left : left + 40] = np.random.default_rng(1).integers(0, 256, (40, 40, 3))
    x, y = focus_of(pixels)
    assert abs(x * 320 - left - 20) < 45
    assert abs(y * 200 - top - 20) < 45


def test_the_visible_part_of_a_cutout_is_the_subject() -> None:
    pixels = np.full((100, 200, 4), 128, np.uint8)
    pixels[..., 3] = 0
    pixels[40:60, 150:170, 3] = 255
    assert focus_of(pixels) == pytest.approx((0.8, 0.5), abs=0.02)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (300, 1, 3), (50, 50, 4)])
def test_a_picture_of_nothing_has_its_middle(shape: tuple[int, int, int]) -> None:
    x, y = focus_of(np.zeros(shape, np.uint8))
    assert x == pytest.approx(0.5, abs=0.01)
    assert y == pytest.approx(0.5, abs=0.01)


def test_a_mask_is_looked_at_in_its_middle() -> None:
    mask = np.zeros((100, 200), np.bool_)
    mask[10:30, 120:160] = True
    assert focus_of_mask(mask) == (0.7, 0.2)
