"""A hosted facilitator or a chain's node that is down, slow, silent, confused or lying, as the callers of a gateway see
it over HTTP: nobody is charged without a result, nothing is given away, and the retry is delivered."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from x402.mechanisms.svm import FacilitatorKeypairSigner
from x402.mechanisms.svm.exact import ExactSvmFacilitatorScheme

from support.base_chain import BASE as BASE_NETWORK
from support.facilitator import HostedFacilitator
from support.faulty_node import FaultyNode
from support.market import Buyer, Market, open_market
from support.own_gateway import PRICE, OwnGateway, open_gateway
from support.shop import EDIT
from support.solana_chain import DEVNET
from support.spoilt import Spoil, do_and_say, hang_up, late, say, silent
from support.x402_judge import Judge
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.facilitator import FacilitatorTill
from tollbrush.payments.interface import Till
from tollbrush.payments.rpc import JsonRpc
from tollbrush.payments.solana import SolanaTill

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.chain,
    # x402 2.25 still uses the synchronous parts that solana 0.39 deprecates.
    pytest.mark.filterwarnings("ignore:(Client|TxOpts) is deprecated"),
]
BASE, SOLANA = BASE_NETWORK.id, DEVNET.id
NETWORKS = pytest.mark.parametrize("network", [BASE, SOLANA])
LONG = os.environ.get("TOLLBRUSH_E2E") == "long"
DEADLINE = 1.0
POLLS = 2_000


def faults(names: Iterable[str]) -> pytest.MarkDecorator:
    """Each on both networks; in the short form each on one, in turns."""
    each = itertools.product(names, (BASE, SOLANA)) if LONG else zip(names, itertools.cycle((BASE, SOLANA)))
    return pytest.mark.parametrize(("how", "network"), list(each))


Make = Callable[[threading.Event], Spoil]
"""Gets an event that is set when the caller has its answer."""


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with open_market() as opened:
        yield opened


@pytest.fixture
def gone() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


# ── a hosted facilitator ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def hosted(market: Market) -> Iterator[HostedFacilitator]:
    """x402's own, for both families."""
    official = Judge(market.base).facilitator
    signer = FacilitatorKeypairSigner(market.fee_payer, market.solana.rpc_url)
    official.register([SOLANA], ExactSvmFacilitatorScheme(signer))
    made = HostedFacilitator(official)
    yield made
    made.stop()
    for client in signer._clients.values():  # it keeps its connections and has no way to close them
        client._provider.session.close()


def facilitated_tills(market: Market, hosted: HostedFacilitator, failures: int) -> list[Till]:
    options: dict[str, Any] = {"seconds": DEADLINE, "failures": failures}
    base, solana = JsonRpc(market.base.rpc_url), JsonRpc(market.solana.rpc_url)
    return [
        FacilitatorTill(BASE_NETWORK, market.seller_evm, hosted.url, rpc=base, **options),
        FacilitatorTill(DEVNET, market.seller_solana, hosted.url, rpc=solana, **options),
    ]


@pytest.fixture(scope="module")
def facilitated(
    market: Market, hosted: HostedFacilitator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnGateway]:
    folder = tmp_path_factory.mktemp("facilitated")
    with open_gateway(folder, lambda: facilitated_tills(market, hosted, 10**6)) as gateway:
        assert gateway.get("/readyz").status_code == 200  # and it has learnt the fee payer
        yield gateway


@pytest.fixture(autouse=True)
def honest_again(hosted: HostedFacilitator) -> Iterator[None]:
    yield
    hosted.spoil.clear()


NO_VERDICT: dict[str, Make] = {
    "late": late,
    "silent": silent,
    "500": lambda _: say(500, {"isValid": True}),
    "429": lambda _: say(429, {"error": "slow down"}),
    "reset": lambda _: hang_up,
    "garbage": lambda _: say(200, b"\x00\xff{{{"),
    "a yes in words": lambda _: say(200, {"isValid": "true"}),
}


def is_unavailable(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), answer.text
    assert int(answer.headers["Retry-After"]) == answer.json()["retry_after_seconds"] > 0
    assert "Nothing was charged" in answer.json()["message"]
    assert not {"PAYMENT-RESPONSE", "PAYMENT-REQUIRED"} & {name.upper() for name in answer.headers}


def is_unknown(answer: httpx2.Response) -> None:
    """It says that nothing is known, and neither that nothing was charged nor where the picture is."""
    assert (answer.status_code, answer.json()["code"]) == (503, "settlement_unknown"), answer.text
    assert int(answer.headers["Retry-After"]) == answer.json()["retry_after_seconds"] > 0
    assert "same payment" in answer.json()["message"] and "charged" not in answer.text
    assert "data" not in answer.json() and "/images/" not in answer.text
    assert not {"PAYMENT-RESPONSE", "PAYMENT-REQUIRED"} & {name.upper() for name in answer.headers}


