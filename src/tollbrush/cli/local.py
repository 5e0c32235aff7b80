"""The local chains as commands see them: `devnet` runs them and writes `devnet.json`; others read it to find their
RPC addresses and the faucet."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tollbrush.domain.networks import BY_ID
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, BadSettings, Unavailable

if TYPE_CHECKING:
    from tollbrush.devnet.interface import LocalChain, Transfer

FILE: Final = "devnet.json"
STACK_FILE: Final = "stack.json"
_GENEROUS: Final = 10**12
LOCAL_FOLDER: Final = "local"
"""Where `up` keeps its own state below the data folder: play money never mixes with a real wallet."""


@dataclass(frozen=True)
class LocalNetwork:
    """A running local chain. `name` is the v1 name."""

    name: str
    kind: str
    rpc_url: str


@dataclass(frozen=True)
class Devnet:
    """What `devnet.json` says. `control` speaks JSON-RPC: `faucet(network, address, atomic units)` and
    `balance(network, address)`."""

    control: str
    pid: int
    networks: tuple[LocalNetwork, ...]

    def write(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = data_dir / f".{FILE}.{os.getpid()}"
        draft.write_text(json.dumps(asdict(self), indent=2))
        draft.replace(data_dir / FILE)

    def forget(self, data_dir: Path) -> None:
        if read(data_dir) == self:
            (data_dir / FILE).unlink(missing_ok=True)

    def fund(self, network: str, address: str, atomic: int) -> None:
        """Play money from the faucet. Raises Unavailable, BadRequest."""
        self._call("faucet", network, address, atomic)

    def balance(self, network: LocalNetwork, address: str) -> Price:
        """USDC, read from the chain. Raises Unavailable, BadRequest."""
        return Price(self._call("balance", network.name, address))

    def _call(self, method: str, *params: str | int) -> Any:
        import httpx2

        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            answer = httpx2.post(self.control, json=call, timeout=30.0, trust_env=False).json()
        except (httpx2.HTTPError, ValueError) as failure:
            raise Unavailable(
                f"the local chains' faucet {self.control} does not answer.", advice="Start them: tollbrush devnet"
            ) from failure
        if "error" in answer:
            raise BadRequest(f"the local chains refused: {answer['error'].get('message')}.")
        return answer["result"]


@dataclass(frozen=True)
class Running:
    """What `stack.json` says: where the gateway and the router of `up` are."""

    gateway: str
    router: str
    pid: int

    def write(self, folder: Path) -> None:
        (folder / STACK_FILE).write_text(json.dumps(asdict(self), indent=2))


def read_stack(folder: Path) -> Running | None:
    """The running stack of that folder, or None."""
    try:
        found = Running(**json.loads((folder / STACK_FILE).read_text()))
        os.kill(found.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return found


def read(data_dir: Path) -> Devnet | None:
    """What runs, by the file of that folder; None when there is none or its process is gone."""
    try:
        said = json.loads((data_dir / FILE).read_text())
        found = Devnet(said["control"], said["pid"], tuple(LocalNetwork(**n) for n in said["networks"]))
        os.kill(found.pid, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


class Chains:
    """Both local chains and their faucet, started when constructed. Raises Unavailable, BadSettings."""

    def __init__(self, *, base_port: int = 0, solana_port: int = 0, control_port: int = 0) -> None:
        from tollbrush.devnet.base import start_base
        from tollbrush.devnet.server import RpcServer
        from tollbrush.devnet.solana import SolanaChain

        self._started: list[LocalChain] = []
        try:
            self._started.append(start_base(base_port))
            self._started.append(SolanaChain(port=solana_port))
            self._control = RpcServer(self._handle, port=control_port)
        except OSError as failure:
            self._stop_chains()
            raise BadSettings(
                f"a local chain cannot listen: {failure.strerror}.", advice="Free ports: tollbrush devnet --port 0"
            ) from failure
        except BaseException:
            self._stop_chains()
            raise

    def on_transfer(self, listener: Callable[[Transfer], None]) -> None:
        for chain in self._started:
            chain.on_transfer(listener)

    def describe(self) -> Devnet:
        networks = tuple(LocalNetwork(BY_ID[c.network].v1, c.kind, c.rpc_url) for c in self._started)
        return Devnet(self._control.url, os.getpid(), networks)

    def stop(self) -> None:
        self._control.stop()
        self._stop_chains()

    def _stop_chains(self) -> None:
        for chain in self._started:
            chain.stop()

    def _handle(self, method: str, params: list[Any]) -> Any:
        from tollbrush.devnet.server import RpcFault

        try:
            match method, params:
                case "faucet", [str(name), str(address), int(atomic)] if 0 <= atomic <= _GENEROUS:
                    self._chain(name).fund(address, atomic)
                    return True
                case "balance", [str(name), str(address)]:
                    return self._chain(name).balance(address)
        except BadRequest as refused:
            raise RpcFault(-32602, refused.message) from refused
        raise RpcFault(-32601, "this speaks faucet(network, address, atomic units) and balance(network, address)")

    def _chain(self, name: str) -> LocalChain:
        for chain in self._started:
            if BY_ID[chain.network].v1 == name:
                return chain
        raise BadRequest(f"network {name[:40]!r} does not run here.")
