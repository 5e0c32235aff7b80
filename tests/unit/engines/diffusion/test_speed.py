"""What is chosen for a GPU, as far as it can be told without one. No torch."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion import gears, speed
from tollbrush.engines.diffusion.adapters import ADAPTERS
from tollbrush.engines.diffusion.model import DType, Tuning

KLEIN, Z_IMAGE = ADAPTERS["Flux2KleinPipeline"], ADAPTERS["ZImagePipeline"]
TURING, AMPERE, HOPPER = (7, 5), (8, 0), (9, 0)


@pytest.mark.parametrize(
    ("installed", "capability", "klein", "z_image"),
    [
        ((), AMPERE, ["native"], ["native"]),
        ((), HOPPER, ["_native_cudnn", "native"], ["_native_cudnn", "native"]),
        (("flash_attn",), AMPERE, ["flash", "native"], ["native"]),
        (("flash_attn", "flash_attn_interface"), AMPERE, ["flash", "native"], ["native"]),
        (
            ("flash_attn", "flash_attn_interface"),
            HOPPER,
            ["_flash_3", "flash", "_native_cudnn", "native"],
            ["_native_cudnn", "native"],
        ),
    ],
)
def test_attention(
    monkeypatch: pytest.MonkeyPatch,
    installed: tuple[str, ...],
    capability: tuple[int, int],
    klein: list[str],
    z_image: list[str],
) -> None:
    """Z-Image masks tokens, which FlashAttention cannot."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None) if name in installed else None)
    assert list(gears.attentions(KLEIN, capability)) == klein
    assert list(gears.attentions(Z_IMAGE, capability)) == z_image


@pytest.mark.parametrize(
    ("wanted", "capability", "used"),
    [
        ("bfloat16", TURING, "float16"),
        ("float32", TURING, "float32"),
        ("bfloat16", AMPERE, "bfloat16"),
        ("float16", HOPPER, "float16"),
        ("bfloat16", None, "bfloat16"),
    ],
)
def test_half_precision_where_there_is_no_bfloat16(
    wanted: DType, capability: tuple[int, int] | None, used: DType
) -> None:
    assert speed.arithmetic(wanted, capability) == used


@pytest.mark.parametrize(
    ("sizes", "warmed"),
    [
        ((), [Size(1024, 1024), Size(1024, 512)]),
        ((Size(1536, 1024),), [Size(1536, 1024), Size(768, 1024)]),
        ((Size(1024, 1024), Size(1536, 1024), Size(1024, 1024)), [Size(1024, 1024), Size(1536, 1024)]),
    ],
)
def test_two_shapes_at_least_are_warmed(sizes: tuple[Size, ...], warmed: list[Size]) -> None:
    assert list(speed.shapes(sizes, Size(1024, 1024))) == warmed


def test_nothing_of_it_on_a_cpu() -> None:
    assert speed.apply(None, Tuning(fp8=True), "cpu") == ()
    chosen = gears.choose(None, KLEIN, Tuning(), "cpu")
    assert chosen.of("any shape") == (gears.Gear(),)
    with chosen.engaged(gears.Gear()):
        pass
