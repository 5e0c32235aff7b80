"""Rounds with a gateway that dies: what its customers do, and the reckoning after it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path
from typing import Any, Final

import httpx2
from solders.keypair import Keypair

from support.base_chain import EvmAccount, evm_payment
from support.crashing_gateway import child
from support.pictures import data_uri, photo
from support.servers import TESTS, free_port, tail
from support.shop import EDIT, FUNDS, offer
from support.solana_chain import paid
from tollbrush.devnet.base import start_base
from tollbrush.devnet.interface import LocalChain
from tollbrush.devnet.solana import SolanaChain
from tollbrush.domain.charges import ChargeState
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.interface import Outcome, Till
from tollbrush.payments.rpc import JsonRpc
from tollbrush.payments.solana import SolanaTill
from tollbrush.storage.reader import read_history

PRICE: Final = 2_100
BASE, SOLANA = BY_V1["base-sepolia"].id, BY_V1["solana-devnet"].id
LAPSE: Final = 3
"""Seconds by which a restarted gateway's clock is ahead where the dead one's leases shall have run out."""
DAYS: Final = 2 * 24 * 3600
PATIENCE: Final = 30.0
_PRELOAD: Final = [
    "support.crashing_gateway",
    # and what these load only when they start
    *("eth_account", "eth_hash.backends.pycryptodome", "httpcore2", "anyio._backends._asyncio", "encodings.idna"),
    *("uvloop", "uvicorn.loops.auto", "uvicorn.lifespan.on", "uvicorn.protocols.http.httptools_impl"),
]
_EXIT_CODES: Final = threading.Lock()
"""An exit code comes through a pipe that is read once: by whoever asks, or by the start of any other process."""
_PICTURE: Final = data_uri(photo(64, 64))


@dataclass(frozen=True)
class Town:
    """Both local chains and one seller: shared by all rounds."""

    base: LocalChain
    solana: SolanaChain
    networks: str
    sellers: Mapping[str, str]

    def chain(self, network: str) -> LocalChain:
        return self.base if network == BASE else self.solana


@contextlib.contextmanager
def open_town() -> Iterator[Town]:
    base, solana = start_base(), SolanaChain()
    settle, fee_payer = EvmAccount.fresh(), Keypair()
    sellers = {BASE: EvmAccount.fresh().address, SOLANA: str(Keypair().pubkey())}
    base.fund(settle.address, 0)
    for owner in (str(fee_payer.pubkey()), sellers[SOLANA]):
        solana.fund(owner, 0)
    networks = {
        "base-sepolia": {"pay_to": sellers[BASE], "rpc_url": base.rpc_url, "settle_key": settle.key.hex()},
        "solana-devnet": {"pay_to": sellers[SOLANA], "rpc_url": solana.rpc_url, "settle_key": str(fee_payer)},
    }
    yield Town(base, solana, json.dumps(networks), sellers)
    base.stop()
    solana.stop()


@dataclass(frozen=True)
class Death:
    """Where a gateway dies. `lapse`: the next one starts when the leases of this one have run out."""

    step: str
    nth: int = 1
    lapse: bool = True


@dataclass
class Mortal:
    """A gateway that is started again whenever it has died, with the next of `deaths`."""

    town: Town
    folder: Path
    deaths: list[Death]
    ahead: int = 0
    died: list[Death] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data, self.log, self.trace = (self.folder / name for name in ("data", "gateway.log", "steps"))
        self._lock = threading.Lock()
        self._life = 0
        self.start()

    def start(self, *, ahead: int | None = None) -> None:
        death = self.deaths[0] if self.deaths else Death("")
        env = {
            "TOLLBRUSH_DATA_DIR": str(self.data),
            "TOLLBRUSH_NETWORKS": self.town.networks,
            "TOLLBRUSH_GATEWAY__LEASE_SECONDS": "1",
            "TOLLBRUSH_GATEWAY__SWEEP_SECONDS": "0.2",
            "TOLLBRUSH_GATEWAY__GRACE_SECONDS": "5",
            "CRASH_STEP": death.step,
            "CRASH_NTH": str(death.nth),
            "CRASH_AHEAD": str(self.ahead if ahead is None else ahead),
            "CRASH_TRACE": str(self.trace),
        }
        with socket.create_server(("127.0.0.1", self.port), backlog=128) as listening:
            self._process = _forks().Process(target=child, args=(env, listening, self.log), daemon=True)
            with _EXIT_CODES:
                self._process.start()

    def life(self) -> int:
        with self._lock:
            return self._life

    def bury(self, life: int) -> None:
        """After a broken connection in this life: it must have died of its step; another life begins."""
        with self._lock:
            if life != self._life:
                return
            code = self._ended()
            assert code == -signal.SIGKILL, f"exit {code}:\n{tail(self.log)}"
            death = self.deaths.pop(0)
            self.died.append(death)
            self.ahead += LAPSE * death.lapse
            self._life += 1
            self.start()

    def stop(self) -> None:
        """By SIGTERM; one that is to die on its way out does."""
        self._process.terminate()
        code = self._ended()
        if code == -signal.SIGKILL and self.deaths:
            self.died.append(self.deaths.pop(0))
        else:
            assert code == 0, f"exit {code}:\n{tail(self.log)}"

    def kill(self) -> None:
        self._process.kill()
        self._ended()

    def _ended(self) -> int | None:
        """The exit code once it has ended, None when it does not."""
        connection.wait([self._process.sentinel], PATIENCE)
        with _EXIT_CODES:
            self._process.join(0)
            code: int | None = self._process.exitcode
        return code

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: Any = None, *, again: bool = True
    ) -> httpx2.Response:
        """The answer, from whichever life gives one. `again`: what may be asked again (409, 503) is."""
        end = time.monotonic() + PATIENCE
        while True:
            life = self.life()
            try:
                answer = httpx2.request(
                    method, self.url + path, headers=dict(headers), json=body, timeout=PATIENCE, trust_env=False
                )
            except httpx2.TransportError:
                self.bury(life)
                continue
            if not again or answer.status_code not in (409, 503):
                return answer
            assert time.monotonic() < end, f"still {answer.status_code}: {answer.text}"
            time.sleep(0.02)  # as Retry-After says, only sooner


def _forks() -> Any:
    """A server that forks processes which have everything imported already: a start costs 0.1 s instead of 3."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
    return context


