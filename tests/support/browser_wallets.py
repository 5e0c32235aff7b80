"""Wallets as they are injected into a page: the page's side announces itself as the standards say, this side holds the
keys and signs with the chains' own libraries."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from eth_account import Account
from eth_account.messages import encode_typed_data
from playwright.sync_api import BrowserContext
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

ICON = (
    "data:image/svg+xml;base64,"
    + base64.b64encode(
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9" fill="#365"/></svg>'
    ).decode()
)

_EVM = """(() => {
  const listeners = {};
  const provider = {
    async request(call) {
      const told = JSON.parse(await window.__evmWallet(JSON.stringify(call)));
      if (told.error) throw Object.assign(new Error(told.error.message), told.error);
      return told.result;
    },
    on(name, listener) { (listeners[name] ??= new Set()).add(listener); },
    removeListener(name, listener) { listeners[name]?.delete(listener); },
  };
  window.evmTells = (name, value) => listeners[name]?.forEach((each) => each(value));
  const info = { uuid: "0b1f6f0e-3a52-4b43-9c4e-5d1f0f6f7a11", name: "Test Fox", icon: "ICON", rdns: "test.fox" };
  const announce = () =>
    dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();"""

_SOLANA = """(() => {
  const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const text = (all) => btoa(String.fromCharCode(...all));
  const listeners = new Set();
  const ask = async (call) => {
    const told = JSON.parse(await window.__solanaWallet(JSON.stringify(call)));
    if (told.error) throw Object.assign(new Error(told.error.message), told.error);
    return told.result;
  };
  const wallet = {
    version: "1.0.0", name: "Test Ghost", icon: "ICON", chains: ["solana:mainnet", "solana:devnet"], accounts: [],
    features: {
      "standard:connect": { version: "1.0.0", async connect({ silent } = {}) {
        const told = await ask({ method: "connect", silent: Boolean(silent) });
        wallet.accounts = told.map((each) => ({ ...each, publicKey: bytes(each.publicKey), features: [] }));
        return { accounts: wallet.accounts };
      } },
      "standard:disconnect": { version: "1.0.0", async disconnect() { wallet.accounts = []; } },
      "standard:events": { version: "1.0.0", on(name, listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      } },
      "solana:signTransaction": { version: "1.0.0", supportedTransactionVersions: ["legacy", 0],
        async signTransaction(...inputs) {
          return Promise.all(inputs.map(async ({ account, transaction, chain }) => {
            const call = { method: "sign", address: account.address, transaction: text(transaction), chain };
            return { signedTransaction: bytes(await ask(call)) };
          }));
        } },
    },
  };
  window.solanaTells = (change) => listeners.forEach((each) => each(change));
  const register = (api) => api.register(wallet);
  dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: register }));
  addEventListener("wallet-standard:app-ready", (event) => register(event.detail));
})();"""


class Refusal(Exception):
    """What a wallet answers instead, with EIP-1193's code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def _answering(answer: Callable[[dict[str, Any]], Any]) -> Callable[[str], str]:
    def heard(call: str) -> str:
        try:
            return json.dumps({"result": answer(json.loads(call))})
        except Refusal as refusal:
            return json.dumps({"error": {"code": refusal.code, "message": refusal.message}})

    return heard


@dataclass
class FoxWallet:
    """EIP-1193. `refuses` maps a method to the error that it raises; `asked` lists the methods called."""

    rpc_url: str
    chain_id: int = 84532
    account: Any = field(default_factory=Account.create)
    connected: bool = False
    refuses: dict[str, Refusal] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.account.address)

    def install(self, context: BrowserContext) -> None:
        context.expose_function("__evmWallet", _answering(self._answer))
        context.add_init_script(_EVM.replace("ICON", ICON))

    def _answer(self, call: dict[str, Any]) -> Any:
        method, params = call["method"], call.get("params", [])
        self.asked.append(method)
        if refusal := self.refuses.get(method):
            raise refusal
        match method:
            case "eth_requestAccounts":
                self.connected = True
                return [self.address]
            case "eth_accounts":
                return [self.address] if self.connected else []
            case "eth_chainId":
                return hex(self.chain_id)
            case "wallet_switchEthereumChain":
                self.chain_id = int(params[0]["chainId"], 16)
                return None
            case "eth_signTypedData_v4":
                typed = json.loads(params[1])
                assert typed["domain"]["chainId"] == self.chain_id  # as every real wallet insists
                signed = self.account.sign_message(encode_typed_data(full_message=typed))
                return "0x" + bytes(signed.signature).hex()
            case "eth_call":
                asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
                return httpx2.post(self.rpc_url, json=asked).json()["result"]
        raise Refusal(4200, f"{method} is not supported")


@dataclass
class GhostWallet:
    """Wallet Standard on Solana. `refusal` is what it answers when it is asked to sign."""

    chains: tuple[str, ...] = ("solana:mainnet", "solana:devnet")
    keypair: Keypair = field(default_factory=Keypair)
    connected: bool = False
    refusal: Refusal | None = None
    signed: int = 0

    @property
    def address(self) -> str:
        return str(self.keypair.pubkey())

    def install(self, context: BrowserContext) -> None:
        context.expose_function("__solanaWallet", _answering(self._answer))
        context.add_init_script(_SOLANA.replace("ICON", ICON))

    def _answer(self, call: dict[str, Any]) -> Any:
        if call["method"] == "connect":
            self.connected = self.connected or not call["silent"]
            key = base64.b64encode(bytes(self.keypair.pubkey())).decode()
            shared = {"address": self.address, "publicKey": key, "chains": list(self.chains)}
            return [shared] if self.connected else []
        if self.refusal:
            raise self.refusal
        unsigned = VersionedTransaction.from_bytes(base64.b64decode(call["transaction"]))
        assert call["chain"] in self.chains
        slot = list(unsigned.message.account_keys).index(self.keypair.pubkey())
        signatures = list(unsigned.signatures)
        signatures[slot] = self.keypair.sign_message(to_bytes_versioned(unsigned.message))
        self.signed += 1
        return base64.b64encode(bytes(VersionedTransaction.populate(unsigned.message, signatures))).decode()
