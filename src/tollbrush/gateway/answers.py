"""The body of a settled edit, with its receipt in the headers: the same for an edit and for a poll."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tollbrush.domain.networks import BY_ID
from tollbrush.domain.pricing import Price
from tollbrush.editing.service import Delivery
from tollbrush.errors import NotFound
from tollbrush.gateway.edge import called_base
from tollbrush.gateway.problems import answer
from tollbrush.settings import GatewaySettings
from tollbrush.wire import x402


def deliver(request: Request, delivery: Delivery, settings: GatewaySettings, **more: Any) -> Response:
    """200 with URLs and receipt; `more` fields come first. Raises NotFound when the pictures have gone."""
    check_kept(delivery)
    return answer(more | edit_body(delivery, result_base(request, settings)), 200, delivery_headers(delivery))


def check_kept(delivery: Delivery) -> None:
    """Raises NotFound: an answer without pictures would read as a success."""
    if not delivery.job.images:
        raise gone()


def gone() -> NotFound:
    return NotFound("This edit was delivered, and its pictures are no longer kept.", advice="Pay for a new one.")


def delivery_headers(delivery: Delivery) -> dict[str, str]:
    """The receipt."""
    charge = delivery.charge
    assert charge.tx_hash is not None  # a settled charge has its transaction
    headers = x402.settlement_headers(charge.key.network, charge.tx_hash, charge.key.payer, charge.amount)
    return headers | {"Cache-Control": "no-store"}


def result_base(request: Request, settings: GatewaySettings) -> str:
    """What makes image URLs absolute."""
    return settings.public_url.rstrip("/") or called_base(request)


def edit_body(delivery: Delivery, base: str) -> dict[str, Any]:
    """`base` makes the image URLs absolute."""
    job, charge = delivery.job, delivery.charge
    body: dict[str, Any] = {
        "created": job.created,
        "data": [
            {
                "url": f"{base}/images/{image.key}",
                "revised_prompt": image.revised_prompt,
                "preserved": image.preserved,
                "edited_fraction": image.edited_fraction,
                "seed": image.seed,
                "width": image.width,
                "height": image.height,
                "mime_type": image.mime_type,
                "sha256": image.sha256,
            }
            for image in job.images
        ],
        "price": Price(job.amount).wire(),
        "payment": {
            "status": "already_settled" if delivery.replayed else "settled",
            "tx_hash": charge.tx_hash,
            "network": BY_ID[charge.key.network].v1,
        },
        "model": job.model,
    }
    if job.requested_model != job.model:
        body["requested_model"] = job.requested_model
    return body
