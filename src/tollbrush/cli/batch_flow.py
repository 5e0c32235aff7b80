"""A batch from its first look at the prices to the table at its end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

import typer

from tollbrush.cli.batch_book import FILE, Order, RunFile
from tollbrush.cli.batch_plan import Item, Plan
from tollbrush.cli.batch_run import Batch, Told, in_turn
from tollbrush.cli.counter import Counter, open_counter
from tollbrush.cli.purchase import is_attended
from tollbrush.cli.terminal import INTERRUPTED, Terminal, exit_code, safe
from tollbrush.client.inputs import EditOptions
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, SpendingPolicy, TollbrushError
from tollbrush.settings import Settings

_MIXED: Final = 1
"""Exit code when pictures failed for reasons of several kinds."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A batch as asked for. `budget` in dollars; `dearest`: what one picture may cost."""

    plan: Plan
    prompt: str
    options: Mapping[str, Any]
    jobs: int
    budget: Decimal | None
    dearest: Price | None
    resume: bool
    direct: bool
    yes: bool
    dry_run: bool


def carry_out(call: Call, settings: Settings, terminal: Terminal) -> int:
    """The exit code. Raises the client's errors when nothing could be begun."""
    return asyncio.run(_carried_out(call, settings, terminal))


async def _carried_out(call: Call, settings: Settings, terminal: Terminal) -> int:
    if call.budget is None and not call.dry_run and not is_attended():
        raise SpendingPolicy(
            "off a terminal, where nobody can be asked, a batch needs a budget.", advice="For example: --budget 2.00"
        )
    async with open_counter(settings, terminal, direct=call.direct) as counter:
        if call.dry_run:
            return await _tell_prices(call, counter, terminal)
        budget = call.budget
        if budget is None and not call.yes:
            budget = await _agreed(call, counter, terminal)
        run = RunFile.open(call.plan.folder)
        try:
            _check_fresh(call, run)
            run.begin(Order(call.prompt, dict(call.options)))
            return await _work(call, counter, terminal, run, budget)
        finally:
            run.close()


async def _work(call: Call, counter: Counter, terminal: Terminal, run: RunFile, budget: Decimal | None) -> int:
    items, told = call.plan.items, []
    with _progress(terminal, len(items), budget) as show:

        def tell(one: Told) -> None:
            told.append(one)
            if terminal.as_json:
                terminal.event(one.as_json(call.plan.folder))
            show(one, batch.spent)

        batch = Batch(
            counter.client,
            run,
            call.plan.folder,
            prompt=call.prompt,
            options={name: value for name, value in call.options.items() if value is not None},
            budget=budget,
            dearest=call.dearest,
            tell=tell,
        )
        with _interruptible(batch, terminal) as interrupted:
            await batch.work(items, call.jobs)
    _summarise(terminal, call, batch, told, budget)
    if interrupted():
        return INTERRUPTED
    return 0 if not batch.codes else batch.codes.pop() if len(batch.codes) == 1 else _MIXED


def _check_fresh(call: Call, run: RunFile) -> None:
    """A new run begins in a folder that holds nothing of its names; an old one goes on only when asked to. Raises
    BadRequest."""
    if run.order is not None and not call.resume:
        raise BadRequest(
            f"{call.plan.folder} holds a batch that was begun before.",
            advice="Go on with it: --resume. Or choose another folder: -o",
        )
    if run.order is None:
        for item in call.plan.items:
            if (target := call.plan.folder / item.target).exists():
                run.path.unlink()
                raise BadRequest(f"{target} exists and is no result of this batch.", advice="Choose another -o.")


async def _priced(call: Call, counter: Counter) -> list[tuple[Item, Price | None, TollbrushError | None]]:
    """What each picture would cost, or what is wrong with it; in order."""
    found: dict[str, tuple[Item, Price | None, TollbrushError | None]] = {}

    async def price(item: Item) -> None:
        try:
            picture, mask, _ = await asyncio.to_thread(item.read)
            options = {**call.options, **({"mask": mask} if mask else {})}
            options.pop("network", None)
            asked = await counter.client.quote(picture, call.prompt, **cast(EditOptions, options))
            found[item.name] = item, asked, None
        except TollbrushError as error:
            found[item.name] = item, None, error

    await in_turn(call.plan.items, call.jobs, price)
    return [found[item.name] for item in call.plan.items]


