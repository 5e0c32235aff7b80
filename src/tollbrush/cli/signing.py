"""A payment for other programs to send: signed here, within the caps, and booked as spent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from tollbrush.cli.context import unlocked
from tollbrush.cli.counter import advised
from tollbrush.client import GatewayFlow, Order, open_http
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, SpendingPolicy
from tollbrush.payments.payer import Payer
from tollbrush.payments.wallet import load_or_create
from tollbrush.settings import Settings

_EDIT_ROUTE: Final = re.compile(r"(?:/api)?/v1/images(?:/[a-z0-9]+)?/?\Z")


def sign_header(
    settings: Settings, url: str, fields: Mapping[str, Any], max_price: Price | None, network: str | None
) -> tuple[str, str, Price]:
    """A payment for one edit at `url`, within the caps: header name, value, price. It counts as spent until its chain
    says otherwise. Raises the client's errors."""

    settings = unlocked(settings)

    async def sign() -> tuple[str, str, Price]:
        gateway, payer = _gateway_of(url), _payer(settings, network)
        try:
            async with open_http(gateway) as http:
                quoted = await GatewayFlow(gateway, payer, http).quote(Order(fields))
            if quoted is None:
                raise BadRequest(f"{gateway} asks for no payment.")
            if max_price is not None and quoted.price > max_price:
                raise SpendingPolicy(
                    f"The edit costs {quoted.price}, more than the {max_price} allowed.",
                    advice="Nothing was signed. Allow more with --max-price.",
                )
            payment = await payer.pay(quoted.offers, quoted=quoted.price, gateway=gateway)
            await payer.doubtful(payment)
            return *payment.header, payment.price
        finally:
            await payer.close()

    with advised(settings):
        return asyncio.run(sign())


def _payer(settings: Settings, network: str | None) -> Payer:
    if network:
        router = settings.router.model_copy(update={"network": network})
        settings = settings.model_copy(update={"router": router})
    return Payer(load_or_create(settings), settings)


def _gateway_of(url: str) -> str:
    """The gateway's base of its edit route's URL; `/sol` stays. Raises BadRequest."""
    try:
        parts = urlsplit(url)
    except ValueError as wrong:
        raise BadRequest(f"{url[:80]!r} is not a URL: {wrong}.", advice="Give the gateway's edit route.") from wrong
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRequest(f"{url[:80]!r} is not a URL.", advice="Give the gateway's edit route.")
    path = _EDIT_ROUTE.sub("", parts.path).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"
