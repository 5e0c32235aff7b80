"""Each prompt is read once: the n images of a request, and every request's empty negative prompt, share a reading."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final

_KEPT: Final = 8
"""A reading is up to 8 MB."""


class Readings:
    """`see`: the encoder reads the picture too, so nothing is kept beyond one request."""

    def __init__(self, see: bool) -> None:
        self._see = see
        self._request: int | None = None
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def begin(self, request: int) -> None:
        if self._see and request != self._request:
            self._kept.clear()
        self._request = request

    def attach(self, pipe: Any) -> None:
        """The pipeline asks here first."""
        encode = getattr(pipe, "encode_prompt", None)
        if encode is None:
            return
        kind = type(pipe).__name__

        @functools.wraps(encode)
        def read(*given: Any, **named: Any) -> Any:
            key = (kind, _key(given), _key(tuple(sorted(named.items(), key=lambda item: item[0]))))
            if key not in self._kept:
                self._kept[key] = encode(*given, **named)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return _copied(self._kept[key])

        pipe.encode_prompt = read


def _key(value: Any) -> Hashable:
    """Words and numbers as they are; pictures by nothing at all: within a request they are the same ones."""
    if isinstance(value, (list, tuple)):
        return tuple(_key(part) for part in value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return type(value).__name__


def _copied(reading: Any) -> Any:
    """Z-Image's readings are lists, which pipelines add to."""
    if isinstance(reading, tuple):
        return tuple(_copied(part) for part in reading)
    return list(reading) if isinstance(reading, list) else reading
