"""cuDNN's attention, asked for by itself.

diffusers' `_native_cudnn` switches torch's other kernels off while it runs, and does so for the whole process: a prompt
read or a picture decoded beside it found no kernel that fits, and its edit failed. Here nothing is switched.
"""

from __future__ import annotations

from typing import Any


def ask_directly() -> None:
    """From now on, what diffusers calls `_native_cudnn` is `attention`."""
    from diffusers.models import attention_dispatch

    name = attention_dispatch.AttentionBackendName._NATIVE_CUDNN
    attention_dispatch._AttentionBackendRegistry._backends[name] = attention


def attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False, return_lse: bool = False, _parallel_config: Any = None,
) -> Any:  # fmt: skip
    """As diffusers calls its backends: B×S×H×D. What has a mask or shares keys between heads is left to torch's own
    choice. Raises RuntimeError where cuDNN cannot, ValueError for what diffusers asks of its own only."""
    if return_lse or _parallel_config is not None:
        raise ValueError("this attention returns no log-sum-exp, and is not split over devices.")
    import torch

    # Contiguous: of other layouts cuDNN has made wrong results.
    query, key, value = (part.transpose(1, 2).contiguous() for part in (query, key, value))
    if attn_mask is not None or enable_gqa:
        attended = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    else:
        cudnn = torch.ops.aten._scaled_dot_product_cudnn_attention
        attended = cudnn(query, key, value, None, False, dropout_p, is_causal, False, scale=scale)[0]
    return attended.transpose(1, 2)
