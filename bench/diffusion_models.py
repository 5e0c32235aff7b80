"""Random-weight pipelines to be measured: at the configurations of real models, and tiny."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.adapters import ADAPTERS, Adapter
from tollbrush.engines.diffusion.model import DiffusionModel

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from support.tiny_pipelines import PARTS, qwen_tokenizer, qwen_vl


@dataclass(frozen=True)
class Subject:
    """A pipeline to be measured. `build` makes it on the device in the dtype, which are the defaults while it runs."""

    row: DiffusionModel
    pipeline: str
    build: Callable[[], Any]
    size: Size
    steps: int

    @property
    def adapter(self) -> Adapter:
        return ADAPTERS[self.pipeline]


def tiny() -> list[Subject]:
    """Not a measure of anything but the paths."""

    def build(name: str) -> Callable[[], Any]:
        def built() -> Any:
            import diffusers

            return getattr(diffusers, name)(**PARTS[name]())

        return built

    return [
        Subject(DiffusionModel(f"tiny-{short}", "memory"), name, build(name), Size(64, 64), 2)
        for short, name in (("klein", "Flux2KleinPipeline"), ("pix2pix", "StableDiffusionInstructPix2PixPipeline"))
    ]


def real() -> list[Subject]:
    """At the sizes and steps they are sold with."""
    square = Size(1024, 1024)
    klein = DiffusionModel("flux.2-klein-4b", "memory", sizes=(square,))
    qwen = DiffusionModel("qwen-image-edit", "memory", sizes=(square,))
    return [
        Subject(klein, "Flux2KleinPipeline", _klein, square, 4),
        Subject(qwen, "QwenImageEditPipeline", _qwen, square, 8),
    ]


def _klein() -> Any:
    """black-forest-labs/FLUX.2-klein-4B: 5 joint and 20 single blocks, 24 heads of 128, Qwen3-4B."""
    from diffusers import (
        AutoencoderKLFlux2,
        FlowMatchEulerDiscreteScheduler,
        Flux2KleinPipeline,
        Flux2Transformer2DModel,
    )
    from transformers import Qwen3Config, Qwen3ForCausalLM

    encoder = Qwen3Config(
        vocab_size=151_936, hidden_size=2560, intermediate_size=9728, num_hidden_layers=36, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, max_position_embeddings=40_960, tie_word_embeddings=True,
    )  # fmt: skip
    transformer = Flux2Transformer2DModel(
        in_channels=128, num_layers=5, num_single_layers=20, attention_head_dim=128, num_attention_heads=24,
        joint_attention_dim=3 * 2560, guidance_embeds=False,
    )  # fmt: skip
    return Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=AutoencoderKLFlux2().eval(),
        text_encoder=Qwen3ForCausalLM(encoder).eval(),
        tokenizer=qwen_tokenizer(),
        transformer=transformer.eval(),
        is_distilled=True,
    )


def _qwen() -> Any:
    """Qwen/Qwen-Image-Edit: diffusers' own defaults are its transformer and VAE; Qwen2.5-VL-7B."""
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImageEditPipeline,
        QwenImageTransformer2DModel,
    )

    tokenizer = qwen_tokenizer()
    text = {
        "vocab_size": 152_064, "hidden_size": 3584, "intermediate_size": 18_944, "num_hidden_layers": 28,
        "num_attention_heads": 28, "num_key_value_heads": 4, "max_position_embeddings": 128_000,
        "rope_parameters": {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6},
    }  # fmt: skip
    vision = {
        "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 3584,
    }  # fmt: skip
    encoder, processor = qwen_vl(tokenizer, text, vision)
    return QwenImageEditPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=AutoencoderKLQwenImage().eval(),
        text_encoder=encoder,
        tokenizer=tokenizer,
        processor=processor,
        transformer=QwenImageTransformer2DModel().eval(),
    )
