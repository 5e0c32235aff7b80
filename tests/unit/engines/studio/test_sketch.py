"""How the boundaries of things go on through a hole, and the sketch that a completion follows there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import skimage.data

from tollbrush.engines.studio.fill.curves import Entry, boundaries, entries, joined
from tollbrush.engines.studio.fill.removal import fill
from tollbrush.engines.studio.fill.sketch import sketched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Mask, Pixels

    Floats = NDArray[np.float32]

DARK, PALE, WARM = ((20.0, 0.0, 0.0), (80.0, 0.0, 0.0), (60.0, 40.0, 40.0))
ROWS, COLUMNS = np.mgrid[:160, :160]


def colour(lab: tuple[float, ...]) -> Floats:
    return np.array(lab, np.float32)


def painted(where: Mask, inside: tuple[float, ...] = DARK, outside: tuple[float, ...] = PALE) -> Floats:
    return np.where(where[..., None], colour(inside), colour(outside))


def disc(y: float, x: float, radius: float) -> Mask:
    return np.asarray(np.hypot(ROWS - y, COLUMNS - x) < radius)


def found(colours: Floats, hole: Mask) -> list[Entry]:
    return entries(colours, hole, boundaries(colours, hole))


def entry(x: float, y: float, towards: tuple[float, float], left: tuple[float, ...], right: tuple[float, ...]) -> Entry:
    """At a place on a hole's outline whose number is the angle around (80, 80)."""
    place = int(1000 * (np.arctan2(y - 80, x - 80) + np.pi))
    return Entry(np.array([x, y]), np.array(towards), 0.0, colour(left), colour(right), (0, place))


def test_a_circle_s_boundary_enters_a_hole_twice_and_goes_on_as_that_circle() -> None:
    hole, whole = disc(80, 130, 32), disc(80, 80, 50)
    colours = painted(whole)
    colours[hole] = 0
    (curve,) = joined(found(colours, hole), 57.0)
    assert np.abs(np.hypot(*(curve - 80).T) - 50).max() < 3


def test_an_entry_knows_its_heading_and_its_two_sides() -> None:
    hole = disc(80, 80, 30)
    colours = painted(COLUMNS < 85, WARM, PALE)
    top = min(found(colours, hole), key=lambda one: one.at[1])
    assert top.at == pytest.approx([84.5, 51], abs=2.5)
    assert top.heading == pytest.approx([0, 1], abs=0.1)
    assert top.left == pytest.approx(PALE, abs=6), "it looks down: the picture's right is on its left"
    assert top.right == pytest.approx(WARM, abs=6)


def test_curves_do_not_cross_and_like_continues_like() -> None:
    left = [entry(50, 70, (1, 0), PALE, DARK), entry(50, 90, (1, 0), DARK, WARM)]
    right = [entry(110, 70, (-1, 0), DARK, PALE), entry(110, 90, (-1, 0), WARM, DARK)]
    curves = joined(sorted([*left, *right], key=lambda one: one.place), 60)
    assert len(curves) == 2
    assert sorted(float(np.ptp(curve[:, 1])) for curve in curves) == pytest.approx([0, 0], abs=1e-6)


def test_what_continues_nothing_stays_alone() -> None:
    one, other = entry(50, 80, (1, 0), PALE, DARK), entry(110, 60, (0, -1), WARM, WARM)
    assert joined(sorted([one, other], key=lambda e: e.place), 60) == []


def test_one_side_may_show_another_thing() -> None:
    """A table's edge, before a wall that is in the shade on one side of the hole."""
    one, other = entry(50, 80, (1, 0), DARK, WARM), entry(110, 80, (-1, 0), WARM, PALE)
    assert len(joined(sorted([one, other], key=lambda e: e.place), 60)) == 1


def test_a_sketch_goes_on_with_the_colours_on_either_side_of_a_curve() -> None:
    hole, whole = disc(80, 130, 32), disc(80, 80, 50)
    truth = painted(whole, WARM, PALE)
    colours = truth.copy()
    colours[hole] = (0, 0, 0)
    out = sketched(colours, hole)
    wrong = np.linalg.norm(out - truth, axis=2) > 20
    assert wrong[hole].mean() < 0.06
    assert np.abs(out - truth)[~hole & ~disc(80, 80, 54) & ~disc(80, 130, 36)].max() < 1


def test_texture_is_no_boundary() -> None:
    grain = np.random.default_rng(0).normal(0, 2, (160, 160, 1)).astype(np.float32)
    colours = painted(COLUMNS < 999, PALE) + grain
    out = sketched(colours, disc(80, 80, 30))
    assert out[disc(80, 80, 30)].std(axis=0).max() < 1.5


HOLES = {
    "in a corner": disc(0, 0, 40),
    "all but two columns": COLUMNS > 1,
    "one pixel": disc(80, 80, 1),
    "stripes": ROWS % 7 < 5,
}


@pytest.mark.parametrize("where", HOLES)
def test_any_hole_is_sketched_in_colours_that_are_there(where: str) -> None:
    colours = painted(disc(60, 70, 45), WARM, DARK)
    out = sketched(colours, HOLES[where])
    assert np.isfinite(out).all()
    assert out.min() >= -1
    assert out.max() <= 61


@pytest.mark.parametrize("seed", [0, 1])
def test_a_saucer_s_rim_goes_on_through_a_painted_hole(seed: int) -> None:
    """On a table that is bright above and in the saucer's own shadow below."""
    pixels = np.ascontiguousarray(skimage.data.coffee())
    mark = np.zeros(pixels.shape[:2], np.uint8)
    cv2.ellipse(mark, (470, 300), (45, 54), 15, 0, 360, (1,), -1)
    hole = mark > 0
    marked = pixels.copy()
    marked[hole] = (255, 0, 255)
    wrong = saucer(fill(marked, hole, seed)) != saucer(pixels)
    assert wrong[hole].mean() < 0.08


def saucer(pixels: Pixels) -> Mask:
    """Where the picture is as red as that."""
    calm = cv2.GaussianBlur(pixels, (0, 0), 2.5).astype(int)
    return np.asarray(calm[..., 0] - calm[..., 1] > 105)
