"""When a device has no room: smaller pieces, fewer images, then a clear no. Never a dead worker."""

from __future__ import annotations

import gc
import threading
from typing import Any, Final

from tollbrush.errors import BadSettings, NoRoom, Unavailable

_GIB: Final = 2**30
_SAID: Final = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""How CUDA's libraries and the CPU's allocator say it, where torch has no class for it."""
_COMPILERS: Final = ("torch._dynamo", "torch._inductor")
"""What they had no room for is not needed: it runs without them."""


TILE: Final = 512
"""Pixels a side."""


def is_full(error: BaseException) -> bool:
    """Whether an error of torch means that there was no room."""
    import torch

    if type(error).__module__.startswith(_COMPILERS):
        return False
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


class Shelf:
    """The weights that a device holds, by model, in bytes. `most`: of all together, None: what the device has room for.
    `margin`: the part of the device's memory that the work itself needs."""

    def __init__(self, most: int | None, margin: float) -> None:
        self._most, self._margin = most, margin
        self._held: dict[str, int] = {}
        self._counting = threading.Lock()

    def take(self, name: str, weights: int, largest: int, free: int | None, *, offload: bool) -> None:
        """`weights` of all parts and of the `largest`, as loaded; `free`: of the device's memory, None where nobody
        counts it. Raises NoRoom where they would fit if other models left, BadSettings where they never will."""
        needed = largest if offload else weights
        with self._counting:
            held = sum(self._held.values())
        needs = f"{name} needs {_gib(needed)} for its weights"
        if self._most is not None and not _fits(needs, needed, self._most - held, self._most):
            raise BadSettings(
                f"{needs}; engines.diffusion.memory is {_gib(self._most)}.",
                advice="Raise it, or choose a smaller model.",
            )
        if free is not None:
            whole, work = free + held, 1 - self._margin
            if not _fits(needs, needed, int(free * work), int(whole * work)):
                fewer = "" if offload or largest > whole * work else _OFFLOAD.format(_gib(largest))
                raise BadSettings(
                    f"{needs}; this GPU has {_gib(whole)} free, {_gib(int(whole * work))} beside the work.",
                    advice=f"Take a larger GPU, free this one, {fewer}or choose a smaller model.",
                )
        with self._counting:
            self._held[name] = needed

    def give_back(self, name: str) -> None:
        with self._counting:
            self._held.pop(name, None)


_OFFLOAD: Final = "say offload = true (its largest part is {}), "


def _fits(needs: str, needed: int, left: int, most: int) -> bool:
    """Whether it would if no other model were there. Raises NoRoom while it would only then."""
    if left < needed <= most:
        raise NoRoom(f"{needs}; beside other models {_gib(max(0, left))} are left.", advice="They take turns.")
    return needed <= most


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"
