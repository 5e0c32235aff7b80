"""One model's weights, and the calls of diffusers that use them. Runs in the threads of the model's line."""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion import latents, memory, steps, transfers
from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.batches import Image
from tollbrush.engines.diffusion.calls import keywords
from tollbrush.engines.diffusion.gears import Gear, Gears, reason
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.readings import Readings
from tollbrush.engines.diffusion.references import each_its_own
from tollbrush.engines.diffusion.stages import Stage, Turn
from tollbrush.engines.diffusion.streams import Streams
from tollbrush.errors import ContentRefused, EngineFailed, TollbrushError

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels


class Pipeline:
    """`plain` and `masked`: diffusers' pipelines on the same weights. `done`: what makes them faster whatever the gear.
    `beside`: whether a call may read or decode while another one steps."""

    def __init__(
        self, row: DiffusionModel, adapter: Adapter, plain: Any | None, masked: Any | None, device: str,
        gears: Gears, done: tuple[str, ...] = (), *, beside: bool,
    ) -> None:  # fmt: skip
        self.row, self.adapter, self.device, self.beside = row, adapter, device, beside
        self.plain, self.masked = plain, masked
        self.gears, self._done = gears, done
        self._alone_from: int | None = None if beside else 0
        self._tiled_from: int | None = None
        self._streams = Streams(device)
        self._readings = Readings(adapter.words.see, self._streams)
        vae, using = self.any.vae, threading.RLock()
        for method in ("encode", "decode"):
            setattr(vae, method, _one_at_a_time(getattr(vae, method), using))

    @property
    def any(self) -> Any:
        """Either of the two: they share weights, tokenizers and VAE."""
        return self.plain if self.plain is not None else self.masked

    @property
    def speedups(self) -> tuple[str, ...]:
        """What makes it faster, in words."""
        return (*self._done, *self.gears.best.words())

    def settle(self) -> None:
        """Returns once the weights are where they belong: they are read on several streams."""
        self._streams.settle()

    def make(self, images: Sequence[Image], turn: Turn) -> list[Callable[[], Pixels]]:
        """Images of equal kin, made in one call; where the device has no room for it beside others then alone, in
        tiles, in halves, one by one. Raises Unavailable, ContentRefused, EngineFailed, Stopped."""
        area = images[0].size[0] * images[0].size[1]
        tiled = _reached(self._tiled_from, area)
        if tiled or _reached(self._alone_from, area):
            turn.alone()
        try:
            return self._geared(images, turn, tiled=tiled)
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, RuntimeError) and not memory.is_full(error):
                raise self._failed(error) from error
            crowded = turn.beside_others
        except (steps.Stopped, TollbrushError):
            raise
        except Exception as error:
            raise self._failed(error) from error
        turn.alone()
        memory.release(self.device)
        if crowded:
            self._alone_from = area
        elif not _reached(self._tiled_from, area):
            self._tiled_from = area
        elif len(images) > 1:
            half = len(images) // 2
            return [*self.make(images[:half], turn), *self.make(images[half:], turn)]
        else:
            raise memory.no_room(self.row.name, Size(*images[0].size))
        return self.make(images, turn)

    def _geared(self, images: Sequence[Image], turn: Turn, *, tiled: bool) -> list[Callable[[], Pixels]]:
        """In the best gear that neither fails at its steps nor overflows; what fails in all is told as it failed in the
        plainest."""
        shape = (
            self._is_masked(images[0]),
            len(images),
            images[0].size,
            *(source.size for source in images[0].sources),
        )
        why, tried = "", set[Gear]()
        while True:
            gear, *plainer = (each for each in self.gears.of(shape) if each not in tried)
            try:
                made = self._call(images, turn, gear, tiled=tiled)
            except steps.Broken as broken:
                if isinstance(broken.__cause__, EngineFailed) and not plainer:
                    raise broken.__cause__ from None
                if not plainer:
                    raise self._failed(broken.__cause__) from broken.__cause__
                why = why or reason(broken.__cause__)
            else:
                self.gears.serves(shape, gear, why)
                return made
            tried.add(gear)
            turn.alone()  # it reads once more, and others may read by now; they may have shifted, too
            memory.release(self.device)

    def _call(self, images: Sequence[Image], turn: Turn, gear: Gear, *, tiled: bool) -> list[Callable[[], Pixels]]:
        first = images[0]
        masked = self._is_masked(first)
        shared = self.masked if masked else self.plain
        assert shared is not None
        self._readings.begin(first.request)
        # What a call counts on its pipeline and its scheduler is its own; the weights are everybody's.
        pipe = copy.copy(shared)
        pipe.scheduler = steps.fresh(shared.scheduler)
        self._readings.attach(pipe)
        transfers.pin(pipe, self.device)
        shape = first.size[1] / first.size[0]

        def over(made: Sequence[Any]) -> None:
            self._streams.carry(made)
            turn.go(Stage.DECODING)

        pipe.progress_bar = loop = steps.Loop(lambda: self._stepping(turn, images, gear), over)
        steps.watch(pipe, images, functools.partial(_preview, pipe, self.adapter.latents, shape), loop.over)
        with self._streams.beside(), self._tiles(pipe, on=tiled):
            try:
                with self._reading(pipe, images, masked=masked):
                    output = pipe(**keywords(pipe, self.row, self.adapter, images, masked))
            finally:
                pipe.maybe_free_model_hooks()
            _check_safe(output)
            if not _finite(output.images):
                raise steps.Broken from self._overflown()
            return transfers.fetch(latents.to_bytes(output.images), self.device)

    @contextmanager
    def _stepping(self, turn: Turn, images: Sequence[Image], gear: Gear) -> Iterator[None]:
        turn.go(Stage.STEPPING)
        steps.stop_unless_wanted(images)  # it may have waited long
        try:
            with self.gears.engaged(gear), self._streams.stepping():
                yield
        except (steps.Stopped, TollbrushError, MemoryError):
            raise
        except Exception as error:
            if memory.is_full(error):
                raise
            raise steps.Broken from error

    def _is_masked(self, image: Image) -> bool:
        """Whether it is made by the masked twin."""
        return self.plain is None or (image.mask is not None and self.masked is not None)

    @contextmanager
    def _tiles(self, pipe: Any, *, on: bool) -> Iterator[None]:
        """The VAE is everybody's: who decodes in tiles is alone, and puts them away."""
        if not on:
            yield
            return
        memory.tile(pipe, on=True)
        try:
            yield
        finally:
            memory.tile(pipe, on=False)

    def _reading(self, pipe: Any, images: Sequence[Image], *, masked: bool) -> AbstractContextManager[None]:
        """References belong to each image of a batch."""
        if len(images) > 1 and self.adapter.batch == "references" and not masked:
            return each_its_own(pipe, [image.sources for image in images])
        return nullcontext()

    def _failed(self, error: BaseException | None) -> EngineFailed:
        return EngineFailed(f"{self.row.name} failed: {reason(error)}.")

    def _overflown(self) -> EngineFailed:
        return EngineFailed(
            f"{self.row.name} made no picture: its numbers overflowed.",
            advice='Say dtype = "float32" for it, or "bfloat16" on a GPU that has it (Ampere or newer). Nothing was '
            "charged.",
        )


def _preview(pipe: Any, form: str, shape: float, clean: Any, index: int) -> Pixels | None:
    """An unfinished picture, or None: there is no room for it, or this VAE decodes only once it is cast."""
    import torch

    if pipe.vae.dtype == torch.float16 and getattr(pipe.vae.config, "force_upcast", False):
        return None
    try:
        return latents.picture(pipe, form, clean, index, shape)
    except RuntimeError as error:
        if not memory.is_full(error):
            raise
        return None


def _check_safe(output: Any) -> None:
    """Stable Diffusion's own safety checker blackens what it objects to; nobody pays for a black picture."""
    if any(getattr(output, "nsfw_content_detected", None) or ()):
        raise ContentRefused("the model's safety checker refused its own result.")


def _finite(images: Any) -> bool:
    import torch

    return bool(torch.isfinite(images).all())


def _reached(start: int | None, area: int) -> bool:
    return start is not None and area >= start


def _one_at_a_time(method: Callable[..., Any], using: threading.RLock) -> Callable[..., Any]:
    """Qwen's VAE keeps what it convolves over time on itself: encoding would spoil the decoding beside it."""

    @functools.wraps(method)
    def used(*given: Any, **named: Any) -> Any:
        with using:
            return method(*given, **named)

    return used
