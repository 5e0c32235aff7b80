"""`python -m bench.diffusion [--tiny] [--model NAME] [--edits N]`: plain diffusers, ours, and ours in batches.

On a GPU: random weights at the real configurations of FLUX.2-klein-4B and Qwen-Image-Edit, made in place, nothing is
downloaded. Times do not depend on the numbers in the weights; caches that do depend on them are not used here.
`--tiny`: the same paths on tiny pipelines on the CPU, whose times say nothing about a GPU's.

A step is the difference between a call of twice the steps and one of the steps, over the steps: reading the prompt,
the VAE and the transfers cancel out. Writes `build/bench-diffusion.json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.diffusion_models import Subject, real, tiny
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.batches import Line
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.diffusion.requests import Asking, never
from tollbrush.engines.diffusion.stages import Stages
from tollbrush.engines.interface import EditInput, Progress, unheard
from tollbrush.errors import JobCancelled
from tollbrush.imaging.codec import Pixels

OUT: Final = Path("build/bench-diffusion.json")
_PROMPT: Final = "make it a winter evening, with snow on the roofs and light in the windows"
_SEED: Final = 7


@dataclass(frozen=True)
class Figures:
    """`step` in ms, `rate` in images a second, `peak` in GiB of the GPU's memory, `start` in seconds until the first
    edit after loading can begin, `apart` in levels of 255 from plain diffusers at the same seed."""

    model: str
    how: str
    step: float
    rate: float
    peak: float | None = None
    start: float | None = None
    apart: int | None = None


@dataclass(frozen=True)
class Together:
    """Two threads' edits that were equal to their single-run twins, of how many; seconds from a cancel to its end."""

    model: str
    equal: int
    of: int
    cancelled: float


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.diffusion", description=__doc__.partition("\n")[0])
    asked.add_argument("--tiny", action="store_true", help="tiny pipelines on the CPU")
    asked.add_argument("--model", help="only this one")
    asked.add_argument("--edits", type=int, default=8, help="edits that are timed, and edits of each of two threads")
    found = asked.parse_args()
    import torch

    if not found.tiny and not torch.cuda.is_available():
        sys.exit("bench.diffusion measures a GPU, and torch finds none here. `--tiny` runs its paths on the CPU.")
    subjects = tiny() if found.tiny else real()
    chosen = [subject for subject in subjects if found.model in (None, subject.row.name)]
    if not chosen:
        sys.exit(f"No model {found.model!r}; there are: {', '.join(subject.row.name for subject in subjects)}.")
    figures, together = [], []
    for subject in chosen:
        rows, threads = run(subject, "cpu" if found.tiny else "cuda:0", found.edits)
        figures += rows
        together.append(threads)
    _show(figures, together)
    OUT.parent.mkdir(exist_ok=True)
    machine = "cpu" if found.tiny else torch.cuda.get_device_name()
    results = {"machine": machine, "torch": torch.__version__, "figures": [asdict(row) for row in figures]}
    OUT.write_text(json.dumps({**results, "together": [asdict(row) for row in together]}, indent=2))
    print(f"Written to {OUT}.")


def run(subject: Subject, device: str, edits: int) -> tuple[list[Figures], Together]:
    """Plain, ours and ours batched, on one pipeline; then two threads and a cancel."""
    import torch

    from tollbrush.engines.diffusion import loading

    dtype, before = loading.dtype(subject.row, device), torch.get_default_dtype()
    torch.manual_seed(_SEED)
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            pipe = subject.build()
    finally:
        torch.set_default_dtype(before)
    pipe.to(device)
    pipe.set_progress_bar_config(disable=True)
    figures = [_plain(subject, pipe, device, edits)]
    wanted = _call(subject, pipe, subject.steps)
    start = time.perf_counter()
    pipeline = loading.ready(subject.row, pipe, subject.adapter, device, Tuning())
    for batch in (1, 4):
        pipeline.row = replace(subject.row, batch=batch)
        line = Line(subject.row.name, pipeline.make, batch, Stages(), hands=2)
        figures.append(_ours(subject, pipeline, line, device, edits, wanted, start))
        if batch == 1:
            together = _together(subject, pipeline, line, edits)
        line.close()
        start = time.perf_counter()
    return figures, together


