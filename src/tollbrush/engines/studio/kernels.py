"""One way to compile an inner loop: typed, cached on disk, free to reorder sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])


def kernel(function: _F) -> _F:
    """`function` compiled at its first call; deterministic for the same input on the same machine."""
    return cast(_F, numba.njit(cache=True, fastmath=True, nogil=True)(function))
