"""What a replica's node remembers of those that died while they warmed a model up: processes that really do."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.diffusion.ray.warm_ups import WarmUps

FAST = Tuning()
CAREFUL = FAST.plainer()
PLAIN = CAREFUL.plainer()

_REPLICA = """
import ctypes, os, sys
from pathlib import Path
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.diffusion.ray.warm_ups import WarmUps

warm_ups = WarmUps(Path(sys.argv[1]))
tuning, _ = warm_ups.survivable(Tuning())
warm_ups.begin(sys.argv[2], tuning)
print("at it", flush=True)
match sys.stdin.readline().strip():
    case "segfault":
        ctypes.string_at(0)
    case "exit":
        os._exit(70)
    case "survive":
        warm_ups.end(sys.argv[2])
    case "be stopped":
        warm_ups.forget()
        warm_ups.begin("acme/next", tuning)
os._exit(1)
"""


class Replica:
    """A process that warms `model` up, as fast as the folder's deaths let it."""

    def __init__(self, folder: Path, model: str = "acme/one") -> None:
        command = [sys.executable, "-c", _REPLICA, str(folder), model]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "at it\n"

    def ends(self, how: str) -> int:
        self.process.communicate(how + "\n")
        return self.process.returncode

    def is_killed(self) -> None:
        self.process.kill()
        self.process.communicate()


def after(folder: Path) -> tuple[Tuning, str | None]:
    return WarmUps(folder).survivable(FAST)


def test_who_dies_of_a_kernel_is_followed_by_one_that_tries_less(tmp_path: Path) -> None:
    folder = tmp_path / "not yet there"
    assert after(folder) == (FAST, None)
    assert Replica(folder).ends("segfault") == -signal.SIGSEGV
    assert after(folder) == (CAREFUL, "acme/one")
    Replica(folder, "acme/two").is_killed()
    assert after(folder) == (PLAIN, "acme/two")
    for _ in range(2):  # less than that there is not
        assert Replica(folder, "acme/three").ends("exit") == 70
        assert after(folder) == (PLAIN, "acme/two")
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("how", ["survive", "be stopped"])
def test_who_lives_through_it_or_is_stopped_by_others_has_not_died_of_it(tmp_path: Path, how: str) -> None:
    Replica(tmp_path).ends(how)
    assert after(tmp_path) == (FAST, None)
    assert list(tmp_path.iterdir()) == []


def test_a_warm_up_at_work_is_no_death(tmp_path: Path) -> None:
    """On a machine of two GPUs one replica starts while the other is at it."""
    first, second = Replica(tmp_path), Replica(tmp_path)
    assert after(tmp_path) == (FAST, None)
    first.is_killed()
    assert after(tmp_path) == (CAREFUL, "acme/one")
    second.ends("survive")
    assert after(tmp_path) == (CAREFUL, "acme/one")


def test_another_tuning_is_another_matter(tmp_path: Path) -> None:
    Replica(tmp_path).is_killed()
    assert WarmUps(tmp_path).survivable(replace(FAST, fp8=True)) == (replace(FAST, fp8=True), None)


def test_a_full_disk_costs_the_memory_and_no_model(tmp_path: Path) -> None:
    (tmp_path / "in the way").touch()
    warm_ups = WarmUps(tmp_path / "in the way")
    assert warm_ups.survivable(FAST) == (FAST, None)
    warm_ups.begin("acme/one", FAST)
    warm_ups.end("acme/one")
    warm_ups.end("acme/one")
