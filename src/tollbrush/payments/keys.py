"""Secrets as people have them → keys: words and their checksum, BIP-32, hex, base58, solana-keygen's array.

No message repeats a secret.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

import msgspec

from tollbrush.errors import BadRequest

if TYPE_CHECKING:
    from mnemonic import Mnemonic
    from solders.keypair import Keypair

_HARDENED: Final = 2**31
HEX: Final = re.compile(r"(?:0x)?[0-9a-f]+", re.ASCII | re.IGNORECASE)
EVM_PATH: Final = (44 + _HARDENED, 60 + _HARDENED, _HARDENED, 0, 0)
SOLANA_PATH: Final = "m/44'/501'/0'/0'"


def check_words(words: str, english: Mnemonic) -> None:
    listed = words.split(" ")
    if len(listed) not in (12, 15, 18, 21, 24):
        raise BadRequest(f"a wallet has 12, 15, 18, 21 or 24 words, not {len(words.split())}.", path="words")
    known = set(english.wordlist)
    if strange := [str(i) for i, word in enumerate(listed, 1) if word not in known]:
        raise BadRequest(f"word {', '.join(strange)} is not on BIP-39's English list.", path="words")
    if not english.check(words):
        raise BadRequest(
            "the words do not fit together (BIP-39 checksum): one is wrong, or the order is.", path="words"
        )


def bip32(seed: bytes, path: tuple[int, ...]) -> bytes:
    # Twelve lines for the one path we need: eth-account derives the same, after 1.2 s of imports.
    from coincurve import PrivateKey

    node = hmac.digest(b"Bitcoin seed", seed, "sha512")
    for index in path:
        key, chain = PrivateKey(node[:32]), node[32:]
        parent = b"\0" + key.secret if index >= _HARDENED else key.public_key.format()
        tweak = hmac.digest(chain, parent + index.to_bytes(4, "big"), "sha512")
        node = key.add(tweak[:32]).secret + tweak[32:]
    return node[:32]


class Export(msgspec.Struct):
    """What `Wallet.export` gives."""

    mnemonic: str = ""
    evm_key: str = ""
    solana_key: str = ""


def looks_like_a_key(line: str) -> bool:
    """One long word, or an array of numbers; BIP-39's words have 8 letters at most."""
    return line.startswith("[") or (" " not in line and len(line) > 30)


def base58_of(line: str) -> str:
    """solana-keygen's file is an array of 64 bytes. Raises BadRequest."""
    from solders.keypair import Keypair

    if not line.startswith("["):
        return line
    try:
        return str(Keypair.from_bytes(bytes(msgspec.json.decode(line, type=list[int]))))
    except (ValueError, msgspec.DecodeError):
        raise BadRequest("this array is no Solana keypair of 64 bytes.", path="wallet.solana_key") from None


def read_evm_key(text: str) -> bytes:
    from coincurve import PrivateKey

    digits = text.strip().removeprefix("0x")
    try:
        return PrivateKey(bytes.fromhex(digits if len(digits) == 64 else "")).secret
    except ValueError:
        raise BadRequest("evm_key is not a private key: 64 hexadecimal digits.", path="wallet.evm_key") from None


def read_solana_key(text: str) -> Keypair | None:
    from solders.keypair import Keypair

    try:
        return Keypair.from_base58_string(text.strip()) if text else None
    except ValueError:
        raise BadRequest("solana_key is not a base58 keypair of 64 bytes.", path="wallet.solana_key") from None
