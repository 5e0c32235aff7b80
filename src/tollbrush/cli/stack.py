"""The whole product on this machine, as child processes: local chains, gateway, router, a funded wallet.

The gateway's and the router's sockets are bound here and handed over, so their addresses are known before they
run and no port is lost to a race.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tollbrush.cli import local
from tollbrush.cli.serving import listen
from tollbrush.cli.terminal import Terminal, tell_transfer
from tollbrush.devnet.interface import Transfer
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.pricing import Price
from tollbrush.errors import Unavailable
from tollbrush.payments.wallet import Wallet, load_or_create
from tollbrush.settings import Settings

POCKET_MONEY: Final = 20_000_000
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 40.0
_TRY: Final = (
    "tollbrush '/img2img --image ~/photo.png change the background to a starry sky'",
    "tollbrush '/img2img --image ./cat.jpg --mask ./mask.png remove the background'",
    "tollbrush '/img2img --image /tmp/portrait.png --size 1536x1024 add a hat'",
)


@dataclass(frozen=True)
class Ports:
    """0 takes a free one."""

    gateway: int = 0
    router: int = 0
    base: int = 0
    solana: int = 0


class Stack:
    """Use as a context: leaving it stops every child. `folder` holds all state; `home` and `cwd` are the router's."""

    def __init__(self, folder: Path, ports: Ports, *, home: Path | None = None, cwd: Path | None = None) -> None:
        self.folder, self._ports, self._home, self._cwd = folder, ports, home, cwd
        self._children: list[_Child] = []
        self._sockets: list[socket.socket] = []
        self.wallet: Wallet
        self.devnet: local.Devnet
        self.gateway_url = self.router_url = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        (self.folder / local.STACK_FILE).unlink(missing_ok=True)
        for child in reversed(self._children):
            child.stop()
        for bound in self._sockets:
            bound.close()

    def start(self) -> None:
        """Raises BadSettings when a port is taken, Unavailable with the end of its log when a child does not start."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        gateway, router = self._bind("gateway", self._ports.gateway), self._bind("router", self._ports.router)
        self.gateway_url, self.router_url = _url(gateway), _url(router)
        ports = ("--base-port", str(self._ports.base), "--solana-port", str(self._ports.solana))
        chains = self._child("devnet", *ports)
        chains.await_ready()
        running = local.read(self.folder)
        if running is None:
            raise Unavailable("the local chains did not say where they are.")
        self.devnet = running
        self.wallet = load_or_create(Settings(data_dir=self.folder))
        seller = _Seller.load_or_create(self.folder / "seller.json")
        self._fund(seller)
        shop = {"TOLLBRUSH_NETWORKS": json.dumps(seller.networks(running)), "TOLLBRUSH_STAND_IN": "true"}
        buyer = {
            "TOLLBRUSH_NETWORKS": json.dumps({n.name: {"rpc_url": n.rpc_url} for n in running.networks}),
            "TOLLBRUSH_ROUTER__GATEWAY_URL": self.gateway_url,
        }
        selling = self._child("serve", socket=gateway, env=shop)
        routing = self._child("route", socket=router, env=buyer)
        selling.await_ready()
        routing.await_ready()
        local.Running(self.gateway_url, self.router_url, os.getpid()).write(self.folder)

    def environment(self) -> dict[str, str]:
        """What a command of the user's needs to find this router."""
        return {**self._environment(), "TOLLBRUSH_DATA_DIR": str(self.folder)}

    def balances(self) -> dict[str, Price]:
        """The wallet's USDC by network name, read from the chains."""
        return {n.name: self.devnet.balance(n, self._address(n)) for n in self.devnet.networks}

    def _address(self, network: local.LocalNetwork) -> str:
        return self.wallet.address(BY_V1[network.name].family)

    def describe(self) -> dict[str, Any]:
        return {
            "ready": "up",
            "gateway": self.gateway_url,
            "router": self.router_url,
            "chains": {n.name: n.rpc_url for n in self.devnet.networks},
            "wallet": {"evm": self.wallet.evm_address, "solana": self.wallet.solana_address},
            "data_dir": str(self.folder),
        }

    def story(self) -> list[str]:
        """The same for people."""
        rows = [("Gateway", self.gateway_url), ("Router", self.router_url)]
        rows += [(BY_V1[n.name].title, f"{n.rpc_url} ({n.kind})") for n in self.devnet.networks]
        for name, balance in self.balances().items():
            rows.append(("Wallet", f"{self.wallet.address(BY_V1[name].family)}  {balance} on {BY_V1[name].title}"))
        rows.append(("State", str(self.folder)))
        page = f"Open {self.router_url}/ in a browser: paint, pay, compare."
        return [page, "", *(f"{name:<14}{value}" for name, value in rows), "", "Or, in another terminal:", *_TRY]

    def follow(self, terminal: Terminal, stop: threading.Event) -> None:
        """Tell transfers until `stop` is set. Raises Unavailable when a child ends by itself."""
        chains = self._children[0]
        chains.on_event = lambda event: _tell(terminal, event)
        while not stop.wait(0.5):
            for child in self._children:
                child.check()

    def _bind(self, name: str, port: int) -> socket.socket:
        bound = listen(name, "127.0.0.1", port)
        self._sockets.append(bound)
        return bound

    def _child(
        self, command: str, *flags: str, socket: socket.socket | None = None, env: Mapping[str, str] = {}
    ) -> _Child:
        handed = () if socket is None else (socket.fileno(),)
        words = [command, "--json", "--data-dir", str(self.folder), *flags, *(f"--fd={fd}" for fd in handed)]
        child = _Child(command, words, {**self._environment(), **env}, handed, self.folder / "logs", self._cwd)
        self._children.append(child)
        return child

    def _environment(self) -> dict[str, str]:
        # A real wallet's words and real networks have no business on a local chain.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOLLBRUSH_")}
        return clean | ({"HOME": str(self._home)} if self._home else {}) | {"PYTHONUNBUFFERED": "1"}

    def _fund(self, seller: _Seller) -> None:
        """Play money for the buyer; for the seller, fees and the token account that Solana's USDC needs."""
        for network in self.devnet.networks:
            own = self._address(network)
            if self.devnet.balance(network, own).atomic < POCKET_MONEY:
                self.devnet.fund(network.name, own, POCKET_MONEY)
            for address in seller.addresses(network):
                self.devnet.fund(network.name, address, 0)


