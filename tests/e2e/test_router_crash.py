"""A router that dies between paying and delivering pays no second time."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from support.evm_node import EvmNode
from support.paid_server import DROP, Heard, PaidServer, Reply, png
from support.servers import free_port, running
from tollbrush.payments.wallet import load_or_create
from tollbrush.settings import Settings

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("slow", [False, True], ids=["while it answers", "while it is a job"])
def test_killed_after_the_payment_was_taken(tmp_path: Path, gateway: PaidServer, evm_node: EvmNode, slow: bool) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    evm_node.balances[load_or_create(Settings(data_dir=tmp_path / "data")).evm_address.lower()] = 10_000_000
    taken, dead = threading.Event(), threading.Event()

    def take_and_hang(heard: Heard) -> Reply:
        assert gateway.edit(heard).status == 200
        taken.set()
        dead.wait(30)
        return DROP

    gateway.script["edit"] = [gateway.accept()] if slow else [take_and_hang]
    gateway.script["poll"] = [take_and_hang] if slow else []
    env = {
        "TOLLBRUSH_DATA_DIR": str(tmp_path / "data"),
        "TOLLBRUSH_NETWORKS": json.dumps({"base-sepolia": {"rpc_url": evm_node.rpc_url}}),
        "TOLLBRUSH_ROUTER__GATEWAY_URL": gateway.url,
        "TOLLBRUSH_ROUTER__ALLOWED_ROOTS": json.dumps([str(tmp_path)]),
    }
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", tmp_path / "route.log"
    command = ["tollbrush", "route", "--port", str(port)]

    def ask() -> httpx2.Response:
        body = {"prompt": "add a hat", "image": str(tmp_path / "photo.png")}
        return httpx2.post(f"{url}/v1/images/image2image", json=body, timeout=60)

    with ThreadPoolExecutor(1) as pool:
        with running(command, f"{url}/health", log=log, env=env) as router:
            lost = pool.submit(ask)
            assert taken.wait(30)
            router.kill()
            router.wait()
            assert isinstance(lost.exception(30), httpx2.HTTPError)
        dead.set()
        with running(command, f"{url}/health", log=log, env=env):
            answer = ask()
    assert answer.status_code == 200, answer.text
    payments = {heard.payment for heard in gateway.heard if heard.payment}
    assert len(payments) == 1 == len(gateway.charged)
    shown = answer.json()["data"][0]
    assert shown["url"].startswith(url)
    assert "payment-signature" not in log.read_text().lower()
