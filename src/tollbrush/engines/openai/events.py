"""Server-sent events, read as they come: chunks may end anywhere. Reference: WHATWG HTML, section 9.2.6."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class TooLong(Exception):
    """An event is over the limit."""


class Events:
    """Yields the data of each whole event; comments, ids and event names are passed over. An event that the stream
    breaks off in is never yielded. `limit` in bytes, for one event."""

    def __init__(self, limit: int) -> None:
        self._limit, self._held = limit, 0
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Raises TooLong."""
        if not chunk:
            return
        self._held += len(chunk)
        if self._held > self._limit:
            raise TooLong
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        *lines, rest = _LINE_END.split(chunk)
        for line in lines:
            whole = b"".join((*self._line, line))
            self._line.clear()
            yield from self._take(whole)
        if rest:
            self._line.append(rest)

    def _take(self, line: bytes) -> Iterator[bytes]:
        if self._first:
            self._first, line = False, line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            data, self._data, self._held = self._data, [], 0
            if data:
                yield b"\n".join(data)
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