class _Child:
    """One `python -m tollbrush …`. Its stdout is JSON lines, the first of which says that it is ready; its stderr
    goes to a log file."""

    def __init__(
        self, name: str, words: Sequence[str], env: Mapping[str, str], fds: Sequence[int], logs: Path, cwd: Path | None
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.name, self._log = name, logs / f"{name}.log"
        self.on_event: Callable[[dict[str, Any]], None] = lambda event: None
        self._ready = threading.Event()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [sys.executable, "-m", "tollbrush", *words],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                pass_fds=fds,
                start_new_session=True,  # Ctrl-C is ours to pass on, in order
            )
        threading.Thread(target=self._read, name=f"{name}-events", daemon=True).start()

    def await_ready(self) -> None:
        """Raises Unavailable when it ends, or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready.wait(0.05):
            self.check()
            if time.monotonic() > deadline:
                raise Unavailable(f"{self.name} is not ready after {_START_SECONDS:g} s.", advice=f"See {self._log}.")

    def check(self) -> None:
        """Raises Unavailable when it has ended by itself."""
        if self._process.poll() is None:
            return
        tail = self._log.read_text(errors="replace").strip().splitlines()[-1:]
        raise Unavailable(
            f"{self.name} ended with code {self._process.returncode}: {' '.join(tail) or 'no word'}",
            advice=f"See {self._log}.",
        )

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        stdout = self._process.stdout
        for line in stdout or ():
            event = json.loads(line)
            if "ready" in event:
                self._ready.set()
            self.on_event(event)


@dataclass(frozen=True)
class _Seller:
    """The gateway's side of the local chains: who is paid, and the keys that pay the fees."""

    pay_to: dict[str, str]
    fee_addresses: dict[str, str]
    settle_keys: dict[str, str]

    @classmethod
    def load_or_create(cls, path: Path) -> _Seller:
        if path.exists():
            return cls(**json.loads(path.read_text()))
        till, purse = Wallet.create(), Wallet.create()
        made = cls(
            {"evm": till.evm_address, "svm": till.solana_address},
            {"evm": purse.evm_address, "svm": purse.solana_address},
            {"evm": "0x" + purse.evm_key.hex(), "svm": str(purse.solana_keypair)},
        )
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
            json.dump(asdict(made), file)
        return made

    def addresses(self, network: local.LocalNetwork) -> tuple[str, str]:
        family = BY_V1[network.name].family
        return self.pay_to[family], self.fee_addresses[family]

    def networks(self, running: local.Devnet) -> dict[str, dict[str, str]]:
        """The gateway's `networks` setting."""
        return {
            n.name: {
                "rpc_url": n.rpc_url,
                "pay_to": self.pay_to[BY_V1[n.name].family],
                "settle_key": self.settle_keys[BY_V1[n.name].family],
            }
            for n in running.networks
        }


def _tell(terminal: Terminal, event: dict[str, Any]) -> None:
    if "transfer" in event:
        tell_transfer(terminal, Transfer(**event["transfer"]))


def _url(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"
