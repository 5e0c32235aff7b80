"""AsyncClient: one object to edit pictures with, through a router or straight from a gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, Unpack

import httpx2

from tollbrush.client.doors import Door, GatewayDoor, RouterDoor
from tollbrush.client.inputs import EditOptions, draft, price_limit
from tollbrush.client.jobs import Purchaser, Ticket
from tollbrush.client.orders import OnProgress, Progress
from tollbrush.client.past import PastEdit
from tollbrush.client.results import Edit, bring_home
from tollbrush.domain.pricing import Price
from tollbrush.payments.payer import Balance, Payer
from tollbrush.payments.wallet import Wallet

DEFAULT_ROUTER: Final = "http://127.0.0.1:8402"


class AsyncJob:
    """An edit under way. `id` finds it again, from any process of the same owner."""

    def __init__(self, door: Door, ticket: Ticket) -> None:
        self._door, self._ticket = door, ticket

    @property
    def id(self) -> str:
        return self._ticket.id

    async def wait(self, progress: OnProgress | None = None) -> Edit:
        """The finished edit. Raises what went wrong with it; waiting again is allowed."""
        paid = await self._ticket.wait(progress)
        images = await bring_home(self._door.http, paid.answer, self._door.base)
        model = paid.answer.get("model")
        return Edit(images, model if isinstance(model, str) else "", paid.price, paid.receipt, paid.answer)

    async def status(self) -> Progress:
        """How far it is."""
        return await self._ticket.status()

    async def cancel(self) -> None:
        """End it; nothing is charged. Raises PaymentBusy when it is paid for already."""
        await self._ticket.cancel()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


class AsyncClient:
    """Through a router, which holds the wallet and pays: `AsyncClient()`, `AsyncClient(router="http://…")`.
    Straight from a gateway, paying from this process within the owner's settings: `AsyncClient(gateway="https://…")`
    with `wallet` a Wallet or a Payer (closed with the client); by default the wallet of this machine.

    `http` reaches the router by other means than the network, and is closed with the client.
    `patience`: seconds that a slow edit is waited for. Use it from one event loop and close it, or use `async with`.
    Every method raises errors of `tollbrush.errors` only. `clock` and `sleep` are for tests.
    """

    def __init__(
        self,
        *,
        router: str = DEFAULT_ROUTER,
        gateway: str | None = None,
        wallet: Wallet | Payer | None = None,
        http: httpx2.AsyncClient | None = None,
        patience: float = 900.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._door: Door
        if gateway is None:
            self._door = RouterDoor(router, http, patience=patience)
        else:
            payer = wallet if isinstance(wallet, Payer) else _payer(wallet)
            self._door = GatewayDoor(gateway, payer, patience=patience, clock=clock, sleep=sleep)

    async def edit(self, image: object, prompt: str, **options: Unpack[EditOptions]) -> Edit:
        """Edit a picture, or several; see `inputs.draft` for what a picture may be.

        `mask` (white = edit), `model`, `size` ("1024x1024", "auto"), `n`, `seed`, `fit` (crop, pad, stretch),
        `mask_mode`, `output_format` (png, jpeg, webp), `max_price` (dollars as text: what it may cost in all),
        `progress` (called with a Progress), `previews` (0–3: unfinished pictures that it is shown on the way).
        """
        progress = options.get("progress")
        ticket = await self._order(image, prompt, options, progress, at_once=False)
        job = AsyncJob(self._door, ticket)
        try:
            return await job.wait(None if isinstance(ticket, Purchaser) else progress)
        except BaseException:
            await ticket.leave()  # an edit that nobody waits for is not begun anew: `job` finds it
            raise

    async def submit(self, image: object, prompt: str, **options: Unpack[EditOptions]) -> AsyncJob:
        """As `edit`, but come back as soon as the edit is accepted."""
        return AsyncJob(self._door, await self._order(image, prompt, options, options.get("progress"), at_once=True))

    async def job(self, id: str) -> AsyncJob:  # noqa: A002 - its name everywhere
        """A job of earlier, also of another process: by `Job.id`, or the gateway's id. Raises NotFound."""
        return AsyncJob(self._door, await self._door.ticket(id))

    async def history(self, limit: int = 50) -> list[PastEdit]:
        """What was edited, newest first, 1 to 500 rows."""
        return await self._door.history(limit)

    async def quote(self, image: object, prompt: str, **options: Unpack[EditOptions]) -> Price | None:
        """What `edit` with the same arguments would cost; nothing is sent but what sets the price. None when nothing
        is asked, or the gateway tells only those who upload."""
        drafted = await asyncio.to_thread(draft, image, prompt, _said(options), urls=self._door.takes_urls)
        return await self._door.quote(drafted)

    async def models(self) -> list[dict[str, Any]]:
        """The catalog, as listed."""
        return await self._door.models()

    async def balance(self) -> Sequence[Balance]:
        """What the paying wallet holds on each of its networks."""
        return await self._door.balance()

    async def close(self) -> None:
        """Edits that are under way can be resumed by another client: see `job`."""
        await self._door.close()

    async def _order(
        self, image: object, prompt: str, options: EditOptions, progress: OnProgress | None, *, at_once: bool
    ) -> Ticket:
        limit = price_limit(options.get("max_price"))
        drafted = await asyncio.to_thread(draft, image, prompt, _said(options), urls=self._door.takes_urls)
        return await self._door.order(drafted, limit, progress, at_once=at_once)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _payer(wallet: Wallet | None) -> Payer:
    from tollbrush.payments.wallet import load_or_create
    from tollbrush.settings import Settings

    settings = Settings()
    return Payer(wallet or load_or_create(settings), settings)


def _said(options: EditOptions) -> Mapping[str, Any]:
    return dict(options)
