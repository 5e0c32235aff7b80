"""A local Base (chain id 84532) with USDC at Circle's address and a faucet: anvil when it is installed, else Python."""

from __future__ import annotations

import json
import threading
import time
from importlib import resources
from typing import Any, Final, Protocol

from tollbrush.devnet.interface import LocalChain, OnTransfer, Transfer
from tollbrush.domain.networks import BY_V1
from tollbrush.errors import Unavailable

_NETWORK: Final = BY_V1["base-sepolia"]
_GAS_MONEY: Final = 10**18
_POLL_SECONDS: Final = 0.1
_RECEIPT_SECONDS: Final = 10.0
_MINT: Final = "0x40c10f19"  # mint(address,uint256)
_BALANCE_OF: Final = "0x70a08231"
_TRANSFER: Final = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


class Node(Protocol):
    """What runs the chain."""

    @property
    def kind(self) -> str: ...
    @property
    def rpc_url(self) -> str: ...
    def call(self, method: str, *params: Any) -> Any: ...
    def give(self, address: str, wei: int) -> None: ...
    def stop(self) -> None: ...


def start_base(port: int = 0, prefer: str | None = None) -> LocalChain:
    """A fresh chain on loopback; port 0 takes a free one. `prefer`: `anvil` or `py-evm`, None for the better one that
    is there. Raises Unavailable when the preferred one is not installed, or the port is taken."""
    from tollbrush.devnet.anvil import AnvilNode, find_anvil

    binary = find_anvil() if prefer != "py-evm" else None
    if binary:
        anvil = AnvilNode(binary, port=port)
        anvil.install(_NETWORK.usdc, usdc_code())
        return LocalBase(anvil)
    if prefer == "anvil":
        raise Unavailable("anvil is not installed.", advice="`npm ci` installs it; without it the Python chain serves.")
    try:
        from tollbrush.devnet.pyevm import PyEvmNode
    except ImportError as failure:
        raise Unavailable(
            f"no local Base can run here: {failure}.", advice="Install tollbrush[devnet], or anvil."
        ) from failure
    try:
        return LocalBase(PyEvmNode({_NETWORK.usdc: usdc_code()}, port=port))
    except OSError as failure:
        raise Unavailable(f"port {port} cannot be used: {failure}.", advice="Choose another port.") from failure


def usdc_code() -> str:
    """The run-time code of contracts/USDC.sol, 0x…"""
    artifact = resources.files("tollbrush.devnet").joinpath("contracts/USDC.json").read_text("utf-8")
    return str(json.loads(artifact)["runtime"])


class LocalBase:
    """The local chain as the rest of the house sees it (devnet/interface.py)."""

    network = _NETWORK.id

    def __init__(self, node: Node) -> None:
        self._node = node
        self._faucet = node.call("eth_accounts")[0]
        self._listeners: list[OnTransfer] = []
        self._stopped = threading.Event()
        self._watch: threading.Thread | None = None

    @property
    def kind(self) -> str:
        return self._node.kind

    @property
    def rpc_url(self) -> str:
        return self._node.rpc_url

    def fund(self, address: str, usdc: int) -> None:
        self._node.give(address, _GAS_MONEY)
        if usdc:
            data = _MINT + _word(address) + f"{usdc:064x}"
            sent = self._node.call("eth_sendTransaction", {"from": self._faucet, "to": _NETWORK.usdc, "data": data})
            self._wait(sent)

    def balance(self, address: str) -> int:
        data = _BALANCE_OF + _word(address)
        return int(self._node.call("eth_call", {"to": _NETWORK.usdc, "data": data}, "latest"), 16)

    def on_transfer(self, listener: OnTransfer) -> None:
        self._listeners.append(listener)
        if self._watch is None:
            seen = int(self._node.call("eth_blockNumber"), 16)
            self._watch = threading.Thread(target=self._follow, args=(seen,), name="devnet-transfers", daemon=True)
            self._watch.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._watch:
            self._watch.join()
        self._node.stop()

    def _wait(self, tx_hash: str) -> None:
        end = time.monotonic() + _RECEIPT_SECONDS
        while self._node.call("eth_getTransactionReceipt", tx_hash) is None:
            if time.monotonic() > end:
                raise Unavailable(f"the local chain did not mine {tx_hash}.")
            self._stopped.wait(0.005)

    def _follow(self, seen: int) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            try:
                head = int(self._node.call("eth_blockNumber"), 16)
                span = {"fromBlock": hex(seen + 1), "toBlock": hex(head)}
                found = {"address": _NETWORK.usdc, "topics": [_TRANSFER], **span}
                logs = self._node.call("eth_getLogs", found) if head > seen else []
            except Unavailable:
                return  # the chain is gone
            seen = head
            for transfer in map(_transfer, logs):
                for listener in self._listeners:
                    listener(transfer)


def _word(address: str) -> str:
    return address[2:].lower().rjust(64, "0")


def _transfer(log: dict[str, Any]) -> Transfer:
    from eth_utils.address import to_checksum_address

    sender, recipient = (to_checksum_address("0x" + topic[-40:]) for topic in log["topics"][1:])
    return Transfer(_NETWORK.id, log["transactionHash"], sender, recipient, int(log["data"], 16))
