"""Commands that edit and price: edit, img2img, quote, pay-header.

A router that runs on this machine does the paying; else one in this process does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import typer

from tollbrush.cli.context import DataDir, Json, client_settings
from tollbrush.cli.options import (
    Count,
    Direct,
    DryRun,
    Fit,
    Format,
    Mask,
    MaxPrice,
    Model,
    NetworkName,
    NoPreview,
    Output,
    Seed,
    SizeName,
    Yes,
)
from tollbrush.cli.terminal import Terminal, usage
from tollbrush.errors import BadRequest

_EDIT_HELP = """Edit a picture and pay for it.

\b
  tollbrush edit photo.png "add a hat" -o hat.png
  tollbrush edit cat.jpg "remove the background" --mask mask.png
  curl -s URL | tollbrush edit - "make it sepia" | display

Piped, the picture goes to stdout. Above a set price a terminal is asked first; elsewhere it needs --max-price or
--yes.
"""


def register(app: typer.Typer) -> None:
    app.command(help=_EDIT_HELP)(edit)
    app.command(context_settings={"ignore_unknown_options": True})(img2img)
    app.command()(quote)
    app.command(name="pay-header")(pay_header)


def edit(
    image: Annotated[str, typer.Argument(help="A file, a URL, or - for stdin.")],
    prompt: Annotated[list[str], typer.Argument(help="What should change.")],
    mask: Mask = None,
    more: Annotated[list[str] | None, typer.Option("--image", help="Another picture.", show_default=False)] = None,
    model: Model = None,
    size: SizeName = None,
    n: Count = None,
    seed: Seed = None,
    fit: Fit = None,
    output_format: Format = None,
    max_price: MaxPrice = None,
    again: Annotated[bool, typer.Option("--again", help="Buy anew what was bought before.")] = False,
    output: Output = None,
    network: NetworkName = None,
    direct: Direct = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    no_preview: NoPreview = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """See _EDIT_HELP."""
    from tollbrush.cli.purchase import Manner, Wish, carry_out
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
    manner = Manner(output, direct=direct, yes=yes, dry_run=dry_run, preview=not no_preview)
    carry_out(wish, client_settings(data_dir), Terminal(as_json=as_json), manner)


def img2img(
    words: Annotated[list[str], typer.Argument(metavar="[FLAGS] PROMPT…", help="As after /img2img in a chat.")],
    output: Output = None,
    network: NetworkName = None,
    direct: Direct = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    no_preview: NoPreview = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Edit by the slash command's grammar, as in a chat.

    \b
    --image PATH|URL [--image …] [--mask PATH] [--model NAME] [--size WxH]
    [--n N] [--seed N] [--max-price USD] [--again] PROMPT…

    \b
      tollbrush img2img --image cat.jpg --mask mask.png remove the background
      tollbrush '/img2img --image ~/photo.png add a hat'
    """
    from tollbrush.cli.purchase import Manner, Wish, carry_out
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
    manner = Manner(output, direct=direct, yes=yes, dry_run=dry_run, preview=not no_preview)
    carry_out(wish, client_settings(data_dir), Terminal(as_json=as_json), manner)


def quote(
    image: Annotated[str | None, typer.Argument(help="Its size matters for auto.", show_default=False)] = None,
    prompt: Annotated[str | None, typer.Option(help="Also asks whether it can be done.", show_default=False)] = None,
    model: Model = None,
    size: SizeName = None,
    n: Count = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Tell what an edit would cost; nothing is paid.

    tollbrush quote photo.png --size auto --model tollbrush/studio
    """
    from tollbrush.cli.counter import ask
    from tollbrush.domain.pricing import Price

    settings = client_settings(data_dir)
    fields = _fields(image, prompt=prompt, model=model, size=size, n=n)
    terminal = Terminal(as_json=as_json)
    with terminal.working("Asking for the price"):
        said = ask(settings, "POST", "/v1/images/quote", fields)
    price = said["price"]
    told = str(Price.of(Decimal(price["amount"]))) if price else "Nothing is asked for."
    terminal.result(said, told)


def list_models(*, verbose: bool, data_dir: DataDir, as_json: bool) -> None:
    """The models for sale, and their prices: `tollbrush models`."""
    from tollbrush.cli.counter import ask

    terminal = Terminal(as_json=as_json)
    with terminal.working("Asking for the models"):
        listed = ask(client_settings(data_dir), "GET", "/v1/models").get("data", ())
    rows = [row for row in listed if isinstance(row, dict)]
    if verbose and not as_json:
        terminal.result(rows, *(line for row in rows for line in _described(row)))
        return
    table = []
    for row in rows:
        available = "yes" if row.get("available", True) else "no"
        table.append((str(row.get("id")), available, "yes" if row.get("mask") else "no", _prices(row)))
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
    """Print a payment for curl's X-Payment header, within the caps.

    \b
      PAYMENT=$(tollbrush pay-header $URL --model studio --size 1024x1024)
      curl -H "X-Payment: $PAYMENT" -d @request.json $URL
    """
    from tollbrush.cli.signing import sign_header
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


def _prices(row: dict[str, Any]) -> str:
    said = row.get("pricing")
    return ", ".join(f"{size} ${price}" for size, price in said.items()) if isinstance(said, dict) else ""


def _described(row: dict[str, Any]) -> list[str]:
    """A model in full: whatever its gateway tells of it."""
    told = [
        ("price", _prices(row)),
        ("mask", "yes" if row.get("mask") else "no"),
        ("pictures", f"up to {row['max_sources']}" if row.get("max_sources") else ""),
        ("aliases", ", ".join(map(str, row.get("aliases") or ()))),
        ("licence", str(row.get("licence") or "")),
        ("available", "yes" if row.get("available", True) else "no: no engine is configured for it"),
    ]
    lines = [str(row.get("id")), *([f"  {row['description']}"] if row.get("description") else [])]
    lines += [f"  {name:<10}{value}" for name, value in told if value]
    can = row.get("abilities")
    if isinstance(can, dict):
        can = [f"{name}: {what}" for name, what in can.items()]
    if isinstance(can, list) and can:
        lines += ["  can", *(f"    {_ability(one)}" for one in can)]
    return [*lines, ""]


def _ability(one: object) -> str:
    """An ability as a sentence, or as a name with its example."""
    if isinstance(one, dict):
        return "  ".join(str(one[name]) for name in ("name", "description", "example") if one.get(name))
    return str(one)
