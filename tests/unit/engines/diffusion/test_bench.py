"""The benchmark's paths, on tiny pipelines; its figures are a GPU's to give."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported


@pytest.fixture
def _cpu(tiny: Callable[[str], Path]) -> None:
    """Where torch is, one thread."""


@pytest.mark.usefixtures("_cpu")
def test_tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from bench import diffusion

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench", "--tiny", "--model", "tiny-klein", "--edits", "3"])
    diffusion.main()
    written = json.loads((tmp_path / diffusion.OUT).read_text())
    plain, ours, batched = written["figures"]
    assert (plain["how"], ours["how"], batched["how"]) == ("plain diffusers", "ours", "ours, 4 at once")
    assert all(row["rate"] > 0 for row in written["figures"])
    assert ours["apart"] == 0
    assert batched["apart"] <= 1
    assert (written["together"][0]["equal"], written["together"][0]["of"]) == (6, 6)
    assert "two threads, 6 of 6 equal; cancelled in" in capsys.readouterr().out


@pytest.mark.usefixtures("_cpu")
def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from bench import diffusion

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    monkeypatch.setattr(sys, "argv", ["bench"])
    with pytest.raises(SystemExit, match=r"measures a GPU, and torch finds none here\. `--tiny`"):
        diffusion.main()


@pytest.mark.usefixtures("_cpu")
def test_an_unknown_model(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import diffusion

    monkeypatch.setattr(sys, "argv", ["bench", "--tiny", "--model", "other"])
    with pytest.raises(SystemExit, match="No model 'other'; there are: tiny-klein, tiny-pix2pix"):
        diffusion.main()
