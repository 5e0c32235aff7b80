"""Weather: what is far is veiled more than what is near, what falls is hidden by what stands before it, and a seed is a
picture of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import get_args

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from support.imagery import astronaut
from tollbrush.engines.studio.plans.treatments import WeatherKind
from tollbrush.engines.studio.scenes.depth import depth_of
from tollbrush.engines.studio.scenes.precipitation import Layer, flakes, splashes, streaks
from tollbrush.engines.studio.scenes.weather import weather

Pixels = NDArray[np.uint8]
Map = NDArray[np.float32]
KINDS: tuple[WeatherKind, ...] = get_args(WeatherKind)
FACE, BACKDROP = (slice(30, 85), slice(95, 125)), (slice(10, 90), slice(150, 180))


def portrait(side: int = 256) -> Pixels:
    return astronaut(side)


@cache
def striped_land() -> Pixels:
    """A blue sky over a field of even stripes."""
    rows, columns = np.indices((240, 320))
    field = np.where((columns // 8 + rows // 8) % 2 == 0, 60, 160)[..., None] * np.array([0.8, 1.0, 0.5])
    sky = np.broadcast_to(np.array([120, 165, 225]), (240, 320, 3)) + (rows[..., None] // 12)
    pixels = np.where(rows[..., None] < 96, sky, field).astype(np.uint8)
    pixels.flags.writeable = False
    return pixels


@cache
def under(kind: WeatherKind, seed: int) -> Pixels:
    return weather(portrait(), kind, 1.0, seed)


def contrast(pixels: Pixels, rows: slice) -> float:
    return float(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[rows].std())


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_a_picture_of_its_own(kind: WeatherKind) -> None:
    assert np.array_equal(under(kind, 1), weather(portrait(), kind, 1.0, 1))
    assert np.abs(under(kind, 1).astype(int) - under(kind, 2)).mean() > 0.4


def test_fog_takes_more_contrast_the_farther_it_is_and_the_heavier_it_lies() -> None:
    land = striped_land()
    far, near = slice(100, 130), slice(205, 238)
    kept = {
        amount: [contrast(weather(land, "fog", amount, 3), rows) / contrast(land, rows) for rows in (far, near)]
        for amount in (0.5, 1.8)
    }
    for at_horizon, at_feet in kept.values():
        assert at_horizon < 0.8 * at_feet
    assert kept[1.8][0] < kept[0.5][0]
    assert kept[1.8][1] > 0.5, "what is nearest is not washed out"


def test_fog_is_no_flat_white_veil() -> None:
    foggy = weather(striped_land(), "fog", 1.0, 3)
    sky = cv2.cvtColor(foggy[:90], cv2.COLOR_RGB2LAB)[..., 0].astype(float)
    assert foggy.max() < 250
    assert cv2.GaussianBlur(sky, (0, 0), 6).std() > 0.8, "banks lie in it"


@pytest.mark.parametrize("kind", KINDS)
def test_a_face_stays_itself_before_a_changed_backdrop(kind: WeatherKind) -> None:
    before, after = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (portrait(), under(kind, 1)))
    alike = np.corrcoef(before[FACE].ravel(), after[FACE].ravel())[0, 1]
    behind = np.corrcoef(before[BACKDROP].ravel(), after[BACKDROP].ravel())[0, 1]
    assert alike > 0.93
    assert alike > behind


def test_rain_is_darker_and_colder_than_the_day() -> None:
    lab = [cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(float) for p in (portrait(), under("rain", 1))]
    assert lab[1][..., 0].mean() < 0.93 * lab[0][..., 0].mean()
    assert lab[1][..., 2].mean() < lab[0][..., 2].mean() - 2


def test_a_lamp_by_night_has_a_halo_in_fog_and_a_white_wall_by_day_has_none() -> None:
    night, day = (np.full((160, 160, 3), value, np.uint8) for value in (18, 150))
    for pixels in (night, day):
        pixels[120:] //= 2  # the ground
        pixels[70:82, 70:82] = 255
    gains = []
    for pixels in (night, day):
        plain = pixels.copy()
        plain[70:82, 70:82] = pixels[0, 0]
        lit, unlit = (weather(p, "fog", 1.0, 3).astype(int) for p in (pixels, plain))
        gains.append(float((lit - unlit)[76, 86:94].mean()))
    assert gains[0] > 4 > gains[1]


def test_faces_and_skies_have_their_depth() -> None:
    face, sky = depth_of(portrait()), depth_of(striped_land())
    assert face.far[FACE].mean() < 0.25 < 0.5 < face.far[BACKDROP].mean()
    assert sky.far[:80].min() > 0.9
    assert sky.sky[:80].mean() > 0.95 and sky.sky[120:].mean() < 0.02
    assert sky.horizon == pytest.approx(0.4, abs=0.04)
    field = sky.far[110:].mean(axis=1)
    assert field[:10].mean() > 1.6 * field[-10:].mean()


@pytest.mark.parametrize("fall", [flakes, streaks])
def test_what_falls_covers_as_much_of_any_size(fall: Callable[..., list[Layer]]) -> None:
    shares = []
    for size in ((512, 512), (1024, 1024), (512, 1024)):
        layers = fall(size, 1.0, np.random.default_rng(5))
        assert [layer.depth for layer in layers] == sorted((layer.depth for layer in layers), reverse=True)
        shares.append(sum(float(layer.cover.mean()) for layer in layers))
    assert max(shares) < 1.5 * min(shares)


@pytest.mark.parametrize("kind", KINDS)
def test_heavier_weather_changes_more(kind: WeatherKind) -> None:
    light, heavy = (
        np.abs(weather(striped_land(), kind, amount, 1).astype(int) - striped_land()).mean() for amount in (0.3, 1.6)
    )
    assert heavy > 1.3 * light


def test_rain_stripes_the_sky_downwards() -> None:
    sky = cv2.cvtColor(weather(striped_land(), "rain", 1.0, 3)[:90], cv2.COLOR_RGB2GRAY).astype(float)
    across, down = (np.abs(np.diff(sky, axis=axis)).mean() for axis in (1, 0))
    assert across > 1.6 * down
    assert np.percentile(sky, 99) > np.median(sky) + 18, "seen at a glance"


def test_drops_strike_the_ground_alone() -> None:
    ground = np.zeros((64, 64), np.float32)
    ground[48:] = 1
    cover = splashes((512, 512), ground, 1.0, np.random.default_rng(1)).cover
    assert cover[384:].mean() > 0.002
    assert not cover[:360].any()
    assert depth_of(portrait()).ground.max() == 0, "a portrait shows none"
    lawn = depth_of(np.dstack([skimage.data.camera()] * 3)).ground[-60:]
    assert lawn[:, 200:].mean() > 0.4 > 0.05 > lawn[:, :100].mean(), "the lawn, but not the man who stands on it"


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (2, 400), (400, 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_tiny_pictures_have_weather_too(kind: WeatherKind, shape: tuple[int, int]) -> None:
    grey = np.full((*shape, 3), 120, np.uint8)
    after = weather(grey, kind, 1.0, 1)
    assert after.shape == grey.shape and after.dtype == np.uint8
    assert 30 < after.mean() < 240
