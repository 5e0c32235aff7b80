"""How far a head nods: told on one bent by a known angle, left alone on one held upright."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from support.heads import looking, portrait
from tollbrush.engines.studio.accessories.head import Head, measure
from tollbrush.engines.studio.accessories.pitch import held_upright, pitch_of
from tollbrush.engines.studio.accessories.wear import wear
from tollbrush.engines.studio.faces.find import Point, find_faces

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

USUAL = (0.697, 1.725, -1.97)


def seen(pixels: Pixels) -> float:
    """Degrees by which the picture's head looks down."""
    return float(np.degrees(measure(pixels, find_faces(pixels)[0]).pitch))


@pytest.mark.parametrize("down", [-18, -12, -6, 6, 12, 18])
def test_a_nod_is_told_from_a_look_up_and_never_overstated(down: int) -> None:
    """Drawn towards nought: between a fifth and the whole of the truth."""
    told = seen(looking(down=down))
    assert 0.2 * abs(down) < np.sign(down) * told < abs(down)


@pytest.mark.parametrize("how", ["as it is", "mirrored", "small", "dark", "noisy", "tilted"])
def test_a_head_held_upright_does_not_nod(how: str) -> None:
    picture = portrait()
    if how == "mirrored":
        picture = np.ascontiguousarray(picture[:, ::-1])
    elif how == "small":
        picture = np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    elif how == "dark":
        picture = (picture * 0.3).astype(np.uint8)
    elif how == "noisy":
        grain = np.random.default_rng(0).normal(0, 16, picture.shape)
        picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    elif how == "tilted":
        turn = cv2.getRotationMatrix2D((225, 190), -20, 1.0)
        picture = np.asarray(cv2.warpAffine(picture, turn, (420, 440), borderMode=cv2.BORDER_REFLECT), np.uint8)
    assert abs(seen(picture)) < 3


def test_a_turned_head_does_not_nod() -> None:
    assert abs(seen(looking(right=18))) < 4


def test_the_usual_face_looks_straight() -> None:
    assert pitch_of(*USUAL) == pytest.approx(0, abs=0.01)
    assert pitch_of(*USUAL[:2], None) == pytest.approx(0, abs=0.01)


def test_a_lower_nose_and_a_higher_top_look_down() -> None:
    nose, chin, top = USUAL
    assert pitch_of(nose + 0.06, chin, top) > 0.04
    assert pitch_of(nose, chin, top - 0.2) > 0.04
    assert pitch_of(nose + 0.06, chin, top - 0.2) > pitch_of(nose + 0.06, chin, top)


def test_a_longer_face_is_no_nod() -> None:
    """Nose and chin lower alike: the face is long, and the answer smaller than the nose's alone."""
    nose, chin, _ = USUAL
    assert abs(pitch_of(nose + 0.05, chin + 0.12, None)) < 0.6 * pitch_of(nose + 0.05, chin, None)


def test_a_tower_of_hair_is_no_deep_nod() -> None:
    nose, chin, top = USUAL
    assert pitch_of(nose, chin, top - 1.2) < pitch_of(nose, chin, top - 0.35)


def test_heights_are_those_of_the_head_held_upright() -> None:
    bent = 0.7 * np.cos(0.3) + 0.25 * np.sin(0.3)
    assert held_upright(bent, 0.3, 0.25) == pytest.approx(0.7)


def test_what_lies_before_the_eyes_comes_lower_when_a_head_nods() -> None:
    nose, top = np.array([[[0.0, 0.7, 1.55], [0.0, -1.9, 0.0]]], np.float32)[0]
    bent = Head(Point(0, 0), 40.0, 0.0, pitch=0.3).facing(np.stack([nose, top]))
    assert bent[0, 1] == pytest.approx(0.7 * np.cos(0.3) + 0.3 * np.sin(0.3), abs=1e-5)
    assert bent[1, 1] < top[1]
    assert bent[1, 2] > top[2]


def test_a_hat_shows_its_top_when_the_head_nods_and_not_when_it_looks_up() -> None:
    """The top of the hat is an oval whose height grows with the nod: its upper rim leaves its lower one."""
    heights = []
    for down in (-18, 18):
        picture = looking(down=down)
        mask = np.abs(wear(picture, "top_hat").astype(int) - picture).max(axis=2) > 24
        rows, columns = np.nonzero(mask)
        middle, edge = (np.percentile(columns[rows < rows.min() + 40], q) for q in (50, 3))
        tops = [int(np.flatnonzero(mask[:, round(at)]).min()) for at in (middle, edge)]
        heights.append(tops[1] - tops[0])
    assert heights[1] > heights[0] + 3
