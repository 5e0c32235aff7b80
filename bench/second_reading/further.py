"""The kept committee as it learns on: wishes that are new to it begin as unlikely, and it comes halfway back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.second_reading.examples import WISHES
from bench.second_reading.learning import KEPT
from bench.second_reading.model import Known, Model
from tollbrush.engines.studio.understanding.second_reading.network import TABLES


def kept_committee(rows: Tensor, words: dict[str, int], place: Path = KEPT) -> tuple[Known, list[Model]]:
    """`rows`, `words`: of the vectors. The inverse of `learning.keep`."""
    with np.load(place) as kept:
        names = json.loads(str(kept["names"]))
        stacks = {name: _stacked(name, kept) for name in names["weights"]}
    known = Known(words, *({name: at for at, name in enumerate(names[kind], 1)} for kind in ("words", "roles")))
    for name in ("wish.weight", "wish.bias"):
        stacks[name] = _with_new_wishes(stacks[name], names["wishes"])
    models = []
    for member in range(len(stacks["word"])):
        model = Model(known, rows)
        model.load_state_dict({name: torch.from_numpy(stack[member].copy()) for name, stack in stacks.items()})
        models.append(model)
    return known, models


def halfway(before: Model, after: Model) -> Model:
    """The mean of both, which keeps what either does well (Wortsman et al. 2022)."""
    states = before.state_dict(), after.state_dict()
    before.load_state_dict({name: (states[0][name] + states[1][name]) / 2 for name in states[0]})
    return before


def _stacked(name: str, kept: np.lib.npyio.NpzFile) -> NDArray[np.float32]:
    """By member, as torch has it."""
    found: NDArray[np.float32] = kept[name].astype(np.float32)
    if name in TABLES:
        return found * kept[f"{name} scale"].astype(np.float32)[..., None]
    if name in ("whole", "place"):
        return found
    return found.swapaxes(1, 2) if name.endswith("weight") and found.shape[1] > 1 else found[:, 0]


def _with_new_wishes(stack: NDArray[np.float32], before: list[str]) -> NDArray[np.float32]:
    """By member and wish, in the order of WISHES; a new one is what all are on the average."""
    mean = stack.mean(1)
    return np.stack([stack[:, before.index(wish)] if wish in before else mean for wish in WISHES], 1)
