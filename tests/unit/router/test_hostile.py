"""A gateway that lies, a disk that takes nothing, and callers that hang up: the router pays what was meant, once."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.evm_node import EvmNode
from support.paid_server import DROP, Heard, PaidServer, Reply, Script, on_base, reply
from support.routed import Machine
from tollbrush.payments.spending import SpendingBook, SpendState

EDIT = "/v1/images/image2image"
HTML = Reply(200, b"<!doctype html><h1>welcome</h1>", {"content-type": "text/html"})
ENDLESS = 130 * 2**20


@pytest.fixture
def machine(tmp_path: Path, gateway: PaidServer, evm_node: EvmNode) -> Machine:
    return Machine(tmp_path, evm_node, gateway_url=gateway.url)


def book(machine: Machine) -> list[SpendState]:
    return [spend.state for spend in SpendingBook(machine.folder / "data/spending.db").recent(100)]


def asking(**changes: Any) -> Callable[[PaidServer], Script]:
    return lambda server: lambda heard: server.ask(on_base(**changes))


UPLOADS: dict[str, tuple[Callable[[PaidServer], Script], int, str, str]] = {
    "a dearer price than the quote": (asking(price=22_000), 403, "spending_policy", "after a quote of $0.021"),
    "the whole cap": (asking(price=500_000), 403, "spending_policy", "$0.5"),
    "another payee": (asking(pay_to="0x" + "9" * 40), 500, "upstream_failed", "refused the payment"),
    "another asset": (asking(asset="0x" + "1" * 40), 500, "upstream_failed", "refused the payment"),
    "another network": (asking(network="eip155:1"), 500, "upstream_failed", "refused the payment"),
    "another scheme": (asking(scheme="upto"), 500, "upstream_failed", "refused the payment"),
    "a 402 without offers": (lambda s: reply(402, {"accepts": []}), 500, "upstream_failed", "no way to pay"),
    "a huge 402": (
        lambda s: Reply(402, b"[" + b"0," * (50 * 2**20) + b"0]", {"content-type": "application/json"}),
        500,
        "upstream_failed",
        "more than 1,048,576 bytes",
    ),
    "HTML": (lambda s: HTML, 500, "upstream_failed", "without a picture"),
    "a redirect": (
        lambda s: Reply(307, b"", {"location": "http://169.254.169.254/steal"}),
        500,
        "upstream_failed",
        "HTTP 307",
    ),
    "a 200 without pictures": (lambda s: reply(200, {"data": []}), 500, "upstream_failed", "without a picture"),
    "JSON too deep": (lambda s: Reply(200, b"[" * 100_000, {}), 500, "upstream_failed", "without a picture"),
    "a poll address elsewhere": (
        lambda s: reply(202, {"id": "j", "poll_url": "http://169.254.169.254/poll"}),
        500,
        "upstream_failed",
        "no place of its own",
    ),
}


@pytest.mark.parametrize("lie", UPLOADS)
async def test_the_answer_to_the_upload_is_a_lie(machine: Machine, gateway: PaidServer, lie: str) -> None:
    """One signature of the quoted price left this machine, and no second one; it counts until its chain clears it."""
    script, status, code, says = UPLOADS[lie]
    gateway.script["edit"] = [script(gateway)] * 9
    async with machine.caller() as http:
        answer = await http.post(EDIT, json=machine.wish())
        (row,) = (await http.get("/v1/history")).json()["data"]
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert says in answer.json()["message"]
    assert len({h.payment for h in gateway.heard if h.payment}) == 1
    assert book(machine) == [SpendState.DOUBTFUL]
    assert (row["status"], row["code"], row["payment_status"]) == ("failed", code, "unknown")


REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "words": (400, {"error": "no unicorns here.", "code": "cannot_honour"}),
    "policy": (403, {"error": "not this.", "code": "content_policy"}),
    "rate": (429, {"error": "slower.", "code": "rate_limited"}),
    "time": (504, {"error": "too slow.", "code": "timeout"}),
    "a failed job": (200, {"id": "job1", "status": "failed", "error": "the brush broke.", "code": "engine_failed"}),
    "a late job": (200, {"id": "job1", "status": "failed", "error": "too slow.", "code": "timeout"}),
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_a_plain_refusal_charged_nothing(machine: Machine, gateway: PaidServer, why: str) -> None:
    """Told so; and the same edit, asked for again, is sent anew with the payment that was signed for it."""
    status, said = REFUSALS[why]
    refused = reply(status, said, {"retry-after": "1"})
    gateway.script["edit"] = [gateway.accept() if "job" in why else refused]
    gateway.script["poll"] = [refused]
    async with machine.caller() as http:
        answer = await http.post(EDIT, json=machine.wish())
        (row,) = (await http.get("/v1/history")).json()["data"]
        again = await http.post(EDIT, json=machine.wish())
    assert answer.json()["code"] == row["code"] == said["code"]
    assert (row["status"], row["payment_status"]) == ("failed", "not_charged")
    assert again.status_code == 200, again.text
    assert len({h.payment for h in gateway.heard if h.payment}) == 1 == len(gateway.charged)


async def test_a_second_price_after_the_first_was_taken(machine: Machine, gateway: PaidServer) -> None:
    def take_and_ask(heard: Heard) -> Reply:
        assert gateway.edit(heard).status == 200
        machine.node.used.add(next(iter(gateway.charged)).lower())
        return gateway.ask()

    gateway.script["edit"] = [take_and_ask]
    async with machine.caller() as http:
        answer = await http.post(EDIT, json=machine.wish(max_price="0.4"))
    assert (answer.status_code, answer.json()["code"]) == (403, "spending_policy")
    assert "although its first payment was taken" in answer.json()["message"]
    assert len({h.payment for h in gateway.heard if h.payment}) == 1


RESULTS: dict[str, tuple[Callable[[PaidServer], dict[str, Any]], str]] = {
    "loopback": (lambda s: {"url": "http://127.0.0.1:1/a.png"}, "not a public address"),
    "its metadata service": (lambda s: {"url": "http://169.254.169.254/latest"}, "not a public address"),
    "mapped IPv6": (lambda s: {"url": "http://[::ffff:127.0.0.1]:1/a.png"}, "not a public address"),
    "a decimal address": (lambda s: {"url": "http://2130706433:1/a.png"}, "not a public address"),
    "everything": (lambda s: {"url": "http://0.0.0.0:1/a.png"}, "not a public address"),
    "a short address": (lambda s: {"url": "http://127.1:1/a.png"}, "not a public address"),
    "a name of loopback": (lambda s: {"url": "http://localhost:1/a.png"}, "not a public address"),
    "a file": (lambda s: {"url": "file:///etc/passwd"}, "not an http or https URL"),
    "a password": (lambda s: {"url": "http://user:pass@example.com/a.png"}, "a URL with a password"),
    "nothing": (lambda s: {}, "no address"),
    "HTML in base64": (lambda s: {"b64_json": "PGh0bWw+"}, "is no picture"),
}


@pytest.mark.parametrize("where", RESULTS)
async def test_the_result_lies_elsewhere(machine: Machine, gateway: PaidServer, where: str) -> None:
    """Refused, and kept in the history as paid: an honest answer later is fetched without paying."""
    entry, says = RESULTS[where]
    gateway.script["edit"] = [lambda heard: gateway.deliver("0x" + "7" * 64, data=[entry(gateway)])]
    async with machine.caller() as http:
        answer = await http.post(EDIT, json=machine.wish())
        (row,) = (await http.get("/v1/history")).json()["data"]
    assert (answer.status_code, answer.json()["code"]) == (500, "upstream_failed"), answer.text
    assert says in answer.json()["message"]
    assert (row["status"], row["payment_status"]) == ("failed", "charged")
    assert book(machine) == [SpendState.SPENT]


BODIES = {
    "HTML": HTML,
    "an endless body": Reply(200, b"\x89PNG\r\n\x1a\n" + b"\0" * ENDLESS, {"content-type": "image/png"}),
    "a redirect inwards": Reply(302, b"", {"location": "http://169.254.169.254/"}),
    "a hang-up": DROP,
}


@pytest.mark.parametrize("body", BODIES)
async def test_the_result_is_no_picture(machine: Machine, gateway: PaidServer, body: str) -> None:
    gateway.script["image"] = [BODIES[body]] * 3
    async with machine.caller() as http:
        lost = await http.post(EDIT, json=machine.wish())
        (row,) = (await http.get("/v1/history")).json()["data"]
        gateway.script["image"] = []
        found = await http.post(EDIT, json=machine.wish())
    assert (lost.status_code, lost.json()["code"]) == (500, "upstream_failed"), lost.text
    assert (row["status"], row["payment_status"]) == ("failed", "charged")
    assert found.status_code == 200
    assert len(gateway.charged) == 1


# Disks.


class FullDisk:
    """Writes of more than a kilobyte do not fit. A test has no partition of its own to fill."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full, sync = False, os.fsync

        def fsync(file: int) -> None:
            if self.full and os.fstat(file).st_size >= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            sync(file)

        monkeypatch.setattr(os, "fsync", fsync)


