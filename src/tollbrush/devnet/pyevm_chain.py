"""py-evm as a chain that mines each transaction at once, on Base Sepolia's id, with a clock that follows ours."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth import constants
from eth.abc import BlockHeaderAPI, ReceiptAPI
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.exceptions import HeaderNotFound, Revert, VMError
from eth.vm.forks.prague import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_keys.datatypes import PrivateKey
from eth_utils.address import to_canonical_address
from eth_utils.exceptions import ValidationError
from eth_utils.hexadecimal import decode_hex, encode_hex

from tollbrush.devnet.server import RpcFault

CHAIN_ID: Final = 84532
TIP: Final = 10**6
FAUCET: Final = PrivateKey((1).to_bytes(32, "big"))

_BLOCK_SECONDS: Final = 2
_GAS_LIMIT: Final = 30_000_000
_CALL_GAS: Final = 1_000_000
_ERROR_STRING: Final = bytes.fromhex("08c379a0")  # Error(string)


@dataclass(frozen=True)
class Mined:
    """A transaction (py-evm's own object) and what it did."""

    block: int
    transaction: Any
    receipt: ReceiptAPI


class EvmChain:
    """Not thread-safe. `code` maps addresses to what lies there from the first block. Everything a node would refuse is
    raised as RpcFault, in geth's words."""

    def __init__(self, code: Mapping[str, str]) -> None:
        self.mined: dict[bytes, Mined] = {}
        self._chain: Any = _Chain.from_genesis(AtomicDB(), _genesis_header(), _genesis_state(code))

    @property
    def head(self) -> BlockHeaderAPI:
        head: BlockHeaderAPI = self._chain.get_canonical_head()
        return head

    @property
    def base_fee(self) -> int:
        return self.head.base_fee_per_gas or 0

    def header(self, at: str) -> BlockHeaderAPI:
        """By tag or hex number. Nothing waits here, so `pending` is `latest`."""
        if at in ("latest", "pending", "safe", "finalized"):
            return self.head
        try:
            header: BlockHeaderAPI = self._chain.get_canonical_block_header_by_number(
                0 if at == "earliest" else int(at, 16)
            )
        except HeaderNotFound as failure:
            raise RpcFault(-32000, "header not found") from failure
        return header

    def state(self, at: str) -> Any:
        return self._chain.get_vm(self.header(at)).state

    def call(self, request: Mapping[str, Any], at: str) -> bytes:
        output: bytes = self._run(self._spoofed(request), at).output
        return output

    def estimate_gas(self, request: Mapping[str, Any], at: str) -> int:
        """What one run uses: enough for contracts that do not look at their gas."""
        transaction = self._spoofed(request)
        return int(transaction.intrinsic_gas + self._run(transaction, at).get_gas_used())

    def _run(self, transaction: Any, at: str) -> Any:
        with self._chain.get_vm(self.header(at)).in_costless_state() as state:
            computation = state.costless_execute_transaction(transaction)
        if computation.is_error:
            raise _reverted(computation.error) from computation.error
        return computation

    def catch_up(self) -> None:
        """An empty block when the last one is older than a block's time: the chain's clock goes on by itself."""
        if time.time() - self.head.timestamp > _BLOCK_SECONDS:
            self.mine()

    def mine(self, timestamp: int | None = None) -> int:
        """An empty block, now or at a later time. Its number."""
        self._set_clock(timestamp)
        return self._seal()

    def send_raw(self, raw: str) -> bytes:
        """The hash of a signed transaction that is in a block on return."""
        try:
            transaction = self._chain.get_vm().get_transaction_builder().decode(decode_hex(raw))
            transaction.validate()
            sender = transaction.sender
        except (ValidationError, ValueError, TypeError) as failure:
            raise RpcFault(-32000, f"invalid transaction: {failure}") from failure
        if transaction.hash in self.mined:
            raise RpcFault(-32000, "already known")
        state = self.state("latest")
        if transaction.nonce != (nonce := state.get_nonce(sender)):
            side = "low" if transaction.nonce < nonce else "high"
            raise RpcFault(-32000, f"nonce too {side}: next nonce {nonce}, tx nonce {transaction.nonce}")
        if state.get_balance(sender) < transaction.gas * transaction.max_fee_per_gas + transaction.value:
            raise RpcFault(-32000, "insufficient funds for gas * price + value")
        return self._apply(transaction)

    def send_from_faucet(self, request: Mapping[str, Any]) -> bytes:
        nonce = self.state("latest").get_nonce(FAUCET.public_key.to_canonical_address())
        price = 2 * self.base_fee + TIP
        unsigned = self._chain.create_unsigned_transaction(nonce=nonce, gas_price=price, **_fields(request))
        return self._apply(unsigned.as_signed_transaction(FAUCET, chain_id=CHAIN_ID))

    def _apply(self, transaction: Any) -> bytes:
        self._set_clock()
        try:
            _, receipt, _ = self._chain.apply_transaction(transaction)
        except ValidationError as failure:
            raise RpcFault(-32000, str(failure)) from failure
        self.mined[transaction.hash] = Mined(self._seal(), transaction, receipt)
        tx_hash: bytes = transaction.hash
        return tx_hash

    def _set_clock(self, timestamp: int | None = None) -> None:
        # Set before a transaction runs, since it may read the time. Blocks are at least a second apart.
        self._chain.set_header_timestamp(max(timestamp or int(time.time()), self.head.timestamp + 1))

    def _seal(self) -> int:
        return int(self._chain.mine_block(mix_hash=os.urandom(32)).number)

    def _spoofed(self, request: Mapping[str, Any]) -> Any:
        sender = to_canonical_address(request["from"]) if request.get("from") else constants.ZERO_ADDRESS
        nonce = self.state("latest").get_nonce(sender)
        unsigned = self._chain.create_unsigned_transaction(nonce=nonce, gas_price=0, **_fields(request))
        return SpoofTransaction(unsigned, from_=sender)


class _Chain(MiningChain):
    chain_id = CHAIN_ID
    vm_configuration = ((constants.GENESIS_BLOCK_NUMBER, PragueVM),)

    def create_header_from_parent(self, parent_header: BlockHeaderAPI, **params: Any) -> BlockHeaderAPI:
        return super().create_header_from_parent(parent_header, **(params | {"gas_limit": parent_header.gas_limit}))


def _fields(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "gas": int(request.get("gas", hex(_CALL_GAS)), 16),
        "to": to_canonical_address(request["to"]) if request.get("to") else b"",
        "value": int(request.get("value", "0x0"), 16),
        "data": decode_hex(request.get("data") or request.get("input") or "0x"),
    }


def _genesis_header() -> dict[str, Any]:
    return {
        "difficulty": constants.POST_MERGE_DIFFICULTY,
        "mix_hash": constants.POST_MERGE_MIX_HASH,
        "nonce": constants.POST_MERGE_NONCE,
        "gas_limit": _GAS_LIMIT,
        "timestamp": int(time.time()) - _BLOCK_SECONDS,
        "coinbase": constants.ZERO_ADDRESS,
    }


def _genesis_state(code: Mapping[str, str]) -> dict[Any, Any]:
    rich = {FAUCET.public_key.to_canonical_address(): (10**27, 0, b"")}
    coded = {to_canonical_address(address): (0, 1, decode_hex(text)) for address, text in code.items()}
    return {
        address: {"balance": balance, "nonce": nonce, "code": data, "storage": {}}
        for address, (balance, nonce, data) in (rich | coded).items()
    }


def _reverted(failure: VMError) -> RpcFault:
    """As geth says it: code 3, the reason in words, the raw bytes in `data`."""
    data = failure.args[0] if isinstance(failure, Revert) and failure.args else b""
    if not isinstance(data, bytes) or not data.startswith(_ERROR_STRING):
        return RpcFault(3, f"execution reverted: {type(failure).__name__}", "0x")
    length = int.from_bytes(data[36:68], "big")
    return RpcFault(3, f"execution reverted: {data[68 : 68 + length].decode(errors='replace')}", encode_hex(data))
