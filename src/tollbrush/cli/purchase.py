"""What the editing commands share: where to buy, the question before a dear edit, and where the pictures go."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import msgspec
import typer

from tollbrush.cli.context import find_router
from tollbrush.cli.terminal import Terminal, usage
from tollbrush.client import AsyncClient, Edit, GatewayFlow, Order, Progress, open_http
from tollbrush.client.inputs import EditOptions
from tollbrush.client.problems import from_answer
from tollbrush.client.transport import NoAnswer, NotSent, send, unreachable
from tollbrush.domain.networks import BY_ID
from tollbrush.domain.pricing import Price
from tollbrush.errors import BadRequest, SpendingPolicy, Unavailable
from tollbrush.payments.payer import Payer
from tollbrush.payments.wallet import load_or_create
from tollbrush.settings import Settings

_SUFFIX: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}
_STAGES: Final = {"quoted": "Signing", "signed": "Uploading", "uploading": "Editing", "waiting": "Waiting"}
_ODD = re.compile(r"[^\w.-]+")
_EDIT_ROUTE = re.compile(r"(?:/api)?/v1/images(?:/[a-z0-9]+)?/?\Z")


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


def carry_out(
    wish: Wish, settings: Settings, terminal: Terminal, *, output: str | None, direct: bool, yes: bool
) -> None:
    """Buy the edit, save its pictures, say what it cost. Raises the client's errors."""
    if output == "-" and (terminal.as_json or (wish.options.get("n") or 1) > 1):
        usage("-o - writes one picture to stdout: leave out --json, and --n above 1.")
    router = None if direct else find_router(settings)
    edit = asyncio.run(_buy(wish, settings, router, terminal, ask=not yes))
    if output == "-":
        sys.stdout.buffer.write(edit.image.bytes)
        terminal.note(_paid(edit))
        return
    files = _save(edit, output, wish.images[0])
    told = [f"{file}  {image.width}x{image.height}" for file, image in zip(files, edit.images, strict=True)]
    terminal.result({**edit.answer, "files": [str(file) for file in files]}, *told, _paid(edit))


