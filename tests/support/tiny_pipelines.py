"""Tiny random-weight models of every pipeline class the diffusion engine knows, as folders that `from_pretrained`
reads: real classes, real files, a few hundred kilobytes each, no network."""

from __future__ import annotations

import importlib
import string
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from support import seeing

_CHAT: Final = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
)
_PARTED: Final = (
    "{% for message in messages %}[INST]{{ message['role'] }}: {% for part in message['content'] %}{{ part['text'] }}"
    "{% endfor %}[/INST]{% endfor %}"
)


def build(pipeline: str, folder: Path) -> Path:
    """The folder of a tiny `pipeline`. The same numbers every time."""
    import torch

    seeing.prepare()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import diffusers

        diffusers.utils.logging.set_verbosity_error()
        before = torch.random.get_rng_state()
        torch.manual_seed(7)
        parts = PARTS[pipeline]()
        made = getattr(diffusers, pipeline)(**parts)
        made.save_pretrained(folder)
        torch.random.set_rng_state(before)
    return folder


def weight(folder: Path) -> int:
    """Bytes of a model's numbers, as a CPU loads them."""
    from tollbrush.engines.diffusion.folders import INDEX, check, read_index

    parts = check(folder, read_index((folder / INDEX).read_bytes(), "it"), None, "it")
    return 4 * sum(part.count for part in parts.values())


def _bytes() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


def _clip_tokenizer() -> Any:
    from transformers import CLIPTokenizer

    letters = _bytes()
    vocab = {letter: i for i, letter in enumerate(letters + [letter + "</w>" for letter in letters])}
    vocab["<|startoftext|>"] = len(vocab)
    vocab["<|endoftext|>"] = len(vocab)
    return CLIPTokenizer(vocab=vocab, merges=[], model_max_length=77)


def _clip(tokenizer: Any, kind: str = "CLIPTextModel", **more: Any) -> Any:
    import transformers

    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=37, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=77, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, **more,
    )  # fmt: skip
    return getattr(transformers, kind)(config).eval()


def _t5() -> tuple[Any, Any]:
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(letter, -4.0) for letter in string.printable.strip()]
    tokenizer = T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)
    config = T5Config(vocab_size=len(tokenizer) + 8, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    return tokenizer, T5EncoderModel(config).eval()


def qwen_tokenizer() -> Any:
    """Reads bytes; its markers and its chat template are Qwen's."""
    from transformers import Qwen2Tokenizer

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
               "<|video_pad|>"]  # fmt: skip
    vocab = {token: i for i, token in enumerate(_bytes() + special)}
    made = Qwen2Tokenizer(vocab=vocab, merges=[], additional_special_tokens=special[1:], model_max_length=4096)
    made.chat_template = _CHAT
    return made


def _qwen3(tokenizer: Any) -> Any:
    """Twenty-eight layers: FLUX.2-klein reads the 9th, 18th and 27th."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=28, head_dim=8,
            num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=1024,
        )
    ).eval()  # fmt: skip


def qwen_vl(
    tokenizer: Any, text: Mapping[str, Any] | None = None, vision: Mapping[str, Any] | None = None
) -> tuple[Any, Any]:
    """Qwen2.5-VL and its processor; `text` and `vision` instead of the tiny sizes."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    at = tokenizer.convert_tokens_to_ids
    config = Qwen2_5_VLConfig(
        text_config=text or {
            "vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 4096,
            "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6},
        },
        vision_config=vision or {
            "depth": 2, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16,
            "fullatt_block_indexes": [1],
        },
        image_token_id=at("<|image_pad|>"), video_token_id=at("<|video_pad|>"),
        vision_start_token_id=at("<|vision_start|>"), vision_end_token_id=at("<|vision_end|>"),
    )  # fmt: skip
    processor = Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=_CHAT,
    )
    return Qwen2_5_VLForConditionalGeneration(config).eval(), processor


def _mistral() -> tuple[Any, Any]:
    """Thirty layers: FLUX.2 reads the 10th, 20th and 30th."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        Mistral3Config,
        Mistral3ForConditionalGeneration,
        PixtralImageProcessor,
        PixtralProcessor,
        PreTrainedTokenizerFast,
    )

    special = ["<unk>", "<s>", "</s>", "<pad>", "[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]"]
    inner = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(special + _bytes())}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(special)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        model_max_length=4096,
    )  # fmt: skip
    processor = PixtralProcessor(
        image_processor=PixtralImageProcessor(), tokenizer=tokenizer, patch_size=14, chat_template=_PARTED
    )
    config = Mistral3Config(
        text_config={
            "model_type": "mistral", "vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 16,
            "num_hidden_layers": 30, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8,
            "max_position_embeddings": 1024,
        },
        vision_config={
            "model_type": "pixtral", "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
            "num_attention_heads": 2, "head_dim": 8, "patch_size": 14, "image_size": 56,
        },
        image_token_index=tokenizer.convert_tokens_to_ids("[IMG]"),
    )  # fmt: skip
    return processor, Mistral3ForConditionalGeneration(config).eval()


def _flow(**more: Any) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, **more)


def _vae(channels: int, **more: Any) -> Any:
    """Eight pixels a side to a latent, as the real ones have it."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        latent_channels=channels, block_out_channels=(4, 4, 8, 8), norm_num_groups=4, sample_size=64,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, **more,
    ).eval()  # fmt: skip


