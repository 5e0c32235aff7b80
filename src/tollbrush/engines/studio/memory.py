"""Memory that an edit no longer needs goes back to the system at once. Where there is no glibc, nothing is asked."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Final

_ARENAS: Final = -8  # malloc.h


def frugal() -> None:
    """From now on threads share two heaps: each of its own would keep what it once needed."""
    if (libc := _glibc()) is not None:
        libc.mallopt(_ARENAS, 2)


def give_back() -> None:
    """What is free in the heap, now."""
    gc.collect()
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "gnu_get_libc_version") else None
