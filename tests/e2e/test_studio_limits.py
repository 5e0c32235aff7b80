"""Studio workers that hang, are killed or run out of memory under a running gateway: the edit fails by name, nobody
pays for it, the gateway lives, and the next edit is done."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.pictures import data_uri, photo
from support.shop import FUNDS, Shop, offer, open_shop, payment_header

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="what workers do is read from /proc"),
]
BASE = "eip155:84532"
SOLANA = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
LIMIT = 6  # seconds for each picture
STUDIO = {"model": "tollbrush/studio", "size": "auto"}
SMALL = STUDIO | {"prompt": "make it sepia", "image": data_uri(photo(64, 64))}
LARGE = STUDIO | {"prompt": "turn it into an oil painting", "image": data_uri(photo(2048, 2048)), "n": 4}
PRICE = 2_100


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One worker, and little patience with it."""
    env = {"WORKERS": "1", "TIMEOUT_SECONDS": str(LIMIT)}
    settings = {f"TOLLBRUSH_ENGINES__STUDIO__{name}": value for name, value in env.items()}
    # A busy machine takes its time to start another worker.
    settings |= {"TOLLBRUSH_GATEWAY__INLINE_SECONDS": "170", "TOLLBRUSH_GATEWAY__GRACE_SECONDS": "1"}
    with open_shop(tmp_path_factory.mktemp("limits"), **settings) as opened:
        yield opened


class Edit:
    """A paid edit under way, in a thread of its own."""

    def __init__(self, gateway: Shop, network: str, body: dict[str, Any], **headers: str) -> None:
        self.gateway, self.network, self.body, self.buyer = gateway, network, body, gateway.buyer()
        entry = offer(gateway.post(body), network)
        self.headers = {"X-Payment": payment_header(gateway, self.buyer, entry), **headers}
        self._thread = ThreadPoolExecutor(1)
        self.answer: Future[httpx2.Response] = self._thread.submit(self.send)
        self._thread.shutdown(wait=False)

    def send(self) -> httpx2.Response:
        return self.gateway.post(self.body, self.headers)

    def spent(self) -> int:
        return FUNDS - self.gateway.chain(self.network).balance(self.buyer.address(self.network))

    def fails(self, status: int, code: str) -> None:
        """By name, uncharged, without a picture, and without harm to the gateway."""
        files = self.gateway.images_on_disk()
        while not self.answer.done():
            assert httpx2.get(self.gateway.url + "/healthz").status_code == 200
        answer = self.answer.result()
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert "Nothing was charged" in answer.json()["message"]
        assert not {"PAYMENT-RESPONSE", "PAYMENT-REQUIRED"} & {name.upper() for name in answer.headers}
        assert (self.spent(), self.gateway.images_on_disk()) == (0, files)

    def succeeds(self) -> None:
        answer = self.send()
        assert answer.status_code == 200, answer.text
        assert httpx2.get(answer.json()["data"][0]["url"]).content.startswith(b"\x89PNG")
        assert self.spent() == PRICE


class Worker:
    """The gateway's one, as proc(5) shows it."""

    def __init__(self, gateway: Shop) -> None:
        (gateway_process,) = gateway.processes
        found = [p for p in _children(gateway_process.pid) if b"studio.worker_process" in _command(p)]
        assert len(found) == 1, "a worker that is replaced is gone"
        (self.pid,) = found
        self._folder = Path(f"/proc/{self.pid}")

    def await_work(self, seconds: float = 0.3) -> None:
        """Until it has worked for so long from now on."""
        start = self._worked()
        while self._worked() < start + seconds:
            pass

    def _worked(self) -> float:
        user, system = (self._folder / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def size(self) -> int:
        """Bytes of address space."""
        return int((self._folder / "statm").read_text().split()[0]) * resource.getpagesize()

    def await_end(self) -> None:
        while self._folder.exists():
            pass


def _children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _words(task / "children")]


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:  # the task has ended
        return []


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def worker(gateway: Shop) -> Worker:
    """Warm: it has done an edit."""
    assert gateway.pay(gateway.buyer(), SMALL, BASE).status_code == 200
    return Worker(gateway)


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_one_that_hangs_is_ended_at_its_limit(gateway: Shop, worker: Worker, network: str) -> None:
    os.kill(worker.pid, signal.SIGSTOP)
    edit = Edit(gateway, network, SMALL)
    edit.fails(504, "timeout")
    worker.await_end()
    edit.succeeds()  # with the same payment, in another worker
    assert Worker(gateway).pid != worker.pid


def test_a_job_whose_worker_hangs_fails(gateway: Shop, worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGSTOP)
    edit = Edit(gateway, SOLANA, SMALL, Prefer="wait=0")
    accepted = edit.answer.result()
    assert accepted.status_code == 202, accepted.text
    url = gateway.url + accepted.json()["poll_url"]
    while (ended := httpx2.get(url, headers=edit.headers)).status_code == 202:
        pass
    assert (ended.status_code, ended.json()["status"], ended.json()["code"]) == (200, "failed", "timeout"), ended.text
    assert edit.spent() == 0
    worker.await_end()
    del edit.headers["Prefer"]
    edit.succeeds()


def test_one_that_is_killed_in_the_middle_of_an_edit(gateway: Shop, worker: Worker) -> None:
    edit = Edit(gateway, BASE, LARGE)
    worker.await_work()
    os.kill(worker.pid, signal.SIGKILL)
    edit.fails(500, "worker_died")
    assert gateway.pay(edit.buyer, SMALL, BASE).status_code == 200
    assert edit.spent() == PRICE


def test_one_that_is_killed_while_nobody_uses_it_costs_no_edit(gateway: Shop, worker: Worker) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    worker.await_end()
    assert gateway.pay(gateway.buyer(), SMALL, BASE).status_code == 200


@pytest.mark.parametrize("spare", [2, 100], ids=["at the job", "at its work"])
def test_one_that_runs_out_of_memory(gateway: Shop, worker: Worker, spare: int) -> None:
    """`spare` megabytes are what it gets beyond those that it has."""
    most = worker.size() + spare * 2**20
    resource.prlimit(worker.pid, resource.RLIMIT_AS, (most, most))
    edit = Edit(gateway, BASE, LARGE)
    edit.fails(500, "worker_died")
    worker.await_end()
    assert gateway.pay(edit.buyer, SMALL, BASE).status_code == 200


def test_workers_go_first_when_the_machine_has_no_memory_left(gateway: Shop, worker: Worker) -> None:
    scores = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in (worker.pid, gateway.processes[0].pid)]
    assert scores[0] >= scores[1] + 500 or scores[0] == 1000
