"""The guide's walk for a family that the engine does not know: a row, a tiny pipeline, and the contract takes it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)  # torch and diffusers are imported twice

ROOT = Path(__file__).parents[4]
FAMILY = """
import warnings
from dataclasses import replace

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers
    from diffusers import StableDiffusionInstructPix2PixPipeline
    from diffusers.schedulers import DDIMScheduler

from support import tiny_pipelines
from tollbrush.engines.diffusion.adapters import ADAPTERS


class SnowEditPipeline(StableDiffusionInstructPix2PixPipeline):
    \"\"\"Takes no guidance by the picture, and another scheduler.\"\"\"

    def __call__(
        self, prompt, image, snow=1.0, num_inference_steps=9, guidance_scale=7.5, num_images_per_prompt=1,
        generator=None, output_type="pil",
    ):
        return super().__call__(
            prompt, image, num_inference_steps, guidance_scale, snow, num_images_per_prompt=num_images_per_prompt,
            generator=generator, output_type=output_type,
        )


def parts():
    return {**tiny_pipelines._pix2pix(), "scheduler": DDIMScheduler(**tiny_pipelines._BETAS)}


diffusers.SnowEditPipeline = SnowEditPipeline
ADAPTERS["SnowEditPipeline"] = replace(
    ADAPTERS["StableDiffusionInstructPix2PixPipeline"], plain="SnowEditPipeline", guidance="snow"
)
tiny_pipelines.PARTS["SnowEditPipeline"] = parts
"""


def test_a_row_and_a_tiny_pipeline_are_all_that_is_needed(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """By the guide's own words, with a family that only this run knows."""
    guide = (ROOT / "docs/guide/gpus.md").read_text()
    (words,) = re.findall(r"^ +python (-m pytest \S+ -k SnowEditPipeline)$", guide, re.MULTILINE)
    (tmp_path / "snow_family.py").write_text(FAMILY)
    paths = os.pathsep.join(map(str, (tmp_path, ROOT / "tests", ROOT / "src")))
    done = subprocess.run(
        [sys.executable, *words.split(), "-q", "-p", "snow_family", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"\b1[0-9] passed", done.stdout)
