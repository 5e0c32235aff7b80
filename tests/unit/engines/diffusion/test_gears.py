"""What makes a model fast may fail; then it is made in a plainer way, with the same pixels."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.gears import Gear, Gears, attentions, reason
from tollbrush.engines.diffusion.messages import WARMING, Loading, Setup, Slower
from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.diffusion.worker import Worker
from tollbrush.engines.interface import EditInput
from tollbrush.engines.pipes import Child
from tollbrush.errors import BadSettings, EngineFailed
from tollbrush.imaging.codec import Pixels

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported

KLEIN = "Flux2KleinPipeline"
SMALL, OTHER = Size(64, 64), Size(96, 64)
NATIVE = Gear("native")
CUDNN = Gear("_native_cudnn")
"""Fails on every CPU."""


@pytest.fixture
def models(tiny: Callable[[str], Path]) -> Iterator[Models]:
    models = Models([DiffusionModel(KLEIN, str(tiny(KLEIN)), steps=1, sizes=(SMALL, OTHER))], "cpu")
    models.load(KLEIN, lambda _word, _fraction: None)
    yield models
    models.close()


def shift(models: Models, gears: Sequence[Gear], *, rehearsed: bool) -> tuple[Gears, list[str]]:
    """The loaded model with these gears, and what it tells of them."""
    from tollbrush.engines.diffusion import speed, warm_up

    loaded, told = models._lines[KLEIN], list[str]()
    chosen = Gears(speed.denoiser(loaded.pipeline.any), gears, "cpu")
    chosen.told = told.append
    loaded.pipeline.gears = chosen
    if rehearsed:
        warm_up.rehearse(loaded.pipeline, loaded.line, lambda _fraction: None)
    return chosen, told


def only_capture(models: Models) -> list[str]:
    """Blocks are captured as for any compiler, and run as they are; gives the thread of each run."""
    network, ran = models._lines[KLEIN].pipeline.any.transformer, list[str]()

    def backend(captured: Callable[..., Any], _inputs: object) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            ran.append(threading.current_thread().name)
            return captured(*given)

        return run

    network.compile_repeated_blocks = functools.partial(network.compile_repeated_blocks, backend=backend)
    return ran


def edit(models: Models, size: Size = SMALL) -> Pixels:
    grey = np.full((size.height, size.width, 3), 90, np.uint8)
    [image] = models.edit(KLEIN, EditInput((grey,), "make it snowy", size, seed=3)).images
    return image.pixels


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


def four() -> tuple[Gears, list[Gear], list[str]]:
    """Two attentions, compiled and eagerly, and what is told of them."""
    ways = [Gear(backend, compiled) for compiled in (True, False) for backend in ("_native_cudnn", "native")]
    gears, told = Gears(object(), ways, "cpu"), list[str]()
    gears.told = told.append
    return gears, ways, told


def test_after_the_warm_up_no_gear_is_taken_that_was_never_compiled() -> None:
    gears, ways, told = four()
    gears.warming = True
    assert gears.of("warm") == tuple(ways)
    gears.serves("warm", ways[1], "no plan")
    gears.serves("other", ways[2], "no compiler")
    gears.warming = False
    assert gears.of("warm") == tuple(ways[1:])
    assert gears.of("new") == tuple(ways[2:])
    gears.serves("warm", ways[3], "no plan")
    assert (gears.of("warm"), gears.of("other")) == ((ways[3],), tuple(ways[2:]))
    assert told[-1] == "attention native, compiled blocks failed (no plan); it runs with attention native instead."
    fresh, ways, _ = four()
    assert (fresh.of("new"), fresh.best) == (tuple(ways[2:]), ways[2])


def test_a_failure_after_the_warm_up_is_the_shapes_own_until_several_have_failed() -> None:
    gears, ways, told = four()
    gears.warming = True
    gears.serves("warm", ways[0], "")
    gears.warming = False
    cold = (ways[0], *ways[2:])
    for number, shape in enumerate(("one", "two", "three")):
        assert (gears.of(shape), len(told)) == (cold, number)
        gears.serves(shape, ways[2], "no plan")
        assert gears.of(shape) == tuple(ways[2:])
    assert (gears.of("four"), gears.of("warm"), gears.best) == (tuple(ways[2:]), cold, ways[0])


@pytest.mark.parametrize("warm", [True, False])
def test_calls_beside_each_other_never_shift_back_and_tell_once(warm: bool) -> None:
    gears, ways, told = four()
    gears.warming = warm
    gears.serves("one", ways[2], "no plan")
    gears.warming = False
    told.clear()
    gears.serves("one", ways[3], "no kernel")
    for late, why in ((ways[3], "no kernel"), (ways[2], "no plan"), (ways[0], "")):
        gears.serves("one", late, why)
        assert gears.of("one") == (ways[3],)
    assert told == ["attention _native_cudnn failed (no kernel); it runs with attention native instead."]


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


def test_what_was_warmed_up_runs_compiled_and_nothing_is_compiled_later(models: Models) -> None:
    """In each of the line's two threads, whichever it was that compiled."""
    import torch._dynamo
    from torch._dynamo.utils import counters

    sizes = (SMALL, OTHER, Size(64, 128))
    plain = [edit(models, size) for size in sizes]
    ran = only_capture(models)
    try:
        counters.clear()
        gears, told = shift(models, [Gear("native", True), NATIVE], rehearsed=True)
        captured = counters["stats"]["unique_graphs"]
        assert captured >= 4  # two kinds of blocks, each for its first shape and for others
        assert models.speedups(KLEIN) == ("attention native", "compiled blocks")
        ran.clear()
        with ThreadPoolExecutor(4) as threads:
            after = list(threads.map(functools.partial(edit, models), sizes * 3))
        assert all(np.array_equal(one, before) for one, before in zip(after, plain * 3, strict=True))
        assert len(ran) == 2 * 9  # a step has two blocks, and the code for other shapes fits the new one, too
        assert (counters["stats"]["unique_graphs"], told, gears.best.compiled) == (captured, [], True)
        gears.settle()
        network = models._lines[KLEIN].pipeline.any.transformer
        assert any(part._compiled_call_impl is not None for part in network.modules())
    finally:
        torch._dynamo.reset()


