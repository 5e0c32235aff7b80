"""`tollbrush models`: what is for sale; and the open models for one's own GPUs, their licences, their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tollbrush.cli.context import DataDir, Json, load_settings
from tollbrush.cli.edits import list_models
from tollbrush.cli.terminal import Terminal, safe
from tollbrush.errors import BadSettings, UnknownModel

if TYPE_CHECKING:
    from tollbrush.domain.licences import Licence
    from tollbrush.engines.diffusion.model import DiffusionModel
    from tollbrush.settings import Settings

_SALE: Final = {"yes": "yes", "terms": "yes, its terms bind the buyer too", "no": "no"}

app = typer.Typer(
    help="""List the models for sale, and their prices; below, open models for your own GPUs.

\b
  tollbrush models
  tollbrush models list --licence
  tollbrush models pull klein
""",
    invoke_without_command=True,
)


@app.callback()
def sold(
    ctx: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also what each model can do.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    if ctx.invoked_subcommand is None:
        list_models(verbose=verbose, data_dir=data_dir, as_json=as_json)


@app.command("list")
def listed(
    licence: Annotated[
        bool, typer.Option("--licence", help="Under which terms, and whether they may be sold.")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Open models for your own GPUs, and which are sold here."""
    from tollbrush.engines.diffusion import served

    settings = load_settings(data_dir)
    sold, found = served.names(settings), served.known(settings)
    rows = [(row, terms, row.name in sold, _commit(row, settings)) for row, terms in found]
    value = {
        "object": "list",
        "data": [
            {
                "model": row.name,
                "source": row.source,
                "sold_here": here,
                "commit": commit,
                "licence": terms.name,
                "may_be_sold": _SALE[terms.sale],
                "says": terms.says,
            }
            for row, terms, here, commit in rows
        ],
    }
    terminal = Terminal(as_json=as_json)
    if licence:
        told = [(row.name, terms.name, _SALE[terms.sale]) for row, terms, _, _ in rows]
        terminal.table(value, ("Model", "Licence", "May be sold"), told)
        return
    shown = [(row.name, "yes" if here else "", _memory(row.name), (commit or "")[:12]) for row, _, here, commit in rows]
    terminal.table(value, ("Model", "Sold here", ">GPU memory", "Pinned to"), shown)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="As `tollbrush models list` names it, or one of your own.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Fetch a model's weights and pin it to their commit."""
    settings, terminal = load_settings(data_dir), Terminal(as_json=as_json)
    row, terms = _named(name, settings)
    try:
        from tollbrush.engines.diffusion.pulling import pull as fetch

        with _bar(f"Fetching {row.source}", quiet=as_json) as progress:
            pulled = fetch(row, settings, progress)
    except ImportError as failure:
        raise BadSettings(
            f"the diffusion engine's parts are not installed ({failure.name}).",
            advice="pip install 'tollbrush[diffusion]'",
        ) from failure
    lines = [f"{row.name} is in {pulled.folder}"]
    if pulled.commit:
        lines.append(f"Pinned to commit {pulled.commit}")
    if terms.sale == "no":
        lines.append(f"It may not be sold: the {terms.name} allows {terms.says}.")
    value = {"model": row.name, "source": row.source, "commit": pulled.commit, "folder": str(pulled.folder)}
    terminal.result(value | {"licence": terms.name, "may_be_sold": _SALE[terms.sale]}, *lines)


def _named(name: str, settings: Settings) -> tuple[DiffusionModel, Licence]:
    from tollbrush.engines.diffusion import served

    found = served.run_of(name, settings)
    if found is None:
        known = ", ".join(row.name for row, _ in served.known(settings))
        raise UnknownModel(
            f"{name[:80]!r} is no model for this machine's GPUs; known: {known}.",
            advice='Another one is a model of your own: [models."you/name"] with engine = "diffusion".',
        )
    return found


def _memory(name: str) -> str:
    from tollbrush.engines.diffusion.rows import named

    row = named(name)
    return f"{row.gigabytes} GB" if row else ""


def _commit(row: DiffusionModel, settings: Settings) -> str | None:
    from tollbrush.engines.diffusion.pins import Pins

    return None if row.folder is not None else Pins(settings.data_dir).find(row.source, row.revision)


@contextmanager
def _bar(text: str, *, quiet: bool) -> Iterator[Callable[[float], None]]:
    """A progress bar on stderr, where that is a terminal; else a line."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        if not quiet:
            console.print(f"{safe(text)} …", highlight=False, markup=False)
        yield lambda fraction: None
        return
    columns: list[Any] = [
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
    ]
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(safe(text), total=1.0)
        yield lambda fraction: progress.update(task, completed=fraction)
