"""Another sky, on real photographs: it stays above the land, and the land takes its light."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.plans.treatments import SkyKind
from tollbrush.engines.studio.scenes.backdrops import paint
from tollbrush.engines.studio.scenes.skies import paint_sky
from tollbrush.engines.studio.scenes.sky import replace_sky
from tollbrush.engines.studio.scenes.sky_search import find_sky
from tollbrush.errors import CannotHonour

Pixels = NDArray[np.uint8]


@cache
def cameraman() -> Pixels:
    """A man and a tripod on grass, under a grey sky that reaches to 0.31 of its height."""
    return np.dstack([np.asarray(skimage.data.camera(), np.uint8)] * 3)


@cache
def rocket() -> Pixels:
    """Between masts, before a dusk sky; lamps stand at its foot."""
    return np.asarray(skimage.data.rocket(), np.uint8)


def test_the_sky_of_a_photograph_ends_where_its_land_begins() -> None:
    sky, confidence = find_sky(cameraman())
    assert confidence > 0.6
    assert sky[:60].mean() > 0.9, "above his head"
    assert not sky[230:].any(), "neither between his arm and the tripod nor on the grass"
    sky, confidence = find_sky(rocket())
    assert confidence > 0.6
    assert sky[10:300, 230:280].mean() > 0.95
    assert not sky[375:].any(), "no tongue of sky between lamps and bushes"


def test_the_ground_changes_by_its_new_light_alone() -> None:
    """Blue sky leaves daylight nearly as it was: what is far from that on the ground is sky that leaked into it."""
    photo = cameraman()
    ground = slice(260, 512)
    done = replace_sky(photo, "blue_sky", 3)[ground].astype(int)
    tint = np.abs(done.max(axis=2) - done.min(axis=2))
    assert (tint > 12).mean() < 0.001, "grey grass and a grey tripod stay grey"
    assert np.abs(done - photo[ground]).mean() < 12


def test_by_night_bright_land_does_not_glow() -> None:
    photo = cameraman()
    for kind in ("starry", "night"):
        done = replace_sky(photo, kind, 3)[220:].astype(np.float64) @ [0.2126, 0.7152, 0.0722]
        white = photo[220:, :, 1] > 225
        assert white.sum() > 50
        assert done[white].mean() < 105
        assert done[photo[220:, :, 1] < 160].mean() > 12, "and the rest is seen"


def test_the_same_seed_gives_the_same_sky() -> None:
    first, again, other = (replace_sky(rocket(), "stormy", seed) for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first[:200] != other[:200]).any(axis=2).mean() > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_is_dark_overhead_and_pale_low_down_and_nothing_in_it_repeats(seed: int) -> None:
    light = paint_sky("stormy", Size(512, 384), seed).astype(np.float64) @ [0.2126, 0.7152, 0.0722]
    assert light[:200].mean() < 130 < light[-8:].mean()
    assert light[:200].std() > 12, "masses, not a wash"
    deck = light[:256] - cv2.GaussianBlur(light[:256], (0, 0), 60)
    power = np.abs(np.fft.rfft2(np.pad(deck, ((0, 256), (0, 512))))) ** 2
    alike = np.fft.irfft2(power)[:128, :256]
    assert alike[64:].max() < 0.4 * alike[0, 0] and alike[:, 128:].max() < 0.4 * alike[0, 0]


def bundled(name: str) -> Pixels:
    pixels = np.asarray(getattr(skimage.data, name)(), np.uint8)
    return np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels[..., :3]


@cache
def skyless() -> dict[str, Pixels]:
    pictures = {name: bundled(name) for name in ("text", "page", "coins", "astronaut", "coffee", "moon", "brick")}
    pictures["bokeh"] = paint("bokeh", Size(320, 240), 1)
    paper = np.full((240, 320, 3), (170, 200, 230), np.uint8)
    pictures["plain paper"] = paper
    still = paper.copy()
    still[90:200, 110:220] = bundled("brick")[:110, :110, :3] // 2
    pictures["a thing on blue paper"] = still
    wall = np.linspace((225, 222, 215), (150, 146, 140), 240)[:, None] + np.zeros((1, 320, 1))
    wall[170:] = bundled("coffee")[170:240, :320]
    pictures["a wall lit from above"] = wall.astype(np.uint8)
    return pictures


@pytest.mark.parametrize("name", skyless())
def test_what_is_no_sky_is_not_replaced(name: str) -> None:
    with pytest.raises(CannotHonour, match="no clear sky"):
        replace_sky(skyless()[name], "sunset", 1)


def before(kind: SkyKind, exposure: float) -> tuple[Pixels, NDArray[np.bool_]]:
    """Hills of grass before a painted sky, grainy as a photograph is, and where that sky is."""
    random = np.random.default_rng(3)
    width, height = 400, 300
    sky = np.vstack([paint_sky(kind, Size(width, 200), 5), np.zeros((100, width, 3), np.uint8)])
    x, y = np.arange(width), np.arange(height)[:, None]
    there = y < 160 + 14 * np.sin(x / 37) + 6 * np.sin(x / 11)
    land = exposure * bundled("grass")[:height, :width] * np.array([0.7, 1.0, 0.5])
    pixels = np.where(there[..., None], sky, land) + random.normal(0, 3, (height, width, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8), there


@pytest.mark.parametrize(("kind", "exposure"), [("sunset", 0.5), ("blue_sky", 1.0), ("stormy", 0.8), ("night", 0.3)])
def test_a_sky_of_any_weather_is_found_to_its_border(kind: SkyKind, exposure: float) -> None:
    pixels, there = before(kind, exposure)
    sky, confidence = find_sky(pixels)
    assert confidence > 0.6
    assert (sky & there).sum() / (sky | there).sum() > 0.95


def test_where_the_caller_says_that_the_sky_is_it_is_believed() -> None:
    """A picture of sky alone is refused, but for a mask."""
    pixels = paint_sky("blue_sky", Size(320, 240), 2)
    assert find_sky(pixels)[1] == 0
    within = np.zeros((240, 320), np.bool_)
    within[:200] = True
    sky, confidence = find_sky(pixels, within)
    assert confidence == 1
    assert sky[:150].mean() > 0.95


def test_the_new_sky_shows_between_the_bars_of_a_mast_and_they_stay() -> None:
    photo, there = rocket(), (slice(60, 300), slice(565, 610))
    light = photo.mean(axis=2)
    bars = cv2.morphologyEx(light, cv2.MORPH_BLACKHAT, np.ones((9, 9), np.uint8))[there] > 14
    assert 0.1 < bars.mean() < 0.6
    done = replace_sky(photo, "sunset", 1)[there].astype(float).mean(axis=2)
    gaps = cv2.erode((~bars).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert done[gaps].mean() > 1.5 * done[bars].mean()
    assert done[gaps].mean() > 1.5 * light[there][gaps].mean(), "no blocks of the old sky"
