"""A model that cannot be loaded, and what its operator is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.errors import BadSettings


def refusal(folder: Path | str, **row: object) -> str:
    pytest.importorskip("diffusers", reason="needs tollbrush[diffusion]")
    models = Models([DiffusionModel("house/tiny", str(folder), **row)], "cpu", offline=True)  # type: ignore[arg-type]
    with pytest.raises(BadSettings) as refused:
        models.load("house/tiny", lambda _word, _fraction: None)
    assert not models.loaded("house/tiny")
    return refused.value.sentence()
