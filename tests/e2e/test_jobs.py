"""Slow edits over real HTTP: accepted, polled, paid once when collected, or never charged at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.engines import Inverter
from support.market import Market, open_market, poll_proof
from support.own_gateway import PRICE as OWN_PRICE
from support.own_gateway import open_gateway
from support.pictures import data_uri, photo
from support.servers import free_port, running
from support.shop import EDIT, FUNDS, Buyer, Shop, offer, open_shop, payment_header
from tollbrush import Client
from tollbrush.client.orders import Progress
from tollbrush.engines.interface import Capabilities
from tollbrush.payments.payer import Payer
from tollbrush.payments.wallet import Wallet, load_or_create
from tollbrush.settings import NetworkSettings, RouterSettings, Settings

pytestmark = pytest.mark.e2e

BASE = "eip155:84532"
SOLANA = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
V1 = {BASE: "base-sepolia", SOLANA: "solana-devnet"}
PRICE = 21_000
PICTURE = data_uri(photo(64, 64))
NOT_FOUND = b'{"error":"Job not found"}'
POLLS = 5_000
"""So many answers are waited for, at most, without a pause."""


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Every edit here becomes a job."""
    with open_shop(
        tmp_path_factory.mktemp("slow"),
        TOLLBRUSH_ENGINES__STUDIO__ENABLED="false",
        TOLLBRUSH_GATEWAY__INLINE_SECONDS="0",
        TOLLBRUSH_GATEWAY__HARD_SECONDS="60",
        TOLLBRUSH_GATEWAY__GRACE_SECONDS="0.2",
        TOLLBRUSH_GATEWAY__LEASE_SECONDS="1",
        TOLLBRUSH_GATEWAY__SWEEP_SECONDS="0.3",
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Edits have five seconds here, and results are kept for one."""
    with open_shop(
        tmp_path_factory.mktemp("brief"),
        TOLLBRUSH_ENGINES__STUDIO__ENABLED="false",
        TOLLBRUSH_GATEWAY__INLINE_SECONDS="0",
        TOLLBRUSH_GATEWAY__HARD_SECONDS="5",
        TOLLBRUSH_GATEWAY__UNCOLLECTED_SECONDS="1",
        TOLLBRUSH_GATEWAY__SWEEP_SECONDS="0.3",
    ) as opened:
        yield opened


@dataclass(frozen=True)
class Slow:
    """A job as its payer has it. `header` is the payment's."""

    shop: Shop
    buyer: Buyer
    network: str
    header: dict[str, str]
    accepted: httpx2.Response

    @property
    def id(self) -> str:
        return str(self.accepted.json()["id"])

    @property
    def url(self) -> str:
        return self.shop.url + str(self.accepted.json()["poll_url"])

    def poll(self, headers: dict[str, str] | None = None, method: str = "GET") -> httpx2.Response:
        return httpx2.request(method, self.url, headers=self.header if headers is None else headers, timeout=30)

    def until(self, status: int, headers: dict[str, str] | None = None) -> httpx2.Response:
        """Polled until it is no longer 202."""
        for _ in range(POLLS):
            if (answer := self.poll(headers)).status_code != 202:
                assert answer.status_code == status, answer.text
                return answer
        raise AssertionError(f"still at work: {answer.text}")

    def pay_anew(self, buyer: Buyer | None = None, version: int = 2) -> dict[str, str]:
        """The header of another payment, by this buyer or another."""
        entry = offer(self.poll({}), self.network)
        return {"X-Payment": payment_header(self.shop, buyer or self.buyer, entry, version)}

    def spent(self) -> int:
        return FUNDS - self.shop.chain(self.network).balance(self.buyer.address(self.network))

    def prove(self, buyer: Buyer | None = None, *, timestamp: int | None = None, job_id: str = "") -> dict[str, str]:
        moment = int(time.time()) if timestamp is None else timestamp
        return poll_proof((buyer or self.buyer).solana, job_id or self.id, moment)


def submit(
    shop: Shop,
    network: str,
    prompt: str,
    *,
    buyer: Buyer | None = None,
    version: int = 2,
    path: str = EDIT,
    **sign: Any,
) -> Slow:
    buyer = buyer or shop.buyer()
    body = {"prompt": prompt, "image": PICTURE}
    entry = offer(shop.post(body, path=path), network)
    header = {"X-Payment": payment_header(shop, buyer, entry, version, **sign)}
    accepted = shop.post(body, header, path=path)
    assert accepted.status_code == 202, accepted.text
    return Slow(shop, buyer, network, header, accepted)


@contextmanager
def held(shop: Shop, network: str, *, then: str = "", **options: Any) -> Iterator[Slow]:
    """A job whose engine is at work until the block ends."""
    name = os.urandom(6).hex()
    job = submit(shop, network, f"hold: {name}" + (f" then {then}" if then else ""), **options)
    shop.await_held(name)
    try:
        yield job
    finally:
        shop.release(name)


def until_state(shop: Shop, job: Slow, state: str, *, rounds: int = POLLS) -> None:
    """Until the gateway's books say so: to poll a finished EVM job is to pay for it."""
    books = sqlite3.connect(f"file:{shop.data_dir / 'gateway.db'}?mode=ro", uri=True)
    try:
        for _ in range(rounds):
            ((now,),) = books.execute("SELECT state FROM jobs WHERE id = ?", (job.id,)).fetchall()
            if now == state:
                return
            threading.Event().wait(0.01)
    finally:
        books.close()
    raise AssertionError(f"the job is {now}")


def is_not_found(answer: httpx2.Response) -> bool:
    return (answer.status_code, answer.content) == (404, NOT_FOUND)


# ── the life of a slow edit ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("network", "prefix"), [(BASE, ""), (SOLANA, ""), (SOLANA, "/sol")])
def test_a_slow_edits_life(slow: Shop, network: str, prefix: str, version: int) -> None:
    with held(slow, network, version=version, path=prefix + EDIT) as job:
        said = job.accepted.json()
        assert list(said) == [
            "id", "object", "status", "model", "payment_status", "queue_position", "progress", "size", "n", "price",
            "created", "poll_url", "poll_instructions",
        ]  # fmt: skip
        assert said == said | {
            "object": "image.generation.job",
            "model": "openai/gpt-image-1",
            "payment_status": "verified",
            "size": "1024x1024",
            "n": 1,
            "price": {"amount": "0.021000", "currency": "USD"},
            "poll_url": f"{prefix}/api/v1/images/generations/{said['id']}",
        }
        assert said["status"] in ("queued", "in_progress")
        assert abs(said["created"] - time.time()) < 60
        assert re.fullmatch(r"[\w-]{16}", said["id"], re.ASCII)
        assert int(job.accepted.headers["retry-after"]) > 0
        waiting = job.poll()
        assert waiting.status_code == 202
        assert waiting.json() == {
            "id": job.id, "object": "image.generation.job", "status": "in_progress", "model": "openai/gpt-image-1",
            "payment_status": "verified", "queue_position": 0, "progress": None,
        }  # fmt: skip
        assert int(waiting.headers["retry-after"]) > 0
        assert waiting.headers["cache-control"] == "no-store"
    done = job.until(200)
    body = done.json()
    assert (body["id"], body["object"], body["status"]) == (job.id, "image.generation.job", "completed")
    assert body["payment"]["status"] == "settled"
    assert body["payment"]["network"] == V1[network]
    assert done.headers["X-PAYMENT-RECEIPT"] == body["payment"]["tx_hash"]
    assert {"PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE"} <= {name.upper() for name in done.headers}
    assert httpx2.get(body["data"][0]["url"]).status_code == 200
    for alias in ("/api/v1/images/image2image/", "/v1/images/generations/", "/v1/images/image2image/"):
        again = httpx2.get(slow.url + prefix + alias + job.id, headers=job.header).json()
        assert again["payment"]["status"] == "already_settled"
        assert again["data"] == body["data"]
    assert job.spent() == PRICE


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_twenty_racing_polls_settle_once(slow: Shop, network: str) -> None:
    before = slow.chain(network).balance(slow.seller(network))
    with ThreadPoolExecutor(20) as pool:
        with held(slow, network) as job:
            pending = [pool.submit(job.until, 200) for _ in range(20)]
        answers = [p.result().json() for p in pending]
    assert sum(a["payment"]["status"] == "settled" for a in answers) == 1
    assert len({json.dumps(a["data"]) for a in answers}) == 1
    assert (job.spent(), slow.chain(network).balance(slow.seller(network)) - before) == (PRICE, PRICE)


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_a_racing_fresh_payment_settles_one_of_the_two(slow: Shop, network: str) -> None:
    with held(slow, network) as job:
        fresh = [job.pay_anew() for _ in range(6)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda header: job.until(200, header).json(), [*fresh, *[job.header] * 6]))
    assert len({a["payment"]["tx_hash"] for a in answers}) == 1
    assert job.spent() == PRICE


