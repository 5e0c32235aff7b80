"""The tools: what an agent may do with its user's wallet, and when the user is asked first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest
from tollbrush.mcp import shapes
from tollbrush.mcp.answers import Answer, edited, model_row, plain
from tollbrush.mcp.consent import Place, agreed
from tollbrush.mcp.jobs import Job, Jobs, digest, wait
from tollbrush.mcp.protocol import Call

if TYPE_CHECKING:
    from tollbrush.client import AsyncClient, Edit
    from tollbrush.client.inputs import EditOptions
    from tollbrush.mcp.album import Album


@dataclass(frozen=True)
class Tool:
    """`takes` and `gives` become its schemas; `spends` whether it may cost money."""

    name: str
    title: str
    description: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    run: Callable[[Tools, Call, Any], Awaitable[Answer]]
    spends: bool = False


class Tools:
    """The state of one connection. `place` may block; it is asked anew each time, as routers come and go."""

    def __init__(self, place: Callable[[], Place]) -> None:
        self._place, self._jobs = place, Jobs()
        self._clients: dict[str, AsyncClient] = {}
        self.can_ask = False
        """Whether the agent can put a question to its user."""

    async def edit_image(self, call: Call, said: shapes.EditImage) -> Answer:
        from tollbrush.mcp.album import Album

        place = await asyncio.to_thread(self._place)
        client, album = self._client(place), Album(place.settings)
        image, mask = await asyncio.to_thread(_pictures, album, said)
        target = await asyncio.to_thread(album.target, said.output, _first(said.image))
        options = said.options() | ({} if mask is None else {"mask": mask})
        key = digest([*(image if isinstance(image, list) else [image]), mask], [said.prompt, said.options()])
        job = None if said.again else self._jobs.same(key)
        if job is None:
            limit = await agreed(call, client, place, image, said, options, can_ask=self.can_ask)
            if place.router and said.again:
                options["again"] = True  # the router's own field; straight at a gateway each edit is new

            async def work(job: Job) -> Edit:
                return await _buy(client, image, said, options | {"max_price": limit, "progress": job.tell}, job)

            # Another call for the same edit may have begun while its user was asked.
            job = (None if said.again else self._jobs.same(key)) or self._jobs.start(key, said.output, target, work)
        return await self._told(job, call, said.wait_seconds, said.output, target)

    async def get_job(self, call: Call, said: shapes.GetJob) -> Answer:
        job = self._jobs.find(said.job)
        return await self._told(job, call, said.wait_seconds, job.output, job.target)

    async def quote(self, call: Call, said: shapes.Subject) -> Answer:
        from tollbrush.mcp.album import Album

        place = await asyncio.to_thread(self._place)
        image, mask = await asyncio.to_thread(_pictures, Album(place.settings), said)
        options = cast("EditOptions", said.options() | ({} if mask is None else {"mask": mask}))
        price = await self._client(place).quote(image, said.prompt, **options)
        asks = price is None or price.dollars > place.settings.router.spending.confirm_above
        value = shapes.QuoteResult(None if price is None else plain(price.dollars), asks and price is not None)
        return Answer(value, str(price) if price else "The gateway names no price beforehand.")

    async def wallet_status(self, call: Call, said: shapes.Nothing) -> Answer:
        from tollbrush.payments.spending import SpendingBook

        place = await asyncio.to_thread(self._place)
        balances = await self._client(place).balance()
        accounts = [
            shapes.Account(b.network.v1, b.address, None if b.held is None else plain(b.held.dollars), b.problem)
            for b in balances
        ]
        caps = place.settings.router.spending
        book = SpendingBook(place.settings.data_dir / "spending.db")
        with closing(book):
            spent = await asyncio.to_thread(book.spent, int(time.time()))
        spans = {
            "hour": shapes.Cap(plain(caps.per_hour), plain(Price(spent.hour).dollars)),
            "day": shapes.Cap(plain(caps.per_day), plain(Price(spent.day).dollars)),
            "lifetime": shapes.Cap(plain(caps.lifetime), plain(Price(spent.lifetime).dollars)),
        }
        value = shapes.WalletStatus(accounts, plain(caps.per_call), plain(caps.confirm_above), spans)
        lines = [f"{b.network.title}: {b.held if b.held is not None else b.problem} at {b.address}" for b in balances]
        lines += [f"Spent in this {span}: ${cap.spent} of ${cap.cap}" for span, cap in spans.items()]
        return Answer(value, "\n".join(lines))

    async def list_models(self, call: Call, said: shapes.Nothing) -> Answer:
        place = await asyncio.to_thread(self._place)
        rows = [model_row(row) for row in await self._client(place).models()]
        lines = [
            f"{row.id}{'' if row.available else ' (not available here)'}: "
            + ", ".join(f"{size} ${price}" for size, price in row.pricing.items())
            for row in rows
        ]
        return Answer(shapes.Models(rows), "\n".join(lines))

    async def close(self) -> None:
        await self._jobs.close()
        for client in self._clients.values():
            await client.close()

    def _client(self, place: Place) -> AsyncClient:
        """Through the router that runs, else straight at the gateway with the wallet of this machine."""
        from tollbrush.client import AsyncClient

        key = place.router or place.settings.router.gateway_url
        if key not in self._clients:
            if place.router:
                self._clients[key] = AsyncClient(router=place.router)
            else:
                from tollbrush.payments.payer import Payer
                from tollbrush.payments.wallet import load_or_create

                payer = Payer(load_or_create(place.settings), place.settings)
                self._clients[key] = AsyncClient(gateway=key, wallet=payer)
        return self._clients[key]

    async def _told(self, job: Job, call: Call, seconds: int, output: str | None, target: Path) -> Answer:
        from tollbrush.mcp import album

        if not await wait(job, call, seconds):
            text = f"Still at work ({job.stage}). Call get_job with job {job.id}."
            return Answer(shapes.EditResult(status="in_progress", job=job.id), text)
        edit = job.task.result()
        if not (saved := job.files.get(output)) or not all(map(Path.exists, saved)):
            job.files[output] = await asyncio.to_thread(album.save, edit.images, target)
        return edited(edit, job, job.files[output])


TOOLS: Final = {
    tool.name: tool
    for tool in (
        Tool(
            "edit_image",
            "Edit a picture",
            "Edit a picture as the prompt says, pay for it, save the result as a file and show it small. Above the "
            "owner's limit the user is asked first. The same call again is not paid for again.",
            shapes.EditImage,
            shapes.EditResult,
            Tools.edit_image,
            spends=True,
        ),
        Tool(
            "quote",
            "Price of an edit",
            "What edit_image would cost with these arguments. Free; nothing is bought.",
            shapes.Subject,
            shapes.QuoteResult,
            Tools.quote,
        ),
        Tool(
            "get_job",
            "Wait for an edit",
            "Go on waiting for an edit that edit_image left in_progress, and get its result. Free.",
            shapes.GetJob,
            shapes.EditResult,
            Tools.get_job,
        ),
        Tool(
            "wallet_status",
            "Wallet",
            "The wallet's addresses, its USDC on each network, and what of the owner's spending caps is used. Free.",
            shapes.Nothing,
            shapes.WalletStatus,
            Tools.wallet_status,
        ),
        Tool(
            "list_models",
            "Models and prices",
            "The models for sale, whether they take masks, and their prices by size. Free.",
            shapes.Nothing,
            shapes.Models,
            Tools.list_models,
        ),
    )
}


async def _buy(
    client: AsyncClient, image: object, said: shapes.EditImage, options: Mapping[str, Any], job: Job
) -> Edit:
    """Bought and saved: whoever asked may be gone."""
    from tollbrush.mcp import album

    edit = await client.edit(image, said.prompt, **cast("EditOptions", options))
    with suppress(BadRequest):  # whoever waits is told when it is saved for them
        job.files[job.output] = await asyncio.to_thread(album.save, edit.images, job.target)
    return edit


def _pictures(album: Album, said: shapes.Subject) -> tuple[object, bytes | str | None]:
    images = said.image if isinstance(said.image, list) else [said.image]
    names = ["image"] if len(images) == 1 else [f"image[{i}]" for i in range(len(images))]
    read = [album.read(image, name) for image, name in zip(images, names, strict=True)]
    mask = None if said.mask is None else album.read(said.mask, "mask")
    return (read[0] if len(read) == 1 else read), mask


def _first(image: str | list[str]) -> str:
    return image[0] if isinstance(image, list) else image
