"""Adjectives of a scene and colours by their hue reach the pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.plans.abilities import ReplaceBackground
from tollbrush.engines.studio.plans.treatments import ReplaceSky
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.errors import CannotHonour

Pixels = NDArray[np.uint8]
RED, BLUE = (200, 30, 40), (30, 60, 200)


def backdrop(prompt: str) -> NDArray[np.float32]:
    """Of a cut-out before a scene: the mean of the upper corner, which shows nothing else; CIELAB."""
    source = np.full((96, 96, 4), 200, np.uint8)
    source[..., 3] = 0
    source[40:, 30:66, 3] = 255
    (result,) = perform(understand(prompt, masked=False), source, None, [5])
    lab = cv2.cvtColor(result[:30, :, :3].astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    return np.asarray(lab.reshape(-1, 3).mean(axis=0))


def test_a_warm_sunset_is_warmer_and_a_dark_one_darker() -> None:
    plain, warm, dark = (backdrop(f"change the background to a {mood}sunset") for mood in ("", "warm ", "dark "))
    assert warm[2] > plain[2] + 2
    assert dark[0] < plain[0] - 3


def test_a_gradient_runs_from_one_colour_to_the_other() -> None:
    red, blue = (backdrop(f"change the background to a {first} gradient") for first in ("red to blue", "blue to red"))
    assert red[1] > 30 > 0 > blue[2]


@pytest.mark.parametrize(
    ("prompt", "operation"),
    [
        ("warm sunset background", ReplaceBackground("sunset", moods=("warmer",))),
        ("dark, moody night background", ReplaceBackground("night", moods=("darker", "moody"))),
        ("a moody dark night background", ReplaceBackground("night", moods=("moody", "darker"))),
        ("change the sky to a pink sunset", ReplaceSky("sunset", moods=("more_pink",))),
    ],
)
def test_moods_are_read(prompt: str, operation: ReplaceBackground | ReplaceSky) -> None:
    plan = understand(prompt, masked=False)
    assert plan.operations == (operation,)
    assert understand(plan.describe(), masked=False) == plan


def two_colours() -> Pixels:
    pixels = np.full((64, 64, 3), 128, np.uint8)
    pixels[8:28, 8:56], pixels[36:56, 8:56] = RED, BLUE
    return pixels


def test_swapped_colours_change_places() -> None:
    (result,) = perform(understand("swap red and blue", masked=False), two_colours(), None, [1])
    above, below = result[18, 30].astype(int), result[46, 30].astype(int)
    assert above[2] > above[0] + 60
    assert below[0] > below[2] + 60
    assert (result[:4] == 128).all()


def test_one_colour_alone_is_kept() -> None:
    (result,) = perform(understand("black and white but keep the red", masked=False), two_colours(), None, [1])
    assert np.ptp(result[18, 30].astype(int)) > 100
    assert np.ptp(result[46, 30].astype(int)) == 0


def test_a_colour_that_is_not_there_is_named() -> None:
    with pytest.raises(CannotHonour, match="green"):
        next(perform(understand("swap red and green", masked=False), two_colours(), None, [1]))
