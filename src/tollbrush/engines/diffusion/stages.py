"""Who may be where on one device: a call reads its words and pictures, then steps, then decodes, and while one steps
the next may read and the last decode. No torch.

    reading ──► stepping ──► decoding      one call in each; the next place is taken before the last is left,
                                           so nobody overtakes and nobody reads further ahead than one
"""

from __future__ import annotations

import threading
from enum import IntEnum
from types import TracebackType
from typing import Final, Self


class Stage(IntEnum):
    READING = 0
    STEPPING = 1
    DECODING = 2


class Stages:
    """Of a device, for all its models."""

    def __init__(self) -> None:
        self._places: Final = tuple(threading.Lock() for _ in Stage)

    def turn(self) -> Turn:
        return Turn(self._places)


class Turn:
    """One call's way. Entered, it reads; at the end it holds nothing. Belongs to one thread."""

    def __init__(self, places: tuple[threading.Lock, ...]) -> None:
        self._places = places
        self._held: set[Stage] = set()

    def __enter__(self) -> Self:
        self._take(Stage.READING)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for stage in tuple(self._held):
            self._leave(stage)

    def go(self, stage: Stage) -> None:
        """Waits until this stage, the next one, is free. Nothing to do for a call that is alone."""
        if stage not in self._held:
            self._take(stage)
            self._leave(Stage(stage - 1))

    def alone(self) -> None:
        """Waits until no other call is anywhere, and keeps it so."""
        for stage in tuple(self._held - {Stage.READING}):  # in their order, else two could wait for each other
            self._leave(stage)
        for stage in Stage:
            if stage not in self._held:
                self._take(stage)

    @property
    def beside_others(self) -> bool:
        """Whether another call is at work at this moment."""
        return any(self._places[stage].locked() for stage in Stage if stage not in self._held)

    def _take(self, stage: Stage) -> None:
        self._places[stage].acquire()
        self._held.add(stage)

    def _leave(self, stage: Stage) -> None:
        self._held.remove(stage)
        self._places[stage].release()
