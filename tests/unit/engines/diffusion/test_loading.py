"""What is wrong with a model is said when it is loaded, with what to do about it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.refusals import refusal
from tollbrush.engines.diffusion.hub_failures import translated
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.errors import BadSettings

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported

KLEIN = "Flux2KleinPipeline"

TWO_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models

both = Barrier(2)

def load(name):
    models.load(name, lambda word, fraction: (word, fraction) == ("reading", 0.0) and both.wait())

models = Models([DiffusionModel(folder, folder) for folder in sys.argv[1:]], "cpu", offline=True)
with ThreadPoolExecutor(2) as threads:
    list(threads.map(load, sys.argv[1:]))
print(all(map(models.loaded, sys.argv[1:])))
models.close()
"""


LOADED = """
import sys
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.errors import BadSettings

try:
    Models([DiffusionModel("tiny", sys.argv[1])], "cpu", offline=True).load("tiny", lambda word, fraction: None)
except BadSettings as refused:
    print(refused.sentence())
"""


def test_what_is_being_done_is_told(folder: Path) -> None:
    models = Models([DiffusionModel("house/tiny", str(folder))], "cpu")
    told: list[tuple[str, float]] = []
    models.load("house/tiny", lambda word, fraction: told.append((word, fraction)))
    models.load("house/tiny", lambda word, fraction: told.append((word, fraction)))  # is there already
    models.close()
    assert told == [("downloading", 1.0), ("reading", 0.0), ("reading", 1.0)]
    assert not models.loaded("house/tiny")


def test_two_models_at_once_in_a_new_process(tiny: Callable[[str], Path]) -> None:
    """diffusers imports a pipeline's modules when it is first asked for."""
    folders = [str(tiny(pipeline)) for pipeline in (KLEIN, "StableDiffusionXLInpaintPipeline")]
    ran = subprocess.run([sys.executable, "-c", TWO_AT_ONCE, *folders], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "True\n"), ran.stderr


def test_libraries_that_do_not_fit_together_are_not_the_models_fault(folder: Path, tmp_path: Path) -> None:
    """As where torchvision was built for another torch."""
    wrong = tmp_path / "path/torchvision"
    wrong.mkdir(parents=True)
    (wrong / "__init__.py").write_text('raise RuntimeError("operator torchvision::nms does not exist")')
    (tmp_path / "path/torchvision-0.1.dist-info").mkdir()
    (tmp_path / "path/torchvision-0.1.dist-info/METADATA").write_text("Name: torchvision\nVersion: 0.1\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "path")}
    command = [sys.executable, "-W", "ignore", "-c", LOADED, str(folder)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "operator torchvision::nms does not exist" in ran.stdout
    assert "does not fit together" in ran.stdout
    assert "pip install -U 'tollbrush[diffusion]'" in ran.stdout


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "disk is full"), (errno.EFBIG, "is too large for this")])
def test_a_full_disk_and_too_large_a_file_have_their_own_words(number: int, said: str) -> None:
    row = DiffusionModel("house/tiny", "house/tiny")
    error = translated(row, OSError(number, os.strerror(number)), offline=False)
    assert isinstance(error, BadSettings)
    assert said in error.message and f"({os.strerror(number)})" in error.message
    assert "engines.diffusion.cache" in error.hint


def test_what_an_error_came_of_ends_where_its_raiser_says_so() -> None:
    from tollbrush.engines.diffusion import loading

    def raised(cause: BaseException | None) -> BaseException:
        try:
            try:
                raise KeyError("looked up first")
            except KeyError:
                if cause is None:
                    raise ImportError("the module is not there") from None
                raise ImportError("it could not be imported") from cause
        except ImportError as error:
            return error

    hidden, wrong = raised(None), OSError("no such library")
    assert loading._origin(hidden) is hidden
    assert loading._origin(raised(wrong)) is wrong
    hidden.__suppress_context__ = False
    assert isinstance(loading._origin(hidden), KeyError)


def test_a_hub_model_that_is_not_here(tmp_path: Path) -> None:
    models = Models([DiffusionModel("house/far", "nobody/nothing")], "cpu", cache=tmp_path, offline=True)
    with pytest.raises(BadSettings, match="not in the hub cache, and nothing may be fetched") as refused:
        models.load("house/far", lambda _word, _fraction: None)
    assert "tollbrush models pull" in refused.value.sentence()
    with pytest.raises(
        BadSettings, match="nobody/nothing is not on this machine, and nothing says which pipeline it is"
    ):
        models.capabilities("house/far")


def test_what_is_no_hub_id(tmp_path: Path) -> None:
    assert "is no hub id" in refusal("no:such:thing")


def test_an_unknown_model(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="no model 'house/other' is configured"):
        Models([], "cpu").load("house/other", lambda _word, _fraction: None)


@pytest.mark.parametrize(("device", "said"), [(None, "found no GPU"), ("cuda:3", "found no GPU"), ("gpu", "say cuda")])
def test_no_gpu(folder: Path, device: str | None, said: str) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() and device != "gpu":
        pytest.skip("this machine has a GPU")
    models = Models([DiffusionModel("house/tiny", str(folder))], device)
    with pytest.raises(BadSettings, match=said):
        models.load("house/tiny", lambda _word, _fraction: None)


def test_an_offloaded_models_twin_lets_go_of_its_weights_too(tiny: Callable[[str], Path]) -> None:
    """accelerate's own hooks, on the CPU: a call's end asks each, and a pipeline without any asks nobody."""
    models = Models([DiffusionModel(KLEIN, str(tiny(KLEIN)))], "cpu", offline=True)
    models.load(KLEIN, lambda _word, _fraction: None)
    try:
        from tollbrush.engines.diffusion import loading

        pipeline = models._lines[KLEIN].pipeline
        twins: list[Any] = [pipeline.plain, pipeline.masked]
        loading.offload(twins, "cpu")
        assert all(len(twin._all_hooks) == 3 for twin in twins)
        for twin in twins:
            before = twin._all_hooks
            twin.maybe_free_model_hooks()
            assert twin._all_hooks is not before
    finally:
        models.close()
