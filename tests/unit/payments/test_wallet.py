"""The wallet derives what every other wallet derives, is stored once, and keeps its secrets."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import PasswordDeleteError
from mnemonic import Mnemonic
from pydantic import SecretStr
from solders.keypair import Keypair

from tollbrush.errors import BadRequest, WalletLocked
from tollbrush.payments import keystore, wallet
from tollbrush.payments.wallet import Wallet
from tollbrush.settings import Settings, WalletSettings

ABOUT = "abandon " * 11 + "about"
ART = "abandon " * 23 + "art"
EVM_KEY = "4646464646464646464646464646464646464646464646464646464646464646"


def made(folder: Path, **said: str) -> Settings:
    secret = {k: v if k == "store" else SecretStr(v) for k, v in said.items()}
    return Settings(data_dir=folder, wallet=WalletSettings(**secret))


@pytest.mark.parametrize(
    ("words", "evm", "solana"),
    [  # what MetaMask and Phantom show for these words
        (ABOUT, "0x9858EfFD232B4033E47d90003D41EC34EcaEda94", "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"),
        (ART, "0xF278cF59F82eDcf871d630F28EcC8056f25C1cdb", "3Cy3YNTFywCmxoxt8n7UH6hg6dLo5uACowX3CFceaSnx"),
    ],
)
def test_addresses_of_published_words(words: str, evm: str, solana: str) -> None:
    made = Wallet.from_words(words)
    assert (made.evm_address, made.solana_address) == (evm, solana)


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=10, deadline=None)
def test_evm_derivation_agrees_with_eth_account(entropy: bytes) -> None:
    words = Mnemonic("english").to_mnemonic(entropy)
    Account.enable_unaudited_hdwallet_features()
    assert Wallet.from_words(words).evm_address == Account.from_mnemonic(words).address


def test_a_new_wallet_has_24_words_and_no_two_are_equal() -> None:
    first, second = Wallet.create(), Wallet.create()
    assert len(first.export()["mnemonic"].split()) == 24
    assert first.evm_address != second.evm_address
    assert Wallet.from_words(first.export()["mnemonic"]).solana_address == first.solana_address


def test_words_are_read_as_people_paste_them() -> None:
    assert Wallet.from_words(f"  {ABOUT.upper()}\n").evm_address == Wallet.from_words(ABOUT).evm_address
    assert Wallet.from_words(ABOUT, "more").evm_address != Wallet.from_words(ABOUT).evm_address


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "not 0"),
        ("abandon about", "not 2"),
        ("abandon " * 11 + "secretword", "word 12 is not"),
        ("abandon " * 12, "checksum"),
    ],
)
def test_wrong_words_are_refused_without_repeating_them(words: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said) as refused:
        Wallet.from_words(words)
    assert "abandon" not in str(refused.value)
    assert "secretword" not in str(refused.value)


def test_single_keys() -> None:
    pair = Keypair()
    both = Wallet.from_keys(evm_key="0x" + EVM_KEY, solana_key=str(pair))
    assert (both.evm_address, both.solana_address) == (Account.from_key(EVM_KEY).address, str(pair.pubkey()))
    assert Wallet.from_keys(**both.export()).solana_address == both.solana_address
    alone = Wallet.from_keys(evm_key=EVM_KEY)
    assert alone.solana_address == ""
    with pytest.raises(WalletLocked, match="no Solana key"):
        _ = alone.solana_keypair
    with pytest.raises(WalletLocked, match="no EVM key"):
        _ = Wallet.from_keys(solana_key=str(pair)).evm_key


@pytest.mark.parametrize("key", ["xyz", "0" * 64, "f" * 64, EVM_KEY[:-1], EVM_KEY + "00"])
def test_a_wrong_evm_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(BadRequest, match="not a private key") as refused:
        Wallet.from_keys(evm_key=key)
    assert key not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("key", ["xyz", "0OIl", "5" * 200, EVM_KEY])
def test_a_wrong_solana_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(BadRequest, match="not a base58 keypair") as refused:
        Wallet.from_keys(solana_key=key)
    assert key not in str(refused.value)


def test_what_people_have_is_read_and_kept(tmp_path: Path) -> None:
    pair, account = Keypair(), Account.from_key(EVM_KEY).address
    array = json.dumps(list(bytes(pair)))
    for text, evm, solana in (
        (ABOUT, Wallet.from_words(ABOUT).evm_address, Wallet.from_words(ABOUT).solana_address),
        ("0x" + EVM_KEY, account, ""),
        (f" {EVM_KEY.upper()}\n", account, ""),
        (str(pair), "", str(pair.pubkey())),
        (array.replace(",", ",\n"), "", str(pair.pubkey())),
        (f"{pair}\n0x{EVM_KEY}\n", account, str(pair.pubkey())),
    ):
        read = Wallet.read(text)
        assert (read.evm_address, read.solana_address) == (evm, solana)
        for store in ("plain", "keystore"):
            said = made(tmp_path / f"{store}-{hash(text)}", store=store, passphrase="p")
            wallet.import_secret(said, text)
            again = wallet.load(said)
            assert again is not None
            assert again.export() == read.export() == Wallet.read(json.dumps(read.export())).export()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "{", "[1, 2]", "[300]", f"{EVM_KEY}\n{EVM_KEY}", "5" * 88, EVM_KEY[:-1], "x" * 4096, '{"mnemonic": 7}'],
)
def test_what_is_no_wallet_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        Wallet.read(text)
    assert not text or text not in refused.value.sentence() or len(text) < 3


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_is_a_wallet_or_a_bad_request(text: str) -> None:
    try:
        assert Wallet.read(text).evm_address or Wallet.read(text).solana_address
    except BadRequest as refused:
        assert len(refused.sentence()) < 300


def test_secrets_are_not_printed_pickled_or_copied() -> None:
    kept = Wallet.from_words(ABOUT)
    shown = f"{kept!r} {kept} {[kept]}"
    assert kept.evm_address in shown
    for secret in ("abandon", kept.evm_key.hex(), str(kept.solana_keypair)):
        assert secret not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(kept)
    with pytest.raises(TypeError, match="not pickled"):
        copy.copy(kept)
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy([kept])


def test_stored_on_first_use_and_found_again(tmp_path: Path) -> None:
    said = made(tmp_path / "data")
    assert wallet.load(said) is None
    first = wallet.load_or_create(said)
    again = wallet.load_or_create(said)
    assert again.evm_address == first.evm_address
    path = wallet.path_of(said)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert json.loads(path.read_text())["evm"] == first.evm_address


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    stored = wallet.load_or_create(made(tmp_path))
    from_words = wallet.load_or_create(made(tmp_path, mnemonic=ABOUT))
    from_key = wallet.load_or_create(made(tmp_path, evm_key=EVM_KEY))
    assert len({stored.evm_address, from_words.evm_address, from_key.evm_address}) == 3
    assert from_words.evm_address == Wallet.from_words(ABOUT).evm_address
    assert wallet.load_or_create(made(tmp_path)).evm_address == stored.evm_address


def test_never_overwritten(tmp_path: Path) -> None:
    first = wallet.import_secret(made(tmp_path), ABOUT)
    with pytest.raises(BadRequest, match="never overwritten"):
        wallet.import_secret(made(tmp_path), ART)
    with pytest.raises(BadRequest, match="never overwritten"):
        wallet.create(made(tmp_path))
    assert wallet.load_or_create(made(tmp_path)).evm_address == first.evm_address


def test_a_damaged_file_is_never_replaced(tmp_path: Path) -> None:
    path = wallet.path_of(made(tmp_path))
    path.parent.mkdir(mode=0o700)
    for content in (b"", b"{}", b"not json", b'{"store":"plain","evm":"","solana":""}'):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(WalletLocked):
            wallet.load_or_create(made(tmp_path))
        assert path.read_bytes() == content


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    wallet.load_or_create(made(tmp_path))
    path = wallet.path_of(made(tmp_path))
    path.chmod(0o644)
    with pytest.raises(WalletLocked, match="mode 0644") as refused:
        wallet.load(made(tmp_path))
    assert "chmod 600" in refused.value.sentence()
    path.chmod(0o600)
    path.parent.chmod(0o777)
    with pytest.raises(WalletLocked, match="replace the wallet"):
        wallet.load(made(tmp_path))


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "wallet").write_text("a file where the folder should be")
    with pytest.raises(WalletLocked, match="cannot be"):
        wallet.load_or_create(made(tmp_path))


def _race(folder: str, start: Any, found: Any) -> None:
    start.wait()
    found.put(wallet.load_or_create(Settings(data_dir=Path(folder))).evm_address)


def test_processes_that_race_get_the_same_wallet(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    start, found = spawn.Event(), spawn.Queue()
    racers = [spawn.Process(target=_race, args=(str(tmp_path), start, found)) for _ in range(6)]
    for racer in racers:
        racer.start()
    start.set()
    addresses = {found.get(timeout=30) for _ in racers}
    for racer in racers:
        racer.join()
    assert addresses == {wallet.load_or_create(made(tmp_path)).evm_address}


def test_the_keystore_holds_no_words_and_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    sealed = made(tmp_path, store="keystore", passphrase="correct horse")
    first = wallet.import_secret(sealed, ABOUT)
    content = wallet.path_of(sealed).read_text()
    assert "abandon" not in content
    assert first.evm_address in content
    opened = wallet.load(sealed)
    assert opened is not None
    assert opened.export() == {"mnemonic": ABOUT}
    with pytest.raises(WalletLocked, match="does not open"):
        wallet.load(made(tmp_path, passphrase="wrong"))
    with pytest.raises(WalletLocked, match="none was given"):
        wallet.load(made(tmp_path))


def test_a_changed_keystore_does_not_open(tmp_path: Path) -> None:
    sealed = keystore.Sealed.seal(ABOUT, "p")
    flipped = sealed.text[:-4] + ("AAA=" if sealed.text[-4:] != "AAA=" else "BBB=")
    for changed in (
        keystore.Sealed(sealed.salt, sealed.nonce, flipped, sealed.n),
        keystore.Sealed(sealed.salt, sealed.nonce, "@@@", sealed.n),
        keystore.Sealed(sealed.salt, sealed.nonce, sealed.text, 2**40),
    ):
        with pytest.raises(ValueError):
            changed.open("p")


def test_a_keystore_is_not_made_without_a_passphrase(tmp_path: Path) -> None:
    with pytest.raises(WalletLocked, match="needs a passphrase"):
        wallet.load_or_create(made(tmp_path, store="keystore"))
    assert not wallet.path_of(made(tmp_path)).exists()


def test_an_unknown_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="'cloud' is unknown"):
        wallet.load_or_create(made(tmp_path, store="cloud"))


class MemoryKeyring(KeyringBackend):
    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise PasswordDeleteError
        del self.entries[service, username]


@pytest.fixture
def desktop() -> Iterator[MemoryKeyring]:
    before, backend = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_the_keyring_holds_the_words_and_the_file_names_the_entry(tmp_path: Path, desktop: MemoryKeyring) -> None:
    said = made(tmp_path, store="keyring")
    wallet.import_secret(said, ABOUT)
    assert "abandon" not in wallet.path_of(said).read_text()
    assert list(desktop.entries.values()) == [ABOUT]
    opened = wallet.load(said)
    assert opened is not None
    assert opened.export() == {"mnemonic": ABOUT}
    with pytest.raises(BadRequest, match="never overwritten"):
        wallet.import_secret(said, ART)
    assert list(desktop.entries.values()) == [ABOUT]
    desktop.entries.clear()
    with pytest.raises(WalletLocked, match="no entry"):
        wallet.load(said)


def test_without_a_keyring_the_error_says_what_else_to_do(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    try:
        with pytest.raises(WalletLocked, match="cannot be used") as refused:
            wallet.load_or_create(made(tmp_path, store="keyring"))
        assert "keystore" in refused.value.sentence()
    finally:
        keyring.set_keyring(before)
