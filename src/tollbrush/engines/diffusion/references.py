"""FLUX.2 reads a list of pictures as references of one edit, and repeats them for every image of a batch. Here each
image of a batch has references of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

_MOST: Final = 1024 * 1024
"""Pixels; diffusers shrinks a larger reference, in two steps."""


@contextlib.contextmanager
def each_its_own(pipe: Any, pictures: Sequence[Sequence[Any]]) -> Iterator[None]:
    """While it lasts, a call reads `pictures[i]` (PIL, of the same sizes for each) for image i of its batch."""
    read = pipe.prepare_image_latents

    def prepare(images: Sequence[Any], **named: Any) -> tuple[Any, Any]:
        import torch

        named = {**named, "batch_size": 1, "generator": None}  # references are encoded without noise
        own = [
            read([_like(pipe, picture, first) for picture, first in zip(some, images, strict=True)], **named)
            for some in pictures
        ]
        latents, places = zip(*own, strict=True)
        return torch.cat(latents), torch.cat(places)

    pipe.prepare_image_latents = prepare
    try:
        yield
    finally:
        del pipe.prepare_image_latents


def _like(pipe: Any, picture: Any, first: Any) -> Any:
    """As the pipeline prepares the first image's: 1×3×H×W in -1…1."""
    if picture.width * picture.height > _MOST:
        picture = pipe.image_processor._resize_to_target_area(picture, _MOST)
    height, width = first.shape[-2:]
    return pipe.image_processor.preprocess(picture, height=height, width=width, resize_mode="crop")
