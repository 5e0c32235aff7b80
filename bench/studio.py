"""The studio's edits in one worker, kernels warm: wall and CPU time, and the most memory that the worker held.

No peer does them without weights. 2048² should cost at most 4.5 times 1024², and the first edit after the start no
more than twice the later ones.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from bench.measure import Row
from tollbrush.domain.edits import Size
from tollbrush.engines.interface import EditInput
from tollbrush.engines.studio.engine import StudioEngine
from tollbrush.settings import StudioSettings

ROUNDS = 3
PROMPTS = (
    ("change the background to a starry sky", 0.0),
    ("remove the background", 0.0),
    ("add a hat", 0.0),
    ("remove this", 0.01),
    ("remove this", 0.05),
    ("remove this", 0.15),
    ("remove this", 0.30),
    ("make it warmer", 0.0),
    ("make it brighter", 0.0),
    ("remove the noise", 0.0),
    ("turn it into an oil painting", 0.0),
)
LARGE = (("change the background to a starry sky", 0.0), ("remove the background", 0.0), ("remove this", 0.15))


def run() -> list[Row]:
    with asyncio.Runner() as runner:
        engine = StudioEngine(StudioSettings(workers=1, timeout_seconds=120))
        start = time.perf_counter()
        runner.run(engine.start())
        runner.run(engine.ready())
        worker = Watched.child()
        rows = [Row("worker ready", (time.perf_counter() - start) * 1000, cpu=worker.cpu_ms(), memory=worker.peak())]
        first = worker.time(lambda: runner.run(engine.edit("studio", _request(*PROMPTS[0], 1024))))
        rows.append(Row("the first edit after the start", first[0], cpu=first[1], memory=first[2]))
        for side, prompts in ((1024, PROMPTS), (2048, LARGE)):
            for prompt, part in prompts:
                request = _request(prompt, part, side)

                def edit(request: EditInput = request) -> None:
                    runner.run(engine.edit("studio", request))

                seen = [worker.time(edit) for _ in range(ROUNDS)]
                wall, cpu, memory = (statistics.median(figures) for figures in zip(*seen, strict=True))
                name = f"{prompt} ({part:.0%})" if part else prompt
                rows.append(Row(f"{name}, {side}²", wall, cpu=cpu, memory=memory))
        runner.run(engine.close())
    return rows


class Watched:
    """A process and what it uses, as proc(5) tells."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    @classmethod
    def child(cls) -> Watched:
        """The youngest child of this process."""
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return cls(max(map(int, children)))

    def peak(self) -> float:
        """The most megabytes resident since the peak was last begun anew."""
        line = next(x for x in (self._folder / "status").read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def cpu_ms(self) -> float:
        user, system = (self._folder / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")

    def time(self, call: Callable[[], object]) -> tuple[float, float, float]:
        """Milliseconds of wall time and of the process's CPU, and its peak megabytes, during `call`."""
        gc.collect()
        (self._folder / "clear_refs").write_text("5")  # proc(5): the peak starts anew
        wall, cpu = time.perf_counter(), self.cpu_ms()
        call()
        return (time.perf_counter() - wall) * 1000, self.cpu_ms() - cpu, self.peak()


def _request(prompt: str, part: float, side: int) -> EditInput:
    photo = np.asarray(cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
    return EditInput((photo,), prompt, Size(side, side), mask=_mask(part, side) if part else None, seed=1)


def _mask(part: float, side: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    mask = np.zeros((side, side), bool)
    edge = int(side * part**0.5)
    mask[-edge - 20 : -20, 20 : 20 + edge] = True
    return mask
