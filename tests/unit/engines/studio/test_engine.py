"""The studio engine and its worker processes: answers, refusals, limits, and what happens when a worker dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import cv2
import numpy as np
import pytest
import pytest_asyncio
import skimage.data
from numpy.typing import NDArray

from tollbrush.domain.edits import Size
from tollbrush.engines.interface import EditInput
from tollbrush.engines.studio.engine import StudioEngine
from tollbrush.errors import CannotHonour, EditTimeout, EngineFailed
from tollbrush.settings import StudioSettings

Pixels = NDArray[np.uint8]
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[StudioEngine]:
    engine = StudioEngine(StudioSettings(workers=1, timeout_seconds=60))
    await engine.start()
    yield engine
    await engine.close()


def photo(side: int = 256) -> Pixels:
    return np.asarray(cv2.resize(skimage.data.astronaut(), (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def asked(prompt: str, pixels: Pixels | None = None, **more: object) -> EditInput:
    pixels = photo() if pixels is None else pixels
    return EditInput((pixels,), prompt, Size(pixels.shape[1], pixels.shape[0]), **more)  # type: ignore[arg-type]


async def test_an_edit_answers_with_the_plan_in_words_and_its_seed(engine: StudioEngine) -> None:
    (image,) = (await engine.edit("studio", asked("make it warmer, please", seed=7))).images
    assert image.revised_prompt == "Make the picture warmer."
    assert image.seed == 7
    assert image.pixels[..., 0].mean() > photo()[..., 0].mean()


async def test_variations_count_seeds_up_and_differ(engine: StudioEngine) -> None:
    images = (await engine.edit("studio", asked("change the background to a starry sky", n=2, seed=5))).images
    again = (await engine.edit("studio", asked("change the background to a starry sky", seed=6))).images
    assert [image.seed for image in images] == [5, 6]
    assert not np.array_equal(images[0].pixels, images[1].pixels)
    assert np.array_equal(images[1].pixels, again[0].pixels)


async def test_words_are_refused_without_a_worker() -> None:
    engine = StudioEngine(StudioSettings())
    with pytest.raises(CannotHonour, match="dragon"):
        engine.plan("add a dragon", masked=False)
    with pytest.raises(CannotHonour, match="dragon"):
        await engine.edit("studio", asked("add a dragon"))


async def test_what_only_the_picture_tells_comes_back_from_the_worker(engine: StudioEngine) -> None:
    blank = np.full((128, 128, 3), 128, np.uint8)
    with pytest.raises(CannotHonour, match="no clear subject") as refused:
        await engine.edit("studio", asked("remove the background", blank))
    assert "mask" in refused.value.hint
    with pytest.raises(CannotHonour, match="no face"):
        await engine.edit("studio", asked("add a hat", blank))


async def test_an_edit_before_the_start_fails_at_once() -> None:
    with pytest.raises(EngineFailed, match="not been started"):
        await StudioEngine(StudioSettings()).edit("studio", asked("make it warmer"))


async def test_waiting_edits_are_all_answered(engine: StudioEngine) -> None:
    prompts = ["make it warmer", "make it sepia", "make it darker"]
    answers = await asyncio.gather(*(engine.edit("studio", asked(p)) for p in prompts))
    assert len({answer.images[0].pixels.tobytes() for answer in answers}) == 3


async def test_a_worker_that_crashes_fails_its_edit_and_is_replaced(engine: StudioEngine) -> None:
    broken = np.zeros((64, 64), np.uint8)  # not a picture: no channels
    with pytest.raises(EngineFailed):
        await engine.edit("studio", asked("make it warmer", broken))
    assert (await engine.edit("studio", asked("make it warmer"))).images


async def test_an_edit_that_nobody_waits_for_is_given_up(engine: StudioEngine) -> None:
    slow = asyncio.create_task(engine.edit("studio", asked("change the background to a sunset", photo(1024), n=10)))
    await asyncio.sleep(0)  # it has taken the only worker
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    async with asyncio.timeout(60):
        assert (await engine.edit("studio", asked("make it warmer"))).images


async def test_an_edit_past_its_limit_is_stopped_and_its_worker_replaced() -> None:
    engine = StudioEngine(StudioSettings(workers=1, timeout_seconds=1))
    await engine.start()
    await engine.ready()
    try:
        with pytest.raises(EditTimeout, match="2 seconds"):  # its limit is for each of the two pictures
            await engine.edit("studio", asked("change the background to a sunset", photo(4096), n=2))
        await engine.ready()
        # So many that the limit, which is for each, leaves a busy machine its time.
        assert (await engine.edit("studio", asked("make it warmer", photo(64), n=30))).images
    finally:
        await engine.close()


async def test_an_edit_that_comes_before_the_workers_are_warm_waits_for_one() -> None:
    engine = StudioEngine(StudioSettings(workers=1, timeout_seconds=5))
    await engine.start()
    try:
        assert engine.capabilities("studio").time_limit > 5
        assert (await engine.edit("studio", asked("make it warmer", photo(64)))).images
        assert engine.capabilities("studio").time_limit == 5
    finally:
        await engine.close()
