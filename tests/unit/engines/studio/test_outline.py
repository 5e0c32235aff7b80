"""Outlines drawn to a picture's edges: scraps, pinholes, holes, and colours that mean one thing here, another there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tollbrush.engines.studio.pixels.min_cut import min_cut, steps_of
from tollbrush.engines.studio.pixels.palette import grain_of, palette_of
from tollbrush.engines.studio.subject.outline import drawn_to_edges, without_scraps

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

SIZE = 240
RED, GREEN, BLUE = (190, 50, 40), (60, 140, 70), (50, 70, 170)


def disc(x: int, y: int, radius: int) -> Mask:
    rows, columns = np.indices((SIZE, SIZE))
    return np.asarray(np.hypot(columns - x, rows - y) < radius)


def painted(ground: tuple[int, int, int], *parts: tuple[Mask, tuple[int, int, int]]) -> Pixels:
    """With the noise of a photograph."""
    pixels = np.full((SIZE, SIZE, 3), ground, np.float64)
    for mask, colour in parts:
        pixels[mask] = colour
    noise = np.random.default_rng(1).normal(0, 6, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def overlap(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_rough_outline_is_drawn_to_the_edge() -> None:
    truth, rough = disc(120, 120, 70), disc(124, 117, 75)
    found = drawn_to_edges(painted(GREEN, (truth, RED)), rough, 0.06)
    assert overlap(found, truth) > 0.98 > overlap(rough, truth)


def test_colours_are_asked_in_the_neighbourhood() -> None:
    """A red thing, blue below, before a ground that is blue above and red below: each colour lies on both sides."""
    truth = disc(120, 120, 70)
    rows = np.indices((SIZE, SIZE))[0]
    ground = np.where((rows < 120)[..., None], BLUE, RED)
    thing = np.where((rows < 120)[..., None], RED, BLUE)
    pixels = np.where(truth[..., None], thing, ground).astype(np.uint8)
    found = drawn_to_edges(pixels, disc(123, 117, 74), 0.06)
    assert overlap(found, truth) > 0.97


def test_background_seen_through_a_thing_is_opened() -> None:
    gap = disc(120, 125, 12)
    truth = disc(120, 120, 70) & ~gap
    found = drawn_to_edges(painted(GREEN, (truth, RED)), disc(121, 119, 72), 0.06)
    assert overlap(found, truth) > 0.97
    assert not found[disc(120, 125, 8)].any()


def test_a_patch_of_another_colour_is_no_hole() -> None:
    patch, truth = disc(120, 125, 22), disc(120, 120, 70)
    found = drawn_to_edges(painted(GREEN, (truth, RED), (patch, BLUE)), disc(121, 119, 72), 0.06)
    assert found[patch].all()


@pytest.mark.parametrize(("colour", "kept"), [(GREEN, False), (RED, True)])
def test_a_scrap_on_a_thin_bridge_goes_if_it_is_background(colour: tuple[int, int, int], kept: bool) -> None:
    body, scrap = disc(100, 120, 60), disc(180, 120, 13)
    bridge = np.zeros((SIZE, SIZE), bool)
    bridge[119:121, 150:175] = True
    mask = body | scrap | bridge
    result = without_scraps(mask, palette_of(painted(GREEN, (body, RED), (scrap, colour))))
    assert result[disc(180, 120, 8)].all() == kept
    assert (result & body).sum() > 0.99 * body.sum()


def test_pinholes_close_and_large_holes_of_background_stay() -> None:
    pinhole, hole = disc(100, 120, 2), disc(140, 120, 9)
    thing = disc(120, 120, 70)
    mask = thing & ~pinhole & ~hole
    result = without_scraps(mask, palette_of(painted(GREEN, (mask, RED))))
    assert result[pinhole].all()
    assert not result[disc(140, 120, 6)].any()


def test_a_hole_of_the_things_own_colour_closes() -> None:
    thing, hole = disc(120, 120, 70), disc(140, 120, 9)
    result = without_scraps(thing & ~hole, palette_of(painted(GREEN, (thing, RED))))
    assert result[hole].all()


@pytest.mark.parametrize("whole", [False, True])
def test_nothing_and_everything_stay_as_they_are(whole: bool) -> None:
    mask = np.full((SIZE, SIZE), whole)
    assert (drawn_to_edges(painted(GREEN), mask, 0.06) == mask).all()


def test_a_cut_follows_the_odds_where_they_are_clear_and_the_steps_where_not() -> None:
    pixels = painted(GREEN, (disc(120, 120, 70), RED))
    odds = np.full((SIZE, SIZE), -0.2, np.float32)
    odds[disc(120, 120, 66)], odds[disc(30, 30, 10)] = 3, 6
    labels = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[0], labels[disc(120, 120, 20)] = cv2.GC_BGD, cv2.GC_FGD
    found = min_cut(odds, steps_of(pixels), labels, 12.0)
    assert overlap(found & ~disc(30, 30, 20), disc(120, 120, 70)) > 0.97
    assert not min_cut(-np.abs(odds), steps_of(pixels), np.where(labels == cv2.GC_PR_FGD, cv2.GC_PR_BGD, labels), 12.0)[
        disc(30, 30, 8)
    ].any()


def test_odds_tell_colours_and_textures_apart() -> None:
    """A grey that is smooth on one side and rough on the other has one colour and two grains."""
    pixels = painted((128, 128, 128))
    left = np.indices((SIZE, SIZE))[1] < SIZE // 2
    noise = np.random.default_rng(2).normal(0, 25, (SIZE, SIZE, 1))
    pixels = np.where(left[..., None], cv2.GaussianBlur(pixels, (0, 0), 3), np.clip(pixels + noise, 0, 255)).astype(
        np.uint8
    )
    small = cv2.resize(pixels, (120, 120), interpolation=cv2.INTER_AREA)
    half = left[::2, ::2]
    grained = palette_of(np.asarray(small, np.uint8), grain_of(pixels, 120, 120))
    odds = grained.odds(half.astype(np.float32), (~half).astype(np.float32))
    assert odds[:, :50].mean() > 2
    assert odds[:, 70:].mean() < -2


def test_the_same_picture_gives_the_same_outline() -> None:
    pixels, rough = painted(GREEN, (disc(120, 120, 70), RED)), disc(124, 117, 75)
    assert (drawn_to_edges(pixels, rough, 0.06) == drawn_to_edges(pixels, rough, 0.06)).all()
