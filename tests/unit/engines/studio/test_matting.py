"""Mattes of pictures composed from known foreground, background and alpha, and of a real photograph."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from bench.quality.photographs import outlined
from numpy.typing import NDArray

from tollbrush.engines.studio.subject.find import find_subject
from tollbrush.engines.studio.subject.foreground import fore_and_back
from tollbrush.engines.studio.subject.matting import Matte, matte

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

RED, BLUE = np.array([0.8, 0.25, 0.1], np.float32), np.array([0.1, 0.3, 0.7], np.float32)


def soft_disc(side: int, softness: float) -> Map:
    """Alpha of a disc whose edge takes `softness` pixels."""
    y, x = np.indices((side, side), dtype=np.float32)
    far = np.hypot(x - side / 2, y - side / 2)
    return np.asarray(np.clip((0.3 * side - far) / softness + 0.5, 0, 1), np.float32)


def composed(alpha: Map, front: Map = RED, back: Map = BLUE) -> Pixels:
    return np.asarray(np.round(255 * (alpha[..., None] * front + (1 - alpha[..., None]) * back)), np.uint8)


def disc_matte(side: int, softness: float) -> tuple[Map, Matte]:
    truth = soft_disc(side, softness)
    return truth, matte(composed(truth), truth > 0.5)


@pytest.mark.parametrize("side", [64, 512, 1400])
def test_a_soft_edge_is_recovered(side: int) -> None:
    truth, found = disc_matte(side, softness=side / 60)
    assert found.alpha.dtype == found.foreground.dtype == np.float32
    assert found.alpha.shape == (side, side)
    assert found.foreground.shape == (side, side, 3)
    edge = (truth > 0.02) & (truth < 0.98)
    assert np.abs(found.alpha - truth)[edge].mean() < 0.10


def test_alpha_is_certain_away_from_the_outline() -> None:
    truth, found = disc_matte(400, softness=6)
    inner = cv2.erode((truth > 0.5).astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    outer = cv2.dilate((truth > 0.5).astype(np.uint8), np.ones((41, 41), np.uint8)) == 0
    assert (found.alpha[inner] == 1).all()
    assert (found.alpha[outer] == 0).all()


@pytest.mark.parametrize("side", [960, 1024, 1280])
def test_enlarging_leaves_no_seam_where_the_band_begins(side: int) -> None:
    """Some columns of the full size lie exactly between one of the band and one of the sure inside."""
    mask = np.zeros((200, side), bool)
    mask[:, : side // 2 + 3] = True
    alpha = matte(composed(mask.astype(np.float32)), mask).alpha
    assert (alpha[:, : side // 2 - 8] == 1).all()
    assert (alpha[:, side // 2 + 14 :] == 0).all()


def test_an_outline_goes_on_to_the_pictures_edge() -> None:
    """A sleeve that the frame cuts off has no notch there."""
    mask = np.zeros((120, 300), bool)
    mask[:, :150] = True
    alpha = matte(composed(mask.astype(np.float32)), mask).alpha
    assert (alpha[:, :146] == 1).all()
    assert np.abs(alpha[[0, -1]] - alpha[60]).max() < 0.02


def test_the_foreground_carries_no_old_background() -> None:
    """Mixed pixels of red over blue must give back red: their blue is what would show as a halo."""
    truth, found = disc_matte(400, softness=8)
    mixed = (truth > 0.3) & (truth < 0.9)
    colours = composed(truth)[mixed] / 255
    assert np.abs(found.foreground[mixed] - RED).mean() < 0.3 * np.abs(colours - RED).mean()


def layers() -> tuple[Map, Map, Map]:
    """Alpha out of focus, and two photographs, 0..1, to stand before and behind."""
    front, back = (
        np.asarray(layer, np.float32) / np.float32(255)
        for layer in (skimage.data.astronaut()[:400, :400], skimage.data.coffee()[:400, 100:500])
    )
    return soft_disc(400, 10), front, back


def test_layers_are_told_apart_before_a_lively_ground() -> None:
    alpha, front, back = layers()
    mixed = composed(alpha, front, back).astype(np.float32) / np.float32(255)
    ours, theirs = fore_and_back(mixed, alpha)
    edge = (alpha > 0.2) & (alpha < 0.8)
    assert np.abs(mixed - front)[edge].mean() > 0.14  # what a composite with the picture's own colours would show
    assert np.abs(ours - front)[edge].mean() < 0.055
    again = ours * alpha[..., None] + theirs * (1 - alpha[..., None])
    assert np.abs(again - mixed)[edge].mean() < 0.01


def test_each_layer_is_the_picture_where_it_stands_alone() -> None:
    alpha, front, back = layers()
    ours, theirs = fore_and_back(composed(alpha, front, back).astype(np.float32) / np.float32(255), alpha)
    assert np.abs(ours - front)[alpha == 1].max() < 0.003
    assert np.abs(theirs - back)[alpha == 0].max() < 0.003


def test_a_large_picture_gets_the_colours_of_its_reduced_copy() -> None:
    """Beyond the side at which layers are told apart only the last correction is done at full size."""
    alpha = soft_disc(1500, 12)
    found = matte(composed(alpha), alpha > 0.5)
    mixed = (found.alpha > 0.3) & (found.alpha < 0.9)
    own = np.abs(composed(alpha)[mixed] / 255 - RED).mean()
    assert np.abs(found.foreground[mixed] - RED).mean() < 0.3 * own


@pytest.mark.parametrize("name", ["coffee", "motorcycle"])
def test_nothing_of_a_lively_ground_clings_to_the_subject(name: str) -> None:
    """Wood grain and a garage hold the subjects' colours in thin streaks, which once passed for hair."""
    scene = outlined(name)
    found = matte(scene.pixels, scene.mask).alpha
    far = cv2.distanceTransform((~scene.mask).astype(np.uint8), cv2.DIST_L2, 5) > 0.02 * max(found.shape)
    assert found[far].sum() < 5


