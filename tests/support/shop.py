"""A whole shop for tests: local Base and Solana, the OpenAI simulator, and a gateway in its own process."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx2
import pytest
from solders.keypair import Keypair

from support.openai_simulator import KEY
from support.servers import free_port, running
from tollbrush.devnet.base import start_base
from tollbrush.devnet.interface import LocalChain
from tollbrush.devnet.solana import SolanaChain
from tollbrush.domain.networks import BY_ID
from tollbrush.domain.payments import Requirement
from tollbrush.payments import spl
from tollbrush.payments.eip3009 import address_of, authorize

EDIT = "/api/v1/images/image2image"
FUNDS = 10_000_000


@dataclass(frozen=True)
class Buyer:
    """A fresh payer with money on both chains."""

    evm_key: bytes
    solana: Keypair

    def address(self, network: str) -> str:
        return address_of(self.evm_key) if network.startswith("eip155") else str(self.solana.pubkey())


@dataclass(frozen=True)
class Shop:
    url: str
    base: LocalChain
    solana: SolanaChain
    seller_evm: str
    seller_solana: str
    data_dir: Path
    log: Path
    upstream: str
    restart: Callable[[signal.Signals], None]
    """Ends the gateway by this signal and starts it anew."""
    processes: list[Popen[bytes]]
    """The gateway's, one while it runs."""

    def chain(self, network: str) -> LocalChain:
        return self.base if network.startswith("eip155") else self.solana

    def seller(self, network: str) -> str:
        return self.seller_evm if network.startswith("eip155") else self.seller_solana

    def buyer(self) -> Buyer:
        made = Buyer(os.urandom(32), Keypair())
        for network in (self.base.network, self.solana.network):
            self.chain(network).fund(made.address(network), FUNDS)
        return made

    def post(self, body: Any, headers: Mapping[str, str] = {}, path: str = EDIT) -> httpx2.Response:
        return httpx2.post(self.url + path, json=body, headers=dict(headers), timeout=120)

    def sign(self, buyer: Buyer, entry: Mapping[str, Any], *, now: int | None = None) -> dict[str, Any]:
        """The scheme's payload for one v2 `accepts` entry."""
        requirement = Requirement(
            entry["network"], entry["asset"], int(entry["amount"]), entry["payTo"], 600, entry["extra"]
        )
        if entry["network"].startswith("eip155"):
            chain_id = BY_ID[entry["network"]].chain_id
            moment = int(time.time()) if now is None else now
            return authorize(buyer.evm_key, requirement, chain_id, now=moment, nonce=os.urandom(32))
        blockhash = self.solana.handle("getLatestBlockhash", [])["value"]["blockhash"]
        return spl.pay(buyer.solana, requirement, blockhash)

    def pay(
        self, buyer: Buyer, body: Any, network: str, *, version: int = 2, header: str = "X-Payment", path: str = EDIT
    ) -> httpx2.Response:
        """Ask, sign what is asked, send again: as any x402 client does."""
        asked = self.post(body, path=path)
        assert asked.status_code == 402, asked.text
        return self.post(body, {header: payment_header(self, buyer, offer(asked, network), version)}, path=path)

    def images_on_disk(self) -> int:
        return sum(1 for p in (self.data_dir / "images").rglob("*") if p.is_file())

    def await_held(self, name: str) -> None:
        """Until the request with the prompt `hold: NAME` is at the simulated OpenAI."""
        httpx2.post(f"{self.upstream}/await/{name}", timeout=60).raise_for_status()

    def release(self, name: str) -> None:
        httpx2.post(f"{self.upstream}/release/{name}").raise_for_status()


def offer(asked: httpx2.Response, network: str) -> dict[str, Any]:
    """The v2 entry for this network in a 402."""
    required = json.loads(base64.b64decode(asked.headers["PAYMENT-REQUIRED"]))
    entry: dict[str, Any] = next(a for a in required["accepts"] if a["network"] == network)
    return entry


def payment_header(shop: Shop, buyer: Buyer, entry: Mapping[str, Any], version: int = 2, **sign: Any) -> str:
    payload = shop.sign(buyer, entry, **sign)
    if version == 2:
        content: dict[str, Any] = {"x402Version": 2, "accepted": dict(entry), "payload": payload}
    else:
        network = BY_ID[entry["network"]].v1
        content = {"x402Version": 1, "scheme": "exact", "network": network, "payload": payload}
    return base64.b64encode(json.dumps(content).encode()).decode()


@contextmanager
def open_shop(folder: Path, **env: str) -> Iterator[Shop]:
    """Everything started, `env` added to the gateway's settings; stopped at the end."""
    base, solana = start_base(), SolanaChain()
    settle, fee_payer, seller_solana = os.urandom(32), Keypair(), str(Keypair().pubkey())
    seller_evm = address_of(os.urandom(32))
    base.fund(address_of(settle), 0)
    solana.fund(str(fee_payer.pubkey()), 0)
    solana.fund(seller_solana, 0)
    networks = {
        "base-sepolia": {"pay_to": seller_evm, "rpc_url": base.rpc_url, "settle_key": settle.hex()},
        "solana-devnet": {"pay_to": seller_solana, "rpc_url": solana.rpc_url, "settle_key": str(fee_payer)},
    }
    port, upstream = free_port(), free_port()
    settings = {
        "TOLLBRUSH_DATA_DIR": str(folder / "gateway"),
        "TOLLBRUSH_NETWORKS": json.dumps(networks),
        "TOLLBRUSH_ENGINES__OPENAI__API_KEY": KEY,
        "TOLLBRUSH_ENGINES__OPENAI__BASE_URL": f"http://127.0.0.1:{upstream}/v1",
        **env,
    }
    log, url, openai = folder / "gateway.log", f"http://127.0.0.1:{port}", f"http://127.0.0.1:{upstream}"
    simulator = running(["support.openai_simulator", str(upstream)], openai + "/seen", log=folder / "openai.log")
    command = ["tollbrush", "serve", "--port", str(port)]
    with simulator, ExitStack() as serving:

        def start() -> Popen[bytes]:
            return serving.enter_context(running(command, url + "/healthz", log=log, env=settings, cwd=folder))

        def restart(by: signal.Signals) -> None:
            gateway = running_now.pop()
            gateway.send_signal(by)
            gateway.wait(60)
            serving.close()
            running_now.append(start())

        running_now = [start()]
        yield Shop(url, base, solana, seller_evm, seller_solana, folder / "gateway", log, openai, restart, running_now)
    base.stop()
    solana.stop()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop a session, with the studio and the simulated OpenAI."""
    with open_shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.fixture
def buyer(shop: Shop) -> Buyer:
    return shop.buyer()
