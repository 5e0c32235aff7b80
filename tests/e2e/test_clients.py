"""Clients that nobody here wrote: the official x402 package, and curl through bash as published."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from eth_account import Account
from x402 import x402ClientSync
from x402.http.clients.requests import x402_requests
from x402.mechanisms.evm.exact.register import register_exact_evm_client
from x402.mechanisms.svm.exact.register import register_exact_svm_client
from x402.mechanisms.svm.signers import KeypairSigner

from support.pictures import data_uri, photo
from support.shop import EDIT, FUNDS, Buyer, Shop

pytestmark = [
    pytest.mark.e2e,
    # The official SVM client uses what its own library calls deprecated, and leaves its sockets to the collector.
    pytest.mark.filterwarnings("ignore:(Client|TxOpts) is deprecated"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

BASE = "eip155:84532"
SOLANA = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"
BODY = {"model": "openai/gpt-image-1", "prompt": "invert the colours", "image": data_uri(photo())}

CURL = """
curl -s -X POST "$GATEWAY/api/v1/images/image2image" \\
  -H "Content-Type: application/json" \\
  -H "X-Payment: $PAYMENT_HEADER" \\
  -d "{
    \\"model\\": \\"openai/gpt-image-1\\",
    \\"prompt\\": \\"make it's background darker\\",
    \\"image\\": \\"data:image/png;base64,$(base64 photo.png)\\",
    \\"size\\": \\"1024x1024\\",
    \\"n\\": 1
  }"
"""


def evm(client: x402ClientSync, shop: Shop, buyer: Buyer) -> None:
    register_exact_evm_client(client, Account.from_key(buyer.evm_key))


def svm(client: x402ClientSync, shop: Shop, buyer: Buyer) -> None:
    register_exact_svm_client(client, KeypairSigner(buyer.solana), rpc_url=shop.solana.rpc_url)


@pytest.mark.parametrize(
    ("register", "network", "path"), [(evm, BASE, EDIT), (svm, SOLANA, EDIT), (svm, SOLANA, "/sol" + EDIT)]
)
def test_the_official_client_pays(
    shop: Shop, buyer: Buyer, register: Callable[[x402ClientSync, Shop, Buyer], None], network: str, path: str
) -> None:
    client = x402ClientSync()
    register(client, shop, buyer)
    with x402_requests(client) as session:
        answer = session.post(shop.url + path, json=BODY, timeout=60)
    assert answer.status_code == 200, answer.text
    assert json.loads(base64.b64decode(answer.headers["PAYMENT-RESPONSE"]))["success"] is True
    assert shop.chain(network).balance(buyer.address(network)) == FUNDS - 21_000
    picture = requests.get(answer.json()["data"][0]["url"], timeout=10)
    assert picture.content.startswith(b"\x89PNG")


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="curl or bash is not installed")
@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_curl_as_published(shop: Shop, buyer: Buyer, network: str, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(photo(96, 96))
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TOLLBRUSH_")}
    networks = {"base-sepolia": {"rpc_url": shop.base.rpc_url}, "solana-devnet": {"rpc_url": shop.solana.rpc_url}}
    wallet = {
        "TOLLBRUSH_DATA_DIR": str(tmp_path / "data"),
        "TOLLBRUSH_NETWORKS": json.dumps(networks),
        "TOLLBRUSH_WALLET__EVM_KEY": "0x" + buyer.evm_key.hex(),
        "TOLLBRUSH_WALLET__SOLANA_KEY": str(buyer.solana),
    }
    command = [sys.executable, "-m", "tollbrush", "pay-header", shop.url + EDIT]
    options = ["--model", "openai/gpt-image-1", "--size", "1024x1024", "--n", "1", "--network", network]
    signed = subprocess.run(command + options, env=clean | wallet, capture_output=True, text=True, check=True)
    assert signed.stdout.strip().count("\n") == 0
    env = clean | {"GATEWAY": shop.url, "PAYMENT_HEADER": signed.stdout.strip()}
    published = subprocess.run(["bash", "-c", CURL], env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    answer = json.loads(published.stdout)
    assert answer.get("payment", {}).get("status") == "settled", answer
    assert shop.chain(network).balance(buyer.address(network)) == FUNDS - 21_000
