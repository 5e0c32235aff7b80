"""What the editing commands share: the price and who agrees to it, the edit, and what is told of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import typer

from tollbrush.cli import saving
from tollbrush.cli.counter import open_counter
from tollbrush.cli.preview import show
from tollbrush.cli.terminal import Terminal, usage
from tollbrush.client import AsyncClient, Edit, Progress
from tollbrush.client.inputs import EditOptions
from tollbrush.domain.networks import BY_ID
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadImage, SpendingPolicy
from tollbrush.settings import Settings

_STAGES: Final = {"quoted": "Signing", "signed": "Uploading", "uploading": "Editing", "waiting": "Waiting"}
_STDIN_BYTES: Final = 64 * 2**20


@dataclass(frozen=True)
class Wish:
    """An edit as asked for on the command line; `options` as the client takes them, None where nothing was said."""

    images: tuple[str, ...]
    prompt: str
    mask: str | None
    options: Mapping[str, Any]
    max_price: Price | None
    again: bool
    network: str | None


@dataclass(frozen=True)
class Manner:
    """How a command goes about it. `output`: a file, `-` for stdout, None to choose; `yes`: do not ask before a dear
    edit; `dry_run`: tell the price and stop."""

    output: str | None = None
    direct: bool = False
    yes: bool = False
    dry_run: bool = False
    preview: bool = True


def carry_out(wish: Wish, settings: Settings, terminal: Terminal, manner: Manner) -> None:
    """Buy the edit, save its pictures, say what it cost. Raises the client's errors."""
    n = wish.options.get("n") or 1
    if manner.output == "-" and (terminal.as_json or n > 1):
        usage("-o - writes one picture to stdout: leave out --json, and --n above 1.")
    if (*wish.images, wish.mask).count("-") > 1:
        usage("- is standard input, which holds one picture: name a file for the others.")
    to_stdout = manner.output == "-" or (
        manner.output is None and not terminal.as_json and n == 1 and saving.stdout_is_piped()
    )
    if manner.output is not None and not to_stdout:
        saving.check_target(manner.output)
    edit = asyncio.run(_buy(wish, settings, terminal, manner))
    if edit is None:
        return
    if to_stdout:
        sys.stdout.buffer.write(edit.image.bytes)
        sys.stdout.buffer.flush()
        terminal.note(paid(edit))
        return
    files = saving.save(edit, manner.output, wish.images[0])
    told = [f"{file}  {image.width}x{image.height}" for file, image in zip(files, edit.images, strict=True)]
    terminal.result({**edit.answer, "files": [str(file) for file in files]}, *told, paid(edit))
    if manner.preview and not terminal.as_json:
        show(edit.image.bytes)


async def _buy(wish: Wish, settings: Settings, terminal: Terminal, manner: Manner) -> Edit | None:
    options = {name: value for name, value in wish.options.items() if value is not None}
    if wish.mask is not None:
        options["mask"] = _given(wish.mask)
    pictures = [_given(image) for image in wish.images]
    image = pictures[0] if len(pictures) == 1 else pictures
    async with open_counter(settings, terminal, direct=manner.direct) as counter:
        limit = wish.max_price
        if manner.dry_run or (limit is None and not manner.yes):
            price = await counter.client.quote(image, wish.prompt, **cast(EditOptions, options))
            if manner.dry_run:
                _tell_plan(wish, price, terminal)
                return None
            limit = agreed(price, settings)
        # The router's own fields: a gateway has none of these.
        options |= {"max_price": limit} if limit is not None else {}
        options |= {"network": wish.network} if wish.network else {}
        options |= {"again": True} if wish.again else {}
        return await _edited(counter.client, image, wish.prompt, options, terminal)


async def _edited(client: AsyncClient, image: object, prompt: str, options: dict[str, Any], terminal: Terminal) -> Edit:
    with terminal.working(f"Editing: {prompt}") as say:
        options["progress"] = lambda step: say(_told(step))
        return await client.edit(image, prompt, **cast(EditOptions, options))


def agreed(price: Price | None, settings: Settings) -> Price:
    """What may be spent when no limit was named: the price, once somebody agreed to it when it is dear. Raises
    SpendingPolicy when nobody does, or nobody is there to ask."""
    threshold = Price.of(settings.router.spending.confirm_above)
    if price is None or price <= threshold:
        return price or threshold
    if not is_attended():
        raise SpendingPolicy(
            f"The edit costs {price}; off a terminal, where nobody can be asked, it may cost {threshold}.",
            advice=f"Nothing was signed. Allow it: --max-price {price.dollars.normalize():f}, or --yes.",
        )
    if not typer.confirm(f"This edit costs {price}. Pay?", err=True):
        raise SpendingPolicy(f"The edit costs {price}, which you declined.", advice="Nothing was signed.")
    return price


def is_attended() -> bool:
    """Whether somebody sits here to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def paid(edit: Edit) -> str:
    """Its price and receipt in a line."""
    if edit.answer.get("replayed"):
        return "The same edit as before; not paid again (--again buys a new one)."
    if edit.price is None or edit.receipt is None:
        return f"By {edit.model}."
    network = BY_ID.get(edit.receipt.network)
    where = network.title if network else edit.receipt.network
    link = "" if network is None or network.test else f"  {network.explorer_tx.format(edit.receipt.tx_hash)}"
    return f"Paid {edit.price} to {edit.model} on {where}: {edit.receipt.tx_hash}{link}"


def _tell_plan(wish: Wish, price: Price | None, terminal: Terminal) -> None:
    said = {name: value for name, value in wish.options.items() if value is not None}
    plan: dict[str, Any] = {"dry_run": True, "prompt": wish.prompt, "images": wish.images, "mask": wish.mask, **said}
    with_ = "".join(f", {name} {value}" for name, value in said.items())
    masked = f" within {wish.mask}" if wish.mask else ""
    terminal.result(
        plan | {"price": price.wire() if price else None},
        f"Would edit {', '.join(wish.images)}{masked}: {wish.prompt!r}{with_}",
        f"It would cost {price}." if price else "No price was told: none is asked, or only of those who upload.",
        "Nothing was signed or paid.",
    )


def _given(picture: str) -> object:
    """`-` is standard input. Raises BadImage."""
    if picture != "-":
        return picture
    if sys.stdin.isatty():
        raise BadImage("- reads a picture from standard input, which is a terminal.", advice="Pipe one in, or name it.")
    data = sys.stdin.buffer.read(_STDIN_BYTES + 1)
    if len(data) > _STDIN_BYTES:
        raise BadImage(f"Standard input holds more than {_STDIN_BYTES // 2**20} MB.", advice="Send a smaller picture.")
    return data


def _told(step: Progress) -> str:
    price = f" ({step.price})" if step.price else ""
    queue = f", {step.queue_position} before it" if step.queue_position else ""
    return f"{_STAGES.get(step.stage, 'Saving')}{price}{queue}"
