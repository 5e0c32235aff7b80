"""What is wrong with a model's folder is said when it is loaded, with what to do about it."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from support.refusals import refusal
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.models import Models
from tollbrush.errors import BadSettings

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported

TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors"


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


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path(self._path).touch, ()
