"""Replicas whose attention kernel kills them while they warm a model up: a real signal, on a real cluster.

Only in the long form, as tests/e2e/test_ray.py."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from support.on_ray import MARKS
from support.orders import PRICE, ROW, Counter
from support.ray_cluster import Cluster, two_nodes
from support.servers import TESTS
from support.shop import open_shop
from support.waiting import until

pytestmark = MARKS

SLOWER = "a model is slower than it was to be"
WHY = "A replica died while it warmed it up; the next one runs with attention native."


@dataclass
class Ill:
    """A cluster whose kernel is as `kernel` says."""

    cluster: Cluster
    kernel: Path
    settings: Mapping[str, str]

    def notes(self) -> list[str]:
        """What its nodes remember of warm-ups: the ends of the files' names."""
        return sorted(path.suffix for path in self.cluster.session.glob("tollbrush/*/*"))

    def replica(self, *, but: int = 0) -> int:
        """The one that is up, once it is another."""

        def look() -> int | None:
            found = self.cluster.replicas() - {but}
            return found.pop() if len(found) == 1 else None

        return until(look, "there is no replica, or several")


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ill]:
    from support.tiny_pipelines import build

    folder = tmp_path_factory.mktemp("ray")
    weights = {"source": str(build("Flux2KleinPipeline", folder / "model")), "steps": 2}
    settings = {
        "TOLLBRUSH_MODELS": json.dumps({"acme/tiny": {**ROW, "weights": weights}}),
        "TOLLBRUSH_ENGINES__RAY__GPUS": "0",
    }
    kernel = folder / "kernel"
    kernel.write_text("segfault")
    with two_nodes(folder, TESTS / "support/fatal_kernel", FATAL_KERNEL=str(kernel)) as cluster:
        yield Ill(cluster, kernel, settings)


def test_a_replica_that_dies_warming_up_comes_back_plainer(ill: Ill, tmp_path: Path) -> None:
    """It is told once, and later replicas do not die of it again; those of a new deployment may."""
    ill.cluster.deploy(ill.settings)
    assert ill.notes() == [".died"]
    replica = ill.replica()
    assert WHY in ill.cluster.told(SLOWER, by=replica)

    on_ray = {"TOLLBRUSH_ENGINES__RAY__ADDRESSES": json.dumps([ill.cluster.url])}
    quiet = {"TOLLBRUSH_ENGINES__STUDIO__ENABLED": "false", "TOLLBRUSH_GATEWAY__INLINE_SECONDS": "0"}
    with open_shop(tmp_path, **ill.settings, **quiet, **on_ray) as shop:
        house = Counter(shop)
        for _ in range(2):
            buyer = shop.buyer()
            assert house.begin(buyer).ended()["status"] == "completed"
            assert house.spent(buyer) == PRICE
        assert len(re.findall(f"{SLOWER}.*{re.escape(WHY)}", shop.log.read_text())) == 1
        told = httpx2.get(shop.url + "/readyz")
        assert told.status_code == 200
        assert told.json()["warnings"]["upstreams"] == "acme/tiny is slower than it was to be. The log says why."

        os.kill(replica, signal.SIGKILL)
        next_one = ill.replica(but=replica)
        assert WHY in ill.cluster.told(SLOWER, by=next_one)
        assert ill.notes() == [".died"]

        ill.cluster.deploy(ill.settings)
        assert ill.notes() == [".died", ".died"]
        ill.cluster.deploy({**ill.settings, "TOLLBRUSH_ENGINES__DIFFUSION__ATTENTION": "native"})
        assert ill.notes() == [".died", ".died"]
        assert house.begin(shop.buyer()).ended()["status"] == "completed"
        assert "upstreams" not in httpx2.get(shop.url + "/readyz").json().get("warnings", {})


def test_one_that_is_stopped_while_it_warms_up_has_not_died_of_it(ill: Ill) -> None:
    ill.cluster.remove()
    before = ill.notes()
    ill.kernel.write_text("hang")
    settings = {**ill.settings, "TOLLBRUSH_ENGINES__RAY__DRAIN_SECONDS": "3"}
    with subprocess.Popen(
        [sys.executable, "-m", "tollbrush", "ray", "deploy", "--cluster", ill.cluster.address],
        env={**ill.cluster.environment, **settings}, stderr=subprocess.DEVNULL,
    ) as deploying:  # fmt: skip
        until(lambda: ".at-work" in ill.notes() or None, "nothing warms up")
        ill.cluster.remove()
        deploying.terminate()  # Serve has it wait for what is removed
    until(lambda: not ill.cluster.replicas() or None, "it is not stopped")
    assert ill.notes() == before
