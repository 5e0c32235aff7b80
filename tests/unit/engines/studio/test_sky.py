"""Another sky, on real photographs: it stays above the land, and the land takes its light."""

from __future__ import annotations

from functools import cache

import numpy as np
import skimage.data
from numpy.typing import NDArray

from tollbrush.engines.studio.sky import replace_sky
from tollbrush.engines.studio.sky_search import find_sky

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
