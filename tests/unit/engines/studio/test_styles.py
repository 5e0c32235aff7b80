"""Styles: each is what its name says, on any picture, and the same at the same seed."""

from __future__ import annotations

from functools import cache
from typing import get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from support.imagery import astronaut
from tollbrush.engines.studio.plans.treatments import StyleKind
from tollbrush.engines.studio.retouch.drawings import chosen_colours, without_specks
from tollbrush.engines.studio.retouch.styles import style

Pixels = NDArray[np.uint8]
KINDS: tuple[StyleKind, ...] = get_args(StyleKind)
DRAWN: tuple[StyleKind, ...] = ("watercolour", "oil", "sketch", "vintage", "pop_art")  # not the same at every seed

SUIT, WALL, HELMET = (
    (slice(190, 220), slice(50, 80)), (slice(70, 110), slice(60, 85)), (slice(270, 300), slice(200, 215)),
)  # fmt: skip


def photo(side: int = 320) -> Pixels:
    return astronaut(side)


@cache
def styled(kind: StyleKind, seed: int = 1) -> Pixels:
    return style(photo(), kind, seed)


def lightness(pixels: Pixels) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[..., 0], np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_a_style_shows_the_same_picture_and_not_a_photograph(kind: StyleKind) -> None:
    before, after = (cv2.resize(lightness(p), (40, 40), interpolation=cv2.INTER_AREA) for p in (photo(), styled(kind)))
    assert np.corrcoef(before[4:-4, 4:-4].ravel(), after[4:-4, 4:-4].ravel())[0, 1] > 0.8
    assert np.abs(styled(kind).astype(int) - photo()).mean() > 4


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_makes_the_same_bytes(kind: StyleKind) -> None:
    assert np.array_equal(style(photo(), kind, 1), styled(kind))


@pytest.mark.parametrize("kind", DRAWN)
def test_another_seed_makes_another_picture(kind: StyleKind) -> None:
    assert not np.array_equal(styled(kind), styled(kind, 2))


@pytest.mark.filterwarnings("error")  # numpy warns of every NaN
@pytest.mark.parametrize("kind", KINDS)
def test_tiny_and_grey_and_plain_pictures(kind: StyleKind) -> None:
    grey = np.dstack([lightness(photo(64)).astype(np.uint8)] * 3)
    plain = [np.full((9, 7, 3), value, np.uint8) for value in (0, 128, 255)]
    tiny = [np.full((1, 1, 3), 77, np.uint8), np.ascontiguousarray(photo(64)[20:28, 20:28]), grey, grey[:2], *plain]
    for pixels in tiny:
        result = style(pixels, kind, 1)
        assert result.shape == pixels.shape and result.dtype == np.uint8
    if kind in {"pixel_art", "cartoon"}:  # which have no colour of their own
        assert np.ptp(style(grey, kind, 1).astype(int), axis=2).max() <= 6


def test_a_sketch_is_graphite_on_paper_and_darker_where_the_picture_is() -> None:
    drawn = styled("sketch")
    assert np.ptp(drawn.astype(int), axis=2).max() <= 12
    assert np.percentile(drawn, 95) > 215 and np.percentile(drawn, 3) < 90
    suit, wall, dark = (lightness(drawn)[rows, columns].mean() for rows, columns in (SUIT, WALL, HELMET))
    assert dark < suit < wall


def test_a_watercolour_leaves_the_paper_bare_at_its_edges_and_is_lighter() -> None:
    painted = styled("watercolour")
    rim = np.concatenate([painted[:3].reshape(-1, 3), painted[-3:].reshape(-1, 3), painted[:, :3].reshape(-1, 3)])
    assert np.percentile(rim, 10) > 225
    assert lightness(painted).mean() > lightness(photo()).mean() + 8


def test_oil_has_a_relief_where_the_photograph_is_smooth() -> None:
    wall = (slice(20, 60), slice(190, 220))
    rough = [np.abs(cv2.Laplacian(lightness(p)[wall], cv2.CV_32F)).mean() for p in (photo(), styled("oil"))]
    assert rough[1] > 1.5 * rough[0]


def test_a_cartoon_is_flat_between_its_lines() -> None:
    steps = [
        np.hypot(*(cv2.Sobel(lightness(p), cv2.CV_32F, *way) for way in ((1, 0), (0, 1))))
        for p in (photo(), styled("cartoon"))
    ]
    flat = [float((step < 3).mean()) for step in steps]
    assert flat[1] > 1.25 * flat[0]


def test_pixel_art_is_whole_squares_of_few_colours() -> None:
    art = style(photo(512), "pixel_art", 1)
    assert len(np.unique(art.reshape(-1, 3), axis=0)) <= 32
    block = next(size for size in range(12, 1, -1) if _blocks(art, size))
    assert 2 <= block <= 4, "a face has enough of them"
    large = style(np.asarray(cv2.resize(photo(512), (2048, 2048))), "pixel_art", 1)
    assert len(np.unique(large.reshape(-1, 3), axis=0)) <= 32, "enlarged without new colours between"


def _blocks(art: Pixels, size: int) -> bool:
    whole = art[: len(art) // size * size, : art.shape[1] // size * size]
    cells = whole.reshape(len(whole) // size, size, -1, size, 3)
    return bool((cells == cells[:, :1, :, :1]).all())


def test_rare_colours_are_chosen_too() -> None:
    points = np.tile(np.array([[50, 0, 0]], np.float32), (5000, 1)) + np.random.default_rng(1).normal(0, 6, (5000, 3))
    points[:40] = [55, 70, 50]
    centres = chosen_colours(points.astype(np.float32), 6, np.random.default_rng(2))
    assert np.linalg.norm(centres - [55, 70, 50], axis=1).min() < 5


def test_specks_turn_to_paper_and_lines_stay() -> None:
    random = np.random.default_rng(3)
    ink = np.ones((200, 200), np.float32)
    ink[50, 20:180] = ink[51, 20:180] = 0.1
    line = ink < 1
    for y, x in random.integers(60, 190, (40, 2)):
        ink[y : y + 3, x : x + 3] = 0.2
    ink[52, 100:103] = 0.5  # a hair that grows out of the line is the line's
    cleared = without_specks(ink, 200)
    assert (cleared[60:] == 1).all()
    assert np.array_equal(cleared[line], ink[line])
    assert (cleared[52, 100:103] == 0.5).all()
