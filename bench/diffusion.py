"""`python -m bench.diffusion [--tiny] [--model NAME] [--edits N] [--write FOLDER]`: plain diffusers, ours, and ours in
batches.

On a GPU: random weights at the real configurations of FLUX.2-klein-4B and Qwen-Image-Edit, made in place, nothing is
downloaded. Times do not depend on the numbers in the weights; caches that do depend on them are not used here.
`--tiny`: the same paths on tiny pipelines on the CPU, whose times say nothing about a GPU's. `--write`: also writes
each there as a model's folder (klein 16 GB, Qwen 58 GB), and starts it from there.

Writes `build/bench-diffusion.json`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench import diffusion_runs as runs
from bench.diffusion_models import Subject, real, tiny
from bench.diffusion_table import OUT, Figures, Together, judge, show, write
from tollbrush.engines.diffusion import memory, speed
from tollbrush.engines.diffusion.batches import Line
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.diffusion.stages import Stages
from tollbrush.errors import TollbrushError
from tollbrush.imaging.codec import Pixels

_FAILURES: Final = (
    RuntimeError, MemoryError, ValueError, TypeError, ImportError, OSError, AttributeError, LookupError, AssertionError,
)  # fmt: skip
"""What a library that has changed, and a device, have in store."""


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.diffusion", description=__doc__.partition("\n")[0])
    asked.add_argument("--tiny", action="store_true", help="tiny pipelines on the CPU")
    asked.add_argument("--model", help="only this one")
    asked.add_argument("--edits", type=int, default=8, help="edits that are timed, and edits of each of two threads")
    asked.add_argument("--write", type=Path, metavar="FOLDER", help="also start each from a folder written here")
    found = asked.parse_args()
    import torch

    if not found.tiny and not torch.cuda.is_available():
        sys.exit("bench.diffusion measures a GPU, and torch finds none here. `--tiny` runs its paths on the CPU.")
    subjects = tiny() if found.tiny else real()
    chosen = [subject for subject in subjects if found.model in (None, subject.row.name)]
    if not chosen:
        sys.exit(f"No model {found.model!r}; there are: {', '.join(subject.row.name for subject in subjects)}.")
    device = "cpu" if found.tiny else "cuda:0"
    figures, together = list[Figures](), list[Together]()
    starts, lost = dict[str, float](), list[str]()
    for subject in chosen:
        with _going_on(subject.row.name, lost, device):
            run(subject, device, found.edits, figures, together, lost)
        write(figures, together, lost)  # whoever runs out of time keeps this
        if found.write is not None:
            with _going_on(f"{subject.row.name}, from a folder", lost, device):
                starts[subject.row.name] = runs.from_disk(subject, device, found.write)
    judged = [verdict for subject in chosen for verdict in judge(subject.row.name, figures, starts)]
    show(figures, together, judged)
    write(figures, together, lost, judged)
    print(f"Written to {OUT}.")
    if lost:
        sys.exit("Not measured:\n" + "\n".join(lost))


def _add(figures: list[Figures], row: Figures) -> None:
    """A GPU's time may end before the table is made: each row is told at once."""
    figures.append(row)
    print(f"{row.model}, {row.how}: {row.step:.1f} ms a step, {row.rate:.3f} images/s", file=sys.stderr, flush=True)


def run(
    subject: Subject, device: str, edits: int, figures: list[Figures], together: list[Together], lost: list[str]
) -> None:
    """Plain, ours and ours batched on one pipeline, with two threads and a cancel; then in float8, where the GPU has
    it. Adds what it found."""
    pipe = runs.built(subject, device)
    _add(figures, runs.plain(subject, pipe, device, edits))
    wanted = runs.call(subject, pipe, subject.steps, runs.SEED)
    with _going_on(f"{subject.row.name}, ours", lost, device):
        _ours(subject, pipe, device, edits, wanted, Tuning(), figures, together, lost)
    del pipe
    memory.release(device)
    if speed.has_float8(device):
        with _going_on(f"{subject.row.name}, fp8", lost, device):
            _ours(subject, runs.built(subject, device), device, edits, wanted, Tuning(fp8=True), figures, [], lost)


@contextmanager
def _going_on(what: str, lost: list[str], device: str) -> Iterator[None]:
    """What fails is told at the end, and takes no other row with it."""
    try:
        yield
    except (TollbrushError, *_FAILURES) as failure:
        said = str(failure).strip().splitlines() or ["no word"]
        lost.append(f"{what}: {type(failure).__name__}: {said[0][:300]}")
    memory.release(device)


def _ours(
    subject: Subject, pipe: Any, device: str, edits: int, wanted: Pixels, tuning: Tuning,
    figures: list[Figures], together: list[Together], lost: list[str],
) -> None:  # fmt: skip
    from tollbrush.engines.diffusion import loading

    since = time.perf_counter()
    pipeline = loading.ready(subject.row, pipe, subject.adapter, device, tuning)
    pipeline.gears.told = lambda words: print(f"{subject.row.name}: {words}", file=sys.stderr, flush=True)
    for batch in (1, 4):
        pipeline.row = replace(subject.row, batch=batch)
        line = Line(subject.row.name, pipeline.make, batch, Stages(), hands=2)
        with closing(line), _going_on(f"{subject.row.name}, {batch} at once", lost, device):
            _add(figures, runs.lined_up(subject, pipeline, line, device, edits, wanted, since))
            if batch == 1:
                together.append(runs.together(subject, pipeline, line, edits))
        since = time.perf_counter()


if __name__ == "__main__":
    main()
