"""Messages in a stream of bytes: four bytes of length, big-endian, and the message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

LENGTH: Final = 4


class FrameTooLong(Exception):
    """A message announces more bytes than one may have."""


def frame(message: bytes) -> bytes:
    return len(message).to_bytes(LENGTH, "big") + message


class Frames:
    """Takes a stream apart as it comes. `most`: bytes that one message may have."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()

    @property
    def whole(self) -> bool:
        """Whether the stream could end here."""
        return not self._buffer

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The messages that this chunk completes. Raises FrameTooLong as soon as one is announced."""
        self._buffer += chunk
        start = 0
        try:
            while len(self._buffer) - start >= LENGTH:
                length = int.from_bytes(self._buffer[start : start + LENGTH], "big")
                if length > self._most:
                    raise FrameTooLong(f"a message of {length:,} bytes; at most {self._most:,}.")
                end = start + LENGTH + length
                if len(self._buffer) < end:
                    return
                message = bytes(memoryview(self._buffer)[start + LENGTH : end])
                start = end
                yield message
        finally:
            del self._buffer[:start]
