"""What `/readyz` says before the money for fees is gone, and of everything else that needs an operator."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from solders.keypair import Keypair

from support.base_chain import BASE, PRICE, BadNode, EvmAccount, verified
from support.engines import Inverter
from support.own_gateway import OwnGateway, open_gateway
from support.solana_chain import DEVNET, make_till, paid
from tollbrush.cli.doctor import Finding, examine
from tollbrush.devnet.base import LocalBase
from tollbrush.devnet.interface import LocalChain
from tollbrush.devnet.solana import SolanaChain
from tollbrush.domain.charges import Charge, ChargeState, ClaimKey
from tollbrush.domain.jobs import Job
from tollbrush.errors import Unavailable
from tollbrush.gateway.app import Seams, create_app
from tollbrush.gateway.vitals import Watch
from tollbrush.payments.evm import EvmTill
from tollbrush.payments.facilitator import FacilitatorTill
from tollbrush.payments.gate import Gate
from tollbrush.payments.interface import Outcome, Till
from tollbrush.payments.rpc import JsonRpc
from tollbrush.settings import Settings
from tollbrush.storage.sqlite import SqliteLedger

pytestmark = pytest.mark.chain
RENT, FEE = 890_880, 30_000
S = ChargeState


def _evm_till(chain: LocalChain, wei: int, rpc: JsonRpc | None = None) -> EvmTill:
    """A till whose settling account holds this much."""
    settler = EvmAccount.fresh()
    assert isinstance(chain, LocalBase)
    chain._node.give(settler.address, wei)
    return EvmTill(BASE, EvmAccount.fresh().address, rpc or JsonRpc(chain.rpc_url), settler.key.hex())


async def _cost(chain: LocalChain) -> int:
    """Wei that a settlement is reckoned at."""
    till = _evm_till(chain, 10**18)
    account = await till.fees()
    await till.close()
    return 10**18 // account.settlements + 1


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    made = SqliteLedger(tmp_path / "gateway.db")
    yield made
    await made.close()


def _watch(ledger: SqliteLedger, folder: Path, *tills: Till, low: int = 200, now: float | None = None) -> Watch:
    return Watch(
        Gate(tills), ledger, folder, clock=lambda: now or time.time(), low_settlements=low, caught_up=lambda: True
    )


async def test_on_base_the_account_pays_for_as_many_settlements_as_is_said(
    base_chain: LocalChain, base_payer: EvmAccount
) -> None:
    till = _evm_till(base_chain, 2 * await _cost(base_chain) * 9 // 8)  # a base fee may rise by an eighth a block
    account = await till.fees()
    assert (account.settlements, account.unit) == (2, "wei") and await till.check() is None
    for _ in range(account.settlements):
        assert (await till.settle(await verified(till, base_payer))).outcome is Outcome.SETTLED
    assert (await till.fees()).held < account.held
    await till.close()


async def test_an_empty_account_on_base_is_a_problem_that_names_the_remedy(base_chain: LocalChain) -> None:
    till = _evm_till(base_chain, await _cost(base_chain) // 2)
    account, problem = await till.fees(), await till.check()
    assert account.settlements == 0 and problem is not None
    assert account.address in problem and str(account.held) in problem and "send it ETH" in problem
    await till.close()


@pytest.mark.parametrize(
    ("lamports", "settlements"), [(RENT + 2 * FEE + 29_999, 2), (RENT + FEE - 1, 0), (RENT - 1, 0)]
)
async def test_on_solana_too(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_pay_to: str, lamports: int, settlements: int
) -> None:
    fee_payer = Keypair()
    solana_chain.handle("requestAirdrop", [str(fee_payer.pubkey()), lamports])
    till = make_till(solana_chain.rpc_url, solana_pay_to, fee_payer)
    account, problem = await till.fees(), await till.check()
    assert (account.held, account.settlements, account.unit) == (lamports, settlements, "lamports")
    if not settlements:
        assert problem is not None and till.fee_payer in problem and "send it SOL" in problem
    for _ in range(settlements):
        due, now = till.requirement(PRICE), int(time.time())
        payment = await till.verify(paid(solana_chain, solana_payer, due), due, now=now, deadline=now + 60)
        assert (await till.settle(payment)).outcome is Outcome.SETTLED
    assert solana_chain.lamports(till.fee_payer) >= min(RENT, lamports)
    await till.close()


async def test_a_node_that_is_down_is_unavailable(
    base_chain: LocalChain, bad_base_node: BadNode, solana_pay_to: str, solana_fee_payer: Keypair
) -> None:
    bad_base_node.deaf.add("eth_getBalance")
    tills: list[Till] = [
        _evm_till(base_chain, 1, JsonRpc(bad_base_node.url)),
        make_till("http://127.0.0.1:9", solana_pay_to, solana_fee_payer),
    ]
    for till in tills:
        with pytest.raises(Unavailable, match="cannot be read"):
            await till.fees()
    assert await Gate(tills).fee_accounts() == {}
    for till in tills:
        await till.close()


async def test_a_hosted_facilitator_pays_its_own_fees() -> None:
    till = FacilitatorTill(BASE, EvmAccount.fresh().address, "http://127.0.0.1:9")
    assert await Gate([till]).fee_accounts() == {}
    await till.close()


async def test_low_is_a_warning_and_empty_a_problem(
    base_chain: LocalChain,
    solana_chain: SolanaChain,
    solana_pay_to: str,
    tmp_path: Path,
    ledger: SqliteLedger,
) -> None:
    fee_payer = Keypair()
    solana_chain.handle("requestAirdrop", [str(fee_payer.pubkey()), RENT + 50 * FEE])
    low = make_till(solana_chain.rpc_url, solana_pay_to, fee_payer)
    rich, empty = _evm_till(base_chain, 10**18), _evm_till(base_chain, 1)
    seen = await _watch(ledger, tmp_path, rich, low).look()
    assert seen.problems == {} and list(seen.warnings) == [DEVNET.id]
    assert f"{low.fee_payer} pays for 50 more settlements on Solana devnet: send it SOL" in seen.warnings[DEVNET.id]
    assert (await _watch(ledger, tmp_path, rich, low, low=50).look()).warnings == {}
    seen = await _watch(ledger, tmp_path, empty, low).look()
    assert (list(seen.problems), list(seen.warnings)) == ([BASE.id], [DEVNET.id])
    for till in (rich, empty, low):
        await till.close()


async def test_the_chains_are_not_asked_for_every_caller(
    base_chain: LocalChain, bad_base_node: BadNode, tmp_path: Path, ledger: SqliteLedger
) -> None:
    till = _evm_till(base_chain, 10**18, JsonRpc(bad_base_node.url))
    watch = _watch(ledger, tmp_path, till)
    first = await watch.look()
    asked = bad_base_node.seen.total()
    assert asked > 0 and all([await watch.look() is first for _ in range(10)])
    assert bad_base_node.seen.total() == asked
    await till.close()


async def _sold(ledger: SqliteLedger, name: str, state: ChargeState, at: int) -> None:
    job = Job(name, "0xpayer", "m", "m", "1x1", 1, 1, at)
    charge = Charge(name, ClaimKey(BASE.id, "usdc", "0xpayer", name), 1, "0xs", at, "h", name, "{}", at)
    await ledger.claim(charge, job, balance=100, max_open=100)
    for step in (S.READY, S.SETTLING, S.UNKNOWN):
        if charge.state is state:
            break
        moved = charge.to(step, now=at)
        assert await ledger.save(charge=moved, was=charge)
        charge = moved


async def test_old_doubts_are_counted(base_till: EvmTill, tmp_path: Path, ledger: SqliteLedger) -> None:
    now = 1_800_000_000
    for name, state, age in (("a", S.UNKNOWN, 601), ("b", S.UNKNOWN, 9999), ("c", S.UNKNOWN, 599), ("d", S.READY, 999)):
        await _sold(ledger, name, state, now - age)
    seen = await _watch(ledger, tmp_path, base_till, now=now).look()
    assert seen.warnings == {"settlements": "2 unknown for over 10 minutes: tollbrush ledger"}
    assert seen.charges == {S.UNKNOWN: 3, S.READY: 1} and seen.problems == {}


async def test_a_ledger_that_cannot_be_written_is_a_problem(
    base_till: EvmTill, tmp_path: Path, ledger: SqliteLedger
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))  # as a full disk: no file of ours may grow
    try:
        seen = await _watch(ledger, tmp_path, base_till).look()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "could not be written" in seen.problems["ledger"]
    assert (await _watch(ledger, tmp_path, base_till).look()).problems == {}  # and it recovers by itself


async def test_doctor_tells_what_readyz_tells(base_chain: LocalChain, tmp_path: Path) -> None:
    def tills(wei: int) -> list[Till]:
        return [_evm_till(base_chain, wei)]

    def findings(gateway: OwnGateway) -> list[Finding]:
        settings = Settings(data_dir=tmp_path / "home", router={"gateway_url": gateway.url})
        return [f for f in asyncio.run(examine(settings)) if f.name == "gateway"]

    with open_gateway(tmp_path / "low", lambda: tills(10**18), low_settlements=10**9) as low:
        ready, *notes = await asyncio.to_thread(findings, low)
        assert (ready.state, {n.state for n in notes}) == ("ok", {"note"})
        assert any(n.says.startswith("base-sepolia: the settling account") for n in notes)
    with open_gateway(tmp_path / "empty", lambda: tills(1)) as empty:
        broken, *_ = await asyncio.to_thread(findings, empty)
        assert broken.state == "bad"
        assert "base-sepolia: " in broken.says and "send it ETH" in broken.says


@pytest.mark.parametrize(("wei", "low", "status"), [(10**18, 0, 200), (10**18, 10**9, 200), (1, 0, 503)])
async def test_readyz(base_chain: LocalChain, tmp_path: Path, wei: int, low: int, status: int) -> None:
    till = _evm_till(base_chain, wei)
    settings = Settings(data_dir=tmp_path, gateway={"low_settlements": low})
    app = create_app(settings, Seams(tills=lambda _: [till], engines=lambda _: [Inverter()]))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.get("/readyz")
    said = answer.json()
    assert (answer.status_code, said["status"]) == (status, "ready" if status == 200 else "not_ready")
    assert list(said["problems"]) == ([BASE.id] if status == 503 else [])
    assert said["warnings"].pop("start")  # nothing has been swept: its lifespan has not begun
    assert list(said["warnings"]) == ([BASE.id] if low else []) and said["networks"] == [BASE.id]
    await app.state.close()
