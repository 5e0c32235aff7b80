"""EIP-3009 `TransferWithAuthorization`: the one signed message that pays on an EVM chain.

The EIP-712 digest is written out for this one struct: it takes 10 µs, and needs neither web3 nor eth-account.
https://eips.ethereum.org/EIPS/eip-3009 · https://eips.ethereum.org/EIPS/eip-712
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import sha3  # type: ignore[import-untyped]  # safe-pysha3 has no types
from coincurve import PrivateKey, PublicKey

from tollbrush.domain.payments import Requirement
from tollbrush.errors import PaymentRefused
from tollbrush.payments.checks import shown

BACKDATED: Final = 600
"""Seconds a fresh authorization is valid in the past: clocks of payers, gateways and chains differ."""
ZERO: Final = "0x" + "0" * 40

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_NONCE = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)
_SIGNATURE = re.compile(r"0x([0-9a-fA-F]{2})*", re.ASCII)
_UINT = re.compile(r"[0-9]{1,78}", re.ASCII)
_HALF_N = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_ERC6492 = bytes.fromhex("6492" * 16)


def keccak(data: bytes) -> bytes:
    digest: bytes = sha3.keccak_256(data).digest()
    return digest


_DOMAIN_TYPE = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_TRANSFER_TYPE = keccak(
    b"TransferWithAuthorization(address from,address to,uint256 value,"
    b"uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
_TRANSFER_CALL = keccak(
    b"transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)"
)[:4]


def checksum(address: str | bytes) -> str:
    """EIP-55 spelling of an address (20 bytes, or 0x and 40 hex digits): the one we compare, store and show."""
    digits = (address.hex() if isinstance(address, bytes) else address[2:]).lower()
    mixed = zip(digits, keccak(digits.encode()).hex(), strict=False)
    return "0x" + "".join(c.upper() if h >= "8" else c for c, h in mixed)


def is_address(text: str) -> bool:
    """0x and 40 hex digits; a checksum, where the case shows one, must be right (EIP-55)."""
    plain = text[2:] in (text[2:].lower(), text[2:].upper())
    return bool(_ADDRESS.fullmatch(text)) and (plain or checksum(text) == text)


def address_of(key: bytes) -> str:
    """The address that this 32-byte private key signs for."""
    return _address(PrivateKey(key).public_key)


def _address(public: PublicKey) -> str:
    return checksum(keccak(public.format(compressed=False)[1:])[12:])


def word(value: int | str | bytes) -> bytes:
    """An ABI word: a number, an address (0x…) or up to 32 bytes, left-padded."""
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    return (bytes.fromhex(value[2:]) if isinstance(value, str) else value).rjust(32, b"\0")


@dataclass(frozen=True)
class Domain:
    """The EIP-712 domain of one token contract on one chain."""

    name: str
    version: str
    chain_id: int
    contract: str

    @classmethod
    def of(cls, requirement: Requirement, chain_id: int) -> Domain:
        return cls(requirement.extra["name"], requirement.extra["version"], chain_id, requirement.asset)

    @lru_cache(maxsize=64)  # noqa: B019 - domains are few, small and immutable
    def separator(self) -> bytes:
        name, version = keccak(self.name.encode()), keccak(self.version.encode())
        return keccak(_DOMAIN_TYPE + name + version + word(self.chain_id) + word(self.contract))


@dataclass(frozen=True)
class Authorization:
    """`value` in atomic units, times in Unix seconds, addresses in EIP-55 spelling, `nonce` 32 bytes."""

    payer: str
    to: str
    value: int
    valid_after: int
    valid_before: int
    nonce: bytes

    def digest(self, domain: Domain) -> bytes:
        """What the payer signs."""
        return keccak(b"\x19\x01" + domain.separator() + keccak(_TRANSFER_TYPE + self._words()))

    def call(self, signature: bytes) -> bytes:
        """Call data of `transferWithAuthorization` in its (v, r, s) overload, which every USDC has."""
        r, s, v = signature[:32], signature[32:64], 27 + signature[64] % 27
        return _TRANSFER_CALL + self._words() + word(v) + r + s

    def _words(self) -> bytes:
        times = word(self.valid_after) + word(self.valid_before)
        return word(self.payer) + word(self.to) + word(self.value) + times + self.nonce

    def payload(self) -> dict[str, str]:
        return {
            "from": self.payer,
            "to": self.to,
            "value": str(self.value),
            "validAfter": str(self.valid_after),
            "validBefore": str(self.valid_before),
            "nonce": "0x" + self.nonce.hex(),
        }


def parse(payload: Mapping[str, Any]) -> tuple[Authorization, bytes]:
    """An untrusted `{"signature", "authorization"}` as an authorization and a 65-byte signature with low s.
    Raises PaymentRefused: `invalid_payload`, or a name for a kind of payment that we do not take."""
    if "permit2Authorization" in payload:
        raise PaymentRefused("Permit2 payments are not taken; sign an EIP-3009 one.", reason="permit2_unsupported")
    fields = payload.get("authorization")
    if not isinstance(fields, Mapping):
        raise PaymentRefused("`payload.authorization` is missing or no object.", reason="invalid_payload")
    authorization = Authorization(
        payer=checksum(_text(fields, "from", _ADDRESS)),
        to=checksum(_text(fields, "to", _ADDRESS)),
        value=_uint(fields, "value"),
        valid_after=_uint(fields, "validAfter"),
        valid_before=_uint(fields, "validBefore"),
        nonce=bytes.fromhex(_text(fields, "nonce", _NONCE)[2:]),
    )
    return authorization, _signature(payload)


def _text(fields: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise PaymentRefused(f"`authorization.{name}` is malformed: {shown(value)}.", reason="invalid_payload")
    return value


def _uint(fields: Mapping[str, Any], name: str) -> int:
    # The specification writes decimal strings; some clients send JSON integers, which mean the same.
    value = fields.get(name)
    text = str(value) if type(value) is int and 0 <= value < 2**256 else value
    number = int(text) if isinstance(text, str) and _UINT.fullmatch(text) else 2**256
    if number >= 2**256:
        raise PaymentRefused(f"`authorization.{name}` is no uint256: {shown(value)}.", reason="invalid_payload")
    return number


def _signature(payload: Mapping[str, Any]) -> bytes:
    """65 bytes r ‖ s ‖ v of a plain account's key, s low. Smart wallets' longer forms are refused by name."""
    text = payload.get("signature")
    if not isinstance(text, str) or not _SIGNATURE.fullmatch(text):
        raise PaymentRefused(f"`payload.signature` is malformed: {shown(text)}.", reason="invalid_payload")
    signature = bytes.fromhex(text[2:])
    if signature.endswith(_ERC6492):
        raise PaymentRefused(
            "signatures of undeployed smart wallets (ERC-6492) are not taken; pay from a plain account.",
            reason="invalid_exact_evm_payload_undeployed_smart_wallet",
        )
    if len(signature) > 65:
        raise PaymentRefused(
            "smart-wallet signatures are not taken; pay from a plain account.", reason="smart_wallet_unsupported"
        )
    return signature


def recover(digest: bytes, signature: bytes) -> str:
    """The address whose key made this signature. Raises PaymentRefused on anything but 65 bytes, v of 0, 1, 27 or 28,
    and s in the lower half (the contract refuses the upper one, EIP-2)."""
    if len(signature) != 65 or signature[64] not in (0, 1, 27, 28):
        raise _bad_signature("must be 65 bytes that end in 27 or 28")
    if int.from_bytes(signature[32:64], "big") > _HALF_N:
        raise _bad_signature("has a high s")
    try:
        public = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] % 27]), digest, hasher=None)
    except ValueError as failure:
        raise _bad_signature("is on no point of the curve") from failure
    return _address(public)


def _bad_signature(what: str) -> PaymentRefused:
    return PaymentRefused(f"the signature {what}.", reason="invalid_exact_evm_payload_signature")


def sign(key: bytes, authorization: Authorization, domain: Domain) -> str:
    """0x and 65 bytes, s low, v 27 or 28."""
    made = PrivateKey(key).sign_recoverable(authorization.digest(domain), hasher=None)
    return "0x" + (made[:64] + bytes([27 + made[64]])).hex()


def authorize(key: bytes, requirement: Requirement, chain_id: int, *, now: int, nonce: bytes) -> dict[str, Any]:
    """The payer's side: the payload that pays `requirement` until now + `max_timeout`. `nonce`: 32 random bytes."""
    authorization = Authorization(
        payer=address_of(key),
        to=checksum(requirement.pay_to),
        value=requirement.amount,
        valid_after=now - BACKDATED,
        valid_before=now + requirement.max_timeout,
        nonce=nonce,
    )
    signature = sign(key, authorization, Domain.of(requirement, chain_id))
    return {"signature": signature, "authorization": authorization.payload()}
