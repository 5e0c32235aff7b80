"""The tools: what an agent may do with its user's wallet, and when the user is asked first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, SpendingPolicy
from tollbrush.mcp import shapes
from tollbrush.mcp.jobs import Job, Jobs, digest, wait
from tollbrush.mcp.protocol import Call, RpcError

if TYPE_CHECKING:
    from tollbrush.client import AsyncClient, Edit
    from tollbrush.client.inputs import EditOptions
    from tollbrush.mcp.album import Album
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


@dataclass(frozen=True)
class Answer:
    """A tool's result: `value` as its schema says, `text` for readers, `files` to link to, `pictures` to show small."""

    value: msgspec.Struct
    text: str = ""
    files: Sequence[Path] = ()
    pictures: Sequence[bytes] = field(default=(), repr=False)


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
            limit = await self._agreed(call, client, place, image, said, options)
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
        value = shapes.QuoteResult(None if price is None else _dollars(price.dollars), asks and price is not None)
        return Answer(value, str(price) if price else "The gateway names no price beforehand.")

    async def wallet_status(self, call: Call, said: shapes.Nothing) -> Answer:
        from tollbrush.payments.spending import SpendingBook

        place = await asyncio.to_thread(self._place)
        balances = await self._client(place).balance()
        accounts = [
            shapes.Account(b.network.v1, b.address, None if b.held is None else _dollars(b.held.dollars), b.problem)
            for b in balances
        ]
        caps = place.settings.router.spending
        book = SpendingBook(place.settings.data_dir / "spending.db")
        spent = await asyncio.to_thread(book.spent, int(time.time()))
        spans = {
            "hour": shapes.Cap(_dollars(caps.per_hour), _dollars(Price(spent.hour).dollars)),
            "day": shapes.Cap(_dollars(caps.per_day), _dollars(Price(spent.day).dollars)),
            "lifetime": shapes.Cap(_dollars(caps.lifetime), _dollars(Price(spent.lifetime).dollars)),
        }
        value = shapes.WalletStatus(accounts, _dollars(caps.per_call), _dollars(caps.confirm_above), spans)
        lines = [f"{b.network.title}: {b.held if b.held is not None else b.problem} at {b.address}" for b in balances]
        lines += [f"Spent in this {span}: ${cap.spent} of ${cap.cap}" for span, cap in spans.items()]
        return Answer(value, "\n".join(lines))

    async def list_models(self, call: Call, said: shapes.Nothing) -> Answer:
        place = await asyncio.to_thread(self._place)
        rows = [_model(row) for row in await self._client(place).models()]
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

    async def _agreed(
        self,
        call: Call,
        client: AsyncClient,
        place: Place,
        image: object,
        said: shapes.EditImage,
        options: Mapping[str, Any],
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
            await self._consent(call, price, unasked, said)
        return price

    async def _consent(self, call: Call, price: Price, unasked: Price, said: shapes.EditImage) -> None:
        owner = "Its owner can allow more: TOLLBRUSH_ROUTER__SPENDING__CONFIRM_ABOVE."
        if not self.can_ask:
            raise SpendingPolicy(
                f"The edit costs {price}, more than the {unasked} that may be spent without asking, and this program "
                "cannot ask its user.",
                advice=f"Nothing was signed. {owner}",
            )
        shown = "".join(c if c.isprintable() else " " for c in said.prompt[:200])
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

    async def _told(self, job: Job, call: Call, seconds: int, output: str | None, target: Path) -> Answer:
        from tollbrush.mcp import album

        if not await wait(job, call, seconds):
            text = f"Still at work ({job.stage}). Call get_job with job {job.id}."
            return Answer(shapes.EditResult(status="in_progress", job=job.id), text)
        edit = job.task.result()
        if not (saved := job.files.get(output)) or not all(map(Path.exists, saved)):
            job.files[output] = await asyncio.to_thread(album.save, edit.images, target)
        return _result(edit, job, job.files[output])


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


def _limit(said: str | int | float | None) -> Price | None:
    """Dollars as text, or as a JSON number, whose shortest decimal is meant. Raises BadRequest."""
    from tollbrush.client.inputs import price_limit

    return price_limit(str(said).removeprefix("$") if isinstance(said, str | int | float) else None)


def _result(edit: Edit, job: Job, files: Sequence[Path]) -> Answer:
    answer = edit.answer
    paid = None if edit.price is None else edit.price.dollars
    payment = answer.get("payment")
    value = shapes.EditResult(
        status="completed",
        job=job.id,
        files=[
            shapes.File(str(path), i.width, i.height, i.mime_type, i.preserved, i.edited_fraction, i.seed)
            for path, i in zip(files, edit.images, strict=True)
        ],
        price=None if paid is None else _dollars(paid),
        model=edit.model or None,
        requested_model=_text(answer.get("requested_model")),
        network=_text(payment.get("network")) if isinstance(payment, dict) else None,
        transaction=edit.receipt.tx_hash if edit.receipt else None,
        replayed=bool(answer.get("replayed")),
    )
    lines = [f"Saved {f.path} ({f.width}x{f.height})." for f in value.files]
    if value.replayed:
        lines.append("The same edit as before: not paid for again.")
    elif edit.price is not None:
        where = f" on {value.network}, transaction {value.transaction}" if value.transaction else ""
        lines.append(f"Paid {edit.price} to {edit.model}{where}.")
    return Answer(value, "\n".join(lines), files, [image.bytes for image in edit.images])


def _model(row: Mapping[str, Any]) -> shapes.ModelRow:
    pricing = row.get("pricing")
    return shapes.ModelRow(
        id=_text(row.get("id")) or "",
        name=_text(row.get("name")) or "",
        available=row.get("available") is not False,
        mask=row.get("mask") is True,
        pricing={str(k): str(v) for k, v in pricing.items()} if isinstance(pricing, dict) else {},
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _dollars(amount: Decimal) -> str:
    """Plain, with two places at least: 0.021, 20.00."""
    text = format(amount, "f")
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}"
