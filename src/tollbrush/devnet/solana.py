"""A local Solana: the real programs in LiteSVM behind a node's JSON-RPC, with USDC at Circle's devnet address."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from solders.pubkey import Pubkey

from tollbrush.devnet.interface import OnTransfer, Transfer
from tollbrush.devnet.server import RpcServer
from tollbrush.devnet.solana_ledger import Landed, Ledger, TokenTransfer
from tollbrush.devnet.solana_rpc import SolanaMethods
from tollbrush.domain.networks import BY_V1
from tollbrush.errors import BadRequest

_NETWORK: Final = BY_V1["solana-devnet"]
_FAUCET_LAMPORTS: Final = 1_000_000_000
_T = TypeVar("_T")


class SolanaChain:
    """A `LocalChain`. Slots pass every 0.4 s and, for tests, by `advance`; blockhashes die after 150 of them.

    `port`: 0 takes a free one."""

    kind = "litesvm"
    network = _NETWORK.id

    def __init__(self, *, port: int = 0) -> None:
        self._listeners: list[OnTransfer] = []
        self._arrived: list[Landed] = []
        # LiteSVM is not thread-safe: this one thread owns it.
        self._owner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="devnet-solana")
        self._ledger = self._owned(lambda: Ledger(Pubkey.from_string(_NETWORK.usdc)))
        self._methods = SolanaMethods(self._ledger, self._arrived.append)
        self._server = RpcServer(self.handle, port=port)

    @property
    def rpc_url(self) -> str:
        return self._server.url

    def handle(self, method: str, params: list[Any]) -> Any:
        """One JSON-RPC call without the wire. Raises RpcFault."""
        result, transfers = self._owned(lambda: self._call(method, params))
        for transfer in transfers:
            for listener in self._listeners:
                listener(transfer)
        return result

    def fund(self, address: str, usdc: int) -> None:
        """USDC in atomic units, and a SOL for fees. Raises BadRequest for what is no address."""
        owner = _address(address)
        self._owned(lambda: self._ledger.credit(owner, _FAUCET_LAMPORTS))
        self._owned(lambda: self._ledger.mint_to(owner, usdc))

    def balance(self, address: str) -> int:
        owner = _address(address)
        held = self._owned(lambda: self._ledger.token_account(self._ledger.associated(owner)))
        return held.amount if held else 0

    def lamports(self, address: str) -> int:
        """Native coin, which pays the fees."""
        owner = _address(address)
        account = self._owned(lambda: self._ledger.account(owner))
        return account.lamports if account else 0

    def advance(self, slots: int) -> None:
        """Let slots pass at once."""
        self._owned(lambda: self._ledger.advance(slots))

    def on_transfer(self, listener: OnTransfer) -> None:
        self._listeners.append(listener)

    def stop(self) -> None:
        self._server.stop()
        self._owner.shutdown()

    def _owned(self, work: Callable[[], _T]) -> _T:
        return self._owner.submit(work).result()

    def _call(self, method: str, params: list[Any]) -> tuple[Any, list[Transfer]]:
        result = self._methods.call(method, params)
        landed, self._arrived[:] = list(self._arrived), []
        return result, [self._transfer(one, moved) for one in landed for moved in self._ledger.transfers(one)]

    def _transfer(self, landed: Landed, moved: TokenTransfer) -> Transfer:
        return Transfer(self.network, landed.signature, str(moved.sender), str(moved.recipient), moved.amount)


def _address(text: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError as failure:
        raise BadRequest(f"{text!r} is not a Solana address: {failure}.") from failure
