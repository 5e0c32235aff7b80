"""Edges told sharp from blurred, and what they say of where a subject is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tollbrush.engines.studio.subject.defocus import edges_of, fading, focused_map, set_off

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

SIDE = 256


def texture(seed: int) -> NDArray[np.float64]:
    """Blots of some five pixels."""
    noise = np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE))
    soft = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.where(soft > 0, 170.0, 80.0)


def disc(x: int, y: int, radius: int) -> Mask:
    rows, columns = np.indices((SIDE, SIDE))
    return np.asarray(np.hypot(columns - x, rows - y) < radius)


def picture(thing: Mask, blur: float, contrast: float = 1.0) -> Pixels:
    """A textured thing in focus before a textured ground blurred by as many pixels."""
    back = cv2.GaussianBlur(texture(2), (0, 0), blur) if blur else texture(2)
    back = 125 + contrast * (back - 125) * (1 + 0.6 * blur)  # as busy as before
    grey = np.where(thing, texture(1), back) + np.random.default_rng(3).normal(0, 1, (SIDE, SIDE))
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


THING = disc(120, 150, 60)


def test_edges_are_sharp_in_focus_and_blurred_out_of_it() -> None:
    edges = edges_of(picture(THING, 3), SIDE, SIDE)
    inner, outer = disc(120, 150, 52), ~disc(120, 150, 68)
    assert edges.sharp[inner].mean() > 5 * edges.sharp[outer].mean()
    assert edges.blurred[outer].mean() > 0.1


def test_blur_is_told_whatever_the_contrast() -> None:
    """A background busier than the subject is no sharper."""
    for contrast in (0.5, 2.0):
        assert set_off(edges_of(picture(THING, 3, contrast), SIDE, SIDE), THING) > 0.7


@pytest.mark.parametrize(("x", "y", "radius"), [(120, 150, 60), (40, 200, 90), (128, 256, 110)])
def test_a_thing_before_a_blurred_ground_is_set_off_and_its_parts_are_not(x: int, y: int, radius: int) -> None:
    """Inside the picture, in a corner, and cut off by three sides."""
    thing = disc(x, y, radius)
    edges = edges_of(picture(thing, 4, 0.3), 128, 128)

    def small(mask: Mask) -> Mask:
        return np.asarray(cv2.resize(mask.astype(np.uint8), (128, 128), interpolation=cv2.INTER_AREA) > 0)

    assert set_off(edges, small(thing)) > 0.8
    assert set_off(edges, small(disc(x, y, radius // 2))) < 0.3
    assert set_off(edges, ~small(thing)) == 0


def test_nothing_is_set_off_where_all_is_sharp_or_nothing_is() -> None:
    soft: Pixels = np.asarray(cv2.GaussianBlur(picture(THING, 0), (0, 0), 4), np.uint8)
    for pixels in (picture(THING, 0), soft, np.full((SIDE, SIDE, 3), 90, np.uint8)):
        assert set_off(edges_of(pixels, SIDE, SIDE), THING) == 0


def test_a_bare_wall_is_no_defocus() -> None:
    wall = np.where(THING[..., None], picture(THING, 0), np.uint8(150)).astype(np.uint8)
    assert set_off(edges_of(wall, SIDE, SIDE), THING) == 0


def test_sharpness_ends_at_a_thing_and_fades_on_a_floor() -> None:
    """A disc of floor within the depth of field, and beyond it, ever more blurred ones."""
    near, floor = picture(THING, 0)[..., 0], np.zeros((SIDE, SIDE))
    reach = cv2.distanceTransform((~THING).astype(np.uint8), cv2.DIST_L2, 5) / 12
    for blur in range(6):
        soft = near if blur == 0 else cv2.GaussianBlur(near, (0, 0), float(blur))
        floor = np.where(reach >= blur, soft, floor)
    pixels = np.repeat(floor.astype(np.uint8)[..., None], 3, axis=2)
    assert fading(edges_of(picture(THING, 4), SIDE, SIDE), THING) == 0
    assert fading(edges_of(pixels, SIDE, SIDE), THING) > 0.3


def test_what_lies_between_sharp_edges_is_filled() -> None:
    """A ring of texture around a smooth middle, as a cup has."""
    ring, hole = disc(128, 128, 70), disc(128, 128, 18)
    pixels = picture(ring, 4)
    pixels[hole] = 150
    prior = focused_map(edges_of(pixels, SIDE, SIDE), 144, 144)
    assert prior.shape == (144, 144)
    assert prior[60:84, 60:84].mean() > 0.8
    assert prior[:15, :15].mean() < 0.2
