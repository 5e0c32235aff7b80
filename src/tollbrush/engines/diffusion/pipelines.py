"""One model's weights, and the calls of diffusers that use them. Runs in the threads of the model's line."""

from __future__ import annotations

import copy
import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion import latents, memory, speed, steps, transfers
from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.batches import Image
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.readings import Readings
from tollbrush.engines.diffusion.references import each_its_own
from tollbrush.engines.diffusion.stages import Stage, Turn
from tollbrush.engines.diffusion.streams import Streams
from tollbrush.errors import ContentRefused, EngineFailed, TollbrushError

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels

_NEGATIVE: Final = " "
"""What guidance leads away from: nothing in particular."""


class Pipeline:
    """`plain` and `masked`: diffusers' pipelines on the same weights. `beside`: whether a call may read or decode while
    another one steps."""

    def __init__(
        self, row: DiffusionModel, adapter: Adapter, plain: Any | None, masked: Any | None, device: str, *, beside: bool
    ) -> None:
        self.row, self.adapter, self.device, self.beside = row, adapter, device, beside
        self.plain, self.masked = plain, masked
        self.compiling = False
        self.speedups: tuple[str, ...] = ()
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
            return self._call(images, turn, tiled=tiled)
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

    def _call(self, images: Sequence[Image], turn: Turn, *, tiled: bool) -> list[Callable[[], Pixels]]:
        first = images[0]
        masked = self.plain is None or (first.mask is not None and self.masked is not None)
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

        pipe.progress_bar = loop = steps.Loop(lambda: self._stepping(turn, images), over)
        steps.watch(pipe, images, functools.partial(_preview, pipe, self.adapter.latents, shape), loop.over)
        with self._streams.beside(), self._tiles(pipe, on=tiled):
            try:
                with self._reading(pipe, images, masked=masked):
                    output = pipe(**self._asked(pipe, images, masked=masked))
            finally:
                pipe.maybe_free_model_hooks()
            _check_safe(output)
            _check_finite(output.images, self.row)
            return transfers.fetch(latents.to_bytes(output.images), self.device)

    @contextmanager
    def _stepping(self, turn: Turn, images: Sequence[Image]) -> Iterator[None]:
        turn.go(Stage.STEPPING)
        steps.stop_unless_wanted(images)  # it may have waited long
        with speed.stance(self.device, compiling=self.compiling), self._streams.stepping():
            yield

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

    def _asked(self, pipe: Any, images: Sequence[Image], *, masked: bool) -> dict[str, Any]:
        """The call's keywords, as far as this class takes them."""
        import torch

        row, adapter, first, many = self.row, self.adapter, images[0], len(images)
        mixed = adapter.batch == "prompts" or (adapter.batch == "references" and not masked)
        several = many > 1 and mixed
        generators = [torch.Generator("cpu").manual_seed(image.seed) for image in images]
        asked: dict[str, Any] = {
            "prompt": [image.prompt for image in images] if several else first.prompt,
            "num_images_per_prompt": 1 if several else many,
            "num_inference_steps": row.steps or adapter.steps,
            "generator": generators if many > 1 else generators[0],
            "width": first.size[0],
            "height": first.size[1],
            "max_area": first.size[0] * first.size[1],
            "output_type": "pt",
            **adapter.keep,
        }
        guidance = adapter.guided if row.guidance is None else row.guidance
        if guidance is not None:
            asked[adapter.guidance] = guidance
        if adapter.cfg:
            asked["negative_prompt"] = _NEGATIVE
        strength = row.strength if row.strength is not None else adapter.masked_strength if masked else adapter.strength
        if strength is not None:
            asked["strength"] = strength
        if several and adapter.batch == "prompts":
            asked["image"] = [image.sources[0] for image in images]
        elif adapter.listed and not masked:
            asked["image"] = list(first.sources)
        else:
            asked["image"] = first.sources[0]
        if masked:
            asked["mask_image"] = [image.mask for image in images] if several else first.mask
            if adapter.reference is not None and len(first.sources) > 1:
                asked[adapter.reference] = first.sources[1]
        taken = inspect.signature(type(pipe).__call__).parameters
        return {name: value for name, value in asked.items() if name in taken}

    def _failed(self, error: BaseException) -> EngineFailed:
        said = str(error).strip().splitlines()
        return EngineFailed(f"{self.row.name} failed: {type(error).__name__}: {said[0][:200] if said else 'no word'}.")


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


def _check_finite(images: Any, row: DiffusionModel) -> None:
    import torch

    if not torch.isfinite(images).all():
        raise EngineFailed(
            f"{row.name} made no picture: its numbers overflowed.",
            advice='Say dtype = "float32" for it, or "bfloat16" on a GPU that has it (Ampere or newer). Nothing was '
            "charged.",
        )


def _reached(start: int | None, area: int) -> bool:
    return start is not None and area >= start


def _one_at_a_time(method: Callable[..., Any], using: threading.RLock) -> Callable[..., Any]:
    """Qwen's VAE keeps what it convolves over time on itself: encoding would spoil the decoding beside it."""

    @functools.wraps(method)
    def used(*given: Any, **named: Any) -> Any:
        with using:
            return method(*given, **named)

    return used