def is_paid(answer: httpx2.Response, buyer: Buyer, earned: int) -> None:
    """Delivered, once, and charged, once. `earned`: what the seller had before."""
    assert answer.status_code == 200, answer.text
    assert httpx2.get(answer.json()["data"][0]["url"]).content.startswith(b"\x89PNG")
    assert answer.headers["X-PAYMENT-RECEIPT"] == answer.json()["payment"]["tx_hash"]
    assert (buyer.spent(), buyer.market.earned(buyer.network) - earned) == (PRICE, PRICE)


@faults([*NO_VERDICT, "down"])
def test_a_facilitator_without_a_verdict(
    market: Market, hosted: HostedFacilitator, facilitated: OwnGateway, gone: threading.Event, how: str, network: str
) -> None:
    buyer, earned = market.buyer(network), market.earned(network)
    header, edits, files = buyer.pay(facilitated.post()), facilitated.engine.edits, facilitated.pictures()
    if how == "down":
        hosted.stop()
    else:
        hosted.spoil["/verify"] = NO_VERDICT[how](gone)
    answer = facilitated.post(header)
    gone.set()
    is_unavailable(answer)
    assert (buyer.spent(), facilitated.engine.edits, facilitated.pictures()) == (0, edits, files)
    if how == "down":
        hosted.start()
    hosted.spoil.clear()
    is_paid(until_known(lambda: facilitated.post(header)), buyer, earned)
    assert (facilitated.engine.edits, facilitated.pictures()) == (edits + 1, files + 1)


@NETWORKS
def test_a_facilitator_that_says_yes_to_an_empty_wallet(
    market: Market, hosted: HostedFacilitator, facilitated: OwnGateway, network: str
) -> None:
    hosted.spoil["*"] = say(200, {"isValid": True, "success": True, "transaction": _strange(network)})
    poor = Buyer(market, network)
    if network == SOLANA:  # a token account to pay from, with nothing in it
        market.solana.fund(poor.address, 0)
    answer = facilitated.post(poor.pay(facilitated.post()))
    assert (answer.status_code, answer.json()["reason"]) == (402, "insufficient_funds")


def _strange(network: str) -> str:
    return "0x" + secrets.token_hex(32) if network == BASE else "5" * 87


def _yes(network: str) -> Spoil:
    return say(200, {"success": True, "transaction": _strange(network), "network": network})


def _no(network: str) -> dict[str, Any]:
    return {"success": False, "errorReason": "insufficient_funds", "transaction": "", "network": network}


def _wrong_hash(network: str) -> Spoil:
    def spoil(work: Callable[[], dict[str, Any]]) -> tuple[int, bytes]:
        return 200, json.dumps(work() | {"transaction": _strange(network)}).encode()

    return spoil


AT_SETTLE: dict[str, tuple[Callable[[str, threading.Event], Spoil], int]] = {
    "late": (lambda _, gone: late(gone), 200),  # the chain tells what it did
    "silent": (lambda _, gone: silent(gone), 503),
    "500": (lambda _, __: say(500, {"success": True}), 503),
    "500 to what it did": (lambda _, __: do_and_say(500, {}), 200),
    "reset": (lambda _, __: hang_up, 503),
    "garbage": (lambda _, __: say(200, b"\x00\xff{{{"), 503),
    "yes to everything": (lambda network, __: _yes(network), 503),
    "a wrong hash": (lambda network, __: _wrong_hash(network), 200),
    "no to what it did": (lambda network, __: do_and_say(200, _no(network)), 200),
    "no to everything": (lambda network, __: say(200, _no(network)), 402),
}
"""What is done instead of settling, and what the caller is told first."""


@NETWORKS
@pytest.mark.parametrize("how", AT_SETTLE)
def test_a_facilitator_that_does_not_settle_as_it_says(
    market: Market, hosted: HostedFacilitator, facilitated: OwnGateway, gone: threading.Event, network: str, how: str
) -> None:
    spoil, told = AT_SETTLE[how]
    buyer, earned, edits = market.buyer(network), market.earned(network), facilitated.engine.edits
    header = buyer.pay(facilitated.post())
    hosted.spoil["/settle"] = spoil(network, gone)
    first = facilitated.post(header)
    gone.set()
    if told == 503:
        is_unknown(first)
        is_unknown(facilitated.post(header))  # as often as it is asked
        assert buyer.spent() == 0
    elif told == 402:
        assert (first.status_code, first.json()["reason"]) == (402, "insufficient_funds"), first.text
        assert buyer.spent() == 0
    else:
        is_paid(first, buyer, earned)
    hosted.spoil.clear()
    is_paid(until_known(lambda: facilitated.post(header)), buyer, earned)
    assert facilitated.engine.edits == edits + (2 if told == 402 else 1)


