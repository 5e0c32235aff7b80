"""Counting a prompt's words, while the pipeline reads others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.interface import EditInput
from tollbrush.errors import BadRequest

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' sigmas
@pytest.mark.parametrize(
    ("pipeline", "mark", "fits"),
    [
        ("StableDiffusionInstructPix2PixPipeline", 0, 75),  # two of CLIP's 77 are markers
        ("FluxKontextPipeline", 1, 511),  # one of T5's 512 is the end; a word begins with a mark
    ],
)
def test_the_last_word_that_fits(tiny: Callable[[str], Path], pipeline: str, mark: int, fits: int) -> None:
    models = Models([DiffusionModel(pipeline, str(tiny(pipeline)), steps=1)], "cpu")
    grey = np.full((64, 64, 3), 90, np.uint8)

    def edit(tokens: int) -> None:
        models.edit(pipeline, EditInput((grey,), "a" * (tokens - mark), Size(64, 64)))

    try:
        edit(fits)
        with pytest.raises(BadRequest, match=rf"prompt is {fits + 1} tokens to this model; it reads {fits}\."):
            edit(fits + 1)
    finally:
        models.close()


def test_counting_leaves_the_pipelines_own_tokenizer_alone(tiny: Callable[[str], Path]) -> None:
    """It cuts and pads to 512 while it reads; to count without is told to a copy."""
    name = "Flux2KleinPipeline"
    models = Models([DiffusionModel(name, str(tiny(name)), steps=1)], "cpu")
    grey = np.full((64, 64, 3), 90, np.uint8)
    try:
        models.edit(name, EditInput((grey,), "make it snowy", Size(64, 64)))
        backend = models._lines[name].pipeline.any.tokenizer.backend_tokenizer
        before = (backend.truncation, backend.padding)
        assert before[0]["max_length"] == before[1]["length"] == 512
        models._lines[name].reader.check("another prompt, counted while the first is read")
        assert (backend.truncation, backend.padding) == before
    finally:
        models.close()
