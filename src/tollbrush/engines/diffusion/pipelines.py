"""One model's weights, and the calls of diffusers that use them. Everything here runs in the line's own thread."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion import latents, memory, speed, steps
from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.batches import Image
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.readings import Readings
from tollbrush.engines.diffusion.references import each_its_own
from tollbrush.errors import ContentRefused, EngineFailed, TollbrushError

if TYPE_CHECKING:
    import threading

    from tollbrush.engines.interface import Pixels

_NEGATIVE: Final = " "
"""What guidance leads away from: nothing in particular."""


class Pipeline:
    """`plain` and `masked`: diffusers' pipelines on the same weights. `held`: the device, which does one call at a
    time."""

    def __init__(
        self,
        row: DiffusionModel,
        adapter: Adapter,
        plain: Any | None,
        masked: Any | None,
        device: str,
        held: threading.Lock,
    ) -> None:
        self.row, self.adapter, self.device = row, adapter, device
        self.plain, self.masked, self._held = plain, masked, held
        self.compiling = False
        self.speedups: tuple[str, ...] = ()
        self._tiled_from: int | None = None
        self._readings = Readings(adapter.words.see)
        for pipe in {id(pipe): pipe for pipe in (plain, masked) if pipe is not None}.values():
            pipe.set_progress_bar_config(disable=True)
            self._readings.attach(pipe)

    @property
    def any(self) -> Any:
        """Either of the two: they share weights, tokenizers and VAE."""
        return self.plain if self.plain is not None else self.masked

    def make(self, images: Sequence[Image]) -> list[Callable[[], Pixels]]:
        """Images of equal kin, made in one call; where the device has no room in tiles, then in halves, one by one.
        Raises Unavailable, ContentRefused, EngineFailed, Stopped."""
        with self._held:
            return self._make(images)

    def _make(self, images: Sequence[Image]) -> list[Callable[[], Pixels]]:
        area = images[0].size[0] * images[0].size[1]
        try:
            return self._call(images, tiled=self._tiled_from is not None and area >= self._tiled_from)
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, RuntimeError) and not memory.is_full(error):
                raise self._failed(error) from error
        except (steps.Stopped, TollbrushError):
            raise
        except Exception as error:
            raise self._failed(error) from error
        memory.release(self.device)
        if self._tiled_from is None or area < self._tiled_from:
            self._tiled_from = area
            return self._make(images)
        if len(images) > 1:
            half = len(images) // 2
            return [*self._make(images[:half]), *self._make(images[half:])]
        raise memory.no_room(self.row.name, Size(*images[0].size))

    def _call(self, images: Sequence[Image], *, tiled: bool) -> list[Callable[[], Pixels]]:
        first = images[0]
        pipe = self.masked if self.plain is None or (first.mask is not None and self.masked is not None) else self.plain
        assert pipe is not None
        memory.tile(pipe, on=tiled)
        pipe.scheduler = steps.fresh(pipe.scheduler)
        shape = first.size[1] / first.size[0]
        show = functools.partial(_preview, pipe, self.adapter.latents, shape)
        steps.watch(pipe, images, show)
        self._readings.begin(first.request)
        try:
            with speed.stance(self.device, compiling=self.compiling), self._reading(pipe, images):
                output = pipe(**self._asked(pipe, images))
        finally:
            pipe.maybe_free_model_hooks()
        _check_safe(output)
        return _fetch(output.images, self.device, self.row)

    def _mixed(self, pipe: Any) -> bool:
        """Whether the images of a batch may be of several requests."""
        return self.adapter.batch == "prompts" or (self.adapter.batch == "references" and pipe is self.plain)

    def _reading(self, pipe: Any, images: Sequence[Image]) -> AbstractContextManager[None]:
        """References belong to each image of a batch."""
        if len(images) > 1 and self.adapter.batch == "references" and pipe is self.plain:
            return each_its_own(pipe, [image.sources for image in images])
        return nullcontext()

    def _asked(self, pipe: Any, images: Sequence[Image]) -> dict[str, Any]:
        """The call's keywords, as far as this class takes them."""
        import torch

        row, adapter, first, many = self.row, self.adapter, images[0], len(images)
        masked = pipe is self.masked
        several = many > 1 and self._mixed(pipe)
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


def _fetch(images: Any, device: str, row: DiffusionModel) -> list[Callable[[], Pixels]]:
    """The pixels of each, once asked for: from a GPU they travel through pinned memory while it works on."""
    import torch

    if not torch.isfinite(images).all():
        raise EngineFailed(
            f"{row.name} made no picture: its numbers overflowed in {row.dtype}.",
            advice='Say dtype = "bfloat16" or "float32" for it. Nothing was charged.',
        )
    pixels = latents.to_bytes(images)
    if not device.startswith("cuda"):
        return [functools.partial(_given, one) for one in pixels]
    home = torch.empty(pixels.shape, dtype=torch.uint8, pin_memory=True)
    home.copy_(pixels, non_blocking=True)
    arrived = torch.cuda.Event()
    arrived.record(torch.cuda.current_stream(device))
    return [functools.partial(_given, one, arrived) for one in home]


def _given(pixels: Any, arrived: Any = None) -> Pixels:
    if arrived is not None:
        arrived.synchronize()
    array: Pixels = pixels.numpy()
    return array
