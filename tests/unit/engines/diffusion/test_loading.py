"""What is wrong with a model is said when it is loaded, with what to do about it."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tollbrush.engines.diffusion.hub_failures import translated
from tollbrush.engines.diffusion.memory import Shelf
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.errors import BadSettings, NoRoom

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported

KLEIN = "Flux2KleinPipeline"
TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors"

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


@pytest.fixture
def folder(tiny: Callable[[str], Path], tmp_path: Path) -> Path:
    """A whole model, to be spoilt."""
    return shutil.copytree(tiny(KLEIN), tmp_path / "model")


def refusal(folder: Path | str, **row: object) -> str:
    pytest.importorskip("diffusers", reason="needs tollbrush[diffusion]")
    models = Models([DiffusionModel("house/tiny", str(folder), **row)], "cpu", offline=True)  # type: ignore[arg-type]
    with pytest.raises(BadSettings) as refused:
        models.load("house/tiny", lambda _word, _fraction: None)
    assert not models.loaded("house/tiny")
    return refused.value.sentence()


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


def test_a_folder_without_an_index(tmp_path: Path) -> None:
    assert "it has no model_index.json" in refusal(tmp_path)


def test_a_folder_that_is_not_there_is_no_model_to_be_fetched(tmp_path: Path) -> None:
    """Told before anything is loaded: the gateway asks what a model can do when it starts."""
    for where, said in ((tmp_path, "it has no model_index.json"), (tmp_path / "gone", "there is none")):
        with pytest.raises(BadSettings, match=f"{where} is no model's folder: {said}") as refused:
            Models([DiffusionModel("house/tiny", str(where))], "cpu").capabilities("house/tiny")
        assert "pull" not in refused.value.sentence()


def test_weights_of_another_pipeline_than_the_settings_say(folder: Path) -> None:
    said = refusal(folder, pipeline="ZImagePipeline")
    assert "Mend the folder; or say another `pipeline`, if these are no weights of a ZImagePipeline." in said


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"_class_name"', "null"])
def test_a_broken_index(folder: Path, text: str) -> None:
    (folder / "model_index.json").write_text(text)
    assert "is broken or names no pipeline" in refusal(folder)


def test_a_pipeline_that_edits_nothing(folder: Path) -> None:
    change(folder / "model_index.json", _class_name="StableDiffusionPipeline")
    assert "cannot ask to edit a picture; it knows Flux2KleinPipeline" in refusal(folder)


@pytest.mark.parametrize("library", ["my_pipeline", "os", "diffusers_modules.local"])
def test_code_that_comes_with_the_model_is_not_run(folder: Path, library: str) -> None:
    change(folder / "model_index.json", transformer=[library, "Transformer"])
    assert f"brings code of its own ({library})" in refusal(folder)


def test_a_pipeline_of_its_own_is_not_run(folder: Path) -> None:
    change(folder / "model_index.json", _class_name=["pipeline", "MyPipeline"])
    assert "brings code of its own (its pipeline)" in refusal(folder)


def test_a_part_that_is_missing(folder: Path) -> None:
    shutil.rmtree(folder / "vae")
    assert "lacks its vae" in refusal(folder)


def test_weights_that_are_missing(folder: Path) -> None:
    (folder / TRANSFORMER).unlink()
    assert "its transformer has no weights" in refusal(folder)


def test_a_pickle_is_refused_and_not_opened(folder: Path, tmp_path: Path) -> None:
    (folder / TRANSFORMER).unlink()
    trap = tmp_path / "sprung"
    (folder / "transformer/diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Trap(str(trap))))
    assert "its transformer is a pickle (transformer/diffusion_pytorch_model.bin)" in refusal(folder)
    assert not trap.exists()


def test_weights_cut_off_in_a_download(folder: Path) -> None:
    file = folder / TRANSFORMER
    size = file.stat().st_size
    with file.open("r+b") as open_file:
        open_file.truncate(size - 1000)
    assert f"has {size - 1000:,} bytes, and should have {size:,}" in refusal(folder)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x03\x04 a zip",
        struct.pack("<Q", 2**60),
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 17) + b'{"a": {"shape":1}',
        struct.pack("<Q", 5) + b'{"a":',
    ],
)
def test_weights_that_are_no_safetensors(folder: Path, body: bytes) -> None:
    (folder / TRANSFORMER).write_bytes(body)
    assert "is no safetensors file" in refusal(folder)


def test_weights_of_another_model(folder: Path, tiny: Callable[[str], Path]) -> None:
    shutil.copy(tiny("ZImagePipeline") / TRANSFORMER, folder / TRANSFORMER)
    said = refusal(folder)
    assert "belong to another model" in said or "could not be read" in said


def test_a_tensor_that_is_missing_is_not_filled_with_noise(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / TRANSFORMER)
    tensors.pop("proj_out.weight")
    save_file(tensors, folder / TRANSFORMER, {"format": "pt"})
    assert "its transformer lack 1 tensors (proj_out.weight, …)" in refusal(folder)


def test_a_shard_that_is_missing(folder: Path) -> None:
    (folder / "transformer/diffusion_pytorch_model.safetensors.index.json").write_text(
        json.dumps(
            {"weight_map": {"proj_out.weight": "here", "gone.weight": "diffusion_pytorch_model-00002.safetensors"}}
        )
    )
    assert "lacks diffusion_pytorch_model-00002.safetensors of transformer" in refusal(folder)


def test_only_another_variant(folder: Path) -> None:
    (folder / TRANSFORMER).rename(folder / "transformer/diffusion_pytorch_model.fp16.safetensors")
    assert "its transformer comes only as the variant fp16. Say `variant`" in refusal(folder)


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


GIB = 2**30


def test_a_gpu_that_is_too_small() -> None:
    Shelf(None, 0.15).take("house/tiny", 12 * GIB, 8 * GIB, 16 * GIB, offload=False)
    with pytest.raises(
        BadSettings, match=r"needs 14\.0 GiB for its weights; this GPU has 16\.0 GiB free, 13\.6"
    ) as whole:
        Shelf(None, 0.15).take("house/tiny", 14 * GIB, 8 * GIB, 16 * GIB, offload=False)
    assert "say offload = true (its largest part is 8.0 GiB)" in whole.value.sentence()
    Shelf(None, 0.15).take("house/tiny", 14 * GIB, 8 * GIB, 16 * GIB, offload=True)
    with pytest.raises(BadSettings) as hopeless:
        Shelf(None, 0.15).take("house/tiny", 40 * GIB, 20 * GIB, 16 * GIB, offload=False)
    assert "offload" not in hopeless.value.sentence()


def test_a_gpu_that_others_fill() -> None:
    """What would fit without them is another matter than what never will: for that nobody has to leave."""
    shelf = Shelf(None, 0.0)
    shelf.take("house/one", 10 * GIB, 10 * GIB, 16 * GIB, offload=False)
    with pytest.raises(
        NoRoom, match=r"house/two needs 12\.0 GiB for its weights; beside other models 6\.0 GiB are left"
    ):
        shelf.take("house/two", 12 * GIB, 12 * GIB, 6 * GIB, offload=False)
    with pytest.raises(BadSettings, match=r"this GPU has 16\.0 GiB free") as hopeless:
        shelf.take("house/big", 20 * GIB, 20 * GIB, 6 * GIB, offload=False)
    assert not isinstance(hopeless.value, NoRoom)
    shelf.give_back("house/one")
    shelf.take("house/two", 12 * GIB, 12 * GIB, 16 * GIB, offload=False)


def test_the_memory_that_the_settings_allow() -> None:
    shelf = Shelf(10 * GIB, 0.15)
    shelf.take("house/one", 8 * GIB, 8 * GIB, None, offload=False)
    with pytest.raises(NoRoom, match=r"beside other models 2\.0 GiB are left"):
        shelf.take("house/two", 4 * GIB, 4 * GIB, None, offload=False)
    with pytest.raises(BadSettings, match=r"needs 12\.0 GiB for its weights; engines\.diffusion\.memory is 10\.0 GiB"):
        shelf.take("house/big", 12 * GIB, 12 * GIB, None, offload=False)


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path(self._path).touch, ()


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
