"""What an edit takes beside the picture: so many bytes for each pixel, so that forty megapixels fit a worker."""

from __future__ import annotations

import tracemalloc
from functools import cache

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.understanding.understand import understand

SIDE = 1536  # more than a few strips
MOST = 36  # bytes: three copies as floats
PROMPTS = (
    "make it dreamy", "make it cosy", "make it dramatic", "make it brighter", "make it sepia", "fix the light",
    "add film grain", "sharpen it", "blur it", "remove the noise", "add a vignette", 'add the watermark "draft"',
    'write "hello" at the top', "keep only red in colour", "change the red to blue",
)  # fmt: skip

STYLED = {
    "turn it into a watercolour": 90, "turn it into an oil painting": 120, "turn it into a cartoon": 100,
    "turn it into a vintage photo": 60, "turn it into pop art": 60,
}  # fmt: skip
"""Done at 1600 pixels at most: bytes for each of those."""


@cache
def photo() -> NDArray[np.uint8]:
    colours = cv2.resize(skimage.data.astronaut(), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.dstack([colours, np.full((SIDE, SIDE), 200, np.uint8)])


@pytest.mark.parametrize("prompt", PROMPTS)
def test_no_edit_holds_many_copies_of_the_picture(prompt: str) -> None:
    assert taken(prompt) < MOST


@pytest.mark.parametrize(("prompt", "most"), STYLED.items())
def test_styles_hold_few_copies_as_floats(prompt: str, most: int) -> None:
    assert taken(prompt) < most


def taken(prompt: str) -> float:
    plan, pixels = understand(prompt, masked=False), photo()
    tracemalloc.start()
    try:
        (result,) = perform(plan, pixels, None, [1])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not np.array_equal(result, pixels)
    return peak / SIDE**2