def test_opaque_pixels_keep_their_colour() -> None:
    picture = np.asarray(skimage.data.coffee(), np.uint8)
    mask = np.zeros(picture.shape[:2], bool)
    mask[100:300, 150:450] = True
    found = matte(picture, mask)
    opaque = np.round(found.alpha * 255) == 255
    assert opaque.mean() > 0.2
    assert (np.round(found.foreground[opaque] * 255) == picture[opaque]).all()


def test_thin_strands_inside_the_band_are_found() -> None:
    """Dark hairs over a bright wall, sticking out of the mask: closed-form matting follows them by colour."""
    truth = np.zeros((600, 600), np.float32)
    truth[240:] = 1
    for x in range(20, 600, 24):
        truth[232:240, x : x + 2] = 1
    picture = composed(truth, np.array([0.1, 0.08, 0.06], np.float32), np.array([0.85, 0.85, 0.8], np.float32))
    found = matte(picture, np.asarray(np.indices((600, 600))[0] >= 240))
    strands, gaps = truth[234:237] == 1, truth[234:237] == 0
    assert found.alpha[234:237][strands].mean() > 0.8
    assert found.alpha[234:237][gaps].mean() < 0.2


def test_the_pictures_edge_is_no_outline() -> None:
    mask = np.zeros((200, 200), bool)
    mask[80:] = True
    picture = composed(mask.astype(np.float32))
    assert (matte(picture, mask).alpha[100:] == 1).all()


def test_transparency_multiplies_into_alpha() -> None:
    truth = soft_disc(200, 4)
    veil = np.full((200, 200), 128, np.uint8)
    found = matte(np.dstack([composed(truth), veil]), truth > 0.5)
    assert found.alpha.max() == pytest.approx(128 / 255)


@pytest.mark.parametrize("fill", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (64, 64)])
def test_masks_without_an_outline(shape: tuple[int, int], fill: bool) -> None:
    found = matte(np.full((*shape, 3), 80, np.uint8), np.full(shape, fill))
    assert (found.alpha == fill).all()


def test_deterministic_and_without_touching_its_input() -> None:
    truth = soft_disc(300, 5)
    picture, mask = composed(truth), truth > 0.5
    before, mask_before = picture.copy(), mask.copy()
    first, second = matte(picture, mask), matte(picture, mask)
    assert (first.alpha == second.alpha).all()
    assert (first.foreground == second.foreground).all()
    assert (picture == before).all()
    assert (mask == mask_before).all()


def test_nothing_hangs_in_the_air() -> None:
    photograph = cv2.resize(skimage.data.astronaut(), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    alpha = matte(photograph, find_subject(photograph).mask).alpha
    count, pieces = cv2.connectedComponents((alpha > 0).astype(np.uint8))
    assert {int(piece) for piece in np.unique(pieces[alpha > 0.98])} == set(range(1, count))
