"""Plans on pixels: where each operation works, what masks bound and refine, and what the picture must show."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from support.imagery import astronaut
from tollbrush.engines.studio.operations import perform
from tollbrush.engines.studio.understanding.understand import understand
from tollbrush.errors import CannotHonour

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
SIDE = 256


def photo() -> Pixels:
    return astronaut(SIDE)


def edited(prompt: str, mask: Mask | None = None, pixels: Pixels | None = None, seed: int = 3) -> Pixels:
    plan = understand(prompt, masked=mask is not None)
    (result,) = perform(plan, photo() if pixels is None else pixels, mask, [seed])
    return result


def scene() -> tuple[Pixels, Mask]:
    """A furry red ball on a textured wall, and where it is."""
    random = np.random.default_rng(2)
    rows, columns = np.indices((SIDE, SIDE))
    ball = np.hypot(rows - 128, columns - 128) + random.normal(0, 1.2, (SIDE, SIDE)) < 70
    pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    pixels[:] = (70, 110, 90)
    pixels[ball] = (205, 45, 40)
    noisy = pixels + random.normal(0, 5, pixels.shape)
    return np.asarray(cv2.GaussianBlur(np.clip(noisy, 0, 255).astype(np.uint8), (0, 0), 0.8), np.uint8), ball


def disc(radius: float) -> Mask:
    rows, columns = np.indices((SIDE, SIDE))
    return np.asarray(np.hypot(rows - 128, columns - 128) < radius)


MASKED = (
    "remove the background",
    "change the background to a starry sky",
    "change the background to white",
    "blur the background",
    "remove this",
    "make it sepia",
    "make the background black and white",
)


@pytest.mark.parametrize("prompt", MASKED)
def test_outside_the_mask_nothing_changes(prompt: str) -> None:
    pixels, _ = scene()
    mask = ~disc(74) if "background" in prompt else disc(20)
    result = edited(prompt, mask, pixels)
    assert np.array_equal(result[~mask][:, :3], pixels[~mask])
    assert (result[~mask][:, 3:] == 255).all()
    assert (result[mask][:, :3] != pixels[mask]).any()


@pytest.mark.parametrize("drawn", [70, 62, 78], ids=["exact", "over the ball", "short of it"])
def test_the_masked_background_goes_up_to_the_subject_itself(drawn: float) -> None:
    pixels, ball = scene()
    mask = ~disc(drawn)
    alpha = edited("remove the background", mask, pixels)[..., 3] / 255
    assert alpha[mask & ~disc(76)].max() == 0, "the background is gone"
    painted_over = alpha[ball & mask & disc(66)]
    assert painted_over.size == 0 or np.quantile(painted_over, 0.02) > 0.9, "what was painted over of the ball is not"
    assert alpha[~mask].min() == 1, "what is not white stays"
    assert ((alpha > 0.1) & (alpha < 0.9)).sum() > 50 or drawn > 75, "the rim is soft"


def test_an_all_white_mask_bounds_nothing() -> None:
    everything = np.ones((SIDE, SIDE), bool)
    assert np.array_equal(edited("remove the background", everything), edited("remove the background"))


def test_the_background_is_replaced_around_the_subject() -> None:
    result = edited("change the background to white")
    assert (result[:20, :60] > 240).all()
    suit = (slice(150, 200), slice(60, 110))
    assert np.abs(result[suit].astype(int) - photo()[suit]).mean() < 25


def test_a_background_tone_leaves_the_subject() -> None:
    result = edited("make the background black and white").astype(int)
    assert np.ptp(result[:30, :20], axis=2).max() <= 2
    suit = (slice(150, 200), slice(60, 110))
    assert np.array_equal(result[suit], photo()[suit])


def test_a_removed_object_is_continued_from_around_it() -> None:
    pixels, ball = scene()
    result = edited("remove the ball", disc(76), pixels)
    assert np.abs(result[ball].mean(axis=0) - np.array([70, 110, 90])).max() < 12


def test_operations_are_done_in_turn() -> None:
    result = edited("remove the background and make it black and white")
    assert result.shape[2] == 4
    assert np.array_equal(result[..., 0], result[..., 2])
    assert set(np.unique(result[..., 3])) >= {0, 255}


def test_a_hat_on_a_cut_out_is_seen() -> None:
    bare, hatted = edited("remove the background"), edited("remove the background and add a crown")
    grown = (hatted[..., 3] > 200) & (bare[..., 3] < 20)
    assert grown[: SIDE // 4].sum() > 20, "the crown stands out above the hair"


def test_a_hat_must_be_able_to_sit_inside_the_mask() -> None:
    corner = np.zeros((SIDE, SIDE), bool)
    corner[-20:, -20:] = True
    with pytest.raises(CannotHonour, match="outside the mask"):
        edited("add a hat", corner)


def test_without_a_clear_subject_nothing_is_cut() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    with pytest.raises(CannotHonour, match="no clear subject") as refused:
        edited("blur the background", pixels=noise)
    assert "mask" in refused.value.hint


def test_same_request_same_bytes_and_a_seed_that_matters() -> None:
    prompt = "change the background to bokeh lights"
    assert np.array_equal(edited(prompt), edited(prompt))
    assert not np.array_equal(edited(prompt), edited(prompt, seed=4))


def test_each_seed_gets_its_picture() -> None:
    plan = understand("make it warmer", masked=False)
    pictures = list(perform(plan, photo(), None, [1, 2, 3]))
    assert len(pictures) == 3
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)


def test_transparency_that_the_picture_brings_stays() -> None:
    alpha = np.full((SIDE, SIDE), 255, np.uint8)
    alpha[:, :40] = 0
    result = edited("make it warmer", pixels=np.dstack([photo(), alpha]))
    assert np.array_equal(result[..., 3], alpha)