def test_a_warm_up_takes_few_steps_and_leaves_the_row_as_it_was(models: Models) -> None:
    pipeline = models._lines[KLEIN].pipeline
    network, calls = pipeline.any.transformer, list[int]()
    forward = network.forward

    def counted(*given: Any, **named: Any) -> Any:
        calls.append(1)
        return forward(*given, **named)

    network.forward = counted
    for row, steps in ((replace(pipeline.row, steps=40), 2), (replace(pipeline.row, steps=1), 1)):
        pipeline.row = row
        calls.clear()
        shift(models, [NATIVE], rehearsed=True)
        assert len(calls) == 4 * steps  # two sizes, with and without a mask
        assert pipeline.row is row


def test_a_warm_up_of_a_little_changed_source_takes_a_step_at_least(tiny: Callable[[str], Path]) -> None:
    from tollbrush.engines.diffusion import warm_up

    name = "ZImagePipeline"
    models = Models([DiffusionModel(name, str(tiny(name)), steps=40, strength=0.15, sizes=(SMALL, OTHER))], "cpu")
    models.load(name, lambda _word, _fraction: None)
    told = list[float]()
    try:
        warm_up.rehearse(models._lines[name].pipeline, models._lines[name].line, told.append)
    finally:
        models.close()
    assert told == [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("name", [KLEIN, "ZImagePipeline", "StableDiffusionInpaintPipeline"])
def test_what_goes_into_float8_is_within_the_repeated_blocks(tiny: Callable[[str], Path], name: str) -> None:
    """Z-Image calls them layers."""
    from tollbrush.engines.diffusion import speed

    models = Models([DiffusionModel(name, str(tiny(name)))], "cpu")
    models.load(name, lambda _word, _fraction: None)
    network = speed.denoiser(models._lines[name].pipeline.any)
    models.close()
    layers = {path for path, part in network.named_modules() if part in speed.rounded(network, least=1)}
    assert len(layers) > 5
    assert all("block" in path or path.startswith(("layers.", "noise_refiner.", "context_refiner.")) for path in layers)
    assert speed.rounded(network) == set()  # too small to gain by it
    with pytest.raises(BadSettings, match="weights in float32 cannot be rounded to it"):
        speed._to_float8(network, (9, 0))


def test_the_compiler_is_told_its_limit_in_the_thread_that_compiles(models: Models) -> None:
    """Its settings are each thread's own."""
    import torch._dynamo

    only_capture(models)
    gears, _ = shift(models, [Gear("native", True), NATIVE], rehearsed=False)
    limits: list[int] = []

    def look() -> None:
        with gears.engaged(Gear("native", True)):
            limits.append(torch._dynamo.config.recompile_limit)
        limits.append(torch._dynamo.config.recompile_limit)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert limits[0] == 64 > limits[1]


_UNCOMPILED = """
import json, sys
import numpy as np
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion import speed, warm_up
from tollbrush.engines.diffusion.gears import Gear, Gears
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.interface import EditInput

size = Size(64, 64)
models = Models([DiffusionModel("tiny", sys.argv[1], steps=1, sizes=(size, Size(96, 64)))], "cpu", offline=True)
grey = EditInput((np.full((64, 64, 3), 90, np.uint8),), "make it snowy", size, seed=3)
plain = models.edit("tiny", grey).images[0].pixels
loaded, told = models._lines["tiny"], []
network = speed.denoiser(loaded.pipeline.any)
backends = ("_native_cudnn", "native")
gears = Gears(network, [Gear(each, compiled) for compiled in (True, False) for each in backends], "cpu")
gears.told, loaded.pipeline.gears = told.append, gears
warm_up.rehearse(loaded.pipeline, loaded.line, lambda _fraction: None)
same = bool(np.array_equal(models.edit("tiny", grey).images[0].pixels, plain))
half = sum(part._compiled_call_impl is not None for part in network.modules())
print(json.dumps([same, half, models.speedups("tiny"), told]))
models.close()
"""


def test_a_compiler_that_is_not_there(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Nor is the best attention: what is left is torch's own, and no block is half compiled."""
    environment = {
        **os.environ,
        "CXX": "/nowhere/c++",
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-W", "ignore", "-c", _UNCOMPILED, str(tiny(KLEIN))]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    same, half, speedups, told = json.loads(ran.stdout)
    assert (same, half, speedups) == (True, 0, ["attention native"])
    assert len(told) == 1
    assert told[0].startswith("attention _native_cudnn, compiled blocks failed (InductorError: InvalidCxxCompiler: ")
    assert told[0].endswith("it runs with attention native instead.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("one\nand two", "RuntimeError: one"),
        ("", "RuntimeError: no word"),
        ("a" * 201, f"RuntimeError: {'a' * 200}…"),
        ("expected a float, but got Tensor(1) instead", "RuntimeError: expected a float, but got Tensor(1) instead"),
        (
            "when making fake tensor call\n call(*()): got RuntimeError('No kernel.')\n Hint",
            "RuntimeError('No kernel.')",
        ),
    ],
)
def test_a_reason_is_one_line_and_the_first_one(words: str, said: str) -> None:
    assert reason(RuntimeError(words)) == said


def test_a_backend_that_nobody_knows_is_a_mistake_of_the_settings() -> None:
    pytest.importorskip("diffusers")
    with pytest.raises(BadSettings, match=r"attention is 'flsh'; diffusers knows .*flash.*native") as refused:
        attentions_of("flsh")
    assert "Leave it out" in refused.value.sentence()


def test_who_wants_torchs_own_attention_gets_no_other_and_else_it_is_the_last() -> None:
    """A device that died of another one is told so."""
    pytest.importorskip("diffusers")
    wanted = Tuning().plainer().attention
    assert wanted is not None
    assert (attentions_of(wanted), attentions_of("Native")) == (("native",), ("native",))
    assert attentions_of("SAGE") == ("sage", "_native_cudnn", "native")
    assert attentions_of("_native_cudnn") == ("_native_cudnn", "native")


def attentions_of(wanted: str) -> tuple[str, ...]:
    from tollbrush.engines.diffusion.adapters import ADAPTERS

    return attentions(ADAPTERS["ZImagePipeline"], (9, 0), wanted)


def test_a_device_that_dies_of_it_is_spared_it_step_by_step() -> None:
    first = Tuning().plainer()
    assert first == replace(Tuning(), attention="native")
    second = first.plainer()
    assert second == replace(Tuning(), attention="native", compile=False)
    assert second.plainer() == second


async def test_a_worker_that_died_while_it_warmed_up_is_followed_by_one_that_tries_less() -> None:
    worker = Worker(Setup((), "cpu"), eager=False, stalled=60)
    asked = []
    for doing in ("reading", WARMING, WARMING, WARMING):
        worker._child = await Child.spawn("keyword", what="worker that ends at once")
        worker._take(Loading("acme/one", doing, 0.5))
        with capture_logs() as logs:
            await worker._serve()
        slower = [line["why"] for line in logs if line["event"] == "a model is slower than it was to be"]
        asked.append((worker._setup.tuning, slower))
    spared, died = Tuning().plainer(), "The worker died while it warmed it up; the next one runs with attention native"
    assert asked == [
        (None, []),
        (spared, [f"{died}."]),
        (spared.plainer(), [f"{died}, nothing compiled."]),
        (spared.plainer(), []),
    ]


async def test_one_that_is_closed_while_it_warms_up_has_not_died_of_it() -> None:
    worker = Worker(Setup((), "cpu"), eager=False, stalled=60)
    worker._child = child = await Child.spawn("json.tool", what="worker that listens")
    worker._take(Loading("acme/one", WARMING, 0.5))
    worker._life = asyncio.create_task(worker._serve())
    await asyncio.sleep(0)  # it listens
    with capture_logs() as logs:
        await worker.close()
    await child.ended()
    assert (logs, worker._setup.tuning, worker.pid) == ([], None, None)


async def test_what_is_slower_stands_in_the_gateways_log_with_what_to_do() -> None:
    worker = Worker(Setup((), "cpu"), eager=False, stalled=60)
    with capture_logs() as logs:
        worker._take(Slower("acme/one", "compiled blocks failed (no compiler); it runs with plain diffusers instead."))
    assert [(line["event"], line["model"], line["log_level"]) for line in logs] == [
        ("a model is slower than it was to be", "acme/one", "warning")
    ]
    assert "no compiler" in logs[0]["why"]
    assert "engines.diffusion.attention and compile" in logs[0]["advice"]
