"""The benchmark's paths, on tiny pipelines; its figures are a GPU's to give."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported


@pytest.fixture
def _cpu(tiny: Callable[[str], Path]) -> None:
    """Where torch is, one thread."""


@pytest.mark.usefixtures("_cpu")
def test_tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from bench import diffusion, diffusion_table

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench", "--tiny", "--model", "tiny-klein", "--edits", "3", "--write", "w"])
    diffusion.main()
    written = json.loads((tmp_path / diffusion_table.OUT).read_text())
    plain, ours, batched = written["figures"]
    assert (plain["how"], ours["how"], batched["how"]) == ("plain diffusers", "ours", "ours, 4 at once")
    assert all(row["rate"] > 0 for row in written["figures"])
    assert ours["apart"] == 0
    assert batched["apart"] <= 1
    assert (written["together"][0]["equal"], written["together"][0]["of"]) == (6, 6)
    faster, first = written["judged"]
    assert faster["found"] == max(ours["rate"], batched["rate"]) / plain["rate"]
    assert faster["met"] == (faster["found"] >= 1.8)
    assert first["met"] == (0 < first["found"] <= 60)
    assert (tmp_path / "w/tiny-klein/model_index.json").is_file()
    said = capsys.readouterr().out
    for column in ("how", "ms a step", "images/s", "× plain", "peak, GiB", "start, s", "apart"):
        assert column in said
    assert "two threads, 6 of 6 equal; cancelled in" in said
    assert "times plain diffusers' images a second (≥ 1.8: " in said
    assert "s to the first edit's end, from a folder (≤ 60: " in said


def test_float8_is_no_equal_output(capsys: pytest.CaptureFixture[str]) -> None:
    from bench.diffusion_table import Figures, judge, show

    rows = [
        Figures("klein", "plain diffusers", 100.0, 1.0, 20.0),
        Figures("klein", "ours", 60.0, 1.7, 20.0, 61.0, 0),
        Figures("klein", "ours, fp8", 40.0, 2.5, 14.0, 61.0, 30, equal=False),
    ]
    judged = judge("klein", rows, {})
    assert [verdict.met for verdict in judged] == [False, False]
    show(rows, [], judged)
    said = capsys.readouterr().out
    assert "klein: 1.70 times plain diffusers' images a second (≥ 1.8: missed)." in said
    assert "klein: 61.00 s to the first edit's end, with the weights in memory (≤ 60: missed)." in said
    assert all(judge("klein", [rows[0], replace(rows[1], rate=1.8)], {"klein": 60.0})[i].met for i in range(2))


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


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' sigmas
@pytest.mark.usefixtures("_cpu")
def test_a_row_that_fails_takes_no_other_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench import diffusion, diffusion_runs, diffusion_table

    lined_up = diffusion_runs.lined_up

    def full(subject: object, pipeline: Any, *more: Any) -> object:
        if pipeline.row.batch > 1:
            raise RuntimeError("CUDA out of memory.\nMore of it")
        return lined_up(subject, pipeline, *more)  # type: ignore[arg-type]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(diffusion_runs, "lined_up", full)
    monkeypatch.setattr(sys, "argv", ["bench", "--tiny", "--edits", "2"])
    with pytest.raises(SystemExit, match=r"Not measured:\ntiny-klein, 4 at once: RuntimeError: CUDA out of memory\."):
        diffusion.main()
    written = json.loads((tmp_path / diffusion_table.OUT).read_text())
    both = ["plain diffusers", "ours"] * 2
    assert [row["how"] for row in written["figures"]] == both
    assert len(written["lost"]) == 2
    assert len(written["judged"]) == 4
    assert "tiny-pix2pix" in capsys.readouterr().out
