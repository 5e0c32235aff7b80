"""What makes a model fast may fail; then it is made in a plainer way, with the same pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.geared import KLEIN, NATIVE, OTHER, edit, shift
from tollbrush.engines.diffusion.gears import Gear
from tollbrush.engines.diffusion.models import Models
from tollbrush.errors import EngineFailed

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported

CUDNN = Gear("_native_cudnn")
"""Fails on every CPU."""


def test_an_attention_backend_that_fails_while_warming_up(models: Models) -> None:
    plain = edit(models)
    gears, told = shift(models, [CUDNN, NATIVE], rehearsed=True)
    assert gears.best == NATIVE
    assert models.speedups(KLEIN) == ("attention native",)
    [words] = told
    assert words.startswith(
        "attention _native_cudnn failed (NotImplementedError: Could not run 'aten::_scaled_dot_product_cudnn_attention'"
    )
    assert words.endswith("; it runs with attention native instead.")
    assert np.array_equal(edit(models), plain)
    assert len(told) == 1


def test_one_that_is_not_installed(models: Models) -> None:
    gears, told = shift(models, [Gear("xformers"), NATIVE], rehearsed=True)
    assert gears.best == NATIVE
    assert "Xformers Attention backend 'xformers' is not usable because of missing package" in told[0]


def test_one_that_fails_at_the_first_edit_of_a_new_shape(models: Models) -> None:
    """Shapes that were warmed up stay as fast as they were."""
    plain = edit(models, OTHER)
    gears, told = shift(models, [Gear("_native_flash"), NATIVE], rehearsed=False)
    gears.warming = True
    edit(models)
    gears.settle()
    network, used, alone = models._lines[KLEIN].pipeline.any.transformer, list[str](), list[bool]()
    forward = network.forward

    def picky(*given: Any, **named: Any) -> Any:
        used.append(next(part.processor for part in network.modules() if hasattr(part, "processor"))._attention_backend)
        alone.append(all(place.locked() for place in models._stages._places))
        if used[-1] == "_native_flash" and named["img_ids"].shape[1] > 32:
            raise RuntimeError("cuDNN Frontend error: [cudnn_frontend] Error: No execution plans support the graph.")
        return forward(*given, **named)

    network.forward = picky
    assert np.array_equal(edit(models, OTHER), plain)
    edit(models)
    edit(models, OTHER)
    assert used == ["_native_flash", "native", "_native_flash", "native"]
    assert alone == [False, True, False, False]  # what is made again reads again, when others may
    [words] = told
    assert words.startswith(
        "attention _native_flash failed (RuntimeError: cuDNN Frontend error: [cudnn_frontend] Error:"
    )
    assert words.endswith("support the graph.); it runs with attention native instead.")


@pytest.mark.parametrize("rehearsed", [True, False])
def test_one_whose_numbers_overflow(models: Models, rehearsed: bool) -> None:
    """cuDNN has answered so, without an error."""
    plain = edit(models)
    network, used = models._lines[KLEIN].pipeline.any.transformer, list[str]()
    forward = network.forward

    def overflowing(*given: Any, **named: Any) -> Any:
        used.append(next(part.processor for part in network.modules() if hasattr(part, "processor"))._attention_backend)
        numbers, *rest = forward(*given, **named)
        return numbers * (float("nan") if used[-1] == "_native_flash" else 1.0), *rest

    network.forward = overflowing
    _, told = shift(models, [Gear("_native_flash"), NATIVE], rehearsed=rehearsed)
    assert np.array_equal(edit(models), plain)
    assert used[:2] == ["_native_flash", "native"] and used[-1] == "native"
    [words] = told
    assert words == (
        "attention _native_flash failed (EngineFailed: Flux2KleinPipeline made no picture: its numbers overflowed.); "
        "it runs with attention native instead."
    )


def test_a_request_whose_numbers_overflow_in_every_gear(models: Models) -> None:
    gears, told = shift(models, [Gear("_native_flash"), NATIVE], rehearsed=True)
    network = models._lines[KLEIN].pipeline.any.transformer
    forward = network.forward
    network.forward = lambda *given, **named: (forward(*given, **named)[0] * float("nan"),)
    with pytest.raises(EngineFailed, match=r"^Flux2KleinPipeline made no picture: its numbers overflowed\.$") as failed:
        edit(models)
    assert failed.value.__cause__ is None
    assert (gears.best, told) == (Gear("_native_flash"), [])


def test_a_request_that_fails_in_every_gear_shifts_nothing(models: Models) -> None:
    gears, told = shift(models, [Gear("_native_flash"), NATIVE], rehearsed=True)
    network = models._lines[KLEIN].pipeline.any.transformer
    forward, failed = network.forward, list[int]()

    def broken(*given: Any, **named: Any) -> Any:
        failed.append(1)
        raise ValueError("nobody expects this\nsecond line")

    network.forward = broken
    with pytest.raises(EngineFailed, match=r"^Flux2KleinPipeline failed: ValueError: nobody expects this\.$"):
        edit(models)
    assert len(failed) == 2
    network.forward = forward
    edit(models)
    assert (gears.best, told) == (Gear("_native_flash"), [])


def test_a_gear_that_another_call_has_left_meanwhile_is_not_tried(models: Models) -> None:
    """It waits to be alone, and looks again."""
    from tollbrush.engines.diffusion.stages import Turn

    edit(models)
    pipeline = models._lines[KLEIN].pipeline
    gears, _ = shift(models, [Gear("_native_flash"), Gear("_native_math"), NATIVE], rehearsed=False)
    network, used = pipeline.any.transformer, list[str]()
    forward, alone, shapes = network.forward, Turn.alone, list[Any]()
    of = gears.of

    def seen(shape: Any) -> tuple[Gear, ...]:
        shapes.append(shape)
        return of(shape)

    def failing(*given: Any, **named: Any) -> Any:
        used.append(next(part.processor for part in network.modules() if hasattr(part, "processor"))._attention_backend)
        if used[-1] != "native":
            raise RuntimeError("No kernel.")
        return forward(*given, **named)

    def waited(turn: Turn) -> None:
        alone(turn)
        gears.serves(shapes[0], NATIVE, "no kernel")

    network.forward = failing
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gears, "of", seen)
        patch.setattr(Turn, "alone", waited)
        edit(models)
    assert used == ["_native_flash", "native"]
