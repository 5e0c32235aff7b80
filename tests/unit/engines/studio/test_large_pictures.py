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
from tollbrush.engines.studio.plan import understand

SIDE = 1536  # more than a few strips
MOST = 36  # bytes: three copies as floats
PROMPTS = (
    "make it dreamy", "make it cosy", "make it dramatic", "make it brighter", "make it sepia", "fix the light",
    "add film grain", "sharpen it", "blur it", "remove the noise", "add a vignette", 'add the watermark "draft"',
    'write "hello" at the top', "keep only red in colour", "change the red to blue",
)  # fmt: skip


@cache
def photo() -> NDArray[np.uint8]:
    colours = cv2.resize(skimage.data.astronaut(), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.dstack([colours, np.full((SIDE, SIDE), 200, np.uint8)])


@pytest.mark.parametrize("prompt", PROMPTS)
def test_no_edit_holds_many_copies_of_the_picture(prompt: str) -> None:
    plan, pixels = understand(prompt, masked=False), photo()
    tracemalloc.start()
    try:
        (result,) = perform(plan, pixels, None, [1])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not np.array_equal(result, pixels)
    assert peak / SIDE**2 < MOST
