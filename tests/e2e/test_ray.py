"""A gateway that sells what runs on a Ray cluster: two nodes on this machine, a tiny random model, a copy on each.

Only in the long form (`make e2e`): a cluster takes most of a minute to start, and a quarter of an hour on a busy
machine. What needs no Ray of it is in tests/unit/engines/diffusion/ray."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.on_ray import MARKS
from support.orders import ENDED, PRICE, ROW, SIZE, Counter, Job
from support.ray_cluster import Cluster, two_nodes
from support.shop import Buyer, open_shop
from support.tiny_pipelines import weight
from support.waiting import until
from tollbrush.settings import RaySettings

pytestmark = MARKS

BEGAN = re.compile(r'event="an edit began".* replica=\S+/(\d+)@')


@dataclass
class House(Counter):
    """The shop, its cluster, and the settings that both go by."""

    cluster: Cluster = field(kw_only=True)
    settings: Mapping[str, str] = field(kw_only=True)

    def began(self) -> list[int]:
        """The processes that work on the last job, in order."""
        return [int(process) for process in BEGAN.findall(self.news())]

    def at_work(self, nth: int = 1) -> int:
        """The process that works on the last job, once the `nth` has begun to."""
        return until(lambda: self.began()[nth - 1] if len(self.began()) >= nth else None, "nothing began")

    def replicas(self, count: int) -> set[int]:
        """Once there are so many."""

        def look() -> set[int] | None:
            found = self.cluster.replicas()
            return found if len(found) == count else None

        return until(look, f"there never are {count} replicas")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Every edit becomes a job."""
    from support.tiny_pipelines import build

    folder = tmp_path_factory.mktemp("ray")
    weights = str(build("Flux2KleinPipeline", folder / "model"))
    models = {
        "acme/tiny": {**ROW, "weights": {"source": weights, "steps": 4}},
        "acme/slow": {**ROW, "weights": {"source": weights, "steps": 200}},
    }
    settings = {
        "TOLLBRUSH_MODELS": json.dumps(models),
        "TOLLBRUSH_ENGINES__RAY__SECRET": "between us",
        "TOLLBRUSH_ENGINES__RAY__GPUS": "0",
        "TOLLBRUSH_ENGINES__RAY__REPLICAS": "2",
        "TOLLBRUSH_ENGINES__RAY__MOST_REPLICAS": "2",
    }
    gateway = {
        "TOLLBRUSH_ENGINES__STUDIO__ENABLED": "false",
        "TOLLBRUSH_GATEWAY__INLINE_SECONDS": "0",
        "TOLLBRUSH_GATEWAY__HARD_SECONDS": "480",
        "TOLLBRUSH_ENGINES__RAY__TIMEOUT_SECONDS": "400",
        "TOLLBRUSH_LOG_LEVEL": "debug",
    }
    with two_nodes(folder) as cluster:
        assert f"deployed at {cluster.url}" in cluster.deploy(settings)
        on_ray = {"TOLLBRUSH_ENGINES__RAY__ADDRESSES": json.dumps([cluster.url])}
        with open_shop(folder, **settings, **gateway, **on_ray) as shop:
            yield House(shop, cluster=cluster, settings=settings)


@pytest.fixture
def buyer(house: House) -> Buyer:
    return house.shop.buyer()


def digests(said: dict[str, Any]) -> list[str]:
    assert said["status"] == "completed", said
    return [image["sha256"] for image in said["data"]]


def test_an_edit_on_the_cluster_is_sold(house: House, buyer: Buyer) -> None:
    rows = {row["id"]: row for row in httpx2.get(house.shop.url + "/v1/models").json()["data"]}
    assert (rows["acme/tiny"]["available"], rows["acme/tiny"]["pricing"]) == (True, {SIZE: 0.0105})
    asked = time.monotonic()
    job = house.begin(buyer, model="acme/slow")
    first = job.progress()
    print(f"time to first progress {time.monotonic() - asked:.2f} s")
    assert 0 < first < 1
    said = job.ended()
    assert said["payment"]["status"] == "settled"
    assert house.spent(buyer) == PRICE
    again = house.begin(buyer, model="acme/slow").ended()
    assert digests(again) == digests(said)  # whichever copy made it
    assert not httpx2.get(house.shop.url + "/readyz").json().get("warnings", {}).get("upstreams")


def test_unfinished_pictures_are_seen_through_the_cluster(house: House, buyer: Buyer) -> None:
    events = house.stream(buyer, "acme/tiny", previews=2)
    assert [event["type"] for event in events] == ["image_edit.partial_image"] * 2 + ["image_edit.completed"]
    assert len({event["b64_json"] for event in events}) == 3
    assert house.spent(buyer) == PRICE


def test_the_gateway_itself_stays_light(house: House) -> None:
    (gateway,) = house.shop.processes
    maps = Path(f"/proc/{gateway.pid}/maps").read_text()
    assert "_raylet" not in maps
    assert "libtorch" not in maps


