# ruff: noqa: E501 - vectors stand as published
"""Derivation against the vectors that the standards publish, every level of every chain."""

from __future__ import annotations

import hashlib

import pytest
from mnemonic import Mnemonic
from solders.keypair import Keypair

from tollbrush.payments import keys
from tollbrush.payments.wallet import Wallet

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RISING = bytes(range(16)).hex()
FALLING = bytes(range(0xFF, 0x3F, -3)).hex()
THIRD = (
    "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e"
    "5a3c51c73235be"
)
FOURTH = "3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678"

# https://github.com/trezor/python-mnemonic/blob/master/vectors.json, passphrase TREZOR
BIP_39 = [
    (
        "00" * 16,
        "abandon " * 11 + "about",
        (
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c8"
            "1b2f001698e7463b04"
        ),
    ),
    (
        "7f" * 16,
        "legal winner thank year wave sausage worth useful legal winner thank yellow",
        (
            "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6"
            "260e8d9739fce1f607"
        ),
    ),
    (
        "80" * 16,
        "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
        (
            "d71de856f81a8acc65e6fc851a38d4d7ec216fd0796d0a6827a3ad6ed5511a30fa280f12eb2e47ed2ac03b5c462a0358d18d69fe4f985e"
            "c81778c1b370b652a8"
        ),
    ),
    (
        "ff" * 16,
        "zoo " * 11 + "wrong",
        (
            "ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a589620c6f15b11c61dee327651a14c"
            "34e18231052e48c069"
        ),
    ),
    (
        "00" * 32,
        "abandon " * 23 + "art",
        (
            "bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3cca8d561a7c3de6f5d4a10be8e"
            "d2a5e608d68f92fcc8"
        ),
    ),
    (
        "ff" * 32,
        "zoo " * 23 + "vote",
        (
            "dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e1613912f0a5b694407be899ffd31ed3992c456cdf60f5d45"
            "64b8ba3f05a69890ad"
        ),
    ),
]

# https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki, vectors 1 to 4: seed, path, extended private key
BIP_32 = [
    (RISING, "", "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"),
    (RISING, "0'", "xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7"),
    (RISING, "0'/1", "xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaXwTCg8MSY3H2EU4pWcQDnRnrVA1xe8fs"),
    (RISING, "0'/1/2'", "xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQSAewRiNMjANTtpgP4mLTj34bhnZX7UiM"),
    (RISING, "0'/1/2'/2", "xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMuPh7f7RtyzTtdrbdqqsunu5Mm3wDvUAKRHSC34sJ7in334"),
    (RISING, "0'/1/2'/2/1000000000", "xprvA41z7zogVVwxVSgdKUHDy1SKmdb533PjDz7J6N6mV6uS3ze1ai8FHa8kmHScGpWmj4WggLyQjgPie1rFSruoUihUZREPSL39UNdE3BBDu76"),
    (FALLING, "", "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U"),
    (FALLING, "0", "xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86pgKt"),
    (FALLING, "0/2147483647'", "xprv9wSp6B7kry3Vj9m1zSnLvN3xH8RdsPP1Mh7fAaR7aRLcQMKTR2vidYEeEg2mUCTAwCd6vnxVrcjfy2kRgVsFawNzmjuHc2YmYRmagcEPdU9"),
    (FALLING, "0/2147483647'/1", "xprv9zFnWC6h2cLgpmSA46vutJzBcfJ8yaJGg8cX1e5StJh45BBciYTRXSd25UEPVuesF9yog62tGAQtHjXajPPdbRCHuWS6T8XA2ECKADdw4Ef"),
    (FALLING, "0/2147483647'/1/2147483646'", "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc"),
    (FALLING, "0/2147483647'/1/2147483646'/2", "xprvA2nrNbFZABcdryreWet9Ea4LvTJcGsqrMzxHx98MMrotbir7yrKCEXw7nadnHM8Dq38EGfSh6dqA9QWTyefMLEcBYJUuekgW4BYPJcr9E7j"),
    (THIRD, "", "xprv9s21ZrQH143K25QhxbucbDDuQ4naNntJRi4KUfWT7xo4EKsHt2QJDu7KXp1A3u7Bi1j8ph3EGsZ9Xvz9dGuVrtHHs7pXeTzjuxBrCmmhgC6"),
    (THIRD, "0'", "xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L"),
    (FOURTH, "0'", "xprv9vB7xEWwNp9kh1wQRfCCQMnZUEG21LpbR9NPCNN1dwhiZkjjeGRnaALmPXCX7SgjFTiCTT6bXes17boXtjq3xLpcDjzEuGLQBM5ohqkao9G"),
    (FOURTH, "0'/1'", "xprv9xJocDuwtYCMNAo3Zw76WENQeAS6WGXQ55RCy7tDJ8oALr4FWkuVoHJeHVAcAqiZLE7Je3vZJHxspZdFHfnBEjHqU5hG1Jaj32dVoS6XLT1"),
]  # fmt: skip

