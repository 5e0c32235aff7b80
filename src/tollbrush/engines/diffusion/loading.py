"""From a folder to a pipeline on its device, ready to edit. The only place where diffusers' classes are imported."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tollbrush.engines.diffusion import folders, gears, memory, speed
from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.diffusion.pipelines import Pipeline
from tollbrush.errors import BadSettings, NoRoom

_reading: Final = threading.Lock()
"""diffusers and transformers import their modules on first use, and two threads that do so at once find them half
made; what `_quiet` silences is the process's too."""


def device_named(name: str | None) -> str:
    """The device to use. Raises BadSettings where it is not there: a CPU takes minutes for what a GPU does in a second,
    and is used only where it is named."""
    import torch

    if name is None or name.startswith("cuda"):
        if not torch.cuda.is_available():
            raise BadSettings(
                "the diffusion engine found no GPU that torch can use.",
                advice="Check `nvidia-smi` and that torch was installed for CUDA; or, to try it very slowly, say "
                'engines.diffusion.devices = ["cpu"].',
            )
        chosen = torch.device(name or "cuda")
        there = torch.cuda.device_count()
        if (chosen.index or 0) >= there:
            raise BadSettings(f"device is {name!r}, and there are {there} GPUs, counted from 0.")
        return f"cuda:{chosen.index or 0}"
    try:
        return str(torch.device(name))
    except RuntimeError as unknown:
        raise BadSettings(f"device is {name[:40]!r}; say cuda, cuda:1 or cpu.") from unknown


def read(
    row: DiffusionModel, folder: Path, adapter: Adapter, device: str, tuning: Tuning, shelf: memory.Shelf
) -> Pipeline:
    """One at a time; on the shelf from then on, also where it fails. Raises BadSettings for files that are missing,
    wrong, pickled, or too large for the device, NoRoom where other models are in the way."""
    index = folders.read_index((folder / folders.INDEX).read_bytes(), row.name)
    weights = folders.check(folder, index, row.variant, row.name)
    _check_processors(row, index)
    with _reading:
        _take_room(row, weights, device, shelf)
        with _quiet(), _refusing(row):
            opened = _class(adapter.opens).from_pretrained(
                folder, dtype=dtype(row, device), variant=row.variant, use_safetensors=True, local_files_only=True
            )
            _check_complete(row, index, weights, opened)
            return ready(row, opened, adapter, device, tuning)


def ready(row: DiffusionModel, opened: Any, adapter: Adapter, device: str, tuning: Tuning) -> Pipeline:
    """A pipeline of diffusers on its device, made fast, with its masked twin."""
    plain, masked = (opened, None) if adapter.plain is not None else (None, opened)
    if plain is not None and adapter.masked is not None:
        # First of all, and with a dtype: else `from_pipe` turns the weights that both share into float32.
        masked = _class(adapter.masked).from_pipe(opened, dtype=dtype(row, device))
    if row.offload and device.startswith("cuda"):
        offload([each for each in (plain, masked) if each is not None], device)
    else:
        opened.to(device)
    streamed = device == "cpu" or (device.startswith("cuda") and not row.offload)
    done = speed.apply(opened, tuning, device)
    chosen = gears.choose(speed.denoiser(opened), adapter, tuning, device)
    beside = tuning.beside and adapter.beside and streamed and not gears.needs_to_be_alone(tuning.attention)
    pipeline = Pipeline(row, adapter, plain, masked, device, chosen, done, beside=beside)
    pipeline.settle()
    return pipeline


def offload(pipes: Sequence[Any], device: str) -> None:
    """Weights wait in main memory. Each of the twins must ask for it: one that did not would leave on the GPU what it
    was at when it was cancelled."""
    for pipe in pipes:
        pipe.enable_model_cpu_offload(device=device)


