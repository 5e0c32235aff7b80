"""How a denoiser is run, from the fastest way to the plainest. What fails in one gear is made again in the next, so
that an attention backend or a compiler that does not work here costs speed and never a sale.

    best attention, compiled ─► next attention, compiled ─► native, compiled ─► the same three eagerly

Shapes that were warmed up keep the gear that made them. Another one takes no compiled gear that none of them has: by
then nothing is compiled any more. Its failure is its own, until several have failed. A request that fails in every gear
is at fault itself, and shifts nothing.
"""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tollbrush.engines.diffusion import cudnn
from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.errors import BadSettings

_HOPPER: Final = (9, 0)
_CUDNN: Final = "_native_cudnn"
_NATIVE: Final = "native"
_MASKLESS: Final = ("flux2", "packed")
"""Forms whose transformers never mask a token: FlashAttention takes no mask."""
_RECOMPILES: Final = 64
"""Forms of a block that the compiler may write: those of one class share them in all models and with every attention,
and by itself it stops at eight, silently."""

_SEVERAL: Final = 3

_TRIED: Final = re.compile(r"got (\w*(?:Error|Exception)\(.{1,200})")


@dataclass(frozen=True)
class Gear:
    """`attention`: diffusers' name of a backend, None where the model knows none. `compiled`: its repeated blocks."""

    attention: str | None = None
    compiled: bool = False

    def words(self) -> tuple[str, ...]:
        how = (f"attention {self.attention}",) if self.attention else ()
        return (*how, "compiled blocks") if self.compiled else how

    def __str__(self) -> str:
        return ", ".join(self.words()) or "plain diffusers"


class Gears:
    """Of one denoiser. `gears`: the fastest first. `engaged` is for the one call that steps, the rest for any thread.
    `told` hears of every gear that was left, and why."""

    def __init__(self, denoiser: Any, gears: Sequence[Gear], device: str) -> None:
        self._denoiser, self._gears, self._device = denoiser, tuple(gears), device
        self._first = 0
        self._proven: dict[Hashable, int] = {}
        self._fallen: dict[Hashable, int] = {}  # where others that failed begin
        self._shifting = threading.Lock()
        self._attention: str | None = None
        self._compiled = False
        self.warming = False
        self.told: Callable[[str], None] = lambda _words: None

    @property
    def best(self) -> Gear:
        """Of those that work here."""
        return self._gears[min(self._proven.values())] if self._proven else self.of(None)[0]

    def of(self, shape: Hashable) -> tuple[Gear, ...]:
        """Those to be tried for it, in order."""
        start = self._proven.get(shape, max(self._first, self._fallen.get(shape, 0)))
        compiled = set(self._proven.values())
        return tuple(
            gear
            for at, gear in enumerate(self._gears)
            if at >= start and (self.warming or at in compiled or not gear.compiled)
        )

    def serves(self, shape: Hashable, gear: Gear, why: str) -> None:
        """`shape` was made in `gear`, and `why` in none before it: "" for the first that was tried. Another call may
        have shifted it meanwhile: it never goes back."""
        at = self._gears.index(gear)
        with self._shifting:
            was = self.of(shape)[0]
            lower = bool(why) and at > self._gears.index(was)
            if self.warming or shape in self._proven:
                self._proven[shape] = max(self._proven.get(shape, 0), at)
                if self.warming and lower:
                    self._first = max(self._first, at)
            elif lower:
                self._fallen[shape] = at
                self._let_fall()
        if lower:
            self.told(f"{was} failed ({why}); it runs with {gear} instead.")

    def _let_fall(self) -> None:
        """Once several shapes have failed, all that were not warmed up begin where the least of those ended."""
        if len(self._fallen) >= _SEVERAL:
            self._first = min(self._fallen.values())
            self._fallen = {shape: at for shape, at in self._fallen.items() if at > self._first}

    @contextmanager
    def engaged(self, gear: Gear) -> Iterator[None]:
        """Around the steps. While warming up new shapes are compiled; afterwards they run eagerly."""
        self._attend(gear.attention)
        with ExitStack() as around:
            if self._device.startswith("cuda"):
                import torch

                around.enter_context(torch.cuda.device(self._device))  # compiled kernels start on the thread's own
            if any(each.compiled for each in self._gears):
                self._take_stance(gear, around)
            yield

    def settle(self) -> None:
        """After the warm-up: what no shape runs compiled is not half so."""
        self.warming = False
        if self._compiled and not any(self._gears[at].compiled for at in self._proven.values()):
            for block in self._denoiser.modules():
                block._compiled_call_impl = None
            self._compiled = False

    def _take_stance(self, gear: Gear, around: ExitStack) -> None:
        """Torch keeps one for all threads: hold the device. Its compiler's settings are each thread's own."""
        import torch._dynamo

        if not gear.compiled:
            around.enter_context(torch.compiler.set_stance("force_eager"))
            return
        if not self._compiled:
            self._denoiser.compile_repeated_blocks()
            self._compiled = True
        around.enter_context(torch._dynamo.config.patch(recompile_limit=_RECOMPILES))
        around.enter_context(torch.compiler.set_stance("default" if self.warming else "eager_on_recompile"))

    def _attend(self, backend: str | None) -> None:
        if backend is not None and backend != self._attention:
            self._attention = None  # half set where it fails
            if backend == _CUDNN:
                cudnn.ask_directly()
            self._denoiser.set_attention_backend(backend)
            self._attention = backend


