"""An EVM node that knows USDC balances, used authorizations and the time: what a payer reads, set by hand."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from tollbrush.devnet.server import RpcFault, RpcServer

_BALANCE_OF = keccak(b"balanceOf(address)")[:4].hex()
_STATE = keccak(b"authorizationState(address,bytes32)")[:4].hex()


class EvmNode:
    """`balances` by lower-case address in atomic units, `used` holds nonces in 0x… hex, `now` in Unix seconds;
    `down` makes every call fail."""

    def __init__(self, now: int) -> None:
        self.balances: dict[str, int] = {}
        self.used: set[str] = set()
        self.now, self.down = now, False
        self._server = RpcServer(self._handle)

    @property
    def rpc_url(self) -> str:
        return self._server.url

    def stop(self) -> None:
        self._server.stop()

    def _handle(self, method: str, params: list[Any]) -> Any:
        if self.down:
            raise RpcFault(-32000, "the node is down for maintenance")
        if method == "eth_getBlockByNumber":
            return {"number": "0x10", "timestamp": hex(self.now)}
        assert method == "eth_call", method
        data = params[0]["data"].removeprefix("0x")
        if data.startswith(_BALANCE_OF):
            return f"0x{self.balances.get('0x' + data[32:72].lower(), 0):064x}"
        assert data.startswith(_STATE), data
        return f"0x{'0x' + data[72:136] in self.used:064x}"
