"""x402 on the seller's side of the wire: the 402 in both protocol versions, payment and settlement headers.

Specification: x402 v2 (transport HTTP) and v1. Headers carry base64 of compact JSON.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import pybase64

from tollbrush.domain.networks import BY_ID, BY_V1
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, PaymentRefused, PaymentRequired
from tollbrush.wire.nesting import is_too_deep

PAYMENT_HEADERS: Final = ("payment-signature", "x-payment")
EXPOSED_HEADERS: Final = (
    "PAYMENT-REQUIRED",
    "X-Payment-Required",
    "PAYMENT-RESPONSE",
    "X-PAYMENT-RESPONSE",
    "X-PAYMENT-RECEIPT",
    "Retry-After",
    "X-RateLimit-Source",
)
_MAX_DEPTH: Final = 8


@dataclass(frozen=True)
class Resource:
    """What is paid for. `url` bears the host that was called."""

    url: str
    description: str
    mime_type: str = "application/json"


def accepts_v2(offers: Sequence[Requirement]) -> list[dict[str, Any]]:
    """The `accepts` entries of protocol version 2, ready to sign."""
    return [
        {
            "scheme": "exact",
            "network": o.network,
            "asset": o.asset,
            "amount": str(o.amount),
            "payTo": o.pay_to,
            "maxTimeoutSeconds": o.max_timeout,
            "extra": dict(o.extra),
        }
        for o in offers
    ]


def accepts_v1(offers: Sequence[Requirement], resource: Resource) -> list[dict[str, Any]]:
    """The same in protocol version 1."""
    return [
        {
            "scheme": "exact",
            "network": BY_ID[o.network].v1,
            "maxAmountRequired": str(o.amount),
            "resource": resource.url,
            "description": resource.description,
            "mimeType": resource.mime_type,
            "payTo": o.pay_to,
            "maxTimeoutSeconds": o.max_timeout,
            "asset": o.asset,
            "extra": dict(o.extra),
        }
        for o in offers
    ]


def payment_required(
    offers: Sequence[Requirement], resource: Resource, error: PaymentRequired | PaymentRefused
) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and body of a 402: version 2 in the headers, version 1 in the body, each whole in itself."""
    v2 = {
        "x402Version": 2,
        "error": error.message,
        "resource": {"url": resource.url, "description": resource.description, "mimeType": resource.mime_type},
        "accepts": accepts_v2(offers),
    }
    body: dict[str, Any] = {
        "x402Version": 1,
        "error": error.message,
        "accepts": accepts_v1(offers, resource),
        "price": Price(offers[0].amount).wire(),
        "code": error.code,
        "message": error.sentence(),
    }
    if isinstance(error, PaymentRefused):
        body |= {"reason": error.reason, "details": error.sentence()[:255]}
    header = encode(v2)
    return {"PAYMENT-REQUIRED": header, "X-Payment-Required": header, "Cache-Control": "no-store"}, body


def settlement_headers(network: str, tx_hash: str, payer: str, amount: int) -> dict[str, str]:
    """The receipt: `PAYMENT-RESPONSE` (v2), `X-PAYMENT-RESPONSE` (v1 network name), `X-PAYMENT-RECEIPT`."""
    answer = {"success": True, "transaction": tx_hash, "network": network, "payer": payer, "amount": str(amount)}
    return {
        "PAYMENT-RESPONSE": encode(answer),
        "X-PAYMENT-RESPONSE": encode(answer | {"network": BY_ID[network].v1}),
        "X-PAYMENT-RECEIPT": tx_hash,
    }


def encode(value: Mapping[str, Any]) -> str:
    """JSON → base64, as header text."""
    return pybase64.b64encode(msgspec.json.encode(value)).decode()


def read_payment(headers: Iterable[tuple[str, str]], *, limit: int) -> Payment | None:
    """The payment in either header, of either version, or None. `headers` are pairs, names in lower case; `limit` in
    bytes.

    Raises BadRequest when headers differ, PaymentRefused (`invalid_payload`) on anything unreadable.
    """
    found = {value.strip() for name, value in headers if name in PAYMENT_HEADERS and value.strip()}
    if not found:
        return None
    if len(found) > 1:
        raise BadRequest("The payment headers carry two different payments.", advice="Send one of them only.")
    (text,) = found
    if len(text) > limit:
        raise _unreadable(f"the payment header has {len(text):,} bytes; at most {limit:,}")
    return _normalise(_decode(text))


def _decode(text: str) -> Any:
    try:
        raw = pybase64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as failure:
        raise _unreadable("the payment header is not base64") from failure
    if is_too_deep(raw, _MAX_DEPTH):
        raise _unreadable("the payment is nested too deeply")
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise _unreadable("the payment header is not base64 of JSON") from failure


def _normalise(value: Any) -> Payment:
    if not isinstance(value, dict):
        raise _unreadable("the payment is not a JSON object")
    version, payload = value.get("x402Version"), value.get("payload")
    if version not in (1, 2) or isinstance(version, bool):
        raise PaymentRefused(
            f"x402Version is {str(version)[:20]!r}; 1 and 2 are spoken here.", reason="invalid_x402_version"
        )
    if not isinstance(payload, dict):
        raise _unreadable("payload is missing or not an object")
    accepted = value.get("accepted") if version == 2 else None
    if version == 2 and not isinstance(accepted, dict):
        raise _unreadable("accepted is missing or not an object")
    scheme, network = ((accepted or value).get(name) for name in ("scheme", "network"))
    if not isinstance(scheme, str) or not isinstance(network, str):
        raise _unreadable("scheme and network must be text")
    known = BY_V1.get(network) or BY_ID.get(network)
    return Payment(version, scheme, known.id if known else network[:80], payload, accepted)


def _unreadable(what: str) -> PaymentRefused:
    return PaymentRefused(f"{what[0].upper()}{what[1:]}.", reason="invalid_payload")
