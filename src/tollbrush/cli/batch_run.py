"""A batch at work: a few pictures at a time, each priced, set aside in the budget, noted, bought and saved."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, cast

import msgspec

from tollbrush.cli import saving
from tollbrush.cli.batch_book import RunFile, Step
from tollbrush.cli.batch_plan import Item
from tollbrush.cli.terminal import exit_code
from tollbrush.client import AsyncClient, Edit
from tollbrush.client.inputs import EditOptions
from tollbrush.domain.pricing import Price
from tollbrush.errors import (
    BadSettings,
    NoFunds,
    PaymentBusy,
    PaymentRefused,
    RateLimited,
    SpendingPolicy,
    TollbrushError,
    WalletLocked,
)

_HOPELESS: Final = (NoFunds, WalletLocked, BadSettings)
"""What fails for one picture fails for all."""
_TRIES: Final = 3
_LONGEST_PAUSE: Final = 60

Outcome = Literal["edited", "finished before", "failed", "left"]


@dataclass(frozen=True)
class Told:
    """What became of one picture."""

    item: Item
    outcome: Outcome
    price: Decimal = Decimal(0)
    error: TollbrushError | None = None

    def as_json(self, folder: Path) -> dict[str, Any]:
        said: dict[str, Any] = {"picture": self.item.name, "outcome": self.outcome}
        if self.error is not None:
            return said | {"code": self.error.code, "error": self.error.sentence()}
        if self.outcome == "left":
            return said
        return said | {"file": str(folder / self.item.target), "price": format(self.price, "f")}


class Batch:
    """`budget` in dollars for the whole batch, earlier runs included; None for what the router's caps allow. `tell` is
    called once for every picture."""

    def __init__(
        self,
        client: AsyncClient,
        run: RunFile,
        folder: Path,
        *,
        prompt: str,
        options: Mapping[str, Any],
        budget: Decimal | None,
        dearest: Price | None,
        tell: Callable[[Told], None],
    ) -> None:
        self._client, self._run, self._folder = client, run, folder
        self._prompt, self._options = prompt, options
        self._budget, self._dearest, self._tell = budget, dearest, tell
        self._held: dict[str, Decimal] = {name: step.price for name, step in run.steps.items() if step.price}
        self.stopping = False
        self.outcomes: Counter[Outcome] = Counter()
        self.codes: set[int] = set()

    @property
    def spent(self) -> Decimal:
        """Paid, or not known to be unpaid."""
        return sum(self._held.values(), Decimal(0))

    async def work(self, items: Iterable[Item], jobs: int) -> None:
        """Every picture until the end, or until `stopping`."""
        await in_turn(items, jobs, self._one)

    async def _one(self, item: Item) -> None:
        told = Told(item, "left") if self.stopping else await self._tried(item)
        self.outcomes[told.outcome] += 1
        self._tell(told)

    async def _tried(self, item: Item) -> Told:
        try:
            return await self._edited(item)
        except TollbrushError as error:
            self.codes.add(exit_code(error))
            self.stopping = self.stopping or isinstance(error, (*_HOPELESS, _Exhausted))
            return Told(item, "left" if isinstance(error, _Exhausted) else "failed", error=error)

    async def _edited(self, item: Item) -> Told:
        picture, mask, digest = await asyncio.to_thread(item.read)
        before = self._run.steps.get(item.name)
        before = before if before and before.digest == digest else None
        if before and before.state == "done" and (self._folder / before.file).is_file():
            return Told(item, "finished before", before.price)
        options = {**self._options, **({"mask": mask} if mask else {})}
        price = await self._client.quote(picture, self._prompt, **cast(EditOptions, options))
        limit = self._set_aside(item, price)
        step = Step(item.name, digest, "started", before.at if before else time.time(), limit.dollars)
        self._run.note(step)
        options |= {"max_price": limit} | ({"since": step.at} if before else {})
        try:
            edit = await self._bought(picture, options)
        except TollbrushError as error:
            self._failed(step, error)
            raise
        # A replay of what this batch began is paid by this batch; any other was paid before it.
        cost = edit.price.dollars if edit.price and (before or not edit.answer.get("replayed")) else Decimal(0)
        target = self._folder / item.target.with_suffix(saving.SUFFIX[edit.image.mime_type])
        await asyncio.to_thread(_save, target, edit.image.bytes)
        self._held[item.name] = cost
        tx_hash = edit.receipt.tx_hash if edit.receipt else ""
        file = str(target.relative_to(self._folder))
        self._run.note(msgspec.structs.replace(step, state="done", price=cost, file=file, tx_hash=tx_hash))
        return Told(replace(item, target=Path(file)), "edited", cost)

    def _set_aside(self, item: Item, price: Price | None) -> Price:
        """What this picture may cost. No await between the look and the entry. Raises SpendingPolicy."""
        limit = price or self._dearest
        if limit is None:
            raise SpendingPolicy("the gateway tells no price beforehand.", advice="Name a limit: --max-price 0.05")
        if self._dearest is not None and limit > self._dearest:
            raise SpendingPolicy(f"it costs {limit}, more than the {self._dearest} allowed.", advice="")
        others = self.spent - self._held.get(item.name, Decimal(0))
        if self._budget is not None and others + limit.dollars > self._budget:
            raise _Exhausted(
                f"it costs {limit}, and {Price.of(self._budget - others)} of the budget is left.",
                advice="Go on with: --resume and a larger --budget",
            )
        self._held[item.name] = limit.dollars
        return limit

    async def _bought(self, picture: bytes, options: Mapping[str, Any]) -> Edit:
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._client.edit(picture, self._prompt, **cast(EditOptions, options))
            except RateLimited as busy:
                if attempt == _TRIES:
                    raise
                await asyncio.sleep(min(busy.retry_after, _LONGEST_PAUSE))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _failed(self, step: Step, error: TollbrushError) -> None:
        """Money set aside is free again only when nothing can have been charged."""
        unpaid = error.status < 500 and not isinstance(error, PaymentRefused | PaymentBusy)
        if unpaid:
            self._held.pop(step.picture, None)
        price = Decimal(0) if unpaid else step.price
        self._run.note(msgspec.structs.replace(step, state="failed", price=price, code=error.code))


class _Exhausted(SpendingPolicy):
    """The budget does not cover this picture."""


async def in_turn(items: Iterable[Item], jobs: int, do: Callable[[Item], Awaitable[None]]) -> None:
    """`do` each, at most `jobs` at a time, in order."""
    left = iter(items)

    async def worker() -> None:
        for item in left:
            await do(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(jobs):
            group.create_task(worker())


def _save(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    saving.write(target, data)
