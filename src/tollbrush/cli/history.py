"""`tollbrush history`: what was bought here, and its pictures again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tollbrush.cli.context import DataDir, Json, client_settings
from tollbrush.cli.options import NoPreview
from tollbrush.cli.terminal import Terminal
from tollbrush.errors import NotFound

if TYPE_CHECKING:
    from tollbrush.settings import Settings

_MOST: Final = 500
_WIDTH: Final = 48

app = typer.Typer(
    help="""What was bought here, results that came after Ctrl-C included.

  tollbrush history
  tollbrush history show 7
  tollbrush history save 7 -o hat.png
""",
    invoke_without_command=True,
)

Number = Annotated[int, typer.Argument(help="As listed by: tollbrush history", min=1)]


@app.callback()
def listed(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=_MOST)] = 20,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    if ctx.invoked_subcommand is not None:
        return
    terminal = Terminal(as_json=as_json)
    rows, _ = asyncio.run(_read(client_settings(data_dir), terminal, limit))
    if not rows and not as_json:
        terminal.note('Nothing was bought yet. Try: tollbrush edit photo.png "add a hat"')
        return
    table = [(str(r["id"]), _when(r["at"]), _cut(r["prompt"]), _model(r), _price(r), _state(r)) for r in reversed(rows)]
    terminal.table({"object": "list", "data": rows}, (">No.", "When", "Prompt", "Model", ">Price", "Pictures"), table)


@app.command()
def show(number: Number, no_preview: NoPreview = False, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show one in full, with its picture where the terminal can."""
    from tollbrush.cli.preview import show as draw

    terminal = Terminal(as_json=as_json)
    row, pictures = asyncio.run(_one(client_settings(data_dir), terminal, number))
    answer = row["answer"] or {}
    payment = answer.get("payment") or {}
    told = [
        ("when", _when(row["at"])),
        ("prompt", row["prompt"]),
        ("model", _model(row)),
        ("price", _price(row)),
        ("paid", f"{payment.get('tx_hash')} on {payment.get('network')}" if payment else ""),
        *(("picture", f"{d.get('width')}x{d.get('height')}  {d.get('url')}") for d in answer.get("data", ())),
        ("", "" if answer else _state(row)),
    ]
    terminal.result(row, *(f"{name:<9}{value}" for name, value in told if value))
    if pictures:
        terminal.note(f"Save it: tollbrush history save {number} -o out.png")
        if not no_preview and not as_json:
            draw(pictures[0])


@app.command()
def save(
    number: Number,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="- is stdout.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Save its pictures once more; nothing is paid."""
    import sys

    from tollbrush.cli import saving

    terminal = Terminal(as_json=as_json)
    if output not in (None, "-"):
        saving.check_target(str(output))
    row, pictures = asyncio.run(_one(client_settings(data_dir), terminal, number))
    if not pictures:
        raise NotFound(f"the pictures of number {number} are not here.", advice=_state(row))
    if output == "-" or (output is None and not as_json and saving.stdout_is_piped()):
        sys.stdout.buffer.write(pictures[0])
        return
    kinds = [str(d.get("mime_type")) for d in row["answer"]["data"]]
    files = []
    for place, (data, kind) in enumerate(zip(pictures, kinds, strict=True), 1):
        path = Path(output).expanduser() if output else Path(f"edit-{number}{saving.SUFFIX.get(kind, '.png')}")
        path = path if place == 1 else path.with_name(f"{path.stem}-{place}{path.suffix}")
        files.append(saving.write(path, data))
    terminal.result({"files": [str(file) for file in files]}, *(str(file) for file in files))


async def _read(
    settings: Settings, terminal: Terminal, limit: int, number: int | None = None
) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Rows, newest first; with `number`, the pictures of that one."""
    from tollbrush.cli.counter import open_counter

    async with open_counter(settings, terminal, direct=False) as counter:
        said = (await counter.get(f"/v1/history?limit={limit}")).get("data")
        rows = [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []
        chosen = [row for row in rows if number is not None and row.get("id") == number and row.get("answer")]
        urls = [str(entry["url"]) for row in chosen for entry in row["answer"]["data"]]
        return rows, [await counter.picture(url) for url in urls]


async def _one(settings: Settings, terminal: Terminal, number: int) -> tuple[dict[str, Any], list[bytes]]:
    """One row and its pictures. Raises NotFound."""
    rows, pictures = await _read(settings, terminal, _MOST, number)
    for row in rows:
        if row["id"] == number:
            return row, pictures
    raise NotFound(f"nothing was bought under number {number}.", advice="See: tollbrush history")


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _cut(prompt: str) -> str:
    return prompt if len(prompt) <= _WIDTH else prompt[: _WIDTH - 1] + "…"


def _model(row: dict[str, Any]) -> str:
    return str((row.get("answer") or {}).get("model") or "")


def _price(row: dict[str, Any]) -> str:
    price = (row.get("answer") or {}).get("price") or {}
    return f"${str(price['amount']).rstrip('0').rstrip('.')}" if price.get("amount") else ""


def _state(row: dict[str, Any]) -> str:
    if row.get("answer"):
        return str(len(row["answer"]["data"]))
    return "paid, not fetched yet: the same command again fetches it, and pays nothing"
