"""A committee learns from examples, and is kept for the studio."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.second_reading.examples import PARTS, WISHES, Example
from bench.second_reading.model import Coded, Known, Model, batch, coded
from tollbrush.engines.studio import understanding
from tollbrush.engines.studio.understanding.second_reading.network import TABLES, network, word_vectors

KEPT: Final = Path(understanding.__file__).parent / "data" / "second_reading.npz"
_SIZE: Final = 64  # of a batch
_RATE: Final = 2e-3
_RATE_FURTHER: Final = 5e-4
_OF_PARTS: Final = 1.0  # weight of their loss


@dataclass(frozen=True)
class Lesson:
    """An example in places: `wishes` W, `parts` L."""

    seen: Coded
    wishes: NDArray[np.float32]
    parts: NDArray[np.int64]


def lesson(one: Example, known: Known) -> Lesson:
    wishes = np.array([wish in one.wishes for wish in WISHES], np.float32)
    return Lesson(coded(one.tokens, known), wishes, np.array(one.parts if one.wishes else [-1] * len(one.tokens)))


def learnt(known: Known, rows: Tensor, epochs: int, seed: int, drawn: Callable[[Random], Sequence[Lesson]]) -> Model:
    """`drawn`: what an epoch learns from."""
    torch.manual_seed(seed)
    return taught(Model(known, rows), epochs, seed, drawn)


def taught_further(model: Model, epochs: int, seed: int, drawn: Callable[[Random], Sequence[Lesson]]) -> Model:
    """What has learnt before, in smaller steps."""
    torch.manual_seed(seed)
    return taught(model, epochs, seed, drawn, _RATE_FURTHER)


def taught(
    model: Model, epochs: int, seed: int, drawn: Callable[[Random], Sequence[Lesson]], most: float = _RATE
) -> Model:
    """AdamW (Loshchilov & Hutter 2019), one cycle of the rate (Smith 2018). `most`: the rate at its highest."""
    chance = Random(seed)
    found = [drawn(chance) for _ in range(epochs)]
    steps = sum(-(-len(one) // _SIZE) for one in found)
    descent = torch.optim.AdamW(model.parameters(), lr=most, weight_decay=0.02)
    rate = torch.optim.lr_scheduler.OneCycleLR(descent, most, total_steps=steps + 1)
    model.train()
    for number, epoch in enumerate(found, 1):
        print(f"member {seed}, epoch {number} of {epochs}", flush=True)
        for some in _batches(epoch, chance):
            loss = _loss(model, some)
            descent.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            descent.step()
            rate.step()
    model.eval()
    return model


def _batches(found: Sequence[Lesson], chance: Random) -> Iterator[Sequence[Lesson]]:
    """Of like length, in any order."""
    ordered = sorted(found, key=lambda one: len(one.parts) + 6 * chance.random())
    starts = [*range(0, len(ordered), _SIZE)]
    chance.shuffle(starts)
    return (ordered[at : at + _SIZE] for at in starts)


def _loss(model: Model, some: Sequence[Lesson]) -> Tensor:
    seen = batch([one.seen for one in some])
    wishes, only, parts = model(seen)
    wanted = torch.from_numpy(np.stack([one.wishes for one in some]))
    doable = wanted.amax(1)
    length = seen.held.shape[1]
    played = torch.from_numpy(
        np.stack([np.pad(one.parts, (0, length - len(one.parts)), constant_values=-1) for one in some])
    )
    of_wishes = nn.functional.binary_cross_entropy_with_logits(wishes, wanted, reduction="none").sum(1)
    of_only = nn.functional.binary_cross_entropy_with_logits(only, doable)
    loss = (of_wishes * doable).mean() + of_only
    if (played >= 0).any():
        loss = loss + _OF_PARTS * nn.functional.cross_entropy(parts.flatten(0, 1), played.flatten(), ignore_index=-1)
    return loss


def vectors() -> tuple[Tensor, dict[str, int]]:
    table, words = word_vectors()
    rows = torch.from_numpy(table.of(range(len(words) + 1))[0])
    return rows, {word: at for at, word in enumerate(words, 1)}


def committee(member: Callable[[int], Model], members: int) -> list[Model]:
    """Each in a process of its own, on one thread: at this size a second one only waits."""
    torch.set_num_threads(1)
    context = get_context("fork")
    pipes = []
    for seed in range(members):
        ours, theirs = context.Pipe(duplex=False)
        context.Process(target=_learn_apart, args=(member, seed, theirs)).start()
        theirs.close()  # so that one that fails is not waited for
        pipes.append(ours)
    return [pickle.loads(pipe.recv_bytes()) for pipe in pipes]


def _learn_apart(member: Callable[[int], Model], seed: int, pipe: Connection) -> None:
    pipe.send_bytes(pickle.dumps(member(seed)))


def keep(committee: Sequence[Model], known: Known, place: Path = KEPT) -> None:
    """Tables in a byte each with a scale a row, all else in halves; a layer's weights are turned for `x @ w`."""
    states = [model.state_dict() for model in committee]
    kept: dict[str, NDArray[np.generic]] = {}
    for name in states[0]:
        stacked = np.stack([state[name].numpy() for state in states]).astype(np.float32)
        if name in TABLES:
            kept[f"{name} scale"] = scale = (np.maximum(np.abs(stacked).max(-1), 1e-5) / 127).astype(np.float16)
            kept[name] = np.round(stacked / scale.astype(np.float32)[..., None]).clip(-127, 127).astype(np.int8)
        elif name in ("whole", "place"):
            kept[name] = stacked.astype(np.float16)
        else:
            kept[name] = (stacked.swapaxes(1, 2) if stacked.ndim == 3 else stacked[:, None]).astype(np.float16)
    learnt_names = {"weights": [*states[0]], "words": [*known.words], "roles": [*known.roles]}
    names = json.dumps({**learnt_names, "wishes": WISHES, "parts": PARTS})
    np.savez_compressed(place, names=np.array(names), **kept)  # type: ignore[arg-type]
    network.cache_clear()
