"""Work in parts that do not depend on each other, on as many threads as the worker may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TypeVar

import cv2

Part = TypeVar("Part")


def each(do: Callable[[Part], object], parts: Iterable[Part]) -> None:
    """`do(part)` for every part, in any order; what takes its time in there must release the interpreter's lock.

    Parts are cut by the work, never by the number of threads: so the outcome is the same on any machine."""
    for _ in _pool(max(1, cv2.getNumThreads())).map(do, parts):
        pass


def bands(first: int, last: int, count: int = 16) -> list[tuple[int, int]]:
    """Rows `first`…`last` (exclusive) in at most `count` runs."""
    count = max(1, min(count, last - first))
    edges = [first + (last - first) * i // count for i in range(count + 1)]
    return list(pairwise(edges))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="studio")
