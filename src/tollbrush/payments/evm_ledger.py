"""What an EVM chain says about USDC: balances, whether an authorization is used, and which transaction carried it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from tollbrush.domain.networks import Network
from tollbrush.errors import Unavailable
from tollbrush.payments.eip3009 import Authorization, keccak, parse, word
from tollbrush.payments.interface import Outcome, Settlement, Verified
from tollbrush.payments.rpc import JsonRpc, RpcError, RpcUnreachable

EXPIRED: Final = "invalid_exact_evm_payload_authorization_valid_before"
USED: Final = "invalid_exact_evm_nonce_already_used"
CANCELED: Final = "authorization_canceled"

_BALANCE_OF = keccak(b"balanceOf(address)")[:4]
_STATE = keccak(b"authorizationState(address,bytes32)")[:4]
_USED_EVENT = "0x" + keccak(b"AuthorizationUsed(address,bytes32)").hex()
_CANCELED_EVENT = "0x" + keccak(b"AuthorizationCanceled(address,bytes32)").hex()
_TRANSFER_EVENT = "0x" + keccak(b"Transfer(address,address,uint256)").hex()
# Public nodes answer for a few thousand blocks at a time. All together: two days of Base.
_SPAN_BLOCKS = 2_000
_SPANS = 50


class Ledger:
    """Reads one chain. `confirmations`: blocks, its own included, that make a transaction final for us. Reading raises
    RpcError and RpcUnreachable, except in `find`."""

    def __init__(self, rpc: JsonRpc, network: Network, *, confirmations: int = 1) -> None:
        self.rpc, self.network, self._confirmations = rpc, network, confirmations

    async def balance(self, address: str) -> int:
        """USDC in atomic units."""
        return as_int(await self._view(_BALANCE_OF + word(address), "latest"))

    async def is_used(self, authorization: Authorization, at: str = "latest") -> bool:
        """Whether this nonce was spent: by this transfer, by another of the same nonce, or by a cancel."""
        return as_int(await self._view(_STATE + word(authorization.payer) + authorization.nonce, at)) != 0

    async def simulate(self, authorization: Authorization, signature: bytes) -> str | None:
        """None when the transfer would pass now, else what the contract says against it: it also knows of pauses,
        blocked accounts and accounts with code. `pending`: an idle chain's last block may be old."""
        try:
            await self._view(authorization.call(signature), "pending")
        except RpcError as failure:
            if is_revert(failure):
                return failure.message
            raise
        return None

    async def find(self, verified: Verified, tx_hash: str | None) -> Settlement:
        """As payments/interface.py says of a till. Never raises."""
        try:
            return await self._find(parse(verified.payload)[0], tx_hash)
        except (RpcError, RpcUnreachable):
            return Settlement(Outcome.UNKNOWN, tx_hash, "chain_unreachable")

    async def _find(self, authorization: Authorization, tx_hash: str | None) -> Settlement:
        head = as_int(await self.rpc.call("eth_blockNumber"))
        final = max(0, head - self._confirmations + 1)
        if tx_hash and await self._is_carried(authorization, tx_hash, final):
            return Settlement(Outcome.SETTLED, tx_hash)
        # State and time of one and the same block: unused when the time was up means unused for ever.
        if not await self.is_used(authorization, hex(final)):
            block = await self.rpc.call("eth_getBlockByNumber", hex(final), False)
            if isinstance(block, dict) and as_int(block.get("timestamp")) >= authorization.valid_before:
                return Settlement(Outcome.REFUSED, reason=EXPIRED)
            return Settlement(Outcome.UNKNOWN, tx_hash)
        kind, spent_by = await self._spending(authorization, final)
        if kind == _CANCELED_EVENT:
            return Settlement(Outcome.REFUSED, reason=CANCELED)
        if kind != _USED_EVENT:
            return Settlement(Outcome.UNKNOWN, tx_hash)
        if await self._is_carried(authorization, spent_by, final):
            return Settlement(Outcome.SETTLED, spent_by)
        return Settlement(Outcome.REFUSED, reason=USED)

    async def _is_carried(self, authorization: Authorization, tx_hash: str, final: int) -> bool:
        """Whether this transaction succeeded in a final block and moved exactly this authorization's money."""
        receipt = await self.rpc.call("eth_getTransactionReceipt", tx_hash)
        if not isinstance(receipt, dict) or as_int(receipt.get("status")) != 1:
            return False
        logs = receipt.get("logs")
        return as_int(receipt.get("blockNumber")) <= final and pays(logs, self.network.usdc, authorization)

    async def _spending(self, authorization: Authorization, final: int) -> tuple[str, str]:
        """The event that spent this nonce, looked for backwards, and its transaction; empty when it is not found."""
        spender, nonce = _topic(word(authorization.payer)), _topic(authorization.nonce)
        topics = [[_USED_EVENT, _CANCELED_EVENT], spender, nonce]
        last = final
        for _ in range(_SPANS):
            first = max(0, last - _SPAN_BLOCKS + 1)
            span = {"fromBlock": hex(first), "toBlock": hex(last)}
            logs = await self.rpc.call("eth_getLogs", {"address": self.network.usdc, "topics": topics, **span})
            for log in logs if isinstance(logs, list) else ():
                for kind in (_USED_EVENT, _CANCELED_EVENT):
                    if _is_event(log, self.network.usdc, [kind, spender, nonce]):
                        return kind, str(log.get("transactionHash"))
            if first == 0:
                break
            last = first - 1
        return "", ""

    async def _view(self, data: bytes, at: str) -> Any:
        return await self.rpc.call("eth_call", {"to": self.network.usdc, "data": "0x" + data.hex()}, at)


async def balance(rpc: JsonRpc, network: Network, address: str) -> int:
    """USDC of this address in atomic units. Raises Unavailable."""
    try:
        return await Ledger(rpc, network).balance(address)
    except (RpcError, RpcUnreachable) as failure:
        raise Unavailable(f"{network.title} cannot be read: {failure}.") from failure


def pays(logs: Any, usdc: str, authorization: Authorization) -> bool:
    """Whether a transaction with these logs moved this authorization's money to its recipient.

    The contract emits AuthorizationUsed and Transfer one after the other, and only neighbours belong together: a payer
    may sign two transfers under one nonce, and lay the event of one beside the money of a third in one transaction.
    """
    payer, to = _topic(word(authorization.payer)), _topic(word(authorization.to))
    used, moved = [_USED_EVENT, payer, _topic(authorization.nonce)], [_TRANSFER_EVENT, payer, to]
    return any(
        _is_event(a, usdc, used) and _is_event(b, usdc, moved) and as_int(b.get("data")) == authorization.value
        for a, b in pairwise(logs if isinstance(logs, list) else ())
    )


def _is_event(log: Any, contract: str, topics: list[str]) -> bool:
    is_theirs = isinstance(log, dict) and str(log.get("address")).lower() == contract.lower()
    return is_theirs and log.get("topics") == topics


def as_int(value: Any) -> int:
    """A hex quantity or word. Raises RpcUnreachable: a node that answers something else has not answered."""
    try:
        return int(value, 16)
    except (TypeError, ValueError) as failure:
        raise RpcUnreachable(f"a number was expected, not {str(value)[:40]!r}") from failure


def is_revert(failure: RpcError) -> bool:
    """Whether the contract refused, rather than the node."""
    return failure.code == 3 or "revert" in failure.message.lower()


def _topic(value: bytes) -> str:
    return "0x" + value.hex()
