"""While one call steps, the next request is read and the last one decoded: it truly happens, and changes no pixel.

What must be at work at once waits for each other here: one after the other would wait in vain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from support.tapped import KLEIN, SDXL, Tapped, Tiny, asked, opened, part
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.interface import EditOutput
from tollbrush.errors import JobCancelled
from tollbrush.imaging.codec import Pixels

pytestmark = [
    pytest.mark.timeout(600),  # the first test waits for torch and diffusers to be imported
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # diffusers' sigmas
]

QWEN, PIX2PIX = "QwenImageEditPipeline", "StableDiffusionInstructPix2PixPipeline"
PATIENCE = 120
"""Seconds after which what was waited for never comes."""


def nothing(_nth: int) -> None:
    pass


def pixels(edit: Future[EditOutput]) -> Pixels:
    [image] = edit.result(PATIENCE).images
    return image.pixels


def test_the_next_request_is_read_while_one_steps(tiny: Tiny) -> None:
    with opened(tiny, KLEIN) as models, ThreadPoolExecutor(2) as threads:
        alone = [models.edit(KLEIN, asked(number)).images[0].pixels for number in (1, 2)]
        models.edit(KLEIN, asked(3))  # the others' words have to be read again
        models._lines[KLEIN].pipeline._readings._kept.clear()
        read = Tapped(part(models, "text_encoder"), "forward", nothing)
        second = list[Future[EditOutput]]()

        def wait_for_the_next(nth: int) -> None:
            if nth == 0:
                second.append(threads.submit(models.edit, KLEIN, asked(2)))
                assert read.began[1].wait(PATIENCE), "it was not read meanwhile"

        Tapped(part(models, "transformer"), "forward", wait_for_the_next)
        first = threads.submit(models.edit, KLEIN, asked(1))
        assert np.array_equal(pixels(first), alone[0])
        assert np.array_equal(pixels(second[0]), alone[1])


def test_the_last_one_is_decoded_while_the_next_steps(tiny: Tiny) -> None:
    with opened(tiny, KLEIN) as models, ThreadPoolExecutor(2) as threads:
        alone = [models.edit(KLEIN, asked(number)).images[0].pixels for number in (1, 2)]
        second = list[Future[EditOutput]]()
        stepped = Tapped(
            part(models, "transformer"),
            "forward",
            lambda nth: second.append(threads.submit(models.edit, KLEIN, asked(2))) if nth == 0 else None,
        )

        def wait_for_the_next(nth: int) -> None:
            if nth == 0:
                assert stepped.began[2].wait(PATIENCE), "the next one did not step meanwhile"

        Tapped(part(models, "vae"), "decode", wait_for_the_next)
        first = threads.submit(models.edit, KLEIN, asked(1))
        assert np.array_equal(pixels(first), alone[0])
        assert np.array_equal(pixels(second[0]), alone[1])


@pytest.mark.parametrize("pipeline", [KLEIN, QWEN, PIX2PIX, SDXL])
def test_together_they_are_what_each_is_alone(tiny: Tiny, pipeline: str) -> None:
    """Qwen's VAE keeps its convolutions over time on itself, InstructPix2Pix reads words by another name, and SDXL
    casts its VAE while it works."""
    requests = [asked(number, pipeline) for number in range(8)]
    with opened(tiny, pipeline, Tuning(beside=False)) as models:
        alone = [models.edit(pipeline, request).images[0].pixels for request in requests]
    with opened(tiny, pipeline) as models, ThreadPoolExecutor(len(requests)) as threads:
        edits = [threads.submit(models.edit, pipeline, request) for request in requests * 2]
        for number, edit in enumerate(edits):
            assert np.array_equal(pixels(edit), alone[number % len(requests)])


def test_a_vae_does_one_thing_at_a_time(tiny: Tiny) -> None:
    """The next request is read only once the last is being decoded, and waits for its VAE then."""
    with opened(tiny, QWEN) as models, ThreadPoolExecutor(2) as threads:
        alone = [models.edit(QWEN, asked(number)).images[0].pixels for number in (1, 2)]
        vae, second = part(models, "vae", QWEN), list[Future[EditOutput]]()
        at_work, most = 0, 0
        encoding, decoding = threading.Event(), threading.Event()

        def counted(forward: Callable[..., Any], began: threading.Event | None = None) -> Callable[..., Any]:
            def work(*given: Any, **named: Any) -> Any:
                nonlocal at_work, most
                at_work += 1
                most = max(most, at_work)
                try:
                    if began is not None and second and not began.is_set():
                        began.set()
                        assert encoding.wait(PATIENCE)
                    return forward(*given, **named)
                finally:
                    at_work -= 1

            return work

        vae.encoder.forward = counted(vae.encoder.forward)
        vae.decoder.forward = counted(vae.decoder.forward, decoding)
        Tapped(vae, "encode", lambda nth: encoding.set() if nth == 1 else None)
        Tapped(
            part(models, "text_encoder", QWEN),
            "forward",
            lambda nth: assert_waited(decoding) if nth == 2 else None,  # the first reads words and no words
        )
        Tapped(
            part(models, "transformer", QWEN),
            "forward",
            lambda nth: second.append(threads.submit(models.edit, QWEN, asked(2))) if nth == 0 else None,
        )
        first = threads.submit(models.edit, QWEN, asked(1))
        assert np.array_equal(pixels(first), alone[0])
        assert np.array_equal(pixels(second[0]), alone[1])
        assert most == 1


def assert_waited(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


def test_one_that_is_cancelled_while_it_waits_to_step_never_does(tiny: Tiny) -> None:
    cancelled = threading.Event()
    with opened(tiny, KLEIN) as models, ThreadPoolExecutor(2) as threads:
        read = Tapped(part(models, "text_encoder"), "forward", nothing)
        second = list[Future[EditOutput]]()

        def cancel_the_next(nth: int) -> None:
            if nth == 0:
                second.append(threads.submit(models.edit, KLEIN, asked(2), cancelled=cancelled.is_set))
                assert read.began[1].wait(PATIENCE)
                cancelled.set()

        stepped = Tapped(part(models, "transformer"), "forward", cancel_the_next)
        pixels(threads.submit(models.edit, KLEIN, asked(1)))
        with pytest.raises(JobCancelled):
            second[0].result(PATIENCE)
        pixels(threads.submit(models.edit, KLEIN, asked(3)))
        assert stepped.calls == 4  # of the first and the third


def test_no_room_beside_another_is_no_reason_for_tiles(tiny: Tiny) -> None:
    torch = pytest.importorskip("torch")
    with opened(tiny, KLEIN) as models, ThreadPoolExecutor(2) as threads:
        alone = [models.edit(KLEIN, asked(number)).images[0].pixels for number in (1, 2)]
        failed, second = threading.Event(), list[Future[EditOutput]]()
        tiles = Tapped(part(models, "vae"), "enable_tiling", nothing)

        def full(nth: int) -> None:
            if nth == 0:
                second.append(threads.submit(models.edit, KLEIN, asked(2)))
            if nth == 2:
                failed.set()
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

        Tapped(part(models, "transformer"), "forward", full)
        Tapped(part(models, "vae"), "decode", lambda nth: assert_waited(failed) if nth == 0 else None)
        first = threads.submit(models.edit, KLEIN, asked(1))
        assert np.array_equal(pixels(first), alone[0])
        assert np.array_equal(pixels(second[0]), alone[1])
        assert tiles.calls == 0


def test_words_are_read_once(tiny: Tiny) -> None:
    """Also by a pipeline that reads them under another name; as many as are kept, the oldest go."""
    for pipeline, each in ((KLEIN, 1), (PIX2PIX, 2)):  # words, and no words
        with opened(tiny, pipeline) as models:
            read = Tapped(part(models, "text_encoder", pipeline), "forward", nothing)
            for number in (1, 1, 2, 1):
                models.edit(pipeline, asked(number, pipeline))
            assert read.calls == 2 * each
            for number in range(3, 11):
                models.edit(pipeline, asked(number, pipeline))
            models.edit(pipeline, asked(1, pipeline))
            assert read.calls == 11 * each
            assert len(models._lines[pipeline].pipeline._readings._kept) == 8
