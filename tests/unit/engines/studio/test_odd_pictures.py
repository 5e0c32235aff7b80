"""Every ability on every odd picture: a picture of the promised size, or a refusal that says why. Nothing else."""

from __future__ import annotations

import itertools
import os
from functools import cache

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from support.once import once
from tollbrush.domain.edits import Size
from tollbrush.engines.studio import operations
from tollbrush.engines.studio.fill import extend
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.plans.abilities import BlurBackground, RemoveBackground, Tone, Wear
from tollbrush.engines.studio.plans.framings import Framing, result_size
from tollbrush.engines.studio.plans.plan import Plan
from tollbrush.engines.studio.plans.treatments import (
    Denoise,
    KeepColour,
    Recolour,
    ReplaceSky,
    Sharpen,
    Style,
    SwapColours,
    Vignette,
    Weather,
    Write,
)
from tollbrush.engines.studio.scenes import weather
from tollbrush.engines.studio.understanding.understand import offers, understand
from tollbrush.errors import CannotHonour

pytestmark = pytest.mark.filterwarnings("error")  # numpy warns of every NaN and overflow

LONG = os.environ.get("TOLLBRUSH_E2E") == "long"
Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

MORE = (
    'write "hello" in red in the centre', "make it slightly sharper", "blur it a lot", "add heavy rain",
    "make the background black and white", "change the background to a red studio",
    "change the background to a blue to green gradient", "rotate it by 7 degrees", "rotate it by 180 degrees",
    "crop it to 16:9", "extend it to 16:9", "enlarge it 4 times", "flip it vertically", "add a thin black border",
    "remove the background and add a crown", "make it black and white with more contrast",
)  # fmt: skip
"""Prompts beyond the examples: other amounts, places and colours, and two edits at once."""
ALPHA_STAYS = (
    BlurBackground, Denoise, KeepColour, Recolour, ReplaceSky, Sharpen, Style, SwapColours, Tone, Vignette, Weather,
)  # fmt: skip


