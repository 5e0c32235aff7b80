"""What `bench.diffusion` found: figures, a table of them, and how they stand to the targets."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

OUT: Final = Path("build/bench-diffusion.json")
FASTER: Final = 1.8
"""Times the images a second of plain diffusers, at equal output."""
FIRST: Final = 60.0
"""Seconds to the first edit's end."""


@dataclass(frozen=True)
class Figures:
    """`step` in ms, `rate` in images a second, `peak` in GiB of the GPU's memory, `start` in seconds from weights
    on the device to the first edit's end, `apart` in levels of 255 from plain diffusers at the same seed. `equal`: the
    same arithmetic as plain diffusers'."""

    model: str
    how: str
    step: float
    rate: float
    peak: float | None = None
    start: float | None = None
    apart: int | None = None
    equal: bool = True


_NOBODY: Final = Figures("", "", 0.0, 0.0)


@dataclass(frozen=True)
class Together:
    """Two threads' edits that were equal to their single-run twins, of how many; seconds from a cancel to its end."""

    model: str
    equal: int
    of: int
    cancelled: float


@dataclass(frozen=True)
class Verdict:
    model: str
    what: str
    found: float
    wanted: float
    met: bool


def judge(model: str, figures: list[Figures], starts: Mapping[str, float]) -> list[Verdict]:
    """Against the targets: at equal output, and from the folder where it was written to one. Nothing where that was not
    measured."""
    plain, *ours = [row for row in figures if row.model == model] or [_NOBODY]
    if not any(row.equal for row in ours):
        return []
    best = max(row.rate for row in ours if row.equal) / plain.rate
    first = starts.get(model, ours[0].start or 0.0)
    whence = "from a folder" if model in starts else "with the weights in memory"
    return [
        Verdict(model, "times plain diffusers' images a second", best, FASTER, best >= FASTER),
        Verdict(model, f"s to the first edit's end, {whence}", first, FIRST, first <= FIRST),
    ]


def show(figures: list[Figures], together: list[Together], judged: list[Verdict]) -> None:
    shown = Table(
        "model", "how", "ms a step", "images/s", "× plain", "peak, GiB", "start, s", "apart", title="diffusion"
    )
    plain = {row.model: row.rate for row in figures if row.how == "plain diffusers"}
    for row in figures:
        peak, start = ("" if value is None else f"{value:.1f}" for value in (row.peak, row.start))
        apart = "" if row.apart is None else str(row.apart)
        ratio = f"{row.rate / plain[row.model]:.2f}"
        shown.add_row(row.model, row.how, f"{row.step:.1f}", f"{row.rate:.3f}", ratio, peak, start, apart)
    Console(width=None if sys.stdout.isatty() else 130).print(shown)
    for pair in together:
        print(
            f"{pair.model}: two threads, {pair.equal} of {pair.of} equal; cancelled in {pair.cancelled * 1000:.0f} ms."
        )
    for verdict in judged:
        sign = "≤" if verdict.wanted == FIRST else "≥"
        said = "met" if verdict.met else "missed"
        print(f"{verdict.model}: {verdict.found:.2f} {verdict.what} ({sign} {verdict.wanted:g}: {said}).")


def write(
    figures: Sequence[Figures], together: Sequence[Together], lost: Sequence[str], judged: Sequence[Verdict] = ()
) -> None:
    import torch

    OUT.parent.mkdir(exist_ok=True)
    results = {
        "machine": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "torch": torch.__version__,
        "figures": [asdict(row) for row in figures],
        "together": [asdict(row) for row in together],
        "judged": [asdict(verdict) for verdict in judged],
        "lost": list(lost),
    }
    OUT.write_text(json.dumps(results, indent=2))
