"""A device without room: tiles, then fewer at once, then a 503; and the pipeline goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.interface import EditInput, Progress
from tollbrush.errors import BadSettings, EngineFailed, NoRoom, Unavailable

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported

KLEIN = "Flux2KleinPipeline"


@pytest.fixture
def models(tiny: Callable[[str], Path]) -> Iterator[Models]:
    models = Models([DiffusionModel(KLEIN, str(tiny(KLEIN)), steps=2, batch=4)], "cpu")
    models.load(KLEIN, lambda _word, _fraction: None)
    yield models
    models.close()


@pytest.fixture
def vae(models: Models) -> Any:
    return models._lines[KLEIN].pipeline.any.vae


def request(n: int = 1) -> EditInput:
    return EditInput((np.full((64, 64, 3), 90, np.uint8),), "make it snowy", Size(64, 64), n=n, seed=3)


class Full:
    """A part of the pipeline for which there is room only under a condition."""

    def __init__(self, part: Any, method: str, fits: Callable[..., bool], error: Exception) -> None:
        self._real, self._fits, self._error = getattr(part, method), fits, error
        self.refused = 0
        setattr(part, method, self)

    def __call__(self, *given: Any, **named: Any) -> Any:
        if self._fits(*given):
            return self._real(*given, **named)
        self.refused += 1
        raise self._error


def out_of_memory() -> list[Exception]:
    torch = pytest.importorskip("torch")
    return [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        MemoryError(),
    ]


@pytest.mark.parametrize("which", range(4))
def test_tiles_first(models: Models, vae: Any, which: int) -> None:
    [alone] = models.edit(KLEIN, request()).images
    full = Full(vae, "decode", lambda *_given: vae.use_tiling, out_of_memory()[which])
    [image] = models.edit(KLEIN, request()).images
    assert full.refused == 1
    assert np.array_equal(image.pixels, alone.pixels)  # so small a picture is one tile
    models.edit(KLEIN, request())
    assert full.refused == 1  # it has learnt


def test_tiles_are_smaller_than_the_picture(models: Models, vae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tollbrush.engines.diffusion.memory.TILE", 32)
    asked: list[int] = []
    real = vae.decoder.forward

    def decoder(latents: Any, *more: Any, **named: Any) -> Any:
        asked.append(max(latents.shape[-2:]))
        if asked[-1] > 4:
            raise out_of_memory()[0]
        return real(latents, *more, **named)

    vae.decoder.forward = decoder
    [image] = models.edit(KLEIN, request()).images
    assert image.pixels.shape == (64, 64, 3)
    assert asked[0] == 8
    assert set(asked[1:]) <= {2, 3, 4}


def test_then_fewer_at_once(models: Models, vae: Any) -> None:
    full = Full(vae, "decode", lambda latents, *_more: len(latents) == 1, out_of_memory()[0])
    told: list[Progress] = []
    images = models.edit(KLEIN, request(n=3), report=told.append).images
    assert full.refused == 3  # three without tiles, three in tiles, then one and two
    assert len({image.pixels.tobytes() for image in images}) == 3
    fractions = [progress.fraction or 0.0 for progress in told]
    assert fractions == sorted(fractions)


def test_then_a_clear_no_and_the_next_edit_is_made(models: Models, vae: Any) -> None:
    room = False
    Full(vae, "decode", lambda *_given: room, out_of_memory()[0])
    with pytest.raises(Unavailable, match="no room for a 64x64 of Flux2KleinPipeline") as refused:
        models.edit(KLEIN, request(n=2))
    assert refused.value.retry_after > 0
    room = True
    assert len(models.edit(KLEIN, request()).images) == 1


def test_a_shape_for_which_a_warm_up_finds_no_room_is_the_operators_to_mend(models: Models, vae: Any) -> None:
    from tollbrush.engines.diffusion.warm_up import rehearse

    loaded = models._lines[KLEIN]
    row = loaded.pipeline.row = replace(loaded.pipeline.row, sizes=(Size(64, 64), Size(96, 96)))
    Full(vae, "decode", lambda latents, *_more: latents.shape[-1] < 12, out_of_memory()[0])
    with pytest.raises(BadSettings, match="would leave no room to make a 96x96 of it, not even in tiles") as refused:
        rehearse(loaded.pipeline, loaded.line, lambda _fraction: None)
    assert not isinstance(refused.value, NoRoom)
    assert "sell smaller sizes" in refused.value.sentence()
    assert loaded.pipeline.row is row
    assert not loaded.pipeline.gears.warming


def test_a_step_without_room(models: Models) -> None:
    transformer = models._lines[KLEIN].pipeline.any.transformer
    Full(transformer, "forward", lambda *_given: False, out_of_memory()[0])
    with pytest.raises(Unavailable):
        models.edit(KLEIN, request())


def test_a_preview_without_room_is_left_out(models: Models, vae: Any) -> None:
    full = Full(vae, "decode", lambda latents, *_more: full.refused > 0, out_of_memory()[0])
    told: list[Progress] = []
    wanted = EditInput(request().sources, "make it snowy", Size(64, 64), previews=1)
    models.edit(KLEIN, wanted, report=told.append)
    assert full.refused == 1
    assert [progress.preview for progress in told if progress.preview is not None] == []


def test_another_failure_is_told_once_and_is_no_ones_end(models: Models, vae: Any) -> None:
    good = False
    Full(vae, "decode", lambda *_given: good, ValueError("nobody expects this\nsecond line"))
    with pytest.raises(EngineFailed, match=r"failed: ValueError: nobody expects this\.$"):
        models.edit(KLEIN, request())
    good = True
    models.edit(KLEIN, request())


def test_numbers_that_overflow_are_no_picture(models: Models, vae: Any) -> None:
    real = vae.decode

    def overflown(*given: Any, **named: Any) -> Any:
        return tuple(part * float("nan") for part in real(*given, **named))

    vae.decode = overflown
    with pytest.raises(EngineFailed, match="its numbers overflowed"):
        models.edit(KLEIN, request())
