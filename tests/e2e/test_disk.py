"""A disk that takes nothing: a clear 503, no charge, no pixels; and all goes on by itself when it is back."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from support.pictures import data_uri, photo
from support.shop import FUNDS, Buyer, Shop, offer, open_shop, payment_header

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process can be set on Linux only"),
]

BASE = "eip155:84532"
SOLANA = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
PRICE = 21_000
PICTURE = data_uri(photo(64, 64))
PATIENT = {
    "TOLLBRUSH_ENGINES__STUDIO__ENABLED": "false",
    "TOLLBRUSH_GATEWAY__LEASE_SECONDS": "1",
    "TOLLBRUSH_GATEWAY__SWEEP_SECONDS": "0.3",
}


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("disk"), **PATIENT) as shop:
        yield shop


@contextmanager
def no_disk(shop: Shop) -> Iterator[None]:
    """Every write of the gateway to a file fails, its log's too."""
    pid = shop.processes[0].pid
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)


def spent(shop: Shop, buyer: Buyer, network: str) -> int:
    return FUNDS - shop.chain(network).balance(buyer.address(network))


def is_refused(answer: httpx2.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == "unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing was charged" in answer.json()["message"]


def delivers(shop: Shop, body: dict[str, str], header: dict[str, str]) -> httpx2.Response:
    """The same payment again, until the claim of the edit that broke has run out."""
    while (answer := shop.post(body, header)).status_code in (409, 503):
        pass
    assert answer.status_code == 200, answer.text
    assert httpx2.get(answer.json()["data"][0]["url"]).status_code == 200
    return answer


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_nothing_begins_without_a_disk(fragile: Shop, network: str) -> None:
    buyer, body = fragile.buyer(), {"prompt": "invert the colours", "image": PICTURE}
    with no_disk(fragile):
        asked = fragile.post(body)
        assert asked.status_code == 402
        header = {"X-Payment": payment_header(fragile, buyer, offer(asked, network))}
        is_refused(fragile.post(body, header))
        assert httpx2.get(fragile.url + "/healthz").status_code == 200
    assert spent(fragile, buyer, network) == 0
    assert fragile.post(body, header).status_code == 200
    assert spent(fragile, buyer, network) == PRICE


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_a_disk_that_fails_while_an_edit_runs(fragile: Shop, network: str) -> None:
    name = f"disk-{network[:3]}"
    buyer, body = fragile.buyer(), {"prompt": f"hold: {name}", "image": PICTURE}
    header = {"X-Payment": payment_header(fragile, buyer, offer(fragile.post(body), network))}
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(fragile.post, body, header)
        fragile.await_held(name)
        with no_disk(fragile):
            fragile.release(name)
            is_refused(answer.result())
            assert spent(fragile, buyer, network) == 0
    delivers(fragile, body, header)
    assert spent(fragile, buyer, network) == PRICE


def test_a_database_held_by_another_is_waited_for_or_refused(fragile: Shop) -> None:
    buyer, body = fragile.buyer(), {"prompt": "invert the colours", "image": PICTURE}
    header = {"X-Payment": payment_header(fragile, buyer, offer(fragile.post(body), BASE))}
    (path,) = [p for p in fragile.data_dir.iterdir() if p.suffix in (".db", ".sqlite")]
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    is_refused(fragile.post(body, header))
    other.execute("ROLLBACK")
    other.close()
    assert fragile.post(body, header).status_code == 200
    assert spent(fragile, buyer, BASE) == PRICE


def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "gateway"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tollbrush-test", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with open_shop(tmp_path, **PATIENT) as shop:
            buyer, body = shop.buyer(), {"prompt": "invert the colours", "image": PICTURE}
            header = {"X-Payment": payment_header(shop, buyer, offer(shop.post(body), BASE))}
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
                while True:
                    file.write(bytes(4096))
            is_refused(shop.post(body, header))
            assert shop.base.balance(shop.seller_evm) == 0
            filler.unlink()
            delivers(shop, body, header)
            assert shop.base.balance(shop.seller_evm) == PRICE
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_folder_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    env = {"TOLLBRUSH_DATA_DIR": str(tmp_path / "data"), "TOLLBRUSH_ENGINES__STUDIO__ENABLED": "false"}
    command = [sys.executable, "-m", "tollbrush", "serve", "--port", "0"]
    done = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode > 0
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "data") in done.stderr.replace("\n", "")
