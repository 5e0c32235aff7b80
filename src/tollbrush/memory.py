"""What glibc's allocator keeps, what it gives back to the system, and who goes first when the system has none left.
Elsewhere than on Linux nothing is done."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

_M_TRIM_THRESHOLD: Final = -1  # malloc.h
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_FIRST: Final = "500"  # proc(5), oom_score_adj: as if it held half of the machine's memory more


def keep() -> None:
    """What a request's pictures took is kept for the next one's: giving megabytes back to the system and taking them
    again costs three times what reading a request does. One heap for all threads: each would keep its own, and of
    theirs nothing can be given back."""
    if tune := _function("mallopt"):
        tune(_M_MMAP_THRESHOLD, 32 * 2**20)  # the most that glibc takes
        tune(_M_TRIM_THRESHOLD, 64 * 2**20)
        tune(_M_ARENA_MAX, 1)


def share() -> None:
    """From now on threads share two heaps: each of its own would keep what it once needed."""
    if tune := _function("mallopt"):
        tune(_M_ARENA_MAX, 2)


def give_back() -> None:
    """What nobody uses now and nobody will soon. A tenth of a millisecond a megabyte, under the allocator's lock."""
    if trim := _function("malloc_trim"):
        trim(0)


def go_first() -> None:
    """When the machine's memory is all taken, Linux ends this process before one that has not asked so."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST)


@cache
def _function(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None  # musl has none
