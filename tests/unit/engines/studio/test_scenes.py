"""Painted backdrops: bytes by seed, and the look that each name promises, in numbers."""

from __future__ import annotations

import tracemalloc
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.pixels.noise import Fractal
from tollbrush.engines.studio.plans.kinds import Scene
from tollbrush.engines.studio.scenes.backdrops import SCENES, paint, plain

Map = NDArray[np.float64]
SIZE = Size(384, 320)


def luminance(pixels: NDArray[np.uint8]) -> Map:
    return np.asarray(pixels @ np.array([0.2126, 0.7152, 0.0722]), np.float64)


def test_the_scenes() -> None:
    assert set(SCENES) == set(get_args(Scene))


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("size", [Size(1, 1), Size(7, 300), Size(500, 40)])
def test_any_size(name: str, size: Size) -> None:
    pixels = paint(name, size, 5)
    assert pixels.shape == (size.height, size.width, 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("name", ["sunset", "mountains", "beach", "starry"])
def test_a_larger_picture_is_of_the_same_place(name: str) -> None:
    large, small = paint(name, Size(1200, 900), 3), paint(name, Size(400, 300), 3)
    reduced = [cv2.resize(p, (40, 30), interpolation=cv2.INTER_AREA).astype(int) for p in (large, small)]
    assert np.abs(reduced[0] - reduced[1]).mean() < 5


@pytest.mark.parametrize("name", ["starry", "mountains", "snow", "beach"])
def test_detail_grows_with_the_picture(name: str) -> None:
    """Twice the pixels show more than the half of them enlarged, beyond 2048 too."""
    large = paint(name, Size(2200, 360), 4)
    half = cv2.resize(paint(name, Size(1100, 180), 4), (2200, 360), interpolation=cv2.INTER_CUBIC)
    fine, coarse = (float(cv2.Laplacian(luminance(p.astype(np.uint8)), cv2.CV_64F).std()) for p in (large, half))
    assert fine > 1.25 * coarse


def test_a_large_picture_is_painted_in_little_memory() -> None:
    tracemalloc.start()
    try:
        pixels = paint("mountains", Size(2400, 1600), 1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most / (pixels.size / 3) < 40, "bytes to a pixel: 12 were the picture once in floats"


def test_clouds_stand_on_no_lattice() -> None:
    """Over many seeds, noise varies alike at every place: value noise varies most at its knots."""
    places = np.linspace(0, 0.5, 32, dtype=np.float32)
    values = [Fractal(np.random.default_rng(s)).at(places[None], places[:, None]) for s in range(60)]
    spread = np.var(values, axis=0)
    for axis in (0, 1):
        along = spread.mean(axis=axis)
        assert along.min() > 0.6 * along.max()


@pytest.mark.parametrize(("name", "rows"), [("blue_sky", slice(0, 160)), ("clouds", slice(0, 160))])
def test_clouds_lie_elsewhere_at_every_seed(name: str, rows: slice) -> None:
    covers = []
    for seed in range(4):
        sky = paint(name, SIZE, seed)[rows].astype(int)
        covers.append((sky[..., 0] > sky[..., 2] - 40).astype(float).ravel())
        assert 0.02 < covers[-1].mean() < 0.98
    alike = np.corrcoef(covers)[np.triu_indices(4, 1)]
    assert alike.max() < 0.6


def test_mountains_stand_under_the_sky_and_pale_with_distance() -> None:
    for seed in range(3):
        scene = paint("mountains", SIZE, seed).astype(int)
        near = scene[-60:].mean(axis=(0, 1))
        assert near[1] > near[2], "woods are green"
        assert scene[:40, :, 2].mean() > scene[:40, :, 0].mean() + 40, "and the sky blue"
        crest = [int(np.argmax(np.abs(np.diff(scene[120:230, c].sum(axis=1))) > 60)) for c in range(0, 384, 6)]
        assert np.std(crest) > 4, "the horizon is no line"


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
