"""A record with some of its fields changed."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def changed(record: T, **fields: Any) -> T:
    """As `dataclasses.replace`, for frozen records that check nothing when they are made: their fields are copied all
    at once, where a frozen class's own `__init__` sets one after the other. Raises TypeError."""
    held = record.__dict__
    if unknown := fields.keys() - held.keys():
        raise TypeError(f"{type(record).__name__} has no field {', '.join(sorted(unknown))}.")
    copy = object.__new__(type(record))
    copy.__dict__.update(held)
    copy.__dict__.update(fields)
    return copy