@dataclass
class Customer:
    """Pays on one network, keeps every receipt, and presents the same payment until it has its answer."""

    gateway: Mortal
    network: str

    def __post_init__(self) -> None:
        self._evm, self._solana = EvmAccount.fresh(), Keypair()
        self.address = self._evm.address if self.network == BASE else str(self._solana.pubkey())
        self._receipts: dict[str, dict[str, Any]] = {}
        self.funded = 0
        self.fund()

    def sign(self, prompt: str = "invert") -> str:
        asked = self.gateway.send("POST", EDIT, {}, _body(prompt))
        assert asked.status_code == 402, asked.text
        return self._signed(asked)

    def _signed(self, asked: httpx2.Response) -> str:
        entry = offer(asked, self.network)
        due = Requirement(entry["network"], entry["asset"], int(entry["amount"]), entry["payTo"], extra=entry["extra"])
        content = {"x402Version": 2, "accepted": entry, "payload": self._payment(due).payload}
        return base64.b64encode(json.dumps(content).encode()).decode()

    def _payment(self, due: Requirement) -> Payment:
        if self.network == BASE:
            return evm_payment(self._evm, due)
        return paid(self.gateway.town.solana, self._solana, due)

    def post(self, header: str, prompt: str = "invert", *, wait: int = 20) -> httpx2.Response:
        headers = {"X-Payment": header, "Prefer": f"wait={wait}"}
        return self.gateway.send("POST", EDIT, headers, _body(prompt))

    def present(self, header: str, prompt: str = "invert", *, wait: int = 20, fresh: bool = False) -> None:
        """The edit with this payment, inline or by polls, until it is there. `fresh`: each poll has its own payment."""
        while True:
            answer = self.post(header, prompt, wait=wait)
            if answer.status_code == 202:
                answer = self.poll(answer.json()["poll_url"], header, fresh=fresh)
            if answer.json().get("status") != "failed":
                break
            assert answer.json()["code"] == "interrupted", answer.text  # uncharged: the same payment again
        self.keep(answer)

    def poll(self, url: str, header: str, *, fresh: bool = False) -> httpx2.Response:
        """Until it ends; where a 402 asks for a fresh payment it gets one."""
        if fresh:
            header = self.sign()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.gateway.send("GET", url, {"X-Payment": header}, again=False)
            if answer.status_code in (402, 409, 503) and self.is_broke:
                self.fund()
            if answer.status_code == 402:
                header = self._signed(answer)
            elif answer.status_code not in (202, 409, 503):
                return answer
            time.sleep(0.02)
        raise AssertionError(f"still {answer.status_code}: {answer.text}")

    def keep(self, answer: httpx2.Response) -> None:
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["payment"]["status"] in ("settled", "already_settled"), answer.text
        kept = self._receipts.setdefault(body["payment"]["tx_hash"], body)
        assert kept["data"] == body["data"]  # one payment, one edit, however often it is asked for

    @property
    def receipts(self) -> list[dict[str, Any]]:
        return list(self._receipts.values())

    def cancel(self, url: str, header: str) -> httpx2.Response:
        return self.gateway.send("DELETE", url, {"X-Payment": header})

    def spend_elsewhere(self) -> None:
        """All its money goes to somebody else."""
        asyncio.run(self._spend_elsewhere())

    async def _spend_elsewhere(self) -> None:
        town, thief = self.gateway.town, EvmAccount.fresh()
        held = town.chain(self.network).balance(self.address)
        till: Till
        if self.network == BASE:
            town.base.fund(thief.address, 0)
            till = EvmTill(
                BY_V1["base-sepolia"], EvmAccount.fresh().address, JsonRpc(town.base.rpc_url), thief.key.hex()
            )
        else:
            payee, feeder = str(Keypair().pubkey()), Keypair()
            town.solana.fund(payee, 0)
            town.solana.fund(str(feeder.pubkey()), 0)
            rpc = JsonRpc(town.solana.rpc_url)
            till = SolanaTill(BY_V1["solana-devnet"], pay_to=payee, rpc=rpc, settle_key=str(feeder))
        due = till.requirement(held)
        payment = self._payment(due)
        now = int(time.time())
        settled = await till.settle(await till.verify(payment, due, now=now, deadline=now))
        assert settled.outcome is Outcome.SETTLED
        await till.close()
        self.funded -= held
        self.is_broke = True

    def fund(self) -> None:
        self.gateway.town.chain(self.network).fund(self.address, FUNDS)
        self.funded += FUNDS
        self.is_broke = False

    def paid(self) -> int:
        """What has left its wallet for the seller, by the chain's word."""
        return self.funded - self.gateway.town.chain(self.network).balance(self.address)