def _flux2_vae() -> Any:
    from diffusers import AutoencoderKLFlux2

    return AutoencoderKLFlux2(latent_channels=4, block_out_channels=(4, 4, 8, 8), norm_num_groups=4).eval()


def _qwen_vae() -> Any:
    from diffusers import AutoencoderKLQwenImage

    return AutoencoderKLQwenImage(
        base_dim=8, z_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1, latents_mean=[0.0] * 4, latents_std=[1.0] * 4
    ).eval()


def _flux2_transformer(joint: int, *, guided: bool) -> Any:
    from diffusers import Flux2Transformer2DModel

    return Flux2Transformer2DModel(
        in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=joint, timestep_guidance_channels=32, axes_dims_rope=(4, 4, 4, 4), guidance_embeds=guided,
    ).eval()  # fmt: skip


def _klein() -> Mapping[str, Any]:
    tokenizer = qwen_tokenizer()
    return {
        "scheduler": _flow(), "vae": _flux2_vae(), "text_encoder": _qwen3(tokenizer), "tokenizer": tokenizer,
        "transformer": _flux2_transformer(48, guided=False), "is_distilled": True,
    }  # fmt: skip


def _flux2() -> Mapping[str, Any]:
    processor, encoder = _mistral()
    return {
        "scheduler": _flow(), "vae": _flux2_vae(), "text_encoder": encoder, "tokenizer": processor,
        "transformer": _flux2_transformer(48, guided=True),
    }  # fmt: skip


def _qwen() -> Mapping[str, Any]:
    from diffusers import QwenImageTransformer2DModel

    tokenizer = qwen_tokenizer()
    encoder, processor = qwen_vl(tokenizer)
    transformer = QwenImageTransformer2DModel(
        in_channels=16, out_channels=4, num_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=16, axes_dims_rope=(4, 6, 6),
    ).eval()  # fmt: skip
    return {
        "scheduler": _flow(), "vae": _qwen_vae(), "text_encoder": encoder, "tokenizer": tokenizer,
        "processor": processor, "transformer": transformer,
    }  # fmt: skip


def _longcat() -> Mapping[str, Any]:
    from diffusers import LongCatImageTransformer2DModel

    tokenizer = qwen_tokenizer()
    encoder, processor = qwen_vl(tokenizer)
    transformer = LongCatImageTransformer2DModel(
        in_channels=64, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=16, pooled_projection_dim=16, axes_dims_rope=[4, 6, 6],
    ).eval()  # fmt: skip
    return {
        "scheduler": _flow(), "vae": _vae(16, scaling_factor=0.36, shift_factor=0.11), "text_encoder": encoder,
        "tokenizer": tokenizer, "text_processor": processor, "transformer": transformer,
    }  # fmt: skip


def _z_image() -> Mapping[str, Any]:
    from diffusers import ZImageTransformer2DModel
    from transformers import Qwen3Config, Qwen3Model

    tokenizer = qwen_tokenizer()
    encoder = Qwen3Model(
        Qwen3Config(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=2, head_dim=8,
            num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=1024,
        )
    ).eval()  # fmt: skip
    transformer = ZImageTransformer2DModel(
        in_channels=4, dim=32, n_layers=1, n_refiner_layers=1, n_heads=2, n_kv_heads=2, cap_feat_dim=16,
        axes_dims=[4, 6, 6], axes_lens=[1024, 64, 64],
    ).eval()  # fmt: skip
    return {
        "scheduler": _flow(), "vae": _vae(4, scaling_factor=0.36, shift_factor=0.11), "text_encoder": encoder,
        "tokenizer": tokenizer, "transformer": transformer,
    }  # fmt: skip


