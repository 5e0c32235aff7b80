"""Jobs: edits under way, wherever they are bought. Each knows how to wait, to tell how far it is, and to end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol
from urllib.parse import quote

import httpx2

from tollbrush.client.flow import GatewayFlow
from tollbrush.client.history import History, Row
from tollbrush.client.orders import OnProgress, Paid, Progress, preview_of
from tollbrush.client.problems import from_answer, from_code, printable
from tollbrush.client.transport import JSON, Answer, call
from tollbrush.domain.pricing import Price
from tollbrush.errors import EditTimeout, EngineFailed, JobCancelled, NotFound, TollbrushError, Unavailable
from tollbrush.wire.offers import read_receipt

GENERATIONS: Final = "/v1/images/generations/"
_LONG_POLL: Final = 20
_ENDED: Final = ("failed", "cancelled")
_OPEN: Final = (EditTimeout, Unavailable)
"""Errors that leave open what becomes of a job at its gateway, unless they are that job's own end."""


class Ticket(Protocol):
    """An edit that was ordered. `id` finds it again, also from another process."""

    id: str

    async def wait(self, progress: OnProgress | None) -> Paid: ...

    async def status(self) -> Progress: ...

    async def cancel(self) -> None: ...

    async def leave(self) -> None:
        """Nobody waits any more: what runs here stops, and can be resumed."""


