"""The buyer reads what x402 gateways publish, and survives what they should not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from x402.http.utils import (
    decode_payment_signature_header,
    encode_payment_required_header,
    encode_payment_response_header,
)
from x402.schemas import (
    PaymentPayload,
    PaymentPayloadV1,
    PaymentRequired,
    PaymentRequirements,
    ResourceInfo,
    SettleResponse,
)
from x402.schemas.v1 import PaymentRequiredV1, PaymentRequirementsV1

from tollbrush.domain.payments import Requirement
from tollbrush.domain.pricing import Price
from tollbrush.errors import PaymentRequired as OurPaymentRequired
from tollbrush.errors import UpstreamFailed
from tollbrush.wire import x402
from tollbrush.wire.offers import MAX_402, Offer, Receipt, payment_header, read_402, read_quote, read_receipt

USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
PAYEE = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
TX = "0x" + "ab" * 32
V2 = PaymentRequired(
    resource=ResourceInfo(url="https://g.example/api/v1/images/image2image", description="an edit"),
    accepts=[
        PaymentRequirements(
            scheme="exact", network="eip155:84532", asset=USDC, amount="21000", pay_to=PAYEE,
            max_timeout_seconds=600, extra={"name": "USDC", "version": "2"},
        )
    ],
)  # fmt: skip
V1 = PaymentRequiredV1(
    error="payment required",
    accepts=[
        PaymentRequirementsV1(
            scheme="exact", network="base-sepolia", asset=USDC, max_amount_required="21000", pay_to=PAYEE,
            resource="https://g.example/", max_timeout_seconds=600, extra={"name": "USDC", "version": "2"},
        )
    ],
)  # fmt: skip
REQUIREMENT = Requirement("eip155:84532", USDC, 21000, PAYEE, 600, {"name": "USDC", "version": "2"})


def dumped(model: Any) -> dict[str, Any]:
    return json.loads(model.model_dump_json(by_alias=True, exclude_none=True))  # type: ignore[no-any-return]


def b64(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_reads_the_header_of_version_2_and_the_body_of_version_1() -> None:
    (two,) = read_402({"payment-required": encode_payment_required_header(V2)}, b"{}")
    (one,) = read_402({}, V1.model_dump_json(by_alias=True).encode())
    assert (two.requirement, two.version) == (REQUIREMENT, 2)
    assert (one.requirement, one.version) == (REQUIREMENT, 1)
    assert two.resource == {"url": "https://g.example/api/v1/images/image2image", "description": "an edit"}


def test_reads_version_2_in_a_body_and_falls_back_from_a_broken_header() -> None:
    (offer,) = read_402({"payment-required": "not base64!"}, json.dumps(dumped(V2)).encode())
    assert (offer.requirement, offer.version) == (REQUIREMENT, 2)


def test_reads_our_own_402_both_ways() -> None:
    resource = x402.Resource("https://g.example/e", "an edit")
    headers, body = x402.payment_required([REQUIREMENT], resource, OurPaymentRequired("pay"))
    lower = {k.lower(): v for k, v in headers.items()}
    for offers in (read_402(lower, b""), read_402({}, json.dumps(body).encode())):
        assert [o.requirement for o in offers] == [REQUIREMENT]


def test_unreadable_entries_are_passed_over_and_unknown_networks_kept_as_written() -> None:
    good = dumped(V2)["accepts"][0]
    odd = [None, 5, {}, good | {"amount": "-1"}, good | {"amount": "1e9"}, good | {"amount": True},
           good | {"payTo": "x" * 300}, good | {"maxTimeoutSeconds": "soon"}, good | {"amount": "٣"}]  # fmt: skip
    foreign = good | {"network": "eip155:1", "amount": 7, "extra": None, "scheme": "upto"}
    offers = read_402({}, json.dumps({"x402Version": 2, "accepts": [*odd, foreign, good]}).encode())
    assert [(o.scheme, o.requirement.network, o.requirement.amount) for o in offers] == [
        ("upto", "eip155:1", 7),
        ("exact", "eip155:84532", 21000),
    ]


def test_non_text_extras_are_dropped_from_the_requirement_but_echoed() -> None:
    entry = dumped(V2)["accepts"][0] | {"extra": {"name": "USDC", "areas": [1]}}
    (offer,) = read_402({}, json.dumps({"x402Version": 2, "accepts": [entry]}).encode())
    assert offer.requirement.extra == {"name": "USDC"}
    assert json.loads(base64.b64decode(payment_header({}, offer)[1]))["accepted"] == entry


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>pay me</html>",
        b"[" * 100_000,
        b'{"x402Version":1,"accepts":[]}',
        b'{"x402Version":3,"accepts":[{}]}',
        b'{"x402Version":1,"accepts":"exact"}',
        b'{"x402Version":[1],"accepts":[]}',
        b" " * MAX_402 + json.dumps(dumped(V1)).encode(),
        b"\xff\xfe",
    ],
)
def test_a_402_that_offers_nothing_readable_is_the_gateways_fault(body: bytes) -> None:
    with pytest.raises(UpstreamFailed, match="no way to pay"):
        read_402({"payment-required": "A" * 70_000}, body)


def test_at_most_32_offers_are_read() -> None:
    entry = dumped(V2)["accepts"][0]
    assert len(read_402({}, json.dumps({"x402Version": 2, "accepts": [entry] * 100}).encode())) == 32


@given(st.binary(max_size=300), st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_nothing_but_the_tree_is_raised(body: bytes, header: str) -> None:
    for read in (lambda: read_402({"payment-required": header}, body), lambda: read_quote(body)):
        with pytest.raises(UpstreamFailed):
            read()
    assert read_receipt({"payment-response": header}, body) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["x402Version", "accepts", "resource"]), JSON, st.sampled_from(sorted(dumped(V2)["accepts"][0])))
@settings(max_examples=150, deadline=None)
def test_any_value_in_any_field_is_survived(field: str, value: Any, inner: str) -> None:
    good = dumped(V2) | {"x402Version": 2}
    for broken in (good | {field: value}, good | {"accepts": [good["accepts"][0] | {inner: value}]}):
        try:
            offers = read_402({}, json.dumps(broken).encode())
        except UpstreamFailed:
            continue
        assert all(o.requirement.amount >= 0 for o in offers)
        for offer in offers:
            payment_header({"a": 1}, offer)


def test_payment_headers_are_what_the_official_codec_reads() -> None:
    (one,) = read_402({}, V1.model_dump_json(by_alias=True).encode())
    (two,) = read_402({"payment-required": encode_payment_required_header(V2)}, b"")
    name, value = payment_header({"signature": "0x1"}, one)
    assert (name, decode_payment_signature_header(value)) == (
        "X-PAYMENT",
        PaymentPayloadV1(scheme="exact", network="base-sepolia", payload={"signature": "0x1"}),
    )
    name, value = payment_header({"signature": "0x1"}, two)
    assert (name, decode_payment_signature_header(value)) == (
        "PAYMENT-SIGNATURE",
        PaymentPayload(payload={"signature": "0x1"}, accepted=V2.accepts[0], resource=V2.resource),
    )


def test_our_own_gateway_reads_both_headers() -> None:
    (offer,) = read_402({"payment-required": encode_payment_required_header(V2)}, b"")
    for offered in (offer, Offer(REQUIREMENT, 1, dumped(V1)["accepts"][0])):
        name, value = payment_header({"signature": "0x1"}, offered)
        payment = x402.read_payment({name.lower(): value}.items(), limit=16_384)
        assert payment is not None
        assert (payment.version, payment.network, payment.payload) == (
            offered.version,
            "eip155:84532",
            {"signature": "0x1"},
        )


def test_reads_a_quote() -> None:
    said = {
        "price": {"amount": "0.021000", "currency": "USD"},
        "accepts": x402.accepts_v2([REQUIREMENT]),
        "resource": {"url": "https://g.example/e"},
    }
    quote = read_quote(json.dumps(said).encode())
    assert quote.price == Price(21000)
    assert [o.requirement for o in quote.offers] == [REQUIREMENT]
    broken: tuple[dict[str, Any], ...] = (
        {"price": {"amount": 0.021}},
        {"price": None},
        {"accepts": []},
        {"price": {"amount": "NaN"}},
    )
    for wrong in broken:
        with pytest.raises(UpstreamFailed, match="quote"):
            read_quote(json.dumps(said | wrong).encode())


def test_reads_receipts_of_every_kind() -> None:
    official = encode_payment_response_header(
        SettleResponse(success=True, transaction=TX, network="eip155:84532", payer=PAYEE)
    )
    ours = {k.lower(): v for k, v in x402.settlement_headers("eip155:84532", TX, PAYEE, 21000).items()}
    assert read_receipt({"payment-response": official}) == Receipt(TX, "eip155:84532", PAYEE)
    assert read_receipt(ours) == Receipt(TX, "eip155:84532", PAYEE, 21000)
    assert read_receipt({"x-payment-response": ours["x-payment-response"]}) == Receipt(TX, "eip155:84532", PAYEE, 21000)
    assert read_receipt({}, {"payment": {"tx_hash": TX, "network": "base-sepolia"}}) == Receipt(TX, "eip155:84532")


@pytest.mark.parametrize("tx", [None, "", 5, "0x12\x1b[31m" + "a" * 40, "short", "a" * 200])
def test_a_transaction_hash_that_is_none_is_no_receipt(tx: Any) -> None:
    assert read_receipt({"payment-response": b64({"success": True, "transaction": tx})}, {"payment": {}}) is None
    assert read_receipt({}, {"payment": {"tx_hash": tx}}) is None


def test_a_failed_settlement_is_no_receipt() -> None:
    assert read_receipt({"payment-response": b64({"success": False, "transaction": TX})}) is None
