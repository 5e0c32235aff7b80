"""What is worn is of one piece with the photograph: its blur and grain, the colour and the locks of the hair."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from support.heads import her_head, portrait
from tollbrush.engines.studio.accessories.hair import locks_over, whiskers_colour
from tollbrush.engines.studio.accessories.photo import blur_of, grain_of
from tollbrush.engines.studio.accessories.sprites.stage import Layer
from tollbrush.engines.studio.accessories.wear import wear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tollbrush.engines.interface import Pixels


def grained(pixels: Pixels, strength: float, size: float = 0.0) -> Pixels:
    """With grey noise of that standard deviation, 0…255, smoothed by a sigma of `size` pixels."""
    noise = np.random.default_rng(0).standard_normal(pixels.shape[:2])
    if size:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), size), np.float64)
    noise *= strength / noise.std()
    return np.asarray(np.clip(pixels + noise[..., None], 0, 255), np.uint8)


def soft(sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(portrait(), (0, 0), sigma), np.uint8)


@pytest.mark.parametrize("strength", [5.0, 12.0, 20.0])
def test_grain_does_not_make_a_soft_photograph_sharp(strength: float) -> None:
    picture = grained(soft(2.0), strength)
    assert blur_of(picture, her_head(), grain_of(picture, her_head())) > 1.4


def test_a_softer_photograph_is_told() -> None:
    sigmas = [blur_of(soft(sigma), her_head(), grain_of(soft(sigma), her_head())) for sigma in (0.5, 1.2, 2.0)]
    assert sigmas == sorted(sigmas)
    assert sigmas[2] > sigmas[0] + 0.8


def test_grain_has_a_strength_and_a_size() -> None:
    fine, coarse = (grain_of(grained(soft(2.0), 12, size), her_head()) for size in (0.0, 1.0))
    assert 0.6 * 12 / 255 < fine.strength < 1.2 * 12 / 255
    assert fine.size < 0.45
    assert 0.5 < coarse.size < 1.2


def test_whiskers_are_of_the_hair_s_colour() -> None:
    seen = whiskers_colour(portrait(), her_head(), 1.0)
    assert seen is not None
    r, g, b = seen
    assert r > g > b  # brown
    dyed = np.ascontiguousarray(portrait()[..., ::-1])
    blue = whiskers_colour(dyed, her_head(), 1.0)
    assert blue is not None and blue[2] > blue[0]


def test_without_hair_whiskers_are_brown_of_their_own() -> None:
    assert whiskers_colour(portrait(), replace(her_head(), hair=np.zeros_like(her_head().hair)), 1.0) is None


def test_a_wished_colour_goes_before_the_hair_s() -> None:
    red, natural = (wear(portrait(), "moustache", wish).astype(int) for wish in ("red", None))
    hairs = np.abs(natural - portrait()).max(axis=2) > 60
    assert np.mean((red - natural)[hairs][:, 0]) > 30


def plate(top: int, bottom: int, left: int, right: int) -> Layer:
    """A white plate in the portrait."""
    rgba: NDArray[np.float32] = np.zeros((*portrait().shape[:2], 4), np.float32)
    rgba[top:bottom, left:right] = 1
    return Layer(rgba, slice(0, rgba.shape[0]), slice(0, rgba.shape[1]), 1.0)


def test_locks_fall_over_the_foot_of_what_stands_in_the_hair() -> None:
    head = her_head()
    top, bottom = round(head.origin.y - 2.4 * head.unit), round(head.origin.y - 1.4 * head.unit)
    left, right = round(head.origin.x - 0.4 * head.unit), round(head.origin.x + 0.4 * head.unit)
    layer = locks_over(plate(top, bottom, left, right), portrait(), head, 0.25)
    foot, above = layer.rgba[bottom - 5 : bottom, left:right, 3], layer.rgba[top : top + 20, left:right, 3]
    assert foot.mean() < 0.75
    assert foot.std() > 0.1  # strands, no line
    assert above.min() > 0.9


def test_no_locks_fall_where_there_is_no_hair() -> None:
    layer = plate(20, 60, 20, 60)
    assert np.allclose(locks_over(layer, portrait(), her_head(), 0.25).rgba, layer.rgba)


def test_sunglasses_mirror_a_sky_above_the_ground() -> None:
    head, worn = her_head(), wear(portrait(), "sunglasses").astype(int).sum(axis=2)
    x, y, u = head.origin.x, head.origin.y, head.unit
    for side in (-0.53, 0.53):
        columns = slice(round(x + (side - 0.2) * u), round(x + (side + 0.2) * u))
        sky, ground = (worn[round(y + at * u) : round(y + (at + 0.12) * u), columns].mean() for at in (-0.10, 0.20))
        assert sky > 1.25 * ground


def test_hair_comes_out_from_under_a_cap_and_not_beside_it() -> None:
    """Above the cap's lower rim nothing of the hair is left."""
    head, worn = her_head(), wear(portrait(), "baseball_cap").astype(int)
    stood_out = head.outline > 0.9
    stood_out[round(head.origin.y - 0.75 * head.unit) :] = False
    seen = worn[stood_out]
    brown = (seen[:, 0] - seen[:, 2] > 30) & (seen.max(axis=1) > 70)
    assert np.mean(brown) < 0.02
