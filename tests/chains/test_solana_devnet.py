"""The local Solana is a node like others: what clients ask it, what it refuses, how its time passes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.transaction import VersionedTransaction

from support.solana_chain import DEVNET, FUNDS, paid, recent_blockhash
from tollbrush.devnet.interface import LocalChain, Transfer
from tollbrush.devnet.server import RpcFault
from tollbrush.devnet.solana import SolanaChain
from tollbrush.domain.payments import Requirement
from tollbrush.errors import BadRequest
from tollbrush.payments import spl
from tollbrush.payments.rpc import JsonRpc, RpcError

pytestmark = pytest.mark.chain

BASE64 = {"encoding": "base64"}


@pytest.fixture
def offer(solana_pay_to: str, solana_fee_payer: Keypair) -> Requirement:
    extra = {"feePayer": str(solana_fee_payer.pubkey())}
    return Requirement(DEVNET.id, DEVNET.usdc, 21_000, solana_pay_to, extra=extra)


@pytest.fixture
def signed(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_fee_payer: Keypair, offer: Requirement
) -> VersionedTransaction:
    """A payment that both have signed."""
    return spl.decode(paid(solana_chain, solana_payer, offer).payload).cosigned(solana_fee_payer)


def _raw(tx: VersionedTransaction) -> str:
    return base64.b64encode(bytes(tx)).decode()


def _status(chain: SolanaChain, tx: VersionedTransaction) -> Any:
    return chain.handle("getSignatureStatuses", [[str(tx.signatures[0])]])["value"][0]


async def test_it_speaks_over_http_as_devnet(solana_chain: SolanaChain) -> None:
    chain: LocalChain = solana_chain
    assert (chain.kind, chain.network) == ("litesvm", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1")
    assert chain.rpc_url.startswith("http://127.0.0.1:")
    rpc = JsonRpc(chain.rpc_url)
    genesis = await rpc.call("getGenesisHash")
    assert genesis.startswith(chain.network.removeprefix("solana:"))
    assert await rpc.call("getHealth") == "ok"
    assert "solana-core" in await rpc.call("getVersion")
    assert (
        await rpc.call("getBlockHeight")
        <= await rpc.call("getSlot")
        <= (await rpc.call("getEpochInfo"))["absoluteSlot"]
    )
    with pytest.raises(RpcError) as unknown:
        await rpc.call("getEverything")
    assert unknown.value.code == -32601
    with pytest.raises(RpcError) as odd:
        await rpc.call("getBalance", "not base58!")
    assert odd.value.code == -32602
    await rpc.close()


def test_the_faucet_gives_usdc_and_sol(solana_chain: SolanaChain) -> None:
    wallet = str(Keypair().pubkey())
    assert solana_chain.balance(wallet) == solana_chain.lamports(wallet) == 0
    solana_chain.fund(wallet, 5)
    solana_chain.fund(wallet, 7)
    assert solana_chain.balance(wallet) == 12
    assert solana_chain.lamports(wallet) == 2 * 10**9
    with pytest.raises(BadRequest, match="'0x12' is not a Solana address"):
        solana_chain.fund("0x12", 5)


def test_accounts_as_clients_read_them(solana_chain: SolanaChain, solana_payer: Keypair) -> None:
    owner = str(solana_payer.pubkey())
    held = spl.associated_token_account(owner, DEVNET.usdc)
    mint = solana_chain.handle("getAccountInfo", [DEVNET.usdc, BASE64])["value"]
    assert mint["owner"] == str(spl.TOKEN_PROGRAM)
    assert base64.b64decode(mint["data"][0])[44] == 6
    supply = solana_chain.handle("getAccountInfo", [DEVNET.usdc, {"encoding": "jsonParsed"}])["value"]
    assert int(supply["data"]["parsed"]["info"]["supply"]) >= FUNDS
    parsed = solana_chain.handle("getTokenAccountsByOwner", [owner, {"mint": DEVNET.usdc}, {"encoding": "jsonParsed"}])
    (entry,) = parsed["value"]
    info = entry["account"]["data"]["parsed"]["info"]
    assert (entry["pubkey"], info["owner"], info["mint"]) == (held, owner, DEVNET.usdc)
    assert info["tokenAmount"] == {"amount": "1000000", "decimals": 6, "uiAmount": 1.0, "uiAmountString": "1"}
    assert solana_chain.handle("getTokenAccountBalance", [held])["value"] == info["tokenAmount"]
    pair = solana_chain.handle("getMultipleAccounts", [[held, str(Keypair().pubkey())], BASE64])["value"]
    assert pair[0]["space"] == 165
    assert pair[1] is None
    with pytest.raises(RpcFault, match="could not find account"):
        solana_chain.handle("getTokenAccountBalance", [owner])


def test_blockhashes_age_and_die(solana_chain: SolanaChain) -> None:
    def alive(blockhash: str) -> bool:
        valid: bool = solana_chain.handle("isBlockhashValid", [blockhash])["value"]
        return valid

    first = solana_chain.handle("getLatestBlockhash", [])["value"]
    assert first["lastValidBlockHeight"] - 150 <= solana_chain.handle("getSlot", [])
    solana_chain.advance(140)
    second = recent_blockhash(solana_chain)
    assert second != first["blockhash"]
    assert alive(first["blockhash"])
    solana_chain.advance(11)
    assert not alive(first["blockhash"])
    assert alive(second)
    assert not alive(str(Keypair().pubkey()))


def test_a_transfer_is_heard_landed_and_told(
    solana_chain: SolanaChain, solana_payer: Keypair, offer: Requirement, signed: VersionedTransaction
) -> None:
    heard: list[Transfer] = []
    solana_chain.on_transfer(heard.append)
    simulated = solana_chain.handle("simulateTransaction", [_raw(signed), BASE64])["value"]
    assert simulated["err"] is None
    assert simulated["unitsConsumed"] > 0
    assert heard == []
    signature = solana_chain.handle("sendTransaction", [_raw(signed), BASE64])
    solana_chain.handle("sendTransaction", [_raw(signed), BASE64 | {"skipPreflight": True}])
    payer = str(solana_payer.pubkey())
    assert heard == [Transfer(DEVNET.id, signature, payer, offer.pay_to, 21_000)]
    status = _status(solana_chain, signed)
    assert (status["confirmationStatus"], status["err"]) == ("confirmed", None)
    solana_chain.advance(32)
    assert _status(solana_chain, signed)["confirmationStatus"] == "finalized"

    told = solana_chain.handle("getTransaction", [signature, BASE64])
    meta = told["meta"]
    assert base64.b64decode(told["transaction"][0]) == bytes(signed)
    assert (meta["err"], meta["fee"], told["version"]) == (None, 10_001, 0)
    assert meta["preBalances"][0] - meta["postBalances"][0] == meta["fee"]
    moved = {
        after["owner"]: int(after["uiTokenAmount"]["amount"]) - int(before["uiTokenAmount"]["amount"])
        for before, after in zip(meta["preTokenBalances"], meta["postTokenBalances"], strict=True)
    }
    assert moved == {payer: -21_000, offer.pay_to: 21_000}
    assert solana_chain.handle("getTransaction", [str(Keypair().sign_message(b"none")), BASE64]) is None


def test_what_a_node_refuses(
    solana_chain: SolanaChain, solana_payer: Keypair, offer: Requirement, signed: VersionedTransaction
) -> None:
    half = paid(solana_chain, solana_payer, offer).payload["transaction"]
    with pytest.raises(RpcFault, match="signature verification failure"):
        solana_chain.handle("sendTransaction", [half, BASE64 | {"skipPreflight": True}])
    checked = solana_chain.handle("simulateTransaction", [half, BASE64 | {"sigVerify": True}])["value"]
    assert checked["err"] == "SignatureFailure"
    assert solana_chain.handle("simulateTransaction", [half, BASE64])["value"]["err"] is None
    for params in ([half], ["%%", BASE64], ["AAAA", BASE64], [7, BASE64], []):
        with pytest.raises(RpcFault, match="Invalid params"):
            solana_chain.handle("sendTransaction", params)

    solana_chain.advance(151)
    with pytest.raises(RpcFault, match="BlockhashNotFound"):
        solana_chain.handle("sendTransaction", [_raw(signed), BASE64])
    solana_chain.handle("sendTransaction", [_raw(signed), BASE64 | {"skipPreflight": True}])
    assert _status(solana_chain, signed) is None
    replaced = BASE64 | {"replaceRecentBlockhash": True}
    assert solana_chain.handle("simulateTransaction", [_raw(signed), replaced])["value"]["err"] is None
    assert solana_chain.balance(str(solana_payer.pubkey())) == FUNDS


def test_a_fee_payer_without_sol_lands_nothing(
    solana_chain: SolanaChain, solana_payer: Keypair, solana_pay_to: str
) -> None:
    broke = Keypair()
    offer = Requirement(DEVNET.id, DEVNET.usdc, 1, solana_pay_to, extra={"feePayer": str(broke.pubkey())})
    tx = spl.decode(paid(solana_chain, solana_payer, offer).payload).cosigned(broke)
    solana_chain.handle("sendTransaction", [_raw(tx), BASE64 | {"skipPreflight": True}])
    assert _status(solana_chain, tx) is None
    signature = solana_chain.handle("requestAirdrop", [str(broke.pubkey()), 10**9])
    assert solana_chain.handle("getSignatureStatuses", [[signature]])["value"][0]["err"] is None
    assert solana_chain.handle("getBalance", [str(broke.pubkey())])["value"] == 10**9
    solana_chain.handle("sendTransaction", [_raw(tx), BASE64 | {"skipPreflight": True}])
    assert solana_chain.balance(solana_pay_to) == 1


def test_fees_are_told_before(solana_chain: SolanaChain, signed: VersionedTransaction) -> None:
    message = base64.b64encode(spl.decode({"transaction": _raw(signed)}).message).decode()
    assert solana_chain.handle("getFeeForMessage", [message])["value"] == 10_001
    assert solana_chain.handle("getMinimumBalanceForRentExemption", [0]) == 890_880
