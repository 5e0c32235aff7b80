"""The subject of photographs whose outline was drawn by hand, and what is refused."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
import skimage.data
from bench.quality.photographs import outlined
from numpy.typing import NDArray

from tollbrush.engines.studio.subject.find import SURE, Subject, find_subject

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

# The woman with her suit and the helmet in her arm, drawn by hand on the 512×512 photograph; and a coffee cup with
# its saucer on 600×400.
ASTRONAUT = (
    (14, 512), (20, 470), (18, 415), (26, 330), (48, 262), (112, 208), (130, 160), (170, 148), (186, 140), (172, 126),
    (154, 100), (156, 66), (190, 34), (232, 16), (276, 28), (300, 70), (294, 108), (276, 132), (262, 150), (258, 176),
    (300, 214), (306, 236), (340, 262), (362, 340), (405, 344), (450, 362), (484, 400), (496, 456), (502, 512),
)  # fmt: skip
COFFEE = (
    (76, 193), (84, 157), (107, 114), (179, 70), (187, 54), (214, 30), (250, 20), (293, 18), (336, 21), (371, 39),
    (393, 61), (401, 79), (421, 69), (423, 79), (416, 111), (446, 139), (468, 168), (480, 214), (471, 264), (450, 300),
    (429, 329), (386, 364), (336, 382), (293, 389), (236, 384), (186, 368), (143, 339), (107, 300), (82, 243),
)  # fmt: skip


def drawn(outline: tuple[tuple[int, int], ...], width: int, height: int) -> Mask:
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [np.array(outline, np.int32)], (1,))
    return np.asarray(canvas > 0)


def overlap(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / (a | b).sum())


def photograph(name: str) -> Pixels:
    return np.asarray(getattr(skimage.data, name)(), np.uint8)


@cache
def astronaut() -> Subject:
    return find_subject(photograph("astronaut"))


def test_astronaut_is_found_with_suit_hair_and_helmet() -> None:
    found = astronaut()
    assert found.mask.shape == (512, 512)
    assert found.mask.dtype == np.bool_
    assert found.confidence >= SURE
    assert overlap(found.mask, drawn(ASTRONAUT, 512, 512)) > 0.93


@pytest.mark.parametrize(
    ("thing", "x", "y"),
    [("flag", 30, 60), ("shuttle", 415, 120), ("table", 450, 300), ("wall", 120, 60)],
)
def test_astronauts_background_is_left_out(thing: str, x: int, y: int) -> None:
    assert not astronaut().mask[y - 5 : y + 5, x - 5 : x + 5].any(), thing


@pytest.mark.parametrize(
    ("thing", "x", "y"),
    [("hair", 225, 30), ("face", 222, 110), ("sleeve pocket", 40, 352), ("sleeve", 70, 430), ("visor", 380, 450)],
)
def test_astronauts_parts_are_kept(thing: str, x: int, y: int) -> None:
    assert astronaut().mask[y - 4 : y + 4, x - 4 : x + 4].all(), thing


def test_a_thing_without_a_face_is_found() -> None:
    found = find_subject(photograph("coffee"))
    assert found.confidence >= SURE
    assert overlap(found.mask, drawn(COFFEE, 600, 400)) > 0.85


def test_a_cat_that_fills_the_frame_is_found_by_its_focus() -> None:
    """It leaves the picture on three sides, and the carpet behind it has the colours of its fur."""
    found = find_subject(photograph("chelsea"))
    assert found.confidence >= SURE
    assert overlap(found.mask, outlined("chelsea").mask) > 0.93


@pytest.mark.parametrize("name", ["rocket", "camera"])
def test_no_confidence_where_no_cut_is_right(name: str) -> None:
    """A launch site at dusk, and a man before a lawn whose blades are sharper than he is."""
    pixels = photograph(name)
    assert find_subject(pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)).confidence < SURE


def test_the_same_picture_gives_the_same_mask() -> None:
    again = find_subject(photograph("astronaut"))
    assert (again.mask == astronaut().mask).all()
    assert again.confidence == astronaut().confidence


def test_input_is_not_changed() -> None:
    pixels = photograph("coffee")
    hint = drawn(COFFEE, 600, 400)
    before, hint_before = pixels.copy(), hint.copy()
    find_subject(pixels, hint)
    assert (pixels == before).all()
    assert (hint == hint_before).all()


def test_a_rough_hint_is_drawn_to_the_outline() -> None:
    """A painted blob that misses the saucer's rim by some pixels everywhere."""
    truth = drawn(COFFEE, 600, 400)
    rough = cv2.dilate(truth.astype(np.uint8), np.ones((21, 21), np.uint8)) > 0
    found = find_subject(photograph("coffee"), np.asarray(rough))
    assert overlap(found.mask, truth) > overlap(np.asarray(rough), truth) + 0.03
    assert found.confidence >= SURE


def test_a_hint_settles_what_the_search_would_refuse() -> None:
    cat = photograph("chelsea")
    hint = np.zeros(cat.shape[:2], bool)
    hint[:, :330] = True
    found = find_subject(cat, hint)
    assert found.confidence >= SURE
    assert overlap(found.mask, hint) > 0.6


def test_an_empty_hint_finds_nothing() -> None:
    found = find_subject(photograph("coffee"), np.zeros((400, 600), bool))
    assert not found.mask.any()
    assert found.confidence == 0


def test_transparency_says_what_the_subject_is() -> None:
    alpha = drawn(COFFEE, 600, 400)
    pixels = np.dstack([photograph("coffee"), alpha.astype(np.uint8) * 255])
    found = find_subject(pixels)
    assert (found.mask == alpha).all()
    assert found.confidence == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 3, 3), (64, 64, 3), (40, 700, 3), (200, 300, 3)])
def test_a_picture_of_nothing_has_no_subject(shape: tuple[int, int, int]) -> None:
    found = find_subject(np.full(shape, 90, np.uint8))
    assert found.mask.shape == shape[:2]
    assert found.confidence < SURE


def test_a_small_picture_is_cut_like_a_large_one() -> None:
    small: Pixels = np.asarray(cv2.resize(photograph("coffee"), (96, 64), interpolation=cv2.INTER_AREA), np.uint8)
    truth = cv2.resize(drawn(COFFEE, 600, 400).astype(np.uint8), (96, 64), interpolation=cv2.INTER_AREA) > 0
    assert overlap(find_subject(small).mask, np.asarray(truth)) > 0.85


def test_a_person_before_wood_and_a_cup_is_cut_out_whole() -> None:
    """Hair and skin have the wood's colours, and the cup behind sets itself off more than the person does."""
    truth = drawn(ASTRONAUT, 512, 512)
    back: Pixels = np.asarray(cv2.resize(photograph("coffee"), (768, 512), interpolation=cv2.INTER_CUBIC), np.uint8)[
        :, :640
    ]
    move = np.array([[0.8, 0, 120], [0, 0.8, 103]])
    there = cv2.warpAffine(truth.astype(np.uint8), move, (640, 512)) > 0
    front = cv2.warpAffine(photograph("astronaut"), move, (640, 512))
    pixels = np.where(there[..., None], front, back).astype(np.uint8)
    assert overlap(find_subject(pixels).mask, np.asarray(there)) > 0.93
