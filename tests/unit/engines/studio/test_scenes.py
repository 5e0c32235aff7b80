"""Painted backdrops: bytes by seed, and the look that each name promises, in numbers."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.lexicon import Scene
from tollbrush.engines.studio.scenes import SCENES, paint, plain

Map = NDArray[np.float64]
SIZE = Size(384, 320)


def luminance(pixels: NDArray[np.uint8]) -> Map:
    return np.asarray(pixels @ np.array([0.2126, 0.7152, 0.0722]), np.float64)


def test_the_scenes() -> None:
    assert set(SCENES) == set(get_args(Scene))


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("size", [Size(1, 1), Size(64, 64), Size(7, 300), Size(500, 40), SIZE])
def test_any_size(name: str, size: Size) -> None:
    pixels = paint(name, size, 5)
    assert pixels.shape == (size.height, size.width, 3)
    assert pixels.dtype == np.uint8


def test_a_scene_larger_than_the_canvas_is_the_same_scene() -> None:
    large = paint("sunset", Size(3000, 1500), 3)
    assert large.shape == (1500, 3000, 3)
    small = cv2.resize(large, (300, 150), interpolation=cv2.INTER_AREA).astype(int)
    usual = cv2.resize(paint("sunset", Size(2048, 1024), 3), (300, 150), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small - usual).mean() < 3


@pytest.mark.parametrize("name", SCENES)
def test_same_seed_same_bytes_other_seed_other_picture(name: str) -> None:
    first = paint(name, SIZE, 11)
    assert (paint(name, SIZE, 11) == first).all()
    other = paint(name, SIZE, 12)
    assert (other != first).any(axis=2).mean() > 0.3


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_a_starry_sky_is_dark_with_few_bright_points(seed: int) -> None:
    light = luminance(paint("starry", Size(512, 512), seed))
    sky = light[:360]
    assert np.median(sky) < 60
    assert np.median(light[-20:]) < 40  # the near ridge
    points = sky - cv2.medianBlur(sky.astype(np.uint8), 5)
    assert 0.002 < (points > 25).mean() < 0.08
    assert (sky > 200).sum() >= 3


def test_stars_have_colours() -> None:
    sky = paint("starry", Size(768, 768), 1)[:500].astype(int)
    stars = sky[sky.max(axis=2) > 150]
    warm = stars[:, 0] - stars[:, 2]
    assert (warm > 15).any()
    assert (warm < -15).any()


def test_stars_grow_with_the_picture() -> None:
    """The same share of the sky is lit, whatever the resolution."""
    shares = []
    for side in (400, 1600):
        light = luminance(paint("starry", Size(side, side), 2))[: int(0.6 * side)]
        shares.append(float((light > 110).mean()))
    assert 0.4 < shares[0] / shares[1] < 2.5


@pytest.mark.parametrize("seed", range(4))
def test_colours_of_the_day(seed: int) -> None:
    sunset, blue = (paint(name, SIZE, seed).astype(int) for name in ("sunset", "blue_sky"))
    low = sunset[150:220].mean(axis=(0, 1))
    assert low[0] > low[2] + 60
    assert luminance(sunset.astype(np.uint8)).max() > 240  # the sun
    top = blue[:60].mean(axis=(0, 1))
    assert top[2] > top[0] + 25
    assert blue.mean() > 140


@pytest.mark.parametrize("name", ["starry", "sunset", "blue_sky", "gradient", "studio"])
def test_gradients_do_not_band(name: str) -> None:
    """Dither breaks every level up: no long run of one value along a row of smooth sky."""
    row = paint(name, Size(600, 400), 7)[30, :, 2].astype(int)
    changes = np.flatnonzero(np.diff(row))
    assert np.diff(changes).max() < 150


@pytest.mark.parametrize("name", ["gradient", "studio"])
def test_coloured_scenes_take_a_colour(name: str) -> None:
    assert SCENES[name].coloured
    red, green = (paint(name, SIZE, 1, colour).mean(axis=(0, 1)) for colour in ((200, 30, 30), (30, 160, 60)))
    assert red[0] > red[1] + 30
    assert green[1] > green[0] + 30


def test_plain_is_exactly_the_colour() -> None:
    pixels = plain(Size(30, 20), (12, 200, 7))
    assert pixels.shape == (20, 30, 3)
    assert (pixels == (12, 200, 7)).all()


def test_an_unknown_scene_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        paint("jungle", SIZE, 0)