class Purchaser:
    """One edit bought from a gateway by a task of ours, noted step by step in a history. `id` is the history's."""

    def __init__(self, history: History, name: str, flow: GatewayFlow | None = None) -> None:
        self.id, self._history = name, history
        self.flow = flow
        """Where it is bought; known by the time that something is signed."""
        self.last = Progress("quoted")
        self._listeners: list[OnProgress] = []
        self._moved = asyncio.Event()
        self._cancelled = False
        self._task: asyncio.Task[Paid] | None = None

    def start(self, buying: Coroutine[Any, Any, Paid], progress: OnProgress | None = None) -> None:
        """`buying` tells its steps to `note`."""
        if progress:
            self._listeners.append(progress)
        self._task = asyncio.create_task(self._booked(buying))
        self._task.add_done_callback(lambda done: self._tick())

    def note(self, step: Progress) -> None:
        """To be told of every step: what a restart needs is on disk before it is needed."""
        before, self.last = self.last, step
        if step.upload is not None:
            self._history.spool(self.id, step.upload)
        if step.payment is not None and (step.payment, step.poll_url) != (before.payment, before.poll_url):
            self._history.signed(self.id, step.payment, step.job, step.poll_url)
        self._tick()
        for tell in self._listeners:
            tell(step)

    async def accepted(self) -> None:
        """Until the gateway has taken the edit as a job, or it is over. Raises what went wrong before."""
        while not self.task.done() and self.last.stage != "waiting":
            await self._moved.wait()
        if self.task.done():
            self.task.result()

    async def wait(self, progress: OnProgress | None = None) -> Paid:
        """Raises what the flow raises."""
        if progress and not self.task.done():
            progress(self.last)
            self._listeners.append(progress)
        await asyncio.wait([self.task])
        if self.task.cancelled():
            raise JobCancelled("the edit was cancelled.")
        return self.task.result()

    async def status(self) -> Progress:
        return self.last

    async def cancel(self) -> None:
        """End it unless it is paid for. Raises PaymentBusy."""
        task = self.task
        while not task.done() and self.last.payment is not None and not self.last.poll_url:
            await self._moved.wait()  # on its way up: what it becomes must be known before it can be ended
        if task.done():
            return
        if self.last.payment is None and not self.last.poll_url:
            self._cancelled = True
            task.cancel()
            await asyncio.wait([task])
            return
        assert self.flow is not None, "a gateway accepted it"
        await self.flow.cancel(self.last.poll_url, self.last.job, self.last.payment)
        await asyncio.wait([task], timeout=30)

    async def leave(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _booked(self, buying: Coroutine[Any, Any, Paid]) -> Paid:
        try:
            paid = await buying
        except TollbrushError as error:
            over = not isinstance(error, _OPEN) or bool(error.extra.get("over"))
            self._history.failed(self.id, error.code, error.sentence(), over=over)
            raise
        except asyncio.CancelledError:
            if self._cancelled:
                self._history.failed(self.id, JobCancelled.code, "the edit was cancelled.", over=True)
            raise
        self._history.paid(self.id, paid.answer)
        return paid

    @property
    def gateway(self) -> str:
        """ "" until it is chosen."""
        return self.flow.gateway if self.flow else ""

    @property
    def task(self) -> asyncio.Task[Paid]:
        assert self._task is not None, "started"
        return self._task

    def _tick(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


class RouterTicket:
    """One edit at a router, which buys it whether or not anybody asks for it again."""

    def __init__(self, http: httpx2.AsyncClient, base: str, answer: Answer, *, patience: float) -> None:
        self._http, self._base, self._answer, self._patience = http, base, answer, patience
        said = answer.json() or {}
        self.id = printable(said.get("id"))

    @classmethod
    async def find(cls, http: httpx2.AsyncClient, base: str, name: str, *, patience: float) -> RouterTicket:
        """By id. Raises NotFound, Unavailable."""
        answer = await call(http, "GET", base, GENERATIONS + quote(name, safe=""))
        if answer.status not in (200, 202):
            raise from_answer(answer, base)
        return cls(http, base, answer, patience=patience)

    async def wait(self, progress: OnProgress | None = None) -> Paid:
        """Raises what went wrong with the edit, and EditTimeout when patience ends."""
        ends = asyncio.get_running_loop().time() + self._patience
        while self._answer.status == 202:
            if progress:
                progress(progress_of(self._answer.json()))
            if asyncio.get_running_loop().time() > ends:
                raise EditTimeout(
                    f"{self._base} has not finished after {self._patience:g} s.",
                    advice="It goes on; ask for the job again later.",
                    extra={"job": self.id},
                )
            await self._ask("GET", {"prefer": f"wait={1 if progress else _LONG_POLL}"})
        said = self._answer.json()
        if self._answer.status != 200 or said is None:
            raise from_answer(self._answer, self._base)
        if said.get("status") in ("failed", "cancelled"):
            raise from_code(said.get("code"), said.get("error"), EngineFailed)
        if progress:
            progress(Progress("delivered"))
        return Paid(said, price_of(said.get("price")), read_receipt(self._answer.headers, said))

    async def status(self) -> Progress:
        await self._ask("GET", {})
        return progress_of(self._answer.json())

    async def cancel(self) -> None:
        await self._ask("DELETE", {})

    async def leave(self) -> None:
        """The router goes on."""

    async def _ask(self, method: str, headers: Mapping[str, str]) -> None:
        path = GENERATIONS + quote(self.id, safe="")
        answer = await call(self._http, method, self._base, path, headers={**JSON, **headers})
        if answer.status not in (200, 202):
            raise from_answer(answer, self._base)
        self._answer = answer


def progress_of(said: Mapping[str, Any] | None) -> Progress:
    """What a job's status says."""
    said = said or {}
    fraction, position, state = said.get("progress"), said.get("queue_position"), said.get("status")
    return Progress(
        "waiting" if state in ("queued", "in_progress") else "failed" if state in _ENDED else "delivered",
        price=price_of(said.get("price")),
        job=printable(said.get("id")),
        fraction=float(fraction) if isinstance(fraction, int | float) and not isinstance(fraction, bool) else None,
        queue_position=position if isinstance(position, int) and not isinstance(position, bool) else None,
        preview=preview_of(said),
    )


def price_of(said: Any) -> Price | None:
    """`{"amount": "0.021000"}`, or None for anything else."""
    try:
        return Price.of(Decimal(said["amount"])) if isinstance(said, dict) else None
    except (InvalidOperation, KeyError, TypeError, ValueError):
        return None


async def resumed(flow: GatewayFlow, history: History, row: Row, note: OnProgress) -> Paid:
    """Go on with an edit that an earlier process began: its job is asked for, or its upload sent again with the
    payment that was signed for it. Raises what the flow raises."""
    upload = history.upload(row.id)
    if row.poll_url:
        with suppress(*((NotFound,) if upload and row.payment else ())):  # the gateway knows the job no more
            return await flow.collect(row.poll_url, row.payment, job=row.job, progress=note)
    if row.payment is None or upload is None:
        raise Unavailable("the edit was cut short before it reached the gateway.", advice="Ask for it again.")
    return await flow.again(upload, row.payment, progress=note)