def dtype(row: DiffusionModel, device: str) -> Any:
    """A CPU computes in float32: its bfloat16 is slower, and rounds."""
    import torch

    if device == "cpu":
        return torch.float32
    capability = torch.cuda.get_device_capability(device) if device.startswith("cuda") else None
    return getattr(torch, speed.arithmetic(row.dtype, capability))


def _class(name: str) -> Any:
    """One of diffusers' classes, without the others. Raises BadSettings where the libraries do not fit each other."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        with _quiet():
            import diffusers
            import transformers

            for library in (diffusers, transformers):
                library.utils.logging.set_verbosity_error()
                library.utils.logging.disable_progress_bar()
            return getattr(diffusers, name)
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        first = _origin(error)  # what the libraries make of it says little
        said = " ".join(str(first).split())[:300]
        raise BadSettings(
            f"what the diffusion engine is made of does not fit together ({type(first).__name__}: {said}).",
            advice="Install torch, torchvision, diffusers and transformers anew, of releases that go with each other: "
            "pip install -U 'tollbrush[diffusion]'",
        ) from error


def _origin(error: BaseException) -> BaseException:
    """What it came of, as far as its raisers let that be seen."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return error if before is None else _origin(before)


def _take_room(row: DiffusionModel, weights: Mapping[str, folders.Weights], device: str, shelf: memory.Shelf) -> None:
    import torch

    free = None
    if device.startswith("cuda"):
        memory.release(device)  # what finished edits and failed loads left behind is free
        free, _ = torch.cuda.mem_get_info(device)
    sizes = [part.count * dtype(row, device).itemsize for part in weights.values()]
    shelf.take(row.name, sum(sizes), max(sizes), free, offload=row.offload)


def _check_processors(row: DiffusionModel, index: folders.Index) -> None:
    """transformers' processors that read pictures need torchvision, and say so in a way that helps nobody."""
    sees = [kind for _, kind in index.parts.values() if kind.endswith("Processor") and "Image" not in kind]
    if sees and importlib.util.find_spec("torchvision") is None:
        raise BadSettings(
            f"{row.name} reads pictures with {sees[0]}, which needs torchvision, and it is not installed.",
            advice="pip install torchvision, of the release that goes with this torch.",
        )


def _check_complete(
    row: DiffusionModel, index: folders.Index, weights: Mapping[str, folders.Weights], opened: Any
) -> None:
    """diffusers fills a tensor that the file lacks with random numbers and says so in the log only."""
    for part, (library, _) in index.parts.items():
        if library != "diffusers" or part not in weights:
            continue
        lacking = sorted(set(getattr(opened, part).state_dict()) - weights[part].names)
        if lacking:
            raise BadSettings(
                f"{row.name}: the weights of its {part} lack {len(lacking)} tensors ({lacking[0]}, …): they belong to "
                "another model.",
                advice=_again(row),
            )


@contextlib.contextmanager
def _refusing(row: DiffusionModel) -> Iterator[None]:
    """What diffusers, transformers and torch raise on a bad folder is the operator's to mend."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError) as error:
        said = " ".join(str(error).split())[:300]
        if memory.is_full(error):
            raise NoRoom(
                f"{row.name} does not fit on this GPU.",
                advice="Free it, take a larger one, say offload = true, or choose a smaller model.",
            ) from error
        raise BadSettings(
            f"{row.name} could not be read ({type(error).__name__}: {said}).",
            advice=_again(row),
        ) from error


def _again(row: DiffusionModel) -> str:
    how = "Mend the folder" if row.folder is not None else f"Fetch it again: tollbrush models pull {row.name}"
    said = "" if row.pipeline is None else f"; or say another `pipeline`, if these are no weights of a {row.pipeline}"
    return f"{how}{said}."


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The libraries warn of their own deprecations at import and while reading; none of it is the operator's."""
    with warnings.catch_warnings():
        for kind in (DeprecationWarning, FutureWarning, UserWarning):
            warnings.simplefilter("ignore", kind)
        yield
