"""Each prompt is read once: the n images of a request, and every request's empty negative prompt, share a reading."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tollbrush.engines.diffusion.streams import Streams

_METHODS: Final = ("encode_prompt", "_encode_prompt")
"""InstructPix2Pix has only the second."""
_KEPT: Final = 8
"""A reading is up to 8 MB."""


class Readings:
    """`see`: the encoder reads the picture too, so nothing is kept beyond one request. Used by one call at a time."""

    def __init__(self, see: bool, streams: Streams) -> None:
        self._see, self._streams = see, streams
        self._request: int | None = None
        self._kept: OrderedDict[Hashable, tuple[Any, Any]] = OrderedDict()

    def begin(self, request: int) -> None:
        if self._see and request != self._request:
            self._kept.clear()
        self._request = request

    def attach(self, pipe: Any) -> None:
        """The pipeline, which is one call's own, asks here first."""
        name = next(name for name in _METHODS if hasattr(pipe, name))
        kind, encode = type(pipe).__name__, getattr(pipe, name)

        @functools.wraps(encode)
        def read(*given: Any, **named: Any) -> Any:
            key = (kind, _key(given), _key(tuple(sorted(named.items(), key=lambda item: item[0]))))
            if key in self._kept:
                reading, ready = self._kept[key]
                self._streams.after(ready, _tensors(reading))
            else:
                reading = encode(*given, **named)
                self._kept[key] = reading, self._streams.mark()
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return _copied(reading)

        setattr(pipe, name, read)


def _key(value: Any) -> Hashable:
    """Words and numbers as they are; pictures by nothing at all: within a request they are the same ones."""
    if isinstance(value, (list, tuple)):
        return tuple(_key(part) for part in value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return type(value).__name__


def _tensors(reading: Any) -> Iterator[Any]:
    if isinstance(reading, (tuple, list)):
        for part in reading:
            yield from _tensors(part)
    elif reading is not None:
        yield reading


def _copied(reading: Any) -> Any:
    """Z-Image's readings are lists, which pipelines add to."""
    if isinstance(reading, tuple):
        return tuple(_copied(part) for part in reading)
    return list(reading) if isinstance(reading, list) else reading
