"""A gateway that sells an open model from its own machine: a tiny random one, on the CPU, in a worker process."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from support.orders import PRICE, ROW, SIZE, Counter
from support.pictures import data_uri, half_mask, photo
from support.shop import Buyer, open_shop

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),  # torch is imported and a model read, twice
    pytest.mark.skipif(importlib.util.find_spec("diffusers") is None, reason="needs tollbrush[diffusion]"),
]


class House(Counter):
    @property
    def gateway(self) -> int:
        (process,) = self.shop.processes
        return process.pid

    def worker(self) -> int:
        """The process id of the one worker that runs."""
        (found,) = _workers_of(self.gateway)
        return found


def _workers_of(gateway: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words, status = (folder / "cmdline").read_bytes(), (folder / "status").read_text()
            except OSError:
                continue  # it has ended
            parent = int(status.partition("PPid:")[2].split()[0])
            if parent == gateway and b"diffusion.worker_process" in words and "State:\tZ" not in status:
                found.append(int(folder.name))
    return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """It sells a quick model, a slow one, and one whose files are no good; every edit becomes a job."""
    from support.tiny_pipelines import build

    folder = tmp_path_factory.mktemp("diffusion")
    good = build("Flux2KleinPipeline", folder / "good")
    bad = Path(shutil.copytree(good, folder / "bad"))
    for weights in bad.glob("transformer/*.safetensors"):
        weights.write_bytes(weights.read_bytes()[:-100])
    models = {
        "acme/tiny": {**ROW, "weights": {"source": str(good), "steps": 4}},
        "acme/slow": {**ROW, "weights": {"source": str(good), "steps": 200}},
        "acme/bad": {**ROW, "weights": {"source": str(bad)}},
    }
    env = {
        "TOLLBRUSH_MODELS": json.dumps(models),
        "TOLLBRUSH_ENGINES__DIFFUSION__DEVICES": '["cpu"]',
        "TOLLBRUSH_ENGINES__STUDIO__ENABLED": "false",
        "TOLLBRUSH_GATEWAY__INLINE_SECONDS": "0",
        "OMP_NUM_THREADS": "1",
    }
    with open_shop(folder, **env) as shop:
        opened = House(shop)
        for model in ("acme/tiny", "acme/slow"):  # the first waits until it is loaded
            assert opened.buy(shop.buyer(), model=model).status_code == 200, shop.log.read_text()
        yield opened


@pytest.fixture
def buyer(house: House) -> Buyer:
    return house.shop.buyer()


def pixels(data: bytes) -> Any:
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def test_an_own_model_is_listed_with_its_licence_and_price(house: House) -> None:
    rows = {row["id"]: row for row in httpx2.get(house.shop.url + "/v1/models").json()["data"]}
    row = rows["acme/tiny"]
    assert (row["available"], row["mask"], row["licence"]) == (True, True, "Apache-2.0")
    assert row["pricing"] == {SIZE: 0.0105}


def test_a_masked_edit_changes_no_protected_pixel(house: House, buyer: Buyer) -> None:
    sold = house.buy(buyer, mask=data_uri(half_mask(64, 96)), seed=5)
    assert sold.status_code == 200, sold.text
    (image,) = sold.json()["data"]
    assert (image["preserved"], image["seed"], image["width"], image["height"]) == (True, 5, 64, 96)
    source, kept = pixels(photo(64, 96)), pixels(half_mask(64, 96))[..., 0] < 128
    answer = pixels(httpx2.get(image["url"]).content)
    assert np.count_nonzero((answer != source).any(axis=2) & kept) == 0
    assert np.count_nonzero((answer != source).any(axis=2) & ~kept) > 0
    assert house.spent(buyer) == PRICE


def test_the_same_seed_makes_the_same_picture(house: House) -> None:
    first, second, other = (
        house.buy(house.shop.buyer(), seed=seed, n=n).json()["data"] for seed, n in ((7, 2), (8, 1), (7, 1))
    )
    digests = [image["sha256"] for image in first]
    assert [image["seed"] for image in first] == [7, 8]
    assert digests == [other[0]["sha256"], second[0]["sha256"]]  # picture i of n is that of seed + i alone
    assert digests[0] != digests[1]


def test_a_job_tells_how_far_it_is(house: House, buyer: Buyer) -> None:
    answers = house.begin(buyer, model="acme/slow").answers()
    told = [answer["progress"] for answer in answers[:-1] if answer.get("progress") is not None]
    assert told == sorted(told)
    assert len({round(fraction, 3) for fraction in told if 0 < fraction < 1}) >= 3
    assert answers[-1]["payment"]["status"] == "settled"
    assert house.spent(buyer) == PRICE


def test_a_cancelled_job_stops_and_is_not_charged(house: House, buyer: Buyer) -> None:
    job = house.begin(buyer, model="acme/slow", n=10)
    job.progress()
    job.cancel()
    said = job.poll()
    assert (said["status"], said["payment_status"]) == ("cancelled", "not_charged")
    # ten times two hundred steps would hold the line for longer than this has
    quick = house.begin(house.shop.buyer(), model="acme/slow", size=SIZE)
    quick.progress()
    assert house.spent(buyer) == 0


def test_unfinished_pictures_are_seen_at_the_openai_door(house: House, buyer: Buyer) -> None:
    events = house.stream(buyer, "acme/tiny", previews=2)
    assert [event["type"] for event in events] == ["image_edit.partial_image"] * 2 + ["image_edit.completed"]
    first, second, done = (pixels(base64.b64decode(event["b64_json"])) for event in events)
    assert done.shape == (96, 64, 3)
    assert not np.array_equal(first, second)
    assert house.spent(buyer) == PRICE


def test_a_prompt_past_what_the_model_reads_is_refused_and_free(house: House, buyer: Buyer) -> None:
    answer = house.buy(buyer, prompt="a very long story " * 400)
    assert answer.status_code == 400, answer.text
    assert "tokens" in answer.json()["error"]
    assert house.spent(buyer) == 0


def test_a_model_that_cannot_be_loaded_is_told_of_and_sells_nothing(house: House, buyer: Buyer) -> None:
    ready = httpx2.get(f"{house.shop.url}/readyz")
    assert ready.status_code == 200  # the others sell
    assert "acme/bad cannot be loaded" in ready.json()["warnings"]["upstreams"]
    answer = house.buy(buyer, model="acme/bad")
    assert answer.status_code == 503, answer.text
    assert str(house.shop.data_dir.parent) not in answer.text + ready.text  # where it lies is for the log
    assert "should have" in house.shop.log.read_text()
    assert house.spent(buyer) == 0


def test_the_gateway_itself_stays_light(house: House) -> None:
    status = Path(f"/proc/{house.gateway}/status").read_text()
    assert int(status.partition("VmRSS:")[2].split()[0]) < 160 * 1024
    maps = Path(f"/proc/{house.gateway}/maps").read_text()
    assert "libtorch" not in maps


def test_a_worker_killed_in_mid_edit_charges_nobody_and_is_replaced(house: House, buyer: Buyer) -> None:
    job = house.begin(buyer, model="acme/slow", n=10)
    job.progress()
    killed = house.worker()
    os.kill(killed, signal.SIGKILL)
    failed = job.ended()
    assert (failed["code"], failed["payment_status"]) == ("worker_died", "not_charged")
    assert house.spent(buyer) == 0
    sold = house.buy(buyer)
    assert sold.status_code == 200, sold.text
    assert house.worker() != killed
    assert house.spent(buyer) == PRICE


@pytest.mark.skipif(os.environ.get("TOLLBRUSH_E2E") != "long", reason="TOLLBRUSH_E2E=long runs it")
def test_an_edit_at_work_when_the_gateway_is_stopped_is_sold_once(house: House, buyer: Buyer) -> None:
    """Before it ends, or after the next start; its worker goes with it."""
    job = house.begin(buyer, model="acme/slow")
    job.progress()
    worker = house.worker()
    house.shop.restart(signal.SIGTERM)
    said = job.ended()
    assert said["status"] == "completed", said
    assert house.spent(buyer) == PRICE
    assert not Path(f"/proc/{worker}").exists()
    assert house.worker() != worker
