"""Every operation on every odd picture: a picture of the promised size, or a refusal that says why. Nothing else."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from tollbrush.domain.edits import Size
from tollbrush.engines.studio.abilities import (
    BlurBackground,
    Operation,
    RemoveBackground,
    RemoveMasked,
    ReplaceBackground,
    Tone,
    Wear,
)
from tollbrush.engines.studio.colours import Colour
from tollbrush.engines.studio.framings import (
    Border,
    Crop,
    Enlarge,
    Extend,
    Flip,
    Rotate,
    Straighten,
    result_size,
)
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.plan import Plan
from tollbrush.engines.studio.treatments import (
    Blur,
    Denoise,
    Recolour,
    ReplaceSky,
    Sharpen,
    Style,
    Vignette,
    Weather,
    Write,
)
from tollbrush.errors import CannotHonour

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
RED = Colour("red", (215, 38, 61))

TREATMENTS: tuple[Operation, ...] = (
    *(Style(k) for k in ("watercolour", "oil", "sketch", "cartoon", "vintage", "hdr", "pixel_art", "pop_art")),
    *(Weather(k) for k in ("snow", "rain", "fog")),
    ReplaceSky("sunset"), ReplaceSky("stormy"), Recolour(RED, "blue"), Recolour(RED, "white"), Recolour(RED),
    Sharpen(), Denoise(), Blur(2.0), Vignette(), Write("Hello"), Write("mine", watermark=True),
    Tone("sepia"), RemoveBackground(), BlurBackground(), RemoveMasked(),
    ReplaceBackground("beach"), ReplaceBackground(None, RED), Wear("top_hat"), Wear("flower_crown"),
)  # fmt: skip
FRAMINGS: tuple[Operation, ...] = (
    Rotate(90), Rotate(-7), Straighten(), Flip(), Crop((1, 1)), Crop(), Border(RED), Extend(("left",)), Enlarge(3),
)  # fmt: skip


@cache
def pictures() -> dict[str, Pixels]:
    random = np.random.default_rng(1)
    photo = np.asarray(skimage.data.astronaut()[::4, ::4])
    clear = np.dstack([photo, np.zeros(photo.shape[:2], np.uint8)])
    clear[30:90, 30:90, 3] = 255
    return {
        "one pixel": np.full((1, 1, 3), 77, np.uint8),
        "eight": photo[:8, :8],
        "a strip": np.ascontiguousarray(np.tile(photo[40:70], (1, 3, 1))[:, :300]),
        "a thread": np.full((1, 200, 3), 90, np.uint8),
        "black": np.zeros((70, 60, 3), np.uint8),
        "white": np.full((60, 70, 3), 255, np.uint8),
        "noise": random.integers(0, 256, (64, 64, 3)).astype(np.uint8),
        "mostly transparent": clear,
        "all transparent": np.zeros((50, 50, 4), np.uint8),
    }


def done(operation: Operation, pixels: Pixels, mask: Mask | None) -> Pixels | None:
    """None where it is refused, in words."""
    before = pixels.copy()
    try:
        (result,) = perform(Plan((operation,)), pixels, mask, [5])
    except CannotHonour as refusal:
        assert len(refusal.message) > 20, "a refusal says why"
        return None
    finally:
        assert np.array_equal(pixels, before), "the source is left alone"
    return result


@pytest.mark.parametrize("name", pictures())
@pytest.mark.filterwarnings("error")
def test_whole(name: str) -> None:
    pixels = pictures()[name]
    for operation in (*TREATMENTS, *FRAMINGS):
        result = done(operation, pixels, None)
        if result is not None:
            size = result_size([operation], Size(pixels.shape[1], pixels.shape[0]))
            wanted = (pixels.shape[0], pixels.shape[1]) if size is None else (size.height, size.width)
            assert result.shape[:2] == wanted, operation
            assert result.dtype == np.uint8, operation
            assert result.shape[2] in {3, 4}, operation


@pytest.mark.parametrize("name", ["a thread", "black", "mostly transparent"])
@pytest.mark.parametrize("where", ["one pixel", "everything", "all but one"])
def test_masked(name: str, where: str) -> None:
    pixels = pictures()[name]
    mask = np.full(pixels.shape[:2], where != "one pixel")
    mask[-1, -1] = where != "all but one"
    for operation in TREATMENTS:
        result = done(operation, pixels, mask)
        if result is not None:
            assert result.shape[:2] == pixels.shape[:2], operation
            assert np.array_equal(result[~mask][:, :3], pixels[~mask][:, :3]), operation


@pytest.mark.parametrize("framing", FRAMINGS)
def test_no_frame_changes_within_a_mask(framing: Operation) -> None:
    mask = np.zeros((64, 64), np.bool_)
    mask[:9] = True
    assert done(framing, pictures()["noise"], mask) is None