async def test_a_full_disk_loses_nothing_that_is_paid(
    machine: Machine, gateway: PaidServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    async with machine.caller() as http:
        disk.full = True
        lost = await http.post(EDIT, json=machine.wish())
        disk.full = False
        found = await http.post(EDIT, json=machine.wish())
        picture = await http.get(found.json()["data"][0]["url"])
    assert (lost.status_code, lost.json()["code"]) == (503, "unavailable")
    assert "No space left" in lost.json()["message"] and "paid for" in lost.json()["message"]
    assert picture.content == gateway.picture
    assert len(gateway.charged) == 1


async def test_a_results_folder_that_is_gone(machine: Machine, gateway: PaidServer) -> None:
    async with machine.caller() as http:
        folder = machine.folder / "data/router/images"
        folder.rmdir()
        folder.write_text("in the way")
        lost = await http.post(EDIT, json=machine.wish())
        folder.unlink()
        folder.mkdir()
        found = await http.post(EDIT, json=machine.wish())
    assert (lost.status_code, found.status_code) == (503, 200)
    assert len(gateway.charged) == 1


async def test_uploads_that_cannot_be_kept_are_not_paid(machine: Machine, gateway: PaidServer) -> None:
    """What could not be gone on with after a crash is not begun."""
    async with machine.caller() as http:
        (machine.folder / "data/router/history.uploads").rmdir()
        answer = await http.post(EDIT, json=machine.wish())
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert not [h for h in gateway.heard if h.payment]


# Callers that hang up.


@pytest.mark.parametrize("moment", ["quote", "edit", "poll", "image"])
async def test_a_caller_that_hangs_up_loses_nothing(machine: Machine, gateway: PaidServer, moment: str) -> None:
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    if moment == "poll":
        gateway.script["edit"] = [gateway.accept()]

    def reached(heard: Heard) -> Reply:
        loop.call_soon_threadsafe(gone.set)
        match moment:
            case "quote":
                return gateway.quote(heard)
            case "image":
                return Reply(200, gateway.picture, {"content-type": "image/png"})
        return gateway.edit(heard)

    gateway.script[moment] = [reached]
    async with machine.caller() as http:
        call = asyncio.ensure_future(http.post(EDIT, json=machine.wish()))
        await gone.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        (row,) = (await http.get("/v1/history")).json()["data"]
        done = await http.get(f"/v1/images/generations/{row['id']}", headers={"prefer": "wait=30"})
        picture = await http.get(done.json()["data"][0]["url"])
    assert (done.status_code, done.json()["status"]) == (200, "completed")
    assert picture.content == gateway.picture
    assert len(gateway.charged) == 1
    assert book(machine) == [SpendState.SPENT]


# A thousand calls.


async def test_a_thousand_attempts_never_pass_the_cap(machine: Machine, gateway: PaidServer) -> None:
    """Twenty waves of fifty at once, through two routers, half of them the same; the day's cap pays for twelve."""
    spending = {"per_hour": "0.252", "per_day": "0.252"}
    rounds = 20 if os.environ.get("TOLLBRUSH_E2E") == "long" else 2
    statuses: list[int] = []
    async with machine.caller(spending=spending) as one, machine.caller(spending=spending) as two:

        async def ask(http: httpx2.AsyncClient, seed: int) -> int:
            return (await http.post(EDIT, json=machine.wish(seed=seed))).status_code

        for wave in range(rounds):
            calls = (ask((one, two)[i % 2], wave * 25 + i // 2) for i in range(50))
            statuses += await asyncio.gather(*calls)
            spent = SpendingBook(machine.folder / "data/spending.db").spent(int(time.time()))
            assert spent.day <= 252_000
    assert len(gateway.charged) == 12
    assert set(statuses) == {200, 403}
