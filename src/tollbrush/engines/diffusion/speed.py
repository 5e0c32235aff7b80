"""What makes a GPU faster at equal output, in the order in which it is applied. Nothing of it is done on a CPU.

| Part | Why |
|---|---|
| TF32 for what stays in float32 | the VAE's norms and the schedulers' sums; bf16 work is untouched |
| channels-last VAE and U-Net | cuDNN's convolutions want it |
| the best attention present | FlashAttention 3, 2, cuDNN's (from Hopper on), else torch's own choice |
| compiled repeated blocks | one block is compiled, not sixty: minutes become seconds |
| shapes are warmed, then the book is closed | no customer waits for a compiler; a new shape runs eagerly |

Two different shapes make the compiler write one code for its first shape and one for all others, so the book stays
short. fp8 is torchao's: weights per row, activations as they come.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.model import DType, Tuning
from tollbrush.errors import BadSettings

_AMPERE: Final = (8, 0)
"""The first GPUs with bfloat16 arithmetic; older ones only imitate it."""
_HOPPER: Final = (9, 0)
_ADA: Final = (8, 9)
"""The first GPUs with float8 arithmetic."""
_MASKLESS: Final = ("flux2", "packed")
"""Forms whose transformers never mask a token: FlashAttention takes no mask."""


def apply(pipe: Any, adapter: Adapter, tuning: Tuning, device: str) -> tuple[str, ...]:
    """What was done, in words. Raises BadSettings for a backend or arithmetic that is not there."""
    if not device.startswith("cuda"):
        return ()
    import torch

    torch.set_float32_matmul_precision("high")
    done = ["tf32"]
    denoiser = _denoiser(pipe)
    if tuning.channels_last:
        for part in (pipe.vae, getattr(pipe, "unet", None)):
            if part is not None and _has_planes(part):
                part.to(memory_format=torch.channels_last)
        done.append("channels-last")
    capability = torch.cuda.get_device_capability(device)
    if tuning.fp8:
        _to_float8(denoiser, capability)
        done.append("fp8")
    backend = tuning.attention or best_attention(adapter, capability)
    if hasattr(denoiser, "set_attention_backend"):
        _attend(denoiser, backend)
        done.append(f"attention {backend}")
    if tuning.compile and getattr(denoiser, "_repeated_blocks", None):
        denoiser.compile_repeated_blocks()
        done.append("compiled blocks")
    return tuple(done)


def best_attention(adapter: Adapter, capability: tuple[int, int]) -> str:
    """`native` is torch's own choice, FlashAttention 2 where it fits. One is always named: a model without one gets
    what was last given to another."""
    if adapter.latents in _MASKLESS:
        if capability >= _HOPPER and importlib.util.find_spec("flash_attn_interface") is not None:
            return "_flash_3"
        if importlib.util.find_spec("flash_attn") is not None:
            return "flash"
    return "_native_cudnn" if capability >= _HOPPER else "native"


def arithmetic(wanted: DType, capability: tuple[int, int] | None) -> DType:
    """What the GPU computes in: half precision where it has no bfloat16. None: no GPU of NVIDIA's."""
    old = capability is not None and capability < _AMPERE
    return "float16" if old and wanted == "bfloat16" else wanted


def has_float8(device: str) -> bool:
    """Whether `fp8` could be switched on here."""
    if not device.startswith("cuda") or importlib.util.find_spec("torchao") is None:
        return False
    import torch

    capability: tuple[int, int] = torch.cuda.get_device_capability(device)
    return capability >= _ADA


def shapes(sizes: Sequence[Size], most: Size) -> tuple[Size, ...]:
    """What is warmed: the sizes sold, `most` where none is said; two at least, for the compiler's sake."""
    wanted = tuple(dict.fromkeys(sizes)) or (most,)
    if len(wanted) > 1:
        return wanted
    only = wanted[0]
    other = Size(only.width, only.height // 2) if only.height >= only.width else Size(only.width // 2, only.height)
    return (only, other)


@contextlib.contextmanager
def stance(device: str, *, compiling: bool) -> Iterator[None]:
    """While warming up new shapes are compiled; afterwards they run eagerly. Torch keeps one stance for all threads:
    hold the device."""
    if not device.startswith("cuda"):
        yield
        return
    import torch

    # Compiled kernels start on the thread's own device.
    with torch.cuda.device(device), torch.compiler.set_stance("default" if compiling else "eager_on_recompile"):
        yield


def _denoiser(pipe: Any) -> Any:
    return getattr(pipe, "transformer", None) or pipe.unet


def _has_planes(part: Any) -> bool:
    """Qwen's VAE convolves over time too, and has no channels-last form."""
    return all(weight.dim() <= 4 for weight in part.parameters())


def _attend(denoiser: Any, backend: str) -> None:
    try:
        denoiser.set_attention_backend(backend)
    except (ValueError, RuntimeError, ImportError) as missing:
        raise BadSettings(
            f"the attention backend {backend!r} cannot be used: {str(missing)[:300]}",
            advice="Leave attention out: the best one present is taken.",
        ) from missing


def _to_float8(denoiser: Any, capability: tuple[int, int]) -> None:
    if capability < _ADA:
        raise BadSettings(
            f"fp8 is on, and this GPU (compute capability {capability[0]}.{capability[1]}) has no float8 arithmetic.",
            advice="Say fp8 = false; it needs an Ada, Hopper or Blackwell GPU.",
        )
    try:
        from torchao.quantization import Float8DynamicActivationFloat8WeightConfig, PerRow, quantize_
    except ImportError as missing:
        raise BadSettings("fp8 is on, and torchao is not installed.", advice="pip install torchao") from missing
    import torch

    def large(module: Any, name: str) -> bool:
        """Small layers lose more by converting than they gain; the first and the last carry the picture's detail."""
        return isinstance(module, torch.nn.Linear) and min(module.weight.shape) >= 1024 and "blocks" in name

    quantize_(denoiser, Float8DynamicActivationFloat8WeightConfig(granularity=PerRow()), filter_fn=large)
