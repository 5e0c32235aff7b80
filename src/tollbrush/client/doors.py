"""Where an edit is bought: from a router, which pays by itself, or straight from a gateway, with a wallet here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any, Final, Protocol

import httpx2
import msgspec

from tollbrush.client.flow import GatewayFlow
from tollbrush.client.history import EditState, History, Row
from tollbrush.client.inputs import Draft
from tollbrush.client.jobs import Purchaser, RouterTicket, Ticket, price_of, resumed
from tollbrush.client.orders import OnProgress, Paid, Progress
from tollbrush.client.past import PastEdit
from tollbrush.client.problems import from_answer, from_code, printable
from tollbrush.client.transport import JSON, Answer, NoAnswer, NotSent, call, open_http, send
from tollbrush.domain.networks import find
from tollbrush.domain.pricing import Price
from tollbrush.errors import EngineFailed, NotFound, Unavailable, UpstreamFailed
from tollbrush.payments.payer import Balance, Payer
from tollbrush.wire.offers import read_receipt

MODELS_PATH: Final = "/v1/models"
_EDIT: Final = "/v1/images/image2image"
_HOLD: Final = 20
"""Seconds that a router holds a request before it answers with a job."""


class Door(Protocol):
    """`takes_urls`: whether a picture may be given as an http(s) URL."""

    base: str
    http: httpx2.AsyncClient
    takes_urls: bool

    async def order(
        self, draft: Draft, max_price: Price | None, progress: OnProgress | None, *, at_once: bool
    ) -> Ticket:
        """`at_once`: come back as soon as it is accepted. Raises what goes wrong before."""
        ...

    async def ticket(self, name: str) -> Ticket:
        """Of an earlier order. Raises NotFound."""
        ...

    async def quote(self, draft: Draft) -> Price | None: ...

    async def models(self) -> list[dict[str, Any]]: ...

    async def balance(self) -> Sequence[Balance]: ...

    async def history(self, limit: int) -> list[PastEdit]: ...

    async def close(self) -> None: ...


class RouterDoor:
    """A router on this machine."""

    takes_urls = True

    def __init__(self, url: str, http: httpx2.AsyncClient | None = None, *, patience: float) -> None:
        self.base, self.http, self._patience = url.rstrip("/"), http or open_http(url), patience

    async def order(
        self, draft: Draft, max_price: Price | None, progress: OnProgress | None, *, at_once: bool
    ) -> RouterTicket:
        more = {} if max_price is None else {"max_price": format(max_price.dollars, "f")}
        if progress:
            progress(Progress("uploading"))
        upload = draft.order(**more).as_form()
        hold = 0 if at_once else 1 if progress else _HOLD
        headers = {**JSON, "content-type": upload.content_type, "prefer": f"respond-async, wait={hold}"}
        try:
            # Never sent twice: the router may take the second for a second wish, and pay for it.
            answer = await send(self.http, "POST", self.base + _EDIT, content=upload.body, headers=headers)
        except NotSent as failure:
            raise _no_router(self.base) from failure
        except NoAnswer as failure:
            raise Unavailable(
                f"The router {self.base} stopped answering.",
                advice="What it bought is in its history: GET /v1/history.",
            ) from failure
        if answer.status not in (200, 202) or answer.json() is None:
            raise from_answer(answer, self.base)
        return RouterTicket(self.http, self.base, answer, patience=self._patience)

    async def ticket(self, name: str) -> RouterTicket:
        return await RouterTicket.find(self.http, self.base, name, patience=self._patience)

    async def history(self, limit: int) -> list[PastEdit]:
        said = _ok(await self._call("GET", f"/v1/history?limit={limit}"), self.base).json() or {}
        rows = said.get("data")
        return [PastEdit.read(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    async def quote(self, draft: Draft) -> Price | None:
        body = msgspec.json.encode(draft.order().quote)
        return price_of((_ok(await self._call("POST", "/v1/images/quote", body), self.base).json() or {}).get("price"))

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
        self._tickets: set[Purchaser] = set()

    @cached_property
    def book(self) -> History:
        """What was bought from this process and others of its owner's. Raises Unavailable."""
        return History(self.flow.payer.folder / "history.db")

    async def order(
        self, draft: Draft, max_price: Price | None, progress: OnProgress | None, *, at_once: bool
    ) -> Purchaser:
        name = self.book.begin("", str(draft.fields["prompt"]), self.base, at=time.time())
        ticket = self._ticket(name)
        ticket.start(
            self.flow.edit(draft.order(), max_price=max_price, progress=ticket.note, at_once=at_once), progress
        )
        if at_once:
            await ticket.accepted()
        return ticket

    async def ticket(self, name: str) -> Purchaser:
        """By our own id or the gateway's, of a job that this wallet began."""
        for ticket in self._tickets:
            if name in (ticket.id, ticket.last.job) and not ticket.task.done():
                return ticket
        row = self.book.get(name) or self.book.of_job(name)
        if row is None or row.gateway != self.base:
            raise NotFound(f"no job {name[:80]!r} of {self.base} is in {self.flow.payer.folder}.")
        ticket = self._ticket(row.id)
        if row.bought is not None:
            ticket.start(_bought(row))
        elif row.state is EditState.FAILED and not row.poll_url:
            raise from_code(row.code, row.error, EngineFailed)
        else:
            ticket.start(resumed(self.flow, self.book, row, ticket.note))
        return ticket

    async def history(self, limit: int) -> list[PastEdit]:
        return [PastEdit.of(row) for row in self.book.recent(limit)]

    def _ticket(self, name: str) -> Purchaser:
        ticket = Purchaser(self.book, name, self.flow)
        self._tickets.add(ticket)
        return ticket

    async def quote(self, draft: Draft) -> Price | None:
        quote = await self.flow.quote(draft.order())
        return quote.price if quote else None

    async def models(self) -> list[dict[str, Any]]:
        return _rows(_ok(await self.flow.call("GET", "/api" + MODELS_PATH), self.base), self.base)

    async def balance(self) -> Sequence[Balance]:
        return await self.flow.payer.balances()

    async def close(self) -> None:
        for ticket in self._tickets:
            await ticket.leave()
        if "book" in vars(self):
            self.book.close()
        await self.http.aclose()
        await self.flow.payer.close()


async def _bought(row: Row) -> Paid:
    said = row.bought or {}
    return Paid(said, price_of(said.get("price")), read_receipt({}, said))


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


def _balance(row: Any) -> Balance | None:
    network = find(str(row.get("network"))) if isinstance(row, dict) else None
    if network is None:
        return None
    held = price_of({"amount": row.get("balance")})
    return Balance(network, printable(row.get("address")), held, printable(row.get("problem")))
