"""Masked removal: what stays, what comes, and when it says no."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.engines.studio.fill.removal import fill
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels


def photo(name: str, side: int = 256) -> Pixels:
    pixels = getattr(skimage.data, name)()
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    scale = side / max(pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def box(pixels: Pixels, top: int, bottom: int, left: int, right: int) -> Mask:
    mask: Mask = np.zeros(pixels.shape[:2], np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def texture(plane: Pixels) -> float:
    """Standard deviation of what is finer than three pixels."""
    grey = plane.mean(axis=2, dtype=np.float32)
    return float((grey - cv2.GaussianBlur(grey, (0, 0), 1.5)).std())


MASKS = {
    "inside": (90, 140, 100, 160),
    "corner": (0, 70, 0, 60),
    "left edge": (60, 150, 0, 40),
    "bottom strip": (200, 256, 0, 256),
    "most of the width": (100, 150, 10, 250),
    "thin line": (120, 124, 20, 230),
    "one pixel": (100, 101, 100, 101),
}


@pytest.mark.parametrize("where", MASKS)
@pytest.mark.parametrize("name", ["grass", "brick"])
def test_a_hole_in_texture_gets_that_texture(name: str, where: str) -> None:
    pixels = photo(name)
    mask = box(pixels, *MASKS[where])
    marked = pixels.copy()
    marked[mask] = (255, 0, 255)
    out = fill(marked, mask)
    assert np.array_equal(out[~mask], pixels[~mask])
    painted = out[mask].astype(int)
    # The textures are grey: any magenta that leaked would show as red or blue above green.
    assert np.abs(painted[:, 0] - painted[:, 1]).max() <= 6
    assert np.abs(painted[:, 2] - painted[:, 1]).max() <= 6


@pytest.mark.parametrize("name", ["grass", "brick", "gravel"])
def test_a_filled_hole_is_as_rough_and_as_bright_as_its_surroundings(name: str) -> None:
    pixels = photo(name)
    mask = box(pixels, 80, 170, 70, 180)
    out = fill(pixels, mask)
    inner, around = out[86:164, 76:174], pixels[20:236, 20:236]
    assert 0.6 < texture(inner) / texture(around) < 1.6
    assert abs(float(inner.mean()) - float(around.mean())) < 25
    assert 0.5 < float(inner.std()) / float(around.std()) < 1.6


def test_a_gradient_goes_on_without_a_seam() -> None:
    ramp = np.linspace(40, 200, 256)
    wall = np.repeat(np.repeat(ramp[:, None], 256, 1)[..., None], 3, 2)
    noisy = wall + np.random.default_rng(0).normal(0, 2, wall.shape)
    pixels = np.asarray(np.clip(noisy, 0, 255), np.uint8)
    out = fill(pixels, box(pixels, 70, 190, 60, 180))
    smooth = cv2.GaussianBlur(out.astype(np.float32), (0, 0), 3).mean(axis=2)
    assert np.abs(smooth[:, 120] - ramp).max() < 14
    assert np.abs(np.diff(smooth, axis=1)).max() < 3


def test_an_object_is_gone_and_its_wall_goes_on() -> None:
    pixels = photo("grass")
    centre = np.hypot(*(np.mgrid[:256, :256] - 128)) < 30
    marked = pixels.copy()
    marked[centre] = (230, 30, 30)
    mask: Mask = cv2.dilate(centre.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    out = fill(marked, mask)
    red = out[..., 0].astype(int) - out[..., 1]
    assert red.max() < 40


def test_what_is_excluded_is_not_copied() -> None:
    pixels = photo("grass")
    pixels[:, 150:] = (200, 40, 40)
    mask, exclude = box(pixels, 90, 150, 100, 150), box(pixels, 0, 256, 150, 256)
    out = fill(pixels, mask, exclude=exclude)
    deep = out[96:144, 106:138].astype(int)
    assert (deep[..., 0] - deep[..., 1]).max() < 40


def test_the_exclusion_gives_way_when_nothing_else_is_left() -> None:
    pixels = photo("grass")
    mask = box(pixels, 90, 150, 100, 150)
    out = fill(pixels, mask, exclude=~mask)
    assert texture(out[90:150, 100:150]) > 0.5 * texture(pixels)


def test_a_hole_in_a_thing_is_filled_from_that_thing() -> None:
    """A badge on a coat: the coat is the subject, and what must be copied."""
    pixels = photo("grass")
    pixels[60:220, 60:220, 1:] //= 4
    coat, mask = box(pixels, 60, 220, 60, 220), box(pixels, 110, 160, 110, 170)
    painted = fill(pixels, mask, exclude=coat)[mask].astype(int)
    assert (painted[:, 0] - painted[:, 1]).min() > 0


def test_what_is_nowhere_at_the_rim_is_not_brought_in() -> None:
    """One coin of many is gone, though at a coarse scale every patch around shows some coin."""
    pixels = np.repeat(skimage.data.coins()[..., None], 3, axis=2)
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.ellipse(mask, (270, 122), (30, 28), 0, 0, 360, (1,), -1)
    out = fill(pixels, mask > 0)
    assert np.percentile(out[mask > 0], 99) < 90, "darker than any coin"


def test_a_texture_goes_on_where_the_light_falls_off() -> None:
    ramp = np.linspace(0.35, 1.15, 256)[:, None, None]
    pixels = np.asarray(np.clip(photo("gravel") * ramp, 0, 255), np.uint8)
    mask = box(pixels, 70, 190, 80, 180)
    out = fill(pixels, mask)
    lightness = [float(out[top : top + 24, 80:180].mean()) for top in range(70, 190, 24)]
    truth = [float(pixels[top : top + 24, 80:180].mean()) for top in range(70, 190, 24)]
    assert max(abs(a - b) for a, b in zip(lightness, truth, strict=True)) < 9
    assert 0.75 < texture(out[80:180, 90:170]) / texture(pixels[80:180, 90:170]) < 1.3


def test_lines_go_on_through_a_hole() -> None:
    """A slanting band, cut in its middle, is whole again."""
    rows, columns = np.mgrid[:256, :256]
    band = np.abs(rows - columns) < 16
    grain = np.random.default_rng(0).normal(0, 6, (256, 256, 1))
    pixels = np.asarray(np.clip(np.where(band[..., None], 60, 170) + grain, 0, 255), np.uint8).repeat(3, axis=2)
    mask = np.hypot(rows - 128, columns - 128) < 40
    out = fill(pixels, mask).mean(axis=2)
    wrong = (cv2.blur(out, (5, 5)) < 115) != band
    assert wrong[mask].mean() < 0.06


def test_one_seed_one_result() -> None:
    pixels = photo("gravel")
    mask = box(pixels, 60, 140, 60, 150)
    first = fill(pixels, mask, seed=3)
    assert np.array_equal(first, fill(pixels, mask, seed=3))
    assert not np.array_equal(first, fill(pixels, mask, seed=4))


@pytest.mark.parametrize("seed", [-1, 2**32, 2**64 + 5])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    pixels = photo("gravel", 64)
    mask = box(pixels, 20, 40, 20, 44)
    assert np.array_equal(fill(pixels, mask, seed)[~mask], pixels[~mask])


def test_large_pictures_are_worked_on_smaller_and_stay_sharp() -> None:
    pixels = np.tile(photo("gravel"), (3, 3, 1))
    mask = box(pixels, 200, 520, 220, 540)
    out = fill(pixels, mask)
    assert np.array_equal(out[~mask], pixels[~mask])
    assert 0.6 < texture(out[210:510, 230:530]) / texture(pixels) < 1.5


def test_alpha_is_filled_along() -> None:
    pixels = np.dstack([photo("grass"), np.full((256, 256), 255, np.uint8)])
    mask = box(pixels, 90, 150, 100, 160)
    pixels[mask] = 0
    out = fill(pixels, mask)
    assert out.shape == pixels.shape
    assert out[..., 3].min() > 250


def test_an_empty_mask_changes_nothing() -> None:
    pixels = photo("coffee")
    assert np.array_equal(fill(pixels, np.zeros(pixels.shape[:2], np.bool_)), pixels)


@pytest.mark.parametrize("shape", [(1, 1), (40, 60)])
def test_a_mask_of_everything_is_refused(shape: tuple[int, int]) -> None:
    pixels = np.zeros((*shape, 3), np.uint8)
    with pytest.raises(CannotHonour, match="whole picture"):
        fill(pixels, np.ones(shape, np.bool_))


def test_a_mask_that_leaves_a_thin_frame_is_refused() -> None:
    pixels = photo("grass")
    with pytest.raises(CannotHonour, match="too little"):
        fill(pixels, box(pixels, 2, 254, 2, 254))


@pytest.mark.parametrize("share", [0.8, 0.95, 0.99])
def test_a_mask_that_leaves_little_is_refused_with_advice(share: float) -> None:
    pixels, side = photo("coffee"), int(256 * share**0.5)
    with pytest.raises(CannotHonour, match="too little") as refused:
        fill(pixels, box(pixels, len(pixels) - int(side * len(pixels) / 256), len(pixels), 0, side))
    assert "Mark less" in refused.value.hint


def test_half_a_texture_is_filled_from_the_other_half() -> None:
    pixels = photo("grass")
    mask = box(pixels, 75, 256, 0, 181)
    assert 0.6 < texture(fill(pixels, mask)[80:250, 5:175]) / texture(pixels) < 1.5


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_any_small_picture_is_filled_or_refused(h: int, w: int, data: st.DataObject) -> None:
    pixels = np.random.default_rng(h * 41 + w).integers(0, 256, (h, w, 3), dtype=np.uint8)
    top, left = data.draw(st.integers(0, h - 1)), data.draw(st.integers(0, w - 1))
    mask = box(pixels, top, data.draw(st.integers(top + 1, h)), left, data.draw(st.integers(left + 1, w)))
    before = pixels.copy()
    try:
        out = fill(pixels, mask)
    except CannotHonour:
        assert mask.mean() > 0.02
    else:
        assert np.array_equal(out[~mask], pixels[~mask])
    assert np.array_equal(pixels, before)
