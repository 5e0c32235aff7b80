"""When a device has no room: smaller pieces, fewer images, then a clear no. Never a dead worker."""

from __future__ import annotations

import gc
from typing import Any, Final

from tollbrush.errors import NoRoom, Unavailable

_GIB: Final = 2**30
_SAID: Final = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""How CUDA's libraries and the CPU's allocator say it, where torch has no class for it."""


TILE: Final = 512
"""Pixels a side."""


def is_full(error: BaseException) -> bool:
    """Whether an error of torch means that there was no room."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)
    )


def release(device: str) -> None:
    """What nobody holds goes back to the device. Call it outside of `except`: a traceback holds tensors."""
    import torch

    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()


def tile(pipe: Any, *, on: bool) -> None:
    """Decoding in overlapping tiles, one image at a time: a part of the memory, and slower."""
    vae = pipe.vae
    if on and hasattr(vae, "tile_latent_min_size"):  # else its tiles are as large as a whole picture of 1024 pixels
        vae.tile_sample_min_size = min(vae.tile_sample_min_size, TILE)
        vae.tile_latent_min_size = vae.tile_sample_min_size // pipe.vae_scale_factor
    for name in ("tiling", "slicing"):
        switch = getattr(vae, f"{'enable' if on else 'disable'}_{name}", None)
        if switch is not None:
            switch()


def no_room(name: str, size: Any) -> Unavailable:
    return Unavailable(
        f"the GPU has no room for a {size} of {name}, not even for one image in tiles.",
        advice="Nothing was charged. Try a smaller size, or later.",
        retry_after=20,
    )


def check_fits(name: str, weights: int, largest: int, free: int, margin: float, *, offload: bool) -> None:
    """`weights` of all parts and of the `largest`, in bytes as loaded; `free`: of the GPU; `margin`: the part of
    it that the work itself needs. Raises NoRoom saying how much there should be."""
    needed, room = (largest if offload else weights), int(free * (1 - margin))
    if needed <= room:
        return
    fewer = "" if offload or largest > room else f"say offload = true (its largest part is {_gib(largest)}), "
    raise NoRoom(
        f"{name} needs {_gib(needed)} for its weights; this GPU has {_gib(free)} free, {_gib(room)} beside the work.",
        advice=f"Take a larger GPU, free this one, {fewer}or choose a smaller model.",
    )


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"
