"""What a poll and a cancellation answer, by the job's state: no chain is asked while nothing is to be settled."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from solders.keypair import Keypair

from support.engines import Inverter
from tollbrush.domain.charges import Charge, ChargeState, ClaimKey
from tollbrush.domain.jobs import HostedImage, Job, JobState
from tollbrush.gateway.app import Seams, create_app
from tollbrush.gateway.jobs import PATHS
from tollbrush.payments.proof import poll_message
from tollbrush.settings import Settings
from tollbrush.storage.memory import MemoryLedger

WALLET = Keypair()
DEVNET = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
NETWORKS = {
    "solana-devnet": {
        "pay_to": str(Keypair().pubkey()),
        "settle_key": str(Keypair()),
        "rpc_url": "http://127.0.0.1:9",
    }
}
JOB = Job(
    "job-1", str(WALLET.pubkey()), "tollbrush/studio", "tollbrush/studio", "64x64", 1, 2_100, created=1, deadline=2**40
)
IMAGE = HostedImage("k.png", "image/png", 64, 64, "00", 1, "invert")
KEY = ClaimKey(DEVNET, "usdc", JOB.payer, "00")
CHARGE = Charge("c1", KEY, JOB.amount, "seller", 2**40, "digest", JOB.id, "{}", created=1)


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
async def gateway(tmp_path: Path, ledger: MemoryLedger) -> AsyncIterator[httpx2.AsyncClient]:
    seams = Seams(ledger=lambda folder: ledger, engines=lambda settings: [Inverter()])
    app = create_app(Settings(data_dir=tmp_path, networks=NETWORKS), seams)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost:8401") as client:
        yield client
    await app.state.close()


def proof() -> dict[str, str]:
    now = int(time.time())
    signature = WALLET.sign_message(poll_message(JOB.id, now))
    return {
        "X-Poll-Wallet": str(WALLET.pubkey()),
        "X-Poll-Timestamp": str(now),
        "X-Poll-Signature": str(signature),
    }


async def put(ledger: MemoryLedger, job: Job) -> None:
    await ledger.claim(CHARGE, JOB, balance=2**40, max_open=1)
    await ledger.save(job=job)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.IN_PROGRESS])
async def test_at_work(gateway: httpx2.AsyncClient, ledger: MemoryLedger, state: JobState) -> None:
    await put(ledger, replace(JOB, state=state))
    for path in (*PATHS, *(f"/sol{path}" for path in PATHS)):
        answer = await gateway.get(path.format(id=JOB.id), headers=proof())
        assert answer.status_code == 202
        assert answer.json() == {
            "id": JOB.id, "object": "image.generation.job", "status": state, "model": JOB.model,
            "payment_status": "verified", "queue_position": 0, "progress": None,
        }  # fmt: skip
        assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("2", "no-store")


@pytest.mark.parametrize(
    ("job", "status", "code", "error"),
    [
        (JOB.fail("timeout", "too slow", 2), "failed", "timeout", "too slow"),
        (JOB.cancel(2), "cancelled", "cancelled", "the job was cancelled"),
    ],
)
async def test_ended_without_a_result(
    gateway: httpx2.AsyncClient, ledger: MemoryLedger, job: Job, status: str, code: str, error: str
) -> None:
    await put(ledger, job)
    for method in ("GET", "DELETE"):
        answer = await gateway.request(method, f"/v1/images/generations/{JOB.id}", headers=proof())
        assert answer.status_code == 200
        assert answer.json() == {
            "id": JOB.id, "object": "image.generation.job", "status": status, "model": JOB.model, "error": error,
            "code": code, "payment_status": "not_charged",
        }  # fmt: skip


async def test_what_is_no_longer_kept_is_no_empty_success(gateway: httpx2.AsyncClient, ledger: MemoryLedger) -> None:
    done = JOB.start(2).complete((IMAGE,), 3)
    await put(ledger, done)
    await ledger.save(charge=replace(CHARGE, state=ChargeState.SETTLED, tx_hash="landed"))
    url = f"/v1/images/generations/{JOB.id}"
    assert len((await gateway.get(url, headers=proof())).json()["data"]) == 1
    await ledger.save(job=replace(done, images=()))
    gone = await gateway.get(url, headers=proof())
    assert (gone.status_code, gone.json()) == (404, {"error": "Job not found"})


async def test_ready_and_unpaid(gateway: httpx2.AsyncClient, ledger: MemoryLedger) -> None:
    await put(ledger, JOB.start(2).complete((IMAGE,), 3))
    url = f"/v1/images/generations/{JOB.id}"
    asked = (await gateway.get(url, headers=proof())).json()
    assert (asked["status"], asked["id"], asked["price"]["amount"]) == ("completed", JOB.id, "0.002100")
    assert (asked["accepts"][0]["maxAmountRequired"], asked["accepts"][0]["network"]) == ("2100", "solana-devnet")
    assert IMAGE.key not in str(asked)
    nothing = await gateway.get(url)
    assert nothing.status_code == 402
    assert not {"status", "id"} & set(nothing.json())


async def test_strangers_and_unknown_jobs_are_told_the_same(gateway: httpx2.AsyncClient, ledger: MemoryLedger) -> None:
    await put(ledger, replace(JOB, payer="somebody else"))
    stale = proof() | {"X-Poll-Timestamp": "17"}
    answers = [
        await gateway.request(method, f"/v1/images/generations/{job_id}", headers=headers)
        for method in ("GET", "DELETE")
        for job_id, headers in (
            (JOB.id, proof()),
            (JOB.id, stale),
            (JOB.id, {"X-Payment": "nonsense"}),
            ("unknown", {}),
            ("unknown", {"X-Payment": "nonsense"}),
        )
    ]
    assert {(a.status_code, a.content, tuple(a.headers.items())) for a in answers} == {
        (404, b'{"error":"Job not found"}', tuple(answers[0].headers.items()))
    }


async def test_head_neither_polls_nor_pays(gateway: httpx2.AsyncClient, ledger: MemoryLedger) -> None:
    await put(ledger, JOB.start(2).complete((IMAGE,), 3))
    for method in ("HEAD", "POST", "PUT", "PATCH"):
        answer = await gateway.request(method, f"/v1/images/generations/{JOB.id}", headers=proof())
        assert answer.status_code == 405
        assert {"GET", "DELETE"} <= set(answer.headers["allow"].split(", "))
