"""The wallet that pays: 24 words (BIP-39), one account on each family of chains; or single keys, one of each at most.

EVM: m/44'/60'/0'/0/0 (BIP-32, BIP-44). Solana: m/44'/501'/0'/0' (SLIP-10).
Keys leave this object only by `evm_key`, `solana_keypair` and `export`; it prints its addresses and cannot be pickled.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import msgspec

from tollbrush.errors import BadRequest, WalletLocked
from tollbrush.payments import keys, keystore

if TYPE_CHECKING:
    from solders.keypair import Keypair

    from tollbrush.settings import Settings

Family = Literal["evm", "svm"]


class Wallet:
    """Made by `create`, `from_words` or `from_keys`. A wallet of single keys may lack a family: its address is ""."""

    def __init__(self, words: str | None, evm_key: bytes | None, solana_keypair: Keypair | None) -> None:
        self._words, self._evm_key, self._solana_keypair = words, evm_key, solana_keypair

    @classmethod
    def create(cls) -> Wallet:
        """A new wallet of 24 words (256 bits)."""
        from mnemonic import Mnemonic

        return cls.from_words(Mnemonic("english").generate(strength=256))

    @classmethod
    def from_words(cls, words: str, passphrase: str = "") -> Wallet:
        """BIP-39 words, 12 to 24 of them, with BIP-39's own optional passphrase. Raises BadRequest, which never
        repeats a word."""
        from mnemonic import Mnemonic
        from solders.keypair import Keypair

        words = " ".join(Mnemonic.normalize_string(words).lower().split())
        keys.check_words(words, Mnemonic("english"))
        seed = Mnemonic.to_seed(words, passphrase)
        return cls(
            words, keys.bip32(seed, keys.EVM_PATH), Keypair.from_seed_and_derivation_path(seed, keys.SOLANA_PATH)
        )

    @classmethod
    def from_keys(cls, *, evm_key: str = "", solana_key: str = "") -> Wallet:
        """A hex EVM key and a base58 Solana keypair, either or both. Raises BadRequest."""
        return cls(None, keys.read_evm_key(evm_key) if evm_key else None, keys.read_solana_key(solana_key))

    @classmethod
    def read(cls, text: str) -> Wallet:
        """What a person or a file has: BIP-39 words; a hex EVM key; a Solana keypair in base58 or as the JSON array of
        solana-keygen; both keys, one on each line; or what `export` gave. Raises BadRequest, which repeats no
        secret."""
        text = text.strip()
        lines = [text] if text.startswith("[") else [line.strip() for line in text.splitlines() if line.strip()]
        if text.startswith("{"):
            return cls._from_export(text)
        if not any(keys.looks_like_a_key(line) for line in lines):
            return cls.from_words(text)
        evm = [line for line in lines if keys.HEX.fullmatch(line)]
        solana = [keys.base58_of(line) for line in lines if not keys.HEX.fullmatch(line)]
        if len(evm) > 1 or len(solana) > 1:
            raise BadRequest("a wallet has one EVM key and one Solana key at most.", path="key")
        return cls.from_keys(evm_key="".join(evm), solana_key="".join(solana))

    @classmethod
    def _from_export(cls, text: str) -> Wallet:
        try:
            said = msgspec.json.decode(text, type=keys.Export)
        except msgspec.DecodeError:
            raise BadRequest(
                "this JSON is no wallet.", path="key", advice="Give words, a key, or what `wallet export` printed."
            ) from None
        if said.mnemonic:
            return cls.from_words(said.mnemonic)
        if not said.evm_key and not said.solana_key:
            raise BadRequest("this wallet is empty: it has neither words nor a key.", path="key")
        return cls.from_keys(evm_key=said.evm_key, solana_key=said.solana_key)

    @cached_property
    def evm_address(self) -> str:
        """EIP-55 spelling."""
        from tollbrush.payments.eip3009 import address_of

        return address_of(self._evm_key) if self._evm_key else ""

    @cached_property
    def solana_address(self) -> str:
        """Base58."""
        return str(self._solana_keypair.pubkey()) if self._solana_keypair else ""

    def address(self, family: Family) -> str:
        return self.evm_address if family == "evm" else self.solana_address

    @property
    def evm_key(self) -> bytes:
        """Secret: 32 bytes. Raises WalletLocked when this wallet has none."""
        if self._evm_key is None:
            raise WalletLocked("This wallet has no EVM key.", advice="Set TOLLBRUSH_WALLET__EVM_KEY or use 24 words.")
        return self._evm_key

    @property
    def solana_keypair(self) -> Keypair:
        """Secret. Raises WalletLocked when this wallet has none."""
        if self._solana_keypair is None:
            raise WalletLocked(
                "This wallet has no Solana key.", advice="Set TOLLBRUSH_WALLET__SOLANA_KEY or use 24 words."
            )
        return self._solana_keypair

    def export(self) -> dict[str, str]:
        """Secret, for a backup: `{"mnemonic"}`, or the single keys as `{"evm_key", "solana_key"}`."""
        if self._words is not None:
            return {"mnemonic": self._words}
        keys = {"evm_key": "0x" + self._evm_key.hex() if self._evm_key else "", "solana_key": ""}
        return keys | ({"solana_key": str(self._solana_keypair)} if self._solana_keypair else {})

    def secret(self) -> str:
        """Secret: what `read` makes this wallet of again. The words, or the keys as JSON."""
        return self._words if self._words is not None else msgspec.json.encode(self.export()).decode()

    def __repr__(self) -> str:
        return f"Wallet(evm={self.evm_address!r}, solana={self.solana_address!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a wallet is not pickled or copied: its keys stay in one place")


def load(settings: Settings) -> Wallet | None:
    """The wallet of the environment, else the stored one, else None. Raises WalletLocked, BadRequest."""
    said = settings.wallet
    if words := said.mnemonic.get_secret_value():
        return Wallet.from_words(words)
    evm_key, solana_key = said.evm_key.get_secret_value(), said.solana_key.get_secret_value()
    if evm_key or solana_key:
        return Wallet.from_keys(evm_key=evm_key, solana_key=solana_key)
    stored = keystore.load(path_of(settings))
    return Wallet.read(stored.open(said.passphrase.get_secret_value())) if stored else None


def load_or_create(settings: Settings) -> Wallet:
    """The wallet, made and stored on first use. Of two processes that race, both get the one that was stored."""
    if wallet := load(settings):
        return wallet
    try:
        return _store(settings, Wallet.create())
    except FileExistsError:
        return load_or_create(settings)


def create(settings: Settings) -> Wallet:
    """A new stored wallet. Raises BadRequest when there is one already."""
    return _store_new(settings, Wallet.create())


def import_secret(settings: Settings, text: str) -> Wallet:
    """Store these words, or these keys; see `Wallet.read`. Raises BadRequest on what is neither, or when a wallet is
    there already."""
    return _store_new(settings, Wallet.read(text))


def path_of(settings: Settings) -> Path:
    """The wallet file, whether or not it exists."""
    return keystore.path_in(settings.data_dir)


def is_in_environment(settings: Settings) -> bool:
    """Whether the settings hold a wallet, which comes before the stored one."""
    said = settings.wallet
    return any(secret.get_secret_value() for secret in (said.mnemonic, said.evm_key, said.solana_key))


def needs_passphrase(settings: Settings) -> bool:
    """Whether the wallet is a keystore whose passphrase the settings lack. Raises WalletLocked."""
    if is_in_environment(settings) or settings.wallet.passphrase.get_secret_value():
        return False
    stored = keystore.load(path_of(settings))
    return stored is not None and stored.sealed is not None


def _store_new(settings: Settings, wallet: Wallet) -> Wallet:
    try:
        return _store(settings, wallet)
    except FileExistsError as there:
        raise BadRequest(
            f"A wallet is already stored in {path_of(settings)}; it is never overwritten.",
            advice="Back it up with `tollbrush wallet export`, then move the file away.",
        ) from there


def _store(settings: Settings, wallet: Wallet) -> Wallet:
    keystore.save(
        path_of(settings),
        wallet.secret(),
        evm=wallet.evm_address,
        solana=wallet.solana_address,
        store=settings.wallet.store,
        passphrase=settings.wallet.passphrase.get_secret_value(),
    )
    return wallet
