"""A measure as evidence: nothing up to one value, all of it from another one on."""

from __future__ import annotations

import numpy as np


def rising(value: float | np.floating, none: float, full: float) -> float:
    """0..1: how far a value is on its way between two."""
    return float(np.clip((value - none) / (full - none), 0, 1))
