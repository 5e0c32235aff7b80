"""A gateway that sells what runs on a Ray cluster: two nodes on this machine, a tiny random model, a copy on each.

Only in the long form (`make e2e`): a cluster takes most of a minute to start, and a quarter of an hour on a busy
machine. What needs no Ray of it is in tests/unit/engines/diffusion/ray."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.pictures import data_uri, photo
from support.ray_cluster import Cluster, two_nodes, until
from support.shop import FUNDS, Buyer, Shop, offer, open_shop, payment_header

MISSING = [name for name in ("ray", "torch", "diffusers") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(MISSING), reason=f"needs tollbrush[diffusion,ray]: {', '.join(MISSING)} missing"),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the cluster's processes in /proc"),
    pytest.mark.skipif(os.environ.get("TOLLBRUSH_E2E") != "long", reason="TOLLBRUSH_E2E=long runs it"),
]

BASE = "eip155:84532"
SIZE = "64x96"
PICTURE = data_uri(photo(64, 96))
ASKED = {"model": "acme/tiny", "prompt": "make it snowy", "size": SIZE, "image": PICTURE, "seed": 5}
PRICE = 10_500
ENDED = ("completed", "failed", "cancelled")
BEGAN = re.compile(r'event="an edit began".* replica=\S+/(\d+)@')


@dataclass
class House:
    """The shop, its cluster, and the settings that both go by. `said`: how much of the log was read."""

    shop: Shop
    cluster: Cluster
    settings: Mapping[str, str]
    said: int = field(default=0)

    def begin(self, buyer: Buyer, **changes: Any) -> Job:
        """Paid, and answered with a job."""
        self.said = len(self.shop.log.read_text())
        asked = self.shop.post(ASKED | changes)
        assert asked.status_code == 402, asked.text
        headers = {"X-Payment": payment_header(self.shop, buyer, offer(asked, BASE))}
        taken = self.shop.post(ASKED | changes, headers)
        assert taken.status_code == 202, taken.text
        return Job(self.shop.url + taken.json()["poll_url"], headers)

    def news(self) -> str:
        """What the gateway has logged since the last job began."""
        return self.shop.log.read_text()[self.said :]

    def at_work(self, nth: int = 1) -> int:
        """The process that works on the last job, once the `nth` has begun to."""

        def look() -> int | None:
            found = BEGAN.findall(self.news())
            return int(found[nth - 1]) if len(found) >= nth else None

        return until(look, "nothing began")

    def spent(self, buyer: Buyer) -> int:
        return FUNDS - self.shop.base.balance(buyer.address(BASE))


@dataclass(frozen=True)
class Job:
    url: str
    headers: dict[str, str]

    def poll(self) -> dict[str, Any]:
        said: dict[str, Any] = httpx2.get(self.url, headers=self.headers, timeout=60).json()
        return said

    def progress(self, beyond: float = 0.0) -> float:
        """Once it is further than this."""

        def look() -> float | None:
            said = self.poll()
            assert said["status"] not in ENDED, said
            done = float(said.get("progress") or 0)
            return done if done > beyond else None

        return until(look, f"{self.url} makes no progress")

    def ended(self) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            said = self.poll()
            return said if said["status"] in ENDED else None

        return until(look, f"{self.url} is still at work")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Every edit becomes a job."""
    from support.tiny_pipelines import build

    folder = tmp_path_factory.mktemp("ray")
    weights = str(build("Flux2KleinPipeline", folder / "model"))
    row = {"engine": "diffusion", "licence": "Apache-2.0", "mask": True, "sizes": {SIZE: "0.01"}}
    models = {
        "acme/tiny": row | {"weights": {"source": weights, "steps": 4}},
        "acme/slow": row | {"weights": {"source": weights, "steps": 200}},
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
            yield House(shop, cluster, settings)


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
    assert httpx2.delete(job.url, headers=job.headers).status_code == 200
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


def test_nothing_to_run_is_told_when_it_is_deployed(house: House) -> None:
    said = house.cluster.tollbrush("deploy", settings={"TOLLBRUSH_ENGINES__RAY__GPUS": "0"})
    assert said.returncode != 0
    assert "no model to run" in said.stderr
    wrong = {
        "TOLLBRUSH_MODELS": json.dumps(
            {"acme/bad": {"engine": "diffusion", "licence": "Apache-2.0", "sizes": {SIZE: "0.01"},
                          "weights": {"source": "/nowhere", "pipeline": "Flux2KleinPipeline"}}}
        ),
        "TOLLBRUSH_ENGINES__RAY__GPUS": "0",
    }  # fmt: skip
    said = house.cluster.tollbrush("deploy", "--port", str(house.cluster.port), settings=wrong)
    assert said.returncode != 0
    print(said.stderr)
    assert "/nowhere" in said.stderr
    assert len(said.stderr.splitlines()) == 2  # what is done, and what is wrong
