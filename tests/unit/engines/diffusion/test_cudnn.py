"""cuDNN's attention beside other work. No CPU has it: its call is answered here by the formula."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tollbrush.engines.diffusion import cudnn
from tollbrush.engines.diffusion.gears import needs_to_be_alone

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


def parts(torch: Any) -> tuple[Any, Any, Any]:
    """Queries, keys and values, B×S×H×D."""
    torch.manual_seed(1)
    return torch.randn(2, 5, 3, 8), torch.randn(2, 7, 3, 8), torch.randn(2, 7, 3, 8)


def formula(torch: Any, query: Any, key: Any, value: Any, mask: Any = None) -> Any:
    scores = torch.einsum("bqhd,bkhd->bhqk", query, key) / 8**0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), value)


def test_nothing_is_switched_off_for_who_works_beside_it(torch: Any) -> None:
    from torch.utils._python_dispatch import TorchDispatchMode

    flags, asked = torch.backends.cuda, []
    every = (flags.flash_sdp_enabled, flags.mem_efficient_sdp_enabled, flags.math_sdp_enabled)

    class Answered(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is not torch.ops.aten._scaled_dot_product_cudnn_attention.default:
                return func(*args, **(kwargs or {}))
            with ThreadPoolExecutor(1) as beside:
                asked.append(beside.submit(lambda: [each() for each in every]).result())
            assert all(part.is_contiguous() for part in args[:3])
            heads_second = formula(torch, *(part.transpose(1, 2) for part in (args[0], args[1], args[2]))).transpose(
                1, 2
            )
            none = torch.empty(0)
            return heads_second, none, none, none, 5, 7, none, none, none

    with Answered():
        attended = cudnn.attention(*parts(torch))
    assert asked == [[True, True, True]]
    torch.testing.assert_close(attended, formula(torch, *parts(torch)))


def test_what_has_a_mask_is_left_to_torch(torch: Any) -> None:
    mask = torch.tensor([True, True, False, True, True, False, True]).expand(2, 1, 5, 7)
    attended = cudnn.attention(*parts(torch), attn_mask=mask)
    torch.testing.assert_close(attended, formula(torch, *parts(torch), mask))


@pytest.mark.parametrize("asked", [{"return_lse": True}, {"_parallel_config": object()}])
def test_what_it_cannot_give_is_refused_and_not_left_out(torch: Any, asked: dict[str, Any]) -> None:
    mask = torch.ones(2, 1, 5, 7, dtype=torch.bool)
    with pytest.raises(ValueError, match="returns no log-sum-exp, and is not split over devices"):
        cudnn.attention(*parts(torch), attn_mask=mask, **asked)


def test_diffusers_asks_it_and_hands_over_what_it_takes(torch: Any) -> None:
    from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn

    cudnn.ask_directly()
    with pytest.raises(NotImplementedError, match="_scaled_dot_product_cudnn_attention"):
        dispatch_attention_fn(*parts(torch), backend=AttentionBackendName._NATIVE_CUDNN)


def test_what_switches_kernels_off_works_alone() -> None:
    alone = [
        each
        for each in (None, "native", "flash", "_flash_3", "sage", "_native_cudnn", "_native_flash", "_NATIVE_MATH")
        if needs_to_be_alone(each)
    ]
    assert alone == ["_native_flash", "_NATIVE_MATH"]
