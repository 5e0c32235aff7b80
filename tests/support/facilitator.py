"""The official x402 facilitator hosted behind HTTP, for both chain families, honest or spoilt."""

from __future__ import annotations

from typing import Any

from x402.facilitator import x402FacilitatorSync
from x402.schemas import PaymentPayload, PaymentRequirements
from x402.schemas.v1 import PaymentPayloadV1, PaymentRequirementsV1

from support.spoilt import SpoiltServer


class HostedFacilitator(SpoiltServer):
    """`/verify`, `/settle` and `/supported` as the specification has them. `versions` are those that `/supported`
    admits to; `bodies` keeps what came."""

    def __init__(self, facilitator: x402FacilitatorSync) -> None:
        self._facilitator = facilitator
        self.versions = {1, 2}
        self.bodies: list[dict[str, Any]] = []
        super().__init__()

    def name(self, path: str, body: dict[str, Any]) -> str:
        self.bodies += [body] if body else []
        return path

    def work(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name == "/supported":
            supported = self._facilitator.get_supported().model_dump(by_alias=True, exclude_none=True)
            return supported | {"kinds": [k for k in supported["kinds"] if k["x402Version"] in self.versions]}
        run = self._facilitator.verify if name == "/verify" else self._facilitator.settle
        if body["x402Version"] == 1:
            payment: Any = PaymentPayloadV1.model_validate(body["paymentPayload"])
            due: Any = PaymentRequirementsV1.model_validate(body["paymentRequirements"])
        else:
            payment = PaymentPayload.model_validate(body["paymentPayload"])
            due = PaymentRequirements.model_validate(body["paymentRequirements"])
        return dict(run(payment, due).model_dump(by_alias=True, exclude_none=True))
