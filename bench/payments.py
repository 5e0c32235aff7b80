"""What one payment costs to check, against the libraries everybody uses."""

from __future__ import annotations

import os
import time

from eth_account import Account
from eth_account.messages import encode_typed_data

from bench.measure import Row, compare
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.payments.eip3009 import address_of, authorize
from tollbrush.payments.evm import inspect

BASE = BY_V1["base-sepolia"]
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
        )
    ]
