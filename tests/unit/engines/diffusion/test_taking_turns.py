"""Models that do not fit together: the one used longest ago makes room, never one that is at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from support.tiny_pipelines import weight
from tollbrush.domain.edits import Size
from tollbrush.engines.diffusion.batches import Line
from tollbrush.engines.diffusion.model import DiffusionModel, Tuning
from tollbrush.engines.diffusion.models import Models
from tollbrush.engines.diffusion.pipelines import Pipeline
from tollbrush.engines.interface import EditInput, Progress
from tollbrush.errors import BadSettings, NoRoom

pytestmark = [
    pytest.mark.timeout(600),  # the first test waits for torch and diffusers to be imported
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # diffusers' sigmas
]

PIX2PIX = "StableDiffusionInstructPix2PixPipeline"
PATIENCE = 120
ASKED = EditInput((np.full((64, 64, 3), 90, np.uint8),), "make it snowy", Size(64, 64), seed=1)


@pytest.fixture
def folder(tiny: Callable[[str], Path]) -> Path:
    return tiny(PIX2PIX)


@contextmanager
def room_for(folder: Path, count: float, steps: Mapping[str, int]) -> Iterator[tuple[Models, list[str]]]:
    """Room for so many models of those named in `steps`; and who had to leave, in order."""
    left = list[str]()
    rows = [DiffusionModel(name, str(folder), steps=many) for name, many in steps.items()]
    models = Models(rows, "cpu", tuning=Tuning(weights=int(count * weight(folder))), left=left.append)
    try:
        yield models, left
    finally:
        models.close()


def quiet(_word: str, _fraction: float) -> None:
    pass


def test_the_least_recently_used_one_leaves(folder: Path) -> None:
    with room_for(folder, 2.5, {"a": 1, "b": 1, "c": 1}) as (models, left):
        for name in ("a", "b", "a", "c", "a", "b"):
            models.edit(name, ASKED)
            assert models.loaded(name)
        assert left == ["b", "c"]


def test_at_start_nobody_has_to_leave(folder: Path) -> None:
    with room_for(folder, 1.5, {"a": 1, "b": 1}) as (models, left):
        models.load("a", quiet)
        with pytest.raises(NoRoom, match="beside other models"):
            models.load("b", quiet)
        assert (models.loaded("a"), left) == (True, [])
        models.load("b", quiet, make_room=True)
        assert (models.loaded("b"), left) == (True, ["a"])


def test_for_one_that_never_fits_nobody_leaves(folder: Path) -> None:
    with room_for(folder, 1.5, {"a": 1}) as (models, left):
        models.load("a", quiet)
    with room_for(folder, 0.5, {"a": 1}) as (models, left):
        with pytest.raises(BadSettings, match=r"engines\.diffusion\.memory is"):
            models.edit("a", ASKED)
        assert left == []


def test_for_one_that_leaves_no_room_for_its_work_nobody_leaves_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No CPU is warmed up: here it is, and finds no room."""

    def warm_up(pipeline: Pipeline, _line: Line, _progress: Callable[[float], None], _seconds: float) -> None:
        if pipeline.row.name == "large":
            raise BadSettings("large would leave no room.", advice="Sell smaller sizes.")

    monkeypatch.setattr("tollbrush.engines.diffusion.models.warm_up", warm_up)
    with room_for(folder, 2.5, {"a": 1, "b": 1, "large": 1}) as (models, left):
        for name in ("a", "b", "large", "a", "large", "b"):
            if name != "large":
                models.edit(name, ASKED)
                continue
            with pytest.raises(BadSettings, match=r"^large would leave no room\.$") as refused:
                models.edit(name, ASKED)
            assert refused.value.hint == "Sell smaller sizes."
            assert not isinstance(refused.value, NoRoom)
        models.edit("a", ASKED)
        with pytest.raises(BadSettings, match="would leave no room"):
            models.edit("large", ASKED)
        assert left == ["a"]
        assert models.loaded("a") and models.loaded("b")


def test_one_at_work_stays_and_an_idle_one_leaves(folder: Path) -> None:
    """Though that was used later."""
    with room_for(folder, 2.5, {"slow": 50, "idle": 1, "new": 1}) as (models, left), ThreadPoolExecutor(1) as threads:
        stepped, go_on = threading.Event(), threading.Event()

        def hold(_progress: Progress) -> None:
            stepped.set()
            assert go_on.wait(PATIENCE)

        working = threads.submit(models.edit, "slow", ASKED, report=hold)
        assert stepped.wait(PATIENCE)
        models.load("idle", quiet)
        with ThreadPoolExecutor(1) as another:
            another.submit(models.load, "new", quiet, make_room=True).result(PATIENCE)
        assert (left, models.loaded("slow"), working.done()) == (["idle"], True, False)
        go_on.set()
        assert working.result(PATIENCE).images


def test_where_all_are_at_work_one_is_waited_for(folder: Path) -> None:
    with room_for(folder, 1.5, {"slow": 50, "new": 1}) as (models, left), ThreadPoolExecutor(2) as threads:
        stepped, go_on = threading.Event(), threading.Event()

        def hold(_progress: Progress) -> None:
            stepped.set()
            assert go_on.wait(PATIENCE)

        alone = models.edit("slow", ASKED).images[0].pixels
        working = threads.submit(models.edit, "slow", ASKED, report=hold)
        assert stepped.wait(PATIENCE)
        asking = threading.Event()

        def told(word: str, _fraction: float) -> None:
            if word == "downloading":
                asking.set()

        loading = threads.submit(models.load, "new", told, make_room=True)
        assert asking.wait(PATIENCE)
        assert not models.loaded("new")
        go_on.set()
        loading.result(PATIENCE)
        assert left == ["slow"]
        assert np.array_equal(working.result(PATIENCE).images[0].pixels, alone)


def test_many_edits_of_models_that_take_turns_all_end(folder: Path) -> None:
    names = {"a": 2, "b": 2, "c": 2}
    with room_for(folder, 1.5, names) as (models, left), ThreadPoolExecutor(6) as threads:
        alone = models.edit("a", ASKED).images[0].pixels
        edits = [threads.submit(models.edit, name, ASKED) for name in (*names, *names, *names, *names)]
        for edit in edits:
            assert np.array_equal(edit.result(PATIENCE).images[0].pixels, alone)
        assert len(left) >= 2
