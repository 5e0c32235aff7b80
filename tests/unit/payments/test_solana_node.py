"""A Solana node's answers are not trusted to have a shape: a malformed one is no answer, never a success."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from solders.transaction import VersionedTransaction

from tollbrush.devnet.server import RpcServer
from tollbrush.payments.rpc import JsonRpc, RpcError, RpcUnreachable
from tollbrush.payments.solana_node import SolanaNode
from tollbrush.payments.spl import TOKEN_PROGRAM

ASK: dict[str, Callable[[SolanaNode], Awaitable[Any]]] = {
    "genesis hash": lambda node: node.genesis_hash(),
    "lamports": lambda node: node.lamports("x"),
    "token account": lambda node: node.token_account("x"),
    "blockhash": lambda node: node.latest_blockhash(),
    "simulation": lambda node: node.simulate(VersionedTransaction.default()),
    "status": lambda node: node.status("x"),
    "death": lambda node: node.died("x"),
}


def _value(value: Any) -> dict[str, Any]:
    return {"context": {"slot": 9}, "value": value}


class OddNode(RpcServer):
    """Answers everything with `says`."""

    says: Any = None

    def __init__(self) -> None:
        super().__init__(lambda method, params: self.says)

    async def ask(self, name: str, says: Any) -> Any:
        self.says = says
        rpc = JsonRpc(self.url)
        try:
            return await ASK[name](SolanaNode(rpc))
        finally:
            await rpc.close()


@pytest.fixture(scope="module")
def odd_node() -> Iterator[OddNode]:
    node = OddNode()
    yield node
    node.stop()


@pytest.mark.parametrize("answer", [7, [], {}, {"value": {}}, {"context": {"slot": "9"}, "value": {}}, _value("odd")])
@pytest.mark.parametrize("name", ASK)
async def test_a_malformed_answer_is_no_answer(odd_node: OddNode, name: str, answer: Any) -> None:
    with pytest.raises(RpcUnreachable):
        await odd_node.ask(name, answer)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("simulation", {"logs": []}),
        ("status", []),
        ("status", [None, None]),
        ("status", [{"confirmationStatus": "finalized"}]),
        ("token account", {"data": [], "owner": str(TOKEN_PROGRAM)}),
        ("token account", {"data": ["%", "base64"], "owner": str(TOKEN_PROGRAM)}),
        ("token account", {"data": ["AAAA" * 55, "base64"], "owner": 7, "lamports": 1} | {"data": None}),
        ("death", 0),
    ],
)
async def test_a_missing_error_is_not_a_success(odd_node: OddNode, name: str, value: Any) -> None:
    with pytest.raises(RpcUnreachable):
        await odd_node.ask(name, _value(value))


@pytest.mark.parametrize("value", [None, {"data": ["", "base64"], "owner": "1" * 32}])
async def test_what_is_no_token_account_is_none(odd_node: OddNode, value: Any) -> None:
    assert await odd_node.ask("token account", _value(value)) is None


async def test_a_nodes_refusal_keeps_its_code() -> None:
    server = RpcServer(lambda method, params: 1 / 0)
    rpc = JsonRpc(server.url)
    with pytest.raises(RpcError) as refusal:
        await SolanaNode(rpc).latest_blockhash()
    assert refusal.value.code == -32603
    await rpc.close()
    server.stop()
