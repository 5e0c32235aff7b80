"""The gateway's side of a worker that does not start, hangs or is left behind."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import select
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from support.servers import TESTS
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.messages import Setup
from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.diffusion.worker import Worker, _Waiting
from tollbrush.engines.interface import EditInput, EditOutput, Progress, unheard
from tollbrush.errors import Unavailable, WorkerDied

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.skipif(importlib.util.find_spec("diffusers") is None, reason="needs tollbrush[diffusion]"),
]

SIZE = Size(64, 64)
REQUEST = EditInput((np.full((64, 64, 3), 90, np.uint8),), "make it snowy", SIZE, seed=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from support.tiny_pipelines import build

    return build("StableDiffusionInstructPix2PixPipeline", tmp_path_factory.mktemp("model"))


def setup(folder: Path, device: str, steps: int = 2) -> Setup:
    return Setup((DiffusionModel("acme/tiny", str(folder), steps=steps, sizes=(SIZE,)),), device)


async def test_a_device_that_is_not_there_is_told_and_nothing_is_kept_waiting(folder: Path) -> None:
    worker = Worker(setup(folder, "gpu-of-my-dreams"), eager=True, stalled=60)
    worker.start()
    try:
        with pytest.raises(Unavailable, match="acme/tiny cannot be served at the moment"):
            await worker.edit("acme/tiny", REQUEST)
        (words,) = worker.alarms().values()
        assert words.startswith("the diffusion worker on gpu-of-my-dreams does not start.")
    finally:
        await worker.close()


async def test_a_worker_that_says_nothing_at_work_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stopped in mid-edit, as a driver that hangs would stop it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    worker = Worker(setup(folder, "cpu", steps=200), eager=True, stalled=1.0)
    worker.start()
    stepped = asyncio.Event()

    def hear(progress: Progress) -> None:
        stepped.set()

    try:
        asked = EditInput(REQUEST.sources, REQUEST.prompt, SIZE, n=10, seed=1, report=hear)
        editing = asyncio.create_task(worker.edit("acme/tiny", asked))
        await asyncio.wait({editing, asyncio.create_task(stepped.wait())}, return_when=asyncio.FIRST_COMPLETED)
        hung = worker.pid
        assert hung is not None and not editing.done()
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(WorkerDied):
            await editing
        again = await worker.edit("acme/tiny", EditInput(REQUEST.sources, REQUEST.prompt, SIZE, seed=1))
        assert isinstance(again, EditOutput)
        assert worker.pid != hung
    finally:
        await worker.close()


@pytest.mark.skipif(os.environ.get("TOLLBRUSH_E2E") != "long", reason="TOLLBRUSH_E2E=long runs it")
@pytest.mark.parametrize("kernel", ["segfault", "hang"])
async def test_a_worker_that_a_kernel_kills_while_it_warms_up_comes_back_plainer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kernel: str
) -> None:
    """By a real signal, or never to be heard of again. tests/e2e/test_ray_warm_up.py has the same of replicas."""
    from support.tiny_pipelines import build

    (tmp_path / "kernel").write_text(kernel)
    monkeypatch.setenv("FATAL_KERNEL", str(tmp_path / "kernel"))
    monkeypatch.setenv("PYTHONPATH", str(TESTS / "support/fatal_kernel"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    tuning = Tuning(warm_up_seconds=5.0)
    given = replace(setup(build("Flux2KleinPipeline", tmp_path / "model"), "cpu"), tuning=tuning)
    worker = Worker(given, eager=False, stalled=60)
    worker.start()
    try:
        with pytest.raises(WorkerDied):
            await worker.edit("acme/tiny", REQUEST)
        assert isinstance(await worker.edit("acme/tiny", REQUEST), EditOutput)
        assert worker._setup.tuning == tuning.plainer()
        assert worker.alarms() == {"acme/tiny": "acme/tiny is slower than it was to be. The log says why."}
    finally:
        await worker.close()


async def test_models_that_do_not_fit_together_take_turns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.tiny_pipelines import weight

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one, two = rows = [DiffusionModel(f"acme/{name}", str(folder), steps=2, sizes=(SIZE,)) for name in ("one", "two")]
    worker = Worker(Setup(tuple(rows), "cpu", Tuning(weights=int(1.5 * weight(folder)))), eager=True, stalled=60)
    worker.start()
    try:
        pixels = []
        for name, other in ((one.name, two.name), (two.name, one.name), (one.name, two.name)):
            output = await worker.edit(name, REQUEST)
            pixels.append(output.images[0].pixels)
            assert (worker.loaded(name), worker.loaded(other)) == (True, False)
        assert np.array_equal(pixels[0], pixels[1]) and np.array_equal(pixels[0], pixels[2])
        assert not worker.alarms()
    finally:
        await worker.close()


def test_a_worker_that_takes_anothers_place_runs_the_same_files() -> None:
    rows = tuple(DiffusionModel(f"acme/{name}", f"acme/{name}", revision="main") for name in ("one", "two"))
    before = Setup(rows, "cpu")
    after = before.pinned("acme/two", "c0ffee")
    assert [row.revision for row in after.rows] == ["main", "c0ffee"]
    assert after.pinned("acme/one", None) == after


def test_who_gets_an_edit_has_the_model_or_little_to_do() -> None:
    """Two devices: each keeps its models, another goes where fewer are, and a long line is worth a load."""
    first, second = (Worker(Setup((), "cpu"), eager=False, stalled=60) for _ in range(2))

    def chosen(name: str) -> Worker:
        return min((first, second), key=lambda worker: worker.burden(name))

    first._models.ready, second._models.ready = {"acme/one", "acme/two"}, {"acme/three"}
    assert [chosen(f"acme/{name}") for name in ("one", "two", "three", "four")] == [first, first, second, second]
    waiting = _Waiting(cast("asyncio.Future[EditOutput]", None), unheard)
    first._edits = dict.fromkeys(range(3), waiting)
    assert chosen("acme/one") is first
    first._edits = dict.fromkeys(range(5), waiting)
    assert chosen("acme/one") is second


def test_a_worker_ends_with_its_gateway_however_that_died() -> None:
    command = [sys.executable, "-c", _PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        watched = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        ready, _, _ = select.select([watched], [], [], 60)
        os.close(watched)
    assert ready


_PARENT = """
import asyncio
from tollbrush.engines.diffusion.messages import Setup
from tollbrush.engines.pipes import Child

async def main():
    child = await Child.spawn("tollbrush.engines.diffusion.worker_process", what="worker")
    await child.say(Setup((), "cpu"))
    await child.ready(120)
    print(child.pid, flush=True)
    await child.hear()

asyncio.run(main())
"""
