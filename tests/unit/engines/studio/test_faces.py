"""Faces and eyes on real photographs whose faces are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import skimage.data

from tollbrush.engines.studio.faces.find import Face, agreed_faces, find_faces

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

HEAD = (150, 15, 305, 190)  # the astronaut's in her 512-pixel portrait, marked by hand


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


@pytest.mark.parametrize("degrees", [-38, -25, -14, 14, 25, 38])
def test_a_tilted_head_is_found_once_and_its_tilt_told(astronaut: Pixels, degrees: float) -> None:
    turn = cv2.getRotationMatrix2D((225, 120), degrees, 1.0)
    tilted = np.asarray(cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REFLECT), np.uint8)
    (face,) = find_faces(tilted)
    assert abs(face.x + face.w / 2 - 225) < 10 and abs(face.y + face.h / 2 - 115) < 12
    assert abs(np.degrees(face.tilt) + degrees) < 20


def test_an_upright_and_a_tilted_head_are_both_found(astronaut: Pixels) -> None:
    turn = cv2.getRotationMatrix2D((225, 120), 27, 1.0)
    tilted = np.asarray(cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REFLECT), np.uint8)
    faces = find_faces(np.hstack([astronaut, tilted]))
    assert sorted(face.tilt != 0 for face in faces) == [False, True]


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
