"""What is known of a model before torch is: one row a model, and how it is run. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tollbrush.domain.edits import Size

DType = Literal["bfloat16", "float16", "float32"]


@dataclass(frozen=True)
class DiffusionModel:
    """A model and how its edits are made.

    `name`: what `Models` knows it by, as the catalog's `upstream`. `source`: a hub id (`owner/name`) or a local folder
    in diffusers' layout (`model_index.json`). `revision`: the commit, tag or branch of a hub id; pin a commit.
    `pipeline`: the class, where `model_index.json` must not decide (and before a hub id is in the cache).
    `variant`: which files, as `fp16` in `model.fp16.safetensors`. `steps`, `guidance`, `strength`: None is the
    adapter's own. `sizes`: what is sold most; these shapes are compiled and warmed at start. `pixels`: the largest area
    that is worked at, None is the adapter's; a larger answer is made at that area and enlarged. `batch`: how many
    images of equal shape are made together (on a GPU they are equal within rounding, not bit for bit; 1 is exact).
    `offload`: weights wait in main memory, for a GPU too small to hold all of them: slower."""

    name: str
    source: str
    revision: str | None = None
    pipeline: str | None = None
    variant: str | None = None
    steps: int | None = None
    guidance: float | None = None
    strength: float | None = None
    dtype: DType = "bfloat16"
    sizes: tuple[Size, ...] = ()
    pixels: int | None = None
    batch: int = 1
    offload: bool = False

    @property
    def folder(self) -> Path | None:
        """Where its files are, if it does not come from the hub: a path, relative ones only where they are there."""
        path = Path(self.source).expanduser()
        local = path.is_absolute() or self.source.startswith(("./", "../", "~")) or path.is_dir()
        return path if local else None


@dataclass(frozen=True)
class Tuning:
    """How far a GPU is pushed; nothing of it is done on a CPU. `compile`: the repeated blocks, for the shapes that are
    warmed up; every other shape runs eagerly. `attention`: a diffusers backend, None is the best one present.
    `fp8`: weights and activations of the transformer's linear layers in float8, on GPUs that have it: check its
    results, and that it is faster (`bench/diffusion.py`). `margin`: the part of the GPU's memory kept free of weights
    for the work itself. `weights`: bytes of all models together, also on a CPU; None: what the GPU has room for.
    `beside`: reading a request and decoding another while a third one steps, on a CPU too. `warm_up_seconds`: an edit
    of the warm-up that takes longer hangs, and its process ends."""

    compile: bool = True
    attention: str | None = None
    channels_last: bool = True
    fp8: bool = False
    margin: float = 0.15
    weights: int | None = None
    beside: bool = True
    warm_up_seconds: float = 600.0

    def plainer(self) -> Tuning:
        """For a device that dies of what makes it fast: torch's own attention, then no compiler either."""
        return replace(self, compile=False) if self.attention == "native" else replace(self, attention="native")
