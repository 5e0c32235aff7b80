"""What a pipeline of diffusers is asked: a call's keywords, as far as its class takes them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

from tollbrush.engines.diffusion.adapters import Adapter
from tollbrush.engines.diffusion.batches import Image
from tollbrush.engines.diffusion.model import DiffusionModel

_NEGATIVE: Final = " "
"""What guidance leads away from: nothing in particular."""


def keywords(pipe: Any, row: DiffusionModel, adapter: Adapter, images: Sequence[Image], masked: bool) -> dict[str, Any]:
    """For images of equal kin. `masked`: whether `pipe` is the masked twin."""
    import torch

    first, many = images[0], len(images)
    mixed = adapter.batch == "prompts" or (adapter.batch == "references" and not masked)
    several = many > 1 and mixed
    generators = [torch.Generator("cpu").manual_seed(image.seed) for image in images]
    asked: dict[str, Any] = {
        "prompt": [image.prompt for image in images] if several else first.prompt,
        "num_images_per_prompt": 1 if several else many,
        "num_inference_steps": row.steps or adapter.steps,
        "generator": generators if many > 1 else generators[0],
        "width": first.size[0],
        "height": first.size[1],
        "max_area": first.size[0] * first.size[1],
        "output_type": "pt",
        **adapter.keep,
    }
    guidance = adapter.guided if row.guidance is None else row.guidance
    if guidance is not None:
        asked[adapter.guidance] = guidance
    if adapter.cfg:
        asked["negative_prompt"] = _NEGATIVE
    strength = row.strength if row.strength is not None else adapter.masked_strength if masked else adapter.strength
    if strength is not None:
        asked["strength"] = strength
    if several and adapter.batch == "prompts":
        asked["image"] = [image.sources[0] for image in images]
    elif adapter.listed and not masked:
        asked["image"] = list(first.sources)
    else:
        asked["image"] = first.sources[0]
    if masked:
        asked["mask_image"] = [image.mask for image in images] if several else first.mask
        if adapter.reference is not None and len(first.sources) > 1:
            asked[adapter.reference] = first.sources[1]
    taken = inspect.signature(type(pipe).__call__).parameters
    return {name: value for name, value in asked.items() if name in taken}
