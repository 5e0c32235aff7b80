"""One way to compile an inner loop: typed, cached on disk, free to reorder sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])


def kernel(function: _F) -> _F:
    """`function` compiled at its first call; deterministic for the same input on the same machine."""
    compiled = numba.njit(cache=True, fastmath=True, nogil=True)(function)
    _EVERY.append(compiled)
    return cast(_F, compiled)


def any_compiled() -> bool:
    """Whether this process has compiled a kernel that the cache did not have; it keeps some 70 MB for that."""
    return any(kernel.stats.cache_misses for kernel in _EVERY)


_EVERY: Final[list[Any]] = []
