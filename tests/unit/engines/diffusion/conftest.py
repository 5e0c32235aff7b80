"""Tiny models on the CPU, each folder built once."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """The folder of a tiny model of this class. Skips where it cannot be built. Pipelines that insist on a megapixel
    are kept small."""
    torch = pytest.importorskip("torch", reason="torch is not installed: make test adds it where pip finds a CPU build")
    from support import seeing

    sees = seeing.prepare()
    pytest.importorskip("diffusers", reason="diffusers is not installed")
    from support import tiny_pipelines

    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("models")

    @functools.cache
    def built(pipeline: str) -> Path:
        if pipeline in tiny_pipelines.SEEING and not sees:
            pytest.skip("torchvision is not installed: its encoder reads pictures with it")
        return tiny_pipelines.build(pipeline, root / pipeline)

    with pytest.MonkeyPatch.context() as patch:
        tiny_pipelines.keep_small(patch.setattr)
        yield built


@pytest.fixture
def models(tiny: Callable[[str], Path]) -> Iterator[Models]:
    """`support.geared`'s model, loaded."""
    from support.geared import KLEIN, OTHER, SMALL

    models = Models([DiffusionModel(KLEIN, str(tiny(KLEIN)), steps=1, sizes=(SMALL, OTHER))], "cpu")
    models.load(KLEIN, lambda _word, _fraction: None)
    yield models
    models.close()


@pytest.fixture
def folder(tiny: Callable[[str], Path], tmp_path: Path) -> Path:
    """A whole model's, to be spoilt."""
    return shutil.copytree(tiny("Flux2KleinPipeline"), tmp_path / "model")
