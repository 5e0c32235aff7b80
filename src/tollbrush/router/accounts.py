"""The wallet as the router shows it: addresses and balances, never a secret."""

from __future__ import annotations

from typing import Any

from tollbrush.payments.payer import Payer


async def describe(payer: Payer) -> dict[str, Any]:
    """`{"evm", "solana", "accounts": [{"network", "title", "address", "balance", "problem"}]}`; a balance is dollars
    as text, None when its chain does not answer."""
    accounts = [
        {
            "network": held.network.v1,
            "title": held.network.title,
            "address": held.address,
            "balance": None if held.held is None else format(held.held.dollars, "f"),
            "problem": held.problem,
        }
        for held in await payer.balances()
    ]
    return {"evm": payer.wallet.evm_address, "solana": payer.wallet.solana_address, "accounts": accounts}