def test_the_same_request_again_joins_its_job(slow: Shop) -> None:
    name = os.urandom(6).hex()
    body = {"prompt": f"hold: {name}", "image": PICTURE}
    job = submit(slow, BASE, body["prompt"])
    again = slow.post(body, job.header)
    assert (again.status_code, again.json()["id"]) == (202, job.id)
    slow.release(name)
    done = job.until(200).json()
    replay = slow.post(body, job.header)
    assert (replay.status_code, replay.json()["payment"]["status"]) == (200, "already_settled")
    assert replay.json()["data"] == done["data"]
    assert job.spent() == PRICE


PUBLISHED = """
curl -s -w '\\n%{http_code}' -X POST "$GATEWAY/api/v1/images/image2image" \\
  -H "Content-Type: application/json" \\
  -H "X-Payment: $PAYMENT_HEADER" \\
  -d "{
    \\"model\\": \\"openai/gpt-image-1\\",
    \\"prompt\\": \\"$PROMPT\\",
    \\"image\\": \\"data:image/png;base64,$(base64 photo.png)\\",
    \\"size\\": \\"1024x1024\\",
    \\"n\\": 1
  }"
"""
POLLED = """curl -s -w '\\n%{http_code}' -H "X-Payment: $PAYMENT_HEADER" "$HOST$POLL_URL" """


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="curl or bash is not installed")
@pytest.mark.parametrize(("network", "prefix"), [(BASE, ""), (SOLANA, ""), (SOLANA, "/sol")])
def test_a_slow_edit_by_curl(slow: Shop, network: str, prefix: str, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(photo(64, 64))
    name, buyer = os.urandom(6).hex(), slow.buyer()
    asked = slow.post({"prompt": f"hold: {name}", "image": PICTURE}, path=prefix + EDIT)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TOLLBRUSH_")}
    env = clean | {
        "GATEWAY": slow.url + prefix,
        "HOST": slow.url,
        "PROMPT": f"hold: {name}",
        "PAYMENT_HEADER": payment_header(slow, buyer, offer(asked, network)),
    }

    def bash(script: str) -> tuple[int, dict[str, Any]]:
        ran = subprocess.run(["bash", "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
        body, _, status = ran.stdout.rpartition("\n")
        return int(status), json.loads(body)

    status, accepted = bash(PUBLISHED)
    assert (status, accepted["payment_status"]) == (202, "verified"), accepted
    assert accepted["poll_url"].startswith(f"{prefix}/api/v1/images/generations/")
    env["POLL_URL"] = accepted["poll_url"]
    slow.await_held(name)
    assert bash(POLLED)[0] == 202
    slow.release(name)
    while (done := bash(POLLED))[0] == 202:
        pass
    again = bash(POLLED)
    assert (done[0], done[1]["payment"]["status"]) == (200, "settled"), done
    assert (again[0], again[1]["payment"]["status"], again[1]["data"]) == (200, "already_settled", done[1]["data"])
    assert slow.chain(network).balance(buyer.address(network)) == FUNDS - PRICE


class Narrow(Inverter):
    """One edit at a time."""

    def capabilities(self, upstream: str) -> Capabilities:
        return replace(super().capabilities(upstream), width=1)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with open_market() as opened:
        yield opened


def test_who_waits_is_told_its_place(market: Market, tmp_path: Path) -> None:
    """Behind a busy engine: the first is at work, the others move up when one before them goes."""
    with open_gateway(tmp_path, market.tills, engine=Narrow()) as gateway:
        gateway.hold()
        buyers = [market.buyer(network) for network in (BASE, SOLANA, BASE, SOLANA)]
        headers = [buyer.pay(gateway.post()) for buyer in buyers]
        accepted = [gateway.post(header | {"Prefer": "wait=0"}).json() for header in headers]

        def places() -> list[tuple[str, int]]:
            polls = [gateway.get(a["poll_url"], header) for a, header in zip(accepted, headers, strict=True)]
            assert {poll.status_code for poll in polls if poll.json()["status"] != "cancelled"} == {202}
            return [(poll.json()["status"], poll.json().get("queue_position", -1)) for poll in polls]

        waiting = [("in_progress", 0), ("queued", 1), ("queued", 2), ("queued", 3)]
        assert [(a["status"], a["queue_position"]) for a in accepted[1:]] == waiting[1:]
        assert places() == waiting
        url = gateway.url + accepted[1]["poll_url"]
        assert httpx2.delete(url, headers=headers[1]).json()["status"] == "cancelled"
        assert places() == [("in_progress", 0), ("cancelled", -1), ("queued", 1), ("queued", 2)]
        gateway.release()
        for a, header in zip(accepted, headers, strict=True):
            while (done := gateway.get(a["poll_url"], header)).status_code == 202:
                pass
            assert done.json()["status"] == ("cancelled" if a is accepted[1] else "completed"), done.text
        assert [buyer.spent() for buyer in buyers] == [OWN_PRICE, 0, OWN_PRICE, OWN_PRICE]


@pytest.mark.parametrize(
    ("preference", "status"),
    [("wait=0", 202), ('respond-async, wait="1"', 202), ("", 504), ("wait=-1", 504), ("wait=99999", 504)],
)
def test_how_long_a_caller_waits(market: Market, tmp_path: Path, preference: str, status: int) -> None:
    """An edit that never ends: after the wait asked for it is a job, and past its own limit inside the wait a 504."""
    with open_gateway(tmp_path, market.tills, inline_seconds=30.0, hard_seconds=2.0) as gateway:
        buyer = market.buyer(BASE)
        header = buyer.pay(gateway.post())
        gateway.hold()
        answer = gateway.post(header | ({"Prefer": preference} if preference else {}))
        assert answer.status_code == status, answer.text
        if status == 504:
            assert answer.json()["code"] == "timeout"
            assert "Nothing was charged" in answer.json()["message"]
        else:
            url = answer.json()["poll_url"]
            while (ended := gateway.get(url, header)).status_code == 202:
                pass
            assert (ended.status_code, ended.json()["code"]) == (200, "timeout")
        assert (buyer.spent(), gateway.pictures()) == (0, 0)
        gateway.release()
        again = gateway.post(header | {"Prefer": "wait=2"})
        assert (again.status_code, buyer.spent()) == (200, OWN_PRICE), again.text


def test_prefer_wait_holds_the_request(slow: Shop) -> None:
    body = {"prompt": "invert", "image": PICTURE}
    for preference in ("wait=50", "respond-async, wait=99999"):
        buyer = slow.buyer()
        header = {"X-Payment": payment_header(slow, buyer, offer(slow.post(body), BASE)), "Prefer": preference}
        assert slow.post(body, header).status_code == 200


# ── who may poll ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_who_may_poll(slow: Shop, network: str) -> None:
    stranger = slow.buyer()
    now = int(time.time())
    with held(slow, network) as job:
        nothing = job.poll({})
        assert nothing.status_code == 402
        assert "status" not in nothing.json()
        assert (offer(nothing, network)["amount"], offer(nothing, network)["payTo"]) == ("21000", slow.seller(network))
        for header in (job.header, job.pay_anew(), job.pay_anew(version=1)):
            assert job.poll(header).status_code == 202
        refused = [
            job.pay_anew(stranger),
            {"X-Payment": "%%%"},
            {"X-Payment": "e30="},
            {"X-Payment": "A" * 20_000},
            job.prove(stranger),
            job.prove(timestamp=now - 310),
            job.prove(timestamp=now + 310),
            job.prove(job_id="another"),
            job.prove() | {"X-Poll-Wallet": str(stranger.solana.pubkey())},
            {"X-Poll-Wallet": job.buyer.address(network)},
        ]
        for header in refused:
            assert is_not_found(job.poll(header)), header
            assert is_not_found(job.poll(header, "DELETE")), header
        unknown = [job.header, job.prove(job_id="unknown"), {}]
        answers = [httpx2.get(f"{slow.url}/api/v1/images/generations/unknown", headers=h) for h in unknown]
        assert all(map(is_not_found, answers))
        answers.append(job.poll(job.prove(stranger)))
        assert len({tuple(sorted(a.headers)) for a in answers}) == 1
        assert job.poll(job.prove()).status_code == (202 if network == SOLANA else 404)
    job.until(200)
    assert is_not_found(job.poll(job.prove(stranger)))
    assert is_not_found(job.poll(job.pay_anew(stranger)))
    assert job.spent() == PRICE
    assert slow.chain(network).balance(stranger.address(network)) == FUNDS


def test_a_proof_alone_is_asked_to_pay_and_then_sees_its_pictures(slow: Shop) -> None:
    with held(slow, SOLANA) as job:
        assert job.poll(job.prove()).status_code == 202
    asked = job.until(402, job.prove())
    assert asked.json()["status"] == "completed"
    assert asked.json()["code"] == "payment_required"
    entry = offer(asked, SOLANA)
    assert (entry["amount"], entry["payTo"]) == ("21000", slow.seller_solana)
    assert "data" not in asked.json()
    assert "status" not in job.poll({}).json()
    assert job.spent() == 0
    paid = job.poll({"X-Payment": payment_header(slow, job.buyer, entry)})
    assert (paid.status_code, job.spent()) == (200, PRICE)
    proven = job.poll(job.prove())
    assert (proven.status_code, proven.json()["payment"]["status"]) == (200, "already_settled")
    assert proven.json()["data"] == paid.json()["data"]


def test_methods_and_browsers(slow: Shop) -> None:
    page = {"origin": "https://page.example"}
    with held(slow, BASE) as job:
        for header in (job.header, {}):
            answer = job.poll(header | page)
            assert answer.headers["access-control-allow-origin"] == "*"
            exposed = answer.headers["access-control-expose-headers"].split(", ")
            assert {"Retry-After", "PAYMENT-RESPONSE"} <= set(exposed)
        for method in ("GET", "DELETE"):
            names = {"access-control-request-headers": "x-poll-wallet,x-payment"}
            preflight = job.poll(page | names | {"access-control-request-method": method}, "OPTIONS")
            assert preflight.status_code == 200
            assert method in preflight.headers["access-control-allow-methods"]
    for method in ("HEAD", "POST", "PUT"):
        assert job.poll(method=method).status_code == 405
    assert job.spent() == 0
    job.until(200)


# ── payments that died before the poll ──────────────────────────────────────────────────────────────────


def test_a_dead_blockhash_asks_for_a_fresh_payment(slow: Shop) -> None:
    with held(slow, SOLANA) as job:
        slow.solana.advance(200)
    asked = job.until(402)
    assert asked.json()["reason"] == "invalid_exact_svm_payload_blockhash_expired"
    assert asked.json()["status"] == "completed"
    assert job.spent() == 0
    fresh = {"X-Payment": payment_header(slow, job.buyer, offer(asked, SOLANA))}
    paid = job.poll(fresh)
    assert (paid.status_code, job.spent()) == (200, PRICE)
    assert job.poll().json()["data"] == paid.json()["data"]  # the first payment still says who asks
    # An honest payer whose payment died of time is not one who took the money away: it may have two jobs.
    with held(slow, SOLANA, buyer=job.buyer) as one, held(slow, SOLANA, buyer=job.buyer) as other:
        assert one.poll().status_code == other.poll().status_code == 202
    assert one.until(200).status_code == other.until(200).status_code == 200


def test_an_authorization_that_expired_asks_for_a_fresh_one(slow: Shop) -> None:
    with held(slow, BASE, now=int(time.time()) - 300) as job:
        later = int(time.time()) + 310
        mined = {"jsonrpc": "2.0", "id": 1, "method": "evm_mine", "params": [later]}
        assert "error" not in httpx2.post(slow.base.rpc_url, json=mined).json()
    asked = job.until(402)
    assert asked.json()["reason"] == "invalid_exact_evm_payload_authorization_valid_before"
    assert asked.json()["status"] == "completed"
    assert job.spent() == 0
    with ThreadPoolExecutor(5) as pool:
        paid = list(pool.map(lambda _: job.poll(job.pay_anew()), range(5)))
    assert {p.status_code for p in paid} == {200}
    assert job.spent() == PRICE
    with held(slow, BASE, buyer=job.buyer) as one, held(slow, BASE, buyer=job.buyer) as other:
        assert one.poll().status_code == other.poll().status_code == 202


# ── never charged ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_a_failed_job_says_why_and_costs_nothing(slow: Shop, network: str) -> None:
    with held(slow, network, then="moderation") as job:
        pass
    failed = job.until(200)
    assert set(failed.json()) == {"id", "object", "status", "model", "error", "code", "payment_status"}
    assert failed.json() == failed.json() | {"id": job.id, "status": "failed", "code": "content_policy"}
    assert failed.json()["payment_status"] == "not_charged"
    assert "PAYMENT-RESPONSE" not in failed.headers
    assert job.spent() == 0
    body = {"prompt": "invert", "image": PICTURE}
    again = slow.post(body, job.header | {"Prefer": "wait=30"})  # the payment is free for another edit
    assert (again.status_code, job.spent()) == (200, PRICE)


@pytest.mark.parametrize("network", [BASE, SOLANA])
@pytest.mark.parametrize("finished", [False, True])
def test_a_cancelled_job_costs_nothing(slow: Shop, network: str, finished: bool) -> None:
    files = slow.images_on_disk()
    with held(slow, network) as job:
        assert job.poll({}, "DELETE").status_code == 402
        if not finished:
            cancelled = job.poll(method="DELETE")
    if finished:
        until_state(slow, job, "completed")
        cancelled = job.poll(method="DELETE")
    expected = {
        "id": job.id, "object": "image.generation.job", "status": "cancelled", "model": "openai/gpt-image-1",
        "error": "the job was cancelled", "code": "cancelled", "payment_status": "not_charged",
    }  # fmt: skip
    assert (cancelled.status_code, cancelled.json()) == (200, expected)
    assert job.poll().json() == job.poll(method="DELETE").json() == expected
    assert (job.spent(), slow.images_on_disk()) == (0, files)


def test_a_paid_job_is_not_cancelled(slow: Shop) -> None:
    with held(slow, BASE) as job:
        pass
    done = job.until(200).json()
    refused = job.poll(method="DELETE")
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_busy")
    assert job.poll().json()["data"] == done["data"]


def test_past_its_limit_an_edit_has_failed(brief: Shop) -> None:
    name = os.urandom(6).hex()
    jobs = [submit(brief, network, f"hold: {name}") for network in (BASE, SOLANA)]
    for job in jobs:
        until_state(brief, job, "failed")
        failed = job.poll().json()
        assert (failed["status"], failed["code"], failed["payment_status"]) == ("failed", "timeout", "not_charged")
        assert job.spent() == 0
    brief.release(name)


@pytest.mark.skipif(os.environ.get("TOLLBRUSH_E2E") != "long", reason="a payment's death takes a minute and a half")
@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_what_nobody_collects_expires_uncharged(brief: Shop, network: str) -> None:
    """A result is kept while its payment lives; then its own time counts."""
    soon_dead: dict[str, Any] = {"now": int(time.time()) - 550} if network == BASE else {}
    job = submit(brief, network, "invert", **soon_dead)
    until_state(brief, job, "failed", rounds=20_000)
    gone = job.poll().json()
    assert (gone["status"], gone["code"], gone["payment_status"]) == ("failed", "expired", "not_charged")
    assert (job.spent(), brief.images_on_disk()) == (0, 0)


# ── a gateway that stops ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("network", "by"), [(BASE, signal.SIGKILL), (SOLANA, signal.SIGTERM)])
def test_a_job_survives_its_gateway(slow: Shop, network: str, by: signal.Signals) -> None:
    with held(slow, network) as job:
        slow.restart(by)
        assert job.poll().status_code == 202
    done = job.until(200).json()
    assert httpx2.get(done["data"][0]["url"]).status_code == 200
    assert job.poll().json()["payment"]["status"] == "already_settled"
    assert job.spent() == PRICE


# ── clients ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_the_client_waits_for_a_job(slow: Shop, network: str, tmp_path: Path) -> None:
    wallet, name = Wallet.create(), os.urandom(6).hex()
    address = wallet.evm_address if network == BASE else wallet.solana_address
    slow.chain(network).fund(address, FUNDS)
    networks = {
        "base-sepolia": NetworkSettings(rpc_url=slow.base.rpc_url),
        "solana-devnet": NetworkSettings(rpc_url=slow.solana.rpc_url),
    }
    paying = Payer(wallet, Settings(data_dir=tmp_path, networks=networks, router=RouterSettings(network=V1[network])))
    stages: list[str] = []

    def watch(progress: Progress) -> None:
        stages.append(progress.stage)
        if progress.stage == "waiting":
            slow.release(name)

    with Client(gateway=slow.url, wallet=paying) as client:
        edit = client.edit(photo(64, 64), f"hold: {name}", max_price="0.021", progress=watch)
    assert stages[-2:] == ["waiting", "delivered"]
    assert (edit.price.atomic if edit.price else 0, edit.image.width) == (PRICE, 1024)
    assert slow.chain(network).balance(address) == FUNDS - PRICE


@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_the_router_waits_for_a_job(slow: Shop, network: str, tmp_path: Path) -> None:
    wallet = load_or_create(Settings(data_dir=tmp_path / "data"))
    address = wallet.evm_address if network == BASE else wallet.solana_address
    slow.chain(network).fund(address, FUNDS)
    networks = {"base-sepolia": {"rpc_url": slow.base.rpc_url}, "solana-devnet": {"rpc_url": slow.solana.rpc_url}}
    env = {
        "TOLLBRUSH_DATA_DIR": str(tmp_path / "data"),
        "TOLLBRUSH_NETWORKS": json.dumps(networks),
        "TOLLBRUSH_ROUTER__GATEWAY_URL": slow.url,
        "TOLLBRUSH_ROUTER__NETWORK": V1[network],
    }
    port, name = free_port(), os.urandom(6).hex()
    url, command = f"http://127.0.0.1:{port}", ["tollbrush", "route", "--port", str(port)]
    body = {"prompt": f"hold: {name}", "image": PICTURE}
    with running(command, url + "/health", log=tmp_path / "route.log", env=env), ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx2.post, url + "/v1/images/image2image", json=body, timeout=60)
        slow.await_held(name)
        slow.release(name)
        answer = asked.result()
        assert answer.status_code == 200, answer.text
        assert httpx2.get(answer.json()["data"][0]["url"]).content.startswith(b"\x89PNG")
    assert answer.json()["payment"]["status"] in ("settled", "already_settled")
    assert slow.chain(network).balance(address) == FUNDS - PRICE


def test_the_document_tells_of_jobs(slow: Shop) -> None:
    paths = httpx2.get(slow.url + "/openapi.json").json()["paths"]
    assert "202" in paths[EDIT]["post"]["responses"]
    assert {"200", "404"} <= set(paths["/metrics"]["get"]["responses"])
    job = paths["/api/v1/images/generations/{id}"]
    assert {"200", "202", "402", "404", "503"} <= set(job["get"]["responses"])
    assert {"200", "402", "404", "409"} <= set(job["delete"]["responses"])
