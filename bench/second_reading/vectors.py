"""The words' vectors as the studio keeps them, from GloVe's own file (Pennington et al. 2014, in the public domain)."""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import Path
from typing import Final

import numpy as np

from tollbrush.engines.studio import understanding

KEPT: Final = Path(understanding.__file__).parent / "data" / "word_vectors.npz"
_FREQUENT: Final = 22_000  # lines of the file, which begins with the most frequent
_KNOWN: Final = 60_000  # of these a word of our lists is taken too
_WORD: Final = re.compile(r"[^\W\d_]+|[.,!?:;&+-]")


def keep_vectors(file: Path, ours: Set[str], place: Path = KEPT) -> None:
    """`file`: a word and its hundred numbers a line. Kept in a byte each, with a scale a row."""
    words, rows = [], []
    with file.open(encoding="utf-8") as lines:
        for at, line in zip(range(_KNOWN), lines, strict=False):
            word, *numbers = line.split(" ")
            if _WORD.fullmatch(word) and (at < _FREQUENT or word in ours):
                words.append(word)
                rows.append(np.array(numbers, np.float32))
    table = np.stack(rows)
    scale = (np.abs(table).max(1) / 127).astype(np.float16)
    bytes_ = np.round(table / scale.astype(np.float32)[:, None]).clip(-127, 127).astype(np.int8)
    np.savez_compressed(place, rows=bytes_, scale=scale, words=np.array(" ".join(words)))
