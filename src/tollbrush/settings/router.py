"""What a buyer goes by: the router, its caps on spending, and the wallet."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydantic import Field, SecretStr

from tollbrush.settings.part import Part


class SpendingSettings(Part):
    """Caps in dollars, enforced before signing."""

    per_call: Decimal = Decimal("0.50")
    per_hour: Decimal = Decimal("5")
    per_day: Decimal = Decimal("20")
    lifetime: Decimal = Decimal("200")
    confirm_above: Decimal = Decimal("0.10")
    """A terminal asks before spending more than this."""


class RouterSettings(Part):
    host: str = "127.0.0.1"
    port: int = Field(default=8402, ge=0, le=65535)
    gateway_url: str = "http://127.0.0.1:8401"
    gateways: dict[str, str] = Field(default={})
    """More gateways to buy from, name → URL; with any here, `gateway_url` counts only when it is set too."""
    gateway: str = ""
    """The name of the one to buy from; empty: whichever quotes the lowest price. A request may name another."""
    network: str = ""
    """Network to pay on, v1 name or CAIP-2 id; empty: the first offered one that is configured and funded."""
    allowed_roots: tuple[Path, ...] = ()
    """Folders whose images may be read; empty: home, the working folder and the temporary folder."""
    extra_hosts: tuple[str, ...] = ()
    """host:port that may be fetched from although it is not a public address."""
    pay_to: tuple[str, ...] = ()
    """Recipients this wallet may pay; empty: each gateway's are pinned on first use."""
    quota_bytes: int = 2 * 2**30
    """Saved results kept; the oldest go first."""
    spending: SpendingSettings = SpendingSettings()


class WalletSettings(Part):
    mnemonic: SecretStr = SecretStr("")
    """BIP-39 words; they win over any stored wallet."""
    evm_key: SecretStr = SecretStr("")
    solana_key: SecretStr = SecretStr("")
    passphrase: SecretStr = SecretStr("")
    """Opens the encrypted keystore."""
    store: str = "plain"
    """Where `wallet new` keeps the words: plain (file, mode 0600), keystore (scrypt) or keyring."""
