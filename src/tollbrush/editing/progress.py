"""How far an edit is, and what it looks like on the way: kept in the memory of the process that works.

A preview leaves before anything is charged, so it is a thumbnail: `SIDE` pixels at most, and half of what is sold,
scaled down here whatever an engine shows (ADR 12).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tollbrush.domain.edits import Size
from tollbrush.domain.jobs import Job
from tollbrush.editing.pixels import Prepared, feather_radius
from tollbrush.imaging import codec
from tollbrush.imaging.codec import Pixels
from tollbrush.imaging.composite import composite
from tollbrush.imaging.geometry import resize

SIDE: Final = 256


@dataclass(frozen=True)
class Preview:
    """An unfinished picture, encoded. `image` counts the request's images, `number` the previews of that one."""

    image: int
    number: int
    data: bytes
    size: Size


class Watch:
    """One caller's view of an edit under way. `begun` gets its job once the payment is bound; previews follow in
    order."""

    def __init__(self) -> None:
        self.begun: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        self.previews: asyncio.Queue[Preview] = asyncio.Queue()


class Track:
    """What one edit has told. `fraction` only ever rises, within 0..1; None while nothing is known."""

    def __init__(self, previews: int = 0) -> None:
        self.fraction: float | None = None
        self.newest: Preview | None = None
        self._wanted, self._shown = previews, list[Preview]()
        self._counts: dict[int, int] = {}
        self._watches: list[Watch] = []

    def advance(self, fraction: float | None) -> None:
        if fraction is not None and fraction >= 0:  # no NaN
            self.fraction = max(self.fraction or 0.0, min(1.0, fraction))

    def number(self, image: int) -> int | None:
        """The next preview's number for this image; None when no more are wanted of it."""
        count = self._counts.get(image, 0)
        if count >= self._wanted:
            return None
        self._counts[image] = count + 1
        return count

    def show(self, preview: Preview) -> None:
        self.newest = preview
        self._shown.append(preview)
        for watch in self._watches:
            watch.previews.put_nowait(preview)

    def watch(self, watch: Watch) -> Callable[[], None]:
        """Show it what was shown before, and what comes. Returns what ends that."""
        for preview in self._shown:
            watch.previews.put_nowait(preview)
        self._watches.append(watch)
        return lambda: self._watches.remove(watch)


def thumbnail(prepared: Prepared, pixels: Pixels) -> tuple[bytes, Size]:
    """An engine's unfinished picture as the caller may see it: at most SIDE a side and half of what is sold, within
    the mask, in the format asked for."""
    base = prepared.base
    pixels = prepared.working.invert(resize(pixels, prepared.input.size))
    wanted = Size(pixels.shape[1], pixels.shape[0])
    if prepared.mask is not None:
        pixels = composite(base, pixels, prepared.mask, feather_radius(wanted))
    scale = min(0.5, SIDE / max(wanted.width, wanted.height))
    small = Size(max(1, round(wanted.width * scale)), max(1, round(wanted.height * scale)))
    return codec.encode(codec.drop_opaque(resize(pixels, small)), prepared.format), small
