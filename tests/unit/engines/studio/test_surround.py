"""What lies around a hole: one texture, or several things."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from bench.quality.photographs import photograph

from tollbrush.engines.studio.fill.surround import depth, strange, variety


def lab(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)


def disc(shape: tuple[int, ...], x: int, y: int, radius: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    rows, columns = np.indices(shape[:2])
    return np.asarray(np.hypot(rows - y, columns - x) < radius)


@pytest.mark.parametrize("name", ["grass", "gravel", "brick"])
def test_a_texture_is_alike_all_around(name: str) -> None:
    pixels = photograph(name)
    assert variety(lab(pixels), disc(pixels.shape, 250, 250, 55)) < 0.8


@pytest.mark.parametrize(
    ("name", "x", "y"), [("astronaut", 262, 290), ("coffee", 470, 300), ("motorcycle", 590, 190), ("camera", 420, 200)]
)
def test_several_things_are_told_from_a_texture(name: str, x: int, y: int) -> None:
    pixels = photograph(name)
    assert variety(lab(pixels), disc(pixels.shape, x, y, 45)) > 1.2


def test_nothing_around_is_no_variety() -> None:
    assert variety(np.zeros((8, 8, 3), np.float32), np.ones((8, 8), np.bool_)) == 0


def test_a_colour_is_strange_that_the_rim_does_not_show() -> None:
    picture = np.full((60, 80, 3), (50, 0, 0), np.float32)
    picture[:, 60:] = (80, 40, -30)
    foreign = strange(picture, disc((60, 80), 25, 30, 12))
    assert foreign[:, 60:].min() == 1
    assert foreign[:, :60].max() == 0


def test_depth_ends_at_the_border_too() -> None:
    hole = np.zeros((40, 60), np.bool_)
    hole[:, :20] = True
    assert depth(hole) == pytest.approx(10, abs=1)
