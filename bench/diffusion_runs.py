"""What `bench.diffusion` times: a pipeline of diffusers as it is and as ours, edits alone, in line, beside each other.

A step is the difference between a call of twice the steps and one of the steps, over the steps: reading the prompt,
the VAE and the transfers cancel out. Images a second are those of edits that stand in line, one after the other for
plain diffusers; every edit has words of its own, so that none was read before."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.diffusion_models import Subject
from bench.diffusion_table import Figures, Together
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion import memory
from tollbrush.engines.diffusion.batches import Line
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.diffusion.requests import Asking, never
from tollbrush.engines.interface import EditInput, Progress, unheard
from tollbrush.errors import JobCancelled
from tollbrush.imaging.codec import Pixels

_PROMPT: Final = "make it a winter evening, with snow on the roofs and light in window {:04}"
SEED: Final = 7
_seeds: Final = itertools.count(1000)


def built(subject: Subject, device: str) -> Any:
    import diffusers
    import torch

    from tollbrush.engines.diffusion import loading

    diffusers.utils.logging.set_verbosity_error()
    before = torch.get_default_dtype()
    torch.manual_seed(SEED)
    torch.set_default_dtype(loading.dtype(subject.row, device))
    try:
        with torch.device(device):
            pipe = subject.build()
    finally:
        torch.set_default_dtype(before)
    pipe.to(device)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def from_disk(subject: Subject, device: str, folder: Path) -> float:
    """Seconds from a start, as the worker does it, to the first edit's end: with the weights read from a folder."""
    place = folder / subject.row.name
    built(subject, device).save_pretrained(place)
    memory.release(device)
    row = replace(subject.row, source=str(place.absolute()), steps=subject.steps)
    models, start = Models([row], device), time.perf_counter()
    models.edit(row.name, _request(subject, SEED))
    seconds = time.perf_counter() - start
    models.close()
    return seconds


def plain(subject: Subject, pipe: Any, device: str, edits: int) -> Figures:
    def make(steps: int) -> Callable[[], object]:
        return lambda: call(subject, pipe, steps, next(_seeds))

    step, one, peak = _measured(make, subject.steps, device, edits)
    return Figures(subject.row.name, "plain diffusers", step, 1 / one, peak)


def call(subject: Subject, pipe: Any, steps: int, seed: int) -> Pixels:
    """As its documentation calls it."""
    import torch
    from PIL import Image

    adapter, size = subject.adapter, subject.size
    named: dict[str, Any] = {"negative_prompt": " ", adapter.guidance: adapter.guided} if adapter.cfg else {}
    made = pipe(
        image=Image.fromarray(_picture(size)),
        prompt=_PROMPT.format(seed),
        width=size.width,
        height=size.height,
        num_inference_steps=steps,
        generator=torch.Generator("cpu").manual_seed(seed),
        **named,
    )
    return np.asarray(made.images[0])


def lined_up(
    subject: Subject, pipeline: Any, line: Line, device: str, edits: int, wanted: Pixels, since: float
) -> Figures:
    """Steps are timed one edit at a time, images a second while edits stand in line."""
    from tollbrush.engines.diffusion.warm_up import warm_up

    batch = pipeline.row.batch
    warm_up(pipeline, line, lambda _fraction: None)
    pipeline.row = replace(pipeline.row, steps=subject.steps)
    first = _edit(subject, pipeline, line, n=batch)
    start = time.perf_counter() - since

    def make(steps: int) -> Callable[[], object]:
        def called() -> object:
            pipeline.row = replace(pipeline.row, steps=steps)
            return _edit(subject, pipeline, line, n=batch, seed=next(_seeds))

        return called

    step, _, _ = _measured(make, subject.steps, device, max(1, edits // batch))
    pipeline.row = replace(pipeline.row, steps=subject.steps)
    requests = [_request(subject, next(_seeds), batch) for _ in range(max(2, edits // batch))]
    seconds, peak = _at_its_peak(lambda: _edits(subject, pipeline, line, requests), device)
    fp8 = "fp8" in pipeline.speedups
    return Figures(
        model=subject.row.name,
        how=", ".join((f"ours, {batch} at once" if batch > 1 else "ours", *pipeline.speedups)),
        step=step / batch,
        rate=len(requests) * batch / seconds,
        peak=peak,
        start=start,
        apart=int(np.abs(first.astype(int) - wanted).max()),
        equal=not fp8,
    )


def together(subject: Subject, pipeline: Any, line: Line, edits: int) -> Together:
    """Each thread's edits beside the other's, against the same alone; then a cancel at the first step."""
    alone = [_edit(subject, pipeline, line, seed=seed) for seed in range(2 * edits)]
    beside: dict[int, Pixels] = {}

    def work(first: int) -> None:
        for seed in range(first, 2 * edits, 2):
            beside[seed] = _edit(subject, pipeline, line, seed=seed)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal = sum(np.array_equal(beside[seed], alone[seed]) for seed in range(2 * edits))
    return Together(subject.row.name, equal, 2 * edits, _cancelled(subject, pipeline, line))


def _cancelled(subject: Subject, pipeline: Any, line: Line) -> float:
    """Seconds from a cancel at the first step until the caller is told, and the pipeline is free."""
    when: list[float] = []

    def told(_progress: Progress) -> None:
        when.append(time.perf_counter())

    asking = Asking(pipeline.row, subject.adapter, _request(subject, 1), told, lambda: bool(when))
    line.join(asking.images)
    try:
        asking.result()
    except JobCancelled:
        wait([image.made for image in asking.images])
        return time.perf_counter() - when[0]
    raise AssertionError("a cancelled edit came to its end")


def _measured(
    make: Callable[[int], Callable[[], object]], steps: int, device: str, edits: int
) -> tuple[float, float, float | None]:
    """ms a step, seconds a call, and peak GiB of `make(steps)`, a call of so many steps."""
    once, twice = make(steps), make(2 * steps)
    once(), twice()
    times: list[tuple[float, float]] = []
    _, peak = _at_its_peak(lambda: times.extend((_seconds(once), _seconds(twice)) for _ in range(edits)), device)
    one, two = (statistics.median(column) for column in zip(*times, strict=True))
    return (two - one) * 1000 / steps, one, peak


def _at_its_peak(call: Callable[[], object], device: str) -> tuple[float, float | None]:
    """Seconds, and the GiB of the GPU's memory that were in use at most."""
    import torch

    if not device.startswith("cuda"):
        return _seconds(call), None
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    return _seconds(call), torch.cuda.max_memory_allocated() / 2**30


def _seconds(call: Callable[[], object]) -> float:
    """Calls end with pixels in main memory, so nothing is left to wait for."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _request(subject: Subject, seed: int, n: int = 1) -> EditInput:
    return EditInput((_picture(subject.size),), _PROMPT.format(seed), subject.size, n=n, seed=seed)


def _edit(subject: Subject, pipeline: Any, line: Line, *, n: int = 1, seed: int = SEED) -> Pixels:
    return _edits(subject, pipeline, line, [_request(subject, seed, n)])[0]


def _edits(subject: Subject, pipeline: Any, line: Line, requests: Sequence[EditInput]) -> list[Pixels]:
    """The first image of each; they stand in line together."""
    asked = [Asking(pipeline.row, subject.adapter, request, unheard, never) for request in requests]
    for asking in asked:
        line.join(asking.images)
    return [asking.result().images[0].pixels for asking in asked]


def _picture(size: Size) -> Pixels:
    return np.random.default_rng(0).integers(0, 255, (size.height, size.width, 3), dtype=np.uint8)
