"""`tollbrush history`: what was bought here, and its pictures again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tollbrush.cli.context import DataDir, Json, client_settings
from tollbrush.cli.options import NoPreview
from tollbrush.cli.terminal import Terminal
from tollbrush.errors import NotFound

if TYPE_CHECKING:
    from tollbrush.client.past import PastEdit
    from tollbrush.settings import Settings

_MOST: Final = 500
_WIDTH: Final = 48

app = typer.Typer(
    help="""What was bought here, results that came after Ctrl-C included.

\b
  tollbrush history
  tollbrush history show 1
  tollbrush history save 1 -o hat.png

Number 1 is the latest.
""",
    invoke_without_command=True,
)

Which = Annotated[str, typer.Argument(metavar="NUMBER", help="As listed, 1 is the latest; or an edit's id.")]


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
    edits, _ = _read(client_settings(data_dir), terminal, limit)
    if not edits and not as_json:
        terminal.note('Nothing was bought yet. Try: tollbrush edit photo.png "add a hat"')
        return
    numbered = list(enumerate(edits, 1))
    rows = [(str(n), _when(e), _cut(e.prompt), _model(e), str(e.price or ""), _cut(_state(e))) for n, e in numbered]
    value = {"object": "list", "data": [_as_json(n, e) for n, e in numbered]}
    terminal.table(value, (">No.", "When", "Prompt", "Model", ">Price", "State"), rows)


@app.command()
def show(which: Which, no_preview: NoPreview = False, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show one in full, with its picture where the terminal can."""
    from tollbrush.cli.preview import show as draw

    terminal = Terminal(as_json=as_json)
    edits, pictures = _read(client_settings(data_dir), terminal, _MOST, which)
    number, edit = _found(edits, which)
    paid = f"{edit.receipt.tx_hash} on {edit.receipt.network}" if edit.receipt else ""
    told = [
        ("when", _when(edit)),
        ("prompt", edit.prompt),
        ("model", _model(edit)),
        ("price", str(edit.price or "")),
        ("paid", paid),
        ("state", _state(edit)),
        *(("picture", url) for url in edit.urls),
    ]
    terminal.result(_as_json(number, edit), *(f"{name:<9}{value}" for name, value in told if value))
    if pictures:
        terminal.note(f"Save it: tollbrush history save {number} -o out.png")
        if not no_preview and not as_json:
            draw(pictures[0])


@app.command()
def save(
    which: Which,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="- is stdout.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Save its pictures once more; nothing is paid."""
    from tollbrush.cli import saving

    terminal = Terminal(as_json=as_json)
    if output not in (None, "-"):
        saving.check_target(str(output))
    edits, pictures = _read(client_settings(data_dir), terminal, _MOST, which)
    number, edit = _found(edits, which)
    if not pictures:
        raise NotFound(f"number {number} has no pictures.", advice=_state(edit))
    if output == "-" or (output is None and not as_json and saving.stdout_is_piped()):
        sys.stdout.buffer.write(pictures[0])
        sys.stdout.buffer.flush()
        return
    files = []
    for place, (data, url) in enumerate(zip(pictures, edit.urls, strict=True), 1):
        path = Path(output).expanduser() if output else Path(f"edit-{edit.id[:8]}{Path(url).suffix}")
        path = path if place == 1 else path.with_name(f"{path.stem}-{place}{path.suffix}")
        files.append(str(saving.write(path, data)))
    terminal.result({"files": files}, *files)


def _read(
    settings: Settings, terminal: Terminal, limit: int, which: str | None = None
) -> tuple[list[PastEdit], list[bytes]]:
    """What was edited, newest first; and the pictures of `which`. Raises NotFound."""
    import asyncio

    from tollbrush.cli.counter import open_counter

    async def read() -> tuple[list[PastEdit], list[bytes]]:
        async with open_counter(settings, terminal, direct=False) as counter:
            edits = await counter.client.history(limit)
            urls = () if which is None else _found(edits, which)[1].urls
            return edits, [await counter.picture(url) for url in urls]

    return asyncio.run(read())


def _found(edits: list[PastEdit], which: str) -> tuple[int, PastEdit]:
    """By number or by id. Raises NotFound."""
    for number, edit in enumerate(edits, 1):
        if which in (str(number), edit.id):
            return number, edit
    raise NotFound(f"nothing was bought under {which[:40]!r}.", advice="See: tollbrush history")


def _as_json(number: int, edit: PastEdit) -> dict[str, Any]:
    return {
        "number": number,
        "id": edit.id,
        "at": edit.at.isoformat(),
        "prompt": edit.prompt,
        "state": edit.state,
        "model": _model(edit),
        "price": edit.price.wire() if edit.price else None,
        "payment": {"tx_hash": edit.receipt.tx_hash, "network": edit.receipt.network} if edit.receipt else None,
        "urls": list(edit.urls),
        "error": edit.error,
    }


def _when(edit: PastEdit) -> str:
    return edit.at.astimezone().strftime("%Y-%m-%d %H:%M")


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _model(edit: PastEdit) -> str:
    return str((edit.answer or {}).get("model") or "")


def _state(edit: PastEdit) -> str:
    return f"{edit.state}: {edit.error}" if edit.error else edit.state
