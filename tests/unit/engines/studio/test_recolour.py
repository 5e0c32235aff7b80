"""What is given another colour: the thing in a rough mask, with its shading, and nothing beside it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.retouch.recolour import recoloured
from tollbrush.engines.studio.subject.marked import marked
from tollbrush.engines.studio.understanding.understand import understand

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
SIDE = 240
RED, BLUE, WHITE, BLACK = (210, 30, 40), (20, 90, 220), (255, 255, 255), (10, 10, 10)


def disc(radius: float, x: float = 120, y: float = 120) -> Mask:
    rows, columns = np.indices((SIDE, SIDE))
    return np.asarray(np.hypot(rows - y, columns - x) < radius)


def ball(colour: tuple[int, int, int], wall: tuple[int, int, int] = (120, 140, 110)) -> tuple[Pixels, Mask]:
    """A shaded ball on a rough wall, and where it is."""
    random = np.random.default_rng(4)
    rows, columns = np.indices((SIDE, SIDE))
    there = disc(60)
    light = 1.0 - 0.55 * np.clip(np.hypot(rows - 95, columns - 95) / 95, 0, 1)
    pixels = np.where(there[..., None], np.array(colour) * light[..., None] + 8, np.array(wall))
    noisy = cv2.GaussianBlur(np.asarray(pixels + random.normal(0, 4, pixels.shape), np.float32), (0, 0), 0.8)
    return np.clip(noisy, 0, 255).astype(np.uint8), there


def hue(pixels: Pixels) -> NDArray[np.float64]:
    lab = cv2.cvtColor(pixels.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    return np.degrees(np.arctan2(lab[..., 2], lab[..., 1]), dtype=np.float64)


def light(pixels: Pixels) -> NDArray[np.float64]:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)[..., 0], np.float64)


@pytest.mark.parametrize("colour", [RED, (225, 222, 218), (22, 22, 24), (128, 128, 130)], ids=str)
def test_the_thing_in_an_oval_is_found_and_its_surroundings_are_left(colour: tuple[int, int, int]) -> None:
    pixels, there = ball(colour, (165, 130, 85))
    share = marked(pixels, disc(88, 126, 116))
    found = share > 0.5
    assert (found & there).sum() > 0.96 * (found | there).sum()
    assert share[~disc(63)].max() < 0.1
    assert ((share > 0.05) & (share < 0.95)).sum() > 40, "its edge is soft"


@pytest.mark.parametrize("target", [RED, BLUE, WHITE, BLACK], ids=str)
@pytest.mark.parametrize("colour", [(60, 150, 60), (200, 198, 195), (34, 33, 35)], ids=str)
def test_its_colour_is_the_one_asked_for_and_its_shading_stays(
    colour: tuple[int, int, int], target: tuple[int, int, int]
) -> None:
    pixels, _ = ball(colour, (165, 130, 85))
    after = recoloured(pixels, target, marked(pixels, disc(88)))
    core = disc(52)
    wanted = cv2.cvtColor(np.array([[target]], np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)[0, 0]
    if np.hypot(wanted[1], wanted[2]) > 20:
        away = np.abs((hue(after)[core] - np.degrees(np.arctan2(wanted[2], wanted[1])) + 180) % 360 - 180)
        assert np.median(away) < 6
    else:
        assert abs(np.median(light(after)[core]) - wanted[0]) < 26
        assert np.median(np.ptp(after[core].astype(int), axis=1)) < 14
    smooth = [cv2.GaussianBlur(light(p), (0, 0), 3)[core] for p in (pixels, after)]
    assert np.corrcoef(smooth[0], smooth[1])[0, 1] > 0.9


def test_nothing_outside_the_mask_changes_by_one_step() -> None:
    photo = np.asarray(skimage.data.astronaut()[200:500, :400])
    rows, columns = np.indices(photo.shape[:2])
    mask = np.asarray(np.hypot((columns - 170) / 130, (rows - 150) / 110) < 1)
    (after,) = perform(understand("make this blue", masked=True), photo, mask, [1])
    assert np.array_equal(after[~mask], photo[~mask])
    assert (after[mask] != photo[mask]).any(axis=1).mean() > 0.25


def test_a_badge_on_a_coat_keeps_its_colours() -> None:
    pixels, _ = ball((215, 110, 30), (90, 95, 100))
    badge = disc(14)
    pixels[badge] = (60, 40, 160)
    share = marked(pixels, disc(80))
    assert share[disc(9)].max() < 0.2
    assert share[disc(50) & ~disc(20)].mean() > 0.9


def test_a_mask_drawn_exactly_is_meant_as_it_is() -> None:
    """Though half of what it covers looks like the ground."""
    pixels, there = ball((200, 60, 60), (120, 140, 110))
    left = there & (np.indices((SIDE, SIDE))[1] < 120)
    pixels[left] = (150, 168, 142)
    pixels[disc(62) & ~disc(58)] = (15, 15, 15)
    share = marked(pixels, there)
    assert share[disc(54)].min() > 0.9
    assert share[~there].max() == 0


def test_where_nothing_is_to_be_told_apart_the_mask_fades_in() -> None:
    wall = np.clip(np.random.default_rng(2).normal(130, 5, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    mask = disc(70)
    share = marked(wall, mask)
    assert share[disc(40)].min() > 0.95
    assert 0 < share[mask & ~disc(67)].max() < 0.4
    assert share[~mask].max() == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (8, 8), (300, 3)])
def test_masks_of_tiny_pictures(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    for mask in (np.ones(shape, np.bool_), np.arange(shape[0] * shape[1]).reshape(shape) == 0):
        share = marked(pixels, mask)
        assert share.shape == shape and np.isfinite(share).all()
        assert (share[~mask] == 0).all() and share.max() <= 1
    assert not marked(pixels, np.zeros(shape, np.bool_)).any()


def test_a_thin_thing_in_a_wide_oval_is_found() -> None:
    wall = np.random.default_rng(3).normal(70, 3, (SIDE, SIDE, 3)) + np.array([0, 10, 40])
    pixels = np.clip(wall, 0, 255).astype(np.uint8)
    pole = np.zeros((SIDE, SIDE), np.bool_)
    pole[60:180, 117:123] = True
    pixels[pole] = (215, 205, 180)
    rows, columns = np.indices((SIDE, SIDE))
    share = marked(pixels, np.asarray(np.hypot((columns - 120) / 30, (rows - 120) / 75) < 1))
    assert share[pole].mean() > 0.85
    assert (share > 0.5).sum() < 1.35 * pole.sum()
