"""The line before a pipeline: few threads run it, images of equal shape go together.

Two threads on one pipeline gave 6 wrong pictures of 12 without an exception: here each call has a turn at the device
(`stages.Turn`), and what a pipeline counts on itself is each call's own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tollbrush.engines.diffusion.stages import Stages, Turn
from tollbrush.errors import Unavailable

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels


@dataclass(eq=False)
class Image:
    """One image to be made. `sources` and `mask` are PIL pictures at the size worked at. `kin`: images of equal kin
    may be made in one call. `heard` is told the fraction done, and unfinished pictures; `alive` asked whether anybody
    waits. Its future holds a function that gives the pixels: they may still be on their way from the GPU."""

    prompt: str
    sources: Sequence[Any]
    mask: Any
    size: tuple[int, int]
    seed: int
    previews: int
    kin: Hashable
    request: int
    heard: Callable[[float, Pixels | None], None]
    alive: Callable[[], bool]
    made: Future[Callable[[], Pixels]] = field(default_factory=Future)

    def wanted(self) -> bool:
        return not self.made.done() and self.alive()

    def advance(self, fraction: float, preview: Pixels | None = None) -> None:
        self.heard(fraction, preview)


Make = Callable[[Sequence[Image], Turn], "Sequence[Callable[[], Pixels]]"]
"""Makes images of equal kin, in order."""


class Line:
    """`most` images at once, by `hands` threads. First come, first served, except that equals are taken along with the
    first. Who is next is chosen when it can begin, not before: so equals find each other while they wait."""

    def __init__(self, name: str, make: Make, most: int, stages: Stages, hands: int = 1) -> None:
        self._make, self._most, self._stages = make, most, stages
        self._waiting: deque[Image] = deque()
        self._closed = False
        self._changed = threading.Condition()
        self._hands = [
            threading.Thread(target=self._serve, name=f"diffusion {name}", daemon=True) for _ in range(hands)
        ]
        for hand in self._hands:
            hand.start()

    def join(self, images: Sequence[Image]) -> None:
        """Raises Unavailable once the line is closed."""
        with self._changed:
            if self._closed:
                raise _unloaded()
            self._waiting.extend(images)
            self._changed.notify_all()

    def close(self) -> None:
        """Returns after the images at work; those that wait are told that the model went away."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for hand in self._hands:
            hand.join()
        with self._changed:  # whoever closes it too finds nobody left to tell
            left, self._waiting = self._waiting, deque()
        for image in left:
            image.made.set_exception(_unloaded())

    def _serve(self) -> None:
        while self._somebody_waits():
            with self._stages.turn() as turn:
                together = self._next()
                if together:
                    _fulfil(together, self._make, turn)

    def _somebody_waits(self) -> bool:
        """Waits until it is so. False: the line is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return not self._closed

    def _next(self) -> list[Image]:
        """The first that is still wanted, and its equals; the others keep their places."""
        together: list[Image] = []
        others: deque[Image] = deque()
        with self._changed:
            if self._closed:
                return together
            for image in self._waiting:
                if not image.wanted():
                    image.made.cancel()
                elif len(together) < self._most and (not together or image.kin == together[0].kin):
                    together.append(image)
                else:
                    others.append(image)
            self._waiting = others
        return together


def _fulfil(together: list[Image], make: Make, turn: Turn) -> None:
    try:
        made = make(together, turn)
    except Exception as error:  # noqa: BLE001  each waiting thread raises it; this one serves on
        for image in together:
            image.made.set_exception(error)
        return
    for image, pixels in zip(together, made, strict=True):
        image.made.set_result(pixels)


def _unloaded() -> Unavailable:
    return Unavailable("this model is being unloaded.")
