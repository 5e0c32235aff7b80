"""The line before a pipeline: one thread runs it, images of equal shape go together.

One thread for each pipeline is the lock that pipelines need (two threads on one gave 6 wrong pictures of 12 without an
exception), and CUDA graphs and compiled code stay on the thread that made them.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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


Make = Callable[[Sequence[Image]], "Sequence[Callable[[], Pixels]]"]
"""Makes images of equal kin, in order."""


class Line:
    """`most` images at once. First come, first served, except that equals are taken along with the first."""

    def __init__(self, name: str, make: Make, most: int) -> None:
        self._make, self._most = make, most
        self._arrived: queue.SimpleQueue[Image | None] = queue.SimpleQueue()
        self._waiting: deque[Image] = deque()
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name=f"diffusion {name}", daemon=True)
        self._thread.start()

    def join(self, images: Sequence[Image]) -> None:
        """Raises Unavailable once the line is closed."""
        with self._gate:
            if self._closed:
                raise Unavailable("this model is being unloaded.")
            for image in images:
                self._arrived.put(image)

    def close(self) -> None:
        """Returns after the images at work; those that wait are told that the model went away."""
        with self._gate:
            self._closed = True
            self._arrived.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while self._collect():
            together = self._next()
            if together:
                _fulfil(together, self._make)
        for image in self._waiting:
            image.made.set_exception(Unavailable("this model is being unloaded."))

    def _collect(self) -> bool:
        """Everybody who has arrived stands in line; waits where nobody does. False: it is closed."""
        while not self._waiting or not self._arrived.empty():
            image = self._arrived.get()
            if image is None:
                return False
            self._waiting.append(image)
        return True

    def _next(self) -> list[Image]:
        """The first that is still wanted, and its equals; the others keep their places."""
        together: list[Image] = []
        others: deque[Image] = deque()
        for image in self._waiting:
            if not image.wanted():
                image.made.cancel()
            elif len(together) < self._most and (not together or image.kin == together[0].kin):
                together.append(image)
            else:
                others.append(image)
        self._waiting = others
        return together


def _fulfil(together: list[Image], make: Make) -> None:
    try:
        made = make(together)
    except Exception as error:  # noqa: BLE001  each waiting thread raises it; this one serves on
        for image in together:
            image.made.set_exception(error)
        return
    for image, pixels in zip(together, made, strict=True):
        image.made.set_result(pixels)