@NETWORKS
@pytest.mark.parametrize("how", ["silent", "yes to everything", "no to everything", "late"])
def test_a_poll_at_such_a_facilitator(
    market: Market, hosted: HostedFacilitator, facilitated: OwnGateway, gone: threading.Event, network: str, how: str
) -> None:
    spoil, told = AT_SETTLE[how]
    buyer, earned = market.buyer(network), market.earned(network)
    header, url = slow(facilitated, buyer)
    hosted.spoil["/settle"] = spoil(network, gone)
    facilitated.release()
    first = until_ready(facilitated, url, header)
    gone.set()
    assert first.status_code == told, first.text
    if told == 503:
        is_unknown(first)
        is_unknown(facilitated.get(url, buyer.pay(facilitated.post())))  # nor may a fresh payment be a second charge
    if told == 402:
        assert first.json()["status"] == "completed" and "/images/" not in first.json()["message"]
        header = buyer.pay(first)
    hosted.spoil.clear()
    done = until_known(lambda: facilitated.get(url, header))
    is_paid(done, buyer, earned)
    assert facilitated.get(url, header).json()["data"] == done.json()["data"]
    assert buyer.spent() == PRICE


def test_a_facilitator_that_comes_up_late(
    market: Market, hosted: HostedFacilitator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names Solana's fee payer: until then nothing is sold there, and afterwards without a restart."""
    monkeypatch.setattr("tollbrush.gateway.app._ASK_AGAIN", 0.05)
    hosted.stop()
    try:
        with open_gateway(tmp_path, lambda: facilitated_tills(market, hosted, 10**6)) as gateway:
            early = gateway.post(path="/sol" + EDIT)
            is_unavailable(early)
            assert gateway.post().status_code == 402  # Base asks nobody
            hosted.start()
            assert until_known(lambda: gateway.post(path="/sol" + EDIT), 500).status_code == 402
    finally:
        if not hosted.is_up:
            hosted.start()


def test_a_facilitator_that_keeps_failing_is_asked_no_more(
    market: Market, hosted: HostedFacilitator, tmp_path: Path
) -> None:
    with open_gateway(tmp_path, lambda: facilitated_tills(market, hosted, 2)) as gateway:
        header = market.buyer(BASE).pay(gateway.post())
        hosted.spoil["/verify"] = hang_up
        for _ in range(2):
            is_unavailable(gateway.post(header))
        asked = hosted.asked["/verify"]
        refused = gateway.post(header)
        is_unavailable(refused)
        assert hosted.asked["/verify"] == asked
        assert 1 < int(refused.headers["Retry-After"]) <= 30
        ready = gateway.get("/readyz")
        assert (ready.status_code, list(ready.json()["problems"])) == (503, [BASE])


# ── a chain's node ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def nodes(market: Market) -> Iterator[dict[str, FaultyNode]]:
    made = {BASE: FaultyNode(market.base.rpc_url), SOLANA: FaultyNode(market.solana.rpc_url)}
    yield made
    for node in made.values():
        node.stop()


def own_tills(market: Market, nodes: dict[str, FaultyNode], seconds: float = 1.5) -> list[Till]:
    base, solana = (JsonRpc(nodes[network].url, timeout=seconds) for network in (BASE, SOLANA))
    return [
        EvmTill(BASE_NETWORK, market.seller_evm, base, market.settler.key.hex(), receipt_timeout=DEADLINE),
        SolanaTill(DEVNET, market.seller_solana, solana, str(market.fee_payer), settle_seconds=DEADLINE),
    ]


@pytest.fixture(scope="module")
def gateway(
    market: Market, nodes: dict[str, FaultyNode], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnGateway]:
    with open_gateway(tmp_path_factory.mktemp("nodes"), lambda: own_tills(market, nodes)) as opened:
        yield opened


TRUE = {"jsonrpc": "2.0", "id": 1, "result": True}
BAD_NODES: dict[str, Make] = {
    "late": late,
    "silent": silent,
    "500": lambda _: say(500, {}),
    "reset": lambda _: hang_up,
    "garbage": lambda _: say(200, b"\x00\xff{{{"),
    "yes to everything": lambda _: say(200, TRUE),
}
SEND = {BASE: "eth_sendRawTransaction", SOLANA: "sendTransaction"}


def slow(gateway: OwnGateway, buyer: Buyer) -> tuple[dict[str, str], str]:
    """The payment of an edit that is held at the engine, and where to poll for it."""
    header = buyer.pay(gateway.post())
    gateway.hold()
    accepted = gateway.post(header | {"Prefer": "wait=0"})
    assert accepted.status_code == 202, accepted.text
    return header, accepted.json()["poll_url"]


def until_ready(gateway: OwnGateway, url: str, header: dict[str, str]) -> httpx2.Response:
    for _ in range(POLLS):
        if (answer := gateway.get(url, header)).status_code != 202:
            return answer
    raise AssertionError(f"still at work: {answer.text}")


def until_known(ask: Callable[[], httpx2.Response], times: int = 20) -> httpx2.Response:
    for _ in range(times):
        if (answer := ask()).status_code != 503:
            return answer
    raise AssertionError(answer.text)


@faults(BAD_NODES)
def test_a_node_that_tells_nothing_before_the_edit(
    market: Market, nodes: dict[str, FaultyNode], gateway: OwnGateway, gone: threading.Event, network: str, how: str
) -> None:
    buyer, earned, edits = market.buyer(network), market.earned(network), gateway.engine.edits
    header = buyer.pay(gateway.post())
    nodes[network].spoil["*"] = BAD_NODES[how](gone)
    answer = gateway.post(header)
    gone.set()
    nodes[network].spoil.clear()
    is_unavailable(answer)
    assert (buyer.spent(), gateway.engine.edits) == (0, edits)
    is_paid(until_known(lambda: gateway.post(header)), buyer, earned)


@faults(BAD_NODES)
def test_a_node_lost_while_the_edit_is_at_work(
    market: Market, nodes: dict[str, FaultyNode], gateway: OwnGateway, gone: threading.Event, network: str, how: str
) -> None:
    buyer, earned = market.buyer(network), market.earned(network)
    header, url = slow(gateway, buyer)
    nodes[network].spoil["*"] = BAD_NODES[how](gone)
    gateway.release()
    first = until_ready(gateway, url, header)
    gone.set()
    nodes[network].spoil.clear()
    is_unknown(first)
    is_paid(until_known(lambda: gateway.get(url, header)), buyer, earned)
    is_paid(gateway.get(url, header), buyer, earned)


def _node_names_another(work: Callable[[], dict[str, Any]]) -> tuple[int, bytes]:
    return 200, json.dumps(work() | {"result": "0x" + "ab" * 32}).encode()


SENDING: dict[str, tuple[Spoil, bool]] = {
    "done, and the answer lost": (do_and_say(502, b""), True),
    "done, and another hash named": (_node_names_another, True),
    "not done, and said so": (say(200, {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "no"}}), False),
    "not done, and a yes": (say(200, TRUE | {"result": "0x" + "ab" * 32}), False),
    "not done, and no answer": (hang_up, False),
}


