"""The local Base itself: one interface, two kinds of node, and a token that is its source."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import textwrap
import urllib.request
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from support.base_chain import BASE, PRICE, EvmAccount, verified
from tollbrush.devnet.anvil import AnvilNode, find_anvil
from tollbrush.devnet.base import start_base, usdc_code
from tollbrush.devnet.interface import LocalChain, Transfer
from tollbrush.errors import Unavailable
from tollbrush.payments.evm import EvmTill

pytestmark = pytest.mark.chain
ROOT = Path(__file__).parents[2]
needs_anvil = pytest.mark.skipif(find_anvil() is None, reason="anvil is not installed: npm ci")


def _post(chain: LocalChain, body: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(chain.rpc_url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def _call(chain: LocalChain, method: str, *params: Any) -> Any:
    return _post(chain, {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})


async def test_faucet_balances_and_transfers(
    base_chain: LocalChain, base_till: EvmTill, base_payer: EvmAccount
) -> None:
    heard: queue.Queue[Transfer] = queue.Queue()
    base_chain.on_transfer(heard.put)
    assert base_chain.network == BASE.id
    assert base_chain.balance(EvmAccount.fresh().address) == 0
    base_chain.fund(base_payer.address, 5)
    assert base_chain.balance(base_payer.address) == 1_000_005
    payment = await verified(base_till, base_payer)
    settlement = await base_till.settle(payment)
    minted, paid = heard.get(timeout=10), heard.get(timeout=10)
    assert (minted.recipient, minted.amount) == (base_payer.address, 5)
    payee = payment.requirement.pay_to
    assert paid == Transfer(BASE.id, str(settlement.tx_hash), base_payer.address, payee, PRICE)


def test_both_kinds_speak_the_same_json(base_chain: LocalChain) -> None:
    def result(method: str, *params: Any) -> Any:
        return _call(base_chain, method, *params)["result"]

    head = result("eth_getBlockByNumber", "latest", False)
    assert {"number", "hash", "parentHash", "timestamp", "baseFeePerGas", "gasLimit", "transactions"} <= set(head)
    assert result("eth_chainId") == hex(BASE.chain_id)
    assert result("eth_getCode", BASE.usdc, "latest") == usdc_code()
    assert result("eth_getCode", EvmAccount.fresh().address, "latest") == "0x"
    assert result("eth_getTransactionReceipt", "0x" + "ab" * 32) is None
    account = EvmAccount.fresh().address
    base_chain.fund(account, 9)
    topics = ["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef", None]
    query = {"fromBlock": head["number"], "toBlock": "latest", "address": BASE.usdc}
    (log,) = result("eth_getLogs", query | {"topics": [*topics, "0x" + account[2:].lower().rjust(64, "0")]})
    assert int(log["data"], 16) == 9
    receipt = result("eth_getTransactionReceipt", log["transactionHash"])
    assert receipt["status"] == "0x1" and len(receipt["logs"]) == 1
    assert {k: receipt["logs"][0][k] for k in ("topics", "data", "logIndex")} == {
        k: log[k] for k in ("topics", "data", "logIndex")
    }
    assert result("eth_getLogs", query | {"topics": [topics[0], "0x" + "ab" * 32]}) == []


def test_both_kinds_say_a_revert_as_geth_does(base_chain: LocalChain) -> None:
    poor = EvmAccount.fresh().address
    transfer = "0xa9059cbb" + poor[2:].rjust(64, "0") + f"{1:064x}"
    for method in ("eth_call", "eth_estimateGas"):
        answer = _call(base_chain, method, {"from": poor, "to": BASE.usdc, "data": transfer})
        assert answer["error"]["code"] == 3
        assert "ERC20: transfer amount exceeds balance" in answer["error"]["message"]


@pytest.mark.parametrize(
    "params", [[], [5], ["0xzz"], [{"to": "0x12"}, "latest"], [{"to": BASE.usdc, "data": "0x123"}, "latest"]]
)
def test_odd_calls_are_answered_with_an_error(base_chain: LocalChain, params: list[Any]) -> None:
    assert "error" in _call(base_chain, "eth_call", *params)
    assert "error" in _call(base_chain, "eth_sendRawTransaction", *params)
    assert _call(base_chain, "eth_chainId")["result"] == hex(BASE.chain_id)


def test_a_batch_is_answered_in_one(base_chain: LocalChain) -> None:
    calls = [{"jsonrpc": "2.0", "id": i, "method": m, "params": []} for i, m in enumerate(["eth_chainId", "no_such"])]
    first, second = _post(base_chain, calls)
    assert (first["id"], first["result"]) == (0, hex(BASE.chain_id))
    assert (second["id"], second["error"]["code"]) == (1, -32601)


@needs_anvil
def test_anvil_is_the_better_one() -> None:
    chain = start_base()
    assert chain.kind == "anvil"
    chain.stop()


def test_an_anvil_that_does_not_start_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "anvil"
    broken.write_text("#!/bin/sh\necho error: no luck\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(Unavailable, match="no luck"):
        AnvilNode(str(broken))


def test_a_port_in_use_is_said(base_chain: LocalChain) -> None:
    port = int(base_chain.rpc_url.rpartition(":")[2])
    with pytest.raises(Unavailable, match="in use"):
        start_base(port=port, prefer=base_chain.kind)


@needs_anvil
def test_anvil_ends_with_its_parent_however_that_dies() -> None:
    program = """
        import time
        from tollbrush.devnet.base import start_base
        print(start_base(prefer="anvil").rpc_url, flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        port = parent.stdout.readline().strip().rpartition(":")[2]
        assert port.isdigit()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        # The pipe is anvil's too, so that its end is anvil's.
        assert parent.stdout.read() == ""
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5)


def test_the_artifact_is_what_the_source_compiles_to() -> None:
    if shutil.which("node") is None or not (ROOT / "node_modules/solc").is_dir():
        pytest.skip("node and the solc package are not installed: npm ci")
    script = ROOT / "src/tollbrush/devnet/contracts/compile.cjs"
    environment = os.environ | {"NODE_PATH": str(ROOT / "node_modules")}
    compiled = subprocess.run(["node", str(script)], capture_output=True, check=True, text=True, env=environment)
    committed = resources.files("tollbrush.devnet").joinpath("contracts/USDC.json").read_text("utf-8")
    assert json.loads(compiled.stdout) == json.loads(committed)
