"""The network of the second reading as it learns; `network.py` in the studio is the same without torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.second_reading.examples import PARTS, WISHES, Example
from tollbrush.engines.studio.understanding.second_reading import MOST_TOKENS
from tollbrush.engines.studio.understanding.second_reading.network import HEADS
from tollbrush.engines.studio.understanding.second_reading.tokens import (
    BUCKETS,
    MOST_LETTERS,
    MOST_ROLES,
    Token,
    letters,
)

WIDTH: Final = 128
_DROPPED: Final = 0.25
_UNKNOWN: Final = 0.35  # of the words: those of the next prompt are less often known than these
_RARE: Final = 3  # words and roles seen less often are not learnt by themselves


@dataclass(frozen=True)
class Known:
    """Names → places; 0 is for all others."""

    vectors: dict[str, int]
    words: dict[str, int]
    roles: dict[str, int]


def known(examples: Iterable[Example], vectors: dict[str, int]) -> Known:
    words = Counter(token.word for one in examples for token in one.tokens)
    roles = Counter(role for one in examples for token in one.tokens for role in token.roles)
    return Known(vectors, _frequent(words), _frequent(roles))


def _frequent(counts: Counter[str]) -> dict[str, int]:
    names = sorted(name for name, count in counts.items() if count >= _RARE)
    return {name: at for at, name in enumerate(names, 1)}


@dataclass(frozen=True)
class Batch:
    """Of B prompts of up to L tokens: places, L in each; of `letters` and `roles` -1 where there is none."""

    vectors: Tensor
    words: Tensor
    letters: Tensor
    roles: Tensor
    held: Tensor


@dataclass(frozen=True)
class Coded:
    """One prompt's tokens as places."""

    vectors: NDArray[np.int64]
    words: NDArray[np.int64]
    letters: NDArray[np.int64]
    roles: NDArray[np.int64]


def coded(prompt: Sequence[Token], known: Known) -> Coded:
    return Coded(
        np.array([known.vectors.get(token.word, 0) for token in prompt]),
        np.array([known.words.get(token.word, 0) for token in prompt]),
        _filled([letters(token.word) for token in prompt], MOST_LETTERS),
        _filled([[known.roles.get(role, 0) for role in token.roles] for token in prompt], MOST_ROLES),
    )


def _filled(rows: Sequence[Sequence[int]], width: int) -> NDArray[np.int64]:
    return np.array([[*row, *[-1] * (width - len(row))] for row in rows])


def batch(prompts: Sequence[Coded]) -> Batch:
    length = max(len(one.words) for one in prompts)
    held = np.array([[at < len(one.words) for at in range(length)] for one in prompts])
    return Batch(
        _stacked([one.vectors for one in prompts], length, 0),
        _stacked([one.words for one in prompts], length, 0),
        _stacked([one.letters for one in prompts], length, -1),
        _stacked([one.roles for one in prompts], length, -1),
        torch.from_numpy(held),
    )


def _stacked(rows: Sequence[NDArray[np.int64]], length: int, fill: int) -> Tensor:
    more = [[(0, length - len(row)), *[(0, 0)] * (row.ndim - 1)] for row in rows]
    return torch.from_numpy(np.stack([np.pad(row, m, constant_values=fill) for row, m in zip(rows, more, strict=True)]))


class Layer(nn.Module):
    """Attention and a hidden layer, each after a norm and added to what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.ask, self.answer = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.wide, self.narrow = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)
        self.drop = nn.Dropout(_DROPPED)

    def forward(self, x: Tensor, held: Tensor) -> Tensor:
        size, length, _ = x.shape
        three = self.ask(self.before(x)).view(size, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        dropped = _DROPPED if self.training else 0.0
        mixed = nn.functional.scaled_dot_product_attention(*three, attn_mask=held[:, None, None], dropout_p=dropped)
        x = x + self.drop(self.answer(mixed.transpose(1, 2).reshape(size, length, WIDTH)))
        hidden = torch.relu(self.wide(self.between(x)))
        added: Tensor = x + self.drop(self.narrow(self.drop(hidden)))
        return added


class Model(nn.Module):
    def __init__(self, known: Known, vectors: Tensor) -> None:
        super().__init__()
        self.vectors: Tensor
        self.register_buffer("vectors", vectors, persistent=False)
        self.vector = nn.Linear(vectors.shape[1], WIDTH)
        self.word, self.role = (_table(len(names) + 1) for names in (known.words, known.roles))
        self.letters, self.place = _table(BUCKETS), _table(MOST_TOKENS + 1)
        self.whole = nn.Parameter(torch.randn(1, WIDTH) * 0.1)
        self.beside = nn.Linear(3 * WIDTH, WIDTH)
        self.start, self.end = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.layer = nn.ModuleList(Layer() for _ in range(2))
        self.wish, self.part = nn.Linear(WIDTH, len(WISHES)), nn.Linear(WIDTH, len(PARTS))
        self.only = nn.ModuleList([nn.Linear(2 * WIDTH, WIDTH), nn.Linear(WIDTH, 1)])
        self.strange = nn.Linear(WIDTH, 1)
        self.drop = nn.Dropout(_DROPPED)

    def forward(self, seen: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Logits: of the wishes (B×W), of nothing else being asked (B), of the parts (B×L×P)."""
        size = len(seen.held)
        whole = (self.whole + self.place[:1]).expand(size, 1, WIDTH)
        x = self.drop(self.start(torch.cat([whole, self._words(seen)], 1)))
        held = nn.functional.pad(seen.held, (1, 0), value=True)
        for layer in self.layer:
            x = layer(x, held)
        x = self.end(x)
        words = x[:, 1:]
        wishes = self.wish(words).masked_fill(~seen.held[..., None], -30).logsumexp(1)
        most = words.masked_fill(~seen.held[..., None], -9).amax(1)
        only = self.only[1](self.drop(torch.relu(self.only[0](torch.cat([x[:, 0], most], -1)))))
        strange = self.strange(words)[..., 0].masked_fill(~seen.held, -30).logsumexp(1)
        return wishes, only[:, 0] - strange, self.part(words)

    def _words(self, seen: Batch) -> Tensor:
        vectors, words, roles = seen.vectors, seen.words, seen.roles
        if self.training:  # what is not known at use
            words = words.masked_fill(torch.rand(words.shape) < _UNKNOWN, 0)
            vectors = vectors.masked_fill(torch.rand(vectors.shape) < 0.04, 0)
            roles = roles.masked_fill((torch.rand(vectors.shape) < 0.05)[..., None], -1)
        letters = _looked_up(self.letters, seen.letters) / (seen.letters >= 0).sum(-1, keepdim=True).clamp(min=1)
        x = self.vector(self.vectors[vectors]) + self.word[words] + letters + _looked_up(self.role, roles)
        x = (x + self.place[1 : x.shape[1] + 1]) * seen.held[..., None]
        padded = nn.functional.pad(x, (0, 0, 1, 1))
        added: Tensor = x + torch.relu(self.beside(torch.cat([padded[:, :-2], x, padded[:, 2:]], -1)))
        return added


def _looked_up(table: Tensor, places: Tensor) -> Tensor:
    """The sum of the rows; -1 is none."""
    size, length, width = places.shape
    none = len(table)
    rows = nn.functional.pad(table, (0, 0, 0, 1))
    flat = places.where(places >= 0, none).view(size * length, width)
    return nn.functional.embedding_bag(flat, rows, mode="sum", padding_idx=none).view(size, length, -1)


def _table(rows: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, WIDTH) * 0.1)
