"""The network of the second reading: one layer of neighbours, two of attention, for each of a committee at once.

Words go in as GloVe vectors (Pennington et al. 2014, of Wikipedia and Gigaword, in the public domain), as what was
learnt of themselves and of their parts, and as their roles. Out come a likelihood for every wish, one that nothing
else is asked for, and for every word the part it plays in its wish (a colour, a text to write).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tollbrush.engines.studio.understanding.second_reading.tokens import Token, letters

Floats = NDArray[np.float32]

HEADS: Final = 4
TABLES: Final = ("word", "role", "letters")


@dataclass(frozen=True)
class Read:
    """`wishes`: those that are likely; `only`: that nothing else is asked for, `sureness`: that it is just these, 0…1;
    `parts`: by word; `places`: of the word that tells each wish."""

    wishes: frozenset[str]
    sureness: float
    only: float
    parts: tuple[str, ...]
    places: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """K×R rows of D numbers in a byte each, with a scale a row: of so many, few are ever asked for."""

    rows: NDArray[np.int8]
    scale: NDArray[np.float16]

    def of(self, places: Sequence[int]) -> Floats:
        """K×P×D."""
        return self.rows[:, places].astype(np.float32) * self.scale[:, places, None].astype(np.float32)


@dataclass(frozen=True)
class Weights:
    """By name, the members of the committee along the first axis; kept in halves."""

    halves: Mapping[str, NDArray[np.float16]]

    def __getitem__(self, name: str) -> Floats:
        return self.halves[name].astype(np.float32)


@dataclass(frozen=True)
class Places:
    """Names by a hash of theirs, in order: a tenth of what a dictionary of so many words would take."""

    hashes: NDArray[np.uint64]
    places: NDArray[np.int32]

    @classmethod
    def of(cls, names: Sequence[str]) -> Self:
        hashes = np.array([_hashed(name) for name in names], np.uint64)
        order = np.argsort(hashes)
        return cls(hashes[order], order.astype(np.int32) + 1)

    def __getitem__(self, name: str) -> int:
        """0 of a name that is not among them."""
        hashed = np.uint64(_hashed(name))
        at = int(np.searchsorted(self.hashes, hashed))
        return int(self.places[at]) if at < len(self.hashes) and self.hashes[at] == hashed else 0


def _hashed(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest())


@dataclass(frozen=True)
class Network:
    """`tables`: one row a word, a run of letters or a role; `vectors`: one row a word, the same for all members."""

    weights: Weights
    tables: Mapping[str, Table]
    vectors: Table
    places: Mapping[str, Places]
    wishes: Sequence[str]
    part_names: Sequence[str]

    def read(self, tokens: Sequence[Token]) -> Read:
        wishes, only, played, told = self.likelihoods(tokens)
        held = wishes > 0.5 if (wishes > 0.5).any() else wishes == wishes.max()
        sureness = float(np.prod(np.where(held, wishes, 1 - wishes)) * only)
        places = {self.wishes[at]: int(told[:, at].argmax()) for at in np.flatnonzero(held).tolist()}
        parts = tuple(self.part_names[at] for at in played.argmax(1).tolist())
        return Read(frozenset(places), sureness, only, parts, places)

    def likelihoods(self, tokens: Sequence[Token]) -> tuple[Floats, float, Floats, Floats]:
        """Of each wish (W), of nothing else being asked, of each part by word (L×P), and how much each word tells of
        each wish (L×W); the committee's mean."""
        w = self.weights
        seen = self._attended(self._embedded(tokens))
        words = seen[:, 1:]
        told = _through(words, w, "wish")  # K×L×W
        wishes = _summed(told)
        pooled = np.concatenate([seen[:, 0], words.max(1)], -1)[:, None]
        hidden = np.maximum(_through(pooled, w, "only.0"), 0)
        only = _through(hidden, w, "only.1")[:, 0, 0] - _summed(_through(words, w, "strange"))[:, 0]
        played = _through(words, w, "part")
        return _sigmoid(wishes).mean(0), float(_sigmoid(only).mean()), _softmax(played).mean(0), _sigmoid(told).mean(0)

    def _embedded(self, tokens: Sequence[Token]) -> Floats:
        """K×(L + 1)×D: before the words stands a place of the whole prompt's."""
        w, places = self.weights, self.places
        vectors = self.vectors.of([places["vectors"][token.word] for token in tokens])
        x = _through(vectors, w, "vector")
        x = x + self.tables["word"].of([places["words"][token.word] for token in tokens])
        for at, token in enumerate(tokens):
            x[:, at] += self.tables["letters"].of(letters(token.word)).mean(1)
            x[:, at] += self.tables["role"].of([places["roles"][role] for role in token.roles]).sum(1)
        x = x + w["place"][:, 1 : len(tokens) + 1]
        padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
        around = np.concatenate([padded[:, :-2], x, padded[:, 2:]], -1)  # word before, word, word after
        x = x + np.maximum(_through(around, w, "beside"), 0)
        whole = w["whole"] + w["place"][:, :1]
        return _normed(np.concatenate([whole, x], 1), w, "start")

    def _attended(self, x: Floats) -> Floats:
        w = self.weights
        for layer in range(2):
            name = f"layer.{layer}"
            x = x + self._attention(_normed(x, w, f"{name}.before"), name)
            hidden = np.maximum(_through(_normed(x, w, f"{name}.between"), w, f"{name}.wide"), 0)
            x = x + _through(hidden, w, f"{name}.narrow")
        return _normed(x, w, "end")

    def _attention(self, x: Floats, name: str) -> Floats:
        """Vaswani et al. 2017."""
        w = self.weights
        members, length, width = x.shape
        three = _through(x, w, f"{name}.ask")
        asked, key, value = three.reshape(members, length, 3, HEADS, width // HEADS).transpose(2, 0, 3, 1, 4)
        heed = _softmax(asked @ key.swapaxes(-1, -2) / np.sqrt(width // HEADS))
        mixed = (heed @ value).swapaxes(1, 2).reshape(members, length, width)
        return _through(mixed, w, f"{name}.answer")


def _through(x: Floats, weights: Weights, name: str) -> Floats:
    """A layer, four rows at a time: products of over 2¹⁸ terms OpenBLAS shares between threads, which at this size
    only wait for each other, for the longest on a busy machine."""
    weight = weights[f"{name}.weight"]
    length = x.shape[1]
    blocks = np.pad(x, ((0, 0), (0, -length % 4), (0, 0))).reshape(len(x), -1, 4, x.shape[2])
    rows = (blocks @ weight[:, None]).reshape(len(weight), -1, weight.shape[2])
    answer: Floats = rows[:, :length] + weights[f"{name}.bias"]
    return answer


def _summed(logits: Floats) -> Floats:
    """Over the words of each member: one that is likely is enough (multiple instances, Dietterich et al. 1997)."""
    most = logits.max(1, keepdims=True)
    summed: Floats = most[:, 0] + np.log(np.exp(logits - most).sum(1))
    return summed


def _normed(x: Floats, weights: Weights, name: str) -> Floats:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    normed: Floats = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return normed


def _softmax(x: Floats) -> Floats:
    raised = np.exp(x - x.max(-1, keepdims=True))
    shares: Floats = raised / raised.sum(-1, keepdims=True)
    return shares


def _sigmoid(x: Floats) -> Floats:
    likely = 1 / (1 + np.exp(-x))
    return likely.astype(np.float32)


@cache
def network() -> Network:
    """As learnt by `python -m bench.second_reading`."""
    return kept_network(_kept("second_reading.npz"))


def kept_network(place: Traversable) -> Network:
    vectors, words = word_vectors()
    with place.open("rb") as file, np.load(file) as kept:
        names = json.loads(str(kept["names"]))
        tables = {name: Table(kept[name], kept[f"{name} scale"]) for name in TABLES}
        weights = Weights({name: kept[name] for name in names["weights"] if name not in TABLES})
    places = {"vectors": Places.of(words), **{kind: Places.of(names[kind]) for kind in ("words", "roles")}}
    return Network(weights, tables, vectors, places, names["wishes"], names["parts"])


def word_vectors() -> tuple[Table, list[str]]:
    """1×(V + 1)×100, and the V words: the first row, of nothing, is for all others."""
    with _kept("word_vectors.npz").open("rb") as file, np.load(file) as kept:
        table = Table(np.pad(kept["rows"], ((1, 0), (0, 0)))[None], np.pad(kept["scale"], (1, 0))[None])
        words = str(kept["words"]).split(" ")
    return table, words


def _kept(name: str) -> Traversable:
    return files("tollbrush.engines.studio.understanding") / "data" / name
