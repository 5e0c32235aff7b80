"""What the local Solana's RPC reads and writes: keys, transactions, accounts and amounts, as a node's clients do."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from solders.account import Account
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount
from solders.transaction import VersionedTransaction

from tollbrush.devnet.server import RpcFault
from tollbrush.devnet.solana_ledger import DECIMALS, TOKEN_PROGRAM, Run

INVALID_PARAMS: Final = -32602


def address_of(text: str) -> Pubkey:
    return Pubkey.from_string(text)


def bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as failure:
        raise RpcFault(INVALID_PARAMS, f"Invalid params: not base64: {failure}") from failure


def transaction_of(raw: str, options: dict[str, Any]) -> VersionedTransaction:
    if options.get("encoding") != "base64":
        raise RpcFault(INVALID_PARAMS, 'Invalid params: this chain takes transactions in "base64" only')
    tx = VersionedTransaction.from_bytes(bytes_of(raw))
    tx.sanitize()
    return tx


def as_run(run: Run) -> dict[str, Any]:
    return {"err": run.err, "logs": run.logs, "unitsConsumed": run.units}


def as_amount(amount: int) -> dict[str, Any]:
    whole, part = divmod(amount, 10**DECIMALS)
    text = f"{whole}.{part:0{DECIMALS}}".rstrip("0").rstrip(".")
    return {"amount": str(amount), "decimals": DECIMALS, "uiAmount": float(text), "uiAmountString": text}


def as_balance(index: int, mint: Pubkey, owner: Pubkey, amount: int) -> dict[str, Any]:
    return {
        "accountIndex": index,
        "mint": str(mint),
        "owner": str(owner),
        "programId": str(TOKEN_PROGRAM),
        "uiTokenAmount": as_amount(amount),
    }


def as_account(account: Account | None, config: dict[str, Any] | None) -> dict[str, Any] | None:
    if account is None:
        return None
    data = bytes(account.data)
    parsed = _parsed(account, data) if (config or {}).get("encoding") == "jsonParsed" else None
    return {
        "data": parsed or [base64.b64encode(data).decode(), "base64"],
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": str(account.owner),
        "rentEpoch": account.rent_epoch,
        "space": len(data),
    }


def _parsed(account: Account, data: bytes) -> dict[str, Any] | None:
    """Mints and token accounts in words; anything else stays base64, as on a real node."""
    info: dict[str, Any]
    if account.owner != TOKEN_PROGRAM:
        return None
    if len(data) == 82:
        mint = Mint.from_bytes(data)
        kind = "mint"
        info = {"decimals": mint.decimals, "supply": str(mint.supply), "isInitialized": mint.is_initialized}
        info |= {"mintAuthority": str(mint.mint_authority), "freezeAuthority": None}
    elif len(data) == 165:
        held = TokenAccount.from_bytes(data)
        kind = "account"
        info = {"mint": str(held.mint), "owner": str(held.owner), "state": "initialized", "isNative": False}
        info |= {"tokenAmount": as_amount(held.amount)}
    else:
        return None
    return {"program": "spl-token", "parsed": {"type": kind, "info": info}, "space": len(data)}
