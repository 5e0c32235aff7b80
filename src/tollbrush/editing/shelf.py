"""Where the pictures of an edit wait: at first in memory, and once it takes long, on the disk.

An edit may wait for minutes for its turn or for another machine, and needs its sources seldom meanwhile: to ask again,
or to composite. A process that dies takes the file with it; what another process needs is stored elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import IO, Final, overload

import structlog

from tollbrush import memory

_log: Final = structlog.get_logger(__name__)

PATIENCE: Final = 2.0
"""Seconds after which an edit counts as one that waits."""


class Shelf(Sequence[bytes]):
    """Encoded pictures in order; after `put_away` each use reads them from an unnamed file in `folder`. `cleared` is
    called on the event loop once they are no longer in memory."""

    def __init__(
        self, pictures: Sequence[bytes], folder: Path, *, cleared: Callable[[], None], patience: float = PATIENCE
    ) -> None:
        self._held: tuple[bytes, ...] | None = tuple(pictures)
        self._sizes = [len(picture) for picture in pictures]
        self._folder, self._cleared, self._patience = folder, cleared, patience
        self._file: IO[bytes] | None = None
        self._reading = threading.Lock()

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        held, place = self._held, range(len(self))[index]
        return self._read(place) if held is None else held[place]

    @contextlib.asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Around an edit: they are put away when it lasts."""
        patient = asyncio.create_task(self._put_away_later())
        try:
            yield
        finally:
            patient.cancel()

    def put_away(self) -> bool:
        """Whether they now are. Heavy: belongs in a thread. What the disk does not take stays in memory."""
        held = self._held
        if held is None:
            return True
        try:
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - it is read until we are gone
            weakref.finalize(self, file.close)
            file.writelines(held)
            file.flush()
        except OSError as full:
            _log.warning("pictures wait in memory", problem=full.strerror)
            return False
        self._file, self._held = file, None
        return True

    async def _put_away_later(self) -> None:
        await asyncio.sleep(self._patience)
        if await asyncio.to_thread(self.put_away):
            self._cleared()
        while True:  # what others let go of comes later, and nobody else looks
            await asyncio.to_thread(memory.give_back)
            await asyncio.sleep(2 * self._patience)

    def _read(self, place: int) -> bytes:
        assert self._file is not None
        with self._reading:
            self._file.seek(sum(self._sizes[:place]))
            return self._file.read(self._sizes[place])


@contextlib.asynccontextmanager
async def waiting(pictures: Sequence[bytes]) -> AsyncIterator[None]:
    """Around an edit of these, whether or not they can be put away."""
    async with pictures.waiting() if isinstance(pictures, Shelf) else contextlib.nullcontext():
        yield
