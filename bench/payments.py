"""What one payment costs to check, against the libraries everybody uses; and what it costs of a local chain."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from solders.hash import Hash
from solders.keypair import Keypair

from bench.measure import Row, alone, compare
from tollbrush.devnet.base import start_base
from tollbrush.devnet.solana import SolanaChain
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.payments import solana, spl
from tollbrush.payments.eip3009 import address_of, authorize
from tollbrush.payments.evm import EvmTill, inspect
from tollbrush.payments.interface import Outcome, Till, Verified
from tollbrush.payments.pooled import PooledWeb
from tollbrush.payments.rpc import JsonRpc
from tollbrush.payments.solana import SolanaTill

BASE, DEVNET = BY_V1["base-sepolia"], BY_V1["solana-devnet"]
AT_ONCE = 64
TYPES = {
    "TransferWithAuthorization": [
        {"name": "from", "type": "address"}, {"name": "to", "type": "address"}, {"name": "value", "type": "uint256"},
        {"name": "validAfter", "type": "uint256"}, {"name": "validBefore", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}  # fmt: skip


def run() -> list[Row]:
    now = int(time.time())
    extra = {"name": BASE.usdc_name, "version": "2"}
    requirement = Requirement(BASE.id, BASE.usdc, 21_000, address_of(os.urandom(32)), extra=extra)
    payload = authorize(os.urandom(32), requirement, BASE.chain_id, now=now, nonce=os.urandom(32))
    payment = Payment(1, "exact", BASE.id, payload)
    fields, signature = payload["authorization"], payload["signature"]
    domain = {"name": BASE.usdc_name, "version": "2", "chainId": BASE.chain_id, "verifyingContract": BASE.usdc}
    message = {k: int(v) if k.startswith("val") else v for k, v in fields.items()}

    def theirs() -> str:
        signable = encode_typed_data(domain, TYPES, message)
        signer: str = Account.recover_message(signable, signature=signature)
        return signer

    assert theirs() == fields["from"]
    return [
        compare(
            "every local check of an EIP-3009 payment",
            lambda: inspect(BASE, payment, requirement, now, now + 240),
            theirs,
            peer_name="eth-account, signature alone",
            calls=20,
        ),
        _on_solana(now),
        *asyncio.run(_on_chains()),
    ]


def _on_solana(now: int) -> Row:
    payer, pay_to = Keypair(), str(Keypair().pubkey())
    requirement = Requirement(DEVNET.id, DEVNET.usdc, 21_000, pay_to, extra={"feePayer": str(Keypair().pubkey())})
    payment = Payment(1, "exact", DEVNET.id, spl.pay(payer, requirement, str(Hash.new_unique())))

    def ours() -> object:
        return solana.inspect(payment, requirement, now=now, deadline=now + 240)

    return alone("every local check of a Solana payment", ours, calls=20)


class _Counted(JsonRpc):
    calls = 0

    async def call(self, method: str, *params: Any) -> Any:
        self.calls += 1
        return await super().call(method, *params)


async def _on_chains() -> list[Row]:
    """Wall time, the chain's own included, with our key as the only sender; connections as a gateway's."""
    key, seller, wallet, fee_payer = os.urandom(32), address_of(os.urandom(32)), Keypair(), Keypair()
    base, devnet = start_base(), SolanaChain()
    payer = os.urandom(32)
    base.fund(address_of(key), 0)
    base.fund(address_of(payer), 10**9)
    for owner in (str(fee_payer.pubkey()), str(pay_to := Keypair().pubkey())):
        devnet.fund(owner, 0)
    devnet.fund(str(wallet.pubkey()), 10**9)

    def on_base(due: Requirement) -> dict[str, Any]:
        return authorize(payer, due, BASE.chain_id, now=int(time.time()), nonce=os.urandom(32))

    def on_solana(due: Requirement) -> dict[str, Any]:
        return spl.pay(wallet, due, devnet.handle("getLatestBlockhash", [])["value"]["blockhash"])

    try:
        rpc = _Counted(base.rpc_url, web=PooledWeb)
        rows = await _on_chain(f"Base ({base.kind})", EvmTill(BASE, seller, rpc, key.hex()), rpc, on_base)
        rpc = _Counted(devnet.rpc_url, web=PooledWeb)
        till = SolanaTill(DEVNET, str(pay_to), rpc, str(fee_payer))
        return rows + await _on_chain("Solana (LiteSVM)", till, rpc, on_solana)
    finally:
        base.stop()
        devnet.stop()


async def _on_chain(chain: str, till: Till, rpc: _Counted, sign: Callable[[Requirement], dict[str, Any]]) -> list[Row]:
    due = till.requirement(21_000)

    async def verify() -> Verified:
        now = int(time.time())
        return await till.verify(Payment(1, "exact", till.network, sign(due)), due, now=now, deadline=now + 60)

    await till.settle(await verify())  # connections and nonce are there
    rpc.calls, begun = 0, time.perf_counter()
    one = await verify()
    verified, asked = time.perf_counter(), rpc.calls
    await till.settle(one)
    settled, sent = time.perf_counter(), rpc.calls - asked
    many = [await verify() for _ in range(AT_ONCE)]
    from_here = time.perf_counter()
    outcomes = await asyncio.gather(*map(till.settle, many))
    each = (time.perf_counter() - from_here) / AT_ONCE
    assert all(o.outcome is Outcome.SETTLED for o in outcomes)
    await till.close()
    return [
        Row(f"verify on local {chain}: {asked} RPC calls", (verified - begun) * 1000),
        Row(f"settle on local {chain}: {sent} RPC calls", (settled - verified) * 1000),
        Row(f"settle {AT_ONCE} at once on local {chain}: {1 / each:.0f} a second", each * 1000),
    ]
