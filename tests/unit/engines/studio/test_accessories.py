"""Hats, glasses and moustaches on a real portrait: where they go, what they leave alone, when they say no."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, get_args

import cv2
import numpy as np
import pytest
import skimage.data

from support.heads import her_face, her_head, looking, portrait
from tollbrush.engines.studio.accessories.head import measure
from tollbrush.engines.studio.accessories.wear import KINDS, wear
from tollbrush.engines.studio.faces.find import find_faces
from tollbrush.engines.studio.faces.landmarks import eyes
from tollbrush.engines.studio.plans.kinds import Accessory
from tollbrush.errors import CannotHonour

if TYPE_CHECKING:
    from tollbrush.engines.interface import Mask, Pixels

HATS = ("top_hat", "cowboy_hat", "santa_hat", "party_hat", "crown", "graduation_cap")


@cache
def worn(kind: str) -> Pixels:
    return wear(portrait(), kind)


def changed(kind: str) -> Mask:
    difference = np.abs(worn(kind).astype(int) - portrait()).max(axis=2)
    return np.asarray(difference > 24, np.bool_)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_neighbourhood_of_the_face_changes(kind: str) -> None:
    face = her_face()
    touched = np.any(worn(kind) != portrait(), axis=2)
    rows, columns = np.nonzero(touched)
    assert worn(kind).shape == portrait().shape
    assert rows.max() < face.y + 1.8 * face.h  # a bow tie sits below the chin
    assert columns.min() > face.x - 1.2 * face.w
    assert columns.max() < face.x + 2.2 * face.w


@pytest.mark.parametrize("kind", HATS)
def test_a_hat_sits_above_the_eyes_and_over_the_hair(kind: str) -> None:
    face = her_face()
    left, right = eyes(portrait(), face)
    unit = right.x - left.x
    mask = changed(kind)
    middle = round((left.x + right.x) / 2)
    eyes_row = round((left.y + right.y) / 2)
    # The face is untouched from the eyes down; the forehead may lie in the shadow; the top of the head is covered.
    assert mask[eyes_row : eyes_row + round(1.5 * unit), round(left.x) : round(right.x)].mean() < 0.02
    rows = np.flatnonzero(mask[:, middle - 4 : middle + 5].any(axis=1))
    assert rows.min() < eyes_row - 2.0 * unit
    assert eyes_row - 1.6 * unit < rows.max() < eyes_row + 0.1 * unit


def test_sunglasses_lie_across_both_eyes() -> None:
    mask = changed("sunglasses")
    for eye in eyes(portrait(), her_face()):
        assert mask[round(eye.y) - 3 : round(eye.y) + 4, round(eye.x) - 3 : round(eye.x) + 4].mean() > 0.8
        seen = worn("sunglasses")[round(eye.y), round(eye.x)]
        assert seen.mean() < 110


def test_a_moustache_grows_between_nose_and_mouth() -> None:
    left, right = eyes(portrait(), her_face())
    unit = right.x - left.x
    rows, columns = np.nonzero(changed("moustache"))
    assert left.y + 0.45 * unit < rows.min() and rows.max() < left.y + 1.2 * unit
    assert abs(columns.mean() - (left.x + right.x) / 2) < 0.15 * unit


@pytest.mark.parametrize("kind", ["top_hat", "sunglasses"])
def test_what_is_worn_tilts_with_the_head(kind: str) -> None:
    turn, back = (cv2.getRotationMatrix2D((225, 190), angle, 1.0) for angle in (-14, 14))
    tilted = np.asarray(cv2.warpAffine(portrait(), turn, (420, 440), borderMode=cv2.BORDER_REFLECT), np.uint8)
    difference = np.abs(wear(tilted, kind).astype(int) - tilted).max(axis=2) > 24
    again = cv2.warpAffine(difference.astype(np.uint8), back, (420, 440)) > 0
    upright = changed(kind)
    assert (again & upright).sum() > 0.75 * (again | upright).sum()
    assert (difference & upright).sum() < 0.75 * (difference | upright).sum()


def test_a_grey_picture_stays_grey_unless_a_colour_is_named() -> None:
    grey = cv2.cvtColor(portrait(), cv2.COLOR_RGB2GRAY)
    picture = np.asarray(np.dstack([grey] * 3), np.uint8)
    santa = wear(picture, "santa_hat")
    assert np.ptp(santa.astype(int), axis=2).max() <= 2
    assert np.ptp(wear(picture, "party_hat", "red").astype(int), axis=2).max() > 60


def test_a_sepia_picture_stays_sepia() -> None:
    grey = cv2.cvtColor(portrait(), cv2.COLOR_RGB2GRAY)[..., None] / 255
    brown = np.asarray(255 * np.clip(grey * (1.05, 0.86, 0.65) + 0.02, 0, 1), np.uint8)
    santa = wear(brown, "santa_hat")
    changed = np.abs(santa.astype(int) - brown).max(axis=2) > 24
    hue = np.asarray(cv2.cvtColor(santa, cv2.COLOR_RGB2HSV))[changed & (santa.max(axis=2) > 60)][:, 0]
    assert np.percentile(hue, 5) > 8 and np.percentile(hue, 95) < 25  # of 180: orange to yellow


def test_nothing_shines_in_a_dark_picture() -> None:
    dark = (portrait() * 0.3).astype(np.uint8)
    worn_dark = wear(dark, "santa_hat")
    changed = np.abs(worn_dark.astype(int) - dark).max(axis=2) > 12
    assert changed.sum() > 2000
    assert np.percentile(worn_dark[changed].max(axis=1), 95) < 1.2 * np.percentile(dark, 98)


def test_a_bow_tie_casts_its_shadow_on_the_chest() -> None:
    tie, before = worn("bow_tie").astype(int), portrait().astype(int)
    shade = (np.abs(tie - before).max(axis=2) > 2) & (tie.sum(axis=2) < before.sum(axis=2))
    head = her_head()
    below = round(head.origin.y + (head.chin + 0.62) * head.unit)
    assert shade[below:].any()


def test_hair_beside_a_hat_becomes_wall_and_not_more_hair() -> None:
    head = her_head()
    rows = np.arange(portrait().shape[0])[:, None]
    stood_out = (head.outline > 0.9) & (rows < head.origin.y - 1.15 * head.unit)
    seen = worn("witch_hat").astype(int)
    beside = stood_out & (seen.max(axis=2) > 70)  # the hat is black
    brown = portrait().astype(int)[stood_out]
    assert np.mean(brown[:, 0] - brown[:, 2] > 30) > 0.9
    assert beside.sum() > 60
    assert np.mean(seen[beside][:, 0] - seen[beside][:, 2] > 30) < 0.03


def test_a_shadow_falls_away_from_the_light() -> None:
    across = np.linspace(0.45, 1.0, portrait().shape[1])[None, :, None]
    middles = []
    for side in (across, across[:, ::-1]):  # from the right, from the left
        picture = (portrait() * side).astype(np.uint8)
        before, after = (p.astype(float).sum(axis=2) for p in (picture, wear(picture, "clown_nose")))
        shaded = np.clip(1 - after / np.maximum(before, 1), 0, 0.35) * (after > 0.6 * before)
        middles.append(float((shaded.sum(axis=0) * np.arange(shaded.shape[1])).sum() / shaded.sum()))
    assert middles[1] > middles[0] + 0.5


def test_a_halo_lights_the_hair_below_it_and_shines_in_the_dark() -> None:
    head = her_head()
    hair = head.outline > 0.9
    hair[round(head.origin.y - 1.5 * head.unit) :] = False
    assert worn("halo")[hair].mean() > 1.1 * portrait()[hair].mean()
    face = slice(round(head.origin.y), round(head.origin.y + head.unit))
    assert np.array_equal(worn("halo")[face], portrait()[face])
    dark = (portrait() * 0.25).astype(np.uint8)
    assert wear(dark, "halo").max() > 230


def test_one_bunny_ear_stands_and_the_other_bends() -> None:
    head = her_head()
    ears = changed("bunny_ears")
    middle = round(head.origin.x)
    tips = [float(np.nonzero(half)[0].min()) for half in (ears[:, :middle], ears[:, middle:])]
    assert tips[1] > tips[0] + 0.5 * head.unit
    assert tips[1] < head.origin.y + (head.top - 0.4) * head.unit


def test_the_temples_of_glasses_go_under_the_hair() -> None:
    head = her_head()
    rows, columns = np.nonzero(head.hair > 0.9)
    inside = np.abs(rows - head.origin.y) < 0.35 * head.unit
    beside = np.abs(columns - head.origin.x) > 1.15 * head.unit
    at = rows[inside & beside], columns[inside & beside]
    assert len(at[0]) > 50
    dark = portrait()[at].astype(int).sum(axis=1) - worn("sunglasses")[at].astype(int).sum(axis=1)
    assert np.mean(dark > 60) < 0.03


@pytest.mark.parametrize("degrees", [-18.0, 18.0])
def test_a_hat_follows_a_head_that_turns_away(degrees: float) -> None:
    """The head's axis lies behind the eyes: as the face turns to one side, the hat's middle goes to the other."""
    picture = looking(right=degrees)
    head = measure(picture, find_faces(picture)[0])
    straight = her_head()
    assert np.sign(degrees) * (head.yaw - straight.yaw) > 0.1
    columns = np.nonzero(np.abs(wear(picture, "top_hat").astype(int) - picture).max(axis=2) > 24)[1]
    middles = [(np.percentile(x, 2) + np.percentile(x, 98)) / 2 for x in (columns, np.nonzero(changed("top_hat"))[1])]
    moved = (middles[0] - head.origin.x) - (middles[1] - straight.origin.x)
    assert -np.sign(degrees) * moved > 0.08 * head.unit


def test_the_main_colour_can_be_chosen() -> None:
    green = wear(portrait(), "top_hat", "green")
    hat = changed("top_hat") & (green[..., 1].astype(int) > green[..., 0].astype(int) + 15)
    assert hat.sum() > 0.4 * changed("top_hat").sum()


def test_everybody_wears_it() -> None:
    small = cv2.resize(portrait(), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    both = np.zeros((440, 420 + small.shape[1], 3), np.uint8)
    both[:, :420] = portrait()
    both[: small.shape[0], 420:] = small
    difference = np.any(wear(both, "sunglasses") != both, axis=2)
    assert difference[:, :420].any() and difference[:, 420:].any()


@pytest.mark.parametrize("kind", ["top_hat", "bow_tie"])
def test_what_would_lie_outside_the_picture_is_refused(kind: str) -> None:
    left, right = eyes(portrait(), her_face())
    row, unit = (left.y + right.y) / 2, right.x - left.x
    close = portrait()[round(row - 1.05 * unit) : round(row + 2.1 * unit)]
    with pytest.raises(CannotHonour, match="outside this picture") as refusal:
        wear(np.ascontiguousarray(close), kind)
    assert ("below" if kind == "bow_tie" else "above") in refusal.value.sentence()


def test_a_hat_may_leave_the_picture() -> None:
    low = np.ascontiguousarray(portrait()[90:])
    out = wear(low, "cowboy_hat")
    assert np.any(out[0] != low[0])


def test_a_cut_out_keeps_its_alpha_and_what_is_worn_is_solid() -> None:
    alpha = np.zeros(portrait().shape[:2], np.uint8)
    alpha[130:] = 255
    out = wear(np.dstack([portrait(), alpha]), "top_hat")
    assert np.array_equal(out[130:, :, 3], alpha[130:])
    assert np.array_equal(out[150:, :, :3], worn("top_hat")[150:])
    assert out[110, 228, 3] == 255
    assert not out[:130, :100, 3].any()


@pytest.mark.parametrize("kind", ["santa_hat", "moustache"])
def test_the_same_request_gives_the_same_bytes(kind: str) -> None:
    assert np.array_equal(worn(kind), wear(portrait(), kind))


def test_the_head_is_outlined_with_its_hair() -> None:
    head = her_head()
    assert head.outline.shape == portrait().shape[:2]
    assert head.outline[110, 228] > 0.9  # hair
    assert head.outline[200, 228] > 0.9  # nose
    assert head.outline[110, 120] < 0.1 and head.outline[60, 228] < 0.1  # the wall
    assert 35 < head.unit < 50 and 0 < head.roll < 0.12


@pytest.mark.parametrize("name", ["coffee", "rocket"])
def test_a_picture_without_a_face_is_refused(name: str) -> None:
    with pytest.raises(CannotHonour, match="no face found") as refusal:
        wear(getattr(skimage.data, name)(), "top_hat")
    assert "face is seen" in refusal.value.sentence()


@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (30, 30)])
def test_tiny_pictures_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(CannotHonour, match="no face found"):
        wear(np.full((*shape, 3), 99, np.uint8), "crown")


def test_everything_the_grammar_knows_can_be_worn() -> None:
    assert set(KINDS) == set(get_args(Accessory))


def test_unknown_wear_and_colours_are_named() -> None:
    with pytest.raises(CannotHonour, match="'wig'"):
        wear(portrait(), "wig")
    with pytest.raises(CannotHonour, match="'smoky-ish'"):
        wear(portrait(), "top_hat", "smoky-ish")
