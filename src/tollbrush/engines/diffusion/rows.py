"""The open models that are known here: what each is called, where its weights are, how it is run, what it costs, and
under which licence. They are for sale only where the operator's settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tollbrush.domain.catalog import Model, SizeTable
from tollbrush.domain.edits import Size
from tollbrush.domain.licences import Licence, licence
from tollbrush.engines.diffusion.adapters import ADAPTERS
from tollbrush.engines.diffusion.model import DiffusionModel


@dataclass(frozen=True)
class Known:
    """`source` is its hub id; in small letters it is the catalog's. `pipeline` as its `model_index.json` says, so that
    nothing need be fetched to know what it can. `gigabytes`: memory of a GPU that holds all its weights."""

    source: str
    name: str
    description: str
    pipeline: str
    terms: Licence
    prices: Mapping[str, str]
    gigabytes: int
    steps: int | None = None
    variant: str | None = None
    guidance: float | None = None
    aliases: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.source.lower()

    @property
    def sizes(self) -> SizeTable:
        return SizeTable({Size.parse(size): Decimal(price) for size, price in self.prices.items()})

    def model(self) -> Model:
        """Its row of the catalog."""
        adapter = ADAPTERS[self.pipeline]
        return Model(
            id=self.id,
            name=self.name,
            provider=self.id.partition("/")[0],
            description=self.description,
            engine="diffusion",
            upstream=self.id,
            sizes=self.sizes,
            mask=True,
            max_sources=adapter.sources,
            licence=self.terms.told(),
            aliases=self.aliases,
        )

    def diffusion(self) -> DiffusionModel:
        """How it is run."""
        return DiffusionModel(
            self.id,
            self.source,
            pipeline=self.pipeline,
            variant=self.variant,
            steps=self.steps,
            guidance=self.guidance,
            sizes=self.sizes.listed(),
        )


_APACHE: Final = licence("apache-2.0")
_DEV: Final = licence("flux-1-dev-non-commercial-license")
_FLUX: Final = licence("flux-non-commercial-license")


def _megapixel(square: str, wide: str) -> dict[str, str]:
    return {"1024x1024": square, "1536x1024": wide, "1024x1536": wide}


KNOWN: Final = (
    Known(
        "black-forest-labs/FLUX.2-klein-4B", "FLUX.2 klein 4B", "A quick editor: four steps a picture.",
        "Flux2KleinPipeline", _APACHE, _megapixel("0.01", "0.015"), 16, aliases=("flux.2-klein", "klein"),
    ),
    Known(
        "Qwen/Qwen-Image-Edit-2511", "Qwen Image Edit 2511", "Follows long instructions; writes and changes lettering.",
        "QwenImageEditPlusPipeline", _APACHE, _megapixel("0.04", "0.06"), 60, aliases=("qwen-image-edit",),
    ),
    Known(
        "Qwen/Qwen-Image-Edit-2509", "Qwen Image Edit 2509", "Combines up to three pictures; changes lettering.",
        "QwenImageEditPlusPipeline", _APACHE, _megapixel("0.04", "0.06"), 60,
    ),
    Known(
        "Qwen/Qwen-Image-Edit", "Qwen Image Edit", "Follows long instructions; a twin of its own for masks.",
        "QwenImageEditPipeline", _APACHE, _megapixel("0.04", "0.06"), 60,
    ),
    Known(
        "meituan-longcat/LongCat-Image-Edit", "LongCat Image Edit", "Keeps what is not asked about as it is.",
        "LongCatImageEditPipeline", _APACHE, _megapixel("0.03", "0.045"), 32, aliases=("longcat",),
    ),
    Known(
        "Tongyi-MAI/Z-Image-Turbo", "Z-Image Turbo", "Repaints a picture after a description, in nine steps.",
        "ZImagePipeline", _APACHE, _megapixel("0.01", "0.015"), 24, aliases=("z-image",),
    ),
    Known(
        "Tongyi-MAI/Z-Image", "Z-Image", "Repaints a picture after a description.",
        "ZImagePipeline", _APACHE, _megapixel("0.03", "0.045"), 24, steps=50, guidance=4.0,
    ),
    Known(
        "diffusers/stable-diffusion-xl-1.0-inpainting-0.1", "SDXL inpainting", "Fills what a mask marks.",
        "StableDiffusionXLInpaintPipeline", licence("openrail++"), _megapixel("0.008", "0.012"), 10,
        variant="fp16", aliases=("sdxl-inpaint",),
    ),
    Known(
        "stable-diffusion-v1-5/stable-diffusion-inpainting", "Stable Diffusion 1.5 inpainting",
        "Fills what a mask marks, on a small GPU.", "StableDiffusionInpaintPipeline", licence("creativeml-openrail-m"),
        {"512x512": "0.003", "768x512": "0.004", "512x768": "0.004"}, 6, variant="fp16", aliases=("sd-inpaint",),
    ),
    Known(
        "timbrooks/instruct-pix2pix", "InstructPix2Pix", "Instructions in plain words, on a small GPU.",
        "StableDiffusionInstructPix2PixPipeline", licence("creativeml-openrail-m"),
        {"512x512": "0.003", "768x512": "0.004", "512x768": "0.004"}, 6, aliases=("instruct-pix2pix",),
    ),
    Known(
        "black-forest-labs/FLUX.1-Kontext-dev", "FLUX.1 Kontext dev", "Edits from words.",
        "FluxKontextPipeline", _DEV, _megapixel("0.03", "0.045"), 40,
    ),
    Known(
        "black-forest-labs/FLUX.1-Fill-dev", "FLUX.1 Fill dev", "Fills what a mask marks.",
        "FluxFillPipeline", _DEV, _megapixel("0.03", "0.045"), 40,
    ),
    Known(
        "black-forest-labs/FLUX.2-dev", "FLUX.2 dev", "Edits from words and several pictures.",
        "Flux2Pipeline", _FLUX, _megapixel("0.06", "0.09"), 120,
    ),
    Known(
        "black-forest-labs/FLUX.2-klein-9B", "FLUX.2 klein 9B", "Edits from words, in four steps.",
        "Flux2KleinPipeline", _FLUX, _megapixel("0.02", "0.03"), 40,
    ),
)  # fmt: skip
DEFAULT: Final = KNOWN[0]
"""What a GPU is given when the settings name no model."""

UNSOLD: Final[Mapping[str, Licence]] = {
    **{row.id: row.terms for row in KNOWN if row.terms.sale == "no"},
    "black-forest-labs/flux.1-dev": _DEV,
    "black-forest-labs/flux.2-klein-base-9b": _FLUX,
    "qwen/qwen-image-2.1": licence("qwen-research"),
    "briaai/fibo-edit": licence("bria-non-commercial"),
    "briaai/fibo-2.0-dev": licence("bria-non-commercial"),
}
"""Hub ids in small letters that may not be sold, whatever a settings file calls their licence."""


def named(name: str) -> Known | None:
    """By its id, its hub id or an alias."""
    return next((row for row in KNOWN if name.lower() in (row.id, *row.aliases)), None)
