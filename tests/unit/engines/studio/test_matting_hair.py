"""Strands that leave the outline further than the matting band reaches."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tollbrush.engines.studio.hair import read_colours
from tollbrush.engines.studio.matting import matte

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