# https://github.com/satoshilabs/slips/blob/master/slip-0010.md, ed25519, vector 2: seed, path, private key, public
# key. Vector 1 has a seed of 16 bytes; a wallet of words always has 64, and solders takes no other.
SLIP_10 = [
    (FALLING, "0'", "1559eb2bbec5790b0c65d8693e4d0875b1747f4970ae8b650486ed7470845635", "86fab68dcb57aa196c77c5f264f215a112c22a912c10d123b0d03c3c28ef1037"),
    (FALLING, "0'/2147483647'", "ea4f5bfe8694d8bb74b7b59404632fd5968b774ed545e810de9c32a4fb4192f4", "5ba3b9ac6e90e83effcd25ac4e58a1365a9e35a3d3ae5eb07b9e4d90bcf7506d"),
    (FALLING, "0'/2147483647'/1'", "3757c7577170179c7868353ada796c839135b3d30554bbb74a4b1e4a5a58505c", "2e66aa57069c86cc18249aecf5cb5a9cebbfd6fadeab056254763874a9352b45"),
    (FALLING, "0'/2147483647'/1'/2147483646'", "5837736c89570de861ebc173b1086da4f505d4adb387c6a1b1342d5e4ac9ec72", "e33c0f7d81d843c572275f287498e8d408654fdf0d1e065b84e2e6f157aab09b"),
    (FALLING, "0'/2147483647'/1'/2147483646'/2'", "551d333177df541ad876a60ea71f00447931c0a9da16f227c11ea080d7391b8d", "47150c75db263559a70d5778bf36abbab30fb061ad69f69ece61a72b0cfa4fc0"),
]  # fmt: skip


def private_key(extended: str) -> bytes:
    """The key in an xprv, its checksum checked."""
    number = 0
    for letter in extended:
        number = number * 58 + _BASE58.index(letter)
    raw = number.to_bytes(82, "big")
    assert hashlib.sha256(hashlib.sha256(raw[:78]).digest()).digest()[:4] == raw[78:]
    return raw[46:78]


def indices(path: str) -> tuple[int, ...]:
    return tuple(int(i.rstrip("'")) + (2**31 if i.endswith("'") else 0) for i in path.split("/") if i)


@pytest.mark.parametrize(("entropy", "words", "seed"), BIP_39)
def test_bip_39(entropy: str, words: str, seed: str) -> None:
    assert Mnemonic("english").to_mnemonic(bytes.fromhex(entropy)) == words
    assert Mnemonic.to_seed(words, "TREZOR").hex() == seed
    assert Wallet.from_words(words, "TREZOR").evm_key == keys.bip32(bytes.fromhex(seed), indices("44'/60'/0'/0/0"))


@pytest.mark.parametrize(("seed", "path", "extended"), BIP_32)
def test_bip_32(seed: str, path: str, extended: str) -> None:
    assert keys.bip32(bytes.fromhex(seed), indices(path)) == private_key(extended)


@pytest.mark.parametrize(("seed", "path", "secret", "public"), SLIP_10)
def test_slip_10(seed: str, path: str, secret: str, public: str) -> None:
    pair = Keypair.from_seed_and_derivation_path(bytes.fromhex(seed), f"m/{path}")
    assert (pair.secret().hex(), bytes(pair.pubkey()).hex()) == (secret, public)


def test_bip_44_accounts_that_everybody_knows() -> None:
    """BIP-44 has no vectors of its own: these are the first accounts of Hardhat and of MetaMask and Phantom."""
    assert Wallet.from_words("test " * 11 + "junk").evm_address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    about = Wallet.from_words("abandon " * 11 + "about")
    assert about.evm_address == "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
    assert about.solana_address == "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"
