"""Composites: what stays, what goes, and no trace of the old background at the edge."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.pixels.light import Light, Relight
from tollbrush.engines.studio.scenes.backdrops import SCENES, paint, plain
from tollbrush.engines.studio.subject.backdrop import blur_background, remove_background, replace_background
from tollbrush.engines.studio.subject.find import find_subject
from tollbrush.engines.studio.subject.matting import Matte, matte

Pixels = NDArray[np.uint8]
UNLIT = Light(strength=0, wrap=0)


@cache
def portrait() -> tuple[Pixels, Matte]:
    picture = np.asarray(skimage.data.astronaut(), np.uint8)
    return picture, matte(picture, find_subject(picture).mask)


def before(colour: tuple[int, int, int], light: Light = UNLIT) -> NDArray[np.int64]:
    picture, cut = portrait()
    return replace_background(picture, cut, plain(Size(512, 512), colour), light=light).astype(np.int64)


def test_backdrop_shows_exactly_where_nothing_stands_before_it() -> None:
    picture, cut = portrait()
    scene = paint("starry", Size(512, 512), 4)
    result = replace_background(picture, cut, scene, light=SCENES["starry"].light)
    assert result.shape == (512, 512, 3)
    assert result.dtype == np.uint8
    assert (result[cut.alpha == 0] == scene[cut.alpha == 0]).all()


def test_without_light_the_subject_keeps_its_pixels() -> None:
    picture, cut = portrait()
    opaque = cut.alpha == 1
    assert np.abs(before((20, 200, 90))[opaque] - picture[opaque]).max() <= 2  # the round trip through Lab


def test_no_halo() -> None:
    """Around the hair the old wall was light grey. On black, an edge pixel may be no lighter than its share of hair
    allows; on white, a pixel's darkness must come from hair, not from a rim."""
    black, white = before((0, 0, 0))[:120], before((255, 255, 255))[:120]
    alpha = portrait()[1].alpha[:120]
    edge = (alpha > 0.1) & (alpha < 0.9)
    assert edge.sum() > 100
    hair = portrait()[0][30:50, 200:260].mean()  # lighter strands of the crown
    shine = black[edge].mean(axis=1) / alpha[edge]
    assert np.median(shine) < 1.1 * hair
    # Black and white backdrops differ by exactly the background's share.
    assert np.abs((white - black)[edge].mean(axis=1) / 255 - (1 - alpha[edge])).max() < 0.02


def test_night_dims_and_a_bright_backdrop_lifts() -> None:
    opaque = portrait()[1].alpha == 1
    plainly = before((0, 0, 0))[opaque].mean()
    assert before((5, 10, 30), Light(night=True))[opaque].mean() < plainly - 5
    assert before((250, 250, 250), Light())[opaque].mean() > plainly + 5


def test_a_warm_backdrop_warms_the_subject() -> None:
    opaque = portrait()[1].alpha == 1
    warm, cool = (before(colour, Light())[opaque].mean(axis=0) for colour in ((220, 130, 60), (60, 120, 220)))
    assert warm[0] - warm[2] > cool[0] - cool[2] + 3


def test_light_keeps_black_and_white() -> None:
    """The tone curve bends between its ends: the suit's blacks do not turn grey before a white backdrop."""
    picture, cut = portrait()
    black = (cut.alpha == 1) & (picture.max(axis=2) < 6)
    assert black.sum() > 500
    assert np.median(before((255, 255, 255), Light(wrap=0))[black]) < 25


def test_whites_fall_by_night() -> None:
    """White cloth in moonlight is no brighter than the moon's sky allows, and a little blue."""
    picture, cut = portrait()
    white = (cut.alpha == 1) & (picture.min(axis=2) > 235)
    assert white.sum() > 300
    scene = paint("night", Size(512, 512), 1)
    lit = replace_background(picture, cut, scene, light=SCENES["night"].light)[white].mean(axis=0)
    assert 90 < lit.mean() < 210
    assert 10 < lit[2] - lit[0] < 90


@pytest.mark.parametrize("name", ["blue_sky", "beach", "snow", "fog"])
def test_daylight_leaves_colours_nearly_alone(name: str) -> None:
    """The sky is blue by day, what stands under it is not."""
    picture, cut = portrait()
    opaque = (cut.alpha == 1) & (picture.max(axis=2) < 250)
    lit = replace_background(picture, cut, paint(name, Size(512, 512), 1), light=SCENES[name].light)[opaque]
    change = lit.mean(axis=0) - picture[opaque].mean(axis=0)
    assert np.ptp(change) < 9
    assert np.abs(change).max() < 16


def test_a_sunset_warms() -> None:
    picture, cut = portrait()
    opaque = (cut.alpha == 1) & (picture.max(axis=2) < 250)
    lit = replace_background(picture, cut, paint("sunset", Size(512, 512), 1), light=SCENES["sunset"].light)[opaque]
    change = lit.mean(axis=0) - picture[opaque].mean(axis=0)
    assert change[0] - change[2] > 4


