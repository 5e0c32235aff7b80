"""`tollbrush models pull` against a hub on loopback, and what a later start makes of it. No torch is needed."""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.hub import Hub, Repository, open_hub

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(importlib.util.find_spec("huggingface_hub") is None, reason="needs tollbrush[diffusion]"),
]

SOURCE = "acme/Tiny"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"

LARGE = 6_000_000
"""Numbers of weights that the hub's library writes to the disk in more than one piece."""


def safetensors(numbers: int) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4 * numbers)


def model(folder: Path) -> Path:
    """One part with weights in two forms, one without, and what nobody needs."""
    parts = {"unet": ["diffusers", "UNet2DConditionModel"], "scheduler": ["diffusers", "DDIMScheduler"]}
    (folder / "unet").mkdir(parents=True)
    (folder / "scheduler").mkdir()
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionInpaintPipeline", **parts}))
    (folder / "unet/config.json").write_text("{}")
    (folder / "scheduler/scheduler_config.json").write_text('{"steps": 9}')
    (folder / WEIGHTS).write_bytes(safetensors(50_000))
    (folder / "unet/diffusion_pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "README.md").write_text("read me")
    return folder


@dataclass(frozen=True)
class Machine:
    """One operator's: its data folder, its hub cache, the hub it asks."""

    folder: Path
    hub: Hub
    repository: Repository
    first: str

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def run(
        self, *words: str, hub: str | None = None, before: tuple[str, ...] = (), **weights: Any
    ) -> subprocess.CompletedProcess[str]:
        row = {"engine": "diffusion", "licence": "Apache-2.0", "sizes": {"64x64": "0.01"}}
        models = {"acme/tiny": row | {"weights": {"source": SOURCE, **weights}}}
        env = os.environ | {
            "HF_ENDPOINT": hub or self.hub.url,
            "TOLLBRUSH_DATA_DIR": str(self.folder / "data"),
            "TOLLBRUSH_ENGINES__DIFFUSION__CACHE": str(self.cache),
            "TOLLBRUSH_MODELS": json.dumps(models),
            "HOME": str(self.folder),
        }
        command = [*before, sys.executable, "-m", "tollbrush", "models", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)

    def pull(self, **changes: Any) -> dict[str, Any]:
        done = self.run("pull", "acme/tiny", "--json", **changes)
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with open_hub() as hub:
        repository = hub.repositories[SOURCE] = Repository()
        first = repository.commit(model(tmp_path / "model"))
        yield Machine(tmp_path, hub, repository, first)


def test_only_what_is_needed_is_fetched_and_its_commit_written_down(machine: Machine) -> None:
    said = machine.pull()
    assert (said["commit"], said["may_be_sold"]) == (machine.first, "yes")
    assert Path(said["folder"], WEIGHTS).read_bytes() == safetensors(50_000)
    assert sorted(set(machine.hub.fetched)) == sorted(
        ["model_index.json", "scheduler/scheduler_config.json", "unet/config.json", WEIGHTS]
    )
    fetched = len(machine.hub.fetched)
    assert machine.pull()["commit"] == machine.first
    assert WEIGHTS not in machine.hub.fetched[fetched:]


def test_how_far_it_is_only_grows(machine: Machine) -> None:
    from tollbrush.engines.diffusion.hub import Hub as Client
    from tollbrush.engines.diffusion.model import DiffusionModel

    (machine.folder / "model" / WEIGHTS).write_bytes(safetensors(LARGE))
    newest = machine.repository.commit(machine.folder / "model")
    row, told = DiffusionModel("acme/tiny", SOURCE, revision=newest), list[float]()
    client = Client(machine.cache, endpoint=machine.hub.url)
    assert client.folder(row, told.append).name == newest
    assert told == sorted(told)
    assert told[-1] == 1.0  # how often it is told between is a matter of time
    told.clear()
    client.folder(row, told.append)
    assert told == [1.0]


def test_a_family_that_is_not_known_is_told_before_its_weights_are_fetched(machine: Machine) -> None:
    index = machine.folder / "model/model_index.json"
    index.write_bytes(index.read_bytes().replace(b"Inpaint", b"Sketch"))
    machine.repository.commit(machine.folder / "model")
    done = machine.run("pull", "acme/tiny")
    assert done.returncode != 0
    assert "'StableDiffusionSketchPipeline', which this engine cannot ask to edit a picture; it knows" in done.stderr
    assert machine.hub.fetched == ["model_index.json"]


def test_a_start_keeps_to_the_commit_that_was_pulled(machine: Machine) -> None:
    machine.pull()
    newer = machine.repository.commit(machine.folder / "model", scheduler__scheduler_config=b"{}")
    (row,) = [r for r in json.loads(machine.run("list", "--json").stdout)["data"] if r["model"] == "acme/tiny"]
    assert (row["commit"], row["sold_here"]) == (machine.first, True)
    assert machine.pull()["commit"] == newer  # it is asked for by name


def test_what_was_pulled_is_there_without_the_hub(machine: Machine) -> None:
    pytest.importorskip("huggingface_hub")
    from tollbrush.engines.diffusion.hub import Hub as Client
    from tollbrush.engines.diffusion.model import DiffusionModel

    said = machine.pull()
    row = DiffusionModel("acme/tiny", SOURCE, revision=machine.first)
    nobody = "http://127.0.0.1:9"
    assert Client(machine.cache, endpoint=nobody).folder(row, lambda _: None) == Path(said["folder"])
    assert Client(machine.cache, offline=True).folder(row, lambda _: None) == Path(said["folder"])


def test_an_interrupted_pull_goes_on_where_it_was(machine: Machine) -> None:
    (machine.folder / "model" / WEIGHTS).write_bytes(safetensors(LARGE))
    machine.repository.commit(machine.folder / "model")
    machine.hub.cut = WEIGHTS
    for _ in range(2):
        done = machine.run("pull", "acme/tiny", "--json")
        if done.returncode == 0:
            break
        assert "is kept" in done.stderr
    assert done.returncode == 0, done.stderr
    assert WEIGHTS in machine.hub.ranges
    assert Path(json.loads(done.stdout)["folder"], WEIGHTS).read_bytes() == safetensors(LARGE)


def test_a_commit_in_the_settings_is_what_is_pulled(machine: Machine) -> None:
    machine.repository.commit(machine.folder / "model", README=b"newer")
    assert machine.pull(revision=machine.first)["commit"] == machine.first


def says(machine: Machine, **changes: Any) -> str:
    """The one line that a pull that fails ends with."""
    done = machine.run("pull", "acme/tiny", **changes)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr.strip().splitlines()[-1]


def test_a_model_that_is_not_there(machine: Machine) -> None:
    said = says(machine, source="acme/nothing")
    assert "acme/nothing is not on the hub, or private." in said
    assert machine.hub.fetched == []


@pytest.mark.parametrize("hub", ["http://127.0.0.1:9", "http://hub.invalid"])
def test_no_network(machine: Machine, hub: str) -> None:
    """It is told after two tries, a second apart; the hub's own library makes six in half a minute."""
    host = hub.removeprefix("http://").partition(":")[0]
    said = says(machine, hub=hub)
    assert f"acme/tiny could not be fetched: {host} cannot be reached ([Errno" in said
    assert "HTTPS_PROXY" in said


def test_a_network_that_is_slow_is_waited_for(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes the call is there, however long the answer takes."""
    from tollbrush.engines.diffusion import hub
    from tollbrush.engines.diffusion.model import DiffusionModel

    monkeypatch.setattr(hub, "_CONNECT", 0.2)
    machine.hub.awake.clear()
    row = DiffusionModel("acme/tiny", SOURCE)
    try:
        assert hub.Hub(machine.cache, endpoint=machine.hub.url).folder(row, lambda _: None).name == machine.first
    finally:
        machine.hub.awake.set()


def test_a_revision_that_is_not_there(machine: Machine) -> None:
    assert "has no revision 'v9'" in says(machine, revision="v9")


def test_a_model_behind_its_owners_terms(machine: Machine) -> None:
    machine.repository.gated = True
    assert "behind its owner's terms. Accept them on its page" in says(machine)


def test_a_disk_that_is_too_small_is_told_before_the_weights_come(machine: Machine) -> None:
    machine.repository.claimed[WEIGHTS] = 2**60
    assert "GiB more on the disk" in says(machine)
    assert WEIGHTS not in machine.hub.fetched


def test_a_file_that_is_too_large_for_where_it_is_kept(machine: Machine) -> None:
    """Files end at 128 KB here: the shell's limit; FAT ends them at 4 GB."""
    largest = max((machine.folder / "model").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    assert largest.stat().st_size > 2**17
    done = machine.run("pull", "acme/tiny", before=("prlimit", f"--fsize={2**17}"))
    assert done.returncode == 5
    assert "a file of it is too large for this file system or for the limit on files (File too large)." in done.stderr
    assert "the disk is full" not in done.stderr
    assert "Traceback" not in done.stderr
    machine.pull()


def test_a_cache_that_is_no_folder(machine: Machine) -> None:
    machine.cache.write_text("in the way")
    said = says(machine)
    assert f"cannot be kept in the hub cache: Not a directory: {machine.cache}" in said
    assert "engines.diffusion.cache" in said


def test_weights_that_are_only_a_pickle(machine: Machine) -> None:
    (machine.folder / "model" / WEIGHTS).unlink()
    machine.repository.commit(machine.folder / "model")
    assert "is a pickle" in says(machine)
    assert machine.hub.fetched == ["model_index.json"]


def test_a_name_that_is_not_known(machine: Machine) -> None:
    done = machine.run("pull", "acme/other")
    assert done.returncode == 4
    assert "'acme/other' is no model for this machine's GPUs; known: acme/tiny, " in done.stderr
