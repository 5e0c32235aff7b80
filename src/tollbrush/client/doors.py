"""Where an edit is bought: from a router, which pays by itself, or straight from a gateway, with a wallet here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol

import httpx2
import msgspec

from tollbrush.client.flow import GatewayFlow
from tollbrush.client.inputs import Draft
from tollbrush.client.orders import OnProgress, Paid, Progress
from tollbrush.client.problems import from_answer, printable
from tollbrush.client.transport import JSON, Answer, NoAnswer, NotSent, call, open_http, send
from tollbrush.domain.networks import find
from tollbrush.domain.pricing import Price
from tollbrush.errors import Unavailable, UpstreamFailed
from tollbrush.payments.payer import Balance, Payer
from tollbrush.wire.offers import read_receipt

MODELS_PATH: Final = "/v1/models"


class Door(Protocol):
    """`takes_urls`: whether a picture may be given as an http(s) URL."""

    base: str
    http: httpx2.AsyncClient
    takes_urls: bool

    async def buy(self, draft: Draft, max_price: Price | None, progress: OnProgress | None) -> Paid: ...

    async def quote(self, draft: Draft) -> Price | None: ...

    async def models(self) -> list[dict[str, Any]]: ...

    async def balance(self) -> Sequence[Balance]: ...

    async def close(self) -> None: ...


class RouterDoor:
    """A router on this machine. It holds the connection until the edit is done."""

    takes_urls = True

    def __init__(self, url: str, http: httpx2.AsyncClient | None = None) -> None:
        self.base, self.http = url.rstrip("/"), http or open_http(url)

    async def buy(self, draft: Draft, max_price: Price | None, progress: OnProgress | None) -> Paid:
        fields = dict(draft.fields)
        if max_price is not None:
            fields["max_price"] = format(max_price.dollars, "f")
        if progress:
            progress(Progress("uploading"))
        url, body = self.base + "/v1/images/image2image", msgspec.json.encode(fields)
        try:
            # Never sent twice: the router may take the second for a second wish, and pay for it.
            answer = _ok(await send(self.http, "POST", url, content=body, headers=JSON), self.base)
        except NotSent as failure:
            raise _no_router(self.base) from failure
        except NoAnswer as failure:
            raise Unavailable(
                f"The router {self.base} stopped answering.",
                advice="What it bought is in its history: GET /v1/history.",
            ) from failure
        if progress:
            progress(Progress("delivered"))
        said = answer.json() or {}
        return Paid(said, _price(said.get("price")), read_receipt(answer.headers, said))

    async def quote(self, draft: Draft) -> Price | None:
        body = msgspec.json.encode(draft.order().quote)
        return _price((_ok(await self._call("POST", "/v1/images/quote", body), self.base).json() or {}).get("price"))

    async def models(self) -> list[dict[str, Any]]:
        return _rows(_ok(await self._call("GET", MODELS_PATH), self.base), self.base)

    async def balance(self) -> Sequence[Balance]:
        said = _ok(await self._call("GET", "/v1/wallet"), self.base).json() or {}
        return [b for row in said.get("accounts") or () if (b := _balance(row))]

    async def close(self) -> None:
        await self.http.aclose()

    async def _call(self, method: str, path: str, content: bytes | None = None) -> Answer:
        try:
            return await call(self.http, method, self.base, path, content)
        except Unavailable as silent:
            raise _no_router(self.base) from silent


class GatewayDoor:
    """A gateway anywhere, paid from this process. `payer` is closed with the door."""

    takes_urls = False

    def __init__(
        self,
        url: str,
        payer: Payer,
        *,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.http = open_http(url)
        self.flow = GatewayFlow(url, payer, self.http, patience=patience, clock=clock, sleep=sleep)
        self.base = self.flow.gateway

    async def buy(self, draft: Draft, max_price: Price | None, progress: OnProgress | None) -> Paid:
        return await self.flow.edit(draft.order(), max_price=max_price, progress=progress)

    async def quote(self, draft: Draft) -> Price | None:
        quote = await self.flow.quote(draft.order())
        return quote.price if quote else None

    async def models(self) -> list[dict[str, Any]]:
        return _rows(_ok(await self.flow.call("GET", "/api" + MODELS_PATH), self.base), self.base)

    async def balance(self) -> Sequence[Balance]:
        return await self.flow.payer.balances()

    async def close(self) -> None:
        await self.http.aclose()
        await self.flow.payer.close()


def _no_router(base: str) -> Unavailable:
    return Unavailable(
        f"No router answers at {base}.",
        advice="Start it with `tollbrush route`, or give Client(gateway=…) to pay from this process.",
    )


def _ok(answer: Answer, base: str) -> Answer:
    if answer.status != 200 or answer.json() is None:
        raise from_answer(answer, base)
    return answer


def _rows(answer: Answer, base: str) -> list[dict[str, Any]]:
    rows = (answer.json() or {}).get("data")
    if not isinstance(rows, list):
        raise UpstreamFailed(f"{base} answered no list of models.", advice="Check that the address is a gateway.")
    return [row for row in rows if isinstance(row, dict)]


def _price(said: Any) -> Price | None:
    try:
        return Price.of(Decimal(said["amount"])) if isinstance(said, dict) else None
    except (InvalidOperation, KeyError, TypeError, ValueError):
        return None


def _balance(row: Any) -> Balance | None:
    network = find(str(row.get("network"))) if isinstance(row, dict) else None
    if network is None:
        return None
    held = _price({"amount": row.get("balance")})
    return Balance(network, printable(row.get("address")), held, printable(row.get("problem")))
