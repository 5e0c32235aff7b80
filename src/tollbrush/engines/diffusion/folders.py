"""A model's folder, judged by its files alone: what it holds, what it lacks, what is refused. No torch.

The layout is diffusers': `model_index.json` names the pipeline's class and the parts, each part a folder of its own.
Weights are safetensors (8 bytes of header length, a JSON header with dtypes, shapes and offsets, then the numbers);
a pickle can run any code when it is opened, and is refused.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tollbrush.errors import BadSettings

INDEX: Final = "model_index.json"
_LIBRARIES: Final = frozenset({"diffusers", "transformers", "stable_diffusion", "stable_diffusion_xl"})
"""Whose classes a part may name; the last two are diffusers' own (`StableDiffusionSafetyChecker`)."""
_WEIGHTS: Final = re.compile(
    r"(?:model|diffusion_pytorch_model)(?:\.(?P<variant>[a-z]\w*))?(?:-\d{5}-of-\d{5})?\.safetensors"
)
_PICKLES: Final = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_SETTINGS: Final = ("config.json", "scheduler_config.json", "preprocessor_config.json", "processor_config.json",
                    "tokenizer_config.json", "tokenizer.json", "vocab.json")  # fmt: skip
ENDINGS: Final = (".json", ".txt", ".model", ".jinja")
"""Of a part's files besides its weights, those that are needed."""
_MOST_HEADER: Final = 100 * 2**20


@dataclass(frozen=True)
class Index:
    """What `model_index.json` says: the pipeline's class, and of each part its library and class."""

    pipeline: str
    parts: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Weights:
    """A part's numbers: `names` of its tensors, `count` of numbers."""

    names: frozenset[str]
    count: int


def read_index(text: bytes, where: str) -> Index:
    """Raises BadSettings for one that is broken, or asks for code that comes with the model."""
    try:
        found = json.loads(text)
        pipeline = found.pop("_class_name")
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise BadSettings(f"{where}: its {INDEX} is broken or names no pipeline.", advice=_AGAIN) from broken
    parts = {
        name: tuple(value) for name, value in found.items() if isinstance(value, list) and not name.startswith("_")
    }
    there = {name: value for name, value in parts.items() if len(value) == 2 and None not in value}
    foreign = sorted(str(value[0])[:80] for value in there.values() if value[0] not in _LIBRARIES)
    if not isinstance(pipeline, str) or foreign:
        raise BadSettings(
            f"{where} brings code of its own ({', '.join(foreign) or 'its pipeline'}), which is not run here.",
            advice="Choose a model made of diffusers' and transformers' own classes.",
        )
    return Index(pipeline, {name: (value[0], value[1]) for name, value in there.items()})


def choose(names: Iterable[str], index: Index, variant: str | None, where: str) -> list[str]:
    """Of a model's files, by relative path, those that are needed: the index, the settings, one set of weights a part.
    Raises BadSettings where a part has only pickles, none of this variant, or is not there."""
    names = sorted(names)
    chosen = [INDEX] if INDEX in names else []
    for part in index.parts:
        own = [name for name in names if name.startswith(f"{part}/") and name.count("/") == 1]
        if not any(name.rpartition("/")[2] in _SETTINGS for name in own):
            raise BadSettings(f"{where} lacks its {part}, or what configures it.", advice=_AGAIN)
        chosen += [name for name in own if name.endswith(ENDINGS)]
        if f"{part}/config.json" in own:
            chosen += _part_weights(part, own, variant, where)
    return chosen


def check(folder: Path, index: Index, variant: str | None, where: str) -> dict[str, Weights]:
    """Reads every header: the weights of each part that has any. Raises BadSettings for files that are missing, cut
    off, or no safetensors."""
    names = [path.relative_to(folder).as_posix() for path in folder.glob("*/*")] + [INDEX]
    chosen = choose(names, index, variant, where)
    weights = {}
    for part in index.parts:
        own = [name for name in chosen if name.startswith(f"{part}/")]
        headers = [_header(folder / name, where) for name in own if name.endswith(".safetensors")]
        if not headers:
            continue
        found = {name: math.prod(entry["shape"]) for header in headers for name, entry in header.items()}
        weights[part] = Weights(frozenset(found), sum(found.values()))
        for listed in (name for name in own if name.endswith(".safetensors.index.json")):
            if _variant(listed.removesuffix(".index.json")) in (variant, None):
                _check_shards(folder, listed, frozenset(found), variant, where)
    return weights


def _part_weights(part: str, own: list[str], variant: str | None, where: str) -> list[str]:
    sets: dict[str | None, list[str]] = {}
    for name in own:
        matched = _WEIGHTS.fullmatch(name.rpartition("/")[2])
        if matched:
            sets.setdefault(matched["variant"], []).append(name)
    found = sets.get(variant) or sets.get(None)
    if found:
        return found
    if sets:
        raise BadSettings(
            f"{where}: its {part} comes only as the variant {', '.join(sorted(map(str, sets)))}.",
            advice="Say `variant` for this model.",
        )
    pickles = [name for name in own if name.endswith(_PICKLES)]
    if pickles:
        raise BadSettings(
            f"{where}: its {part} is a pickle ({pickles[0]}), which can run any code when it is opened: refused.",
            advice="Take a revision with safetensors, or convert it with `safetensors`' own tool.",
        )
    raise BadSettings(f"{where}: its {part} has no weights.", advice=_AGAIN)


def _variant(name: str) -> str | None:
    matched = _WEIGHTS.fullmatch(name.rpartition("/")[2])
    return matched["variant"] if matched else None


def _check_shards(folder: Path, listed: str, found: frozenset[str], variant: str | None, where: str) -> None:
    try:
        expected = json.loads((folder / listed).read_bytes())["weight_map"]
    except (ValueError, KeyError, TypeError) as broken:
        raise BadSettings(f"{where}: {listed} is broken.", advice=_AGAIN) from broken
    if _variant(listed.removesuffix(".index.json")) != variant:
        return
    missing = sorted({file for name, file in expected.items() if name not in found})
    if missing:
        raise BadSettings(f"{where} lacks {', '.join(missing[:3])} of {Path(listed).parent}.", advice=_AGAIN)


def _header(path: Path, where: str) -> dict[str, Any]:
    """A safetensors file's tensors. Raises BadSettings for what is none, or ends early."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        text = file.read(length) if 2 <= length <= min(size, _MOST_HEADER) else b""
    try:
        tensors: dict[str, Any] = json.loads(text)
        tensors.pop("__metadata__", None)
        end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
        whole = all(isinstance(entry["shape"], list) for entry in tensors.values())
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise BadSettings(f"{where}: {path.parent.name}/{path.name} is no safetensors file.", advice=_AGAIN) from broken
    if not whole or size != 8 + length + end:
        raise BadSettings(
            f"{where}: {path.parent.name}/{path.name} has {size:,} bytes, and should have {8 + length + end:,}.",
            advice=_AGAIN,
        )
    return tensors


_AGAIN: Final = "Fetch it again, or mend the folder."
