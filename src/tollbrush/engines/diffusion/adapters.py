"""How each of diffusers' editing pipelines is asked: one row a class, after diffusers 0.42.

AutoPipeline is not used: it cannot find InstructPix2Pix, FluxFill and LongCat, nor the masked twins of Kontext,
Qwen-Image-Edit-Plus and klein, and picks a failing one for an inpainting model asked without a mask.

To add a model family, add its row, then a folder of it to `tests/support/tiny_pipelines.py`: every adapter there goes
through the same contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tollbrush.errors import BadSettings

_MEGAPIXEL: Final = 1024 * 1024


@dataclass(frozen=True)
class Words:
    """How long a prompt may be. `how`: what cuts it (`words.count`): `clip` every CLIP tokenizer's own length, `t5` the
    second tokenizer, `chat` a chat template around it, `processor` the same with a system message, `quoted` LongCat's
    letter by letter in quotation marks, `plain` the tokens as they are. `limit`: tokens, the template's included;
    None is the tokenizer's own. `see`: the encoder reads the picture too, so its reading belongs to one request."""

    how: Literal["clip", "t5", "chat", "processor", "quoted", "plain"]
    limit: int | None = None
    see: bool = False


@dataclass(frozen=True)
class Adapter:
    """`plain`: the class that edits by words alone; None where it cannot. `masked`: the class that honours a mask; None
    where the whole picture is edited and the caller's composite keeps the mask. Both share all weights.

    `guidance`: its keyword. `cfg`: a negative prompt must be given for guidance to be any. `strength` and
    `masked_strength`: how much of the source is noised away, where the class takes it. `multiple`: of which both sides
    are. `pixels`: the largest area it is trained for. `sources` and `masked_sources`: how many pictures; `listed`:
    several go as a list in `image`; `reference`: the keyword of a second one beside a mask. `latents`: the form that
    previews are unpacked from. `generative`: the source is a
    reference beside the result and keeps its own shape; else it is noised, and must have the result's. `batch`: what
    may be made together: `prompts` any requests of equal shape, `references` the same by words alone and with a mask
    `images`, the n of one request; `masked_batch`: with a mask, too. `keep`: keywords that are always given. `beside`:
    whether a call may read and decode while another steps."""

    plain: str | None
    masked: str | None
    words: Words
    steps: int
    latents: Literal["spatial", "packed", "flux2", "qwen"]
    guidance: str = "guidance_scale"
    guided: float | None = None
    cfg: bool = False
    strength: float | None = None
    masked_strength: float = 1.0
    multiple: int = 16
    pixels: int = _MEGAPIXEL
    sources: int = 1
    masked_sources: int = 1
    listed: bool = False
    reference: str | None = None
    generative: bool = True
    batch: Literal["prompts", "references", "images"] = "images"
    masked_batch: bool = True
    beside: bool = True
    keep: Mapping[str, float] = field(default_factory=dict)

    @property
    def opens(self) -> str:
        """The class that a folder is read as; the other is made of the same weights."""
        name = self.plain or self.masked
        assert name is not None
        return name


_CHAT: Final = Words("chat", 512)
_CLIP: Final = Words("clip")
_T5: Final = Words("t5", 512)

