"""What a command says: results on stdout, progress and errors on stderr, exit codes, nothing that a terminal obeys.

Exit codes: 0 done · 1 something is wrong here · 2 usage · 3 refused by the spending policy · 4 client error ·
5 server error · 6 time-out · 7 no funds · 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from tollbrush.errors import EditTimeout, NoFunds, SpendingPolicy, TollbrushError

if TYPE_CHECKING:
    from tollbrush.devnet.interface import Transfer

USAGE: Final = 2
INTERRUPTED: Final = 130


def exit_code(error: TollbrushError) -> int:
    match error:
        case SpendingPolicy():
            return 3
        case NoFunds():
            return 7
        case EditTimeout():
            return 6
    return 4 if error.status < 500 else 5


def safe(text: str) -> str:
    """Text from elsewhere on one line, with every control and invisible character escaped: none moves the cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Link(NamedTuple):
    """A table's cell to click, where the terminal can."""

    text: str
    url: str


class Terminal:
    """How this call answers: for people, or as one JSON document on stdout."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def result(self, value: Any, *lines: str) -> None:
        """The answer: `value` as JSON, or `lines` for people."""
        if self.as_json:
            print(json.dumps(value, indent=2, default=str))
        else:
            for line in lines:
                print(safe(line))

    def table(self, value: Any, columns: tuple[str, ...], rows: Sequence[tuple[str | Link, ...]]) -> None:
        """The answer as JSON or as a table. Columns named with a leading `>` stand to the right."""
        if self.as_json:
            self.result(value)
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in columns:
            table.add_column(
                name.removeprefix(">"), justify="right" if name.startswith(">") else "left", overflow="fold"
            )
        for row in rows:
            cells = (cell if isinstance(cell, Link) else Link(cell, "") for cell in row)
            table.add_row(*(Text(safe(text), style=f"link {safe(url)}" if url else "") for text, url in cells))
        # Off a terminal nothing is wrapped or cut: who reads it may be a program.
        Console(highlight=False, width=None if sys.stdout.isatty() else 400).print(table)

    def event(self, value: Any, *lines: str) -> None:
        """One of many results over time: a JSON line, or `lines` for people."""
        if self.as_json:
            print(json.dumps(value, default=str), flush=True)
        else:
            print("\n".join(map(safe, lines)), flush=True)

    def note(self, text: str) -> None:
        """Something on the way, for people."""
        print(safe(text), file=sys.stderr, flush=True)

    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        """Progress on stderr while it takes long: moving on a terminal, one line elsewhere. Gives what replaces the
        text."""
        from rich.console import Console
        from rich.text import Text

        console = Console(stderr=True)
        if not console.is_terminal:
            self.note(f"{text} …")
            yield lambda said: None
            return
        with console.status(Text(safe(text))) as status:
            yield lambda said: status.update(Text(safe(f"{said} · {text}")))


def tell_transfer(terminal: Terminal, transfer: Transfer) -> None:
    """A line per transfer on a local chain."""
    from tollbrush.domain.networks import BY_ID
    from tollbrush.domain.pricing import Price

    moved = f"{transfer.sender} → {transfer.recipient}"
    line = f"{BY_ID[transfer.network].title}  {Price(transfer.amount)}  {moved}  {transfer.tx_hash}"
    terminal.event({"transfer": vars(transfer)}, line)


def fail(error: TollbrushError, *, as_json: bool) -> int:
    """One plain sentence on stderr (and the error as JSON on stdout when asked); the exit code."""
    if as_json:
        body: Mapping[str, Any] = {"error": error.message, "code": error.code, "message": error.sentence()}
        print(json.dumps(body))
    print(f"tollbrush: {safe(error.sentence())}", file=sys.stderr)
    return exit_code(error)


def usage(message: str) -> NoReturn:
    """Stop with exit code 2. `message` names what is wrong and what to type."""
    print(f"tollbrush: {safe(message)}", file=sys.stderr)
    raise SystemExit(USAGE)