def ask(settings: Settings, method: str, path: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A free question to the running router, else to the gateway: both know these routes. Raises the client's
    errors."""
    base = find_router(settings) or settings.router.gateway_url.rstrip("/")
    content = None if fields is None else msgspec.json.encode(fields)
    headers = {"content-type": "application/json", "accept": "application/json"}

    async def call() -> dict[str, Any]:
        async with open_http(base) as http:
            try:
                answer = await send(http, method, base + path, content=content, headers=headers)
            except (NotSent, NoAnswer) as failure:
                raise nobody(base) from failure
        said = answer.json()
        if answer.status != 200 or said is None:
            raise from_answer(answer, base)
        return said

    return asyncio.run(call())


def nobody(base: str) -> Unavailable:
    error = unreachable(base)
    error.hint = "Start everything here with `tollbrush up`, or set TOLLBRUSH_ROUTER__GATEWAY_URL."
    return error


def sign_header(
    settings: Settings, url: str, fields: Mapping[str, Any], max_price: Price | None, network: str | None
) -> tuple[str, str, Price]:
    """A payment for one edit at `url`, within the caps: header name, value, price. It counts as spent until its chain
    says otherwise. Raises the client's errors."""

    async def sign() -> tuple[str, str, Price]:
        gateway, payer = _gateway_of(url), _payer(settings, network)
        async with open_http(gateway) as http:
            quoted = await GatewayFlow(gateway, payer, http).quote(Order(b"", fields))
            if quoted is None:
                raise BadRequest(f"{gateway} asks for no payment.")
            if max_price is not None and quoted.price > max_price:
                raise SpendingPolicy(
                    f"The edit costs {quoted.price}, more than the {max_price} allowed.",
                    advice="Nothing was signed. Allow more with --max-price.",
                )
            payment = await payer.pay(quoted.offers, quoted=quoted.price, gateway=gateway)
            await payer.doubtful(payment)
        await payer.close()
        return *payment.header, payment.price

    return asyncio.run(sign())


async def _buy(wish: Wish, settings: Settings, router: str | None, terminal: Terminal, *, ask: bool) -> Edit:
    options: dict[str, Any] = {name: value for name, value in wish.options.items() if value is not None}
    if wish.mask is not None:
        options["mask"] = _given(wish.mask)
    if router:
        # The router's own fields: the gateway has none of these.
        options |= {"network": wish.network} if wish.network else {}
        options |= {"again": True} if wish.again else {}
        client = AsyncClient(router=router)
    else:
        client = AsyncClient(gateway=settings.router.gateway_url, wallet=_payer(settings, wish.network))
    pictures = [_given(image) for image in wish.images]
    image = pictures[0] if len(pictures) == 1 else pictures
    async with client:
        limit = wish.max_price
        if ask and limit is None and sys.stdin.isatty() and sys.stderr.isatty():
            limit = await _confirmed(client, image, wish.prompt, options, settings)
        if limit is not None:
            options["max_price"] = limit
        with terminal.working(f"Editing: {wish.prompt}") as say:
            options["progress"] = lambda step: say(_told(step))
            return await client.edit(image, wish.prompt, **cast(EditOptions, options))


async def _confirmed(
    client: AsyncClient, image: object, prompt: str, options: Mapping[str, Any], settings: Settings
) -> Price | None:
    """The price, asked about on a terminal when it is dear; what was agreed to is what may be spent."""
    known = {name: value for name, value in options.items() if name not in ("network", "again")}
    price = await client.quote(image, prompt, **cast(EditOptions, known))
    if price is not None and price.dollars > settings.router.spending.confirm_above:
        typer.confirm(f"This edit costs {price}. Pay", abort=True, err=True)
    return price


def _payer(settings: Settings, network: str | None) -> Payer:
    if network:
        router = settings.router.model_copy(update={"network": network})
        settings = settings.model_copy(update={"router": router})
    return Payer(load_or_create(settings), settings)


def _given(picture: str) -> object:
    """`-` is standard input."""
    return sys.stdin.buffer.read() if picture == "-" else picture


def _told(step: Progress) -> str:
    price = f" ({step.price})" if step.price else ""
    queue = f", {step.queue_position} before it" if step.queue_position else ""
    return f"{_STAGES.get(step.stage, 'Saving')}{price}{queue}"


def _paid(edit: Edit) -> str:
    if edit.answer.get("replayed"):
        return "The same edit as before; not paid again."
    if edit.price is None or edit.receipt is None:
        return f"By {edit.model}."
    network = BY_ID.get(edit.receipt.network)
    where = network.title if network else edit.receipt.network
    link = "" if network is None or network.test else f"  {network.explorer_tx.format(edit.receipt.tx_hash)}"
    return f"Paid {edit.price} to {edit.model} on {where}: {edit.receipt.tx_hash}{link}"


def _save(edit: Edit, output: str | None, source: str) -> list[Path]:
    """The files written: as named, or `<stem>-edited.png` in the working folder under a number that is free."""
    files = []
    for number, image in enumerate(edit.images, 1):
        if output is not None:
            path = Path(output).expanduser()
            path = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        else:
            path = _free(_stem(source), _SUFFIX[image.mime_type])
        try:
            files.append(image.save(path))
        except OSError as failure:
            raise BadRequest(
                f"{path} cannot be written: {failure.strerror}.",
                advice="The edit is paid for: the same command with another -o fetches it again from a router.",
            ) from failure
    return files


def _stem(source: str) -> str:
    """A name for the result of this source: of its file, of its URL's last part, else `image`."""
    scheme = source[:8].lower()
    if source == "-" or scheme.startswith("data:"):
        return "image"
    path = urlsplit(source).path if scheme.startswith(("http://", "https://")) else source
    return _ODD.sub("-", Path(path).stem).strip("-.")[:80] or "image"


def _free(stem: str, suffix: str) -> Path:
    path, number = Path(f"{stem}-edited{suffix}"), 1
    while path.exists():
        number += 1
        path = Path(f"{stem}-edited-{number}{suffix}")
    return path


def _gateway_of(url: str) -> str:
    """The gateway's base of its edit route's URL; `/sol` stays. Raises BadRequest."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRequest(f"{url[:80]!r} is not a URL.", advice="Give the gateway's edit route.")
    path = _EDIT_ROUTE.sub("", parts.path).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"
