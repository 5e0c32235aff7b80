"""Commands that edit and price: edit, img2img, quote, models, pay-header.

A router that runs on this machine does the paying; else this process does, straight at the gateway.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import typer

from tollbrush.cli.context import DataDir, Json, client_settings
from tollbrush.cli.terminal import Terminal, usage
from tollbrush.errors import BadRequest

Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Where the picture goes; - is stdout.", show_default=False),
]
NetworkName = Annotated[str | None, typer.Option("--network", help="Pay on it: base, solana, …", show_default=False)]
Direct = Annotated[bool, typer.Option("--direct", help="Pay from here even where a router runs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a dear edit.")]
Model = Annotated[str | None, typer.Option(help="Which model; see: tollbrush models", show_default=False)]
SizeName = Annotated[str | None, typer.Option(help="WIDTHxHEIGHT, or auto.", show_default=False)]
Count = Annotated[int | None, typer.Option("--n", help="How many pictures.", show_default=False)]
Mask = Annotated[str | None, typer.Option("-m", "--mask", help="White: edit, black: keep.", show_default=False)]
Format = Annotated[str | None, typer.Option("--format", help="png, jpeg or webp.", show_default=False)]
MaxPrice = Annotated[str | None, typer.Option(help="Dollars it may cost at most.", show_default=False)]


def register(app: typer.Typer) -> None:
    app.command()(edit)
    app.command(context_settings={"ignore_unknown_options": True})(img2img)
    app.command()(quote)
    app.command()(models)
    app.command(name="pay-header")(pay_header)


def edit(
    image: Annotated[str, typer.Argument(help="A file, a URL, or - for stdin.")],
    prompt: Annotated[list[str], typer.Argument(help="What should change.")],
    mask: Annotated[
        str | None, typer.Option("-m", "--mask", help="White: edit, black: keep.", show_default=False)
    ] = None,
    more: Annotated[list[str] | None, typer.Option("--image", help="Another picture.", show_default=False)] = None,
    model: Model = None,
    size: SizeName = None,
    n: Count = None,
    seed: Annotated[int | None, typer.Option(show_default=False)] = None,
    fit: Annotated[str | None, typer.Option(help="crop, pad or stretch.", show_default=False)] = None,
    output_format: Annotated[
        str | None, typer.Option("--format", help="png, jpeg or webp.", show_default=False)
    ] = None,
    max_price: MaxPrice = None,
    again: Annotated[bool, typer.Option("--again", help="Buy anew what was bought before.")] = False,
    output: Output = None,
    network: NetworkName = None,
    direct: Direct = False,
    yes: Yes = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Edit a picture and pay for it."""
    from tollbrush.cli.purchase import Wish, carry_out
    from tollbrush.client.inputs import price_limit

    wish = Wish(
        images=(image, *(more or ())),
        prompt=" ".join(prompt),
        mask=mask,
        options={"model": model, "size": size, "n": n, "seed": seed, "fit": fit, "output_format": output_format},
        max_price=price_limit(max_price),
        again=again,
        network=network,
    )
    carry_out(wish, client_settings(data_dir), Terminal(as_json=as_json), output=output, direct=direct, yes=yes)


def img2img(
    words: Annotated[list[str], typer.Argument(metavar="[FLAGS] PROMPT…", help="As after /img2img in a chat.")],
    output: Output = None,
    network: NetworkName = None,
    direct: Direct = False,
    yes: Yes = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Edit by the slash command's grammar.

    --image PATH|URL [--image …] [--mask PATH] [--model NAME] [--size WxH] [--n N] [--seed N] [--max-price USD]
    [--again] PROMPT…
    """
    from tollbrush.cli.purchase import Wish, carry_out
    from tollbrush.client.inputs import price_limit
    from tollbrush.wire import slash

    try:
        whole = len(words) == 1 and slash.is_command(words[0])
        command = slash.parse(words[0]) if whole else slash.parse_words(words)
    except BadRequest as wrong:
        usage(wrong.sentence())
    wish = Wish(
        images=command.images,
        prompt=command.prompt,
        mask=command.mask,
        options={"model": command.model, "size": command.size, "n": command.n, "seed": command.seed},
        max_price=price_limit(command.max_price),
        again=command.again,
        network=network,
    )
    carry_out(wish, client_settings(data_dir), Terminal(as_json=as_json), output=output, direct=direct, yes=yes)


def quote(
    image: Annotated[str | None, typer.Argument(help="Its size matters for auto.", show_default=False)] = None,
    prompt: Annotated[str | None, typer.Option(help="Also asks whether it can be done.", show_default=False)] = None,
    model: Model = None,
    size: SizeName = None,
    n: Count = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """What an edit would cost; nothing is paid."""
    from tollbrush.cli.purchase import ask
    from tollbrush.domain.pricing import Price

    settings = client_settings(data_dir)
    fields = _fields(image, prompt=prompt, model=model, size=size, n=n)
    terminal = Terminal(as_json=as_json)
    with terminal.working("Asking for the price"):
        said = ask(settings, "POST", "/v1/images/quote", fields)
    price = said["price"]
    told = str(Price.of(Decimal(price["amount"]))) if price else "Nothing is asked for."
    terminal.result(said, told)


def models(data_dir: DataDir = None, as_json: Json = False) -> None:
    """The models for sale, and their prices."""
    from tollbrush.cli.purchase import ask

    terminal = Terminal(as_json=as_json)
    with terminal.working("Asking for the models"):
        rows = [
            row for row in ask(client_settings(data_dir), "GET", "/v1/models").get("data", ()) if isinstance(row, dict)
        ]
    table = []
    for row in rows:
        prices = ", ".join(f"{size} ${price}" for size, price in (row.get("pricing") or {}).items())
        available = "yes" if row.get("available", True) else "no"
        table.append((str(row.get("id")), available, "yes" if row.get("mask") else "no", prices))
    terminal.table({"object": "list", "data": rows}, ("Model", "Available", "Mask", "Price per picture"), table)


def pay_header(
    url: Annotated[str, typer.Argument(help="The gateway's edit route.")],
    image: Annotated[str | None, typer.Option(help="Its size matters for auto.", show_default=False)] = None,
    masked: Annotated[bool, typer.Option("--masked", help="A mask will be sent.")] = False,
    model: Model = None,
    size: SizeName = None,
    n: Count = None,
    max_price: MaxPrice = None,
    network: NetworkName = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Print a payment for curl's X-Payment header."""
    from tollbrush.cli.purchase import sign_header
    from tollbrush.client.inputs import price_limit

    fields = _fields(image, model=model, size=size, n=n) | ({"masked": True} if masked else {})
    terminal = Terminal(as_json=as_json)
    name, value, price = sign_header(client_settings(data_dir), url, fields, price_limit(max_price), network)
    terminal.result({"header": name, "value": value, "price": price.wire()}, value)
    terminal.note(f"Worth {price}: whoever has this line can spend it. Send it as X-Payment.")


def _fields(image: str | None, **fields: Any) -> dict[str, Any]:
    """What decides a price. Raises BadImage."""
    from tollbrush.client.inputs import draft

    given = {name: value for name, value in fields.items() if value is not None}
    if image is not None and (source := draft(image, "", {}, urls=True).source):
        given |= {"width": source.width, "height": source.height}
    return given
