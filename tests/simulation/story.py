"""What happened in a history, line by line, where somebody listens."""

from __future__ import annotations

from simulation.loop import VirtualLoop


class Story:
    """Knows the time, and nobody else: a history that is over dies at once, without the garbage collector."""

    def __init__(self, loop: VirtualLoop, *, tell: bool) -> None:
        self._loop, self.told = loop, tell
        self.lines: list[str] = []

    def note(self, text: str, *about: object) -> None:
        """`about` fills the braces of `text`; put together only when told."""
        if self.told:
            self.lines.append(f"{self._loop.time():9.3f}  {text.format(*about)}")
