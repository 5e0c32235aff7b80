"""For what other processes do: there is nothing to be woken by."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 400.0
"""Seconds: torch is imported and a model read, on a machine that does other things too."""

T = TypeVar("T")


def until(look: Callable[[], T | None], otherwise: str) -> T:
    """What it finds, once there is something to be found."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(otherwise)
