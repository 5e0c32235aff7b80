"""A local Base inside this process, over JSON-RPC: needs nothing but Python, starts in a second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.hexadecimal import decode_hex, encode_hex

from tollbrush.devnet.pyevm_chain import CHAIN_ID, FAUCET, TIP, EvmChain
from tollbrush.devnet.server import RpcFault, RpcServer


class PyEvmNode:
    """`code` maps addresses to what lies there from the first block. Calls may come from any thread."""

    kind = "py-evm"

    def __init__(self, code: dict[str, str], *, port: int = 0) -> None:
        self._lock = threading.Lock()
        self._chain = EvmChain(code)
        self._methods: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: hex(CHAIN_ID),
            "net_version": lambda: str(CHAIN_ID),
            "web3_clientVersion": lambda: "tollbrush/py-evm",
            "eth_accounts": lambda: [FAUCET.public_key.to_checksum_address()],
            "eth_blockNumber": lambda: hex(self._chain.head.block_number),
            "eth_gasPrice": lambda: hex(self._chain.base_fee + TIP),
            "eth_maxPriorityFeePerGas": lambda: hex(TIP),
            "eth_feeHistory": self._fee_history,
            "eth_getBlockByNumber": self._block,
            "eth_getCode": lambda who, at="latest": encode_hex(self._account(at, "get_code", who)),
            "eth_getBalance": lambda who, at="latest": hex(self._account(at, "get_balance", who)),
            "eth_getTransactionCount": lambda who, at="latest": hex(self._account(at, "get_nonce", who)),
            "eth_call": lambda request, at="latest", *_: encode_hex(self._chain.call(request, at)),
            "eth_estimateGas": lambda request, at="latest", *_: hex(self._chain.estimate_gas(request, at)),
            "eth_sendRawTransaction": lambda raw: encode_hex(self._chain.send_raw(raw)),
            "eth_sendTransaction": lambda request: encode_hex(self._chain.send_from_faucet(request)),
            "eth_getTransactionReceipt": self._receipt,
            "eth_getLogs": self._logs,
            "evm_mine": self._mine,
        }
        self._server = RpcServer(self._handle, port=port)

    @property
    def rpc_url(self) -> str:
        return self._server.url

    def call(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call from inside the process. Raises RpcFault."""
        return self._handle(method, list(params))

    def give(self, address: str, wei: int) -> None:
        self.call("eth_sendTransaction", {"to": address, "value": hex(wei)})

    def stop(self) -> None:
        self._server.stop()

    def _handle(self, method: str, params: list[Any]) -> Any:
        run = self._methods.get(method)
        if run is None:
            raise RpcFault(-32601, f"the method {method} does not exist")
        with self._lock:
            self._chain.catch_up()
            try:
                return run(*params)
            except (TypeError, ValueError, KeyError) as failure:
                raise RpcFault(-32602, f"{method}: invalid params: {failure}") from failure

    def _account(self, at: str, what: str, address: str) -> Any:
        return getattr(self._chain.state(at), what)(to_canonical_address(address))

    def _mine(self, timestamp: int | str | None = None) -> str:
        """A block now, or at a later time: how a test lets an hour pass. As anvil has it."""
        self._chain.mine(int(timestamp, 16) if isinstance(timestamp, str) else timestamp)
        return "0x0"

    def _fee_history(self, count: str | int, newest: str, percentiles: list[float] | None = None) -> dict[str, Any]:
        last = self._chain.header(newest)
        number = min(int(count, 16) if isinstance(count, str) else count, last.block_number + 1)
        return {
            "oldestBlock": hex(last.block_number - number + 1),
            "baseFeePerGas": [hex(self._chain.base_fee)] * (number + 1),
            "gasUsedRatio": [0.5] * number,
            "reward": [[hex(TIP)] * len(percentiles or ())] * number,
        }

    def _block(self, at: str, _whole: bool = False) -> dict[str, Any]:
        header = self._chain.header(at)
        inside = [encode_hex(h) for h, mined in self._chain.mined.items() if mined.block == header.block_number]
        return {
            "number": hex(header.block_number),
            "hash": encode_hex(header.hash),
            "parentHash": encode_hex(header.parent_hash),
            "timestamp": hex(header.timestamp),
            "baseFeePerGas": hex(header.base_fee_per_gas or 0),
            "gasLimit": hex(header.gas_limit),
            "gasUsed": hex(header.gas_used),
            "miner": to_checksum_address(header.coinbase),
            "stateRoot": encode_hex(header.state_root),
            "receiptsRoot": encode_hex(header.receipt_root),
            "transactionsRoot": encode_hex(header.transaction_root),
            "logsBloom": "0x" + header.bloom.to_bytes(256, "big").hex(),
            "extraData": encode_hex(header.extra_data),
            "transactions": inside,
            "uncles": [],
        }

    def _receipt(self, tx_hash: str) -> dict[str, Any] | None:
        mined = self._chain.mined.get(decode_hex(tx_hash))
        if mined is None:
            return None
        header, tx, receipt = self._chain.header(hex(mined.block)), mined.transaction, mined.receipt
        fee = min(tx.max_fee_per_gas, (header.base_fee_per_gas or 0) + tx.max_priority_fee_per_gas)
        return {
            "transactionHash": encode_hex(tx.hash),
            "transactionIndex": "0x0",
            "blockHash": encode_hex(header.hash),
            "blockNumber": hex(mined.block),
            "from": to_checksum_address(tx.sender),
            "to": to_checksum_address(tx.to) if tx.to else None,
            "gasUsed": hex(receipt.gas_used),
            "cumulativeGasUsed": hex(receipt.gas_used),
            "effectiveGasPrice": hex(fee),
            "contractAddress": None,
            "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
            "type": hex(tx.type_id or 0),
            "logs": self._logs_of(tx.hash),
            "logsBloom": "0x" + receipt.bloom.to_bytes(256, "big").hex(),
        }

    def _logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = (self._number(query.get(side, "latest")) for side in ("fromBlock", "toBlock"))
        inside = [tx_hash for tx_hash, mined in self._chain.mined.items() if first <= mined.block <= last]
        return [log for tx_hash in inside for log in self._logs_of(tx_hash) if _matches(log, query)]

    def _number(self, at: str) -> int:
        # A span may end beyond the head.
        return int(at, 16) if at.startswith("0x") else self._chain.header(at).block_number

    def _logs_of(self, tx_hash: bytes) -> list[dict[str, Any]]:
        mined = self._chain.mined[tx_hash]
        block_hash = encode_hex(self._chain.header(hex(mined.block)).hash)
        return [
            {
                "address": to_checksum_address(log.address),
                "topics": ["0x" + topic.to_bytes(32, "big").hex() for topic in log.topics],
                "data": encode_hex(log.data),
                "blockNumber": hex(mined.block),
                "blockHash": block_hash,
                "transactionHash": encode_hex(tx_hash),
                "transactionIndex": "0x0",
                "logIndex": hex(index),
                "removed": False,
            }
            for index, log in enumerate(mined.receipt.logs)
        ]


def _matches(log: dict[str, Any], query: dict[str, Any]) -> bool:
    """eth_getLogs' filter: each place holds a value, a list of alternatives, or null for any."""
    topics = query.get("topics") or []
    places = [(log["address"], query.get("address")), *zip(log["topics"], topics, strict=False)]
    wanted = [(value, [want] if isinstance(want, str) else want) for value, want in places if want]
    return len(topics) <= len(log["topics"]) and all(
        value.lower() in {w.lower() for w in want} for value, want in wanted
    )
