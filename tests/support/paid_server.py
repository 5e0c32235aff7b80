"""A published x402 gateway on loopback, strict, written on the official schemas and eth-account, not on our code.

`PaidServer` speaks versions 1 and 2, with or without `/quote`. A test scripts what it must not be trusted with:
`server.script["edit"]` holds replies (or functions of the request) that are used up before the honest ones.
"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from PIL import Image
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction
from x402.http.utils import (
    decode_payment_signature_header,
    encode_payment_required_header,
    encode_payment_response_header,
)
from x402.schemas import PaymentPayload, PaymentRequired, PaymentRequirements, ResourceInfo, SettleResponse
from x402.schemas.v1 import PaymentPayloadV1, PaymentRequiredV1, PaymentRequirementsV1

PRICE = 21_000
PAYEE = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
SOLANA_PAYEE = "3Cy3YNTFywCmxoxt8n7UH6hg6dLo5uACowX3CFceaSnx"
FEE_PAYER = "9B5XszUGdMaxCZ7uSQhPzdks5ZQSmWxrmzCSvtJ6Ns6g"
V1_NAMES = {"eip155:84532": "base-sepolia", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1": "solana-devnet"}
EDIT = "/api/v1/images/image2image"

_TYPES = {
    "TransferWithAuthorization": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "validAfter", "type": "uint256"},
        {"name": "validBefore", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}


def png(size: tuple[int, int] = (8, 6), color: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def on_base(price: int = PRICE, pay_to: str = PAYEE, **changes: Any) -> PaymentRequirements:
    said = {
        "scheme": "exact", "network": "eip155:84532", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "amount": str(price), "pay_to": pay_to, "max_timeout_seconds": 600, "extra": {"name": "USDC", "version": "2"},
    }  # fmt: skip
    return PaymentRequirements(**(said | changes))


def on_solana(price: int = PRICE, pay_to: str = SOLANA_PAYEE, **changes: Any) -> PaymentRequirements:
    said = {
        "scheme": "exact", "network": "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
        "asset": "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU", "amount": str(price), "pay_to": pay_to,
        "max_timeout_seconds": 600, "extra": {"feePayer": FEE_PAYER},
    }  # fmt: skip
    return PaymentRequirements(**(said | changes))


@dataclass(frozen=True)
class Heard:
    """A request. Header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def payment(self) -> str | None:
        return self.headers.get("payment-signature") or self.headers.get("x-payment")


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False


DROP = Reply(0, drop=True)
"""Close the connection without an answer."""
Script = Reply | Callable[[Heard], Reply]


def reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"content-type": "application/json", **(headers or {})})


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class PaidServer:
    """`heard` lists all requests, `charged` the distinct payments taken. Stop it."""

    def __init__(
        self, *offers: PaymentRequirements, versions: tuple[int, ...] = (1, 2), quotes: bool = True, price: int = PRICE
    ) -> None:
        self.offers, self.versions, self.quotes = list(offers or [on_base(price)]), versions, quotes
        self.picture = png()
        self.heard: list[Heard] = []
        self.charged: list[str] = []
        self.script: dict[str, list[Script]] = defaultdict(list)
        self._http = _Listener(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def of(self, kind: str) -> list[Heard]:
        """The requests of one kind: quote, edit, poll, image, models."""
        return [h for h in self.heard if _kind(h) == kind]

    def answer(self, heard: Heard) -> Reply:
        self.heard.append(heard)
        kind = _kind(heard)
        if self.script[kind]:
            scripted = self.script[kind].pop(0)
            return scripted if isinstance(scripted, Reply) else scripted(heard)
        honest: Mapping[str, Callable[[Heard], Reply]] = {
            "quote": self.quote,
            "edit": self.edit,
            "poll": self.edit,
            "image": lambda _: Reply(200, self.picture, {"content-type": "image/png"}),
            "models": lambda _: reply(200, {"object": "list", "data": [{"id": "openai/gpt-image-1"}]}),
        }
        return honest[kind](heard) if kind in honest else reply(404, {"error": "Not found", "code": "not_found"})

    def edit(self, heard: Heard) -> Reply:
        """Verify, settle, deliver; 402 otherwise."""
        if heard.payment is None:
            return self.ask()
        try:
            key = self._verified(heard)
        except AssertionError as failure:
            return self.ask(reason=str(failure).splitlines()[0])
        if key not in self.charged:
            self.charged.append(key)
        return self.deliver(f"0x{len(self.charged):064x}")

    def ask(self, *offers: PaymentRequirements, reason: str = "") -> Reply:
        """A 402 with these offers, or the server's own, in its versions."""
        listed, headers = list(offers or self.offers), {"content-type": "application/json", "cache-control": "no-store"}
        error = reason or "Payment required"
        if 2 in self.versions:
            resource = ResourceInfo(url=self.url + EDIT, description="an edit", mime_type="application/json")
            required = PaymentRequired(error=error, resource=resource, accepts=listed)
            headers["PAYMENT-REQUIRED"] = encode_payment_required_header(required)
        body: dict[str, Any] = {}
        if 1 in self.versions:
            v1 = PaymentRequiredV1(error=error, accepts=[self._v1(o) for o in listed])
            body = json.loads(v1.model_dump_json(by_alias=True, exclude_none=True))
        return reply(402, body | {"code": "payment_required"} | ({"reason": reason} if reason else {}), headers)

    def deliver(self, tx_hash: str, **changes: Any) -> Reply:
        settled = SettleResponse(success=True, transaction=tx_hash, network=self.offers[0].network, payer="0x1")
        body = {
            "created": 1, "data": [{"url": f"{self.url}/images/result.png", "revised_prompt": "a hat"}],
            "price": {"amount": "0.021000", "currency": "USD"}, "model": "openai/gpt-image-1",
            "payment": {"status": "settled", "tx_hash": tx_hash, "network": V1_NAMES[self.offers[0].network]},
        }  # fmt: skip
        return reply(200, body | changes, {"PAYMENT-RESPONSE": encode_payment_response_header(settled)})

    def accept(self, job: str = "job1", **changes: Any) -> Reply:
        """A 202 with its envelope."""
        said = {"id": job, "status": "queued", "poll_url": f"/api/v1/images/generations/{job}"}
        return reply(202, said | changes)

    def quote(self, heard: Heard) -> Reply:
        if not self.quotes:
            return reply(404, {"error": "Not found"})
        said = json.loads(heard.body)
        assert set(said) <= {"model", "size", "n", "width", "height", "masked", "prompt"}, said
        accepts = [json.loads(o.model_dump_json(by_alias=True)) for o in self.offers]
        dollars = f"{int(self.offers[0].amount) / 10**6:.6f}"
        return reply(
            200, {"price": {"amount": dollars, "currency": "USD"}, "accepts": accepts, "resource": {"url": "x"}}
        )

    def _v1(self, offer: PaymentRequirements) -> PaymentRequirementsV1:
        return PaymentRequirementsV1(
            scheme=offer.scheme, network=V1_NAMES.get(offer.network, offer.network), max_amount_required=offer.amount,
            resource=self.url + EDIT, description="an edit", mime_type="application/json", pay_to=offer.pay_to,
            max_timeout_seconds=offer.max_timeout_seconds, asset=offer.asset, extra=offer.extra,
        )  # fmt: skip

    def _verified(self, heard: Heard) -> str:
        """What makes the payment unique. AssertionError says what is wrong with it."""
        in_v2, in_v1 = heard.headers.get("payment-signature"), heard.headers.get("x-payment")
        assert (in_v2 is None) != (in_v1 is None), "exactly one payment header"
        payment = decode_payment_signature_header(in_v2 or in_v1 or "")
        if in_v2:
            assert isinstance(payment, PaymentPayload), "PAYMENT-SIGNATURE carries version 2"
            assert 2 in self.versions, "version 2 is not spoken"
            assert payment.accepted in self.offers, "accepted is none of the offers"
            offer = payment.accepted
        else:
            assert isinstance(payment, PaymentPayloadV1), "X-PAYMENT carries version 1"
            assert 1 in self.versions, "version 1 is not spoken"
            matching = [o for o in self.offers if V1_NAMES.get(o.network) == payment.network]
            assert matching, "network is not offered"
            offer = matching[0]
        assert payment.get_scheme() == "exact", "scheme"
        verify = _verified_evm if offer.network.startswith("eip155") else _verified_svm
        return verify(payment.payload, offer)


def _verified_evm(payload: Mapping[str, Any], offer: PaymentRequirements) -> str:
    said = payload["authorization"]
    domain = {
        "name": offer.extra["name"], "version": offer.extra["version"], "chainId": int(offer.network.split(":")[1]),
        "verifyingContract": offer.asset,
    }  # fmt: skip
    values = {k: int(v) if k in ("value", "validAfter", "validBefore") else v for k, v in said.items()}
    signed = encode_typed_data(domain, _TYPES, values)
    assert Account.recover_message(signed, signature=payload["signature"]) == said["from"], "signature"
    assert said["to"].lower() == offer.pay_to.lower(), "recipient"
    assert int(said["value"]) == int(offer.amount), "amount"
    assert int(said["validBefore"]) - int(said["validAfter"]) >= offer.max_timeout_seconds, "window"
    return str(said["nonce"])


def _verified_svm(payload: Mapping[str, Any], offer: PaymentRequirements) -> str:
    tx = VersionedTransaction.from_bytes(base64.b64decode(payload["transaction"]))
    keys = tx.message.account_keys
    assert str(keys[0]) == offer.extra["feePayer"], "fee payer"
    transfer = tx.message.instructions[2]
    _, mint, destination, _ = (keys[i] for i in bytes(transfer.accounts))
    assert str(mint) == offer.asset, "asset"
    assert destination == get_associated_token_address(Pubkey.from_string(offer.pay_to), mint), "recipient"
    assert int.from_bytes(bytes(transfer.data)[1:9], "little") == int(offer.amount), "amount"
    assert tx.verify_with_results()[1], "signature"
    return str(tx.message.hash())


def _kind(heard: Heard) -> str:
    if heard.path.endswith("/quote"):
        return "quote"
    if heard.path.endswith(("/models", "/wallet")):
        return heard.path.rsplit("/", 1)[1]
    if heard.path.endswith(("/image2image", "/images/edits")):
        return "edit"
    if "/generations/" in heard.path:
        return "poll"
    return "image" if heard.path.startswith("/images/") else "other"


def _handler(server: PaidServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            answered = server.answer(Heard(self.command, self.path, headers, body))
            if answered.drop:
                self.close_connection = True
                return
            self.send_response(answered.status)
            for name, value in dict(answered.headers).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answered.body)))
            self.end_headers()
            self.wfile.write(answered.body)

        def do_GET(self) -> None:
            self.do_POST()

        def do_DELETE(self) -> None:
            self.do_POST()

    return Handler
