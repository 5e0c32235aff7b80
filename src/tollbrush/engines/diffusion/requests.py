"""One request on its way through a line: its images, how far they are together, and what comes of them."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import FIRST_EXCEPTION, CancelledError, wait
from typing import TYPE_CHECKING, Final

from tollbrush.engines.diffusion import frames
from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.batches import Image
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.steps import Stopped
from tollbrush.engines.interface import EditedImage, EditInput, EditOutput, Progress, Report
from tollbrush.errors import BadMask, JobCancelled, UnsupportedParameter

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

_LOOK: Final = 0.1
"""Seconds between two looks at whether a waiting request was cancelled."""

_numbers: Final = itertools.count()


def never() -> bool:
    """For an edit that nobody cancels."""
    return False


def check(row: DiffusionModel, adapter: Adapter, request: EditInput) -> None:
    """What needs no weights to be refused. Raises BadMask, UnsupportedParameter, BadImage."""
    masked = request.mask is not None
    if adapter.plain is None and not masked:
        raise BadMask(
            f"{row.name} fills what a mask marks, and there is none.",
            path="mask",
            advice="Send a mask: white where to edit. Nothing was charged.",
        )
    most = adapter.masked_sources if masked and adapter.masked is not None else adapter.sources
    if len(request.sources) > most:
        raise UnsupportedParameter(
            f"{row.name} takes {most} picture{'s' if most > 1 else ''}{' beside a mask' if masked else ''}, not "
            f"{len(request.sources)}.",
            path="image",
        )
    frames.check_shape(request.sources)


class Asking:
    """Image i of n has seed + i and is an image of its own in the line, so that it comes out as it would alone."""

    def __init__(
        self, row: DiffusionModel, adapter: Adapter, request: EditInput, report: Report, cancelled: Callable[[], bool]
    ) -> None:
        self._request, self._report, self._cancelled = request, report, cancelled
        self._over = False
        self._fractions = [0.0] * request.n
        self._told = 0.0
        self._telling = threading.Lock()
        size = frames.working(request.size, adapter.multiple, row.pixels or adapter.pixels)
        masked = request.mask is not None and adapter.masked is not None
        # A reference keeps its own shape; a picture that is changed in place must lie on its result.
        reference = functools.partial(frames.reference, multiple=adapter.multiple, most=row.pixels or adapter.pixels)
        first, *others = request.sources
        sources = [
            reference(first) if adapter.generative and request.mask is None else frames.shown(first, size),
            *map(reference, others),
        ]
        mask = frames.shown_mask(request.mask, size) if masked and request.mask is not None else None
        number = next(_numbers)
        kin: Hashable = (masked, size, tuple(source.size for source in sources))
        alone = masked and not adapter.masked_batch
        if adapter.batch == "images" or (adapter.batch == "references" and masked):
            kin = (number, kin)
        self.images = [
            Image(
                prompt=request.prompt,
                sources=sources,
                mask=mask,
                size=(size.width, size.height),
                seed=request.seed + i,
                previews=request.previews,
                kin=(i, kin) if alone else kin,
                request=number,
                heard=self._hearing(i),
                alive=self._alive,
            )
            for i in range(request.n)
        ]

    def result(self) -> EditOutput:
        """Waits for all images. Raises what any of them raised; JobCancelled at most `_LOOK` seconds after it was."""
        try:
            waiting = {image.made for image in self.images}
            while waiting:
                done, waiting = wait(waiting, timeout=_LOOK, return_when=FIRST_EXCEPTION)
                if self._cancelled():
                    raise JobCancelled("the edit was cancelled.")
                for future in done:
                    future.result()
            pixels = [frames.answered(image.made.result()(), self._request.size) for image in self.images]
        except (Stopped, CancelledError) as stopped:
            raise JobCancelled("the edit was cancelled.") from stopped
        finally:
            self._over = True
        self._report(Progress(1.0))
        return EditOutput(
            tuple(EditedImage(one, seed=image.seed) for one, image in zip(pixels, self.images, strict=True))
        )

    def _alive(self) -> bool:
        return not self._over and not self._cancelled()

    def _hearing(self, index: int) -> Callable[[float, Pixels | None], None]:
        def hear(fraction: float, preview: Pixels | None) -> None:
            with self._telling:
                if self._over:
                    return
                self._fractions[index] = max(self._fractions[index], fraction)
                # A call that is made again in tiles starts over; what was told stays told.
                self._told = max(self._told, sum(self._fractions) / len(self._fractions))
                self._report(Progress(self._told, preview, index))

        return hear
