"""A router killed between 202 and done goes on by itself when it starts again: paid once, the result in its history."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import httpx2
import pytest

from support.evm_node import EvmNode
from support.paid_server import DROP, Heard, PaidServer, Reply, png
from support.servers import free_port, running
from tollbrush.payments.wallet import load_or_create
from tollbrush.settings import Settings

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("when", ["uploaded, unanswered", "a job"])
def test_killed_in_mid_job(tmp_path: Path, gateway: PaidServer, evm_node: EvmNode, when: str) -> None:
    """Nobody asks again: the caller went away with the first router."""
    (tmp_path / "photo.png").write_bytes(png())
    evm_node.balances[load_or_create(Settings(data_dir=tmp_path / "data")).evm_address.lower()] = 10_000_000
    reached, dead, resumed = threading.Event(), threading.Event(), threading.Event()

    def hang(heard: Heard) -> Reply:
        reached.set()
        assert dead.wait(30)
        return DROP

    def finish(heard: Heard) -> Reply:
        resumed.set()
        return gateway.edit(heard)

    if when == "a job":
        gateway.script["edit"] = [gateway.accept()]
        gateway.script["poll"] = [hang, finish]
    else:
        gateway.script["edit"] = [hang, finish]
    env = {
        "TOLLBRUSH_DATA_DIR": str(tmp_path / "data"),
        "TOLLBRUSH_NETWORKS": json.dumps({"base-sepolia": {"rpc_url": evm_node.rpc_url}}),
        "TOLLBRUSH_ROUTER__GATEWAY_URL": gateway.url,
        "TOLLBRUSH_ROUTER__ALLOWED_ROOTS": json.dumps([str(tmp_path)]),
    }
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", tmp_path / "route.log"
    command = ["tollbrush", "route", "--port", str(port)]
    with running(command, f"{url}/health", log=log, env=env) as router:
        body = {"prompt": "add a hat", "image": str(tmp_path / "photo.png")}
        asked = httpx2.post(f"{url}/v1/images/image2image", json=body, headers={"prefer": "respond-async"}, timeout=60)
        assert asked.status_code == 202
        job = asked.json()
        assert reached.wait(30)
        router.kill()
        router.wait()
    dead.set()
    with running(command, f"{url}/health", log=log, env=env):
        assert resumed.wait(30)
        done = httpx2.get(url + job["poll_url"], headers={"prefer": "wait=30"}, timeout=60)
        (past,) = httpx2.get(f"{url}/v1/history").json()["data"]
        picture = httpx2.get(past["answer"]["data"][0]["url"])
    assert (done.status_code, done.json()["status"]) == (200, "completed"), done.text
    assert (past["id"], past["status"], past["payment_status"]) == (job["id"], "completed", "charged")
    assert picture.content == gateway.picture
    payments = {heard.payment for heard in gateway.heard if heard.payment}
    assert len(payments) == 1 == len(gateway.charged)
    uploads = list((tmp_path / "data/router/history.uploads").iterdir())
    assert uploads == [], "nothing of the picture stays behind"