def test_a_worker_killed_in_mid_edit_is_stood_in_for(house: House, buyer: Buyer) -> None:
    twin = digests(house.begin(house.shop.buyer(), model="acme/slow", n=2).ended())
    job = house.begin(buyer, model="acme/slow", n=2)
    job.progress(beyond=0.2)
    killed, when = house.at_work(), time.monotonic()
    assert killed in house.cluster.replicas()
    os.kill(killed, signal.SIGKILL)
    other = house.at_work(2)
    print(f"begun anew after {time.monotonic() - when:.2f} s")
    assert other != killed
    assert digests(job.ended()) == twin
    assert house.spent(buyer) == 2 * PRICE
    assert "asked for again" in house.news()


def test_an_edit_that_no_worker_survives_charges_nobody(house: House, buyer: Buyer) -> None:
    job = house.begin(buyer, model="acme/slow", n=10)
    for nth in (1, 2):
        os.kill(house.at_work(nth), signal.SIGKILL)
    said = job.ended()
    assert (said["status"], said["code"], said["payment_status"]) == ("failed", "upstream_failed", "not_charged")
    assert house.spent(buyer) == 0
    sold = house.begin(buyer).ended()  # once Serve has started others
    assert sold["status"] == "completed", sold
    assert house.spent(buyer) == PRICE


def test_a_cancelled_job_stops_there_too(house: House, buyer: Buyer) -> None:
    job = house.begin(buyer, model="acme/slow", n=10)
    job.progress()
    worker = house.at_work()
    job.cancel()
    assert job.poll()["payment_status"] == "not_charged"
    stopped = house.cluster.told("an edit was stopped", by=worker)
    seconds = float(re.findall(r"seconds=([0-9.]+)", stopped)[-1])
    print(f"stopped after {seconds:.3f} s")
    assert house.spent(buyer) == 0


def test_what_is_replaced_finishes_first(house: House, buyer: Buyer) -> None:
    job = house.begin(buyer, model="acme/slow", n=2)
    job.progress()
    before, worker = house.cluster.replicas(), house.at_work()
    assert worker in before
    house.cluster.deploy({**house.settings, "TOLLBRUSH_ENGINES__RAY__SECRET": "between us", "TOLLBRUSH_MARGIN": "0.05"})
    said = job.ended()
    assert said["status"] == "completed", said
    assert "asked for again" not in house.news()
    assert house.spent(buyer) == 2 * PRICE
    assert house.replicas(2).isdisjoint(before)


def test_a_model_that_does_not_fit_takes_another_ones_place(house: House, buyer: Buyer) -> None:
    """On one replica, whose memory holds one of the two."""
    (weights,) = {row["weights"]["source"] for row in json.loads(house.settings["TOLLBRUSH_MODELS"]).values()}
    house.cluster.deploy({
        **house.settings,
        "TOLLBRUSH_ENGINES__DIFFUSION__MEMORY": str(1.5 * weight(Path(weights)) / 2**30),
        "TOLLBRUSH_ENGINES__RAY__REPLICAS": "1",
        "TOLLBRUSH_ENGINES__RAY__ONGOING": "1",
        "TOLLBRUSH_ENGINES__RAY__IDLE_SECONDS": "1",
    })  # fmt: skip
    (replica,) = house.replicas(1)
    assert "a model waits until it is asked for" in house.cluster.told("acme/slow", by=replica)
    first = digests(house.begin(buyer).ended())
    assert digests(house.begin(buyer, model="acme/slow").ended()) != first
    assert digests(house.begin(buyer).ended()) == first
    ready = [line for line in house.cluster.log(replica) if "a model is ready" in line]
    assert [re.findall(r"acme/\w+", line) for line in ready] == [["acme/tiny"], ["acme/slow"], ["acme/tiny"]]
    assert house.spent(buyer) == 3 * PRICE


def test_it_grows_with_the_queue_and_shrinks_after_it(house: House) -> None:
    """The last deployment: one replica at least, two at most, one edit for each. The first has the model, and so gets
    all edits that it accepts."""
    (first,) = house.replicas(1)
    jobs, start = list[Job](), len(house.shop.log.read_text())

    def load() -> set[str] | None:
        began = set(BEGAN.findall(house.shop.log.read_text()[start:]))
        if sum(job.poll()["status"] not in ENDED for job in jobs) < 2 * RaySettings().most_ongoing:
            jobs.append(house.begin(house.shop.buyer(), model="acme/slow"))
        return began if len(began) == 2 else None

    assert str(first) in until(load, "a second replica never worked")
    assert [job.ended()["status"] for job in jobs] == ["completed"] * len(jobs)
    house.replicas(1)


def test_nothing_to_run_is_told_when_it_is_deployed(house: House) -> None:
    said = house.cluster.tollbrush("deploy", settings={"TOLLBRUSH_ENGINES__RAY__GPUS": "0"})
    assert said.returncode != 0
    assert "no model to run" in said.stderr
    wrong = {
        "TOLLBRUSH_MODELS": json.dumps(
            {"acme/bad": {**ROW, "weights": {"source": "/nowhere", "pipeline": "Flux2KleinPipeline"}}}
        ),
        "TOLLBRUSH_ENGINES__RAY__GPUS": "0",
    }  # fmt: skip
    said = house.cluster.tollbrush("deploy", "--port", str(house.cluster.port), settings=wrong)
    assert said.returncode != 0
    print(said.stderr)
    assert "/nowhere" in said.stderr
    assert len(said.stderr.splitlines()) == 2  # what is done, and what is wrong
