"""Tones: what each does to lightness, colour and warmth, and what all of them leave alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, get_args

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from skimage.color import lab2rgb, rgb2lab

from tollbrush.engines.studio.plans.kinds import OPPOSITE, ToneKind
from tollbrush.engines.studio.retouch.tones import tone

Pixels = NDArray[np.uint8]
KINDS: tuple[ToneKind, ...] = get_args(ToneKind)


@pytest.fixture(scope="module")
def photo() -> Pixels:
    pixels = np.asarray(cv2.resize(skimage.data.astronaut(), (160, 160), interpolation=cv2.INTER_AREA), np.uint8)
    pixels.flags.writeable = False  # nothing may change its input
    return pixels


def lab(pixels: Pixels) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels[..., :3].astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB))


def lightness(pixels: Pixels) -> float:
    return float(lab(pixels)[..., 0].mean())


def spread(pixels: Pixels) -> float:
    return float(lab(pixels)[..., 0].std())


def chroma(pixels: Pixels) -> float:
    return float(np.hypot(lab(pixels)[..., 1], lab(pixels)[..., 2]).mean())


def warmth(pixels: Pixels) -> float:
    return float(pixels[..., 0].mean()) - float(pixels[..., 2].mean())


MEASURES = {
    "brighter": lightness, "darker": lightness, "warmer": warmth, "cooler": warmth, "more_contrast": spread,
    "less_contrast": spread, "more_saturation": chroma, "less_saturation": chroma,
}  # fmt: skip
ENDS_MOVE = ("less_contrast", "sepia", "faded", "dreamy", "cosy", "grainy", "negative", "darker_highlights")
UP: tuple[ToneKind, ...] = ("brighter", "warmer", "more_contrast", "more_saturation")


@pytest.mark.parametrize("kind", UP)
def test_a_tone_and_its_opposite_move_one_measure_apart(photo: Pixels, kind: ToneKind) -> None:
    measure = MEASURES[kind]
    assert measure(tone(photo, OPPOSITE[kind])) < measure(photo) < measure(tone(photo, kind))


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "negative"])
def test_a_bit_changes_less_than_a_lot(photo: Pixels, kind: ToneKind) -> None:
    def change(amount: float) -> float:
        return float(np.abs(tone(photo, kind, amount).astype(int) - photo).mean())

    assert 0.5 < change(0.5) < change(1.0)
    assert change(1.0) <= change(2.0)


@pytest.mark.parametrize("kind", KINDS)
def test_shape_type_and_transparency_stay(photo: Pixels, kind: ToneKind) -> None:
    alpha = np.arange(160 * 160, dtype=np.uint8).reshape(160, 160)
    changed = tone(np.dstack([photo, alpha]), kind)
    assert changed.dtype == np.uint8
    assert np.array_equal(changed[..., 3], alpha)
    assert np.array_equal(changed[..., :3], tone(photo, kind))


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ENDS_MOVE])
def test_black_and_white_points_hold(kind: ToneKind) -> None:
    ends = np.zeros((2, 300, 3), np.uint8)
    ends[1] = 255
    assert np.abs(tone(ends, kind).astype(int) - ends).max() <= 1


def test_black_and_white_has_no_colour(photo: Pixels) -> None:
    grey = tone(photo, "black_and_white")
    assert np.array_equal(grey[..., 0], grey[..., 1])
    assert np.array_equal(grey[..., 0], grey[..., 2])
    assert spread(grey) > 10


def test_sepia_is_brown(photo: Pixels) -> None:
    means = tone(photo, "sepia").reshape(-1, 3).mean(axis=0)
    assert means[0] > means[1] > means[2]


def test_warmth_keeps_a_grey_as_bright_as_it_was() -> None:
    grey = np.full((8, 8, 3), 120, np.uint8)
    for kind in ("warmer", "cooler"):
        changed = tone(grey, kind)
        assert abs(lightness(changed) - lightness(grey)) < 1.5
        assert len(set(changed[0, 0].tolist())) == 3


@pytest.mark.parametrize("kind", UP)
def test_order_of_greys_is_kept(kind: ToneKind) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert (np.diff(tone(ramp, kind, 2.0).astype(int), axis=1) >= -1).all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (257, 3, 3), (3, 700, 4)])
def test_any_shape(shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for kind in KINDS:
        assert tone(pixels, kind).shape == shape


HUE_AXES: dict[ToneKind, tuple[int, int]] = {
    "more_red": (1, 1), "less_red": (1, -1), "more_green": (1, -1), "more_pink": (1, 1), "more_yellow": (2, 1),
    "more_blue": (2, -1), "more_orange": (2, 1), "less_orange": (2, -1),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "way"), HUE_AXES.items())
def test_a_tint_moves_greys_towards_its_colour(kind: ToneKind, way: tuple[int, int]) -> None:
    axis, sign = way
    assert sign * lab(tone(np.full((8, 8, 3), 128, np.uint8), kind))[..., axis].mean() > 3


def test_light_is_lifted_and_lowered_where_it_is_asked(photo: Pixels) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    moved = {k: tone(ramp, k).astype(int)[0, :, 0] - np.arange(256) for k in KINDS if k.endswith(("ows", "ghts"))}
    assert moved["lighter_shadows"][50] > 5 > abs(moved["lighter_shadows"][230])
    assert moved["darker_shadows"][50] < -4 < -abs(moved["darker_shadows"][230])
    assert moved["lighter_highlights"][190] > 4 > abs(moved["lighter_highlights"][30])
    assert moved["darker_highlights"][240] < -5 < -abs(moved["darker_highlights"][30])


def test_balance_takes_a_cast_away_and_leaves_a_right_picture_alone(photo: Pixels) -> None:
    cast = np.clip(photo * np.array([1.0, 0.92, 0.72]), 0, 255).astype(np.uint8)
    before, after = (np.abs(p.astype(int) - photo).mean() for p in (cast, tone(cast, "balanced")))
    assert after < 0.75 * before
    assert np.abs(tone(photo, "balanced").astype(int) - photo).mean() < 8


def test_moody_is_darker_and_duller_and_faded_lifts_black(photo: Pixels) -> None:
    assert lightness(tone(photo, "moody")) < lightness(photo)
    assert chroma(tone(photo, "moody")) < chroma(photo)
    assert tone(np.zeros((4, 4, 3), np.uint8), "faded").min() > 15


@pytest.mark.parametrize(("kind", "curve", "chroma"), [
    ("brighter", lambda t: 1 - (1 - t) ** 1.5, 1.06), ("more_saturation", lambda t: t, 1.5),
    ("less_saturation", lambda t: t, 0.55),
])  # fmt: skip
def test_lightness_and_strength_are_changed_in_cielab_and_strong_colours_less(
    kind: ToneKind, curve: Callable[[Any], Any], chroma: float
) -> None:
    """Against the formula in double precision, by another library; strips end at row 256."""
    pixels = np.random.default_rng(5).integers(0, 256, (300, 40, 3), dtype=np.uint8)
    wanted = rgb2lab(pixels)
    strength = np.hypot(wanted[..., 1], wanted[..., 2])
    calm = np.clip(1 - strength / 110, 0.1, 1) if chroma > 1 else 1.0
    wanted[..., 0] = 100 * curve(wanted[..., 0] / 100)
    wanted[..., 1:] *= np.broadcast_to(1 + (chroma - 1) * calm, strength.shape)[..., None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of colours that no screen shows
        away = np.abs(tone(pixels, kind) - lab2rgb(wanted) * 255)
    assert np.percentile(away, 99.5) < 1.5
    assert away.max() < 6  # the lightness's table has 1024 steps, and near black one is three levels
