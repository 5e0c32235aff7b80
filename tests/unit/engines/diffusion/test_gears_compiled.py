"""Warm-ups, the compiler, and what goes into float8."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.geared import KLEIN, NATIVE, OTHER, SMALL, edit, only_capture, shift
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.gears import Gear
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.errors import BadSettings

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported


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
