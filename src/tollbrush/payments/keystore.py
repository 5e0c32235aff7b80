"""Where a wallet's secret is kept, its words or its keys: one file, never overwritten, in one of three ways.

`plain`     the secret, in a file of mode 0600 in a folder of mode 0700
`keystore`  the same file, the secret sealed by scrypt (RFC 7914) and AES-256-GCM under a passphrase
`keyring`   the secret in the desktop's keyring, the file names the entry

The file also holds the public addresses, so that they can be shown without opening anything.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import pybase64

from tollbrush.errors import BadRequest, WalletLocked

if TYPE_CHECKING:
    from Crypto.Cipher._mode_gcm import GcmMode

STORES: Final = ("plain", "keystore", "keyring")
_SERVICE: Final = "tollbrush"
_SCRYPT_N: Final = 2**17
_MAX_SCRYPT_N: Final = 2**20
_MAX_FILE: Final = 16_384


class Sealed(msgspec.Struct, frozen=True):
    """Words under a passphrase. Base64 fields; scrypt with r = 8, p = 1."""

    salt: str
    nonce: str
    text: str
    n: int = _SCRYPT_N

    @classmethod
    def seal(cls, words: str, passphrase: str) -> Sealed:
        salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
        box = _box(passphrase, salt, nonce, _SCRYPT_N)
        text, tag = box.encrypt_and_digest(words.encode())
        salt_text, nonce_text, sealed = (pybase64.b64encode(part).decode() for part in (salt, nonce, text + tag))
        return cls(salt_text, nonce_text, sealed)

    def open(self, passphrase: str) -> str:
        """Raises ValueError on a wrong passphrase or a changed file."""
        salt, nonce, text = (pybase64.b64decode(part, validate=True) for part in (self.salt, self.nonce, self.text))
        if not 2 <= self.n <= _MAX_SCRYPT_N:
            raise ValueError("scrypt's n is out of range")
        return _box(passphrase, salt, nonce, self.n).decrypt_and_verify(text[:-16], text[-16:]).decode()


class Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    """The wallet file. Exactly one of `words` (the secret), `sealed` and `entry` is set."""

    store: str
    evm: str
    solana: str
    words: str | None = None
    sealed: Sealed | None = None
    entry: str | None = None

    def __repr__(self) -> str:
        return f"Stored({self.store}, {self.evm}, {self.solana})"

    def open(self, passphrase: str) -> str:
        """The secret. Raises WalletLocked."""
        if self.words is not None:
            return self.words
        if self.entry is not None:
            return _from_keyring(self.entry)
        if self.sealed is None:
            raise WalletLocked("The wallet file holds no words.", advice="Restore it from your backup.")
        if not passphrase:
            raise WalletLocked(
                "The wallet is sealed by a passphrase, and none was given.", advice="Set TOLLBRUSH_WALLET__PASSPHRASE."
            )
        try:
            return self.sealed.open(passphrase)
        except ValueError:
            raise WalletLocked(
                "The passphrase does not open the wallet.", advice="Check TOLLBRUSH_WALLET__PASSPHRASE."
            ) from None


def path_in(data_dir: Path) -> Path:
    return data_dir / "wallet" / "wallet.json"


def load(path: Path) -> Stored | None:
    """The wallet file, or None when there is none. Raises WalletLocked when others could read or change it, or
    when it is broken: a wallet that cannot be read is never replaced."""
    try:
        with path.open("rb") as file:
            _check_private(path, os.fstat(file.fileno()))
            raw = file.read(_MAX_FILE)
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise WalletLocked(f"The wallet {path} cannot be read: {failure.strerror}.") from failure
    try:
        return msgspec.json.decode(raw, type=Stored)
    except msgspec.DecodeError:
        raise WalletLocked(
            f"{path} is not a wallet file of ours, or it is damaged.", advice="Restore it from your backup."
        ) from None


def save(path: Path, words: str, *, evm: str, solana: str, store: str, passphrase: str) -> None:
    """Keep the secret. Raises FileExistsError when a wallet is there already, WalletLocked, BadRequest."""
    stored = _stored(words, evm, solana, store, passphrase)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, msgspec.json.encode(stored))
    except BaseException as failure:
        if stored.entry is not None:
            _forget(stored.entry)
        if isinstance(failure, OSError) and not isinstance(failure, FileExistsError):
            raise WalletLocked(f"The wallet cannot be written to {path}: {failure.strerror}.") from failure
        raise


def _stored(words: str, evm: str, solana: str, store: str, passphrase: str) -> Stored:
    if store == "plain":
        return Stored(store, evm, solana, words=words)
    if store == "keystore":
        if not passphrase:
            raise WalletLocked("A keystore needs a passphrase.", advice="Set TOLLBRUSH_WALLET__PASSPHRASE.")
        return Stored(store, evm, solana, sealed=Sealed.seal(words, passphrase))
    if store == "keyring":
        return Stored(store, evm, solana, entry=_into_keyring(words))
    raise BadRequest(f"wallet store {store[:40]!r} is unknown; known: {', '.join(STORES)}.", path="wallet.store")


def _write_new(path: Path, data: bytes) -> None:
    # A link appears whole or not at all, and never replaces: the loser of a race reads the winner's wallet.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_private(path: Path, file: os.stat_result) -> None:
    folder = path.parent.stat()
    if file.st_mode & 0o077:
        mode = stat.S_IMODE(file.st_mode)
        raise WalletLocked(f"Others can read the wallet {path} (mode {mode:04o}).", advice=f"Run: chmod 600 '{path}'")
    if folder.st_mode & 0o022 and not folder.st_mode & stat.S_ISVTX:
        mode = stat.S_IMODE(folder.st_mode)
        raise WalletLocked(
            f"Others can replace the wallet in {path.parent} (mode {mode:04o}).",
            advice=f"Run: chmod 700 '{path.parent}'",
        )
    if file.st_uid != os.geteuid():
        raise WalletLocked(f"The wallet {path} belongs to another user (id {file.st_uid}).")


def _box(passphrase: str, salt: bytes, nonce: bytes, n: int) -> GcmMode:
    from Crypto.Cipher import AES

    key = hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=8, p=1, maxmem=2 * 128 * 8 * n, dklen=32)
    return AES.new(key, AES.MODE_GCM, nonce=nonce)


def _into_keyring(words: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    entry = f"wallet-{secrets.token_hex(8)}"
    try:
        keyring.set_password(_SERVICE, entry, words)
    except KeyringError as failure:
        raise _no_keyring(failure) from failure
    return entry


def _from_keyring(entry: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        words = keyring.get_password(_SERVICE, entry)
    except KeyringError as failure:
        raise _no_keyring(failure) from failure
    if words is None:
        raise WalletLocked(
            f"The keyring has no entry {entry!r} of {_SERVICE}.", advice="Unlock the keyring of the user who made it."
        )
    return words


def _forget(entry: str) -> None:
    import keyring

    keyring.delete_password(_SERVICE, entry)


def _no_keyring(failure: Exception) -> WalletLocked:
    return WalletLocked(
        f"The keyring cannot be used ({type(failure).__name__}).",
        advice="Unlock it, or set TOLLBRUSH_WALLET__STORE=keystore.",
    )
