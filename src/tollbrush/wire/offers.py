"""x402 on the buyer's side of the wire: what a gateway asks for, the payment header, the receipt.

Tolerant to strangers: whoever speaks x402 v1 or v2 is read, entries that make no sense are passed over, every
length is bounded, and nothing but the error tree is raised. What may be signed is decided elsewhere.
x402's own schemas say the same but cost 0.4 s of import; the tests hold us to them.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
import pybase64

from tollbrush.domain.networks import find
from tollbrush.domain.payments import Requirement
from tollbrush.domain.pricing import Price
from tollbrush.errors import UpstreamFailed
from tollbrush.wire.nesting import is_too_deep
from tollbrush.wire.x402 import encode

MAX_402: Final = 2**18
"""Bytes of a 402's body, or of a quote, that are read."""
_MAX_HEADER: Final = 2**16
_MAX_OFFERS: Final = 32
_OFFER_HEADERS: Final = ("payment-required", "x-payment-required")
_RECEIPT_HEADERS: Final = ("payment-response", "x-payment-response")
_ATOMIC = re.compile(r"[0-9]{1,20}", re.ASCII)
_DOLLARS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,18})?", re.ASCII)
_TX = re.compile(r"[0-9A-Za-z]{16,128}", re.ASCII)


@dataclass(frozen=True)
class Offer:
    """One way to pay, as a gateway offers it. `entry` and `resource` are its own words, echoed when we pay;
    `requirement.network` is the CAIP-2 id when the network is known, else what the gateway wrote."""

    requirement: Requirement
    version: int
    entry: Mapping[str, Any]
    scheme: str = "exact"
    resource: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Quote:
    """What an edit will cost, and the ways to pay it. `forms`: whether the gateway says that it reads multipart."""

    price: Price
    offers: tuple[Offer, ...]
    forms: bool = False


@dataclass(frozen=True)
class Receipt:
    """What a gateway says of a settlement. `network` is the CAIP-2 id when known; `amount` in atomic units."""

    tx_hash: str
    network: str
    payer: str = ""
    amount: int | None = None


_Short = Annotated[str, msgspec.Meta(max_length=256)]
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class _Entry(msgspec.Struct, rename="camel"):
    scheme: _Short
    network: _Short
    asset: _Short
    pay_to: _Short
    amount: _Short | int
    max_timeout_seconds: _Seconds = 600
    extra: dict[str, Any] | None = None


class _EntryV1(_Entry, rename="camel"):
    amount: _Short | int = msgspec.field(name="maxAmountRequired")


def read_402(headers: Mapping[str, str], body: bytes) -> tuple[Offer, ...]:
    """The offers of a 402, in its order: version 2 of the header when that is readable, else the body's, of either
    version. `headers` has lower-case names, or looks them up in any case. Raises UpstreamFailed when there is none."""
    for name in _OFFER_HEADERS:
        if offers := _offers(_decoded_header(headers.get(name))):
            return offers
    if offers := _offers(_decoded(body)):
        return offers
    raise UpstreamFailed(
        "The gateway asks for a payment (402) but offers no way to pay that can be read.",
        advice="Nothing was paid. Check that the address is an x402 gateway.",
    )


def read_quote(body: bytes) -> Quote:
    """The answer to `/quote`. Raises UpstreamFailed."""
    value = _decoded(body)
    offers = _offers(value | {"x402Version": 2}) if isinstance(value, dict) else ()
    price = value.get("price") if isinstance(value, dict) else None
    amount = price.get("amount") if isinstance(price, dict) else None
    if not offers or not isinstance(amount, str) or not _DOLLARS.fullmatch(amount):
        raise UpstreamFailed(
            "The gateway's quote cannot be read.", advice="Nothing was paid. Check that the address is a gateway."
        )
    uploads = value.get("uploads")
    return Quote(Price.of(Decimal(amount)), offers, isinstance(uploads, list) and "multipart/form-data" in uploads)


def payment_header(payload: Mapping[str, Any], offer: Offer) -> tuple[str, str]:
    """Name and value of the header that carries this payment, in the version that the offer was made in."""
    if offer.version == 1:
        envelope = {"x402Version": 1, "scheme": offer.scheme, "network": offer.entry["network"], "payload": payload}
        return "X-PAYMENT", encode(envelope)
    envelope = {"x402Version": 2, "payload": payload, "accepted": offer.entry}
    if offer.resource is not None:
        envelope["resource"] = offer.resource
    return "PAYMENT-SIGNATURE", encode(envelope)


def read_receipt(headers: Mapping[str, str], answer: Any = None) -> Receipt | None:
    """The receipt in the settlement headers, or else in the JSON answer's `payment`. None when there is none:
    a gateway that delivers without a receipt has still delivered."""
    for name in _RECEIPT_HEADERS:
        said = _decoded_header(headers.get(name))
        if isinstance(said, dict) and (receipt := _receipt(said, said.get("transaction"))):
            return receipt
    payment = answer.get("payment") if isinstance(answer, dict) else None
    if isinstance(payment, dict):
        return _receipt(payment, payment.get("tx_hash"))
    return None


def _receipt(said: Mapping[str, Any], tx_hash: Any) -> Receipt | None:
    network, payer = str(said.get("network", ""))[:80], str(said.get("payer", ""))[:80]
    if not isinstance(tx_hash, str) or not _TX.fullmatch(tx_hash) or said.get("success") is False:
        return None
    known = find(network)
    return Receipt(tx_hash, known.id if known else network, payer, _atomic(said.get("amount")))


def _offers(value: Any) -> tuple[Offer, ...]:
    if not isinstance(value, dict) or value.get("x402Version") not in (1, 2):
        return ()
    entries, version, resource = value.get("accepts"), int(value["x402Version"]), value.get("resource")
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return ()
    read = (_offer(e, version, resource if isinstance(resource, dict) else None) for e in entries[:_MAX_OFFERS])
    return tuple(offer for offer in read if offer is not None)


def _offer(entry: Any, version: int, resource: Mapping[str, Any] | None) -> Offer | None:
    kind = _Entry if version == 2 else _EntryV1
    try:
        said = msgspec.convert(entry, kind)
    except msgspec.ValidationError:
        return None
    amount, network = _atomic(said.amount), find(said.network)
    if amount is None:
        return None
    extra = {k: v for k, v in (said.extra or {}).items() if isinstance(v, str)}
    requirement = Requirement(
        network.id if network else said.network, said.asset, amount, said.pay_to, said.max_timeout_seconds, extra
    )
    return Offer(requirement, version, entry, said.scheme, resource)


def _atomic(value: Any) -> int | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if _ATOMIC.fullmatch(text) else None


def _decoded_header(text: str | None) -> Any:
    if not text or len(text) > _MAX_HEADER:
        return None
    try:
        raw = pybase64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return _decoded(raw)


def _decoded(raw: bytes) -> Any:
    if len(raw) > MAX_402 or is_too_deep(raw):
        return None
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
