"""What an edit may cost: its quote, within what the owner lets an agent spend unasked, or what the user agrees to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from tollbrush.domain.pricing import Price
from tollbrush.errors import SpendingPolicy
from tollbrush.mcp import shapes
from tollbrush.mcp.protocol import Call, RpcError

if TYPE_CHECKING:
    from tollbrush.client import AsyncClient
    from tollbrush.client.inputs import EditOptions
    from tollbrush.settings import Settings

_CONSENT: Final = {
    "type": "object",
    "properties": {"pay": {"type": "boolean", "title": "Pay", "description": "Yes: pay for this edit."}},
    "required": ["pay"],
}


@dataclass(frozen=True)
class Place:
    """The owner's settings, and the address of the router that runs here, if one does."""

    settings: Settings
    router: str | None


async def agreed(
    call: Call,
    client: AsyncClient,
    place: Place,
    image: object,
    said: shapes.EditImage,
    options: Mapping[str, Any],
    *,
    can_ask: bool,
) -> Price:
    """What the edit may cost: its quote, when that is within what may be spent unasked or the user agrees. Raises
    SpendingPolicy."""
    most = _limit(said.max_price)
    unasked = Price.of(place.settings.router.spending.confirm_above)
    price = await client.quote(image, said.prompt, **cast("EditOptions", options))
    if price is None:  # the gateway tells only those who upload
        return min(most or unasked, unasked)
    if most is not None and price > most:
        raise SpendingPolicy(
            f"The edit costs {price}, more than the {most} allowed.",
            advice="Nothing was signed. Allow more with max_price.",
        )
    if price > unasked:
        await _ask(call, price, unasked, said.prompt, can_ask=can_ask)
    return price


async def _ask(call: Call, price: Price, unasked: Price, prompt: str, *, can_ask: bool) -> None:
    owner = "Its owner can allow more: TOLLBRUSH_ROUTER__SPENDING__CONFIRM_ABOVE."
    if not can_ask:
        raise SpendingPolicy(
            f"The edit costs {price}, more than the {unasked} that may be spent without asking, and this program "
            "cannot ask its user.",
            advice=f"Nothing was signed. {owner}",
        )
    shown = "".join(c if c.isprintable() else " " for c in prompt[:200])
    question = f"Pay {price} in USDC for this edit? “{shown}”"
    try:
        answer = await call.ask("elicitation/create", {"message": question, "requestedSchema": _CONSENT})
    except RpcError as silent:
        raise SpendingPolicy(
            f"The edit costs {price}, and the user could not be asked: {silent.message[:200]}.",
            advice=f"Nothing was signed. {owner}",
        ) from silent
    content = answer.get("content")
    if answer.get("action") != "accept" or not isinstance(content, dict) or content.get("pay") is not True:
        raise SpendingPolicy(f"The user did not agree to pay {price}.", advice="Nothing was signed.")


def _limit(said: str | int | float | None) -> Price | None:
    """Dollars as text, or as a JSON number, whose shortest decimal is meant. Raises BadRequest."""
    from tollbrush.client.inputs import price_limit

    return price_limit(str(said).removeprefix("$") if isinstance(said, str | int | float) else None)