@cache
def pictures() -> dict[str, Pixels]:
    random = np.random.default_rng(1)
    photo = np.ascontiguousarray(skimage.data.astronaut()[:256, 96:352])
    small = np.asarray(cv2.resize(photo, (112, 112), interpolation=cv2.INTER_AREA), np.uint8)
    wide = np.asarray(cv2.resize(skimage.data.astronaut()[100:280], (600, 60), interpolation=cv2.INTER_AREA), np.uint8)
    soft = np.tile(np.linspace(0, 255, 112).astype(np.uint8), (112, 1))
    hidden = np.where(random.random((112, 112)) < 0.3, 0, soft).astype(np.uint8)
    made: dict[str, Pixels] = {
        "1x1": np.full((1, 1, 3), 77, np.uint8),
        "1x1, transparent": np.zeros((1, 1, 4), np.uint8),
        "8x8": np.ascontiguousarray(small[40:48, 40:48]),
        "4000x2": random.integers(0, 256, (2, 4000, 3)).astype(np.uint8),
        "2x4000": random.integers(0, 256, (4000, 2, 3)).astype(np.uint8),
        "10:1": wide,
        "grey": np.asarray(cv2.cvtColor(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8),
        "partly transparent": np.dstack([small, hidden]),
        "all transparent": np.dstack([small, np.zeros_like(soft)]),
        "black": np.zeros((96, 80, 3), np.uint8),
        "white": np.full((80, 96, 3), 255, np.uint8),
        "noise": random.integers(0, 256, (90, 90, 3)).astype(np.uint8),
        "one colour": np.full((90, 90, 3), (205, 30, 44), np.uint8),
        "noise, transparent here and there": random.integers(0, 256, (90, 90, 4)).astype(np.uint8),
    }
    for pixels in made.values():
        pixels.flags.writeable = False
    return made


def masks(pixels: Pixels) -> dict[str, Mask]:
    shape = pixels.shape[:2]
    one, rest = np.zeros(shape, np.bool_), np.ones(shape, np.bool_)
    one[-1, -1] = rest[0, 0] = True
    rest[shape[0] // 2, shape[1] // 2] = False
    return {"one pixel": one, "everything": np.ones(shape, np.bool_), "all but one": rest}


@pytest.fixture(autouse=True)
def what_is_sought_is_sought_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (operations, "find_subject"), (operations, "matte"), (extend, "find_subject"), (weather, "depth_of"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, once(getattr(module, name)))


def planned(prompt: str, *, masked: bool) -> Plan | None:
    """None where the words are refused, with a mask or without one."""
    try:
        return understand(prompt, masked=masked)
    except CannotHonour:
        return None


def done(plan: Plan, pixels: Pixels, mask: Mask | None = None) -> Pixels | None:
    """None where it is refused, in words."""
    try:
        (result,) = perform(plan, pixels, mask, [5])
    except CannotHonour as refusal:
        assert refusal.message.endswith(".") and len(refusal.message.split()) > 4, refusal.message
        return None
    except Exception as error:
        error.add_note(f"at: {plan.describe()}")
        raise
    assert result.dtype == np.uint8 and result.ndim == 3 and result.shape[2] in {3, 4}, plan
    return result


@pytest.mark.parametrize("name", pictures())
def test_every_ability(name: str) -> None:
    pixels = pictures()[name]
    for prompt in (*(offer.example for offer in offers() if not offer.needs), *MORE):
        plan = understand(prompt, masked=False)
        result = done(plan, pixels)
        if result is None:
            continue
        size = result_size(plan.operations, Size(pixels.shape[1], pixels.shape[0]))
        assert result.shape[:2] == (pixels.shape[:2] if size is None else (size.height, size.width)), prompt
        before, after = alpha(pixels), alpha(result)
        if all(isinstance(o, ALPHA_STAYS) for o in plan.operations):
            assert np.array_equal(after, before), prompt
        elif all(isinstance(o, RemoveBackground) for o in plan.operations):
            assert (after <= before).all(), prompt
        elif all(isinstance(o, Wear | Write) for o in plan.operations):
            assert (after >= before).all(), prompt


BRIEFLY = (
    ("8x8", "one pixel"), ("4000x2", "all but one"), ("black", "one pixel"), ("noise", "all but one"),
    ("partly transparent", "one pixel"), ("one colour", "everything"),
)  # fmt: skip
MASKED = list(itertools.product(pictures(), masks(pictures()["8x8"]))) if LONG else BRIEFLY


@pytest.mark.parametrize(("name", "where"), MASKED)
def test_within_a_mask(name: str, where: str) -> None:
    pixels = pictures()[name]
    mask = masks(pixels)[where]
    for prompt in (offer.example for offer in offers()):
        plan = planned(prompt, masked=True)
        result = None if plan is None else done(plan, pixels, mask)
        if plan is None or result is None:
            continue
        if where == "everything" and any(isinstance(o, Framing) for o in plan.operations):
            continue  # such a mask bounds nothing
        assert result.shape[:2] == pixels.shape[:2], prompt
        assert np.array_equal(result[~mask][:, :3], pixels[~mask][:, :3]), prompt
        assert np.array_equal(alpha(result)[~mask], alpha(pixels)[~mask]), prompt


def alpha(pixels: Pixels) -> Pixels:
    return pixels[..., 3] if pixels.shape[2] == 4 else np.full(pixels.shape[:2], 255, np.uint8)


@pytest.mark.parametrize(
    "prompt", ["remove the background", "blur the background", "add a hat", "change the sky to a sunset"]
)
def test_what_nobody_sees_is_not_found(prompt: str) -> None:
    """Colours are kept under full transparency too: here those of a face."""
    with pytest.raises(CannotHonour, match="transparent all over"):
        list(perform(understand(prompt, masked=False), pictures()["all transparent"], None, [1]))
