"""A user's working folder against a strict x402 gateway on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.evm_node import EvmNode
from support.paid_server import PaidServer, png
from tollbrush.payments.wallet import load_or_create
from tollbrush.settings import Settings


@pytest.fixture
def home(tmp_path: Path, gateway: PaidServer, evm_node: EvmNode, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture, a funded wallet, a gateway, and no router."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOLLBRUSH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TOLLBRUSH_NETWORKS", json.dumps({"base-sepolia": {"rpc_url": evm_node.rpc_url}}))
    monkeypatch.setenv("TOLLBRUSH_ROUTER__GATEWAY_URL", gateway.url)
    monkeypatch.setenv("TOLLBRUSH_ROUTER__PORT", "9")
    evm_node.balances[load_or_create(Settings()).evm_address.lower()] = 10_000_000
    (tmp_path / "my photo.png").write_bytes(png())
    return tmp_path
