"""What makes a GPU faster at equal output, in the order in which it is applied. Nothing of it is done on a CPU.

| Part | Why |
|---|---|
| TF32 for what stays in float32 | the VAE's norms and the schedulers' sums; bf16 work is untouched |
| channels-last VAE and U-Net | cuDNN's convolutions want it |
| the best attention present | FlashAttention 3, 2, cuDNN's (from Hopper on), else torch's own choice: `gears` |
| compiled repeated blocks | one block is compiled, not sixty, minutes become seconds: `gears` |
| shapes are warmed, then the book is closed | no customer waits for a compiler; a new shape runs eagerly |

Two different shapes make the compiler write one code for its first shape and one for all others, so the book stays
short. fp8 is torchao's: weights per row, activations as they come.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any, Final

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.model import DType, Tuning
from tollbrush.errors import BadSettings

_AMPERE: Final = (8, 0)
"""The first GPUs with bfloat16 arithmetic; older ones only imitate it."""
_ADA: Final = (8, 9)
"""The first GPUs with float8 arithmetic."""


def apply(pipe: Any, tuning: Tuning, device: str) -> tuple[str, ...]:
    """What was done, in words. Raises BadSettings for arithmetic that is not there."""
    if not device.startswith("cuda"):
        return ()
    import torch

    torch.set_float32_matmul_precision("high")
    done = ["tf32"]
    if tuning.channels_last:
        for part in (pipe.vae, getattr(pipe, "unet", None)):
            if part is not None and _has_planes(part):
                part.to(memory_format=torch.channels_last)
        done.append("channels-last")
    if tuning.fp8:
        _to_float8(denoiser(pipe), torch.cuda.get_device_capability(device))
        done.append("fp8")
    return tuple(done)


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


def denoiser(pipe: Any) -> Any:
    """What works at every step."""
    return getattr(pipe, "transformer", None) or pipe.unet


def _has_planes(part: Any) -> bool:
    """Qwen's VAE convolves over time too, and has no channels-last form."""
    return all(weight.dim() <= 4 for weight in part.parameters())


def _to_float8(network: Any, capability: tuple[int, int]) -> None:
    if capability < _ADA:
        raise BadSettings(
            f"fp8 is on, and this GPU (compute capability {capability[0]}.{capability[1]}) has no float8 arithmetic.",
            advice="Say fp8 = false; it needs an Ada, Hopper or Blackwell GPU.",
        )
    import torch

    if network.dtype != torch.bfloat16:
        raise BadSettings(
            f"fp8 is on, and weights in {str(network.dtype).removeprefix('torch.')} cannot be rounded to it.",
            advice='Say dtype = "bfloat16", or fp8 = false.',
        )
    try:
        from torchao.quantization import Float8DynamicActivationFloat8WeightConfig, PerRow, quantize_
    except ImportError as missing:
        raise BadSettings("fp8 is on, and torchao is not installed.", advice="pip install torchao") from missing
    # Its own advice to the compiler has it try for minutes, and would count for the thread that loads, not for those
    # that compile.
    config = Float8DynamicActivationFloat8WeightConfig(granularity=PerRow(), set_inductor_config=False)
    chosen = rounded(network)
    quantize_(network, config, filter_fn=lambda module, _name: module in chosen)


def rounded(network: Any, least: int = 1024) -> set[Any]:
    """The linear layers that go into float8: small ones lose more by converting than they gain, and those outside the
    repeated blocks, the first and the last, carry the picture's detail."""
    import torch

    blocks = (part for part in network.modules() if type(part).__name__ in (network._repeated_blocks or ()))
    layers = {layer for block in blocks for layer in block.modules() if isinstance(layer, torch.nn.Linear)}
    return {layer for layer in layers if min(layer.weight.shape) >= least}
