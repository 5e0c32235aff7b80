"""Where one sees through a subject that a mask covers whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from bench.quality.photographs import outlined
from numpy.typing import NDArray

from tollbrush.engines.studio.subject.holes import without_holes
from tollbrush.engines.studio.subject.matting import matte

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]

SIDE = 400
RED, WALL = (0.6, 0.15, 0.1), (0.75, 0.73, 0.7)


def mug() -> tuple[Mask, Mask, Mask]:
    """The mug, the hole under its handle, and both together as one paints them."""
    ink = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(ink, (90, 100), (250, 340), (1,), -1)
    whole = ink.copy()
    for canvas, thick in ((ink, 24), (whole, -1)):
        cv2.ellipse(canvas, (256, 215), (64, 76), 0, -90, 90, (1,), thick)
    return ink > 0, (whole > 0) & (ink == 0), (whole | ink) > 0


def picture(subject: Mask, colour: tuple[float, float, float] = RED) -> Map:
    """Before a wall that is lit from above and a little grainy."""
    light = np.linspace(1.1, 0.9, SIDE)[:, None, None]
    grain = np.random.default_rng(0).normal(0, 0.01, (SIDE, SIDE, 1))
    return np.asarray(np.clip(np.where(subject[..., None], colour, np.multiply(WALL, light)) + grain, 0, 1), np.float32)


def test_one_sees_through_a_handle() -> None:
    subject, hole, whole = mug()
    found = matte((picture(subject) * 255).astype(np.uint8), whole).alpha
    assert found[hole].mean() < 0.1
    assert found[subject].mean() > 0.97


def test_a_label_in_the_walls_colour_is_no_hole() -> None:
    """No ground is near enough to say that it is the wall."""
    subject = np.zeros((SIDE, SIDE), bool)
    subject[60:350, 60:340] = True
    labelled = subject.copy()
    labelled[110:190, 110:190] = False
    assert (without_holes(picture(labelled), subject) == subject).all()


def test_what_is_black_deep_inside_is_no_hole() -> None:
    """It is too far from any ground to be told from it, before a ground of leaves too."""
    subject = np.zeros((SIDE, SIDE), bool)
    subject[20:380, 20:380] = True
    grass = np.asarray(skimage.data.grass(), np.float32)
    ground = np.dstack([grass[:SIDE, :SIDE] / 255 if grass.ndim == 2 else grass[:SIDE, :SIDE, 0] / 255] * 3)
    for back in (picture(~subject), ground):
        image = np.where(subject[..., None], RED, back).astype(np.float32)
        image[150:230, 150:230] = 0.01
        assert (without_holes(image, subject) == subject).all()


def test_a_hole_is_opened_up_to_what_stands_behind_it() -> None:
    """A post behind the handle makes the ground beside it uneasy; the wall on its other side is seen all the same."""
    subject, hole, whole = mug()
    image = picture(subject)
    image[:, 290:298][~subject[:, 290:298]] = (0.1, 0.3, 0.1)
    left = without_holes(image, whole)
    inner = cv2.erode(hole.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    wall = inner & (np.arange(SIDE)[None] < 286)
    assert left[wall].mean() < 0.15
    assert left[subject].mean() > 0.99


def board() -> Mask:
    inside = np.zeros((SIDE, SIDE), np.bool_)
    inside[40:360, 40:360] = True
    return inside


def fading(steps: NDArray[np.float64], colour: tuple[float, float, float]) -> NDArray[np.float64]:
    """From the wall's colour at 0 to `colour` at 1."""
    part = np.clip(steps, 0, 1)[..., None]
    return np.asarray(np.array(WALL) * (1 - part) + np.array(colour) * part)


def test_what_fades_from_the_walls_colour_into_another_is_no_hole() -> None:
    """A shaded label along the edge: the wall is known beside all of it, and most of it is unlike the wall."""
    image = picture(board())
    image[100:300, 52:88] = fading((np.arange(100, 300)[:, None] - 170) / 110, (0.05, 0.1, 0.45))
    assert (without_holes(image, board()) == board()).all()


def test_what_reaches_deep_inside_is_no_hole() -> None:
    """A pale stripe from near the edge, where the wall tells of it, to where nothing does."""
    striped = board()
    striped[165:235, 70:260] = False
    assert (without_holes(picture(striped), board()) == board()).all()


def test_a_hole_whose_colour_fades_into_the_subject_is_opened_as_far_as_it_is_sure() -> None:
    """A gleam beside it leads what runs smoothly on through all of the subject."""
    subject = board()
    subject[170:230, 285:340] = False
    image = picture(subject)
    image[190:210, 185:285] = fading((285 - np.arange(185, 285)[None]) / 100, RED)
    left = without_holes(image, board())
    assert left[board() & ~subject].mean() < 0.6
    assert left[subject].all()


def test_what_the_subject_has_elsewhere_is_no_hole() -> None:
    """A white mug with red stripes before a white wall: white under the handle may be more of it."""
    subject, _, whole = mug()
    rows, columns = np.indices(subject.shape)
    striped = subject & ((rows % 20 < 6) | (columns > 250))
    assert (without_holes(picture(striped), whole) == whole).all()


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket", "motorcycle", "shuttle"])
def test_photographs_without_holes_stay_whole(name: str) -> None:
    scene = outlined(name)
    mask = scene.mask
    assert (without_holes(scene.pixels.astype(np.float32) / np.float32(255), mask) == mask).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 90), (64, 64)])
@pytest.mark.parametrize("fill", [False, True])
def test_masks_without_an_outline(shape: tuple[int, int], fill: bool) -> None:
    mask = np.full(shape, fill)
    assert (without_holes(np.full((*shape, 3), 0.4, np.float32), mask) == mask).all()