def _plain(subject: Subject, pipe: Any, device: str, edits: int) -> Figures:
    def make(steps: int) -> Callable[[], object]:
        return lambda: _call(subject, pipe, steps)

    step, one, peak = _measured(make, subject.steps, device, edits)
    return Figures(subject.row.name, "plain diffusers", step, 1 / one, peak)


def _call(subject: Subject, pipe: Any, steps: int) -> Pixels:
    """As its documentation calls it."""
    import torch
    from PIL import Image

    adapter, size = subject.adapter, subject.size
    named: dict[str, Any] = {"negative_prompt": " ", adapter.guidance: adapter.guided} if adapter.cfg else {}
    made = pipe(
        image=Image.fromarray(_picture(size)),
        prompt=_PROMPT,
        width=size.width,
        height=size.height,
        num_inference_steps=steps,
        generator=torch.Generator("cpu").manual_seed(_SEED),
        **named,
    )
    return np.asarray(made.images[0])


def _ours(
    subject: Subject, pipeline: Any, line: Line, device: str, edits: int, wanted: Pixels, since: float
) -> Figures:
    from tollbrush.engines.diffusion.warm_up import warm_up

    batch = pipeline.row.batch
    warm_up(pipeline, line, lambda _fraction: None)
    start = time.perf_counter() - since

    def make(steps: int) -> Callable[[], object]:
        def called() -> object:
            pipeline.row = replace(pipeline.row, steps=steps)
            return _edit(subject, pipeline, line, n=batch)

        return called

    step, one, peak = _measured(make, subject.steps, device, max(1, edits // batch))
    pipeline.row = replace(pipeline.row, steps=subject.steps)
    apart = int(np.abs(_edit(subject, pipeline, line, n=batch).astype(int) - wanted).max())
    how = "ours" if batch == 1 else f"ours, {batch} at once"
    named = ", ".join((how, *pipeline.speedups))
    return Figures(subject.row.name, named, step / batch, batch / one, peak, start, apart)


def _measured(
    make: Callable[[int], Callable[[], object]], steps: int, device: str, edits: int
) -> tuple[float, float, float | None]:
    """ms a step, seconds a call, and peak GiB of `make(steps)`, a call of so many steps."""
    import torch

    gpu = device.startswith("cuda")
    once, twice = make(steps), make(2 * steps)
    once(), twice()
    if gpu:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    ones, twos = zip(*((_seconds(once), _seconds(twice)) for _ in range(edits)), strict=True)
    peak = torch.cuda.max_memory_allocated() / 2**30 if gpu else None
    one, two = statistics.median(ones), statistics.median(twos)
    return (two - one) * 1000 / steps, one, peak


def _seconds(call: Callable[[], object]) -> float:
    """Calls end with pixels in main memory, so nothing is left to wait for."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _request(subject: Subject, seed: int, n: int = 1) -> EditInput:
    return EditInput((_picture(subject.size),), _PROMPT, subject.size, n=n, seed=seed)


def _edit(subject: Subject, pipeline: Any, line: Line, *, n: int = 1, seed: int = _SEED) -> Pixels:
    asking = Asking(pipeline.row, subject.adapter, _request(subject, seed, n), unheard, never)
    line.join(asking.images)
    return asking.result().images[0].pixels


def _together(subject: Subject, pipeline: Any, line: Line, edits: int) -> Together:
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


def _show(figures: list[Figures], together: list[Together]) -> None:
    shown = Table(
        "model", "how", "ms a step", "images/s", "× plain", "peak, GiB", "start, s", "apart", title="diffusion"
    )
    plain = {row.model: row.rate for row in figures if row.how == "plain diffusers"}
    for row in figures:
        peak, start = ("" if value is None else f"{value:.1f}" for value in (row.peak, row.start))
        apart = "" if row.apart is None else str(row.apart)
        ratio = f"{row.rate / plain[row.model]:.2f}"
        shown.add_row(row.model, row.how, f"{row.step:.1f}", f"{row.rate:.3f}", ratio, peak, start, apart)
    Console().print(shown)
    for pair in together:
        print(
            f"{pair.model}: two threads, {pair.equal} of {pair.of} equal; cancelled in {pair.cancelled * 1000:.0f} ms."
        )


def _picture(size: Size) -> Pixels:
    return np.random.default_rng(0).integers(0, 255, (size.height, size.width, 3), dtype=np.uint8)


if __name__ == "__main__":
    main()
