"""Eyes, nose, mouth and chin of a face whose features are known, upright, tilted, behind glasses, dark and noisy."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import skimage.data

from tollbrush.engines.studio.accessories.wear import wear
from tollbrush.engines.studio.faces.find import Face, Point, find_faces
from tollbrush.engines.studio.faces.landmarks import eyes, features, is_face

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

# Marked by hand in the astronaut's 512-pixel portrait.
LEFT_EYE, RIGHT_EYE = (202, 101), (247, 103)
UNIT = 45.0


@cache
def astronaut() -> Pixels:
    return np.asarray(skimage.data.astronaut(), np.uint8)


def turned(degrees: float) -> tuple[Pixels, list[tuple[float, float]]]:
    """The portrait turned about her nose, anticlockwise, and where her eyes are then."""
    turn = cv2.getRotationMatrix2D((225, 120), degrees, 1.0)
    picture = cv2.warpAffine(astronaut(), turn, (512, 512), borderMode=cv2.BORDER_REFLECT)
    x, y = turn @ np.array([[*LEFT_EYE, 1], [*RIGHT_EYE, 1]]).T
    return np.asarray(picture, np.uint8), list(zip(x, y, strict=True))


def errors(found: tuple[Point, Point], true: list[tuple[float, float]]) -> float:
    """The larger distance of the two, in distances between the eyes."""
    return float(max(np.hypot(at.x - x, at.y - y) for at, (x, y) in zip(found, true, strict=True))) / UNIT


def test_her_eyes_are_left_and_right_where_they_are() -> None:
    assert errors(eyes(astronaut(), find_faces(astronaut())[0]), [LEFT_EYE, RIGHT_EYE]) < 0.08


def test_a_mirrored_face_has_its_eyes_in_the_picture_s_order() -> None:
    mirrored = np.ascontiguousarray(astronaut()[:, ::-1])
    true = [(511.0 - x, float(y)) for x, y in (RIGHT_EYE, LEFT_EYE)]
    assert errors(eyes(mirrored, find_faces(mirrored)[0]), true) < 0.08


@pytest.mark.parametrize("degrees", [-35, -14, 14, 35])
def test_the_eyes_of_a_tilted_head_are_found(degrees: float) -> None:
    picture, true = turned(degrees)
    assert errors(eyes(picture, find_faces(picture)[0]), true) < 0.1


def test_eyes_are_found_behind_glasses() -> None:
    before = find_faces(astronaut())[0]
    behind = wear(astronaut(), "glasses")
    assert errors(eyes(behind, before), [LEFT_EYE, RIGHT_EYE]) < 0.12


@pytest.mark.parametrize("how", ["dark", "noisy", "small"])
def test_eyes_are_found_in_poor_pictures(how: str) -> None:
    picture, scale = astronaut(), 1.0
    if how == "dark":
        picture = (picture * 0.3).astype(np.uint8)
    elif how == "noisy":
        grain = np.random.default_rng(0).normal(0, 20, picture.shape)
        picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    else:
        scale = 0.4
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    true = [(scale * x, scale * y) for x, y in (LEFT_EYE, RIGHT_EYE)]
    assert errors(eyes(picture, find_faces(picture)[0]), true) < 0.1


def test_nose_mouth_and_chin_lie_where_hers_do() -> None:
    seen = features(astronaut(), find_faces(astronaut())[0])
    assert seen.nose == pytest.approx(0.69, abs=0.05)
    assert seen.mouth == pytest.approx(0.93, abs=0.09)  # she smiles: between her lips are her teeth
    assert seen.chin == pytest.approx(1.78, abs=0.09)


def test_a_longer_face_has_lower_features() -> None:
    long = np.asarray(cv2.resize(astronaut(), None, fx=1.0, fy=1.15, interpolation=cv2.INTER_LINEAR), np.uint8)
    usual = features(astronaut(), find_faces(astronaut())[0])
    stretched = features(long, find_faces(long)[0])
    assert stretched.chin > usual.chin + 0.12
    assert stretched.mouth > usual.mouth + 0.05


def test_hidden_eyes_are_put_where_eyes_usually_are() -> None:
    left, right = eyes(np.full((200, 200, 3), 90, np.uint8), Face(50, 40, 100, 100, 9.0, 2))
    assert left == pytest.approx((80.5, 80.5))
    assert right == pytest.approx((119.5, 80.5))


def test_hidden_eyes_lean_with_the_face() -> None:
    left, right = eyes(np.full((200, 200, 3), 90, np.uint8), Face(50, 40, 100, 100, 9.0, 2, 0.5))
    assert np.arctan2(right.y - left.y, right.x - left.x) == pytest.approx(0.5)


def test_a_face_cut_off_by_the_picture_still_has_eyes() -> None:
    left, right = eyes(astronaut(), Face(-30, -20, 60, 60, 9.0, 2))
    assert left.x < right.x


def test_her_face_is_one_and_her_suit_is_none() -> None:
    face = find_faces(astronaut())[0]
    assert is_face(astronaut(), face)
    assert not is_face(astronaut(), Face(100, 330, face.w, face.h, 59.0, 2))


@pytest.mark.parametrize("name", ["coffee", "coins", "brick", "clock", "rocket", "chelsea", "text"])
@pytest.mark.parametrize("turns", [0, 1])
def test_no_face_is_seen_in_things_and_cats(name: str, turns: int) -> None:
    picture = np.asarray(getattr(skimage.data, name)(), np.uint8)
    picture = np.dstack([picture] * 3) if picture.ndim == 2 else picture
    picture = np.ascontiguousarray(np.rot90(picture, turns))
    assert [face for face in find_faces(picture) if is_face(picture, face)] == []


def test_a_face_half_outside_is_none() -> None:
    face = find_faces(astronaut())[0]
    cut = np.ascontiguousarray(astronaut()[:, round(face.x + 0.4 * face.w) :])
    assert not is_face(cut, Face(-0.4 * face.w, face.y, face.w, face.h, face.score, 2))


def test_a_portrait_enlarged_to_forty_megapixels_has_the_same_face() -> None:
    large = np.asarray(cv2.resize(astronaut(), (7300, 7300), interpolation=cv2.INTER_CUBIC)[:5480], np.uint8)
    scale = 7300 / 512
    (face,) = find_faces(large)
    assert is_face(large, face)
    true = [(scale * x, scale * y) for x, y in (LEFT_EYE, RIGHT_EYE)]
    assert errors(eyes(large, face), true) < 0.1 * scale
