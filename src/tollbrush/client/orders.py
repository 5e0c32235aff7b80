"""What is bought, how far it is, and what came of it: the values that a gateway flow takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tollbrush.domain.pricing import Price
from tollbrush.payments.payer import SignedPayment
from tollbrush.wire.offers import Receipt

Stage = Literal["quoted", "signed", "uploading", "waiting", "delivered"]


@dataclass(frozen=True)
class Order:
    """An edit ready to upload. `body`: the request as JSON bytes; `quote`: what decides its price, as `/quote` takes
    it (`model`, `size`, `n`, `width`, `height`, `masked`, `prompt`)."""

    body: bytes = field(repr=False)
    quote: Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """Where an edit is. `job` and `poll_url` once the gateway has answered 202; `payment` once it is signed: with
    these three `GatewayFlow.collect` can go on after a restart."""

    stage: Stage
    price: Price | None = None
    payment: SignedPayment | None = None
    job: str = ""
    poll_url: str = ""
    fraction: float | None = None
    queue_position: int | None = None


@dataclass(frozen=True)
class Paid:
    """A delivered edit. `answer` is the gateway's JSON as it came; `price` what was paid, None for nothing."""

    answer: Mapping[str, Any]
    price: Price | None
    receipt: Receipt | None


OnProgress = Callable[[Progress], None]
