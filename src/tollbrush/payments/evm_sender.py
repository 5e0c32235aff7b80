"""Sending one account's transactions to an EVM chain, one after the other."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from tollbrush.payments.eip3009 import address_of, keccak
from tollbrush.payments.evm_ledger import as_int, is_revert
from tollbrush.payments.rpc import JsonRpc, RpcError, RpcUnreachable

_TRIES: Final = 3
_MIN_TIP: Final = 10**6
_POLL: Final = (0.02, 1.0)
"""Seconds between looks for a receipt: first, and at most."""


class Reverted(Exception):
    """The contract refuses the call; nothing was sent. The message is the contract's."""


class NotSent(Exception):
    """The node did not take the transaction, as far as we know. `tx_hash`: it was signed and may have got through."""

    def __init__(self, message: str, tx_hash: str | None = None) -> None:
        super().__init__(message)
        self.tx_hash = tx_hash


class Sender:
    """Signs with one 32-byte key and keeps that account's nonces in order. Used by one event loop."""

    def __init__(self, rpc: JsonRpc, chain_id: int, key: bytes) -> None:
        from eth_account import Account  # half a second to import: only who settles pays it

        self._rpc, self._chain_id = rpc, chain_id
        self._account = Account.from_key(key)
        self._sending = asyncio.Lock()
        self._nonce: int | None = None
        self.address = address_of(key)

    async def fee(self) -> tuple[int, int]:
        """Wei a unit of gas at most, twice today's base fee, and the tip in it. Raises RpcError, RpcUnreachable."""
        block, suggested = await asyncio.gather(
            self._rpc.call("eth_getBlockByNumber", "latest", False), self._rpc.call("eth_maxPriorityFeePerGas")
        )
        tip = max(_MIN_TIP, as_int(suggested))
        return 2 * as_int(block.get("baseFeePerGas") if isinstance(block, dict) else None) + tip, tip

    async def send(self, to: str, data: bytes) -> str:
        """The hash of a transaction on its way. It is known before sending, so a lost answer loses nothing.
        Raises Reverted, NotSent."""
        gas = await self._estimate(to, data)
        fees = await self._fee()  # not in turn: only what must be in order waits for the others
        async with self._sending:
            for _ in range(_TRIES):
                raw, tx_hash = await self._signed(to, data, gas, fees)
                try:
                    await self._rpc.call("eth_sendRawTransaction", raw)
                except RpcUnreachable:
                    self._nonce = None  # whether it took the nonce is for the chain to say
                    return tx_hash
                except RpcError as failure:
                    self._nonce = None
                    if "already known" in failure.message.lower():
                        return tx_hash
                    if not _is_nonce_taken(failure):
                        raise NotSent(failure.message, tx_hash) from failure
                else:
                    assert self._nonce is not None
                    self._nonce += 1
                    return tx_hash
        raise NotSent("another sender uses this account's nonces", tx_hash)

    async def receipt(self, tx_hash: str, *, within: float) -> dict[str, Any] | None:
        """The receipt, or None when none came `within` these seconds."""
        wait, longest = _POLL
        try:
            async with asyncio.timeout(within):
                while True:
                    try:
                        found = await self._rpc.call("eth_getTransactionReceipt", tx_hash)
                    except (RpcError, RpcUnreachable):
                        found = None
                    if isinstance(found, dict):
                        return found
                    await asyncio.sleep(wait)
                    wait = min(wait * 1.5, longest)
        except TimeoutError:
            self._nonce = None  # it may have been dropped: the next one asks again
            return None

    async def _estimate(self, to: str, data: bytes) -> int:
        # Before anything is sent: a call that would revert costs no gas.
        call = {"from": self.address, "to": to, "data": "0x" + data.hex()}
        try:
            return as_int(await self._rpc.call("eth_estimateGas", call)) * 5 // 4
        except RpcError as failure:
            if is_revert(failure):
                raise Reverted(failure.message) from failure
            raise NotSent(failure.message) from failure
        except RpcUnreachable as failure:
            raise NotSent(str(failure)) from failure

    async def _fee(self) -> tuple[int, int]:
        try:
            return await self.fee()
        except (RpcError, RpcUnreachable) as failure:
            raise NotSent(str(failure)) from failure

    async def _signed(self, to: str, data: bytes, gas: int, fees: tuple[int, int]) -> tuple[str, str]:
        """An EIP-1559 transaction and its hash, both 0x…"""
        fee, tip = fees
        try:
            if self._nonce is None:
                self._nonce = as_int(await self._rpc.call("eth_getTransactionCount", self.address, "pending"))
        except (RpcError, RpcUnreachable) as failure:
            raise NotSent(str(failure)) from failure
        fields = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": self._nonce,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": tip,
            "gas": gas,
            "to": to,
            "value": 0,
            "data": data,
        }
        raw = bytes(self._account.sign_transaction(fields).raw_transaction)
        return "0x" + raw.hex(), "0x" + keccak(raw).hex()


def _is_nonce_taken(failure: RpcError) -> bool:
    said = failure.message.lower()
    return "nonce too low" in said or "underpriced" in said
