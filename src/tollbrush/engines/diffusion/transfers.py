"""Between main memory and a GPU through pinned pages, which travel twice as fast and need nobody to wait for them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels


def pin(pipe: Any, device: str) -> None:
    """What this pipeline prepares of a picture or a mask lies ready for a GPU to take."""
    if not device.startswith("cuda"):
        return
    for name in ("image_processor", "mask_processor"):
        if (processor := getattr(pipe, name, None)) is not None:
            setattr(pipe, name, pinning(processor, lambda prepared: prepared.pin_memory()))


def pinning(processor: Any, pin: Callable[[Any], Any]) -> Any:
    """The same processor for one call, whose pictures are pinned by `pin`."""
    own = copy.copy(processor)
    preprocess = processor.preprocess

    @functools.wraps(preprocess)
    def prepare(*given: Any, **named: Any) -> Any:
        return pin(preprocess(*given, **named))

    own.preprocess = prepare
    return own


def fetch(pixels: Any, device: str) -> list[Callable[[], Pixels]]:
    """The pixels of each (B×H×W×3 uint8), once asked for: they travel while the GPU works on."""
    import torch

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