def choose(denoiser: Any, adapter: Adapter, tuning: Tuning, device: str) -> Gears:
    """A CPU has one gear. Raises BadSettings for an attention backend that nobody knows."""
    if not device.startswith("cuda"):
        return Gears(denoiser, (Gear(),), device)
    import torch

    backends: tuple[str | None, ...] = (None,)
    if _dispatches(denoiser):
        backends = attentions(adapter, torch.cuda.get_device_capability(device), tuning.attention)
    ways = (True, False) if tuning.compile and getattr(denoiser, "_repeated_blocks", None) else (False,)
    return Gears(denoiser, [Gear(backend, compiled) for compiled in ways for backend in backends], device)


def attentions(adapter: Adapter, capability: tuple[int, int], wanted: str | None = None) -> tuple[str, ...]:
    """Those present, the best first, before them the `wanted` one; `native`, last, is torch's own choice,
    FlashAttention 2 where it fits. Who wants that gets no other: a device may have died of one. One is always named: a
    model without one gets what was last given to another."""
    found = []
    if wanted:
        found.append(_known(wanted.lower()))
        if found == [_NATIVE]:
            return (_NATIVE,)
    if adapter.latents in _MASKLESS:
        if capability >= _HOPPER and importlib.util.find_spec("flash_attn_interface") is not None:
            found.append("_flash_3")
        if importlib.util.find_spec("flash_attn") is not None:
            found.append("flash")
    if capability >= _HOPPER:
        found.append(_CUDNN)
    return tuple(dict.fromkeys([*found, _NATIVE]))


def needs_to_be_alone(backend: str | None) -> bool:
    """Whether it switches kernels off for the whole process, under whatever is read or decoded beside it."""
    return backend is not None and backend.lower().startswith("_native_") and backend.lower() != _CUDNN


def reason(error: BaseException | None) -> str:
    """In a line. The compiler first tries a call without numbers; what that said stands within what it says itself."""
    tried = _TRIED.search(str(error))
    words, *_ = str(error).strip().splitlines() or ["no word"]
    return tried[1] if tried else f"{type(error).__name__}: {words if len(words) <= 200 else words[:200] + '…'}"


def _dispatches(denoiser: Any) -> bool:
    """U-Nets ask torch for their attention, whatever is set."""
    return any(hasattr(getattr(part, "processor", None), "_attention_backend") for part in denoiser.modules())


def _known(backend: str) -> str:
    from diffusers.models.attention_dispatch import AttentionBackendName

    known = sorted(each.value for each in AttentionBackendName)
    if backend not in known:
        raise BadSettings(
            f"engines.diffusion.attention is {backend[:80]!r}; diffusers knows {', '.join(known)}.",
            advice="Leave it out: the best one present is taken.",
        )
    return backend
