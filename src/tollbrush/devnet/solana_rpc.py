"""The JSON-RPC methods of the local Solana, as a node documents them (https://solana.com/docs/rpc)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from solders.hash import Hash, ParseHashError
from solders.message import MessageV0, from_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import SanitizeError

from tollbrush.devnet.server import RpcFault
from tollbrush.devnet.solana_ledger import Landed, Ledger
from tollbrush.devnet.solana_shapes import (
    INVALID_PARAMS,
    address_of,
    as_account,
    as_amount,
    as_balance,
    as_run,
    bytes_of,
    transaction_of,
)

GENESIS_HASH: Final = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
"""Solana devnet's own: its first 32 characters are the reference of the CAIP-2 id."""
_VERSION: Final = "2.2.0"
_METHOD_NOT_FOUND, _PREFLIGHT_FAILED, _BAD_SIGNATURE = -32601, -32002, -32003
_FINAL_SLOTS: Final = 32
_SLOTS_PER_EPOCH: Final = 432_000


class SolanaMethods:
    """`call` from the ledger's own thread only. `landed` hears of every transaction that enters a block."""

    def __init__(self, ledger: Ledger, landed: Callable[[Landed], None]) -> None:
        self._ledger, self._landed = ledger, landed
        self._methods: dict[str, Callable[..., Any]] = {
            "getAccountInfo": self._account_info,
            "getBalance": lambda key, _=None: self._at(self._lamports(address_of(key))),
            "getBlockHeight": lambda _=None: ledger.slot,
            "getEpochInfo": self._epoch,
            "getFeeForMessage": lambda raw, _=None: self._at(ledger.fee(from_bytes_versioned(bytes_of(raw)))),
            "getGenesisHash": lambda: GENESIS_HASH,
            "getHealth": lambda: "ok",
            "getLatestBlockhash": self._latest_blockhash,
            "getMinimumBalanceForRentExemption": lambda size, _=None: ledger.rent(size),
            "getMultipleAccounts": self._accounts,
            "getRecentPrioritizationFees": lambda _=None: [],
            "getSignatureStatuses": self._statuses,
            "getSignaturesForAddress": self._signatures,
            "getSlot": lambda _=None: ledger.slot,
            "getTokenAccountBalance": self._token_balance,
            "getTokenAccountsByOwner": self._token_accounts,
            "getTransaction": self._transaction,
            "getVersion": lambda: {"solana-core": _VERSION, "feature-set": 1},
            "isBlockhashValid": lambda text, _=None: self._at(ledger.alive(Hash.from_string(text))),
            "requestAirdrop": self._airdrop,
            "sendTransaction": self._send,
            "simulateTransaction": self._simulate,
        }

    def call(self, method: str, params: list[Any]) -> Any:
        """The `result`. Raises RpcFault."""
        known = self._methods.get(method)
        if known is None:
            raise RpcFault(_METHOD_NOT_FOUND, f"Method not found: {method}")
        try:
            return known(*params)
        except (TypeError, ValueError, LookupError, AttributeError, SanitizeError, ParseHashError) as failure:
            raise RpcFault(INVALID_PARAMS, f"Invalid params: {failure}") from failure

    def _at(self, value: Any) -> dict[str, Any]:
        return {"context": {"slot": self._ledger.slot, "apiVersion": _VERSION}, "value": value}

    # --- accounts

    def _lamports(self, address: Pubkey) -> int:
        account = self._ledger.account(address)
        return account.lamports if account else 0

    def _account_info(self, key: str, config: dict[str, Any] | None = None) -> Any:
        return self._at(as_account(self._ledger.account(address_of(key)), config))

    def _accounts(self, keys: list[str], config: dict[str, Any] | None = None) -> Any:
        return self._at([as_account(self._ledger.account(address_of(key)), config) for key in keys])

    def _token_balance(self, key: str, _config: Any = None) -> Any:
        held = self._ledger.token_account(address_of(key))
        if held is None:
            raise RpcFault(INVALID_PARAMS, "Invalid param: could not find account")
        return self._at(as_amount(held.amount))

    def _token_accounts(self, owner: str, select: dict[str, str], config: dict[str, Any] | None = None) -> Any:
        wanted = select.get("mint", str(self._ledger.mint))
        own = self._ledger.associated(address_of(owner))
        account = self._ledger.account(own)
        found = account is not None and wanted == str(self._ledger.mint)
        return self._at([{"pubkey": str(own), "account": as_account(account, config)}] if found else [])

    def _airdrop(self, key: str, lamports: int, _config: Any = None) -> str:
        self._ledger.credit(address_of(key), lamports)
        signature = str(Signature.new_unique())
        self._ledger.airdrops[signature] = self._ledger.slot
        return signature

    # --- blocks

    def _epoch(self, _config: Any = None) -> dict[str, int]:
        slot = self._ledger.slot
        return {
            "absoluteSlot": slot,
            "blockHeight": slot,
            "epoch": slot // _SLOTS_PER_EPOCH,
            "slotIndex": slot % _SLOTS_PER_EPOCH,
            "slotsInEpoch": _SLOTS_PER_EPOCH,
            "transactionCount": len(self._ledger.landed),
        }

    def _latest_blockhash(self, _config: Any = None) -> Any:
        blockhash, last = self._ledger.latest_blockhash()
        return self._at({"blockhash": str(blockhash), "lastValidBlockHeight": last})

    # --- transactions

    def _simulate(self, raw: str, config: dict[str, Any] | None = None) -> Any:
        options = config or {}
        run = self._ledger.simulate(
            transaction_of(raw, options),
            check_signatures=bool(options.get("sigVerify")),
            check_blockhash=not options.get("replaceRecentBlockhash"),
        )
        return self._at(as_run(run) | {"accounts": None, "returnData": None})

    def _send(self, raw: str, config: dict[str, Any] | None = None) -> str:
        options = config or {}
        tx = transaction_of(raw, options)
        if not all(tx.verify_with_results()):
            raise RpcFault(_BAD_SIGNATURE, "Transaction signature verification failure")
        if not options.get("skipPreflight"):
            run = self._ledger.simulate(tx, check_signatures=False, check_blockhash=True)
            if run.err is not None:
                raise RpcFault(_PREFLIGHT_FAILED, f"Transaction simulation failed: {run.err}", as_run(run))
        if (landed := self._ledger.send(tx)) is not None:
            self._landed(landed)
        return str(tx.signatures[0])

    def _statuses(self, signatures: list[str], _config: Any = None) -> Any:
        return self._at([self._status(signature) for signature in signatures])

    def _status(self, signature: str) -> dict[str, Any] | None:
        landed = self._ledger.landed.get(signature)
        slot = landed.slot if landed else self._ledger.airdrops.get(signature)
        if slot is None:
            return None
        err, depth = landed.run.err if landed else None, self._ledger.slot - slot
        final = depth >= _FINAL_SLOTS
        return {
            "slot": slot,
            "confirmations": None if final else depth,
            "err": err,
            "status": {"Ok": None} if err is None else {"Err": err},
            "confirmationStatus": "finalized" if final else "confirmed",
        }

    def _signatures(self, address: str, config: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Newest first."""
        key, limit = address_of(address), int((config or {}).get("limit", 1000))
        found = [x for x in reversed(self._ledger.landed.values()) if key in x.tx.message.account_keys]
        return [
            {
                "signature": landed.signature,
                "slot": landed.slot,
                "err": as_run(landed.run)["err"],
                "memo": None,
                "blockTime": landed.time,
                "confirmationStatus": "finalized",
            }
            for landed in found[:limit]
        ]

    def _transaction(self, signature: str, config: dict[str, Any] | None = None) -> Any:
        if (config or {}).get("encoding") != "base64":
            raise RpcFault(INVALID_PARAMS, 'Invalid params: this chain encodes transactions in "base64" only')
        landed = self._ledger.landed.get(signature)
        if landed is None:
            return None
        meta = as_run(landed.run) | {
            "fee": self._ledger.fee(landed.tx.message),
            "preBalances": landed.before,
            "postBalances": landed.after,
            "preTokenBalances": [as_balance(*t) for t in landed.tokens_before],
            "postTokenBalances": [as_balance(*t) for t in landed.tokens_after],
            "innerInstructions": [],
            "loadedAddresses": {"writable": [], "readonly": []},
            "rewards": [],
        }
        raw = base64.b64encode(bytes(landed.tx)).decode()
        return {
            "slot": landed.slot,
            "blockTime": landed.time,
            "transaction": [raw, "base64"],
            "meta": meta | {"logMessages": landed.run.logs, "computeUnitsConsumed": landed.run.units},
            "version": 0 if isinstance(landed.tx.message, MessageV0) else "legacy",
        }
