"""Faces and eyes on real photographs whose faces are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import skimage.data

from tollbrush.engines.studio.faces import Face, agreed_faces, eyes, find_faces

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

# The astronaut's head in her 512-pixel portrait, and her eyes, marked by hand.
HEAD = (150, 15, 305, 190)
LEFT_EYE, RIGHT_EYE = (202, 101), (247, 103)


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    return np.asarray(skimage.data.astronaut(), np.uint8)


def resized(pixels: Pixels, scale: float) -> Pixels:
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def inside(face: Face, box: tuple[int, int, int, int], scale: float = 1.0) -> bool:
    left, top, right, bottom = (scale * side for side in box)
    return left <= face.x and top <= face.y and face.x + face.w <= right and face.y + face.h <= bottom


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_the_astronaut_has_one_clear_face_at_any_size(astronaut: Pixels, scale: float) -> None:
    (face,) = find_faces(resized(astronaut, scale))
    assert face.agreement >= 2
    assert inside(face, HEAD, scale)


def test_her_eyes_are_left_and_right_where_they_are(astronaut: Pixels) -> None:
    left, right = eyes(astronaut, find_faces(astronaut)[0])
    assert np.hypot(left.x - LEFT_EYE[0], left.y - LEFT_EYE[1]) < 6
    assert np.hypot(right.x - RIGHT_EYE[0], right.y - RIGHT_EYE[1]) < 6


def test_a_mirrored_face_has_its_eyes_in_the_picture_s_order(astronaut: Pixels) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    left, right = eyes(mirrored, find_faces(mirrored)[0])
    assert left.x < right.x
    assert abs(left.x - (511 - RIGHT_EYE[0])) < 8


def test_a_tilted_head_tilts_the_line_of_the_eyes(astronaut: Pixels) -> None:
    turn = cv2.getRotationMatrix2D((225, 110), -12, 1.0)
    tilted = np.asarray(cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REFLECT), np.uint8)
    left, right = eyes(tilted, find_faces(tilted)[0])
    roll = np.degrees(np.arctan2(right.y - left.y, right.x - left.x))
    assert 6 < roll < 22


@pytest.mark.parametrize("name", ["coffee", "rocket", "chelsea"])
def test_there_is_no_face_where_there_is_none(name: str) -> None:
    assert find_faces(getattr(skimage.data, name)()) == []


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_the_quick_search_agrees_with_the_long_one(astronaut: Pixels, scale: float) -> None:
    picture = resized(astronaut, scale)
    (quick,), (long,) = agreed_faces(picture), find_faces(picture)
    assert quick.agreement == 2
    for ours, theirs in zip((quick.x, quick.y, quick.w, quick.h), (long.x, long.y, long.w, long.h), strict=True):
        assert abs(ours - theirs) < 0.1 * long.w


@pytest.mark.parametrize("name", ["coffee", "rocket", "chelsea"])
def test_the_quick_search_sees_nobody_where_nobody_is(name: str) -> None:
    assert agreed_faces(getattr(skimage.data, name)()) == []


def test_faces_are_found_in_pictures_with_alpha(astronaut: Pixels) -> None:
    opaque = np.dstack([astronaut, np.full((512, 512), 255, np.uint8)])
    assert find_faces(opaque) == find_faces(astronaut)


def test_two_people_are_two_faces_the_larger_first(astronaut: Pixels) -> None:
    small = resized(astronaut, 0.6)
    both = np.zeros((512, 512 + small.shape[1], 3), np.uint8)
    both[:, :512] = astronaut
    both[: small.shape[0], 512:] = small
    faces = find_faces(both)
    assert len(faces) == 2
    assert faces[0].w > faces[1].w
    assert faces[0].x < 512 < faces[1].x


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (8, 8), (23, 23), (40, 25)])
def test_a_picture_too_small_for_a_face_has_none(shape: tuple[int, int]) -> None:
    assert find_faces(np.full((*shape, 3), 128, np.uint8)) == []


def test_hidden_eyes_are_put_where_eyes_usually_are() -> None:
    left, right = eyes(np.full((200, 200, 3), 90, np.uint8), Face(50, 40, 100, 100, 9.0, 2))
    assert left == pytest.approx((80.5, 80.5))
    assert right == pytest.approx((119.5, 80.5))


def test_a_face_cut_off_by_the_picture_still_has_eyes(astronaut: Pixels) -> None:
    left, right = eyes(astronaut, Face(-30, -20, 60, 60, 9.0, 2))
    assert left.x < right.x