_KLEIN: Final = Adapter(
    "Flux2KleinPipeline", "Flux2KleinInpaintPipeline", _CHAT, steps=4, latents="flux2",
    sources=4, masked_sources=2, listed=True, reference="image_reference", batch="references",
)  # fmt: skip
_FLUX2: Final = Adapter(
    "Flux2Pipeline", None, Words("processor", 512), steps=28, latents="flux2", guided=4.0, sources=4, listed=True,
    batch="references",
)  # fmt: skip
_QWEN: Final = Adapter(
    "QwenImageEditPipeline", "QwenImageEditInpaintPipeline", Words("plain", 1024, see=True), steps=40, latents="qwen",
    guidance="true_cfg_scale", guided=4.0, cfg=True,
    masked_batch=False,  # its masked twin mixes the images of a batch
)  # fmt: skip
_QWEN_PLUS: Final = Adapter(
    "QwenImageEditPlusPipeline", None, Words("plain", 1024, see=True), steps=40, latents="qwen",
    guidance="true_cfg_scale", guided=4.0, cfg=True, sources=3, listed=True,
)  # fmt: skip
_LONGCAT: Final = Adapter(
    "LongCatImageEditPipeline", None, Words("quoted", 512, see=True), steps=50, latents="packed", guided=4.5,
    generative=False,
)  # fmt: skip
_Z_IMAGE: Final = Adapter(
    "ZImageImg2ImgPipeline", "ZImageInpaintPipeline", _CHAT, steps=9, latents="spatial", guided=0.0, strength=0.6,
    generative=False, batch="prompts",
)  # fmt: skip
_KONTEXT: Final = Adapter(
    "FluxKontextPipeline", "FluxKontextInpaintPipeline", _T5, steps=28, latents="packed", guided=2.5,
)  # fmt: skip
_FILL: Final = Adapter(
    None, "FluxFillPipeline", _T5, steps=50, latents="packed", guided=30.0, generative=False, batch="prompts",
)  # fmt: skip
_SDXL: Final = Adapter(
    None, "StableDiffusionXLInpaintPipeline", _CLIP, steps=30, latents="spatial", guided=8.0, masked_strength=0.99,
    multiple=8, generative=False, batch="prompts",
    beside=False,  # it casts its VAE while it works
)  # fmt: skip
_SD: Final = Adapter(
    None, "StableDiffusionInpaintPipeline", _CLIP, steps=30, latents="spatial", guided=7.5, multiple=8,
    pixels=512 * 512, generative=False, batch="prompts",
)  # fmt: skip
_PIX2PIX: Final = Adapter(
    "StableDiffusionInstructPix2PixPipeline", None, _CLIP, steps=30, latents="spatial", guidance="image_guidance_scale",
    guided=1.5, multiple=8, pixels=512 * 512, keep={"guidance_scale": 7.5}, generative=False, batch="prompts",
)  # fmt: skip

ADAPTERS: Final[Mapping[str, Adapter]] = {
    "Flux2KleinPipeline": _KLEIN,
    "Flux2KleinInpaintPipeline": _KLEIN,
    "Flux2Pipeline": _FLUX2,
    "QwenImageEditPipeline": _QWEN,
    "QwenImageEditInpaintPipeline": _QWEN,
    "QwenImageEditPlusPipeline": _QWEN_PLUS,
    "LongCatImageEditPipeline": _LONGCAT,
    "ZImagePipeline": _Z_IMAGE,
    "ZImageImg2ImgPipeline": _Z_IMAGE,
    "ZImageInpaintPipeline": _Z_IMAGE,
    "FluxKontextPipeline": _KONTEXT,
    "FluxKontextInpaintPipeline": _KONTEXT,
    "FluxFillPipeline": _FILL,
    "StableDiffusionXLInpaintPipeline": _SDXL,
    "StableDiffusionInpaintPipeline": _SD,
    "StableDiffusionInstructPix2PixPipeline": _PIX2PIX,
}
"""By the `_class_name` of `model_index.json`."""


def adapter(pipeline: str, where: str) -> Adapter:
    """`where` names the model in the message. Raises BadSettings for a class that edits no pictures, or is unknown."""
    found = ADAPTERS.get(pipeline)
    if found is None:
        known = ", ".join(sorted({row.opens for row in ADAPTERS.values()}))
        raise BadSettings(
            f"{where} is a {pipeline[:80]!r}, which this engine cannot ask to edit a picture; it knows {known}.",
            advice="Choose a model of one of these, or say `pipeline` where one of them reads the same weights.",
        )
    return found
