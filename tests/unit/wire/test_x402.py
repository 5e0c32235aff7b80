"""Both protocol versions of the 402, judged by the official package's own models."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x402.schemas import PaymentPayload
from x402.schemas import PaymentRequired as OfficialV2
from x402.schemas.v1 import PaymentPayloadV1, PaymentRequiredV1

from tollbrush.domain.payments import Requirement
from tollbrush.errors import BadRequest, PaymentRefused, PaymentRequired, TollbrushError
from tollbrush.wire.x402 import Resource, encode, payment_required, read_payment, settlement_headers

BASE = Requirement("eip155:84532", "0x036CbD53842c5426634e7929541eC2318f3dCF7e", 21_000, "0x" + "11" * 20, 600,
                   {"name": "USDC", "version": "2"})  # fmt: skip
SOLANA = Requirement("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU", 21_000,
                     "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin", 600, {"feePayer": "x"})  # fmt: skip
RESOURCE = Resource("http://localhost:8401/api/v1/images/image2image", "1 × openai/gpt-image-1")
LIMIT = 16_384


def header(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def v1(**changes: Any) -> dict[str, Any]:
    return {"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": {"signature": "0x"}} | changes


def test_the_402_reads_in_both_versions() -> None:
    headers, body = payment_required((BASE, SOLANA), RESOURCE, PaymentRequired("This edit costs $0.021."))
    v2 = OfficialV2.model_validate(json.loads(base64.b64decode(headers["PAYMENT-REQUIRED"])))
    assert [a.network for a in v2.accepts] == [BASE.network, SOLANA.network]
    assert (v2.accepts[0].amount, v2.accepts[0].pay_to) == ("21000", BASE.pay_to)
    assert v2.resource is not None
    assert v2.resource.url == RESOURCE.url
    old = PaymentRequiredV1.model_validate(body)
    assert [a.network for a in old.accepts] == ["base-sepolia", "solana-devnet"]
    assert old.accepts[0].max_amount_required == "21000"
    assert old.accepts[1].extra == {"feePayer": "x"}
    assert headers["X-Payment-Required"] == headers["PAYMENT-REQUIRED"]
    assert headers["Cache-Control"] == "no-store"
    assert body["price"] == {"amount": "0.021000", "currency": "USD"}
    assert "reason" not in body


def test_a_refusal_says_why_and_asks_anew() -> None:
    _, body = payment_required((BASE,), RESOURCE, PaymentRefused("Too late. " + "x" * 400, reason="expired"))
    assert body["reason"] == "expired"
    assert isinstance(body["details"], str)
    assert len(body["details"]) < 256
    assert body["accepts"]


@pytest.mark.parametrize("name", ["x-payment", "payment-signature"])
def test_either_header_carries_either_version(name: str) -> None:
    old = PaymentPayloadV1(scheme="exact", network="base-sepolia", payload={"a": 1})
    new = PaymentPayload.model_validate(
        {"payload": {"a": 1}, "accepted": {"scheme": "exact", "network": BASE.network, "asset": BASE.asset,
         "amount": "21000", "payTo": BASE.pay_to, "maxTimeoutSeconds": 600}}
    )  # fmt: skip
    for model, version in ((old, 1), (new, 2)):
        text = base64.b64encode(model.model_dump_json(by_alias=True).encode()).decode()
        payment = read_payment({name: text}.items(), limit=LIMIT)
        assert payment is not None
        assert (payment.version, payment.network, payment.payload) == (version, BASE.network, {"a": 1})


def test_no_header_is_no_payment() -> None:
    assert read_payment({}.items(), limit=LIMIT) is None
    assert read_payment({"x-payment": "  "}.items(), limit=LIMIT) is None


def test_the_same_payment_in_both_headers_is_one() -> None:
    text = header(v1())
    assert read_payment({"x-payment": text, "payment-signature": text}.items(), limit=LIMIT) is not None
    with pytest.raises(BadRequest, match="two different"):
        read_payment({"x-payment": text, "payment-signature": header(v1(scheme="upto"))}.items(), limit=LIMIT)


def test_one_header_sent_twice_with_different_payments() -> None:
    with pytest.raises(BadRequest, match="two different"):
        read_payment([("x-payment", header(v1())), ("x-payment", header(v1(scheme="upto")))], limit=LIMIT)


@pytest.mark.parametrize(
    "text",
    ["!!!", "AA=A", header([]), header("x"), header(v1(payload=None)), header(v1(payload=[])), header(v1(network=7)),
     header({"x402Version": 2, "payload": {}}), "A" * 20_000, base64.b64encode(b"[" * 5000).decode(),
     base64.b64encode(b'{"a":' * 1000).decode(), header(v1())[:-9], base64.b64encode(b"\xff\xfe").decode(),
     base64.b64encode(b'{"a":"\xd7"}').decode()],
)  # fmt: skip
def test_the_unreadable_is_refused_by_name(text: str) -> None:
    with pytest.raises(PaymentRefused) as refused:
        read_payment({"x-payment": text}.items(), limit=LIMIT)
    assert refused.value.reason == "invalid_payload"


@pytest.mark.parametrize("version", [0, 3, "1", None, True, 1.5])
def test_unknown_versions(version: object) -> None:
    with pytest.raises(PaymentRefused) as refused:
        read_payment({"x-payment": header(v1(x402Version=version))}.items(), limit=LIMIT)
    assert refused.value.reason == "invalid_x402_version"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(json_values | st.fixed_dictionaries(
    {"x402Version": st.sampled_from([1, 2]) | json_values, "payload": json_values, "accepted": json_values,
     "scheme": json_values, "network": json_values}))  # fmt: skip
def test_no_json_breaks_it(value: Any) -> None:
    try:
        payment = read_payment({"x-payment": header(value)}.items(), limit=LIMIT)
    except TollbrushError:
        return
    assert payment is not None
    assert isinstance(payment.payload, dict)


def test_receipts_name_the_network_in_each_version() -> None:
    headers = settlement_headers(BASE.network, "0xabc", "0xpayer", 21_000)
    new, old = (json.loads(base64.b64decode(headers[n])) for n in ("PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE"))
    assert (new["network"], old["network"]) == ("eip155:84532", "base-sepolia")
    assert new["transaction"] == old["transaction"] == headers["X-PAYMENT-RECEIPT"] == "0xabc"
    assert new["success"] is True


def test_encode_is_base64_of_json() -> None:
    assert json.loads(base64.b64decode(encode({"ä": "☃"}))) == {"ä": "☃"}