def _flux(channels: int) -> Mapping[str, Any]:
    """`channels` of the transformer's input: 16 packed latents, and for Fill the masked picture's and the mask."""
    from diffusers import FluxTransformer2DModel

    tokenizer = _clip_tokenizer()
    tokenizer_2, encoder_2 = _t5()
    transformer = FluxTransformer2DModel(
        in_channels=channels, out_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=32, pooled_projection_dim=32, axes_dims_rope=(4, 4, 8),
        guidance_embeds=True,
    ).eval()  # fmt: skip
    return {
        "scheduler": _flow(), "vae": _vae(4, scaling_factor=0.36, shift_factor=0.11), "text_encoder": _clip(tokenizer),
        "tokenizer": tokenizer, "text_encoder_2": encoder_2, "tokenizer_2": tokenizer_2, "transformer": transformer,
    }  # fmt: skip


def _unet(channels: int, **more: Any) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        in_channels=channels, out_channels=4, sample_size=8, layers_per_block=1, block_out_channels=(8, 16),
        norm_num_groups=4, attention_head_dim=4, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), **{"cross_attention_dim": 32, **more},
    ).eval()  # fmt: skip


_BETAS: Final = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def _inpainting() -> Mapping[str, Any]:
    from diffusers import DDIMScheduler

    tokenizer = _clip_tokenizer()
    return {
        "vae": _vae(4), "text_encoder": _clip(tokenizer), "tokenizer": tokenizer, "unet": _unet(9),
        "scheduler": DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **_BETAS), "safety_checker": None,
        "feature_extractor": None, "requires_safety_checker": False,
    }  # fmt: skip


def _pix2pix() -> Mapping[str, Any]:
    from diffusers import EulerAncestralDiscreteScheduler

    return {**_inpainting(), "unet": _unet(8), "scheduler": EulerAncestralDiscreteScheduler(**_BETAS)}


def _sdxl() -> Mapping[str, Any]:
    from diffusers import EulerDiscreteScheduler

    tokenizer = _clip_tokenizer()
    unet = _unet(
        9, cross_attention_dim=64, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=32 + 6 * 8, use_linear_projection=True,
    )  # fmt: skip
    return {
        "vae": _vae(4), "text_encoder": _clip(tokenizer, projection_dim=32), "tokenizer": tokenizer,
        "text_encoder_2": _clip(tokenizer, "CLIPTextModelWithProjection", projection_dim=32),
        "tokenizer_2": tokenizer, "unet": unet, "scheduler": EulerDiscreteScheduler(**_BETAS),
        "add_watermarker": False,
    }  # fmt: skip


PARTS: Final[Mapping[str, Callable[[], Mapping[str, Any]]]] = {
    "Flux2KleinPipeline": _klein,
    "Flux2Pipeline": _flux2,
    "QwenImageEditPipeline": _qwen,
    "QwenImageEditPlusPipeline": _qwen,
    "LongCatImageEditPipeline": _longcat,
    "ZImagePipeline": _z_image,
    "FluxKontextPipeline": lambda: _flux(16),
    "FluxFillPipeline": lambda: _flux(16 + 16 + 4 * 64),
    "StableDiffusionXLInpaintPipeline": _sdxl,
    "StableDiffusionInpaintPipeline": _inpainting,
    "StableDiffusionInstructPix2PixPipeline": _pix2pix,
}
"""What each class is made of. One for every adapter."""

SEEING: Final = frozenset(
    {"Flux2Pipeline", "QwenImageEditPipeline", "QwenImageEditPlusPipeline", "LongCatImageEditPipeline"}
)
"""Whose processors need torchvision."""

_EDITS: Final = "diffusers.pipelines"
_AREA: Final = 96 * 96


def keep_small(patch: Callable[[Any, str, Any], None]) -> None:
    """Some pipelines work at a megapixel whatever they are given; on two cores, 96 squared has to do. `patch` is
    monkeypatch.setattr."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _keep_small(patch)


def _keep_small(patch: Callable[[Any, str, Any], None]) -> None:
    for place in ("qwenimage.pipeline_qwenimage_edit", "qwenimage.pipeline_qwenimage_edit_inpaint",
                  "longcat_image.pipeline_longcat_image_edit"):  # fmt: skip
        module = importlib.import_module(f"{_EDITS}.{place}")
        patch(module, "calculate_dimensions", _smaller(module.calculate_dimensions))
    plus = importlib.import_module(f"{_EDITS}.qwenimage.pipeline_qwenimage_edit_plus")
    patch(plus, "VAE_IMAGE_SIZE", _AREA)
    patch(plus, "CONDITION_IMAGE_SIZE", _AREA)
    for place in ("flux.pipeline_flux_kontext", "flux.pipeline_flux_kontext_inpaint"):
        patch(importlib.import_module(f"{_EDITS}.{place}"), "PREFERRED_KONTEXT_RESOLUTIONS", [(96, 96), (80, 112)])


def _smaller(dimensions: Callable[[float, float], Any]) -> Callable[[float, float], Any]:
    return lambda _area, ratio: dimensions(_AREA, ratio)
