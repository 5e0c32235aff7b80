"""Sky between leaves: replaced there too, without thinning leaves, and nothing is taken for foliage that is none."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from tollbrush.engines.studio.scenes.foliage import find_gaps, without_sky
from tollbrush.engines.studio.scenes.sky import replace_sky

Pixels = NDArray[np.uint8]
Map = NDArray[np.float32]
WIDTH, HEIGHT, GROUND = 800, 600, 440


def lightness(pixels: Pixels) -> Map:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[..., 0], np.float32) / 2.55


def blades() -> Pixels:
    grass = np.asarray(skimage.data.grass(), np.uint8)
    grass = grass if grass.ndim == 2 else grass[..., 0]
    return np.asarray(cv2.resize(grass, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def leaves_alone(light: float) -> Map:
    return np.asarray(blades()[..., None] * np.array([0.55, 0.75, 0.3]) * light, np.float32)


@cache
def tree(
    top: tuple[int, int, int], bottom: tuple[int, int, int], light: float = 1.0, black: bool = False
) -> tuple[Pixels, Map]:
    """A crown whose leaves are as a photograph's blades of grass, before a sky of two colours, grainy; and how much of
    each pixel is sky. Leaves cover what is bright in that photograph; the ground is of the same, or black."""
    random = np.random.default_rng(4)
    leaf = blades().astype(np.float32)
    y, x = np.indices((HEIGHT, WIDTH), dtype=np.float32)
    crown = 1.6 * (1 - np.hypot((x - 430) / 210, (y - 260) / 190))
    there = np.clip((leaf - np.percentile(leaf, 38)) / 14 + 0.5, 0, 1) * np.clip(6 * crown + 0.5, 0, 1)
    cover = cv2.GaussianBlur(np.where(y > GROUND, 1, there).astype(np.float32), (0, 0), 0.6)[..., None]
    sky = np.linspace(top, bottom, HEIGHT)[:, None] * np.ones((1, WIDTH, 1))
    land = leaves_alone(light)
    if black:
        land[GROUND:] = 4
    pixels = sky * (1 - cover) + land * cover + random.normal(0, 2, (HEIGHT, WIDTH, 1))
    return np.clip(pixels, 0, 255).astype(np.uint8), np.asarray(1 - cover[..., 0], np.float32)


@pytest.mark.parametrize("sky", [((47, 116, 200), (188, 216, 240)), ((228, 232, 234), (246, 246, 244))])
def test_no_bright_holes_are_left_in_a_crown_and_its_leaves_stay(
    sky: tuple[tuple[int, int, int], tuple[int, int, int]],
) -> None:
    pixels, share = tree(*sky)
    done = lightness(replace_sky(pixels, "starry", 3))
    old = lightness(pixels)
    crown = (slice(140, 380), slice(300, 560))
    inner = cv2.erode((share > 0.95).astype(np.uint8), np.ones((3, 3), np.uint8))[crown] > 0
    assert inner.sum() > 500
    assert np.percentile(done[crown][inner], 99) < 0.6 * np.median(old[crown][inner]), "as a pale hole would be"
    assert np.median(done[crown][inner]) < 25, "a night sky's"
    gaps = find_gaps(pixels, share > 0.5, GROUND / HEIGHT)
    leaves = (share < 0.05)[crown]
    assert (gaps.sky[crown] & leaves).mean() < 0.01


@pytest.mark.parametrize("black", [False, True])
@pytest.mark.parametrize(
    ("sky", "light"), [(((228, 232, 234), (246, 246, 244)), 1.2), (((150, 190, 225), (205, 225, 240)), 1.0)]
)
def test_sky_and_leaves_are_told_apart_pixel_by_pixel_whatever_else_is_dark(
    sky: tuple[tuple[int, int, int], tuple[int, int, int]], light: float, black: bool
) -> None:
    """The sky is given about the crown alone."""
    pixels, truth = tree(*sky, light, black)
    y, x = np.indices(truth.shape)
    hull = np.hypot((x - 430) / 225, (y - 260) / 205) < 1
    crown = hull & (y < GROUND - 10)
    about = ~hull & (truth > 0.5)
    share, land = about.astype(np.float32), pixels.astype(np.float32) / np.float32(255)
    without_sky(pixels, find_gaps(pixels, about, GROUND / HEIGHT), share, land)
    assert np.abs(share - truth)[crown].mean() < 0.5 * truth[crown].mean(), "as much as was missed before"
    pure, mixed = crown & (truth < 0.05), crown & (truth > 0.1) & (truth < 0.5)
    assert share[pure].mean() < 0.005, "leaves stay whole"
    own = leaves_alone(light) / 255
    assert np.abs(land - own)[pure].mean() < 0.01
    assert np.abs(land - own)[mixed].mean() < 0.82 * np.abs(pixels / 255 - own)[mixed].mean(), "the sky's light is gone"


def test_what_hides_the_sky_wholly_keeps_its_colours() -> None:
    """A wall is rough and dark before the sky, as foliage is, but has no gaps."""
    pixels, _ = tree((47, 116, 200), (188, 216, 240))
    wall = pixels.copy()
    brick = np.asarray(skimage.data.brick(), np.uint8)
    brick = brick if brick.ndim == 2 else brick[..., 0]
    wall[:GROUND, 180:680] = wall[:GROUND, :1]
    wall[150:GROUND, 250:600] = brick[: GROUND - 150, :350, None] * np.array([0.75, 0.55, 0.45])
    done = replace_sky(wall, "blue_sky", 3)[170 : GROUND - 10, 270:580].astype(float)
    assert np.abs(done - wall[170 : GROUND - 10, 270:580]).mean() < 6


@pytest.mark.parametrize(
    ("dark", "bright"), [((0, 0, 0), (255, 255, 255)), ((0, 0, 0), (255, 214, 160)), ((20, 10, 60), (255, 235, 190))]
)
def test_by_grey_alone_toned_or_not_nothing_is_taken_for_foliage(
    dark: tuple[int, int, int], bright: tuple[int, int, int]
) -> None:
    grey = np.asarray(skimage.data.camera(), np.float32)[..., None] / 255
    photo = (np.array(dark) * (1 - grey) + np.array(bright) * grey).astype(np.uint8)
    sky = np.zeros(photo.shape[:2], np.bool_)
    sky[:60] = True
    assert not find_gaps(photo, sky, 0.31).foliage.any()


@pytest.mark.parametrize("side", [160, 320])
def test_in_small_pictures_leaves_stay_whole(side: int) -> None:
    size = (side, side * HEIGHT // WIDTH)
    pixels, truth = (
        cv2.resize(of, size, interpolation=cv2.INTER_AREA) for of in tree((150, 190, 225), (205, 225, 240))
    )
    about = truth > 0.95
    share, land = about.astype(np.float32), pixels.astype(np.float32) / np.float32(255)
    without_sky(np.asarray(pixels, np.uint8), find_gaps(np.asarray(pixels, np.uint8), about, 0.7), share, land)
    leaves = truth < 0.05
    assert leaves.sum() > 500
    assert share[leaves].mean() < 0.005
    assert np.abs(land - pixels / 255)[leaves].mean() < 0.01


def test_a_picture_without_a_pixel_of_sky_has_no_gaps() -> None:
    pixels, _ = tree((47, 116, 200), (188, 216, 240))
    gaps = find_gaps(pixels, np.zeros((HEIGHT, WIDTH), np.bool_), 0.5)
    assert not gaps.sky.any()
    assert np.isfinite(gaps.front).all()