@pytest.mark.parametrize("backdrop", [0.0, 30.0, 60.0, 100.0])
@pytest.mark.parametrize("key", [0.0, 50.0, 100.0])
def test_light_stays_within_reason(key: float, backdrop: float) -> None:
    relight = Relight.towards(key, backdrop, Light(strength=1, night=backdrop < 10))
    greys = np.linspace(0, 1, 11, dtype=np.float32)[:, None, None] * np.ones(3, np.float32)
    for ambient in (np.zeros_like(greys), np.ones_like(greys), np.eye(3, dtype=np.float32)[[0] * 11][:, None]):
        lit = relight.apply(greys, relight.gains(ambient))
        assert np.isfinite(lit).all()
        assert (lit[0] < 0.01).all()  # black stays
        assert (np.diff(lit, axis=0) >= 0).all()
        assert 0.5 < lit[10].mean() < 1.4


def shaded(ground: float, top: int = 60, foot: int = 150) -> NDArray[np.float64]:
    """How much darker a grey ground of 200×200 gets by a box that stands on it from row `top` to `foot`."""
    alpha = np.zeros((200, 200), np.float32)
    alpha[top:foot, 70:130] = 1
    grey = np.full((200, 200, 3), 160, np.uint8)
    cut = Matte(alpha, np.full((200, 200, 3), 0.5, np.float32))
    lit = replace_background(grey, cut, grey, light=Light(strength=0, wrap=0, shadow=1, ground=ground))
    return np.asarray(np.where(alpha > 0, 0, 160 - lit.astype(float).mean(axis=2)), np.float64)


def test_a_thing_seen_whole_throws_a_soft_shadow_where_it_stands() -> None:
    shadow = shaded(0)
    beneath = shadow[:, 100]
    assert beneath[151] > 60 > 10 > beneath[159], "densest where they meet"
    assert np.abs(np.diff(beneath[150:])).max() < 40, "and soft"
    assert shadow[:90].max() < 1, "none beside its head"
    assert shadow[-1, :20].max() < 4, "nor far away"


def test_no_shadow_falls_on_the_sky_nor_from_what_the_picture_cuts_off() -> None:
    assert shaded(0.6)[:120].max() < 1
    assert shaded(0.9).max() < 1, "it hangs above the ground"
    assert shaded(0, foot=200).max() < 1, "its foot is not in the picture"


def test_removal_is_transparent_and_forgets_the_background() -> None:
    picture, cut = portrait()
    result = remove_background(picture, cut)
    assert result.shape == (512, 512, 4)
    assert result.dtype == np.uint8
    assert (result[:30, :30] == 0).all()
    opaque = result[..., 3] == 255
    assert 0.4 < opaque.mean() < 0.65
    assert (result[opaque][:, :3] == picture[opaque]).all()


def test_blur_softens_only_the_background() -> None:
    picture, cut = portrait()
    result = blur_background(picture, cut, 0.6)
    opaque = cut.alpha == 1
    assert (result[opaque] == picture[opaque]).all()
    flag = [np.abs(np.diff(view[:90, :50].astype(float), axis=1)).mean() for view in (picture, result)]
    assert flag[1] < 0.6 * flag[0]


def test_more_blur_is_softer() -> None:
    picture, cut = portrait()
    flag = [blur_background(picture, cut, s)[:90, :50].astype(float) for s in (0.2, 0.9)]
    detail = [np.abs(np.diff(part, axis=1)).mean() for part in flag]
    assert detail[1] < 0.8 * detail[0]


def test_the_subject_does_not_bleed_into_the_blur() -> None:
    """A red square on grey: the blurred grey beside it stays grey."""
    picture = np.full((200, 200, 3), 120, np.uint8)
    picture[60:140, 60:140] = (220, 20, 20)
    alpha = np.zeros((200, 200), np.float32)
    alpha[60:140, 60:140] = 1
    result = blur_background(picture, Matte(alpha, picture.astype(np.float32) / np.float32(255)), 1.0).astype(int)
    assert np.abs(result[alpha == 0] - 120).max() <= 2


@pytest.mark.parametrize("shape", [(1, 1), (64, 64), (30, 500)])
def test_any_size_and_transparency(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 4), 90, np.uint8)
    cut = matte(picture, np.ones(shape, bool))
    size = Size(shape[1], shape[0])
    assert replace_background(picture, cut, paint("bokeh", size, 0)).shape == (*shape, 3)
    assert remove_background(picture, cut).shape == (*shape, 4)
    assert blur_background(picture, cut, 0.5).shape == (*shape, 3)


def test_input_is_not_changed() -> None:
    picture, cut = portrait()
    scene = paint("sunset", Size(512, 512), 0)
    inputs: list[NDArray[Any]] = [picture, scene, cut.alpha, cut.foreground]
    copies = [array.tobytes() for array in inputs]
    replace_background(picture, cut, scene)
    remove_background(picture, cut)
    blur_background(picture, cut, 0.5)
    assert [array.tobytes() for array in inputs] == copies
