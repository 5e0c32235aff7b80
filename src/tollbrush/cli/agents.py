"""`tollbrush mcp`: serve an agent over stdio; `mcp install` and `mcp uninstall`: tell agents where to find it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from tollbrush.cli.context import DataDir, Json, client_settings, find_router
from tollbrush.cli.terminal import Terminal

if TYPE_CHECKING:
    from tollbrush.mcp.consent import Place
    from tollbrush.mcp.install import Agent

app = typer.Typer(
    invoke_without_command=True, help="Serve an agent (Claude, Cursor, Codex, …) over stdio, or install into one."
)

Clients = Annotated[
    list[str] | None,
    typer.Option("--client", metavar="NAME", help="Which agent; again for more. Default: all found here."),
]
Print = Annotated[bool, typer.Option("--print", help="Only show what would be written.")]


@app.callback()
def mcp(context: typer.Context, data_dir: DataDir = None) -> None:
    """Serve an agent on stdin and stdout, as its configuration starts it."""
    if context.invoked_subcommand is not None:
        return
    import asyncio

    from tollbrush.mcp import server

    asyncio.run(server.run(lambda: _place(data_dir)))


@app.command()
def install(client: Clients = None, only_print: Print = False, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Write `tollbrush mcp` into the settings of agents; all else in them stays."""
    from tollbrush.mcp import install as installer

    words = ["mcp", *(("--data-dir", str(data_dir.expanduser().absolute())) if data_dir else ())]
    told = []
    for agent in installer.find(client or ()):
        entry = installer.entry(agent, words)
        if only_print:
            told.append(_Change(agent.name, str(agent.path()), "printed", installer.fragment(agent, entry)))
        else:
            before = installer.read(agent.path())
            told.append(_written(agent, before, installer.added(agent, before, entry), "installed"))
    _tell(told, as_json)


@app.command()
def uninstall(client: Clients = None, as_json: Json = False) -> None:
    """Take `tollbrush mcp` out of the settings of agents again."""
    from tollbrush.mcp import install as installer

    told = []
    for agent in installer.find(client or ()):
        before = installer.read(agent.path())
        told.append(_written(agent, before, installer.removed(agent, before), "removed"))
    _tell(told, as_json)


class _Change(NamedTuple):
    """What became of one agent's file."""

    client: str
    file: str
    done: str
    text: str = ""


def _written(agent: Agent, before: str, after: str, done: str) -> _Change:
    from tollbrush.mcp.install import write

    if after == before:
        return _Change(agent.name, str(agent.path()), "unchanged")
    kept = write(agent.path(), after)
    return _Change(agent.name, str(agent.path()), done, f"The file as it was: {kept}" if kept else "")


def _tell(changes: list[_Change], as_json: bool) -> None:
    terminal = Terminal(as_json=as_json)
    lines = []
    for change in changes:
        lines += (
            [f"{change.client}: {change.done}, {change.file}"] if change.done != "printed" else [f"# {change.file}"]
        )
        lines += change.text.splitlines()
    if any(change.done == "installed" for change in changes):
        lines.append("Restart the agent, then ask it to edit a picture.")
    terminal.result([change._asdict() for change in changes], *lines)


def _place(data_dir: Path | None) -> Place:
    from tollbrush.mcp.consent import Place

    settings = client_settings(data_dir)
    return Place(settings, find_router(settings))