async def _tell_prices(call: Call, counter: Counter, terminal: Terminal) -> int:
    with terminal.working(f"Asking for {len(call.plan.items)} prices"):
        priced = await _priced(call, counter)
    total = sum((p.dollars for _, p, _ in priced if p), Decimal(0))
    rows = [
        (item.name, str(price) if price else "", error.sentence() if error else str(call.plan.folder / item.target))
        for item, price, error in priced
    ]
    said = [
        {"picture": item.name, "price": price.wire() if price else None}
        | ({"code": error.code, "error": error.sentence()} if error else {"file": str(call.plan.folder / item.target)})
        for item, price, error in priced
    ]
    value = {"dry_run": True, "pictures": said, "total": format(total, "f")}
    terminal.table(value, ("Picture", ">Price", "Result"), rows)
    terminal.note(f"{_counted(len(rows))}, {Price.of(total)} in all. Nothing was signed or paid.")
    codes = {exit_code(error) for _, _, error in priced if error}
    return 0 if not codes else codes.pop() if len(codes) == 1 else _MIXED


async def _agreed(call: Call, counter: Counter, terminal: Terminal) -> Decimal:
    """On a terminal, without a budget: the sum of all prices, when its owner agrees. Raises SpendingPolicy."""
    with terminal.working(f"Asking for {len(call.plan.items)} prices"):
        priced = await _priced(call, counter)
    total = sum((p.dollars for _, p, _ in priced if p), Decimal(0))
    bad = sum(error is not None for _, _, error in priced)
    but = f" ({bad} cannot be edited)" if bad else ""
    if not typer.confirm(f"{_counted(len(priced))}{but}: {Price.of(total)} in all. Pay?", err=True):
        raise SpendingPolicy(f"The batch costs {Price.of(total)}, which you declined.", advice="Nothing was signed.")
    return total


@contextmanager
def _progress(terminal: Terminal, total: int, budget: Decimal | None) -> Iterator[Callable[[Told, Decimal], None]]:
    """A bar on a terminal's stderr; a line for each picture elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    console, done = Console(stderr=True), 0
    limit = f" of {Price.of(budget)}" if budget is not None else ""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"$0{limit}", total=total)

        def show(told: Told, spent: Decimal) -> None:
            nonlocal done
            done += 1
            bar.update(task, advance=1, description=f"{Price.of(spent)}{limit}")
            line = f"{told.item.name}: {told.error.sentence()}" if told.error else _line(told)
            if not console.is_terminal:
                terminal.note(f"[{done}/{total}] {line}")
            elif told.error:
                console.print(Text(safe(line)))

        yield show


def _counted(number: int) -> str:
    return f"{number} picture{'' if number == 1 else 's'}"


def _line(told: Told) -> str:
    if told.outcome == "edited":
        return f"{told.item.name} → {told.item.target}  {Price.of(told.price)}"
    return f"{told.item.name}: {told.outcome}"


@contextmanager
def _interruptible(batch: Batch, terminal: Terminal) -> Iterator[Callable[[], bool]]:
    """Ctrl-C begins no further picture and lets the running ones finish; a second one leaves them."""
    asked = False

    def interrupt() -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = batch.stopping = True
        terminal.note("Interrupted: finishing what is being bought. Ctrl-C again leaves it; --resume goes on.")

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield lambda: asked
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _summarise(terminal: Terminal, call: Call, batch: Batch, told: list[Told], budget: Decimal | None) -> None:
    counts = {outcome: number for outcome, number in batch.outcomes.items() if number}
    summary = {
        "pictures": len(call.plan.items),
        **{outcome.replace(" ", "_"): number for outcome, number in counts.items()},
        "spent": format(batch.spent, "f"),
        "budget": None if budget is None else format(budget, "f"),
        "folder": str(call.plan.folder),
        "run_file": str(call.plan.folder / FILE),
    }
    if terminal.as_json:
        terminal.event({"summary": summary})
        return
    if bad := [one for one in told if one.error]:
        terminal.table(
            {}, ("Picture", "Failed"), [(one.item.name, one.error.sentence() if one.error else "") for one in bad]
        )
    parts = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    of = "" if budget is None else f" of {Price.of(budget)}"
    terminal.result({}, f"{parts}. {Price.of(batch.spent)}{of} spent. Results: {call.plan.folder}")
    if counts.get("left") or bad:
        terminal.note("Go on with the same command and --resume: what is finished is not paid again.")
