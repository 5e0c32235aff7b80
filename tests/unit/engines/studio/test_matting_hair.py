"""Strands that leave the outline further than the matting band reaches."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tollbrush.engines.studio.subject.hair import read_colours
from tollbrush.engines.studio.subject.matting import matte
from tollbrush.engines.studio.subject.samples import sampled_alpha

Mask = NDArray[np.bool_]
Map = NDArray[np.float32]

SIDE = 480


def head() -> tuple[Map, Mask]:
    """Alpha of a disc with straight strands of forty pixels, and the mask of the disc alone."""
    disc = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(disc, (SIDE // 2, SIDE // 2), 120, (255,), -1)
    hairy = disc.copy()
    for angle in np.linspace(np.pi, 2 * np.pi, 30):
        way = np.array([np.cos(angle), np.sin(angle)])
        ends = [(SIDE / 2 + r * way).astype(int).tolist() for r in (115, 160)]
        cv2.line(hairy, ends[0], ends[1], (255,), 2, cv2.LINE_AA)
    return np.asarray(hairy, np.float32) / np.float32(255), disc > 0


def picture(alpha: Map, ground: Map) -> Map:
    random = np.random.default_rng(0)
    front = np.array([0.45, 0.25, 0.1], np.float32) + 0.03 * random.standard_normal((SIDE, SIDE, 1))
    return np.asarray(np.clip(front * alpha[..., None] + ground * (1 - alpha[..., None]), 0, 1), np.float32)


def calm() -> Map:
    return np.full((SIDE, SIDE, 3), (0.55, 0.7, 0.9), np.float32)


def band(mask: Mask) -> Mask:
    ink, disc = mask.astype(np.uint8), np.ones((13, 13), np.uint8)
    return np.asarray((cv2.dilate(ink, disc) > 0) & (cv2.erode(ink, disc) == 0))


def test_long_strands_are_kept_and_the_air_between_them_is_not() -> None:
    alpha, mask = head()
    found = matte((picture(alpha, calm()) * 255).astype(np.uint8), mask).alpha
    y, x = np.indices(mask.shape)
    beyond = (np.abs(np.hypot(y - SIDE / 2, x - SIDE / 2) - 148) < 6) & (y < SIDE / 2)
    assert found[beyond & (alpha > 0.9)].mean() > 0.6
    assert found[beyond & (alpha < 0.05)].mean() < 0.1


def fine_hair() -> tuple[Map, Mask]:
    """As `head`, its strands thinner than a pixel."""
    large, centre = np.zeros((4 * SIDE, 4 * SIDE), np.uint8), 2 * SIDE
    cv2.circle(large, (centre, centre), 480, (255,), -1)
    disc = large[::4, ::4] > 0
    for angle in np.linspace(np.pi, 2 * np.pi, 24):
        way = np.array([np.cos(angle), np.sin(angle)])
        ends = [(centre + r * way).astype(int).tolist() for r in (470, 620)]
        cv2.line(large, ends[0], ends[1], (255,), 3, cv2.LINE_AA)
    small = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255), disc


def test_strands_thinner_than_a_pixel_are_not_made_solid() -> None:
    alpha, mask = fine_hair()
    found = matte((picture(alpha, calm()) * 255).astype(np.uint8), mask).alpha
    y, x = np.indices(mask.shape)
    far = np.hypot(y - SIDE / 2, x - SIDE / 2)
    beyond = (far > 135) & (far < 150) & (y < SIDE / 2) & (alpha > 0.1)
    assert 0.4 < alpha[beyond].mean() < 0.8
    assert np.abs(found - alpha)[beyond].mean() < 0.06


def test_the_best_pair_tells_the_share_of_each_pixel() -> None:
    """Two colours each side, so that only the right pair explains a mixture."""
    y, x = np.indices((SIDE, SIDE), dtype=np.float32)
    alpha = np.asarray(np.clip((240 - y) / 30 + 0.5, 0, 1), np.float32)
    left = (x < SIDE / 2)[..., None]
    front, back = np.where(left, (0.8, 0.2, 0.1), (0.9, 0.8, 0.1)), np.where(left, (0.1, 0.2, 0.6), (0.1, 0.5, 0.1))
    mixed = np.asarray(front * alpha[..., None] + back * (1 - alpha[..., None]), np.float32)
    unknown = (alpha > 0) & (alpha < 1)
    found, trust = sampled_alpha(mixed, alpha == 1, unknown)
    assert np.abs(found - alpha)[unknown].mean() < 0.02
    assert trust[unknown].mean() > 0.4
    assert not found[~unknown].any()
    assert not trust[~unknown].any()


@pytest.mark.parametrize("sure", [True, False])
def test_pairs_need_two_sides(sure: bool) -> None:
    everything = np.full((40, 40), True)
    found, trust = sampled_alpha(calm()[:40, :40], everything & sure, everything & ~np.bool_(sure))
    assert not found.any()
    assert not trust.any()


def test_a_thing_nearby_is_no_hair() -> None:
    """A block in the subject's colour, apart from it."""
    alpha, mask = head()
    alpha[60:100, 210:270] = 1
    told = read_colours(picture(alpha, calm()), mask, band(mask))
    assert told.strands.any()
    assert not told.strands[65:95, 215:265].any()


def test_nothing_stands_out_from_the_subjects_own_colours() -> None:
    alpha, mask = head()
    same = picture(np.ones((SIDE, SIDE), np.float32), calm())
    told = read_colours(picture(alpha, same), mask, band(mask))
    assert not told.strands.any()
    assert told.trust.mean() < 0.3


@pytest.mark.parametrize("whole", [True, False])
def test_without_an_outline_there_are_no_strands(whole: bool) -> None:
    mask = np.full((SIDE, SIDE), whole)
    told = read_colours(calm(), mask, np.zeros_like(mask))
    assert not told.strands.any()
    assert np.isfinite(told.guess).all()
    assert np.isfinite(told.trust).all()
