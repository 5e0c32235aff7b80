"""What we ask of a Solana node, typed. A malformed answer is no answer: RpcUnreachable."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from solders.token.state import TokenAccount
from solders.transaction import VersionedTransaction

from tollbrush.domain.networks import Network
from tollbrush.payments import spl
from tollbrush.payments.rpc import JsonRpc, RpcUnreachable

_CONFIRMED: Final = {"commitment": "confirmed"}
_ENCODED: Final = {"encoding": "base64"}
_TOKEN_ACCOUNT_BYTES: Final = 165
_T = TypeVar("_T")


@dataclass(frozen=True)
class Status:
    """A transaction that the node has seen. `err` is the node's JSON, None for success; a `processed` one may still
    vanish with its fork."""

    err: Any
    confirmed: bool
    finalized: bool


class SolanaNode:
    """Reads at `confirmed` unless said otherwise. Every method raises RpcError, RpcUnreachable."""

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    async def genesis_hash(self) -> str:
        return _typed(await self._rpc.call("getGenesisHash"), str)

    async def lamports(self, address: str) -> int:
        value, _ = await self._read("getBalance", address, _CONFIRMED)
        return _typed(value, int)

    async def token_account(self, address: str) -> TokenAccount | None:
        """An SPL Token account, or None where there is none."""
        value, _ = await self._read("getAccountInfo", address, _CONFIRMED | _ENCODED)
        if value is None:
            return None
        try:
            data = base64.b64decode(_field(value, "data")[0], validate=True)
            is_token = _field(value, "owner") == str(spl.TOKEN_PROGRAM) and len(data) == _TOKEN_ACCOUNT_BYTES
            return TokenAccount.from_bytes(data) if is_token else None
        except (LookupError, TypeError, ValueError) as failure:
            raise RpcUnreachable(f"getAccountInfo: not an account: {failure}") from failure

    async def latest_blockhash(self) -> str:
        value, _ = await self._read("getLatestBlockhash", _CONFIRMED)
        return _typed(_field(value, "blockhash"), str)

    async def simulate(self, tx: VersionedTransaction) -> Any:
        """The error that landing now would meet, as the node's JSON, or None. The blockhash counts; signatures do
        not, so that no transaction leaves us signed before it is meant to land."""
        value, _ = await self._read("simulateTransaction", _encode(tx), _ENCODED | _CONFIRMED)
        return _field(value, "err")

    async def send(self, tx: VersionedTransaction) -> None:
        await self._rpc.call("sendTransaction", _encode(tx), _ENCODED | {"skipPreflight": True})

    async def status(self, signature: str) -> tuple[Status | None, int]:
        """What became of a transaction, and the slot as of which the node says so."""
        value, slot = await self._read("getSignatureStatuses", [signature], {"searchTransactionHistory": True})
        entries = _typed(value, list)
        if len(entries) != 1:
            raise RpcUnreachable(f"getSignatureStatuses: {len(entries)} answers to one question")
        if entries[0] is None:
            return None, slot
        level = _field(entries[0], "confirmationStatus")
        return Status(_field(entries[0], "err"), level in ("confirmed", "finalized"), level == "finalized"), slot

    async def died(self, blockhash: str) -> int | None:
        """The slot as of which nothing with this once valid blockhash can land any more, or None while it may.
        Asked of the newest state and of the final one: a fork may have outrun the chain."""
        slots = []
        for commitment in ("processed", "finalized"):
            value, slot = await self._read("isBlockhashValid", blockhash, {"commitment": commitment})
            if _typed(value, bool):
                return None
            slots.append(slot)
        return max(slots)

    async def _read(self, method: str, *params: Any) -> tuple[Any, int]:
        """`value` and its context's slot."""
        answer = await self._rpc.call(method, *params)
        return _field(answer, "value"), _typed(_field(_field(answer, "context"), "slot"), int)


async def balance(rpc: JsonRpc, network: Network, owner: str) -> int:
    """USDC of a wallet in atomic units; 0 without a token account. Raises RpcError, RpcUnreachable, BadRequest."""
    held = await SolanaNode(rpc).token_account(spl.associated_token_account(owner, network.usdc))
    return held.amount if held else 0


async def latest_blockhash(rpc: JsonRpc) -> str:
    """What `spl.pay` signs over. Raises RpcError, RpcUnreachable."""
    return await SolanaNode(rpc).latest_blockhash()


def _encode(tx: VersionedTransaction) -> str:
    return base64.b64encode(bytes(tx)).decode()


def _typed(value: Any, kind: type[_T]) -> _T:
    if not isinstance(value, kind):
        raise RpcUnreachable(f"the node answered {type(value).__name__} where {kind.__name__} belongs")
    return value


def _field(value: Any, name: str) -> Any:
    """A field that must be there: a missing `err` is not a success."""
    if not isinstance(value, dict) or name not in value:
        raise RpcUnreachable(f"the node answered without {name!r}")
    return value[name]