@NETWORKS
@pytest.mark.parametrize("how", SENDING)
def test_a_node_that_does_not_send_as_it_says(
    market: Market, nodes: dict[str, FaultyNode], gateway: OwnGateway, network: str, how: str
) -> None:
    spoil, moves = SENDING[how]
    buyer, earned = market.buyer(network), market.earned(network)
    header = buyer.pay(gateway.post())
    nodes[network].spoil[SEND[network]] = spoil
    first = gateway.post(header)
    nodes[network].spoil.clear()
    if moves:
        is_paid(first, buyer, earned)
    else:
        is_unknown(first)
        assert buyer.spent() == 0
    is_paid(until_known(lambda: gateway.post(header)), buyer, earned)


@NETWORKS
def test_a_silent_node_does_not_hold_up_the_start(
    market: Market, nodes: dict[str, FaultyNode], tmp_path: Path, gone: threading.Event, network: str
) -> None:
    buyer, earned, node = market.buyer(network), market.earned(network), nodes[network]
    with open_gateway(tmp_path, lambda: own_tills(market, nodes), lease_seconds=1.0) as first:
        header = buyer.pay(first.post())
        node.spoil[SEND[network]] = hang_up
        is_unknown(first.post(header))
        slow(first, market.buyer(network))
    node.spoil = {"*": silent(gone)}
    asked = node.asked.total()
    with open_gateway(
        tmp_path,
        lambda: own_tills(market, nodes, seconds=50.0),
        clock=lambda: time.time() + 5,
        lease_seconds=1.0,
        sweep_seconds=0.2,
    ) as second:
        # That it is open means that `/healthz` has answered.
        said = second.get("/readyz")
        assert (said.status_code, list(said.json()["problems"])) == (503, [network])
        assert "has not answered within" in said.json()["problems"][network]
        assert "start" in said.json()["warnings"]
        assert node.asked.total() > asked
        assert second.post().status_code == 402  # the other network is for sale, and nobody waits for this one
        for _ in range(POLLS):
            second.get("/healthz")
            if second.engine.edits:
                break
        assert second.engine.edits == 1  # the edit that was at work goes on meanwhile
        node.spoil.clear()
        gone.set()
        for _ in range(POLLS):
            if (said := second.get("/readyz")).status_code == 200 and "start" not in said.json()["warnings"]:
                break
        else:
            raise AssertionError(said.text)
        is_paid(until_known(lambda: second.post(header)), buyer, earned)