def reckon(gateway: Mortal, customers: Sequence[Customer]) -> None:
    """Balances = receipts = ledger, everything paid for is there, and nothing else is left. The gateway is stopped."""
    receipts = [receipt for customer in customers for receipt in customer.receipts]
    for image in (image for receipt in receipts for image in receipt["data"]):
        picture = gateway.send("GET", image["url"].removeprefix(gateway.url), {})
        assert picture.status_code == 200
        assert hashlib.sha256(picture.content).hexdigest() == image["sha256"]
    gateway.deaths.clear()
    gateway.stop()
    gateway.start(ahead=DAYS)  # what is never collected has expired by then
    await_quiet(gateway)
    gateway.stop()
    rows = read_history(gateway.data / "gateway.db")
    settled = [(job, charge) for job, charge in rows if charge.state is ChargeState.SETTLED]
    assert Counter(c.tx_hash for _, c in settled) == Counter(r["payment"]["tx_hash"] for r in receipts)
    assert [c for _, c in rows if c.open] == []
    assert [j for j, _ in rows if not j.finished] == []
    for customer in customers:
        charged = sum(c.amount for _, c in settled if c.key.payer == customer.address)
        assert customer.paid() == charged == PRICE * len(customer.receipts)
    shown = Counter(image.key for job, _ in settled for image in job.images)
    assert shown == Counter(image["url"].rpartition("/")[2] for receipt in receipts for image in receipt["data"])
    assert Counter(p.name for p in (gateway.data / "images").rglob("*") if p.is_file()) == shown
    assert list((gateway.data / "inputs").iterdir()) == []


def await_quiet(gateway: Mortal) -> None:
    """Until a gateway that is only left alone has brought everything to its end; what it has not by then is for the
    reckoning to say."""
    gateway.send("GET", "/healthz", {})
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not _is_quiet(gateway.data):
        time.sleep(0.02)


def _is_quiet(data: Path) -> bool:
    rows = read_history(data / "gateway.db")
    at_work = any(charge.open or not job.finished for job, charge in rows)
    shown = {image.key for job, charge in rows if charge.state is ChargeState.SETTLED for image in job.images}
    kept = {path.name for path in (data / "images").rglob("*") if path.is_file()}
    return not at_work and kept == shown and not list((data / "inputs").iterdir())


def earned(town: Town) -> int:
    """By the sellers' balances on chain."""
    return sum(town.chain(network).balance(seller) for network, seller in town.sellers.items())


def _body(prompt: str) -> dict[str, Any]:
    return {"model": "tollbrush/studio", "prompt": prompt, "image": _PICTURE, "size": "64x64"}
